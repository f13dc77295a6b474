"""Labels of masked bags, and slips of the requests they are filled for: number, participant, a code for the scanner.

The rule that must stay true: nothing on a label follows from what is in the bag; the scanner's code holds the bag's
number as it stands and nothing else, so that a scan and a typed number are the same thing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from equipoise.documents.squares import drawing
from equipoise.documents.typeset import Issue, both, pdf, words
from equipoise.words.text import Text

_WORDS = ("documents.label-trial-use", "documents.label-rehearsal")


@dataclass(frozen=True, slots=True)
class BagLabel:
    """One bag: its random number, use-by as it is to be printed (the site's time), screening number, which dose."""

    bag: str
    use_by: str
    subject: str
    dose: Text | None = None


@dataclass(frozen=True, slots=True)
class RequestSlip:
    """One request that goes to the bench with its bag. `code` is what the scanner reads; `at` as it is printed."""

    request: str
    code: str
    at: str
    subject: str
    dose: Text | None = None


def labels_pdf(labels: Sequence[BagLabel | RequestSlip], issue: Issue) -> bytes:
    """The labels, one to a page of 100 x 62 mm."""
    values = {"labels": [_fields(label) for label in labels], "words": words(_WORDS)}
    return pdf("label", both("documents.label-title"), issue, values)


def _fields(label: BagLabel | RequestSlip) -> Mapping[str, object]:
    subject = [both("documents.label-subject"), label.subject, 14]
    if isinstance(label, BagLabel):
        return {
            "name": label.bag,
            "lines": [
                [both("documents.label-bag"), label.bag, 19],
                [both("documents.label-use-by"), label.use_by, 12],
                subject,
            ],
            "dose": label.dose or [],
            "note": both("documents.label-route"),
            "qr": drawing(label.bag),
        }
    return {
        "name": label.request,
        "lines": [
            [both("documents.label-request"), label.request, 12],
            [both("documents.label-at"), label.at, 12],
            subject,
        ],
        "dose": label.dose or [],
        "note": both("documents.label-slip"),
        "qr": drawing(label.code),
    }

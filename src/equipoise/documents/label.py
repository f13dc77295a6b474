"""Labels of masked bags: a number, a use-by, a participant, and a code for the scanner.

The rule that must stay true: nothing on a label follows from what is in the bag; the scanner's code holds the bag's
number as it stands and nothing else, so that a scan and a typed number are the same thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.documents.squares import drawing
from equipoise.documents.typeset import Issue, both, pdf, words
from equipoise.words.text import Text

_WORDS = (
    "documents.label-bag",
    "documents.label-use-by",
    "documents.label-subject",
    "documents.label-route",
    "documents.label-trial-use",
    "documents.label-rehearsal",
)


@dataclass(frozen=True, slots=True)
class BagLabel:
    """One bag: its random number, use-by as it is to be printed (the site's time), screening number, which dose."""

    bag: str
    use_by: str
    subject: str
    dose: Text | None = None


def labels_pdf(labels: Sequence[BagLabel], issue: Issue) -> bytes:
    """The labels, one to a page of 100 x 62 mm."""
    values = {
        "labels": [
            {
                "bag": label.bag,
                "use_by": label.use_by,
                "subject": label.subject,
                "dose": label.dose or [],
                "qr": drawing(label.bag),
            }
            for label in labels
        ],
        "words": words(_WORDS),
    }
    return pdf("label", both("documents.label-title"), issue, values)

"""Labels of tubes and aliquots, and the manifest of a shipment: numbers, what is to be done, and nobody's name.

The rule that must stay true: a label and a manifest hold numbers, the kit and the visit, and nothing else of a person;
the scanner's code is the number as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.documents.sheet import Fact, Sheet, Table, sheet_pdf
from equipoise.documents.squares import drawing
from equipoise.documents.typeset import Issue, both, pdf, words
from equipoise.words.text import Text

_WORDS = ("documents.label-trial-use", "documents.label-rehearsal")


@dataclass(frozen=True, slots=True)
class TubeLabel:
    """One tube or aliquot: its number, its kit, and a line of its own (the tube's kind, or the volume)."""

    number: str
    kit: Text
    line: Text
    collected_at: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A shipment as it is packed: (aliquot, kit, volume in mL), and where it goes. Moments as they are printed."""

    shipment: str
    site: str
    laboratory: Text
    sent_at: str
    condition: Text
    lines: tuple[tuple[str, Text, str], ...]


def tube_labels_pdf(labels: Sequence[TubeLabel], issue: Issue) -> bytes:
    """The labels, one to a page."""
    made = [
        {
            "name": one.number,
            "lines": [
                [both("documents.tube-number"), one.number, 16],
                [one.kit, "", 8],
                [both("documents.tube-collected"), one.collected_at, 10],
            ],
            "dose": one.line,
            "note": both("documents.tube-note"),
            "qr": drawing(one.number),
        }
        for one in labels
    ]
    return pdf("label", both("documents.tube-title"), issue, {"labels": made, "words": words(_WORDS)})


def manifest_pdf(manifest: Manifest, issue: Issue) -> bytes:
    """The manifest that travels with a shipment."""
    columns = tuple(
        both(f"documents.manifest-{name}") for name in ("line", "aliquot", "kit", "volume", "arrived")
    )
    rows = tuple(
        (str(count), aliquot, f"{kit.en} / {kit.say('zh')}" if kit.zh else kit.en, volume, "")
        for count, (aliquot, kit, volume) in enumerate(manifest.lines, 1)
    )
    facts = (
        Fact(both("documents.manifest-shipment"), manifest.shipment, exact=True),
        Fact(both("documents.manifest-site"), manifest.site),
        Fact(
            both("documents.manifest-laboratory"),
            f"{manifest.laboratory.en} / {manifest.laboratory.say('zh')}",
        ),
        Fact(both("documents.manifest-sent"), manifest.sent_at),
        Fact(
            both("documents.manifest-condition"), f"{manifest.condition.en} / {manifest.condition.say('zh')}"
        ),
        Fact(both("documents.manifest-count"), str(len(manifest.lines))),
    )
    sheet = Sheet(
        both("documents.manifest-title"), both("documents.manifest-lead"), facts,
        (Table(both("documents.manifest-table"), columns, (1, 4, 6, 2, 3), rows),),
        signatures=(both("documents.manifest-packed"), both("documents.manifest-received")),
    )  # fmt: skip
    return sheet_pdf(sheet, issue)

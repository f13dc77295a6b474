"""The card that sets up a phone for the diary: a code to scan, the link to type, three steps, and when it is lost.

What is printed and what a page shows come from `said_on`.

The rules that must stay true: the card bears no name, no illness and no PIN; the PIN is told or handed over apart from
it, so that who finds a card alone can open nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.documents.squares import drawing
from equipoise.documents.typeset import Issue, both, pdf, words
from equipoise.words.text import Text

_WORDS = (
    "documents.phone-title",
    "documents.phone-type",
    "documents.phone-lost",
    "documents.phone-number",
    "documents.phone-until",
    "documents.phone-rehearsal",
)
_STEPS = ("documents.phone-step-scan", "documents.phone-step-pin", "documents.phone-step-keep")


@dataclass(frozen=True, slots=True)
class PhoneCard:
    """One card. `link`: with its code in the fragment; `number`: screening number; `until`: as it is printed."""

    link: str
    number: str
    until: str
    caregiver: bool = False


def said_on(card: PhoneCard) -> Mapping[str, object]:
    """Everything that a card shows: its values, `qr` (SVG), and what it says (texts in both languages)."""
    return {
        "link": card.link,
        "number": card.number,
        "until": card.until,
        "holder": _holder(card),
        "qr": drawing(card.link),
        "steps": [both(step) for step in _STEPS],
        "words": words(_WORDS),
    }


def _holder(card: PhoneCard) -> Text:
    return both("documents.phone-caregiver" if card.caregiver else "documents.phone-participant")


def phone_card_pdf(card: PhoneCard, issue: Issue) -> bytes:
    """The card as one page of A6 (105 x 148 mm)."""
    return pdf("phone", both("documents.phone-title"), issue, said_on(card))

"""Emergency cards: one sheet for each public number, to be folded, sealed, and opened when nothing else answers.

The rules that must stay true: a card tells no arm to anybody who has not broken its seal and opened its code; every
card of a print has the same parts in the same places, and the file has the same length whatever the cards hold.
What the code opens is made behind the second door; this room only draws it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.documents.sheet import grouped
from equipoise.documents.squares import drawing
from equipoise.documents.typeset import Issue, both, pdf, words
from equipoise.words.text import Text

_WORDS = (
    "documents.card-title",
    "documents.card-number",
    "documents.card-subject",
    "documents.card-code-outside",
    "documents.card-code",
    "documents.card-inside",
    "documents.card-flap",
    "documents.card-rehearsal",
)
_STEPS = (
    "documents.card-step-ask",
    "documents.card-step-seal",
    "documents.card-step-open",
    "documents.card-step-record",
)
FIRST, EACH = 64 * 1024, 32 * 1024
"""Bytes of a file of cards: so many, and so many more for each card, whatever the cards hold."""
_PER_LINE = 28
_END = b"startxref"
_LINE = 100


@dataclass(frozen=True, slots=True)
class EmergencyCard:
    """One card: public number, text of the code outside, the part of it that can be typed, and the code inside."""

    number: str
    text: str
    typed: str
    code: str


def cards_pdf(cards: Sequence[EmergencyCard], arms: Sequence[Text], issue: Issue) -> bytes:
    """The cards, one to a page of A4. `arms`: what each arm is called, in the order in which cards count them."""
    named = Text(
        "; ".join(f"{place} = {arm.en}" for place, arm in enumerate(arms, 1)),
        "；".join(f"{place} = {arm.say('zh')}" for place, arm in enumerate(arms, 1)),
    )
    legend = Text(
        both("documents.card-legend", arms=named.en).en, both("documents.card-legend", arms=named.zh or "").zh
    )
    values = {
        "cards": [
            {
                "number": card.number,
                "typed": [
                    grouped(card.typed[at : at + _PER_LINE], 4) for at in range(0, len(card.typed), _PER_LINE)
                ],
                "code": card.code,
                "qr": drawing(card.text),
            }
            for card in cards
        ],
        "steps": [*(both(step) for step in _STEPS), legend],
        "words": words(_WORDS),
    }
    return padded(pdf("card", both("documents.card-title"), issue, values), FIRST + EACH * len(cards))


def padded(document: bytes, length: int) -> bytes:
    """The document with comments before its last lines, `length` bytes long. Raises ValueError where it is longer.

    Codes are random, so their drawings are packed to different lengths; the length of the file must not follow them.
    """
    at, lacking = document.rindex(_END), length - len(document)
    if lacking < 0:
        raise ValueError(f"a document of {len(document)} bytes does not fit into {length}")
    whole, rest = divmod(lacking, _LINE)
    lines = (b"%" + b" " * (_LINE - 2) + b"\n") * whole + b"\n" * rest
    return document[:at] + lines + document[at:]

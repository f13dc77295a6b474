"""Commands of double entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from equipoise.ledger.entries import Datum

Choice = Literal["FIRST", "SECOND", "NEITHER"]


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """Hand in what one person typed of a form from its paper source, whole. Whoever is first gives the first entry."""

    subject: str
    visit: str
    form: str
    repeat: int
    items: Mapping[str, Datum]


@dataclass(frozen=True, slots=True)
class SettleEntries:
    """Decide what the source says where two entries differ.

    base: the seq of the second entry that the page showed. choices: for each differing item, whose entry it takes;
    items: what it says where that is neither. reasons: why, needed where it is neither.
    """

    subject: str
    visit: str
    form: str
    repeat: int
    base: int
    choices: Mapping[str, Choice]
    items: Mapping[str, Datum] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WithdrawEntries:
    """Let what was typed of a form count for nothing. base: the seq of the latest entry that the page showed."""

    subject: str
    visit: str
    form: str
    repeat: int
    base: int
    reason: str


DoubleCommand: TypeAlias = RecordEntry | SettleEntries | WithdrawEntries

"""What of one participant is verified, reviewed, signed, frozen and locked, folded from the participant's stream.

The rules that must stay true: a signature is broken by the first change of what it stands for, one way, and by the
entry of that change, never by a command of its own; whatever is recorded at a place and is not named here as leaving
it alone is a change. Source: 21 CFR 11.70 (a signature is bound to its record).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, cast

from equipoise.ledger.entries import (
    DataFrozen,
    DataLocked,
    DataUnfrozen,
    DataUnlocked,
    EntriesSettled,
    EntriesWithdrawn,
    Entry,
    FirstEntryRecorded,
    FormReviewed,
    FormsSigned,
    Header,
    ImagingOrdered,
    ItemsVerified,
    QueryAsked,
    QueryRaised,
    Recorded,
    SecondEntryRecorded,
    SpecimenCollected,
    SpecimenMissed,
)
from equipoise.words.canonical import Json

Spot: TypeAlias = tuple[str, str, int]
"""Visit, form, repetition: a form's place. As a scope: form empty for a visit, all empty for the participant."""
Level = Literal["OPEN", "FROZEN", "LOCKED", "DATABASE_LOCKED"]
EVERYTHING: Spot = ("", "", 0)
_NOTHING: Mapping[Any, Any] = MappingProxyType({})
LEAVES_ALONE = (
    QueryAsked,
    QueryRaised,
    ItemsVerified,
    FormReviewed,
    DataFrozen,
    DataUnfrozen,
    DataLocked,
    DataUnlocked,
    SpecimenCollected,
    SpecimenMissed,
    ImagingOrdered,
    # what two persons typed counts only by the save that follows
    FirstEntryRecorded,
    SecondEntryRecorded,
    EntriesSettled,
    EntriesWithdrawn,
)
"""Entries that name a place and change nothing of what is recorded there."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature: the entry, who, as what, when, in which meaning, by what; `shown`: the digest of what was shown.

    broken: seq of the entry that changed what was signed; 0 while it stands.
    """

    seq: int
    by: str
    role: str
    at: str
    meaning: str
    method: str
    shown: str
    broken: int = 0


@dataclass(frozen=True, slots=True)
class Closing:
    """By place: items verified (with the seq of the verification), reviews, signatures; by scope: frozen or locked."""

    verified: Mapping[Spot, Mapping[str, int]] = field(default_factory=lambda: _NOTHING)
    reviewed: Mapping[Spot, int] = field(default_factory=lambda: _NOTHING)
    signed: Mapping[Spot, Signature] = field(default_factory=lambda: _NOTHING)
    casebook: Signature | None = None
    levels: Mapping[Spot, str] = field(default_factory=lambda: _NOTHING)

    def signed_places(self) -> frozenset[Spot]:
        """The places whose signature stands: what an amendment never moves."""
        return frozenset(spot for spot, one in self.signed.items() if not one.broken)


OPEN = Closing()


def evolve(closing: Closing, recorded: Recorded) -> Closing:
    """The state after one more entry of the participant's stream."""
    entry, header = recorded.entry, recorded.header
    match entry:
        case None:
            return closing
        case FormsSigned():
            return _signed(closing, entry, header)
        case ItemsVerified():
            spot = (entry.visit, entry.form, entry.repeat)
            now = {**closing.verified.get(spot, {}), **dict.fromkeys(entry.items, header.seq)}
            agreed = {item: seq for item, seq in now.items() if item not in (entry.undone or ())}
            return replace(closing, verified=_with(closing.verified, spot, MappingProxyType(agreed)))
        case FormReviewed():
            spot = (entry.visit, entry.form, entry.repeat)
            return replace(closing, reviewed=_with(closing.reviewed, spot, header.seq))
        case DataFrozen() | DataLocked():
            level = "FROZEN" if isinstance(entry, DataFrozen) else "LOCKED"
            scope = (entry.visit, entry.form, entry.repeat)
            return replace(closing, levels=_with(closing.levels, scope, level))
        case DataUnfrozen() | DataUnlocked():
            gone = (entry.visit, entry.form, entry.repeat)
            kept = {scope: level for scope, level in closing.levels.items() if scope != gone}
            return replace(closing, levels=MappingProxyType(kept))
        case _:
            return _changed(closing, entry, header.seq)


def _signed(closing: Closing, entry: FormsSigned, header: Header) -> Closing:
    made = {
        (one.visit, one.form, one.repeat): Signature(
            header.seq, header.actor, header.role, header.at, entry.meaning, entry.method, one.shown
        )
        for one in entry.places
    }
    signed = MappingProxyType({**closing.signed, **made})
    whole = next(iter(made.values()), None) if entry.meaning == "CASEBOOK" else None
    return replace(closing, signed=signed, casebook=whole or closing.casebook)


def touches(entry: Entry, spot: Spot) -> bool:
    """Whether an entry changes what stands at a place: the form itself, or the date of the visit that it shows.

    A date of the first occurrence touches every repetition, because a scheduled visit has but one date.
    """
    if isinstance(entry, LEAVES_ALONE) or getattr(entry, "visit", None) != spot[0]:
        return False
    form, repeat = getattr(entry, "form", None), getattr(entry, "repeat", None)
    return (form, repeat) == spot[1:] if form else repeat in {None, 1, spot[2]}


def _changed(closing: Closing, entry: Entry, seq: int) -> Closing:
    """Break the signatures over what an entry changes: its place, or, for a visit's date, every form of the visit."""
    if (
        not (closing.signed or closing.casebook)
        or not hasattr(entry, "visit")
        or isinstance(entry, LEAVES_ALONE)
    ):
        return closing
    whole = closing.casebook
    if whole is not None and not whole.broken:
        whole = replace(whole, broken=seq)
    visit = getattr(entry, "visit", None)  # asked first: of hundreds of places few are of this visit
    hit = [
        spot
        for spot, one in closing.signed.items()
        if spot[0] == visit and not one.broken and touches(entry, spot)
    ]
    signed = {**closing.signed, **{spot: replace(closing.signed[spot], broken=seq) for spot in hit}}
    return replace(closing, signed=MappingProxyType(signed), casebook=whole)


def _with(
    known: Mapping[Spot, Any], spot: Spot, value: object
) -> Mapping[Spot, Any]:  # Any: one of the maps above
    return MappingProxyType({**known, spot: value})


def closing_to_json(closing: Closing) -> Json:
    """The state as lists, so that every order is kept."""
    return {
        "verified": [
            [*spot, [[item, seq] for item, seq in items.items()]] for spot, items in closing.verified.items()
        ],
        "reviewed": [[*spot, seq] for spot, seq in closing.reviewed.items()],
        "signed": [[*spot, *_signature(one)] for spot, one in closing.signed.items()],
        "casebook": None if closing.casebook is None else _signature(closing.casebook),
        "levels": [[*scope, level] for scope, level in closing.levels.items()],
    }


def _signature(one: Signature) -> list[Json]:
    return [one.seq, one.by, one.role, one.at, one.meaning, one.method, one.shown, one.broken]


def closing_from_json(json: Json) -> Closing:
    """The state that `closing_to_json` wrote."""
    written = cast("Mapping[str, Any]", json)  # Any: as written above
    return Closing(
        MappingProxyType(
            {(v, f, r): MappingProxyType(dict(items)) for v, f, r, items in written["verified"]}
        ),
        MappingProxyType({(v, f, r): seq for v, f, r, seq in written["reviewed"]}),
        MappingProxyType({(v, f, r): Signature(*rest) for v, f, r, *rest in written["signed"]}),
        None if written["casebook"] is None else Signature(*written["casebook"]),
        MappingProxyType({(v, f, r): level for v, f, r, level in written["levels"]}),
    )

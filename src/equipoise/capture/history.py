"""The history of one item: every value it ever had, who recorded it, when and why; and of a form's signatures.

A read of the stream.

The rule that must stay true: nothing is kept beside the ledger for this; the old value is the one that the stream
gave before. A save whose body was withheld leaves a gap, never an invented value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from equipoise.capture.closed import OPEN, Signature, Spot
from equipoise.capture.closed import evolve as evolve_closing
from equipoise.capture.evolve import Place, given_by
from equipoise.ledger.entries import Datum, FormSaved, FormsSigned, Header, Recorded


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one item. `header` says who, in which role, when, and where in the chain; `leaf` proves it."""

    item: str
    old: Datum
    new: Datum
    reason: str | None
    header: Header
    leaf: str


def history(
    stream: Iterable[Recorded], visit: str, form: str, repeat: int, item: str | None = None
) -> Iterator[Change]:
    """The changes of an item (or, with None, of every item) of one form instance, oldest first."""
    here = Place(visit, form, repeat)
    return (change for place, change in changes(stream) if place == here and item in (None, change.item))


def changes(stream: Iterable[Recorded]) -> Iterator[tuple[Place, Change]]:
    """The changes of every item of every form, oldest first, each with the form's place."""
    now: dict[tuple[Place, str], Datum] = {}
    for recorded in stream:
        entry = recorded.entry
        if not isinstance(entry, FormSaved):
            continue
        place = Place(entry.visit, entry.form, entry.repeat)
        for name, datum in given_by(entry).items():
            old = now.get((place, name), Datum())
            yield place, Change(name, old, datum, entry.reason or None, recorded.header, recorded.leaf)
            now[place, name] = datum


def signed_before(stream: Iterable[Recorded]) -> Mapping[Spot, list[Signature]]:
    """By place, oldest first, the signatures that a later one took the place of; whether each was broken by then."""
    found: dict[Spot, list[Signature]] = {}
    closing = OPEN
    for recorded in stream:
        stood, closing = closing.signed, evolve_closing(closing, recorded)
        if isinstance(recorded.entry, FormsSigned):
            for spot, one in stood.items():
                if closing.signed[spot] is not one:
                    found.setdefault(spot, []).append(one)
    return found

"""The history of one item: every value it ever had, who recorded it, when and why. A read of the stream.

The rule that must stay true: nothing is kept beside the ledger for this; the old value is the one that the stream
gave before. A save whose body was withheld leaves a gap, never an invented value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from equipoise.capture.evolve import given_by
from equipoise.ledger.entries import Datum, FormSaved, Header, Recorded


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
    now: dict[str, Datum] = {}
    for recorded in stream:
        entry = recorded.entry
        if not isinstance(entry, FormSaved) or (entry.visit, entry.form, entry.repeat) != (
            visit,
            form,
            repeat,
        ):
            continue
        for name, datum in given_by(entry).items():
            if item is None or name == item:
                old = now.get(name, Datum())
                yield Change(name, old, datum, entry.reason or None, recorded.header, recorded.leaf)
            now[name] = datum

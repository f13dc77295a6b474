"""What two persons typed of a form from paper, folded from the participant's stream, until it is settled and after.

The rules that must stay true: what was typed once stands here and nowhere among the values of forms, so nothing that
reads values finds it; a pair that was withdrawn is gone from here, and stays in the stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, cast

from equipoise.capture.closed import Spot
from equipoise.ledger.entries import (
    Datum,
    EntriesSettled,
    EntriesWithdrawn,
    FirstEntryRecorded,
    Header,
    Recorded,
    SecondEntryRecorded,
)
from equipoise.words.canonical import Json

Stage = Literal["FIRST", "DIFFERS", "SETTLED"]
"""One entry is in; both are and differ; they became the form."""
_NOTHING: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Typed:
    """One entry: who typed it, as what, when, the seq of its entry, and every item that was filled in."""

    by: str
    role: str
    at: str
    seq: int
    items: Mapping[str, Datum] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class Settled:
    """How two entries became the form: by whom and when, whose entry each differing item took, and why."""

    by: str
    at: str
    seq: int
    automatic: bool
    choices: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    reasons: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class Pair:
    """The two entries of one form. `version`: the digest of the definition that both are typed under."""

    first: Typed
    version: str
    second: Typed | None = None
    differing: tuple[str, ...] = ()
    settled: Settled | None = None

    @property
    def stage(self) -> Stage:
        """How far it is."""
        if self.settled is not None:
            return "SETTLED"
        return "FIRST" if self.second is None else "DIFFERS"

    @property
    def pending(self) -> bool:
        """Whether it waits for the second entry or for a decision."""
        return self.settled is None

    def typists(self) -> frozenset[str]:
        """Who typed."""
        return frozenset(one.by for one in (self.first, self.second) if one is not None)


Pairs = Mapping[Spot, Pair]


def evolve(pairs: Pairs, recorded: Recorded) -> Pairs:
    """The pairs after one more entry of the participant's stream; the same mapping where nothing of them changed."""
    entry, header = recorded.entry, recorded.header
    if not isinstance(entry, FirstEntryRecorded | SecondEntryRecorded | EntriesSettled | EntriesWithdrawn):
        return pairs
    spot = (entry.visit, entry.form, entry.repeat)
    if isinstance(entry, FirstEntryRecorded):
        pair = Pair(_typed(header, entry.items), header.study_digest)
        return MappingProxyType({**pairs, spot: pair})
    known = pairs.get(spot)
    if known is None:
        return pairs
    if isinstance(entry, EntriesWithdrawn):
        return MappingProxyType({where: pair for where, pair in pairs.items() if where != spot})
    if isinstance(entry, SecondEntryRecorded):
        known = replace(known, second=_typed(header, entry.items), differing=entry.differing)
    else:
        choices = MappingProxyType(dict(entry.choices))
        reasons = MappingProxyType(dict(entry.reasons))
        settled = Settled(header.actor, header.at, header.seq, entry.automatic, choices, reasons)
        known = replace(known, settled=settled)
    return MappingProxyType({**pairs, spot: known})


def _typed(header: Header, items: Mapping[str, Datum]) -> Typed:
    return Typed(header.actor, header.role, header.at, header.seq, MappingProxyType(dict(items)))


def pairs_to_json(pairs: Pairs) -> Json:
    """The pairs as lists, so that their order is kept."""
    return [
        [*spot, pair.version, _typed_to_json(pair.first), _typed_to_json(pair.second), [*pair.differing],
         _settled_to_json(pair.settled)]
        for spot, pair in pairs.items()
    ]  # fmt: skip


def _typed_to_json(one: Typed | None) -> Json:
    if one is None:
        return None
    items: list[Json] = [
        [name, datum.value, datum.missing, datum.why, datum.entered, datum.unit]
        for name, datum in one.items.items()
    ]
    return [one.by, one.role, one.at, one.seq, items]


def _settled_to_json(one: Settled | None) -> Json:
    return (
        None
        if one is None
        else [one.by, one.at, one.seq, one.automatic, dict(one.choices), dict(one.reasons)]
    )


def pairs_from_json(json: Json) -> Pairs:
    """The pairs that `pairs_to_json` wrote."""
    written = cast("list[Any]", json)  # Any: as written above
    return MappingProxyType(
        {
            (visit, form, repeat): Pair(
                cast("Typed", _read_typed(first)), version, _read_typed(second), tuple(differing),
                _read_settled(settled),
            )
            for visit, form, repeat, version, first, second, differing, settled in written
        }
    )  # fmt: skip


def _read_typed(written: Any) -> Typed | None:  # Any: as written above
    if written is None:
        return None
    by, role, at, seq, items = written
    return Typed(by, role, at, seq, MappingProxyType({name: Datum(*datum) for name, *datum in items}))


def _read_settled(written: Any) -> Settled | None:  # Any: as written above
    if written is None:
        return None
    by, at, seq, automatic, choices, reasons = written
    return Settled(by, at, seq, automatic, MappingProxyType(choices), MappingProxyType(reasons))

"""The imaging of one subject, folded from the subject's stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, cast

from equipoise.ledger.entries import (
    Datum,
    ImagesReferenced,
    ImagesRefused,
    ImagingCancelled,
    ImagingOrdered,
    ImagingPerformed,
    ReadingConcluded,
    ReadingDiffered,
    ReadingOpened,
    ReadingScored,
    Recorded,
    SeriesSeen,
)
from equipoise.words.canonical import Json

_NONE: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Read:
    """One read: its number, whose it is, its part (3: the deciding one), and what was scored; empty until then."""

    read: str
    reader: str
    part: int
    items: Mapping[str, Datum] = field(default_factory=lambda: _NONE)


@dataclass(frozen=True, slots=True)
class Order:
    """One imaging. `refused`: what was wrong with the files that were last looked at, `tags` which attributes identify.

    `differs`: items in which two readers differ; `result`: what the central read says.
    """

    order: str
    procedure: str
    visit: str
    due_from: str
    due_by: str
    on: str = ""
    quality: str = ""
    device: str = ""
    deviations: tuple[str, ...] = ()
    cancelled: str = ""
    study_uid: str = ""
    series: tuple[SeriesSeen, ...] = ()
    files: int = 0
    digest: str = ""
    refused: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    reads: tuple[Read, ...] = ()
    differs: tuple[str, ...] = ()
    result: Mapping[str, Datum] = field(default_factory=lambda: _NONE)
    adjudicated: tuple[str, ...] = ()

    def read(self, number: str) -> Read | None:
        """The read of a number, or None."""
        return next((one for one in self.reads if one.read == number), None)


@dataclass(frozen=True, slots=True)
class State:
    """Orders by id, oldest first."""

    orders: Mapping[str, Order] = field(default_factory=lambda: _NONE)

    def of(self, procedure: str, visit: str) -> tuple[Order, ...]:
        """The orders of a procedure at a visit."""
        return tuple(one for one in self.orders.values() if (one.procedure, one.visit) == (procedure, visit))


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the subject's stream."""
    entry = recorded.entry
    if isinstance(entry, ImagingOrdered):
        made = Order(entry.order, entry.procedure, entry.visit, entry.due_from, entry.due_by)
        return State(MappingProxyType({**state.orders, entry.order: made}))
    if not isinstance(entry, _OF_ORDERS) or entry.order not in state.orders:
        return state
    changed = _changed(state.orders[entry.order], entry)
    return State(MappingProxyType({**state.orders, entry.order: changed}))


_OF_ORDERS = (
    ImagingPerformed,
    ImagingCancelled,
    ImagesReferenced,
    ImagesRefused,
    ReadingOpened,
    ReadingScored,
    ReadingDiffered,
    ReadingConcluded,
)


def _changed(order: Order, entry: object) -> Order:
    match entry:
        case ImagingPerformed():
            return replace(
                order,
                on=entry.on,
                quality=entry.quality,
                device=entry.device,
                deviations=tuple(entry.deviations),
            )
        case ImagingCancelled():
            return replace(order, cancelled=entry.reason or "–")
        case ImagesReferenced():
            return replace(
                order, study_uid=entry.study_uid, series=tuple(entry.series), files=entry.files, digest=entry.digest,
                refused=(), tags=(),
            )  # fmt: skip
        case ImagesRefused():
            return replace(order, refused=tuple(entry.because), tags=tuple(entry.tags))
        case ReadingOpened():
            given = tuple(Read(one.read, one.reader, one.part) for one in entry.reads)
            return replace(order, reads=(*order.reads, *given))
        case ReadingScored():
            scored = tuple(
                replace(one, items=entry.items) if one.read == entry.read else one for one in order.reads
            )
            return replace(order, reads=scored)
        case ReadingDiffered():
            return replace(order, differs=tuple(entry.items))
        case ReadingConcluded():
            return replace(order, result=entry.items, adjudicated=tuple(entry.adjudicated))
        case _:
            return order


def state_to_json(state: State) -> Json:
    """For a disposable snapshot."""
    return [_plain(one) for one in state.orders.values()]


def _plain(order: Order) -> Json:
    written: dict[str, Any] = {
        each.name: getattr(order, each.name) for each in fields(order)
    }  # Any: as its fields
    for name in ("deviations", "refused", "tags", "differs", "adjudicated"):
        written[name] = list(written[name])
    written["series"] = [[one.uid, one.modality, one.images] for one in order.series]
    written["reads"] = [[one.read, one.reader, one.part, _data(one.items)] for one in order.reads]
    written["result"] = _data(order.result)
    return written


def _data(items: Mapping[str, Datum]) -> list[list[str | None]]:
    return [[name, one.value, one.missing, one.why] for name, one in items.items()]


def state_from_json(json: Json) -> State:
    """The state that `state_to_json` wrote."""
    read = [_read(one) for one in cast("list[dict[str, Any]]", json)]  # Any: as written above
    return State(MappingProxyType({one.order: one for one in read}))


def _read(json: dict[str, Any]) -> Order:  # Any: as written above
    for name in ("deviations", "refused", "tags", "differs", "adjudicated"):
        json[name] = tuple(json[name])
    json["series"] = tuple(SeriesSeen(*one) for one in json["series"])
    json["reads"] = tuple(
        Read(read, reader, part, _items(items)) for read, reader, part, items in json["reads"]
    )
    return Order(**{**json, "result": _items(json["result"])})


def _items(json: list[list[Any]]) -> Mapping[str, Datum]:  # Any: as written above
    return MappingProxyType({name: Datum(*rest) for name, *rest in json})

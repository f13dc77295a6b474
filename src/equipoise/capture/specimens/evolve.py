"""The specimens of one subject, and one shipment, each folded from its stream.

The rules that must stay true: a tube's number is never given twice, voided or not; what a laboratory reported stays,
report by report; nothing here is a value that could tell an arm at the first door, because none is ever written there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any, cast

from equipoise.ledger.entries import (
    AliquotEnded,
    AliquotMoved,
    AliquotsMade,
    Recorded,
    Reported,
    ResultsReported,
    ShipmentDispatched,
    SpecimenCollected,
    SpecimenMissed,
    SpecimenProcessed,
    SpecimenShipmentReceived,
    SpecimenVoided,
)
from equipoise.words.canonical import Json

_NONE: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Tube:
    """One tube. Moments are UTC. `voided`: why it is not to be used; `processed`: whether the times were recorded."""

    specimen: str
    kit: str
    visit: str
    at: str
    fasting: str
    by: str
    deviations: tuple[str, ...] = ()
    note: str = ""
    voided: str = ""
    processed: bool = False
    spun_at: str = ""
    frozen_at: str = ""
    haemolysis: str = ""
    late: tuple[str, ...] = ()
    aliquots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Aliquot:
    """One aliquot: where it lies, how often it was thawed, and how it ended."""

    aliquot: str
    specimen: str
    volume: str
    storage: str
    place: str = ""
    thaws: int = 0
    ended: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """Tubes and aliquots by number, what was missed by (kit, visit), and the last report of each (tube, test)."""

    tubes: Mapping[str, Tube] = field(default_factory=lambda: _NONE)
    aliquots: Mapping[str, Aliquot] = field(default_factory=lambda: _NONE)
    missed: Mapping[tuple[str, str], str] = field(default_factory=lambda: _NONE)
    reported: Mapping[tuple[str, str], Reported] = field(default_factory=lambda: _NONE)

    def current(self, kit: str, visit: str) -> Tube | None:
        """The tube of a kit at a visit that is in use."""
        return next(
            (one for one in self.tubes.values() if (one.kit, one.visit) == (kit, visit) and not one.voided),
            None,
        )


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the subject's stream."""
    entry = recorded.entry
    match entry:
        case SpecimenCollected():
            made = Tube(
                entry.specimen, entry.kit, entry.visit, entry.at, entry.fasting, recorded.header.actor,
                tuple(entry.deviations), entry.note,
            )  # fmt: skip
            return replace(state, tubes=_with(state.tubes, entry.specimen, made))
        case SpecimenMissed():
            return replace(state, missed=_with(state.missed, (entry.kit, entry.visit), entry.because))
        case SpecimenVoided() if entry.specimen in state.tubes:
            return _tube(state, entry.specimen, voided=entry.reason or "–")
        case SpecimenProcessed() if entry.specimen in state.tubes:
            return _tube(
                state, entry.specimen, processed=True, spun_at=entry.spun_at, frozen_at=entry.frozen_at,
                haemolysis=entry.haemolysis, late=tuple(entry.deviations),
            )  # fmt: skip
        case ResultsReported():
            found = {(entry.specimen, test): result for test, result in entry.results.items()}
            return replace(state, reported=MappingProxyType({**state.reported, **found}))
        case _:
            return _aliquots(state, recorded)


def _aliquots(state: State, recorded: Recorded) -> State:
    entry = recorded.entry
    match entry:
        case AliquotsMade() if entry.specimen in state.tubes:
            made = {
                one: Aliquot(one, entry.specimen, entry.volume, entry.storage, entry.place)
                for one in entry.aliquots
            }
            known = state.tubes[entry.specimen].aliquots
            after = _tube(state, entry.specimen, aliquots=(*known, *entry.aliquots))
            return replace(after, aliquots=MappingProxyType({**state.aliquots, **made}))
        case AliquotMoved() if entry.aliquot in state.aliquots:
            one = state.aliquots[entry.aliquot]
            moved = replace(
                one, storage=entry.storage, place=entry.place, thaws=one.thaws + int(entry.thawed)
            )
            return replace(state, aliquots=_with(state.aliquots, entry.aliquot, moved))
        case AliquotEnded() if entry.aliquot in state.aliquots:
            ended = replace(state.aliquots[entry.aliquot], ended=entry.because)
            return replace(state, aliquots=_with(state.aliquots, entry.aliquot, ended))
        case _:
            return state


def _with(known: Mapping[Any, Any], key: object, value: object) -> Mapping[Any, Any]:  # Any: each its own
    return MappingProxyType({**known, key: value})


def _tube(state: State, specimen: str, **changes: Any) -> State:  # Any: as dataclasses.replace
    return replace(state, tubes=_with(state.tubes, specimen, replace(state.tubes[specimen], **changes)))


def state_to_json(state: State) -> Json:
    """For a disposable snapshot."""
    return {
        "tubes": [_plain(one) for one in state.tubes.values()],
        "aliquots": [_plain(one) for one in state.aliquots.values()],
        "missed": [[*key, why] for key, why in state.missed.items()],
        "reported": [
            [*key, one.value, one.unit, one.below, one.above] for key, one in state.reported.items()
        ],
    }


def state_from_json(json: Json) -> State:
    """The state that `state_to_json` wrote."""
    read = cast("Mapping[str, Any]", json)  # Any: as written above
    tubes = [_read_tube(one) for one in read["tubes"]]
    aliquots = [Aliquot(**one) for one in read["aliquots"]]
    return State(
        MappingProxyType({one.specimen: one for one in tubes}),
        MappingProxyType({one.aliquot: one for one in aliquots}),
        MappingProxyType({(kit, visit): why for kit, visit, why in read["missed"]}),
        MappingProxyType({(tube, test): Reported(*rest) for tube, test, *rest in read["reported"]}),
    )


def _plain(one: Tube | Aliquot) -> Json:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(one).items()}


def _read_tube(json: Mapping[str, Any]) -> Tube:  # Any: as written above
    lists = {name: tuple(json[name]) for name in ("deviations", "late", "aliquots")}
    return Tube(**{**json, **lists})


# --- one shipment -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shipment:
    """One shipment: what was sent, and what arrived."""

    sent: ShipmentDispatched | None = None
    received: SpecimenShipmentReceived | None = None


NO_SHIPMENT = Shipment()


def evolve_shipment(state: Shipment, recorded: Recorded) -> Shipment:
    """The state after one more entry of the shipment's stream."""
    match recorded.entry:
        case ShipmentDispatched() as sent:
            return replace(state, sent=sent)
        case SpecimenShipmentReceived() as received:
            return replace(state, received=received)
        case _:
            return state

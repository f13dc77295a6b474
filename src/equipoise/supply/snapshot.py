"""The state of supply as canonical JSON and back, for disposable snapshots.

The rule that must stay true: reading what was written gives the same state, in the same order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from equipoise.supply.evolve import Bag, Judged, Request, State
from equipoise.words.canonical import Json


def state_to_json(state: State) -> Json:
    """The requests as a list, so that their order is kept."""
    return [_request(one) for one in state.requests.values()]


def state_from_json(json: Json) -> State:
    """The state that `state_to_json` wrote."""
    read = [_read_request(one) for one in cast("list[Mapping[str, Any]]", json)]  # Any: as written above
    return State(MappingProxyType({one.request: one for one in read}))


def _request(one: Request) -> Json:
    written: dict[str, Any] = {
        field.name: getattr(one, field.name) for field in dataclasses.fields(one)
    }  # Any: as above
    written["bags"] = [dataclasses.asdict(bag) for bag in one.bags]
    written["release"] = _judged(one.release)
    written["bedside"] = _judged(one.bedside)
    written["pauses"] = [list(pause) for pause in one.pauses]
    for name in ("held", "accepted", "wrong"):
        written[name] = list(written[name])
    return written


def _judged(judged: Judged | None) -> Json:
    if judged is None:
        return None
    written: dict[str, Any] = {
        field.name: getattr(judged, field.name) for field in dataclasses.fields(judged)
    }  # Any: as above
    written["results"] = [[name, letter] for name, letter in judged.results.items()]
    written["reasons"] = [[name, why] for name, why in judged.reasons.items()]
    return written


def _read_request(json: Mapping[str, Any]) -> Request:  # Any: as written above
    read = dict(json)
    read["bags"] = tuple(Bag(**bag) for bag in read["bags"])
    read["release"] = _read_judged(read["release"])
    read["bedside"] = _read_judged(read["bedside"])
    read["pauses"] = tuple((begun, over) for begun, over in read["pauses"])
    for name in ("held", "accepted", "wrong"):
        read[name] = tuple(read[name])
    return Request(**read)


def _read_judged(json: Mapping[str, Any] | None) -> Judged | None:  # Any: as written above
    if json is None:
        return None
    return Judged(**{**json, "results": dict(json["results"]), "reasons": dict(json["reasons"])})

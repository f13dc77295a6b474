"""The state of capture as canonical JSON and back, for disposable snapshots.

The rule that must stay true: reading what was written gives the same state, in the same order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from equipoise.capture.closed import closing_from_json, closing_to_json
from equipoise.capture.entered import pairs_from_json, pairs_to_json
from equipoise.capture.evolve import (
    Instance,
    Miss,
    Omission,
    Place,
    Query,
    Review,
    Said,
    State,
    VisitDate,
    Voiding,
)
from equipoise.ledger.entries import Datum
from equipoise.words.canonical import Json


def state_to_json(state: State) -> Json:
    """The state as lists, so that the order of forms, dates and queries is kept."""
    return {
        "forms": [[*place, _instance(instance)] for place, instance in state.forms.items()],
        "dates": [[*place, *dataclasses.astuple(dated)] for place, dated in state.dates.items()],
        "missed": [[*place, *dataclasses.astuple(miss)] for place, miss in state.missed.items()],
        "queries": [_query(query) for query in state.queries.values()],
        "closing": closing_to_json(state.closing),
        "reviews": [
            [*place, one.outcome, list(one.rows), one.at, one.by, one.seq]
            for place, one in state.reviews.items()
        ],
        "voided": [[*place, one.reason, one.at, one.by] for place, one in state.voided.items()],
        "pairs": pairs_to_json(state.pairs),
    }


def state_from_json(json: Json) -> State:
    """The state that `state_to_json` wrote."""
    written = cast("Mapping[str, Any]", json)  # Any: as written above
    return State(
        MappingProxyType({Place(*place): _read_instance(saved) for *place, saved in written["forms"]}),
        MappingProxyType({(visit, repeat): VisitDate(*dated) for visit, repeat, *dated in written["dates"]}),
        MappingProxyType({query["id"]: _read_query(query) for query in written["queries"]}),
        closing_from_json(written["closing"]),
        MappingProxyType({(visit, repeat): Miss(*miss) for visit, repeat, *miss in written["missed"]}),
        MappingProxyType(
            {
                Place(visit, form, repeat): Review(outcome, tuple(rows), at, by, seq)
                for visit, form, repeat, outcome, rows, at, by, seq in written["reviews"]
            }
        ),
        MappingProxyType(
            {
                Place(visit, form, repeat): Voiding(reason, at, by)
                for visit, form, repeat, reason, at, by in written["voided"]
            }
        ),
        pairs_from_json(written["pairs"]),
    )


def _data(data: Mapping[str, Datum]) -> Json:
    return [
        [name, datum.value, datum.missing, datum.why, datum.entered, datum.unit]
        for name, datum in data.items()
    ]


def _read_data(written: list[Any]) -> Mapping[str, Datum]:
    return MappingProxyType({name: Datum(*datum) for name, *datum in written})


def _instance(instance: Instance) -> Json:
    return {
        "values": _data(instance.values),
        "derived": _data(instance.derived),
        "changed": [[item, seq] for item, seq in instance.changed.items()],
        "complete": instance.complete,
        "ever_complete": instance.ever_complete,
        "seq": instance.seq,
        "version": instance.version,
        "omitted": None
        if (said := instance.omitted) is None
        else [said.missing, said.reason, said.at, said.by],
        "copied": dict(instance.copied),
    }


def _read_instance(written: Mapping[str, Any]) -> Instance:
    return Instance(
        _read_data(written["values"]),
        _read_data(written["derived"]),
        MappingProxyType(dict(written["changed"])),
        written["complete"],
        written["ever_complete"],
        written["seq"],
        written["version"],
        None if written["omitted"] is None else Omission(*written["omitted"]),
        MappingProxyType(dict(written["copied"])),
    )


def _query(query: Query) -> Json:
    return {
        "id": query.id,
        "place": list(query.place),
        "item": query.item,
        "rule": query.rule,
        "message": dict(query.message),
        "raised_at": query.raised_at,
        "raised_by": query.raised_by,
        "state": query.state,
        "answer": query.answer,
        "automatic": query.automatic,
        "raised_role": query.raised_role,
        "thread": [[said.act, said.by, said.role, said.at, said.text] for said in query.thread],
    }


def _read_query(written: Mapping[str, Any]) -> Query:
    read = {
        "place": Place(*written["place"]),
        "message": MappingProxyType(written["message"]),
        "thread": tuple(Said(*said) for said in written["thread"]),
    }
    return Query(**{**written, **read})

"""What the collection of a tube says on a form: date, time and number, where the form has items for them.

The rules that must stay true: a tube is recorded whatever a form says; only empty, open items are filled, by the same
judgement as if they had been typed; where that judgement is against it, the form stays as it is.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from equipoise.capture import decide as capture
from equipoise.capture import evolve as captured
from equipoise.capture.commands import RecordForm
from equipoise.ledger.entries import Append, Datum, SpecimenCollected
from equipoise.ledger.facts import Facts, Occasion, Refusal
from equipoise.protocol.study import Study


def filled(
    study: Study,
    state: captured.State,
    facts: Facts,
    subject: str,
    tube: SpecimenCollected,
    occasion: Occasion,
) -> tuple[Append, ...]:
    """The entries that fill in the form of a kit, none where there is nothing to fill or it cannot be."""
    kit = study.specimens.kit(tube.kit)
    fills = kit.fills if kit is not None else None
    form = study.form(fills.form) if fills is not None else None
    if fills is None or form is None:
        return ()
    at = dt.datetime.fromisoformat(tube.at).astimezone(ZoneInfo(occasion.zone))
    said = {fills.date: f"{at:%Y-%m-%d}", fills.time: f"{at:%H:%M}", fills.accession: tube.specimen}
    place = captured.Place(tube.visit, form.id, 1)
    before = state.form(place)
    open_items = {item.id for item in form.items if item.blinding == "open"}
    items = {
        name: Datum(value)
        for name, value in said.items()
        if name is not None and name in open_items and name not in before.values
    }
    if not items:
        return ()
    command = RecordForm(subject, *place, items, before.seq, reason=tube.specimen)
    decided = capture.decide(study, state, facts, command, occasion)
    return () if isinstance(decided, Refusal) else decided

"""EC, exposure as collected: one row for each planned dose that was given or left out, from the record of the dose.

The rules that must stay true: when, which bag, how much of it and why not come from the entries made where the dose was
given, and from nowhere else (docs/decisions/0025); a form at the visit of the dose adds what only it asks, on the same
row; a form without a dose keeps a row of its own, so that nothing that was recorded is lost. Nothing here knows what
was in a bag. Source: CDISC SDTMIG 3.4, EC.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from equipoise.ledger.entries import Entry, InfusionEnded, InfusionInterrupted, PreparationRequested
from equipoise.protocol.exposure import EXPOSURE, RECORDED
from equipoise.protocol.study import Dose, Study
from equipoise.standards.dataset import Column
from equipoise.standards.sdtm_casebook import Casebook
from equipoise.standards.sdtm_events import Group, event_columns, event_row, groups
from equipoise.standards.sdtm_rows import Row
from equipoise.supply.evolve import DOSE_ENTRIES, START, Request, evolve, whole_minutes

_UNIT = Column("ECDOSU", "Dose Units")


def exposure_columns(study: Study) -> tuple[Column, ...]:
    """The columns of EC in a study: identifiers, what the record of a dose says, what forms add."""
    asked = event_columns(study, EXPOSURE)
    own = {column.name: column for column in asked}
    recorded = [Column(name, label) for name, label in RECORDED.items() if name not in own]
    unit = [_UNIT] if "ECDOSE" in own and _UNIT.name not in own else []
    place = next(n for n, column in enumerate(asked) if column.name == "ECCAT") + 1
    end = next(n for n, column in enumerate(asked) if column.name == "ECSTAT")
    middle = sorted((*asked[place:end], *recorded, *unit), key=lambda column: column.name)
    return (*asked[:place], *middle, *asked[end:])


def exposure_rows(book: Casebook) -> Iterator[Row]:
    """The rows of a subject: the doses in their planned order, then forms that no dose answers to."""
    course = _course(book)
    forms = [(one, group) for one in book.instances for group in groups(one, EXPOSURE)]
    joined: list[Group] = []
    for dose in book.study.supply.doses:
        for one in course.requests.values():
            if one.infusion != dose.id or not (one.started_at or one.stage == "OMITTED"):
                continue
            row, seq = _given(book, dose, one, course), course.seqs[one.request]
            for form, group in forms:
                if one.started_at and form.visit == dose.visit and group.term == row["ECTRT"]:
                    added = {**(event_row(book, form, group, EXPOSURE) or {}), **_unit(group)}
                    row = {**added, **row}
                    seq = max(seq, *(held.seq for _, _, held in group.held))
                    joined.append(group)
            yield {**row, "EQLEDGER": book.reference(seq)}
    for form, group in forms:
        left = None if any(each is group for each in joined) else event_row(book, form, group, EXPOSURE)
        if left is not None:
            yield {**left, **_unit(group)}


@dataclass(slots=True)
class _Course:
    """A subject's doses, the last entry that shaped each, and the reasons in words: request -> what was said."""

    requests: Mapping[str, Request] = field(default_factory=dict)
    seqs: dict[str, int] = field(default_factory=dict)
    paused: dict[str, list[str]] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)


def _course(book: Casebook) -> _Course:
    state, found = START, _Course()
    for recorded in book.entries:
        entry: Entry | None = recorded.entry
        state = evolve(state, recorded)
        if isinstance(entry, PreparationRequested) or type(entry) in DOSE_ENTRIES:
            found.seqs[str(getattr(entry, "request", ""))] = recorded.header.seq
        if isinstance(entry, InfusionInterrupted) and entry.reason:
            found.paused.setdefault(entry.request, []).append(entry.reason)
        if isinstance(entry, InfusionEnded):
            found.stopped[entry.request] = entry.reason
    found.requests = state.requests
    return found


def _given(book: Casebook, dose: Dose, one: Request, course: _Course) -> Row:
    row: Row = {
        "USUBJID": book.usubjid,
        "ECSPID": dose.id,
        "ECTRT": book.study.supply.treatment,
        "ECPRESP": "Y",
        "ECOCCUR": "Y" if one.started_at else "N",
        "ECWT": one.weight,
    }
    if not one.started_at:
        return {**row, "ECREASOC": one.decided_because}
    bag = one.known_bag(one.given)
    row |= {
        "ECSTDTC": _local(book, one.started_at),
        "ECREFID": one.given,
        "ECTWO": _said(bag is not None and bool(bag.checked_by and bag.second)),
        "ECRECHK": _said(one.bedside is not None and one.bedside.decision == "GO"),
        "ECINTP": _said(bool(one.pauses)),
        "ECINTRSN": "; ".join(course.paused.get(one.request, ())),
    }
    if one.ended_at:
        row |= {
            "ECENDTC": _local(book, one.ended_at),
            "ECMIN": str(whole_minutes(one.started_at, one.ended_at)),
            "ECCOMPL": one.outcome,
            "ECSHARE": one.share,
            "ECADJ": course.stopped.get(one.request, ""),
        }
        if one.pauses:
            row["ECINTMIN"] = str(sum(whole_minutes(begun, over) for begun, over in one.pauses))
    return row


def _unit(group: Group) -> Row:
    """The unit of the dose, from the item that holds it."""
    unit = next((item.unit for item, variable, _ in group.held if variable == "ECDOSE"), None)
    return {_UNIT.name: unit} if unit else {}


def _local(book: Casebook, moment: str) -> str:
    """A moment as the clock at the site showed it, to the minute: ISO without an offset, as forms have it."""
    zone = ZoneInfo(book.study.zone_of(book.site))
    return dt.datetime.fromisoformat(moment).astimezone(zone).strftime("%Y-%m-%dT%H:%M")


def _said(truth: bool) -> str:  # noqa: FBT001 (one truth in, its letter out)
    return "Y" if truth else "N"

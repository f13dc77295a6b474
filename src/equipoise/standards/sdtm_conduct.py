"""SDTM SV and DV: which visits took place, which did not and why; and what departed from the protocol.

The rules that must stay true: one row of SV for each visit number; a planned visit that was neither held nor recorded
as missed has no row, because nothing is known of it; a deviation that was withdrawn is nowhere.
Source: CDISC SDTMIG 3.4, SV (SVPRESP and SVOCCUR of planned visits only) and DV.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from equipoise.ledger.entries import Recorded, VisitDated, VisitDescribed, VisitMissed
from equipoise.oversight.deviations import MANUAL, START, Deviation, State, evolve
from equipoise.protocol.study import Study, Visit
from equipoise.standards.dataset import Cell, Column
from equipoise.standards.sdtm_casebook import Casebook
from equipoise.standards.sdtm_rows import LEDGER, Row

SV_COLUMNS = (
    Column("STUDYID", "Study Identifier", key=1),
    Column("DOMAIN", "Domain Abbreviation"),
    Column("USUBJID", "Unique Subject Identifier", key=2),
    Column("VISITNUM", "Visit Number", "integer", key=3),
    Column("VISIT", "Visit Name"),
    Column("SVPRESP", "Pre-specified"),
    Column("SVOCCUR", "Occurrence"),
    Column("SVREASOC", "Reason for Occur Value"),
    Column("SVCNTMOD", "Contact Mode"),
    Column("VISITDY", "Planned Study Day of Visit", "integer"),
    Column("SVSTDTC", "Start Date/Time of Visit"),
    Column("SVENDTC", "End Date/Time of Visit"),
    Column("SVUPDES", "Description of Unplanned Visit"),
    LEDGER,
)
DV_COLUMNS = (
    Column("STUDYID", "Study Identifier", key=1),
    Column("DOMAIN", "Domain Abbreviation"),
    Column("USUBJID", "Unique Subject Identifier", key=2),
    Column("DVSEQ", "Sequence Number", "integer"),
    Column("DVSPID", "Sponsor-Defined Identifier", key=5),
    Column("DVTERM", "Protocol Deviation Term", key=3),
    Column("DVDECOD", "Protocol Deviation Coded Term"),
    Column("DVCAT", "Category for Protocol Deviation"),
    Column("EPOCH", "Epoch"),
    Column("DVSTDTC", "Start Date/Time of Deviation", key=4),
    Column("EQIMPORT", "Important Protocol Deviation"),
    LEDGER,
)
"""EQIMPORT: whether it is held to be important (ICH E3 10.2); empty while nobody classed it. DVCAT: its severity."""
_CONTACT: Mapping[str, str] = {
    "clinic": "IN PERSON",
    "inpatient": "IN PERSON",
    "home": "HOME VISIT",
    "phone": "TELEPHONE CALL",
    "remote": "REMOTE AUDIO VIDEO",
}
"""Contact mode by the way a visit was held. Source: CDISC controlled terminology, CNTMODE."""


def visit_number(study: Study, visit: str, repeat: int) -> Cell:
    """VISITNUM: place in the schedule from 1; a further unscheduled visit counts in hundredths. None: not in it."""
    visits = study.schedule.visits
    place = next((place for place, one in enumerate(visits, start=1) if one.id == visit), None)
    if place is None or not visits[place - 1].unscheduled or repeat == 1:
        return place
    return Decimal(place) + Decimal(repeat) / 100


def visit_name(study: Study, visit: str) -> str:
    """VISIT: the visit's name; the id of one that an amendment took out of the schedule."""
    planned = study.visit(visit)
    return planned.label.en.upper() if planned is not None else visit


def epoch_of(study: Study, visit: str) -> str | None:
    """EPOCH of a visit; None of an unscheduled one, whose place in the schedule does not say which."""
    planned = study.visit(visit)
    if planned is None or planned.unscheduled:
        return None
    return next((one.label.en.upper() for one in study.schedule.epochs if one.id == planned.epoch), None)


def visits_held(book: Casebook) -> Iterator[Row]:
    """The SV rows of a subject, in the order of VISITNUM."""
    state = book.capture
    seqs = {place: recorded.header.seq for recorded, place in _visit_entries(book)}
    places = sorted({*state.dates, *state.missed}, key=lambda one: _order(book.study, one))
    for visit_id, repeat in places:
        visit = book.study.visit(visit_id)
        date, miss = state.dates.get((visit_id, repeat)), state.missed.get((visit_id, repeat))
        row: Row = {
            "USUBJID": book.usubjid,
            "VISITNUM": visit_number(book.study, visit_id, repeat),
            "VISIT": visit_name(book.study, visit_id),
            "VISITDY": visit.day if visit else None,
            "EQLEDGER": book.reference(seqs[visit_id, repeat]),
        }
        if visit is not None and visit.day is not None:
            row |= {"SVPRESP": "Y", "SVOCCUR": "N" if miss else "Y"}
        if miss is not None:
            row["SVREASOC"] = miss.because
        elif date is not None:
            row |= {"SVSTDTC": date.on, "SVENDTC": date.on, "SVCNTMOD": _mode(visit, date.mode)}
            if visit is None or visit.day is None:
                row["SVUPDES"] = date.because or None
        yield row


def deviations(book: Casebook) -> Iterator[Row]:
    """The DV rows of a subject, in the order in which they were raised."""
    state: State = START
    seqs: dict[str, int] = {}
    for recorded in book.entries:
        state = evolve(state, recorded)
        named = str(getattr(recorded.entry, "deviation", ""))
        if named:
            seqs[named] = recorded.header.seq
    for one in state.standing:
        yield {
            "USUBJID": book.usubjid,
            "DVSPID": one.id,
            "DVTERM": _term(book.study, one),
            "DVDECOD": _kind(book.study, one),
            "DVCAT": one.severity or None,
            "EPOCH": epoch_of(book.study, one.visit),
            "DVSTDTC": one.on or None,
            "EQIMPORT": None if not one.severity else "Y" if one.important else "N",
            "EQLEDGER": book.reference(seqs[one.id]),
        }


def _visit_entries(book: Casebook) -> Iterator[tuple[Recorded, tuple[str, int]]]:
    for recorded in book.entries:
        entry = recorded.entry
        if isinstance(entry, VisitDated | VisitDescribed):
            yield recorded, (entry.visit, entry.repeat)
        elif isinstance(entry, VisitMissed):
            yield recorded, (entry.visit, 1)


def _order(study: Study, place: tuple[str, int]) -> tuple[int, str, int]:
    visits = [visit.id for visit in study.schedule.visits]
    return (visits.index(place[0]) if place[0] in visits else len(visits), *place)


def _mode(visit: Visit | None, told: str) -> str | None:
    """How it was held: as somebody said, or else as it is planned."""
    return _CONTACT.get(told or (visit.mode if visit is not None else ""))


def _term(study: Study, one: Deviation) -> str:
    rule = next((rule for rule in study.deviations if rule.id == one.rule), None)
    label = rule.label.en if rule is not None else one.rule
    said = one.text if one.rule == MANUAL or not label else label
    if rule is not None and one.matter and rule.kind in ("CONSENT_ABSENT", "LATE_ENTRY", "SPECIMEN_HANDLING"):
        said = f"{said}: {one.matter}"
    return f"{said} ({abs(one.days)} days {'late' if one.days > 0 else 'early'})" if one.days else said


def _kind(study: Study, one: Deviation) -> str | None:
    rule = next((rule for rule in study.deviations if rule.id == one.rule), None)
    return rule.kind.replace("_", " ") if rule is not None else None

"""SDTM QS of the diary: one row for each answer of a reported entry, with who answered.

The rules that must stay true: what the participant answered and what a caregiver saw are never one: QSEVAL says whose
word a row is, and EQREPORT how it came about; of a side's entries for one period the one begun first is reported, and
no further one makes a row; answers that the site changed on request are the rows, and the note says so.
Source: CDISC SDTMIG 3.4, QS; CDISC controlled terminology, EVAL (STUDY SUBJECT, CAREGIVER).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

from equipoise.diary.evolve import START, Made, evolve, kinds, side_of
from equipoise.diary.paper import card_of
from equipoise.ledger.entries import Datum, DiaryInterviewRecorded
from equipoise.protocol.diary import DiaryItem
from equipoise.protocol.study import Study
from equipoise.standards.dataset import Column
from equipoise.standards.sdtm_casebook import Casebook, reference_of
from equipoise.standards.sdtm_findings import finding_columns
from equipoise.standards.sdtm_rows import NOTE, Row

DIARY = "QS"
REPORT = Column("EQREPORT", "Who Answered, and How")
"""Non-standard variable: PARTICIPANT, ASSISTED (with help in tapping) or CAREGIVER; INTERVIEW or PAPER where the site
asked, which makes rows only where that side has no entry for the period; PAPER is what two people typed alike."""
LATE = Column("EQLATE", "Arrived After the Window Closed")
_EVALUATORS = {"PARTICIPANT": "STUDY SUBJECT", "CAREGIVER": "CAREGIVER"}
_REASONS = {"PREFER_NOT": "PREFERRED NOT TO SAY", "CANNOT_TELL": "COULD NOT TELL"}
_YES_NO = {"Y": "Yes", "N": "No"}


def diary_columns(study: Study) -> tuple[Column, ...]:
    """The columns of QS in a study with a diary: those of its forms, units, and who answered."""
    columns = list(finding_columns(study, DIARY))
    names = [column.name for column in columns]
    for name, label, after in (
        ("QSORRESU", "Original Units", "QSORRES"),
        ("QSSTRESU", "Standard Units", "QSSTRESN"),
    ):
        if name not in names:
            place = [column.name for column in columns].index(after) + 1
            columns.insert(place, Column(name, label))
    place = columns.index(NOTE)
    return (*columns[:place], REPORT, LATE, *columns[place:])


def diary_rows(book: Casebook) -> Iterator[Row]:
    """The rows of a subject's diary: reported entries by when they were begun, then what was asked in interviews."""
    state = reduce(evolve, book.diary, START)
    for made in state.reported():
        yield from _answers(book, made.entry.form, made.answers, _entered(book, made))
    for recorded in kinds(state, DiaryInterviewRecorded):
        entry = recorded.entry
        if not isinstance(entry, DiaryInterviewRecorded):
            continue
        card = card_of(state, entry)
        if card is not None and card.counts is not entry:
            continue
        if not (entry.period and state.entries(entry.form, entry.period, entry.reporter)):
            shared = _asked(book, entry, recorded.header.seq)
            yield from _answers(book, entry.form, entry.answers, shared)


def _answers(book: Casebook, name: str, answers: Mapping[str, Datum], shared: Row) -> Iterator[Row]:
    """A row for each answer of a form, in the form's order."""
    form = book.study.diary.form(name)
    asked = {item.id: item for item in book.study.diary.items(form)} if form is not None else {}
    order = list(asked)
    interval: Row = {"QSEVLINT": f"-P{form.cadence.days}D"} if form is not None and form.cadence else {}
    for item, datum in sorted(answers.items(), key=lambda one: _place(order, one[0])):
        for row in _of_item(asked.get(item), item, datum):
            yield {**shared, **interval, **row}


def _place(order: Sequence[str], name: str) -> tuple[int, str]:
    return (order.index(name) if name in order else len(order), name)


def _shared(book: Casebook, name: str, side: str, at: str, seq: int) -> Row:
    return {
        "USUBJID": book.usubjid,
        "QSCAT": book.study.diary.category,
        "QSSPID": f"{name}/{side}",
        "QSEVAL": _EVALUATORS[side],
        "QSDTC": book.clock(at),
        "EQLEDGER": reference_of(book.diary[0].header.stream, seq),
    }


def _entered(book: Casebook, made: Made) -> Row:
    entry = made.entry
    name = f"{entry.form}/{entry.period or entry.packet}"
    return _shared(book, name, side_of(entry.reporter), entry.submitted, made.seq) | {
        "EQREPORT": entry.reporter,
        "EQLATE": "Y" if entry.late else None,
        "EQNOTE": "changed on request" if made.changes else None,
    }


def _asked(book: Casebook, entry: DiaryInterviewRecorded, seq: int) -> Row:
    name = f"{entry.form}/{entry.period or entry.interview}"
    how: Row = {"EQREPORT": "PAPER" if entry.on_paper else "INTERVIEW"}
    return _shared(book, name, entry.reporter, entry.asked_at, seq) | how


def _of_item(item: DiaryItem | None, name: str, datum: Datum) -> Iterator[Row]:
    row: Row = {"QSTESTCD": name, "QSTEST": item.label.en[:40] if item is not None else name}
    if datum.value is None:
        yield row | {"QSSTAT": "NOT DONE", "QSREASND": _REASONS.get(datum.missing or "", datum.missing)}
        return
    if item is not None and item.kind in {"nrs", "number"}:
        number = int(datum.value)
        unit = item.unit.en if item.unit is not None else None
        result: Row = {"QSORRES": datum.value, "QSSTRESC": datum.value, "QSSTRESN": number}
        yield row | result | {"QSORRESU": unit, "QSSTRESU": unit}
        return
    labels = {option.id: option.label.en for option in item.options} if item is not None else {}
    for code in datum.value.split(" "):
        yield row | {"QSORRES": labels.get(code) or _YES_NO.get(code, code), "QSSTRESC": code}

"""SDTM QS of the diary: one row for each answer of a reported entry, with who answered.

The rules that must stay true: what the participant answered and what a caregiver saw are never one: QSEVAL says whose
word a row is, and EQREPORT how it came about; of a side's entries for one period the one begun first is reported, and
no further one makes a row; answers that the site changed on request are the rows, and the note says so.
Source: CDISC SDTMIG 3.4, QS; CDISC controlled terminology, EVAL (STUDY SUBJECT, CAREGIVER).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import reduce

from equipoise.diary.evolve import START, Made, evolve, side_of
from equipoise.ledger.entries import Datum
from equipoise.protocol.diary import DiaryForm, DiaryItem
from equipoise.protocol.study import Study
from equipoise.standards.dataset import Column
from equipoise.standards.sdtm_casebook import Casebook
from equipoise.standards.sdtm_findings import finding_columns
from equipoise.standards.sdtm_rows import NOTE, Row

DIARY = "QS"
REPORT = Column("EQREPORT", "Who Answered, and How")
"""Non-standard variable: PARTICIPANT, ASSISTED (with help in tapping) or CAREGIVER."""
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
    """The rows of a subject's diary, by when the entries were begun, each in the order of its form."""
    plan = book.study.diary
    state = reduce(evolve, book.diary, START)
    for made in state.reported():
        form = plan.form(made.entry.form)
        order = [item.id for item in plan.items(form)] if form is not None else []
        known = {item.id: item for item in plan.items(form)} if form is not None else {}
        answers = sorted(made.answers.items(), key=lambda one: _place(order, one[0]))
        for name, datum in answers:
            for row in _of_item(known.get(name), name, datum):
                yield {**_shared(book, made, form), **row}


def _place(order: Sequence[str], name: str) -> tuple[int, str]:
    return (order.index(name) if name in order else len(order), name)


def _shared(book: Casebook, made: Made, form: DiaryForm | None) -> Row:
    entry = made.entry
    whole = hashlib.sha256(book.diary[0].header.stream.encode()).hexdigest()[:12]
    row: Row = {
        "USUBJID": book.usubjid,
        "QSCAT": book.study.diary.category,
        "QSSPID": f"{entry.form}/{entry.period or entry.packet}/{side_of(entry.reporter)}",
        "QSEVAL": _EVALUATORS[side_of(entry.reporter)],
        "EQREPORT": entry.reporter,
        "EQLATE": "Y" if entry.late else None,
        "QSDTC": book.clock(entry.submitted),
        "EQNOTE": "changed on request" if made.changes else None,
        "EQLEDGER": f"{whole}/{made.seq}",
    }
    if form is not None and form.cadence is not None:
        row["QSEVLINT"] = f"-P{form.cadence.days}D"
    return row


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

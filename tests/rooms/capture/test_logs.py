"""Running lists: rows, their order, what still goes on, going through them, and rows entered in error."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.capture.commands import RecordForm, RestoreRow, ReviewLog, VoidRow
from equipoise.capture.decide import decide
from equipoise.capture.evolve import START, Place, State, evolve
from equipoise.capture.logs import log_rows, next_row
from equipoise.capture.snapshot import state_from_json, state_to_json
from equipoise.ledger.entries import FormSaved, LogReviewed, QueryClosed, RowRestored, RowVoided
from equipoise.protocol.check import check_study
from equipoise.protocol.forms import LOG
from equipoise.words.canonical import canonical_bytes, read_canonical
from equipoise.words.truth import Truth
from rooms.capture.conduct_study import (
    ACTIVITIES,
    FORMS,
    KNOWN,
    OCCASION,
    folded,
    made_study,
    rules,
    values,
    written,
)

LIST: dict[str, Any] = {
    "id": "CM",
    "label": "Medication",
    "log": {"columns": ["WHAT", "START"], "sort": ["START", "WHAT"], "ongoing": "GOES"},
    "items": [
        {"id": "WHAT", "label": "What", "type": "text", "missing": []},
        {"id": "START", "label": "Start", "type": "date"},
        {"id": "GOES", "label": "Ongoing", "type": "truth"},
        {"id": "END", "label": "End", "type": "date", "visible_when": "not GOES"},
    ],
    "checks": [
        {"id": "order", "holds": "days(START, END) >= 0", "items": ["END"], "message": "End before start."}
    ],
}
SCHEDULE = {
    "epochs": [{"id": "ALL", "label": "All"}],
    "visits": [
        {"id": "V1", "label": "Screening", "epoch": "ALL"},
        {"id": "V2", "label": "Baseline", "epoch": "ALL"},
        {"id": "UNS", "label": "Unscheduled", "epoch": "ALL", "unscheduled": True},
    ],
    "activities": [
        *ACTIVITIES,
        {"id": "A4", "label": "Lists", "forms": ["CM"], "visits": ["V1", "V2", "UNS"]},
    ],
}
STUDY = made_study(forms=[*FORMS, LIST], schedule=SCHEDULE)
ROW = Place(LOG, "CM", 1)


class Book:
    """A state with the stream that made it."""

    def __init__(self) -> None:
        self.entries: list[Any] = []

    @property
    def state(self) -> State:
        return folded(evolve, START, self.entries)

    def ask(self, command: object, study=STUDY):
        return decide(study, self.state, KNOWN, command, OCCASION)

    def done(self, command: object, study=STUDY) -> list[Any]:
        new = [append.entry for append in written(self.ask(command, study))]
        self.entries += new
        return new

    def row(self, repeat: int, **items: str) -> list[Any]:
        place = Place(LOG, "CM", repeat)
        return self.done(RecordForm("s1", *place, values(**items), self.state.form(place).seq))


@pytest.fixture
def book() -> Book:
    return Book()


def test_a_row_is_the_participants_and_no_visits(book):
    assert [type(entry) for entry in book.row(1, WHAT="aspirin", GOES="Y")] == [FormSaved]
    assert rules(book.ask(RecordForm("s1", "V1", "CM", 1, values(WHAT="x"), 0))) == {"capture.form-is-log"}
    assert rules(book.ask(RecordForm("s1", LOG, "VS", 1, values(SYSBP="120"), 0))) == {"capture.form-no-log"}
    assert rules(book.ask(RecordForm("s1", LOG, "NONE", 1, {}, 0))) == {"capture.form-unknown"}
    assert rules(book.ask(RecordForm("s1", LOG, "CM", 0, {}, 0))) == {"capture.repeat-unknown"}


def test_rows_are_added_one_after_the_other(book):
    assert next_row(book.state, "CM") == 1
    book.row(1, WHAT="aspirin")
    assert next_row(book.state, "CM") == 2
    assert rules(book.ask(RecordForm("s1", LOG, "CM", 3, values(WHAT="x"), 0))) == {"capture.repeat-unknown"}
    book.row(2, WHAT="statin")
    book.row(1, START="2026-08-01")
    assert len(log_rows(STUDY, book.state, STUDY.form("CM"))) == 2


def test_the_order_is_that_of_the_sort_items_with_the_unknown_last(book):
    book.row(1, WHAT="c")
    book.row(2, WHAT="b", START="2026-08-02")
    book.row(3, WHAT="a", START="2026-08")
    book.row(4, WHAT="a", START="2026-08-02")
    rows = log_rows(STUDY, book.state, STUDY.form("CM"))
    # a known month stands before the days of it; equal days by name; the row without a start is last
    assert [row.place.repeat for row in rows] == [3, 4, 2, 1]


def test_a_check_of_a_row_asks_at_the_row(book):
    book.row(1, START="2026-08-02", GOES="N")
    raised = book.row(1, END="2026-08-01")[-1]
    assert (raised.visit, raised.form, raised.repeat, raised.rule) == (LOG, "CM", 1, "order")


def test_a_review_confirms_exactly_the_rows_that_go_on(book):
    book.row(1, WHAT="aspirin", GOES="Y")
    book.row(2, WHAT="statin", GOES="N")
    book.row(3, WHAT="not known")
    assert book.done(ReviewLog("s1", "V1", "CM")) == [LogReviewed("V1", "CM", 1, "CHANGED", (1,))]
    assert book.done(ReviewLog("s1", "V2", "CM")) == [LogReviewed("V2", "CM", 1, "NO_CHANGE", (1,))]
    assert rules(book.ask(ReviewLog("s1", "V2", "CM"))) == {"capture.nothing-changed"}
    book.row(3, GOES="Y")
    assert book.done(ReviewLog("s1", "V2", "CM")) == [LogReviewed("V2", "CM", 1, "CHANGED", (1, 3))]
    assert book.done(ReviewLog("s1", "UNS", "CM", 2))[0].repeat == 2


def test_nothing_to_list_is_said_and_not_assumed(book):
    assert rules(book.ask(ReviewLog("s1", "V1", "CM"))) == {"capture.log-empty"}
    assert book.done(ReviewLog("s1", "V1", "CM", none=True)) == [LogReviewed("V1", "CM", 1, "NONE", ())]
    book.row(1, WHAT="aspirin")
    assert rules(book.ask(ReviewLog("s1", "V2", "CM", none=True))) == {"capture.log-has-rows"}


@pytest.mark.parametrize(
    ("visit", "form", "repeat", "rule"),
    [
        ("V9", "CM", 1, "capture.visit-unknown"),
        ("V1", "VS", 1, "capture.form-no-log"),
        ("V1", "NONE", 1, "capture.form-no-log"),
        ("V1", "CM", 2, "capture.repeat-unknown"),
    ],
)
def test_a_review_of_what_is_not_there_is_refused(book, visit, form, repeat, rule):
    assert rules(book.ask(ReviewLog("s1", visit, form, repeat))) == {rule}


def test_a_row_entered_in_error_stays_readable_and_counts_for_nothing(book):
    book.row(1, WHAT="aspirin", START="2026-08-02", GOES="N")
    book.row(1, END="2026-08-01")
    assert rules(book.ask(VoidRow("s1", *ROW, reason=" "))) == {"capture.row-reason"}
    assert rules(book.ask(VoidRow("s1", LOG, "CM", 2, "x"))) == {"capture.row-unknown"}
    void = book.done(VoidRow("s1", *ROW, reason="belongs to another participant"))
    assert [type(entry) for entry in void] == [
        RowVoided,
        QueryClosed,
    ]  # the check's question is settled with it
    [row] = log_rows(STUDY, book.state, STUDY.form("CM"))
    assert row.voided
    assert row.instance.values["WHAT"].value == "aspirin"
    assert rules(book.ask(RecordForm("s1", *ROW, values(WHAT="x"), 99))) == {"capture.row-voided"}
    assert rules(book.ask(VoidRow("s1", *ROW, reason="again"))) == {"capture.nothing-changed"}
    assert rules(book.ask(ReviewLog("s1", "V1", "CM"))) == {"capture.log-empty"}
    assert book.done(RestoreRow("s1", *ROW, reason="it was theirs")) == [RowRestored(*ROW, "it was theirs")]
    assert rules(book.ask(RestoreRow("s1", *ROW, reason="x"))) == {"capture.nothing-changed"}
    assert book.row(1, WHAT="aspirin 100 mg")


def test_rows_recorded_at_a_visit_before_there_was_a_list_stay_in_it(book):
    repeats = {**LIST, "repeats": True}
    del repeats["log"]
    earlier = made_study(forms=[*FORMS, repeats], schedule=SCHEDULE)
    book.done(RecordForm("s1", "V1", "CM", 1, values(WHAT="old", GOES="Y"), 0), earlier)
    book.row(1, WHAT="new", GOES="Y")
    rows = log_rows(STUDY, book.state, STUDY.form("CM"))
    assert [(row.place.visit, row.ongoing) for row in rows] == [(LOG, Truth.TRUE), ("V1", Truth.TRUE)]
    assert book.done(VoidRow("s1", "V1", "CM", 1, "stands in the list again"))


def test_a_snapshot_keeps_reviews_and_voided_rows(book):
    book.row(1, WHAT="aspirin", GOES="Y")
    book.done(ReviewLog("s1", "V1", "CM"))
    book.done(VoidRow("s1", *ROW, reason="wrong"))
    assert state_from_json(read_canonical(canonical_bytes(state_to_json(book.state)))) == book.state


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"repeats": True}, "protocol.study-log-kind"),
        ({"log": {"columns": []}}, "protocol.study-log-columns"),
        ({"log": {"columns": ["NONE"]}}, "protocol.study-reference"),
        ({"log": {"columns": ["WHAT"], "ongoing": "WHAT"}}, "protocol.study-rule-type"),
    ],
)
def test_a_list_that_makes_no_sense_is_a_fault_of_the_definition(change, rule):
    study = made_study(forms=[*FORMS, {**LIST, **change}], schedule=SCHEDULE)
    assert rule in {finding.problem.rule for finding in check_study(study) if finding.fault}

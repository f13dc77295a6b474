"""The page of a running list, and its line in the casebook, as the desk gives them."""

from __future__ import annotations

from equipoise.capture.commands import RaiseQuery, RecordForm, ReviewLog, VoidRow
from equipoise.desk.followers import FORMS
from equipoise.ledger.entries import Datum
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]


def _row(one: Story, number: str, repeat: int, form: str = "CM", **items: str) -> None:
    subject = one.subject(number)
    base = one.desk.form_seq(subject, "LOG", form, repeat)
    data = {name: Datum(text) for name, text in items.items()}
    one.done("crc", RecordForm(subject, "LOG", form, repeat, data, base))


def test_the_list_shows_its_columns_in_words_and_its_rows_in_order(story: Story) -> None:
    number = story.screen()
    _row(story, number, 1, CMTRT="Aspirin", CMDOSE="100", CMDOSU="mg", CMDOSFRQ="QD", CMONGO="Y")
    _row(story, number, 2, CMTRT="阿托伐他汀", CMROUTE="ORAL", CMONGO="N")
    view = story.desk.log(story.who("crc"), number, "CM")
    assert view is not None
    assert [column.en for column in view.columns][:3] == ["Medicine", "Single dose", "Unit"]
    first, second = view.lines
    assert [cell.shown.say("zh") if cell.shown else "" for cell in first.cells][:5] == [
        "Aspirin",
        "100",
        "mg",
        "",
        "每日1次",
    ]
    assert (first.ongoing, second.ongoing, view.next_row) == (True, False, 3)
    assert {"RecordForm", "ReviewLog", "VoidRow"} <= view.may


def test_a_review_fills_the_cell_of_its_visit_and_is_counted_as_its_form(story: Story) -> None:
    number = story.screen()
    subject = story.subject(number)
    _row(story, number, 1, CMTRT="Aspirin", CMONGO="Y")
    story.done("crc", ReviewLog(subject, "V1", "CM"))
    story.done("cra", RaiseQuery(subject, "LOG", "CM", 1, "CMDOSE", "Which dose?"))
    page = story.desk.subject(story.who("crc"), number)
    assert page is not None
    line = next(row for row in page.rows if row.form == "CM")
    assert (line.rows, line.flag) == (1, "open")
    assert {cell.visit: cell.state for cell in line.cells}["V1"] == "complete"
    assert {cell.visit: cell.state for cell in line.cells}["V2"] != "complete"
    with story.desk.reading() as reader:
        [row] = reader.rows.find(FORMS, {"subject": subject, "visit": "V1", "form": "CM"})
    assert row["complete"] == 1
    view = story.desk.log(story.who("crc"), number, "CM")
    assert view is not None
    assert [(one.visit, one.outcome, one.ongoing) for one in view.reviews] == [("V1", "CHANGED", 1)]
    unfinished = [task for task in page.tasks if task.kind == "form_unfinished" and task.place[1] == "CM"]
    assert [task.place for task in unfinished] == [("LOG", "CM", "1")]
    assert unfinished[0].arguments["visit.zh"] == "持续记录"
    [asked] = [task for task in story.desk.today(story.who("crc")).tasks if task.kind == "query_open"]  # type: ignore[union-attr]
    assert asked.arguments["visit"] == "Running list"


def test_a_row_entered_in_error_is_shown_with_its_reason_and_asks_for_nothing(story: Story) -> None:
    number = story.screen()
    subject = story.subject(number)
    _row(story, number, 1, CMTRT="Aspirin")
    story.done("crc", VoidRow(subject, "LOG", "CM", 1, "another participant's"))
    view, form = (
        story.desk.log(story.who("crc"), number, "CM"),
        story.desk.form(story.who("crc"), number, "LOG", "CM"),
    )
    assert view is not None
    assert form is not None
    [line] = view.lines
    assert line.voided is not None
    assert line.voided[0] == "another participant's"
    assert (form.editable, form.voided) == (False, "another participant's")
    page = story.desk.subject(story.who("crc"), number)
    assert page is not None
    assert not [task for task in page.tasks if task.kind == "form_unfinished" and task.place[1] == "CM"]
    assert next(row.rows for row in page.rows if row.form == "CM") == 0


def test_who_rates_sees_neither_medication_nor_events(story: Story) -> None:
    number = story.eligible()
    _row(story, number, 1, "AE", AETERM="Fever")
    for form in ("AE", "CM"):
        assert story.desk.log(story.who("rater"), number, form) is None
        assert story.desk.form(story.who("rater"), number, "LOG", form) is None
    view = story.desk.log(story.who("rater"), number, "MH")
    assert view is not None
    assert not view.may & {"ReviewLog", "VoidRow", "RestoreRow"}
    assert story.desk.log(story.who("crc"), number, "VS") is None  # not a list

"""What pages show, and to whom: days of the site, other roles, repetitions, and what an older definition asked for."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from equipoise.capture.commands import RaiseQuery, RecordForm
from equipoise.desk.archive import export_datasets
from equipoise.desk.setup import adopt, release
from equipoise.ledger.entries import Datum
from equipoise.protocol.analysis import AnalysisPlan
from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study
from stories.conftest import NIHSS, Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


def _without(study: Study, form: str, item: tuple[str, str], visit: str) -> Study:
    """The next version: a form is dropped, an item of another form, and a visit; the plan that read them begins anew."""
    forms = [
        _without_item(each, item[1]) if each.id == item[0] else each
        for each in study.forms
        if each.id != form
    ]
    activities = [
        each.model_copy(
            update={
                "forms": tuple(name for name in each.forms if name != form),
                "visits": tuple(name for name in each.visits if name != visit),
            }
        )
        for each in study.schedule.activities
    ]
    endpoints = [
        each.model_copy(update={"form": None if each.form == form else each.form}) for each in study.endpoints
    ]
    visits = tuple(each for each in study.schedule.visits if each.id != visit)
    kits = [
        each.model_copy(update={"visits": tuple(one for one in each.visits if one != visit)})
        for each in study.specimens.kits
    ]
    plan = study.verification
    plan = plan.model_copy(
        update={"critical_forms": tuple(each for each in plan.critical_forms if each != form)}
    )
    schedule = study.schedule.model_copy(update={"visits": visits, "activities": tuple(activities)})
    return study.model_copy(
        update={
            "version": "2.0",
            "analysis": AnalysisPlan(),
            "forms": tuple(forms),
            "endpoints": tuple(endpoints),
            "schedule": schedule,
            "verification": plan,
            "specimens": study.specimens.model_copy(update={"kits": tuple(kits)}),
        }
    )


def _without_item(form: Form, item: str) -> Form:
    """The form without an item, what it shows, and the checks that ask for any of these."""
    kept = tuple(one for one in form.items if item not in f"{one.id} {one.visible_when}".split())
    gone = {one.id for one in form.items} - {one.id for one in kept}
    checks = tuple(
        check for check in form.checks if not gone & {*check.items, *re.findall(r"\w+", check.holds)}
    )
    return form.model_copy(update={"items": kept, "checks": checks})


@pytest.fixture
def amended(story: Story) -> tuple[Story, str]:
    """Values on form MRS, on item SMOKING of RISK and at visit V3; then a version that has none of the three."""
    number = story.screen()
    assert story.record("rater", number, "MRS", {"MRSSRC": "BOTH", "1": "4"}).accepted
    assert story.record("crc", number, "RISK", {"HTN": "Y", "SMOKING": "FORMER"}).accepted
    assert story.record("rater", number, "NIHSS", dict(NIHSS), "V3").accepted
    assert release(story.desk, _without(story.desk.study, "MRS", ("RISK", "SMOKING"), "V3")) == ()
    today = story.clock.at.date().isoformat()
    assert adopt(story.desk, "01", "2.0", "EC-01-2", today, today) == ()
    return story, number


def test_what_an_amendment_drops_stays_readable_and_closed(amended: tuple[Story, str]) -> None:
    story, number = amended
    who = story.who("crc")
    page = story.desk.subject(who, number)
    assert page is not None
    assert "V3" in [column.id for column in page.columns]
    rows = {row.form: {cell.visit: cell for cell in row.cells} for row in page.rows}
    assert rows["MRS"]["V1"].state == "in_progress"
    assert rows["MRS"]["V2"].state == "not_planned"
    assert rows["NIHSS"]["V3"].answered == len(NIHSS)
    for form, visit, item, value in (("MRS", "V1", "1", "4"), ("NIHSS", "V3", "4", "2")):
        view = story.desk.form(who, number, visit, form)
        assert view is not None
        assert not view.editable
        assert next(each for each in view.items if each.id == item).value.value == value
    assert (
        story.desk.form(who, number, "V2", "MRS") is None
    )  # nothing stands there, so there is nothing to read
    refused = story.record("rater", number, "MRS", {"1": "3"})
    assert [problem.rule for problem in refused.problems] == ["capture.form-unknown"]


def test_a_dropped_item_keeps_its_words_in_the_history(amended: tuple[Story, str]) -> None:
    story, number = amended
    rows = story.desk.history(story.who("crc"), number, "V1", "RISK", 1, "SMOKING")
    assert rows is not None
    assert [(row.label.zh, row.new.en if row.new else "") for row in rows] == [("吸烟", "Former")]


def test_what_an_amendment_drops_is_still_exported(amended: tuple[Story, str], tmp_path: Path) -> None:
    story, _ = amended
    written = export_datasets(story.folder, tmp_path / "out")
    assert isinstance(written, tuple)
    dataset = json.loads((tmp_path / "out" / "rs.json").read_text("utf-8"))
    names = [column["name"] for column in dataset["columns"]]
    found = {(row[names.index("RSTESTCD")], row[names.index("VISIT")]) for row in dataset["rows"]}
    assert any(visit == "24 HOURS AFTER INFUSION 1" for _, visit in found)
    assert any(code.startswith("MRS") for code, _ in found)


def test_days_are_those_of_the_site(story: Story) -> None:
    """17:30 UTC on 1 June is half past one on 2 June in Shanghai."""
    story.clock.at = dt.datetime(2026, 6, 1, 17, 30, tzinfo=dt.UTC)
    number = story.screen()
    story.done("cra", RaiseQuery(story.subject(number), "V1", "DM", 1, "SEX", "Please check."))
    who = story.who("crc")
    rows = story.desk.subjects(who)
    today = story.desk.today(who)
    assert rows is not None
    assert today is not None
    assert [row.screened_on for row in rows] == ["2026-06-02"]
    assert {task.since for task in today.tasks} == {"2026-06-02"}


def test_the_day_of_randomization_is_that_of_the_site(story: Story) -> None:
    number = story.eligible()
    story.clock.at = dt.datetime(2026, 6, 1, 17, 30, tzinfo=dt.UTC)
    assert story.randomize(number).accepted
    page = story.desk.subject(story.who("crc"), number)
    assert page is not None
    assert page.randomized_on == "2026-06-02"
    assert next(column for column in page.columns if column.id == "V2").planned == "2026-06-02"


def test_a_rater_does_not_learn_why_somebody_is_let_in(story: Story) -> None:
    number = story.screen()
    story.consent(number)
    story.assess(number, nihss={**NIHSS, "4": "0", "9": "0", "10": "0"})  # a total of 5: I04 is not met
    for actor, told in (("crc", True), ("rater", False)):
        who = story.who(actor)
        page, steps = story.desk.subject(who, number), story.desk.randomization(who, number)
        today = story.desk.today(who)
        assert page is not None
        assert steps is not None
        assert today is not None
        assert (page.verdict == "INELIGIBLE") is told
        assert ("ineligible" in [task.kind for task in page.tasks]) is told
        assert ("ineligible" in [task.kind for task in today.tasks]) is told
        assert any("I04" in problem.where for step in steps.steps for problem in step.problems) is told
        assert not steps.ready


def test_numbers_are_of_the_sites_that_the_reader_may_open(story: Story) -> None:
    mine = story.screen("甲")
    other = story.screen("乙", actor="crc2", site="02")
    for number, actor in ((mine, "crc"), (other, "crc2")):
        assert story.record(actor, number, "RISK", {"HTN": "Y"}).accepted
        story.done("cra", RaiseQuery(story.subject(number), "V1", "RISK", 1, "HTN", "Since when?"))
    for actor, expected in (("crc", 1), ("crc2", 1), ("crc3", 0), ("cra", 2)):
        view = story.desk.today(story.who(actor))
        assert view is not None
        assert (view.screening, view.open_queries) == (expected, expected), actor
        assert len([task for task in view.tasks if task.kind == "query_open"]) == expected
    sponsor = story.desk.today(story.who("spo"))
    assert sponsor is not None
    assert (sponsor.screening, sponsor.open_queries) == (2, 0)
    assert {task.subject for task in sponsor.tasks} == {""}  # of sites, and of no participant
    assert (
        story.desk.subjects(story.who("spo")) is None
    )  # not an empty list, which would say that nobody is there


def test_a_query_in_todays_list_has_its_words_from_the_ledger(story: Story) -> None:
    number = story.screen()
    story.done("cra", RaiseQuery(story.subject(number), "V1", "RISK", 1, "HTN", "Since when?"))
    view = story.desk.today(story.who("cra"))
    assert view is not None
    task = next(each for each in view.tasks if each.kind == "query_open")
    assert task.arguments["message"] == "Since when?"
    assert (task.arguments["form.zh"], task.arguments["visit.zh"]) == ("危险因素", "筛选访视")
    assert task.place[:4] == ("V1", "RISK", "1", "HTN")


def _history(one: Story, number: str, repeat: int, term: str, visit: str = "LOG", form: str = "MH") -> None:
    subject = one.subject(number)
    base = one.desk.form_seq(subject, visit, form, repeat)
    item = {"MH": "MHTERM", "CM": "CMTRT"}[form]
    one.done("crc", RecordForm(subject, visit, form, repeat, {item: Datum(term)}, base))


def test_each_repetition_of_a_form_stands_for_itself(story: Story) -> None:
    number = story.screen()
    who = story.who("crc")
    for repeat, term in ((1, "gout"), (2, "asthma"), (2, "bronchial asthma")):
        _history(story, number, repeat, term)
    for repeat, term in ((1, "gout"), (2, "bronchial asthma")):
        view = story.desk.form(who, number, "LOG", "MH", repeat)
        assert view is not None
        assert view.items[0].value.value == term
        assert view.base == story.desk.form_seq(story.subject(number), "LOG", "MH", repeat) > 0
    third = story.desk.form(who, number, "LOG", "MH", 3)
    assert third is not None
    assert third.base == 0
    assert third.editable
    rows = story.desk.history(who, number, "LOG", "MH", 2)
    assert rows is not None
    assert [row.new.en if row.new else "" for row in rows] == ["bronchial asthma", "asthma"]
    story.done("cra", RaiseQuery(story.subject(number), "LOG", "MH", 2, "MHTERM", "Since when?"))
    page = story.desk.subject(who, number)
    assert page is not None
    row = next(row for row in page.rows if row.form == "MH")
    assert (row.rows, row.flag) == (2, "open")
    second = story.desk.form(who, number, "LOG", "MH", 2)
    assert second is not None
    assert [len(each.queries) for each in second.items if each.id == "MHTERM"] == [1]
    assert [len(each.queries) for each in third.items if each.id == "MHTERM"] == [0]


def test_a_form_that_does_not_repeat_has_no_second_page(story: Story) -> None:
    number = story.screen()
    assert story.desk.form(story.who("crc"), number, "V1", "RISK", 2) is None
    assert story.desk.form(story.who("crc"), number, "LOG", "MH", 0) is None


def test_an_unscheduled_visit_keeps_its_occurrence(story: Story) -> None:
    number = story.screen()
    who = story.who("crc")
    page = story.desk.subject(who, number)
    assert page is not None
    assert "UNS" not in [column.id for column in page.columns]
    subject = story.subject(number)
    forms = [form.id for form in story.desk.study.forms_at("UNS") if form.log is None]
    place = forms.index("VS")
    story.done("crc", RecordForm(subject, "UNS", "VS", 2, {"VSPOS": Datum(missing="UK")}, 0))
    page, view = story.desk.subject(who, number), story.desk.form(who, number, "UNS", "VS", 2)
    assert page is not None
    assert view is not None
    assert "UNS" in [column.id for column in page.columns]
    assert view.next == ("UNS", forms[place + 1], "2")


def test_a_page_of_the_list_follows_the_one_before_and_none_is_left_out(story: Story) -> None:
    numbers = sorted(story.screen(f"甲{n}", born=f"195{n}-03-07") for n in range(5))
    other = story.screen("乙", actor="crc2", site="02")
    monitor = story.who("cra")
    every, after = [], ""
    while page := story.desk.subjects(monitor, after=after, limit=2):
        assert len(page) <= 2
        every += [row.number for row in page]
        after = every[-1]
    assert every == [*numbers, other]
    assert story.desk.number_of_subjects(monitor) == 6
    assert story.desk.number_of_subjects(story.who("crc")) == 5


def test_a_subject_is_found_by_the_beginning_of_one_number_or_by_the_whole_other(story: Story) -> None:
    number = story.eligible()
    assert story.randomize(number).accepted
    story.screen("丙", born="1950-01-01")
    who = story.who("crc")
    (row,) = story.desk.subjects(who, begins=number)
    assert row.number == number
    assert [
        one.number for one in story.desk.subjects(who, begins=(row.randomization_number or "").lower())
    ] == [number]
    assert len(story.desk.subjects(who, begins="01")) == 2
    assert story.desk.subjects(who, begins="02") == ()
    assert story.desk.subjects(story.who("crc2"), begins=number) == ()


def test_the_matrix_of_visits_shows_the_states_of_the_visit_page(story: Story) -> None:
    number = story.eligible()
    assert story.randomize(number).accepted
    story.screen("丙", born="1950-01-01")
    who = story.who("cra")
    view = story.desk.visit_matrix(who, limit=10)
    columns = {column.id: (column.state, column.dated) for column in story.desk.subject(who, number).columns}
    row = next(each for each in view.rows if each.number == number)
    assert {cell.visit: (cell.state, cell.dated) for cell in row.cells if cell is not None} == columns
    assert len(view.rows) == 2
    assert [each.number for each in story.desk.visit_matrix(who, after=number, limit=10).rows] == [
        view.rows[1].number
    ]
    assert story.desk.visit_matrix(story.who("spo"), limit=10) is None
    assert story.desk.visit_matrix(story.who("crc2"), limit=10).rows == ()

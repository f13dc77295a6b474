"""A rehearsal that stays in play: steps of any length give the same bytes, a visitor's word stands, a trial is never played.

Sources of what is expected: issue 6, capability 3 (a time-travel bar, +1 day, +1 week, play to lock); DESIGN 4 (rehearsal
stores only); decision 0042.
"""

from __future__ import annotations

import datetime as dt
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from test_rehearsal import entries

from equipoise.capture.commands import DateVisit, RecordForm
from equipoise.capture.evolve import Place
from equipoise.cli import played
from equipoise.cli.rehearse import hold_ceremony
from equipoise.ledger.entries import Datum
from equipoise.pages.journey import Gate, PlayClock

STUDY = Path(__file__).resolve().parents[3] / "studies" / "nct07197606"
DAYS = 40


NOW = dt.datetime(2026, 12, 1, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def begun(tmp_path):
    """(name, days) -> a rehearsal of two participants in play at NOW, its first site opened so many days before; its plan."""
    with ExitStack() as stack:

        def begin(name: str, days: int = DAYS, participants: int = 2):
            store, vault = tmp_path / name / "store", tmp_path / name / "vault"
            plan = played.plan_played(STUDY, store, vault, played.Asked(participants, days, 7), NOW)
            assert not isinstance(plan, tuple)
            assert hold_ceremony(plan) is None
            onward = played.begin(stack, plan, NOW)
            stack.callback(onward.close)
            return onward, plan

        yield begin


def moved(onward, *steps: str) -> None:
    for step in steps:
        assert onward.move(step)
        assert onward.wait(120)


def test_days_and_weeks_come_to_the_same_bytes(begun):
    """Seven days in one step or in seven, looked at in between or not."""
    by_days, plan = begun("days")
    moved(by_days, *["day"] * 3)
    assert by_days.standing().day == dt.date(2026, 12, 4)
    with by_days.desk.reading() as reader:  # somebody looks, and writes nothing
        assert by_days.desk.trial(reader).study.id == plan.study.id
    moved(by_days, *["day"] * 4)
    by_weeks, other = begun("weeks")
    moved(by_weeks, "week")
    assert by_days.standing().day == by_weeks.standing().day == dt.date(2026, 12, 8)
    for door in ("store", "vault"):
        one, two = (entries(getattr(each, door)) for each in (plan, other))
        assert one == two
    assert len(entries(plan.store)) > 200  # something happened


def test_time_passes_once_for_two_presses(begun):
    onward, _ = begun("twice")
    assert onward.move("day")
    assert not onward.move("day") or onward.standing().day >= dt.date(2026, 12, 2)
    assert onward.wait(60)
    assert not onward.move("year")


def test_what_a_visitor_entered_stands_and_the_play_goes_on(begun):
    """A visit dated and a form typed by a visitor before the script comes to them: both stay, and are told."""
    onward, _ = begun("visited")
    stage, study = onward._stage, onward._stage.study
    case = next(one for one in onward._playing.cases if one.randomized is not None and not one.over)
    visit = next(
        v for v in study.schedule.visits if v.id == "V6"
    )  # day 28, whose window the days below reach
    nurse = stage.person("coordinator", case.site)
    form = "VS"
    due = case.date_of(visit.day or 0)
    while onward.standing().day < due - dt.timedelta(days=4):
        moved(onward, "day")
    who, place = stage.who(nurse), Place("V6", form, 1)
    typed = {"SYSBP": Datum("131")}
    today = stage.day(case.site).isoformat()
    assert onward.desk.submit(who, DateVisit(case.subject, "V6", today, mode="clinic"), key="v1").accepted
    assert onward.desk.submit(who, RecordForm(case.subject, *place, typed, 0), key="v2").accepted
    moved(onward, "week", "week", "week", "week")  # forms are typed up to 12 days late, by staff.yaml
    assert onward.standing().state == "RESTS"
    with onward.desk.reading() as reader:
        stood = onward.desk.case(reader, case.subject).capture.form(place).values
    assert stood["SYSBP"].value == "131"
    told = [one.en for one in onward.standing().passed]
    assert any(f"V6/{form}/1 of {case.number}" in one for one in told), told
    assert any("DateVisit" in one for one in told), told


@pytest.mark.nightly
def test_played_to_the_lock_it_ends_in_the_report_in_the_released_arms(begun):
    onward, plan = begun("whole", 300, 1)
    moved(onward, "week")
    assert onward.move("lock")
    assert onward.wait(600)
    ended = onward.standing()
    assert (ended.state, ended.why) == ("ENDED", None)
    assert ended.verified.startswith("ok ")  # the list that was published is the one that was committed to
    page = (plan.store / "report" / "report.en.html").read_text("utf-8")
    assert 'id="F-01"' in page  # the flow of participants, which the plan names first of its figures
    assert not onward.move("day")  # it is over


def test_a_playing_clock_rests_without_being_moved():
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    clock = PlayClock(at)
    assert clock() == at + dt.timedelta(seconds=1)
    stood = clock.at
    clock.rest()
    time.sleep(0.01)
    assert clock() > stood
    clock.play(lived=False)
    assert clock.at == stood
    clock.rest()
    time.sleep(0.01)
    clock.play(lived=True)
    assert clock.at > stood


def test_nobody_is_let_in_while_the_gate_is_shut():
    gate = Gate()
    assert gate.enter()
    gate.leave()
    gate.shut()
    assert not gate.enter()
    gate.open()
    assert gate.enter()

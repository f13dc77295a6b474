"""The schedule of a participant: one state for each visit on every page, day 1 that moves, the end of participation."""

from __future__ import annotations

import datetime as dt

import pytest

from equipoise.capture.commands import DateVisit, MissVisit
from equipoise.consent.commands import WithdrawConsent
from equipoise.desk.schedule import visits_of
from equipoise.ledger.entries import Datum
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


@pytest.fixture
def randomized(story: Story) -> tuple[Story, str, str]:
    """A participant randomized on 1 June 2026: story, number, subject."""
    number = _randomized(story, "张三")
    return story, number, story.subject(number)


def _randomized(story: Story, name: str) -> str:
    number = story.eligible(name)
    assert story.randomize(number).accepted
    return number


def states(story: Story, number: str, actor: str = "crc") -> dict[str, str]:
    """Visit -> state, as the schedule page, the matrix and each visit's own page say it alike."""
    who = story.who(actor)
    schedule, casebook = story.desk.schedule(who, number), story.desk.subject(who, number)
    assert schedule is not None
    assert casebook is not None
    said = {(line.id, line.repeat): line.state for line in schedule.lines}
    assert said == {(column.id, column.repeat): column.state for column in casebook.columns}
    for visit, repeat in said:
        page = story.desk.visit(who, number, visit, repeat)
        assert page is not None
        assert page.line.state == said[visit, repeat]
    return {visit if repeat == 1 else f"{visit}/{repeat}": state for (visit, repeat), state in said.items()}


def test_who_was_never_infused_counts_from_randomization(randomized) -> None:
    story, number, _ = randomized
    page = story.desk.schedule(story.who("crc"), number)
    assert page is not None
    assert (page.day_one, page.basis) == ("2026-06-01", "RANDOMIZATION")
    week4 = next(line for line in page.lines if line.id == "V6")
    assert week4.window == ("2026-06-26", "2026-07-02")  # days 26 to 32 counted from 1 June as day 1, by hand
    assert states(story, number)["V1"] == "OVERDUE"  # screening is planned before day 1, and nobody dated it


def test_a_visit_passes_through_its_states_and_what_is_recorded_stays(randomized) -> None:
    story, number, subject = randomized
    seen = []
    for day in ("2026-06-25", "2026-06-26", "2026-07-02", "2026-07-03"):
        story.clock.at = dt.datetime.fromisoformat(f"{day}T02:00:00+00:00")
        seen.append(states(story, number)["V6"])
    assert seen == ["NOT_DUE", "DUE", "DUE", "OVERDUE"]
    story.done("crc", MissVisit(subject, "V6", "TRAVEL", "abroad"))
    assert states(story, number)["V6"] == "MISSED"
    story.done("crc", DateVisit(subject, "V6", "2026-07-03"))  # it took place after all, a day late
    assert states(story, number)["V6"] == "LATE"
    page = story.desk.visit(story.who("crc"), number, "V6", 1)
    assert page is not None
    assert (page.line.outside, page.line.dated) == (1, "2026-07-03")


def test_when_participation_ends_nothing_more_is_due_and_what_was_recorded_stays(randomized) -> None:
    story, number, subject = randomized
    story.done("crc", DateVisit(subject, "V2", "2026-06-01"))
    before = states(story, number)
    story.done("crc", DateVisit(subject, "ET", "2026-06-01", because="REQUEST"))
    after = states(story, number)
    assert {visit for visit, state in after.items() if state == "NO_LONGER_DUE"} == {
        visit for visit, state in before.items() if state in {"NOT_DUE", "DUE", "OVERDUE"}
    }
    assert (after["V2"], after["ET"]) == ("IN_WINDOW", "HELD")


def test_the_form_of_the_end_and_a_withdrawal_end_participation_too(randomized) -> None:
    story, number, _ = randomized
    items = {"DSDECOD": Datum("PHYSICIAN DECISION"), "DSSTDAT": Datum("2026-06-01")}
    assert story.record("crc", number, "DS", items, "ET", complete=True).accepted
    page = story.desk.schedule(story.who("crc"), number)
    assert page is not None
    assert page.ended is not None
    assert (page.ended[0].en, page.ended[1]) == ("Decision of the physician", "2026-06-01")
    assert states(story, number)["V11"] == "NO_LONGER_DUE"
    other = _randomized(story, "李四")
    story.done("pi", WithdrawConsent(story.subject(other), "PARTICIPANT", "2026-06-01", "no wish"))
    assert states(story, other)["V11"] == "NO_LONGER_DUE"


def test_unscheduled_visits_stand_each_in_a_column_of_their_own(randomized) -> None:
    story, number, subject = randomized
    for repeat, on in ((1, "2026-05-31"), (2, "2026-06-01")):
        story.done("crc", DateVisit(subject, "UNS", on, repeat, "phone", "SAFETY", "fell at home"))
    assert [name for name in states(story, number) if name.startswith("UNS")] == ["UNS", "UNS/2"]
    page = story.desk.schedule(story.who("crc"), number)
    assert page is not None
    assert [(line.id, line.repeat) for line in page.extra] == [("ET", 1), ("UNS", 3)]


def test_the_rater_is_not_told_why_a_visit_was_held_or_by_what_day_one_counts(randomized) -> None:
    story, number, subject = randomized
    story.done(
        "crc", DateVisit(subject, "UNS", "2026-06-01", 1, "clinic", "SAFETY", "fever after the infusion")
    )
    for actor, reason, basis in (("crc", "fever after the infusion", "RANDOMIZATION"), ("rater", "", "")):
        page = story.desk.schedule(story.who(actor), number)
        assert page is not None
        line = next(line for line in page.lines if line.id == "UNS")
        assert (line.reason, page.basis) == (reason, basis)


def test_by_phone_a_visit_asks_only_for_what_can_be_asked_by_phone(randomized) -> None:
    story, number, subject = randomized
    story.done("crc", DateVisit(subject, "V5", "2026-06-01", mode="phone"))
    page = story.desk.visit(story.who("crc"), number, "V5", 1)
    assert page is not None
    asked = {form.form: form.asked for form in page.forms}
    assert (asked["VS"], asked["AE"]) == (False, True)


def test_nobody_sees_visits_of_another_site_or_of_nobody(randomized) -> None:
    story, number, _ = randomized
    assert story.desk.schedule(story.who("crc2"), number) is None
    assert story.desk.visit(story.who("crc2"), number, "V1", 1) is None
    assert story.desk.visit(story.who("crc"), number, "V1", 2) is None
    assert story.desk.visit(story.who("crc"), "99999", "V1", 1) is None


def test_visits_are_the_same_for_documents(randomized) -> None:
    story, number, subject = randomized
    with story.desk.reading() as reader:
        now = story.desk.standing_light(reader, subject)
    assert {one.visit.id: one.state for one in visits_of(now)} == states(story, number)

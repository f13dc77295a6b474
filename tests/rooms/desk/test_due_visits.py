"""The list of what is due says of every visit what the subject's own pages say; late ones first; not to strangers."""

from __future__ import annotations

import datetime as dt

import pytest

from equipoise.capture.commands import DateVisit, MissVisit, ReopenVisit
from equipoise.consent.commands import WithdrawConsent
from equipoise.desk.ended import left_early
from equipoise.ledger.entries import Datum
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories
SOON = dt.timedelta(days=14)


def _randomized(story: Story, name: str, actor: str = "crc", site: str = "01", pi: str = "pi") -> str:
    number = story.eligible(name, actor, site, pi)
    assert story.randomize(number, actor).accepted
    return number


def _as_pages_say(story: Story, actor: str) -> set[tuple[str, str, str]]:
    """(number, visit, state) of everything open by each subject's own page, as far ahead as the list looks."""
    found = set()
    who = story.who(actor)
    for row in story.desk.subjects(who) or ():
        page = story.desk.schedule(who, row.number)
        assert page is not None
        for line in page.lines:
            near = line.window is None or line.window[0] <= (story.clock.at.date() + SOON).isoformat()
            if line.state in {"DUE", "OVERDUE"} or (line.state == "NOT_DUE" and near):
                found.add((row.number, line.id, line.state))
    return found


def _listed(story: Story, actor: str, site: str = "") -> list[tuple[str, str, str]]:
    view = story.desk.due_visits(story.who(actor), site)
    assert view is not None
    assert (view.overdue + view.due + view.coming) == len(view.lines)
    return [(line.number, line.visit, line.state) for line in view.lines]


@pytest.mark.parametrize("day", ["2026-06-01", "2026-06-09", "2026-06-30", "2026-11-20", "2027-08-01"])
def test_the_list_is_what_the_pages_say_on_any_day(story: Story, day: str) -> None:
    one, two, three, four = (_randomized(story, name) for name in ("张三", "李四", "王五", "赵六"))
    story.screen("钱七")
    story.done("crc", DateVisit(story.subject(one), "V1", "2026-05-30"))
    story.done("crc", DateVisit(story.subject(one), "V2", "2026-06-01"))
    story.done("crc", MissVisit(story.subject(one), "V6", "TRAVEL"))
    story.done("crc", MissVisit(story.subject(two), "V6", "TRAVEL"))
    story.done("crc", ReopenVisit(story.subject(two), "V6", 1, "mistake"))
    story.done("crc", DateVisit(story.subject(three), "ET", "2026-06-01", because="REQUEST"))
    ended = {"DSDECOD": Datum("OTHER"), "DSSTDAT": Datum("2026-06-01")}
    assert story.record("crc", four, "DS", ended, "ET", complete=True).accepted
    story.done(
        "pi", WithdrawConsent(story.subject(_randomized(story, "孙八")), "PARTICIPANT", "2026-06-01", "")
    )
    part = story.subject(_randomized(story, "周九"))
    story.done("pi", WithdrawConsent(part, "PARTICIPANT", "2026-06-01", "", level="FROM_VISITS"))
    story.clock.at = dt.datetime.fromisoformat(f"{day}T02:00:00+00:00")
    listed = _listed(story, "crc")
    assert set(listed) == _as_pages_say(story, "crc")
    assert [state for _, _, state in listed] == sorted(
        (state for _, _, state in listed), key=["OVERDUE", "DUE", "NOT_DUE"].index
    )


@pytest.mark.parametrize(
    ("level", "due"),
    [("FROM_TREATMENT", True), ("FROM_VISITS", True), ("FROM_CONTACT", False), ("FULL", False)],
)
def test_who_ends_visits_is_still_called_until_contact_ends(story: Story, level: str, due: bool) -> None:
    """V7 is the contact of day 60, by phone; 28 July is day 58. Source: FDA 2008 on data when subjects withdraw."""
    number = _randomized(story, "张三")
    story.done("pi", WithdrawConsent(story.subject(number), "PARTICIPANT", "2026-06-01", "", level=level))
    with story.desk.reading() as reader:
        dropped = "V7" not in left_early(reader, story.desk.trial(reader)).get(story.subject(number), {"V7"})
    story.clock.at = dt.datetime(2026, 7, 28, 2, tzinfo=dt.UTC)
    assert ("V7" in {visit for _, visit, _ in _listed(story, "crc")}) == due
    assert set(_listed(story, "crc")) == _as_pages_say(story, "crc")
    assert dropped == (not due)  # the lock waits for the forms of a visit that is due, and for no other


def test_late_ones_come_first_by_the_end_of_their_windows(story: Story) -> None:
    _randomized(story, "张三")
    story.clock.at = dt.datetime(2026, 7, 10, 2, tzinfo=dt.UTC)
    view = story.desk.due_visits(story.who("crc"))
    assert view is not None
    late = [line.last for line in view.lines if line.state == "OVERDUE"]
    assert late == sorted(late)
    week4 = next(line for line in view.lines if line.visit == "V6")
    assert (week4.last, week4.left) == (
        "2026-07-02",
        -8,
    )  # day 32 from 1 June as day 1; 8 days before 10 July


def test_each_reader_sees_their_sites_and_the_rater_only_what_is_rated(story: Story) -> None:
    here = _randomized(story, "张三")
    there = _randomized(story, "李四", "crc2", "02", "pi2")
    story.clock.at = dt.datetime(2026, 7, 28, 2, tzinfo=dt.UTC)  # day 58: the day-60 contact is due, by phone
    assert {number for number, _, _ in _listed(story, "crc")} == {here}
    assert {number for number, _, _ in _listed(story, "cra")} == {here, there}
    assert {number for number, _, _ in _listed(story, "cra", "02")} == {there}
    study = story.desk.study
    for number, visit, _ in _listed(story, "rater"):
        rated = {form.id for form in study.forms_at(visit)} & {"NIHSS", "FMA", "FMAX", "MRS", "BI", "MMSE"}
        assert (number, bool(rated)) == (here, True)
    assert "V4" not in {
        visit for _, visit, _ in _listed(story, "rater")
    }  # infusion 2: nothing is rated there
    assert story.desk.due_visits(story.who("spo")) is None

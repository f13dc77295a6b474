"""Today for every role: three numbers of its own, what is asked, and a done state; nothing that a rater may not know."""

from __future__ import annotations

import datetime as dt

import pytest

from equipoise.access.roles import ROLES
from equipoise.capture.commands import AnswerQuery, DateVisit, RaiseQuery
from equipoise.capture.imaging.commands import (
    OpenReading,
    OrderImaging,
    RecordImaging,
    ReferenceImages,
)
from equipoise.capture.specimens import results
from equipoise.capture.specimens.commands import CollectSpecimen
from equipoise.desk.setup import add_person, certify_readers
from equipoise.desk.today import FIGURES
from equipoise.ledger.entries import Datum, SeriesSeen
from equipoise.oversight.commands import ClassDeviation, RaiseDeviation
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


@pytest.fixture
def busy(story: Story) -> tuple[Story, str, str]:
    """One participant on day 40: a late visit, a deviation by hand, an open query and an answered one."""
    number = story.eligible()
    assert story.randomize(number).accepted
    subject = story.subject(number)
    story.clock.at = dt.datetime(2026, 7, 10, 2, tzinfo=dt.UTC)
    story.done("crc", DateVisit(subject, "V6", "2026-07-05"))
    story.done("crc", RaiseDeviation(subject, "V2", "2026-06-01", "wrong room"))
    for item in ("8", "9"):
        story.done("cra", RaiseQuery(subject, "V1", "NIHSS", 1, item, "Which side?"))
    form = story.desk.form(story.who("cra"), number, "V1", "NIHSS")
    assert form is not None
    story.done("crc", AnswerQuery(subject, next(q.id for item in form.items for q in item.queries), "left"))
    return story, number, subject


def _people(story: Story) -> dict[str, str]:
    """Role -> somebody who holds it in the whole study or at site 01."""
    found = {}
    for role in FIGURES:
        actor = f"somebody-{role.replace('_', '-')}"
        site = "01" if role in {"coordinator", "investigator", "rater"} else None
        assert add_person(story.desk, actor, role, role, site) == ()
        found[role] = actor
    return found


def test_every_role_that_has_a_today_has_three_numbers_of_its_own(busy) -> None:
    story, *_ = busy
    assert {name for name, role in ROLES.items() if "today" in role.reads} == set(FIGURES)
    for role, actor in _people(story).items():
        who = story.desk.who(actor, role)
        view = story.desk.today(who) if who is not None else None
        assert view is not None, role
        assert len(view.figures) == len({one.key for one in view.figures}) == 3, role


def _view(story: Story, actor: str):
    view = story.desk.today(story.who(actor))
    assert view is not None
    return view, {one.key: one.count for one in view.figures}, {one.kind: one.arguments for one in view.tasks}


def test_the_coordinator_is_told_of_visits_queries_and_deviations_to_explain(busy) -> None:
    story, number, _ = busy
    view, counts, kinds = _view(story, "crc")
    assert counts["today.queries-open"] == 1
    assert counts["today.visits-overdue"] == sum(line.state == "OVERDUE" for line in view.visits) > 0
    assert (kinds["deviation_explain"]["number"], kinds["deviation_explain"]["n"]) == (number, "2")


def test_monitor_and_data_manager_are_told_what_waits_for_them(busy) -> None:
    story, number, subject = busy
    for actor in ("cra", "dm"):
        view, counts, kinds = _view(story, actor)
        assert (counts["today.queries-answered"], counts["today.deviations-unclassed"]) == (1, 2)
        assert (kinds["queries_answered"]["n"], kinds["deviation_class"]["number"]) == ("1", number)
        assert view.visits == ()
    page = story.desk.subject_deviations(story.who("dm"), number)
    assert page is not None
    for line in page.lines:
        story.done("dm", ClassDeviation(subject, line.id, "MINOR", important=False))
    assert "deviation_class" not in _view(story, "dm")[2]


def test_the_rater_is_told_of_ratings_and_of_nothing_else(busy) -> None:
    story, *_ = busy
    view, counts, kinds = _view(story, "rater")
    assert (
        not {"deviation_explain", "deviation_class", "dose_held", "bag_released", "break_notice"}
        & kinds.keys()
    )
    assert set(counts) == {"today.visits-overdue", "today.visits-due", "today.queries-open"}
    study = story.desk.study
    for line in view.visits:
        assert any(form.instrument for form in study.forms_at(line.visit))


def test_nothing_asked_and_nothing_due_is_a_state_that_is_reached(story: Story) -> None:
    for actor in ("crc", "pi", "rater", "cra", "dm", "stat"):
        view, counts, _ = _view(story, actor)
        assert (view.tasks, view.visits) == ((), ()), actor
        assert set(counts.values()) - {0} == set(), actor


def test_images_that_wait_for_readers_and_results_that_never_came_are_asked_of_the_data_manager(
    story: Story,
) -> None:
    """A kit whose every test could tell the arm is never missed: this door captures none of them, for anybody."""
    number = story.eligible()
    assert story.randomize(number).accepted
    subject, at = story.subject(number), "2026-06-01T01:00:00Z"
    for kit, visit in (("TUM", "V1"), ("IMMWB", "V2")):
        story.done("crc", CollectSpecimen(subject, kit, visit, at, "U"))
    with story.desk.reading() as reader:
        study = story.desk.trial(reader).study
    shown = [kit.id for kit in study.specimens.kits if any(results.tests_of(study, kit, revealing=False))]
    expected = str(sum(kit in shown for kit in ("TUM", "IMMWB")))
    story.done("crc", OrderImaging(subject, "BRAIN", "V1", "2026-05-25", "2026-06-08"))
    with story.desk.reading() as reader:
        order = next(iter(story.desk.standing_light(reader, subject).case.imaging.orders))
    story.done("crc", RecordImaging(subject, order, "2026-06-01", "GOOD", "3 T"))
    series = (SeriesSeen("1.2.826.0.1.99.2", "MR", 2),)
    story.done("crc", ReferenceImages(subject, order, "1.2.826.0.1.99.1", series))
    assert not {"images_differ", "reads_waiting", "results_missing"} & _view(story, "dm")[2].keys()
    for reader_id in ("anna", "bo"):
        assert add_person(story.desk, reader_id, reader_id, "reader", None) == ()
    assert certify_readers(story.desk) == ()
    assert _view(story, "dm")[2]["images_to_give"]["n"] == "1"
    story.done("dm", OpenReading(subject, order, "anna", "bo"))
    assert _view(story, "dm")[2]["reads_waiting"]["n"] == "2"  # two readers, blinded to each other
    assert "images_to_give" not in _view(story, "dm")[2]
    for reader_id, grade in (("anna", "1"), ("bo", "3")):  # Fazekas grades must be equal
        who = story.desk.who(reader_id, "reader")
        assert who is not None
        lines = story.desk.reads(who)
        assert lines is not None
        assert [one.scored for one in lines] == [False], (
            "each is shown what waits for the own read, and no more"
        )
        items = {"INFVOL": Datum("10"), "FAZEKAS": Datum(grade), "MRIHEM": Datum("N")}
        assert story.desk.score(who, lines[0].read, items, key=reader_id).accepted
    assert _view(story, "dm")[2]["images_differ"]["n"] == "1"
    assert "reads_waiting" not in _view(story, "dm")[2]
    story.clock.at = dt.datetime(2026, 6, 15, 2, tzinfo=dt.UTC)  # fourteen days and an hour later
    assert _view(story, "dm")[2]["results_missing"]["n"] == expected == "1"
    assert (
        not {"images_to_give", "images_differ", "reads_waiting", "results_missing"}
        & _view(story, "crc")[2].keys()
    )

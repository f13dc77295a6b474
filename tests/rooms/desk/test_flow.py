"""The flow of participants: every participant in one box of each row, and no number by arm."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.capture.commands import DateVisit
from equipoise.desk.flow import Part, flow
from equipoise.eligibility.commands import FailScreening
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from house.house_files import ROOT
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories

_LOADED = load_study(ROOT / "studies" / "nct07197606")
assert isinstance(_LOADED, Study)
STUDY = _LOADED
VISITS = [visit.id for visit in STUDY.schedule.visits if visit.day is not None]
ENDS = [None, "COMPLETED", "DEATH", "WITHDRAWAL BY SUBJECT", "LOST TO FOLLOW-UP"]

parts = st.builds(
    Part,
    st.sampled_from(["01", "02"]),
    st.sampled_from(["SCREENING", "ELIGIBLE", "SCREEN_FAILURE", "RANDOMIZED"]),
    doses=st.integers(0, 2),
    partly=st.booleans(),
    ended=st.sampled_from(ENDS),
    seen=st.frozensets(st.sampled_from(VISITS)),
).map(lambda part: replace(part, excluded="other") if part.status == "SCREEN_FAILURE" else part)


@given(st.lists(parts, max_size=30))
def test_the_boxes_of_a_row_add_up_to_the_box_above(every: list[Part]) -> None:
    view = flow(STUDY, every, ("01", "02"))
    excluded = sum(line.count for line in view.excluded)
    assert view.assessed == len(every) == view.in_screening + excluded + view.randomized
    assert sum(line.count for line in view.infused) == view.randomized
    assert view.visits
    for visit in view.visits:
        gone = sum(line.count for line in visit.ended)
        assert visit.seen + visit.awaited + visit.not_seen + gone == view.randomized
        assert min(visit.seen, visit.awaited, visit.not_seen) >= 0


def test_somebody_who_completed_without_a_visit_is_not_awaited_there() -> None:
    view = flow(STUDY, [Part("01", "RANDOMIZED", ended="COMPLETED", seen=frozenset({"V11"}))], ("01",))
    assert [(visit.seen, visit.awaited, visit.not_seen) for visit in view.visits] == [
        (0, 0, 1),
        (0, 0, 1),
        (0, 0, 1),
        (1, 0, 0),
    ]


def test_a_story_stands_in_its_boxes(story: Story) -> None:
    number = story.eligible()
    assert story.randomize(number).accepted
    other = story.screen("丙", born="1950-01-01")
    story.done("crc", FailScreening(story.subject(other), "moved away"))
    story.screen("乙", actor="crc2", site="02")
    monitor = story.who("cra")
    view, curve = story.desk.flow(monitor), story.desk.enrolment(monitor)
    assert view is not None
    assert curve is not None
    assert (view.assessed, view.in_screening, view.randomized) == (3, 1, 1)
    assert sum(line.count for line in view.excluded) == 1
    assert (curve.randomized, {site: count for site, _, count in curve.by_site}["01"]) == (1, 1)
    assert curve.plan is not None
    assert curve.forecast is not None
    own = story.desk.flow(story.who("crc2"))
    assert own is not None
    assert (own.assessed, own.randomized) == (1, 0)
    assert story.desk.enrolment(story.who("crc2")).plan is None  # a plan is of the whole trial
    assert story.desk.flow(story.who("rater")) is None


def test_the_flow_follows_what_is_recorded_later(story: Story) -> None:
    number = story.eligible()
    assert story.randomize(number).accepted
    monitor = story.who("cra")
    first = story.desk.flow(monitor)
    story.clock.at += dt.timedelta(days=30)
    story.done("crc", DateVisit(story.subject(number), "V6", story.clock.at.date().isoformat()))
    second = story.desk.flow(monitor)
    assert first is not None
    assert second is not None
    assert (first.visits[0].seen, second.visits[0].seen) == (0, 1)
    assert second.visits[0].awaited == 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_curve_is_the_same_bytes_and_holds_its_words(language) -> None:
    from equipoise.documents.enrolment import Curve, enrolment_svg
    from equipoise.documents.typeset import said

    day = dt.date(2026, 3, 1)
    curve = Curve(
        [(day, 1), (day + dt.timedelta(days=20), 4)],
        dt.date(2026, 6, 1),
        86,
        (dt.date(2026, 1, 1), dt.date(2027, 4, 1)),
        (dt.date(2027, 1, 1), dt.date(2027, 6, 1), dt.date(2028, 1, 1)),
    )
    drawn = enrolment_svg(curve, language)
    assert drawn == enrolment_svg(curve, language)
    for name in ("actual", "plan", "forecast", "axis"):
        assert said(f"documents.enrolment-{name}", language) in drawn.decode()


def test_an_end_counts_once_its_form_is_complete_as_on_every_other_page(story: Story) -> None:
    number = story.eligible()
    assert story.randomize(number).accepted
    day = story.clock.at.date().isoformat()
    ends = {"DSDECOD": "PHYSICIAN DECISION", "DSSTDAT": day}
    assert story.record("crc", number, "DS", ends, "ET").accepted
    open_yet = story.desk.flow(story.who("cra"))
    assert open_yet is not None
    assert (open_yet.visits[0].awaited, open_yet.visits[0].ended) == (1, ())
    done = story.record("crc", number, "DS", {"DSREAS": "moved"}, "ET", complete=True)
    assert done.accepted, [problem.say() for problem in done.problems]
    over = story.desk.flow(story.who("cra"))
    assert over is not None
    assert over.visits[0].awaited == 0
    assert [(line.count, line.label.en) for line in over.visits[0].ended] == [
        (1, "Decision of the physician")
    ]

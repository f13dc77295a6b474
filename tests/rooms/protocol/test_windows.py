"""Study days as dates: day 1 is the anchor, there is no day 0. Source: SDTMIG 4.4.4."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.protocol.study import Study, Visit
from equipoise.protocol.windows import (
    Plan,
    VisitRecord,
    date_of,
    day_of,
    day_one,
    forms_asked,
    plan_visit,
    state_of,
)
from equipoise.words.dates import PartialDate
from rooms.capture.conduct_study import made_definition, made_study

ANCHOR = dt.date(2026, 5, 16)


@pytest.mark.parametrize(
    ("day", "date"),
    [(1, "2026-05-16"), (2, "2026-05-17"), (-1, "2026-05-15"), (-14, "2026-05-02"), (180, "2026-11-11")],
)
def test_days_by_hand(day: int, date: str) -> None:
    assert date_of(day, ANCHOR).isoformat() == date


def test_there_is_no_day_zero() -> None:
    with pytest.raises(ValueError, match="no study day 0"):
        date_of(0, ANCHOR)


@given(st.dates(dt.date(1990, 1, 1), dt.date(2100, 1, 1)), st.integers(-4000, 4000).filter(bool))
def test_day_and_date_are_inverse(anchor: dt.date, day: int) -> None:
    assert day_of(date_of(day, anchor), anchor) == day


def test_both_ends_belong_to_the_window() -> None:
    visit = Visit.model_validate(
        {"id": "V9", "label": "Month 6", "epoch": "F", "day": 180, "window": [166, 194]}
    )
    plan = plan_visit(visit, ANCHOR)
    assert (plan.first, plan.day, plan.last) == (
        dt.date(2026, 10, 28),
        dt.date(2026, 11, 11),
        dt.date(2026, 11, 25),
    )
    found = [plan.timing(dt.date(2026, 10, 27)), plan.timing(plan.first or ANCHOR), plan.timing(plan.last or ANCHOR),
             plan.timing(dt.date(2026, 11, 26))]  # fmt: skip
    assert found == ["early", "inside", "inside", "late"]


def test_a_visit_without_a_day_has_no_plan() -> None:
    visit = Visit.model_validate({"id": "UNS", "label": "Unscheduled", "epoch": "F", "unscheduled": True})
    plan = plan_visit(visit, ANCHOR)
    assert (plan.day, plan.first, plan.last, plan.timing(ANCHOR)) == (None, None, None, None)


def test_an_incomplete_date_is_placed_only_where_all_its_days_agree() -> None:
    plan = Plan(None, dt.date(2026, 10, 28), dt.date(2026, 11, 25))
    found = [plan.timing(PartialDate(2026, month)) for month in (9, 10, 11, 12)]
    assert found == ["early", None, None, "late"]
    assert Plan(None, dt.date(2026, 10, 28), dt.date(2026, 12, 2)).timing(PartialDate(2026, 11)) == "inside"


DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1))
TRUTHS = st.booleans()


@st.composite
def planned(draw: st.DrawFn) -> Visit:
    """A visit with a day and a window around it, or without one."""
    day = draw(st.integers(-60, 400).filter(bool))
    first, last = day - draw(st.integers(0, 20)), day + draw(st.integers(0, 20))
    window = [first or -1, last or 1] if draw(TRUTHS) else None
    return Visit.model_validate({"id": "V", "label": "V", "epoch": "F", "day": day, "window": window})


@given(planned(), DAYS, DAYS, st.one_of(st.none(), DAYS), TRUTHS, TRUTHS)
def test_a_visit_is_in_one_state_and_what_was_recorded_decides_first(
    visit: Visit, anchor: dt.date, today: dt.date, on: dt.date | None, missed: bool, ended: bool
) -> None:
    state = state_of(visit, anchor, VisitRecord(on, missed), today, ended=ended)
    first, last = (
        date_of(day, anchor) for day in (visit.window or (visit.day, visit.day))
    )  # a visit without a window is due on its own day
    meant = {
        "HELD": on is not None and visit.window is None,
        "EARLY": on is not None and visit.window is not None and on < first,
        "IN_WINDOW": on is not None and visit.window is not None and first <= on <= last,
        "LATE": on is not None and visit.window is not None and on > last,
        "MISSED": on is None and missed,
        "NO_LONGER_DUE": on is None and not missed and ended,
        "NOT_DUE": on is None and not missed and not ended and today < first,
        "DUE": on is None and not missed and not ended and first <= today <= last,
        "OVERDUE": on is None and not missed and not ended and today > last,
    }
    assert [name for name, holds in meant.items() if holds] == [state]


@given(planned(), DAYS, st.lists(DAYS, min_size=2, max_size=6))
def test_an_open_visit_only_moves_on_as_days_pass(visit: Visit, anchor: dt.date, days: list[dt.date]) -> None:
    order = ["NOT_DUE", "DUE", "OVERDUE"]
    states = [state_of(visit, anchor, VisitRecord(), day, ended=False) for day in sorted(days)]
    assert states == sorted(states, key=order.index)


@given(planned(), DAYS, DAYS, st.one_of(st.none(), DAYS), st.integers(-400, 400))
def test_moving_the_anchor_moves_everything_with_it(
    visit: Visit, anchor: dt.date, today: dt.date, on: dt.date | None, by: int
) -> None:
    shift = dt.timedelta(days=by)
    moved = None if on is None else on + shift
    assert state_of(visit, anchor, VisitRecord(on), today, ended=False) == state_of(
        visit, anchor + shift, VisitRecord(moved), today + shift, ended=False
    )
    before, after = plan_visit(visit, anchor), plan_visit(visit, anchor + shift)
    for old, new in zip(
        (before.day, before.first, before.last), (after.day, after.first, after.last), strict=True
    ):
        assert new == (None if old is None else old + shift)


@given(planned(), DAYS, DAYS)
def test_days_outside_are_counted_from_the_end_that_was_passed(
    visit: Visit, anchor: dt.date, on: dt.date
) -> None:
    plan = plan_visit(visit, anchor)
    outside = plan.days_outside(on)
    assert {"early": outside < 0, "late": outside > 0}.get(plan.timing(on) or "inside", outside == 0)
    assert plan.timing(on - dt.timedelta(days=outside)) in {"inside", None}


def test_states_before_day_one_is_known() -> None:
    screening = Visit.model_validate(
        {"id": "V1", "label": "S", "epoch": "S", "day": -14, "window": [-14, -1]}
    )
    later = Visit.model_validate({"id": "V2", "label": "B", "epoch": "F", "day": 1, "window": [1, 1]})
    extra = Visit.model_validate({"id": "UNS", "label": "U", "epoch": "F", "unscheduled": True})
    found = [state_of(each, None, VisitRecord(), ANCHOR, ended=False) for each in (screening, later, extra)]
    assert found == ["DUE", "WAITING", "ON_DEMAND"]
    assert [state_of(each, None, VisitRecord(), ANCHOR, ended=True) for each in (screening, later, extra)] == [
        "NO_LONGER_DUE", "NO_LONGER_DUE", "ON_DEMAND"]  # fmt: skip
    assert (
        state_of(later, None, VisitRecord(ANCHOR), ANCHOR, ended=False) == "HELD"
    )  # no window to compare with yet


def test_day_one_is_the_first_record_that_the_study_names() -> None:
    """Source: studies/nct07197606, `anchor`: the first infusion, or, for who is never infused, randomization."""
    study = made_study()
    dose, drawn = dt.date(2026, 6, 9), dt.date(2026, 6, 2)
    assert [day_one(study, *each) for each in ((dose, drawn), (None, drawn), (None, None))] == [
        dose,
        drawn,
        None,
    ]
    other = study.model_copy(
        update={"schedule": study.schedule.model_copy(update={"day_one": ("RANDOMIZATION",)})}
    )
    assert day_one(other, dose, drawn) == drawn


def test_by_phone_nothing_is_asked_for_which_somebody_must_be_there() -> None:
    activities = [
        {"id": "A1", "label": "A", "forms": ["VS"], "visits": ["V1"], "in_person": True},
        {"id": "A2", "label": "B", "forms": ["MH", "VS"], "visits": ["V2"]},
        {"id": "A3", "label": "C", "forms": ["MH"], "visits": ["V1"]},
    ]
    definition = made_definition()
    definition["schedule"] = {**definition["schedule"], "activities": activities}
    study = Study.model_validate(definition)
    found = [[form.id for form in forms_asked(study, *each)] for each in (
        ("V1",), ("V1", "phone"), ("V1", "clinic"), ("V2", "phone"), ("V9", "phone"))]  # fmt: skip
    assert found == [["VS", "MH"], ["MH"], ["VS", "MH"], ["VS", "MH"], []]

"""Study days as dates: day 1 is the anchor, there is no day 0. Source: SDTMIG 4.4.4."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.protocol.study import Visit
from equipoise.protocol.windows import Plan, date_of, day_of, plan_visit
from equipoise.words.dates import PartialDate

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

"""When forms are due: by the study's own cadence, in the participant's zone, over every change of clocks.

Source: studies/nct07197606/diary.yaml (daily on days 1 to 28 from 18:00 for a day; weekly from day 29 to 365 for three
days); the counts are worked out by hand in each test; changes of clocks from the IANA database as CPython ships it.
"""

from __future__ import annotations

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.diary.windows import slot_of, slots
from equipoise.protocol.load import load_study

ZONES = st.sampled_from(
    ["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
)
DAYS = st.dates(dt.date(2024, 1, 1), dt.date(2030, 12, 31))
HOUR = dt.timedelta(hours=1)


@pytest.fixture(scope="module")
def plan(root):
    return load_study(root / "studies/nct07197606").diary


def test_a_year_has_28_daily_and_48_weekly_entries(plan):
    """Days 29 to 365 are 337 days: 48 whole weeks and one day over."""
    found = slots(plan, dt.date(2026, 3, 2), "Asia/Shanghai")
    assert [one.form for one in found].count("DAILY") == 28
    assert [one.form for one in found].count("WEEKLY") == 48
    assert found[0].period == "2026-03-02", "day 1"
    weekly = [one for one in found if one.form == "WEEKLY"]
    assert weekly[0].period == "2026-04-05", "day 35: 2 March is day 1, 31 March day 30"
    assert weekly[-1].period == "2027-02-28", "day 364"


def test_a_window_of_shanghai_opens_at_six_and_closes_a_day_or_three_later(plan):
    daily = slot_of(plan, "DAILY", "2026-03-02", dt.date(2026, 3, 2), "Asia/Shanghai")
    assert daily.opens == dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
    assert daily.closes == dt.datetime(2026, 3, 3, 10, tzinfo=dt.UTC)
    weekly = slot_of(plan, "WEEKLY", "2026-04-05", dt.date(2026, 3, 2), "Asia/Shanghai")
    assert weekly.closes - weekly.opens == dt.timedelta(days=3)


def test_where_a_clock_is_put_forward_the_window_is_an_hour_shorter(plan):
    """New York, 8 March 2026: 2 o'clock becomes 3."""
    over = slot_of(plan, "DAILY", "2026-03-07", dt.date(2026, 3, 2), "America/New_York")
    assert over.closes - over.opens == 23 * HOUR
    back = slot_of(plan, "DAILY", "2026-10-31", dt.date(2026, 10, 20), "America/New_York")
    assert back.closes - back.opens == 25 * HOUR, "1 November 2026: 2 o'clock becomes 1"


@given(ZONES, DAYS)
def test_daily_windows_follow_each_other_without_gap_or_overlap(plan, zone, day_one):
    daily = [one for one in slots(plan, day_one, zone) if one.form == "DAILY"]
    for one, after in itertools.pairwise(daily):
        assert one.closes == after.opens
    for one in daily:
        assert one.opens.astimezone(ZoneInfo(zone)).time() == dt.time(18)


@given(ZONES, DAYS, st.integers(-40, 420), st.sampled_from(["DAILY", "WEEKLY"]))
def test_a_slot_asked_for_by_its_period_is_the_one_in_the_list(plan, zone, day_one, after, form):
    period, ended = (day_one + dt.timedelta(days=after)).isoformat(), day_one + dt.timedelta(days=100)
    listed = [one for one in slots(plan, day_one, zone, ended) if (one.form, one.period) == (form, period)]
    assert slot_of(plan, form, period, day_one, zone, ended) == (listed[0] if listed else None)


@given(ZONES, DAYS, st.integers(-5, 400))
def test_nothing_is_due_after_the_diary_ended(plan, zone, day_one, length):
    ended = day_one + dt.timedelta(days=length)
    due = slots(plan, day_one, zone, ended)
    assert all(one.period <= ended.isoformat() for one in due)
    assert due == tuple(one for one in slots(plan, day_one, zone) if one.period <= ended.isoformat())


def test_before_day_1_is_known_nothing_is_due(plan):
    assert slots(plan, None, "Asia/Shanghai") == ()
    assert slot_of(plan, "DAILY", "2026-03-02", None, "Asia/Shanghai") is None
    assert slot_of(plan, "FALL", "2026-03-02", dt.date(2026, 3, 2), "Asia/Shanghai") is None

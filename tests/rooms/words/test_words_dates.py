"""Partial dates: read as people write them, never filled in, counted as the intervals that they are."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.words.dates import PartialDate, completed_years, days_between, parse_date
from equipoise.words.interval import Interval

days = st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31))
dates = st.one_of(
    days.map(PartialDate.of),
    days.map(lambda day: PartialDate(day.year, day.month)),
    days.map(lambda day: PartialDate(day.year)),
)


def within(date: PartialDate) -> st.SearchStrategy[dt.date]:
    """Any day that a partial date may be."""
    return st.dates(date.earliest, date.latest)


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2026-08-14", "2026-08-14"),
        ("2026/8/14", "2026-08-14"),
        ("2026.8.14", "2026-08-14"),
        ("20260814", "2026-08-14"),
        ("140826", "2026-08-14"),
        ("14-AUG-2026", "2026-08-14"),
        ("14 Aug 2026", "2026-08-14"),
        (" 14 aug 2026 ", "2026-08-14"),
        ("2026年8月14日", "2026-08-14"),
        ("２０２６－０８－１４", "2026-08-14"),
        ("2026-08", "2026-08"),
        ("2026年8月", "2026-08"),
        ("UN-AUG-2026", "2026-08"),
        ("UK AUG 2026", "2026-08"),
        ("AUG 2026", "2026-08"),
        ("2026-08-UN", "2026-08"),
        ("2026", "2026"),
        ("2026年", "2026"),
        ("UN-UN-2026", "2026"),
        ("2024-02-29", "2024-02-29"),
    ],
)
def test_what_people_write_is_understood(written, iso):
    found = parse_date(written)
    assert found is not None
    assert found.iso() == iso


@pytest.mark.parametrize(
    "written",
    [
        "",
        "soon",
        "08/14/2026",  # month first or day first cannot be told
        "14/08/2026",
        "2026-02-29",  # no leap year
        "2026-13-01",
        "2026-00-10",
        "2026-08-32",
        "14-UN-2026",  # a day without a month
        "2026-UN-14",
        "26-08-14",
        "2026-08-14-01",
        "2026-08-14T10:00",
        "12345",
        "0000-01-01",
        "-2026",
        "２０２６年１３月",
    ],
)
def test_what_is_no_date_is_refused(written):
    assert parse_date(written) is None


@given(st.text(max_size=20))
def test_any_text_is_a_date_or_none(text):
    found = parse_date(text)
    assert found is None or parse_date(found.iso()) == found


@given(dates)
def test_iso_form_reads_as_the_same_date(date):
    assert parse_date(date.iso()) == date
    assert date.complete == (date.earliest == date.latest)


@pytest.mark.parametrize("parts", [(2026, None, 3), (2026, 13), (2026, 2, 29), (0,), (2026, 0), (2026, 1, 0)])
def test_an_impossible_date_cannot_be_made(parts):
    # 0 is a month or day that was given, not one that is unknown
    with pytest.raises(ValueError):
        PartialDate(*parts)


@given(st.data(), dates, dates)
def test_days_between_holds_every_possibility_and_is_no_wider(data, start, end):
    found = days_between(start, end)
    first, second = data.draw(within(start)), data.draw(within(end))
    assert found.low <= (second - first).days <= found.high
    assert found.low == (end.earliest - start.latest).days
    assert found.high == (end.latest - start.earliest).days


@given(st.data(), dates, dates)
def test_completed_years_hold_every_possibility(data, birth, on):
    found = completed_years(birth, on)
    born, day = data.draw(within(birth)), data.draw(within(on))
    # counted another way: birthdays (29 February on 1 March in common years) that have been reached
    reached = sum(1 for year in range(born.year + 1, day.year + 1) if _birthday(born, year) <= day)
    if day >= born:
        assert found.low <= reached <= found.high


def _birthday(born: dt.date, year: int) -> dt.date:
    try:
        return born.replace(year=year)
    except ValueError:
        return dt.date(year, 3, 1)


@pytest.mark.parametrize(
    ("birth", "on", "years"),
    # Source: boundary cases of the eligibility rules: birthdays count on their day, 29 February turns on 1 March
    [
        ("2008-06-01", "2026-06-01", 18),
        ("2008-06-02", "2026-06-01", 17),
        ("1955-06-01", "2026-06-01", 71),
        ("2008-02-29", "2026-02-28", 17),
        ("2008-02-29", "2026-03-01", 18),
        ("2008-02-29", "2028-02-29", 20),
    ],
)
def test_birthdays(birth, on, years):
    born, day = parse_date(birth), parse_date(on)
    assert born is not None
    assert day is not None
    assert completed_years(born, day) == Interval.point(Decimal(years))


def test_an_impossible_age_shows():
    assert completed_years(PartialDate(2026, 5, 2), PartialDate(2026, 5, 1)).low == -1

"""The clock's words about days."""

from __future__ import annotations

import datetime as dt

import pytest

from equipoise.words.clock import end_of_day


@pytest.mark.parametrize(
    ("day", "zone", "last"),
    [
        # UTC+8 all year; summer time of Berlin ended at 01:00 UTC on 2026-10-25 (IANA), so that day lasts 25 hours
        ("2026-06-01", "Asia/Shanghai", "2026-06-01T15:59:59.999999+00:00"),
        ("2026-10-24", "Europe/Berlin", "2026-10-24T21:59:59.999999+00:00"),
        ("2026-10-25", "Europe/Berlin", "2026-10-25T22:59:59.999999+00:00"),
    ],
)
def test_a_day_ends_where_the_study_is(day, zone, last):
    assert end_of_day(dt.date.fromisoformat(day), zone).isoformat() == last

"""The use-by on a bag: the same at the first and at the second try, and never after the true one.

The numbers are the study's own: 120 minutes from thaw to end of infusion, at most 75 after the hour of release.
"""

from __future__ import annotations

import datetime as dt

import pytest

from equipoise.vault.bench import commands as bench
from rooms.vault.bench_world import BEN, CELLS, Pharmacy, make_study

MINUTE = dt.timedelta(minutes=1)


def pharmacy_at(before: int) -> Pharmacy:
    """A pharmacy that stands `before` minutes before the hour of release of `r1`."""
    pharmacy = Pharmacy(make_study(use_within=120, use_after_release=75))
    pharmacy.supply()
    pharmacy.want("r1", "s1", CELLS)
    pharmacy.now = hour(pharmacy) - before * MINUTE
    return pharmacy


def hour(pharmacy: Pharmacy) -> dt.datetime:
    return dt.datetime.fromisoformat(pharmacy.wanted["r1"].at)


def said(pharmacy: Pharmacy) -> dt.datetime:
    return dt.datetime.fromisoformat(pharmacy.last("BagPrepared").use_by)


def test_a_second_try_after_low_viability_bears_the_use_by_of_a_first_one():
    first = pharmacy_at(45)
    first.until_filled("r1")
    second = pharmacy_at(45)
    second.must(bench.OpenPreparation("r1"))
    second.must(bench.DoStep("r1", "read-aloud", BEN))
    second.must(bench.TakeUnit("r1", second.label("r1", "01")))
    second.must(bench.DoStep("r1", "thaw"))
    second.now += 10 * MINUTE
    second.must(bench.MeasureViability("r1", "60"))  # below 70: only cells can fail so
    second.now += 10 * MINUTE
    second.until_filled("r1", "02")
    assert said(first) == said(second) == hour(first) + 75 * MINUTE


@pytest.mark.parametrize("before", [120, 60, 46, 45, 30, 15])
def test_no_bag_bears_a_use_by_after_the_true_one(before):
    pharmacy = pharmacy_at(before)
    thawed = pharmacy.now
    pharmacy.until_filled("r1")
    assert said(pharmacy) == min(thawed + 120 * MINUTE, hour(pharmacy) + 75 * MINUTE)


def test_a_bag_that_is_late_bears_the_true_one():
    pharmacy = pharmacy_at(-30)
    thawed = pharmacy.now
    pharmacy.until_filled("r1")
    assert said(pharmacy) == thawed + 120 * MINUTE

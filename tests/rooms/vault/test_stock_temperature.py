"""Temperature files. Expected minutes are counted by hand from the times in each file."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.vault.stock.temperature import TemperatureLog, read_log
from equipoise.words.problem import Problem

LIMIT = Decimal("-150")


def log(*rows: str, header: str = "time,temperature") -> TemperatureLog | Problem:
    return read_log("\n".join((header, *rows)), LIMIT)


def test_a_cold_shipment_has_no_excursion():
    found = log("2027-02-01T08:00:00Z,-170.5", "2027-02-01T09:00:00Z,-150", "2027-02-01T10:00:00Z,-171")
    assert (found.readings, found.warmest, found.minutes, found.excursions) == (3, Decimal("-150"), 0, ())


def test_an_excursion_lasts_from_the_last_cold_reading_to_the_next():
    found = log(
        "2027-02-01T08:00:00Z,-170",
        "2027-02-01T08:10:00Z,-149.9",
        "2027-02-01T08:20:00Z,-120",
        "2027-02-01T08:30:30Z,-160",
    )
    # from 08:00:00, cold for the last time, to 08:30:30, cold again: 30.5 minutes, rounded up
    assert [(each.minutes, each.warmest) for each in found.excursions] == [(31, Decimal("-120"))]


def test_a_file_that_is_warm_to_its_end_counts_to_its_end():
    found = log("2027-02-01T08:00:00Z,-140", "2027-02-01T08:25:00Z,-130")
    assert found.minutes == 25


def test_what_nobody_watched_is_not_called_cold():
    found = log("2027-02-01T08:00:00Z,-170", "2027-02-01T09:30:00Z,-170", "2027-02-01T10:00:00Z,-170")
    # 08:00 to 09:30 without a reading: 90 minutes, more than the hour that counts as watched
    assert [(each.minutes, each.warmest) for each in found.excursions] == [(90, None)]


def test_a_gap_beside_a_warm_reading_is_counted_once():
    found = log("2027-02-01T08:00:00Z,-170", "2027-02-01T10:00:00Z,-100", "2027-02-01T10:30:00Z,-170")
    assert found.minutes == 150  # 08:00 to 10:30


def test_other_separators_decimal_commas_offsets_and_a_byte_order_mark():
    found = read_log(
        "\ufeffTime;Temperature;Note\r\n2027-02-01T16:00:00+08:00;\N{MINUS SIGN}170,5;a\r\n\r\n2027-02-01T08:30:00Z;-151,0;",
        LIMIT,
    )
    assert (found.readings, found.warmest, found.minutes) == (2, Decimal("-151.0"), 0)


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("", "log-without-header", None),
        ("2027-02-01T08:00:00Z,-170", "log-without-header", None),
        ("time,temperature", "log-empty", None),
        ("time,temperature\n2027-02-01T08:00:00,-170", "log-line-unreadable", "2"),  # no offset
        ("time,temperature\n2027-02-01T08:00:00Z,cold", "log-line-unreadable", "2"),
        ("time,temperature\n2027-02-01T08:00:00Z,NaN", "log-line-unreadable", "2"),
        ("time,temperature\n2027-02-01T08:00:00Z,-300", "log-line-unreadable", "2"),  # below absolute zero
        (
            "time,temperature\n2027-02-01T08:00:00Z,-170\n2027-02-01T08:00:00Z,-170",
            "log-out-of-order",
            "3",
        ),
    ],
)
def test_a_file_that_cannot_be_read_whole_is_refused_with_its_line(text, rule, line):
    found = read_log(text, LIMIT)
    assert isinstance(found, Problem)
    assert found.rule == f"vault_stock.{rule}"
    assert found.arguments.get("line") == line


@given(st.text(alphabet="time,temperature\n0123456789-:TZ.;\t", max_size=200))
def test_no_file_makes_it_fall_over(text):
    assert isinstance(read_log(text, LIMIT), TemperatureLog | Problem)

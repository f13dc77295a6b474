"""What scanners type. Source of formats and check digits: GS1 General Specifications (see bench/scan.py)."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.vault.bench.scan import Scan, check_digit, read_scan, unit_payload
from equipoise.words.problem import Problem

GTIN = "09506000134352"  # an example number of GS1's own documents
UNIT = Scan("unit", "", "AB-12", "0007", GTIN, dt.date(2027, 6, 30))


@pytest.mark.parametrize(
    "typed",
    [
        f"(01){GTIN}(10)AB-12(17)270630(21)0007",
        f"01{GTIN}10AB-12\x1d1727063021" + "0007",
        f"]C101{GTIN}1727063010AB-12\x1d21" + "0007",
        f"]d201{GTIN}1727063010AB-12<GS>21" + "0007\r\n",
        f"\x1d01{GTIN}1727063021" + "0007\x1d10AB-12",
        f"（01）{GTIN}（10）AB-12（17）270630（21）0007",  # typed while a Chinese input method was on
        f"０１{GTIN}１０AB-12|1727063021" + "0007",
    ],
)
def test_one_label_reads_the_same_however_the_scanner_sends_it(typed):
    assert read_scan(typed) == UNIT


def test_the_check_digit_of_gs1_own_example():
    # GS1 General Specifications 7.9.1: 0950600013435 -> 2
    assert check_digit("0950600013435") == "2"


def test_a_wrong_check_digit_is_refused():
    wrong = read_scan("(01)09506000134353(10)AB-12(21)0007")
    assert isinstance(wrong, Problem)
    assert wrong.rule == "vault_bench.scan-check-digit"


def test_day_zero_is_the_last_of_the_month():
    # GS1 General Specifications 7.12: where the day is 00 the last day of the month is meant; 2028 is a leap year
    scan = read_scan("(10)A(17)280200(21)1")
    assert isinstance(scan, Scan)
    assert scan.expiry == dt.date(2028, 2, 29)


@pytest.mark.parametrize(
    "typed",
    ["", " ", "hello", "(10)AB", "(21)1", "(10)A(17)271301(21)1", "(10)A(99)x(21)1", "(10)A(21)1trailing(",
     "12345", "1234567", "10" + "A" * 21 + "\x1d21" + "1", "(10)A(10)B(21)1)", "EQ.UNIT.A.1"],
)  # fmt: skip
def test_what_is_not_whole_is_refused(typed):
    assert isinstance(read_scan(typed), Problem)


def test_bags_and_requests():
    assert read_scan("012345") == Scan("bag", "012345")
    assert read_scan("EQ.BAG.012345\n") == Scan("bag", "012345")
    assert read_scan("eq.req.abcdefgh23456789") == Scan("request", "abcdefgh23456789")
    assert read_scan("abcdefgh23456789") == Scan("request", "abcdefgh23456789")


CODES = st.text("ABCDEFGHJKabcdef0123456789./_-", min_size=1, max_size=20)


@given(CODES, CODES, st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)), st.booleans())
def test_every_label_that_we_print_is_read_back(lot, serial, expiry, with_gtin):
    gtin = GTIN if with_gtin else ""
    assert read_scan(unit_payload(lot, serial, expiry, gtin)) == Scan("unit", "", lot, serial, gtin, expiry)
    raw = f"{'01' + gtin if gtin else ''}17{expiry:%y%m%d}10{lot}\x1d21{serial}"
    assert read_scan(raw) == Scan("unit", "", lot, serial, gtin, expiry)


@given(st.text(max_size=60))
def test_no_text_makes_it_fall_over(typed):
    assert isinstance(read_scan(typed), Scan | Problem)

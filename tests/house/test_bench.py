"""The bench counts rightly and hides no fault. What it measures is never judged here."""

from __future__ import annotations

import math
import time

import pytest
from bench.blind_rounds import blind_rows
from bench.diary_rounds import diary_rows
from bench.ledger_rounds import ledger_rows
from bench.list_rounds import list_rows
from bench.machine import durable_write, speed_loop
from bench.randomize_rounds import randomize_rows
from bench.rounds import Round, run_round
from bench.table import HEADINGS, Row, render, row_of
from bench.timing_rounds import permutation, timing_rows
from bench.visitor import Visitor
from bench.web_rounds import web_rows


@pytest.mark.parametrize(("percent", "expected"), [(50, 50), (95, 95), (99, 99), (100, 100), (1, 1)])
def test_percentiles_of_one_to_a_hundred_are_themselves(percent, expected):
    """Nearest rank: the p-th percentile of n ordered values is the one at ceil(p n / 100); here that is p."""
    assert Round(tuple(float(n) for n in range(1, 101)), 1.0, ()).percentile(percent) == expected


def test_percentile_of_nothing_is_not_a_number():
    assert math.isnan(Round((), 1.0, ()).percentile(50))


def test_a_round_stops_at_its_count_and_keeps_every_latency():
    result = run_round(lambda worker: lambda: time.sleep(0.001), workers=3, seconds=30, actions_max=5)
    assert len(result.taken_ms) == 15
    assert result.taken_ms == tuple(sorted(result.taken_ms))
    assert result.taken_ms[0] >= 1.0
    assert not result.faults


def test_a_round_stops_at_its_time():
    result = run_round(lambda worker: lambda: time.sleep(0.001), workers=1, seconds=0.05)
    assert result.wall_s < 5


def test_faults_are_counted_and_shown():
    def make(worker):
        if worker == 0:
            raise ConnectionRefusedError("nobody there")

        def act():
            raise ValueError("status 500")

        return act

    result = run_round(make, workers=2, seconds=1)
    assert len(result.faults) == 2
    assert not result.taken_ms
    assert "2 faults" in row_of("save", "2 clients", "saves", result).note


def test_the_table_has_a_line_for_each_row_under_its_headings():
    text = render([Row("verify", "10,000 entries", "1 entries/s")]).splitlines()
    assert text[0].split() == " ".join(HEADINGS).split()
    assert text[2].startswith("verify  ")


def test_the_machine_is_measured(tmp_path):
    assert speed_loop() > 0
    assert durable_write(tmp_path) > 0
    assert not list(tmp_path.iterdir())


def test_the_ledger_is_measured_without_a_fault_and_verifies_afterwards(tmp_path):
    rows = list(ledger_rows(tmp_path / "store", seconds=0.05, entries=5))
    assert [row.measured for row in rows].count("append, on disk") == 2
    assert all(row.note.startswith("n=") for row in rows[:-1]), rows
    assert rows[-1].note.startswith("ok "), rows[-1]


def test_randomizing_is_measured_without_a_fault(tmp_path):
    rows = list(randomize_rows(tmp_path / "store", seconds=0.1, slots=600))
    assert [row.circumstances for row in rows] == ["1 caller", "8 callers", "32 callers"]
    assert all(row.note.startswith("n=") for row in rows), rows


def test_the_diary_is_measured_and_everything_sent_is_at_the_hospital(tmp_path):
    rows = list(diary_rows(tmp_path / "store", seconds=0.1, phones=4, queued=5, senders=2))
    assert [row.rate.split()[1] for row in rows] == ["entries/s", "saves/s"]
    assert all(row.note.startswith("n=") for row in rows), rows


def test_the_second_door_is_measured_without_a_fault(tmp_path):
    rows = list(blind_rows(tmp_path / "vault", seconds=0.1))
    assert [row.measured for row in rows].count("save revealing values, on disk") == 2
    assert all(row.note.startswith("n=") for row in rows), rows


def test_the_list_is_measured_and_verifies(tmp_path):
    rows = list(list_rows(tmp_path / "list", large=500, whole=200))
    assert [row.rate.endswith(" slots/s") for row in rows] == [True] * 4
    assert "ok 200 slots, 0 dispensed" in rows[1].note


def test_the_pages_are_measured_without_a_fault(tmp_path):
    rows = list(web_rows(tmp_path / "store", seconds=0.2, clients=(1, 2)))
    assert len(rows) == 4
    assert all(row.note.startswith("n=") for row in rows), rows


def test_a_visitor_goes_nowhere_but_this_machine():
    with pytest.raises(ValueError, match="this machine"):
        Visitor("http://192.0.2.1:8000/")


def test_a_permutation_test_gives_the_exact_value_of_a_small_case():
    """By hand: of the six ways to halve 1, 2, 3, 4, two differ in their means by 2 or more: p is a third."""
    assert permutation([1.0, 2.0], [3.0, 4.0], permutations=20_000) == pytest.approx(1 / 3, abs=0.03)
    assert permutation([5.0, 5.0], [5.0, 5.0]) == 1.0


def test_times_by_arm_are_told_as_ratios(tmp_path):
    rows = list(timing_rows(tmp_path / "timing", people=4, repeats=1))
    assert [row.circumstances for row in rows] == [
        "randomize",
        "the casebook",
        "the infusion page",
        "the blind's page",
    ]
    for row in rows:
        assert row.rate.endswith(" arm/arm")
        assert float(row.rate.split()[0]) > 0
        assert "permutation p" in row.note

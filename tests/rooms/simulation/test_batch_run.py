"""The batch simulation around its compiled program: files, work that was broken off, measures, and what is refused.

The program itself is held by test_batch_trial.py; where it does not matter here, rows are made up from the work's own
digest and trial numbers. Expected values are arithmetic in the comments, or the sources that are named.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.simulation.batch import characteristics as measures
from equipoise.simulation.batch import chunks, engines, scenario
from equipoise.simulation.batch import run as running
from equipoise.simulation.batch.asked import Scenario
from equipoise.simulation.batch.characteristics import characteristics, p_values
from equipoise.words.problem import Problem
from rooms.simulation.batch_cases import FOLDER, SMALL, answer, made_up, numbers, shape


def ready_of(digest, **others):
    one = Scenario(id=f"s{digest[:2]}", people="null")
    return scenario.Ready(one, 40, numbers(**others), digest, (40,), (400.0,))


def test_the_same_order_gives_the_same_bytes_and_goes_on_where_it_was(
    no_program, capsys, tmp_path, monkeypatch
):
    status, alone, _ = answer(capsys, *SMALL)
    assert status == 0
    monkeypatch.setattr(chunks, "CHUNK", 16)
    calls = []

    def broken(work):
        calls.append(work)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return made_up(work)

    monkeypatch.setattr(engines, "rows", broken)
    status, _, _ = answer(capsys, *SMALL, "-o", str(tmp_path / "out"))
    assert status == 1
    assert len(calls) == 4
    status, again, _ = answer(capsys, *SMALL, "-o", str(tmp_path / "out"))
    assert status == 0
    # two scenarios in three sizes each; three pieces were kept, the fourth was broken off
    assert len(calls) == 4 + 6 * math.ceil(50 / 16) - 3
    assert json.loads(again)["scenarios"] == json.loads(alone)["scenarios"]
    table = (tmp_path / "out" / "characteristics.csv").read_text("utf-8-sig").splitlines()
    assert table[0] == "scenario,people,participants,leaving,death,trials,measure,value,error,low,high"
    assert {line.split(",")[0] for line in table[1:]} == {"null", "design"}


def test_the_report_has_every_scenario_its_errors_and_a_figure_in_both_languages(
    no_program, capsys, tmp_path
):
    out = tmp_path / "out"
    status, printed, _ = answer(capsys, *SMALL, "--grid", "-o", str(out))
    assert status == 0
    files = json.loads(printed)["files"]
    assert {Path(name).suffix for name in files} == {".csv", ".json", ".html", ".pdf"}
    for language in ("en", "zh"):
        page = (out / f"report.{language}.html").read_text("utf-8")
        assert "<svg" in page
        assert all(f">{name}<" in page for name in ("null", "design"))
        for exhibit in ("S-01", "S-02", "S-03", "S-04", "S-05", "S-06", "S-07", "S-08", "S-09"):
            assert exhibit in page
    assert out.joinpath("report.en.pdf").read_bytes().startswith(b"%PDF")


@given(cut=st.integers(0, 4_000), flipped=st.integers(0, 4_000))
@settings(max_examples=25, deadline=None)
def test_a_file_that_was_cut_or_damaged_loses_no_more_than_its_end(tmp_path_factory, cut, flipped):
    """Whatever byte is lost or changed, what is read is right, and running the rest gives the whole."""
    folder = tmp_path_factory.mktemp("rows")
    one = ready_of("ab" * 32)

    def fill(results):
        for work in chunks.all_missing(results, [one], 8):
            results.take(work, made_up(work))
        return results.rows[one.digest]

    def opened():
        return chunks.open_results(shape(), [one], seed=5, trials=30, folder=folder)

    chunks_of = chunks.CHUNK
    chunks.CHUNK = 8
    try:
        expected = fill(opened())
        path = folder / chunks.FILE
        data = bytearray(path.read_bytes())
        at = len(chunks.MARK) + flipped % (len(data) - len(chunks.MARK))
        data[at] ^= 1
        path.write_bytes(bytes(data[: max(len(chunks.MARK), len(data) - cut % len(data))]))
        found = opened()
        kept = ~np.isnan(found.rows[one.digest][0])
        np.testing.assert_array_equal(found.rows[one.digest][:, kept], expected[:, kept])
        np.testing.assert_array_equal(fill(found), expected)
        np.testing.assert_array_equal(fill(opened()), expected)
    finally:
        chunks.CHUNK = chunks_of


def test_rows_of_other_seeds_and_scenarios_are_not_taken(tmp_path):
    one, other = ready_of("ab" * 32), ready_of("cd" * 32)
    results = chunks.open_results(shape(), [one], seed=5, trials=10, folder=tmp_path)
    for work in chunks.all_missing(results, [one], 8):
        results.take(work, made_up(work))
    assert chunks.open_results(shape(), [one], seed=5, trials=20, folder=tmp_path).done == 10
    assert chunks.open_results(shape(), [one], seed=6, trials=10, folder=tmp_path).done == 0
    assert chunks.open_results(shape(), [other], seed=5, trials=10, folder=tmp_path).done == 0


def test_the_digest_is_that_of_every_number():
    given_, compiled = numbers(), shape()
    digests = {scenario.digest(given_, compiled), scenario.digest(given_, shape(depends=True))}
    for name in given_._fields:
        digests.add(
            scenario.digest(given_._replace(**{name: np.full_like(getattr(given_, name), 7)}), compiled)
        )
    assert len(digests) == 2 + len(given_._fields)


def test_little_memory_makes_smaller_blocks_and_very_little_is_refused(no_program, capsys):
    compiled = shape()
    sizes = [chunks.fitting_block(compiled, mib * 2**20, 1) for mib in (4_000, 450, 430, 420)]
    assert sizes[0] == 256
    assert all(isinstance(size, Problem) or size & (size - 1) == 0 for size in sizes)
    allowed = [size for size in sizes if not isinstance(size, Problem)]
    assert allowed == sorted(allowed, reverse=True)
    status, _, said = answer(capsys, *SMALL, "--memory", "50")
    assert status == 1
    assert "MiB" in said
    status, out, _ = answer(capsys, *SMALL, "--memory", "500")
    assert status == 0
    assert json.loads(out)["scenarios"] == json.loads(answer(capsys, *SMALL)[1])["scenarios"]


@pytest.mark.parametrize(
    ("text", "changed", "rule"),
    [
        ("endpoint: fma-d180", "endpoint: fma-d181", "simulate.endpoint-unknown"),
        ("baseline: V2", "baseline: V99", "simulate.visit-unknown"),
        ("visits: [V6, V8, V9, V11]", "visits: [V6, V8]", "simulate.endpoint-visit"),
        ("lowest: 0, highest: 100", "lowest: 100, highest: 0", "simulate.scale-empty"),
        ("of: nihss", "of: nothing", "simulate.quantity-unknown"),
        ("factor: days_group", "factor: months", "simulate.factor-unknown"),
        ("people: modest}", "people: miracle}", "simulate.people-unknown"),
        ("alpha: 0.05", "alpha: 1.5", "simulate.value"),
        ("futility: 0.10", "futility: -0.2", "simulate.value"),
        ("leaving: 3}\n  - {id: design", "leaving: -3}\n  - {id: design", "simulate.value"),
        ("low: 0.36", "low: 0.9", "simulate.scale-empty"),
        ('scenarios: ["null", modest, moderate, design]', "scenarios: [nosuch]", "simulate.scenario-unknown"),
        ("lead_days: 7", "lead_days: -7", "simulate.value"),
        ("hopeless: {power: 0.5}", "hopeless: {power: 50}", "simulate.value"),
        ("study: nct07197606", "study: other", "virtual.other-study"),
    ],
)
def test_what_cannot_be_is_named_with_its_place(tmp_path, study, text, changed, rule):
    folder = tmp_path / "study"
    folder.mkdir()
    shutil.copy(FOLDER / "people.yaml", folder)
    written = (FOLDER / "simulation.yaml").read_text("utf-8")
    assert text in written
    (folder / "simulation.yaml").write_text(written.replace(text, changed, 1), "utf-8")
    found = running.read_design(folder, study)
    assert found[0].rule == rule
    assert found[0].where.startswith("simulation.yaml:")
    for language in ("en", "zh"):
        assert found[0].say(language)


def test_a_study_without_a_model_is_told_which_file_to_write(tmp_path, study):
    found = running.read_design(tmp_path, study)
    assert found[0].rule == "virtual.no-model"
    assert "people.yaml" in found[0].say()
    shutil.copy(FOLDER / "people.yaml", tmp_path)
    found = running.read_design(tmp_path, study)
    assert found[0].rule == "simulate.no-file"
    assert "simulation.yaml" in found[0].say()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--trials", "0", "--seed", "1"), "--trials"),
        (("--trials", "5", "--seed", "-1"), "--seed"),
        (("--trials", "5", "--seed", "1", "--scenario", "nosuch"), "nosuch"),
        (("--trials", "5", "--seed", "1", "--leaving", "-1"), "--leaving"),
        (("--trials", "5", "--seed", "1", "--participants", "3"), "--participants"),
        (("--trials", "5", "--seed", "1", "--people", "20", "--scenario", "null"), "--people"),
    ],
)
def test_an_order_that_cannot_be_done_is_refused(no_program, capsys, arguments, says):
    status, _, said = answer(capsys, *arguments)
    assert status == 1
    assert says in said


@pytest.mark.parametrize(("absent", "engine", "says"), [("ray", "ray", "Ray"), ("jax", "jax", "JAX")])
def test_what_is_not_installed_is_named(capsys, monkeypatch, absent, engine, says):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == absent else found(name))
    status, _, said = answer(capsys, *SMALL, "--engine", engine)
    assert status == 1
    assert says in said
    assert f"equipoise[{'sim' if absent == 'jax' else 'ray'}]" in said


def test_the_command_is_known_without_jax():
    source = "import sys, equipoise.cli.main, equipoise.cli.simulate, equipoise.simulation.batch.run as r; print(sorted({'jax', 'ray'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_measures_are_those_of_the_rows(prepared):
    """Four trials: two reject, one does not, one has no fit. t = 4 on 60 degrees of freedom has p = 0.00018."""
    ready_made, wanted = prepared
    compiled = scenario.shape(ready_made, wanted)
    one = scenario.ready(ready_made, wanted[0], compiled)
    names = chunks.columns(compiled)
    rows = np.ones((len(names), 4))
    rows[names.index("effect1")] = [4.0, -4.0, 1.0, 9.0]
    rows[names.index("df1")] = 60.0
    rows[names.index("fitted1")] = [1, 1, 1, 0]
    rows[names.index("whole")] = [0.0, 0.0, 2.0, 2.0]
    rows[names.index("log_odds")] = [3.0, 0.0, 3.0, 0.0]
    found = characteristics(ready_made, one, compiled, rows)
    assert found["rejects"].value == 0.5
    assert found["rejects"].error == pytest.approx(math.sqrt(0.25 / 4))
    assert found["rejects_better"].value == 0.25
    assert found["not_converged"].value == 1
    assert found["truth"].value == 1.0
    assert found["odds_rejects"].value == 0.5
    assert found["sequence_second"].value == 0.25  # only the first trial rejects both
    assert found["covers"].value == pytest.approx(
        1 / 3
    )  # of the three fits, 1 ± 2.0003 alone holds the truth
    assert p_values(np.array([2.0003]), np.array([1.0]), np.array([60.0]))[0] == pytest.approx(0.05, abs=1e-5)


def test_a_rate_of_nothing_or_everything_has_an_interval_and_no_error():
    """Wilson's bounds at 0 of 100: 0 and z^2 / (n + z^2) = 3.8415 / 103.8415 = 0.0370 (Wilson 1927)."""
    none, every = (measures.rate_of("rejects", np.full(100, hit)) for hit in (False, True))
    assert none.error is None
    assert (none.interval.low, none.interval.high) == pytest.approx((0.0, 0.0370), abs=1e-4)
    assert none.bracket(100.0) == " (0.00–3.70)"
    assert every.error is None
    assert (every.interval.low, every.interval.high) == pytest.approx((0.9630, 1.0), abs=1e-4)


def test_scenarios_of_one_digest_are_run_once(tmp_path):
    """`null` and `null` by another name are the same numbers: the same trials, told twice and run once."""
    one = ready_of("ab" * 32)
    twin = dataclasses.replace(one, scenario=Scenario(id="twin", people="null"))
    results = chunks.open_results(shape(), [one, twin], seed=5, trials=30, folder=tmp_path)
    todo = chunks.all_missing(results, [one, twin], 8)
    assert sum(work.count for work in todo) == 30
    for work in todo:
        results.take(work, made_up(work))
    assert results.done == 30
    results.take(todo[0], made_up(todo[0]))
    assert results.done == 30


def test_the_rows_that_are_kept_count_as_memory():
    """Two scenarios of 10 million trials: 8 bytes, a column and a trial, twice."""
    compiled, both = shape(), [ready_of("ab" * 32), ready_of("cd" * 32)]
    held = chunks.results_bytes(compiled, [*both, both[0]], 10_000_000)
    assert held == 2 * 10_000_000 * 8 * len(chunks.columns(compiled))
    assert chunks.fitting_block(compiled, 2 * 2**30, 1) == 256
    assert isinstance(chunks.fitting_block(compiled, 2 * 2**30, 1, held), Problem)
    assert chunks.fitting_block(compiled, 2 * 2**30 + held, 1, held) == 256


def test_the_grid_keeps_its_own_sizes_and_rates(no_program, capsys):
    status, printed, _ = answer(
        capsys, *SMALL, "--grid", "--participants", "40", "--leaving", "2", "--death", "while-alive"
    )
    assert status == 0
    said = {one["id"]: one for one in json.loads(printed)["scenarios"]}
    assert (said["design"]["participants"], said["design"]["leaving"]) == (40, 2)
    assert {
        (one["participants"], one["leaving"]) for name, one in said.items() if name.startswith("design-")
    } == {(size, times) for size in (60, 86, 112, 140) for times in (1, 3)}
    assert {one["death"] for one in said.values()} == {"while-alive"}


def test_leaving_is_a_product_of_chances_to_stay():
    """Ten people; two leave before day 30, two more before day 90: 8/10 stay, then 6/8."""
    days = np.array([5.0, 20.0, 40.0, 80.0] + [np.inf] * 6)
    np.testing.assert_allclose(scenario._kept(days, (30, 90)), [0.8, 0.75])


def test_the_correlation_behind_grades_is_found_again():
    """A truth of 0.6 with grades cut at the quartiles; the error of 40,000 pairs is about 0.005."""
    rng = np.random.default_rng(1)
    first = rng.normal(size=40_000)
    second = 0.6 * first + 0.8 * rng.normal(size=40_000)
    grades = np.searchsorted([-0.674, 0.0, 0.674], second).astype(float)
    assert scenario._polyserial(grades, first) == pytest.approx(0.6, abs=0.02)


def test_scenarios_of_a_study_share_a_shape_and_differ_in_numbers(prepared):
    ready_made, wanted = prepared
    compiled = scenario.shape(ready_made, wanted)
    null, active = (scenario.ready(ready_made, one, compiled) for one in wanted)
    np.testing.assert_array_equal(null.numbers.effect, 0.0)
    assert np.all(np.diff(active.numbers.effect) > 0)
    assert active.numbers.effect[2] == pytest.approx(
        11.0, abs=0.5
    )  # calibrated: domain notes, 11.0 at day 180
    assert null.numbers.mean[0] == pytest.approx(37.3, abs=4 * 18.8 / math.sqrt(200))  # the same notes
    assert null.digest != active.digest
    longer = scenario.ready(ready_made, wanted[1].model_copy(update={"leaving": 3.0}), compiled)
    np.testing.assert_allclose(longer.numbers.stay, active.numbers.stay**3)
    assert dataclasses.asdict(null)["participants"] == 86


@pytest.mark.nightly
def test_known_truths_by_the_compiled_program(study, design, tmp_path):
    """Type I error of 20,000 trials within 4 Monte Carlo errors of 5 %; the processes give the rows of one process."""
    wanted = running.named(design[0], ["null"])
    order = running.Order(20_000, 11, "jax", 1_000, None, tmp_path / "one")
    found = running.simulate(study, design, wanted, order)
    measures = found.found["null"]
    assert abs(measures["rejects"].value - 0.05) < 4 * math.sqrt(0.05 * 0.95 / 20_000)
    assert abs(measures["covers"].value - 0.95) < 4 * math.sqrt(0.05 * 0.95 / 20_000)
    assert abs(measures["bias"].value) < 4 * measures["bias"].error
    assert measures["not_converged"].value == 0
    pooled = running.simulate(
        study, design, wanted, dataclasses.replace(order, engine="processes", folder=None)
    )
    rows = pooled.results.rows[pooled.scenarios[0].digest]
    np.testing.assert_allclose(rows, found.results.rows[found.scenarios[0].digest], rtol=1e-9, atol=1e-9)


def test_a_worker_does_not_run_the_main_program_again(tmp_path):
    """The command is a file that runs when it is read; a pool started from it must not read it again."""
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\n"
        "print('once', flush=True)\n"
        "from equipoise.simulation.batch import engines\n"
        "engines.rows = len\n"
        "done = dict((len(piece), found) for piece, found in engines.run('processes', ['a', 'bb', 'ccc'], 2))\n"
        "print(dict(sorted(done.items())))\n",
        "utf-8",
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["once", "{1: 1, 2: 2, 3: 3}"]

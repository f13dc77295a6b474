"""What a batch does with the design around its trials: points given up, a larger trial, bags on shelves, two pages.

The rows are made up here; the program that makes real ones is held by test_batch_trial.py. Expected values are
arithmetic in the comments, or the sources that are named.
"""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from scipy import special, stats

from equipoise.simulation.batch import chunks, engines, hopeless, larger, limits, scenario, shelves
from equipoise.simulation.batch import run as running
from equipoise.simulation.batch.asked import Shelves
from rooms.documents.test_documents import inside, pages
from rooms.simulation.batch_cases import answer, made_up


def ready_of(prepared, asked, compiled) -> scenario.Ready:
    """A scenario that can be made ready."""
    found = scenario.ready(prepared, asked, compiled)
    assert isinstance(found, scenario.Ready)
    return found


def test_the_limit_of_a_stratum_is_the_studys_own(study):
    """Eligibility: NIHSS 6 to 12 and 13 to 20, days 14 to 45 and 46 to 90; halfway between."""
    assert limits.limit_of(study, "nihss_group") == 12.5
    assert limits.limit_of(study, "days_group") == 45.5
    assert limits.limit_of(study, "nosuch") is None
    turned = study.randomization.factors[0].model_copy(
        update={"levels": study.randomization.factors[0].levels[::-1]}
    )
    other = study.randomization.model_copy(update={"factors": (turned,)})
    assert limits.limit_of(study.model_copy(update={"randomization": other}), "nihss_group") is None


def test_looks_double_until_all_trials():
    assert hopeless.looks(5 * chunks.CHUNK) == tuple(chunks.CHUNK * times for times in (1, 2, 4, 5))
    assert hopeless.looks(chunks.CHUNK) == (chunks.CHUNK,)


def rejecting_rows(share):
    """Rows of which the first `share` of a hundred reject: t = 9 or 0 on 60 degrees of freedom."""

    def rows(work):
        names = chunks.columns(work.shape)
        found = made_up(work)
        for look in range(work.shape.looks):
            hit = np.arange(work.first, work.first + work.count) % 100 < share
            found[names.index(f"effect{look}")] = np.where(hit, 9.0, 0.0)
            for name in ("adjusted", "variance"):
                found[names.index(f"{name}{look}")] = 1.0
            found[names.index(f"df{look}")] = 60.0
        return found

    return rows


@pytest.mark.parametrize(("share", "expected"), [(20, 200), (48, 0), (90, 0)])
def test_a_hopeless_point_is_given_up_and_says_why(
    no_program, capsys, monkeypatch, tmp_path, share, expected
):
    """Wanted are 50 %. Of 200 trials 40 reject: the bound of Clopper and Pearson is near 0.30, far below; 96 give up nothing."""
    monkeypatch.setattr(chunks, "CHUNK", 200)
    monkeypatch.setattr(engines, "rows", rejecting_rows(share))
    order = (
        "--trials",
        "1000",
        "--seed",
        "3",
        "--people",
        "200",
        "--scenario",
        "null,design",
        "--grid",
        "--json",
    )
    status, printed, _ = answer(capsys, *order, "-o", str(tmp_path))
    assert status == 0
    said = {one["id"]: one for one in json.loads(printed)["scenarios"]}
    assert said["null"]["given_up"] is None  # never: its share is an error of the first kind
    assert said["null"]["trials"] == 1000
    point = said["design-60-1"]
    if not expected:
        assert (point["given_up"], point["trials"]) == (None, 1000)
        return
    assert point["trials"] == expected
    # three looks before the end: a third of 0.001 each; the bound solves P(at most 40 of 200) = 0.001 / 3
    bound = point["given_up"]["power_at_most"]
    assert stats.binom.cdf(40, 200, bound) == pytest.approx(0.001 / 3, rel=1e-3)
    assert "given up after 200 trials" in (tmp_path / "report.en.html").read_text("utf-8")
    assert answer(capsys, *order, "-o", str(tmp_path))[1] == printed  # what is there already changes nothing


def test_a_point_without_an_effect_is_never_given_up(prepared, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 200)
    ready_made, wanted = prepared
    grid = ready_made.asked.grid.model_copy(update={"people": "null"})
    asked = ready_made.asked.model_copy(update={"grid": grid})
    ready_made = dataclasses.replace(ready_made, asked=asked)
    points = list(grid.scenarios())[:1]
    compiled = scenario.shape(ready_made, points)
    one = ready_of(ready_made, points[0], compiled)
    results = chunks.open_results(compiled, [one], seed=1, trials=1000, folder=None)
    given_up = {}
    for kept, until in hopeless.rounds(ready_made, results, [one], given_up):
        for work in chunks.all_missing(results, kept, 8, until):
            results.take(work, rejecting_rows(0)(work))
    assert not given_up
    assert results.done == 1000
    assert wanted


def drawn_looks(effect, seed, sizes, most):
    """Normal increments: (looks + sizes, trials) statistics with information 45 at the look and n / 86 * 100 at the end."""
    rng = np.random.default_rng(seed)
    informations = [45.0, *(100.0 * size / 86.0 for size in sizes)]
    score, before, found = np.zeros(most), 0.0, []
    for information in informations:
        score = (
            score + rng.normal(size=most) * math.sqrt(information - before) + effect * (information - before)
        )
        before = information
        found.append((score / information, 1.0 / information))
    return found


@pytest.mark.parametrize("effect", [0.0, 0.2])
def test_a_larger_trial_keeps_the_level(prepared, effect):
    """200,000 trials of exact normal increments: 2.5 % one-sided without an effect, within 4 Monte Carlo errors.

    With one, the power of the planned test is that of the closed form, and the larger trial has more.
    """
    ready_made, _ = prepared
    asked, most = ready_made.asked.reestimation, 200_000
    planned = next(one for one in ready_made.asked.scenarios if one.id == "null")
    family = [planned, *larger.larger(ready_made, planned)]
    assert [one.participants for one in family] == [None, 112, 140]
    compiled = scenario.shape(ready_made, family)
    ready = [ready_of(ready_made, one, compiled) for one in family]
    assert larger.same_look(ready) is None
    first, *ends = drawn_looks(effect, 8, (86, 112, 140), most)
    names, rows = chunks.columns(compiled), {}
    for place, (estimate, variance) in enumerate(ends):
        made = np.ones((len(names), most))
        for look, (value, spread) in enumerate((first, (estimate, variance))):
            made[names.index(f"effect{look}")] = ready_made.better * value
            made[names.index(f"adjusted{look}")] = spread
            made[names.index(f"df{look}")] = 1e9
        rows[ready[place].digest] = made
    found = {one.name: one for one in larger.reestimated(ready_made, ready, compiled, rows)}
    rejects = found["larger_rejects_better"]
    assert asked.weight == 0.45
    assert 0.0 < found["larger"].value < 1.0
    assert 86 < found["larger_size"].value < 140
    if effect == 0.0:
        assert abs(rejects.value - 0.025) < 4 * math.sqrt(0.025 * 0.975 / most)
    else:
        closed = special.ndtr(effect * math.sqrt(100.0) - special.ndtri(0.975))
        planned_power = np.mean(ends[0][0] / np.sqrt(ends[0][1]) > special.ndtri(0.975))
        assert planned_power == pytest.approx(closed, abs=4 * rejects.error)
        assert rejects.value > planned_power + 4 * rejects.error


def test_a_look_after_everybody_is_in_allows_no_larger_trial(prepared):
    ready_made, wanted = prepared
    compiled = scenario.shape(ready_made, wanted)
    one = ready_of(ready_made, wanted[0], compiled)
    late = dataclasses.replace(one, enrolled=(one.enrolled[0] + 1, 112))
    found = larger.same_look([one, late])
    assert found.rule == "simulate.reestimation-late"
    assert found.say("zh") != found.say("en")


RULE = shelves._Rule(2, 1, 1, 2, (0,), Shelves(lead_days=10, shelf_days=100, fails=0.0, because=""))


def course(rule, days, arms, seed=1):
    arms = np.array(arms)[:, None]
    lacking, sent, spoiled = shelves._course(rule, (np.array(days, float), np.zeros_like(arms), arms), seed)
    return float(lacking[0]), float(sent[0]), float(spoiled[0])


@pytest.mark.parametrize(
    ("days", "arms", "lacking", "sent"),
    [  # two units of each product at the start, one dose may be taken while a shipment of ten days is on its way
        (
            [0, 20, 40],
            [0, 0, 0],
            0,
            3,
        ),  # sent on day 0 and there on day 10; four units by day 40, sent again on day 40
        ([0, 1, 2], [0, 0, 0], 1, 2),  # the third dose of the same product comes before the shipment
        ([0, 1, 2], [0, 1, 0], 0, 2),  # the other product has one left
        ([0, 120], [0, 1], 1, 2),  # all that came by day 10 was too old by day 120
    ],
)
def test_a_bag_is_there_or_not_by_hand(days, arms, lacking, sent):
    found = course(RULE, days, arms)
    assert found[0] == lacking
    assert found[2] == 0
    assert found[1] >= sent


def test_units_that_fail_are_taken_again_and_more_participants_change_no_draw(prepared):
    """At 50 % about half of a thousand doses need a second unit: 500 with a deviation of 16."""
    rule = dataclasses.replace(
        RULE, each=40, reserve=20, asked=RULE.asked.model_copy(update={"fails": 0.5, "lead_days": 0})
    )
    days, arms = np.arange(20.0), np.zeros((20, 50), int)
    lacking, sent, spoiled = shelves._course(rule, (days, arms, arms), 5)
    assert abs(spoiled.sum() - 500) < 4 * 16
    assert lacking.sum() == 0
    assert sent.max() > 1
    ready_made, wanted = prepared
    compiled = scenario.shape(ready_made, wanted)
    one = ready_of(ready_made, wanted[0], compiled)
    figures = {each.name: each for each in shelves.supply_figures(ready_made, one, 3, 40)}
    assert set(figures) == {"no_bag", "doses_without_bag", "shipments", "units_spoiled"}
    short = dataclasses.replace(one, participants=30)
    _, sites, of_arms = shelves._people(ready_made, short, (3, 40))
    _, more_sites, more_arms = shelves._people(ready_made, one, (3, 40))
    np.testing.assert_array_equal(more_sites[:30], sites)
    np.testing.assert_array_equal(more_arms[:30], of_arms)


def test_two_pages_are_two_pages_and_have_both_strategies_and_their_errors(no_program, capsys, tmp_path):
    names = "null,design,null-while-alive,design-while-alive,null-many-leave,design-many-leave"
    order = ("--trials", "60", "--seed", "3", "--people", "200", "--scenario", names, "--grid", "--json")
    status, printed, _ = answer(capsys, *order, "-o", str(tmp_path))
    assert status == 0
    briefs = sorted(path.name for path in tmp_path.glob("brief.*.pdf"))
    assert "brief.en.pdf" in briefs
    assert set(briefs) <= {path.rsplit("/", 1)[-1] for path in json.loads(printed)["files"]}
    for name in briefs:
        assert pages(b"".join(inside((tmp_path / name).read_bytes()))) == 2, name


def test_the_order_of_the_file_is_that_of_the_sizes(prepared):
    """A family is planned, then larger; a scenario that is already as large has none."""
    ready_made, _ = prepared
    planned = next(one for one in ready_made.asked.scenarios if one.id == "design")
    assert [one.id for one in larger.larger(ready_made, planned)] == ["design 112", "design 140"]
    assert larger.larger(ready_made, planned.model_copy(update={"participants": 140})) == []
    assert larger.larger(ready_made, planned.model_copy(update={"id": "other"})) == []
    assert running.PEOPLE >= scenario.FEWEST

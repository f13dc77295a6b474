"""Gaps filled under stated rules: against R's rbmi, and against what must hold whatever the data.

Sources: R package rbmi 1.5.2 (conditional means, jackknife) on a made-up trial, to 1e-3 as its own fits stop early
(stat-references.json, reference_based_imputation_rbmi; for copy increments the notes quote visit 5); Rubin 1987;
Barnard and Rubin 1999.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.analysis.events import Event, derive_ranks, derive_values, last_alive
from equipoise.analysis.imputation.filling import Filling, Gaps, filling
from equipoise.analysis.imputation.means import Imputed, Solving, filled, fit_imputed, fit_rules, model_fit
from equipoise.analysis.imputation.posterior import Pooled, Sampler, fit_drawn
from equipoise.analysis.imputation.rubin import pool
from equipoise.analysis.imputation.rules import RULES
from equipoise.analysis.table import columns
from rooms.analysis.mmrm_cases import long, trials

MODEL, AFTER = "chg ~ base*visit + strat + arm*visit", "base + strat + arm"


def gaps(rule, **options) -> Gaps:
    return Gaps(MODEL, AFTER, "id", "visit", "arm", "PBO", rule, **options)


@pytest.fixture(scope="module")
def trial():
    return long(trials()["syn2"]["data"])


@pytest.fixture(scope="module")
def found(trial) -> dict[str, Imputed]:
    answers = fit_rules(trial, gaps("mar"), tuple(RULES))
    assert isinstance(answers, dict)
    assert all(isinstance(its, Imputed) for its in answers.values())
    return answers


@pytest.mark.parametrize(("rule", "key"), [("mar", "syn2_MAR"), ("j2r", "syn2_JR"), ("cr", "syn2_CR")])
def test_as_rbmi_has_it(found, shared_reference, rule, key):
    references = json.loads((shared_reference / "stat-references.json").read_text("utf-8"))
    expected = references["reference_based_imputation_rbmi"][key]
    for visit in found[rule].visits:
        at, mine = expected["parameter"].index(f"trt_{visit}"), found[rule].at(visit)
        assert mine.estimate == pytest.approx(expected["est"][at], rel=1e-3)
        assert mine.se == pytest.approx(expected["se"][at], rel=1e-3)
        assert (mine.low, mine.high) == pytest.approx(
            (expected["lci"][at], expected["uci"][at]), rel=2e-3, abs=2e-3
        )


@pytest.mark.parametrize("rule", ["mar", "cir"])
def test_without_a_participant_is_the_answer_of_the_data_without_them(trial, found, rule):
    """The jackknife is worked out from sums; here each of a few participants is taken out of the data instead."""
    subjects = sorted(set(trial["id"]), key=lambda one: (len(str(one)), str(one)))
    for place in (0, 7, len(subjects) - 1):
        kept = [i != subjects[place] for i in trial["id"]]
        less = {
            name: [v for v, keep in zip(values, kept, strict=True) if keep] for name, values in trial.items()
        }
        filled_in = filling(columns(less), gaps(rule))
        assert isinstance(filled_in, Filling)
        solving = Solving(filled_in)
        again = solving.effect(filled(filled_in, solving.alike, rule, model_fit(filled_in)), None)
        np.testing.assert_allclose(found[rule].effects_without[place], again, rtol=1e-7, atol=1e-8)


def test_rules_in_one_go_are_the_rules_one_by_one(trial, found):
    assert fit_imputed(trial, gaps("j2r")).at("5") == found["j2r"].at("5")


def test_copy_increments_as_the_notes_quote_rbmi(found):
    mine = found["cir"].at("5")
    assert (round(mine.estimate, 2), round(mine.se, 2)) == (6.63, 3.38)


def test_nothing_missing_means_that_no_rule_matters(trial):
    kept = {i for i, c in zip(trial["id"], trial["chg"], strict=True) if c is None}
    whole = {
        name: [value for value, i in zip(values, trial["id"], strict=True) if i not in kept]
        for name, values in trial.items()
    }
    answers = [fit_imputed(whole, gaps(rule)) for rule in RULES]
    for its in answers[1:]:
        np.testing.assert_allclose(its.effect, answers[0].effect, rtol=1e-10)
    assert answers[0].filled == 0
    assert answers[0].at("5", delta=100.0) == answers[0].at("5")


def test_a_delta_that_tips_is_where_p_is_alpha(found):
    its = found["mar"]
    delta = its.tipping_point("5", alpha=0.06)
    assert delta < 0 < its.effect[4]
    assert its.at("5", delta).p == pytest.approx(0.06, abs=1e-8)
    assert its.at("5", delta / 2).p < 0.06
    assert its.tipping_point("5", alpha=0.01) == 0.0  # not below 0.01 to begin with


def test_an_event_column_says_from_when_the_rule_holds(trial, found):
    """Named at the first visit after the last value seen, it says what is taken without it."""
    last = dict.fromkeys(trial["id"], 0)
    for i, v, c in zip(trial["id"], trial["visit"], trial["chg"], strict=True):
        last[i] = max(last[i], int(v)) if c is not None else last[i]
    told = [str(last[i] + 1) if last[i] < 5 else None for i in trial["id"]]
    named = fit_imputed(trial | {"gone": told}, gaps("j2r", event="gone"))
    np.testing.assert_allclose(named.effect, found["j2r"].effect, rtol=1e-10)


def test_draws_agree_with_conditional_means_and_know_more_error(trial, found):
    """Means within five Monte Carlo errors; Rubin's error for j2r is larger than the jackknife's (Wolbers 2022)."""
    for rule in ("mar", "j2r"):
        drawn = fit_drawn(trial, gaps(rule), Sampler(seed=7, draws=40, burn=40, thin=4))
        assert isinstance(drawn, Pooled)
        mine, means = drawn.effects["5"], found[rule].at("5")
        assert mine.estimate == pytest.approx(means.estimate, abs=5 * means.se / np.sqrt(40))
        if rule == "j2r":
            assert mine.se > means.se
        else:
            assert mine.se == pytest.approx(means.se, rel=0.2)
    again = fit_drawn(trial, gaps("j2r"), Sampler(seed=7, draws=40, burn=40, thin=4))
    assert again.effects["5"] == drawn.effects["5"]


def test_rubins_rules_by_hand():
    """Three data sets, estimates 1, 2, 3, variances 4: within 4, between 1, total 4 + 4/3; r = (4/3)/(16/3) = 1/4.

    Rubin's df 2 / (1/16) = 32; of 20 complete ones 21/23 * 20 * 3/4 = 13.6957 are observed; together 32 * 13.6957 /
    45.6957 = 9.5909.
    """
    its = pool([1.0, 2.0, 3.0], [4.0, 4.0, 4.0], 20.0)
    assert [its.estimate, its.se**2] == pytest.approx([2.0, 16 / 3])
    assert its.df == pytest.approx(9.5909, abs=1e-4)


def test_data_sets_that_agree_lose_nothing_but_what_is_always_lost():
    """Barnard and Rubin 1999: without a between variance df is (v + 1) / (v + 3) v."""
    its = pool([1.0, 1.0], [0.25, 0.25], 40.0)
    assert [its.se, its.df] == pytest.approx([0.5, 41 / 43 * 40])


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda table, told: (table, gaps("locf")), "analysis.rule"),
        (lambda table, told: (table | {"base": [None, *table["base"][1:]]}, told), "analysis.covariate-missing"),
        (lambda table, told: ({name: values[1:] for name, values in table.items()}, told), "analysis.row-missing"),
        (lambda table, told: (table | {"gone": ["9"] * len(table["id"])}, gaps("j2r", event="gone")), "analysis.event-visit"),
        (lambda table, told: (table, Gaps(MODEL, "base + strat", "id", "visit", "arm", "PBO")), "analysis.two-arms"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_answered(trial, change, rule):
    table, told = change(trial, gaps("j2r"))
    problems = fit_imputed(table, told)
    assert isinstance(problems, tuple)
    assert [its.rule for its in problems] == [rule]


VALUES = st.lists(st.one_of(st.none(), st.floats(0, 100)), min_size=1, max_size=6)


@given(VALUES, st.data())
def test_strategies_touch_nothing_before_the_event(values, data):
    first = data.draw(st.integers(0, len(values)))
    for strategy in ("treatment policy", "composite", "hypothetical", "while alive"):
        found = derive_values(values, [Event(first, strategy, 0.0)])
        assert list(found[:first]) == values[:first]
        assert len(found) == len(values)
    assert derive_values(values, [Event(first, "treatment policy")]) == tuple(values)
    assert derive_values(values, [Event(first, "composite", 0.0)])[first:] == (0.0,) * (len(values) - first)
    assert set(derive_values(values, [Event(first, "hypothetical")])[first:]) <= {None}


def test_a_missing_value_is_not_an_event_and_a_death_ends_all():
    values = (40.0, None, 55.0, 60.0)
    assert derive_values(values, []) == values
    told = [Event(1, "hypothetical"), Event(3, "composite", 0.0)]
    assert derive_values(values, told) == (40.0, None, None, 0.0)
    assert last_alive(values, [Event(3, "while alive")]) == 55.0
    assert last_alive((None, None), []) is None


def test_who_died_ranks_below_who_lived_the_earlier_the_lower():
    """Two deaths on days 30 and 90, two who live tie at 50, one at 70, one unknown: ranks 1, 2, 3.5, 3.5, 5."""
    ranks = derive_ranks([None, None, 50.0, 50.0, 70.0, None], [90.0, 30.0, None, None, None, None])
    assert ranks == (2.0, 1.0, 3.5, 3.5, 5.0, None)

"""Win ratio, win odds and net benefit: a reference by brute force, closed forms, and what has no answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from equipoise.analysis import Outcome, WinFit, fit_win_odds, fit_winratio
from rooms.analysis.reference_cases import references, shuffled, told

ORDER = (
    Outcome("days", "higher", event="died"),
    Outcome("mrs", "lower"),
    Outcome("fma", "higher", margin=5.0),
)


@pytest.fixture(scope="module")
def trial():
    """Death before the end of 365 days, then the mRS, then a gain of more than 5 points."""
    its = references()["win_ratio"]
    days = [365.0 if day is None else day for day in its["data"]["death"]]
    died = [0 if day is None else 1 for day in its["data"]["death"]]
    return {"data": its["data"] | {"days": days, "died": died}, "expected": its["expected"]}


def fitted(table, outcomes=ORDER, **options) -> WinFit:
    found = fit_winratio(table, outcomes, "arm", reference="0", **options)
    assert isinstance(found, WinFit), [its.say() for its in found]
    return found


def test_a_made_up_trial_as_counted_pair_by_pair(trial):
    found, expected = fitted(trial["data"]), trial["expected"]
    assert (found.wins, found.losses, found.ties) == (expected["wins"], expected["losses"], expected["ties"])
    assert found.win_ratio is not None
    assert found.win_ratio.ratio == pytest.approx(expected["win_ratio"], rel=1e-9)
    assert found.win_ratio.log_se == pytest.approx(expected["log_se"], rel=1e-9)
    np.testing.assert_allclose([found.win_ratio.low, found.win_ratio.high], expected["ci"], rtol=1e-9)
    assert found.net_benefit.estimate == pytest.approx(expected["net_benefit"], rel=1e-9)
    assert found.net_benefit.se == pytest.approx(expected["nb_se"], rel=1e-9)
    assert found.win_odds.ratio == pytest.approx(expected["win_odds"], rel=1e-9)


def test_each_outcome_says_what_it_decided(trial):
    found = fitted(trial["data"])
    assert [its.outcome for its in found.tallies] == ["days", "mrs", "fma"]
    assert sum(its.wins for its in found.tallies) == found.wins
    assert sum(its.losses for its in found.tallies) == found.losses
    left = 43 * 43
    for its in found.tallies:
        assert its.wins + its.losses + its.ties == left
        left = its.ties


def test_who_is_censored_has_not_lost_and_wins_only_while_watched():
    """By hand. Active: event at 5, censored at 8, censored at 20. Reference: event at 10, censored at 10.

    5 against event 10 loses and against censored 10 loses (it was seen beyond 5); censored 8 decides nothing; 20 was
    watched beyond the event at 10 and wins, but says nothing of one censored at 10.
    """
    table = {"arm": [1, 1, 1, 0, 0], "days": [5, 8, 20, 10, 10], "died": [1, 0, 0, 1, 0]}
    found = fitted(table, [ORDER[0]])
    assert (found.wins, found.losses, found.ties) == (1, 2, 3)


def test_censored_at_the_moment_of_an_event_is_free_of_it():
    table = {"arm": [1, 1, 0, 0], "days": [10, 3, 10, 10], "died": [0, 1, 1, 1]}
    found = fitted(table, [ORDER[0]])
    assert (found.wins, found.losses, found.ties) == (2, 2, 0)


def test_an_early_event_may_be_the_better_one():
    table = {"arm": [1, 1, 0, 0], "days": [3, 9, 10, 4], "home": [1, 0, 1, 1]}
    found = fitted(table, [Outcome("days", "lower", event="home")])
    # home at 3 beats 10 and 4; not home by 9 loses against home at 4 and is undecided against 10
    assert (found.wins, found.losses, found.ties) == (2, 1, 1)


def test_a_missing_value_decides_nothing_and_the_next_outcome_is_asked():
    table = {"arm": [1, 1, 0, 0], "first": [None, 2, 1, 1], "second": [5, 1, 3, 9]}
    found = fitted(table, [Outcome("first"), Outcome("second")])
    assert [(its.wins, its.losses, its.ties) for its in found.tallies] == [(2, 0, 2), (1, 1, 0)]


def test_win_odds_without_ties_are_those_of_the_mann_whitney_statistic(trial):
    """U / (m n) is the share of wins; its variance by the placements of DeLong, DeLong and Clarke-Pearson 1988."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(0.4, 1, 18), rng.normal(0, 1, 23)
    table = {"arm": [1] * 18 + [0] * 23, "y": [*x.tolist(), *y.tolist()]}
    found = fit_win_odds(table, "y", "arm")
    share = stats.mannwhitneyu(x, y).statistic / (18 * 23)
    mine = np.array([(y < its).mean() for its in x])
    theirs = np.array([(x > its).mean() for its in y])
    error = np.sqrt(mine.var(ddof=1) / 18 + theirs.var(ddof=1) / 23)
    assert isinstance(found, WinFit)
    assert found.win_odds.ratio == pytest.approx(share / (1 - share), rel=1e-9)
    assert found.win_odds.log_se == pytest.approx(error / (share * (1 - share)), rel=1e-9)
    assert found.win_ratio is not None
    assert found.win_ratio.ratio == pytest.approx(found.win_odds.ratio, rel=1e-9)


def test_strata_are_weighted_as_mantel_and_haenszel_do(trial):
    """The shares of each stratum by m n / (m + n); a stratum's variance is that of its own fit."""
    data = trial["data"] | {"s": [str(at % 3) for at in range(86)]}
    whole = fitted(data, strata=["s"])
    parts, weights = [], []
    for name in "012":
        rows = [at for at in range(86) if data["s"][at] == name]
        parts.append(fitted({column: [its[at] for at in rows] for column, its in data.items()}))
        m, n = parts[-1].n
        weights.append(m * n / (m + n))
    w = np.array(weights) / sum(weights)
    pairs = np.array([its.wins + its.losses + its.ties for its in parts])
    wins, losses = (
        w @ (np.array([getattr(its, name) for its in parts]) / pairs) for name in ("wins", "losses")
    )
    assert whole.win_ratio is not None
    assert whole.win_ratio.ratio == pytest.approx(wins / losses, rel=1e-9)
    assert whole.net_benefit.estimate == pytest.approx(wins - losses, rel=1e-9)
    assert whole.net_benefit.se == pytest.approx(
        np.sqrt(sum(w**2 * [its.net_benefit.se**2 for its in parts])), rel=1e-9
    )
    assert whole.wins == sum(its.wins for its in parts)


def test_what_does_not_matter(trial):
    plain = fitted(trial["data"])
    assert plain.win_ratio is not None
    mixed = fitted(shuffled(trial["data"]))
    assert mixed.win_ratio is not None
    assert mixed.win_ratio.log_se == pytest.approx(plain.win_ratio.log_se, rel=1e-12)
    assert (mixed.wins, mixed.losses, mixed.ties) == (plain.wins, plain.losses, plain.ties)
    other = fit_winratio(trial["data"], ORDER, "arm", reference="1")
    assert isinstance(other, WinFit)
    assert (other.wins, other.losses) == (plain.losses, plain.wins)
    assert other.net_benefit.estimate == pytest.approx(-plain.net_benefit.estimate, rel=1e-12)
    assert other.win_odds.ratio == pytest.approx(1 / plain.win_odds.ratio, rel=1e-12)
    turned = trial["data"] | {"mrs": [6 - its for its in trial["data"]["mrs"]]}
    again = fitted(turned, (ORDER[0], Outcome("mrs", "higher"), ORDER[2]))
    assert again.win_ratio == plain.win_ratio


def test_no_ratio_where_nothing_was_lost():
    table = {"arm": [1, 1, 1, 0, 0, 0], "y": [2, 1, 2, 1, 1, 0]}
    found = fitted(table, [Outcome("y")])
    assert (found.losses, found.win_ratio) == (0, None)
    assert found.net_benefit.estimate == pytest.approx(7 / 9)


def test_faults(trial):
    data = trial["data"]

    def said(table, outcomes=ORDER, **options):
        return told(fit_winratio(table, outcomes, "arm", **options))

    assert said(data, ()) == {("no-outcome", "")}
    assert said(data, [Outcome("nobody")]) == {("no-column", "nobody")}
    assert said(data, [Outcome("mrs", "worse")]) == {("outcome", "mrs")}
    assert said(data, [Outcome("mrs", margin=-1.0)]) == {("outcome", "mrs")}
    assert said(data | {"mrs": ["?", *data["mrs"][1:]]}) == {("text", "mrs")}
    assert said(data | {"fma": [float("inf"), *data["fma"][1:]]}) == {("infinite", "fma")}
    assert said(data | {"died": [2, *data["died"][1:]]}) == {("zero-or-one", "died")}
    assert said(data | {"arm": [1] * 86}) == {("constant", "arm")}
    assert said(data | {"mrs": [int(arm) for arm in data["arm"]]}, [Outcome("mrs")]) == {("all-won", "")}
    alone = data | {"s": ["x", *["y"] * 85]}
    assert said(alone | {"s": ["x", "x", *["y"] * 84]}, strata=["s"]) == {("small-stratum", "x")}
    assert isinstance(
        fit_winratio(alone, ORDER, "arm", strata=["s"]), WinFit
    )  # a stratum of one arm adds nothing

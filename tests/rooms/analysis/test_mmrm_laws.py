"""What is true of every MMRM fit: it does not depend on how the data are written down, and its derivatives are derivatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from equipoise.analysis import fit_mmrm
from equipoise.analysis.mmrm import design as asking
from equipoise.analysis.mmrm import statistics, steps, structures
from equipoise.analysis.mmrm.method import fit
from equipoise.analysis.ops import NUMPY
from equipoise.analysis.table import columns
from rooms.analysis.mmrm_cases import MODEL, fitted, long, trials


@pytest.fixture(scope="module")
def trial():
    return long(trials()["syn4"]["data"])


@pytest.fixture(scope="module")
def plain(trial):
    return fitted(trial)


@pytest.fixture(scope="module")
def gathered(trial):
    found = asking.design(columns(trial), asking.Question(MODEL, "id", "visit"))
    assert isinstance(found, asking.Design)
    return statistics.gather(found)[0]


def visits(found):
    return [
        (its.estimate.estimate, its.estimate.se, its.estimate.df) for its in found.differences("arm", "visit")
    ]


def test_the_order_of_rows_does_not_matter(trial, plain):
    order = np.random.default_rng(1).permutation(len(trial["id"]))
    mixed = {name: [values[row] for row in order] for name, values in trial.items()}
    np.testing.assert_allclose(visits(fitted(mixed)), visits(plain), rtol=1e-8)


def test_names_of_visits_and_of_participants_do_not_matter(trial, plain):
    names = {str(n): f"Week {4 * n}" for n in range(1, 6)}
    renamed = trial | {"visit": [names[v] for v in trial["visit"]], "id": [f"x{i}" for i in trial["id"]]}
    found = fitted(renamed)
    assert found.visits == ("Week 4", "Week 8", "Week 12", "Week 16", "Week 20")
    by_visit = {its.levels["visit"]: its.estimate for its in found.differences("arm", "visit")}
    again = [(e.estimate, e.se, e.df) for e in (by_visit[names[str(n)]] for n in range(1, 6))]
    np.testing.assert_allclose(again, visits(plain), rtol=1e-8)


def test_the_reference_level_does_not_matter(trial, plain):
    found = fitted(trial, reference={"arm": "MSC", "visit": "3", "strat": "1"})
    assert found.loglik == pytest.approx(plain.loglik, abs=1e-8)
    by_visit = {its.levels["visit"]: its.estimate for its in found.differences("arm", "visit")}
    turned = [(-e.estimate, e.se, e.df) for e in (by_visit[str(n)] for n in range(1, 6))]
    np.testing.assert_allclose(turned, visits(plain), rtol=1e-7)


@pytest.mark.parametrize(("factor", "shift"), [(1e-6, 0.0), (1e6, 0.0), (1.0, 1e5)])
def test_units_of_the_response_do_not_matter(trial, plain, factor, shift):
    moved = trial | {"chg": [None if v is None else factor * v + shift for v in trial["chg"]]}
    values = np.array(visits(fitted(moved))) / [factor, factor, 1.0]
    np.testing.assert_allclose(values, visits(plain), rtol=1e-6)


def test_a_covariate_far_from_zero_does_not_matter(trial, plain):
    moved = trial | {"base": [1e6 + 1e-3 * value for value in trial["base"]]}
    np.testing.assert_allclose(visits(fitted(moved)), visits(plain), rtol=1e-5)


@pytest.mark.parametrize("how", ["declared", "in the formula"])
def test_a_visit_written_as_a_number_can_be_a_factor(trial, plain, how):
    numbers = trial | {"visit": [int(visit) for visit in trial["visit"]]}
    if how == "declared":
        found = fitted(numbers, categorical=["visit"])
    else:
        found = fitted(numbers, formula=MODEL.replace("visit", "C(visit)"))
    np.testing.assert_allclose(visits(found), visits(plain), rtol=1e-8)


def test_a_data_frame_is_a_table_too(trial, plain):
    found = fitted(pd.DataFrame(trial))
    np.testing.assert_array_equal(found.beta, plain.beta)


@pytest.mark.parametrize("reml", [True, False])
def test_the_score_and_the_information_are_derivatives(gathered, reml):
    """Central differences of -2 log L and of the score, at a point that is not the optimum."""
    table = steps.duplication(NUMPY, gathered.visits)
    sigma = 0.6 * np.eye(5) + 0.4 + np.diag([0.0, 0.1, 0.2, 0.3, 0.4])

    half = np.linalg.cholesky(sigma)

    def at(move):
        """-2 log L at Sigma + L D L'."""
        moved = half @ np.linalg.cholesky(np.eye(5) + (table @ move).reshape(5, 5))
        return steps.evaluate(NUMPY, gathered, moved[None], reml=reml).minus2

    curve = steps.curvature(
        NUMPY, gathered, steps.evaluate(NUMPY, gathered, half[None], reml=reml), reml=reml
    )
    h, one = 1e-4, np.eye(15)
    for e in range(15):
        slope = (at(h * one[e]) - at(-h * one[e])) / (2 * h)
        assert curve.score[e] == pytest.approx(slope, rel=1e-5, abs=1e-4)
        for f in range(15):
            corners = [at(h * (a * one[e] + b * one[f])) * a * b for a in (1, -1) for b in (1, -1)]
            assert curve.observed[e, f] == pytest.approx(sum(corners) / (4 * h * h), rel=1e-4, abs=1e-2)


@pytest.mark.parametrize("name", sorted(structures.STRUCTURES))
def test_the_derivatives_of_a_structure_are_derivatives(name):
    structure, rows = structures.STRUCTURES[name], np.triu_indices(4)
    start = 0.5 * 0.6 ** np.abs(np.subtract.outer(np.arange(4), np.arange(4))) + np.diag([1.0, 1.2, 1.5, 2.0])
    theta = structures.from_sigma(structure, start)
    assert len(theta) == structure.parameters(4)
    _, slope, bend = structures.expand(structure, theta, 4)
    h = 1e-6
    for i in range(len(theta)):
        up, down = (structures.expand(structure, theta + s * h * np.eye(len(theta))[i], 4) for s in (1, -1))
        np.testing.assert_allclose(slope[:, i], ((up[0] - down[0]) / (2 * h))[rows], atol=1e-7)
        np.testing.assert_allclose(bend[:, :, i], (up[1] - down[1]) / (2 * h), atol=1e-7)


@pytest.mark.parametrize("name", sorted(structures.STRUCTURES))
def test_no_direction_of_a_structure_is_better_than_its_fit(gathered, name):
    structure = structures.STRUCTURES[name]
    found = fit(gathered, [structure], reml=True)
    assert found.convergence.converged
    theta = structures.from_sigma(structure, found.sigma[0])
    for move in np.random.default_rng(3).normal(size=(20, len(theta))):
        sigma = structures.expand(structure, theta + 1e-3 * move / np.linalg.norm(move), 5)[0][None]
        assert steps.evaluate(NUMPY, gathered, np.linalg.cholesky(sigma), reml=True).minus2 > found.at.minus2


def test_fewer_rows_stand_for_many_subjects():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(300, 3))
    rows = z @ rng.normal(size=(3, 40))  # what 300 subjects bring, linear in three values of each
    few = statistics._few(rows)
    assert len(few) == 3
    np.testing.assert_allclose(few.T @ few, rows.T @ rows, atol=1e-9 * np.abs(rows.T @ rows).max())


def test_an_answer_is_the_same_with_fewer_rows(trial, plain, monkeypatch):
    monkeypatch.setattr(statistics, "MANY", 3)
    np.testing.assert_allclose(visits(fitted(trial)), visits(plain), rtol=1e-9)


def complete(n, seed, spread=1.0, arm="A"):
    rng = np.random.default_rng(seed)
    values = spread * rng.normal(size=(n, 3)) @ np.array([[1.0, 0.5, 0.2], [0.0, 1.0, 0.4], [0.0, 0.0, 2.0]])
    where = [(i, v) for i in range(n) for v in range(3)]
    table = {
        "id": [f"{arm}{i}" for i, _ in where],
        "visit": [f"V{v}" for _, v in where],
        "arm": [arm] * len(where),
        "y": [float(values[i, v]) for i, v in where],
    }
    return values, table


def test_complete_data_have_a_closed_form():
    """One mean a visit: Sigma is the sample covariance (n - 1), the error of a mean is that of one sample with n - 1 df."""
    values, table = complete(12, 4)
    found = fit_mmrm(table, "y ~ 0 + visit", subject="id", visit="visit", df="kenward-roger")
    sample = np.cov(values.T)
    np.testing.assert_allclose(found.sigma[""], sample, rtol=1e-8)
    for at, its in enumerate(found.coefficients.values()):
        assert its.estimate == pytest.approx(values[:, at].mean(), rel=1e-9)
        assert its.se == pytest.approx(np.sqrt(sample[at, at] / 12), rel=1e-7)
        assert its.df == pytest.approx(11, rel=1e-7)


def alike(rest, seed):
    """Thirty participants at three visits that correlate by 1 - rest."""
    rng = np.random.default_rng(seed)
    shared, own = rng.normal(size=(30, 1)), rng.normal(size=(30, 3))
    values = shared + np.sqrt(rest) * own
    table = {
        "id": [str(i) for i in range(30) for _ in range(3)],
        "visit": [f"V{v}" for _ in range(30) for v in range(3)],
        "y": values.reshape(-1).tolist(),
    }
    return values, table


@pytest.mark.parametrize("seed", range(11, 19))
@pytest.mark.parametrize("rest", [1e-4, 1e-6, 1e-8, 1e-10])
def test_visits_that_nearly_say_the_same_have_the_closed_form_too(rest, seed):
    """Sigma is still the sample covariance, compared where it is small (in its own scale)."""
    values, table = alike(rest, seed)
    found = fit_mmrm(table, "y ~ 0 + visit", subject="id", visit="visit", df="kenward-roger")
    row = np.array([1.0, -1.0, 0.0])  # the difference of two visits, whose variance is the small part
    one, gap = found.contrast(row), values[:, 0] - values[:, 1]
    assert one.se == pytest.approx(gap.std(ddof=1) / np.sqrt(30), rel=1e-6)
    assert one.df == pytest.approx(29, rel=1e-6)
    if rest >= 1e-6:  # below, Sigma's own numbers no longer say what is small in it
        half = np.linalg.cholesky(np.cov(values.T))
        white = np.linalg.solve(half, np.linalg.solve(half, found.sigma[""]).T)
        np.testing.assert_allclose(white, np.eye(3), atol=1e-6)


@pytest.mark.parametrize("rest", [1e-13, 1e-15])
def test_visits_that_say_the_same_have_no_answer_whatever_the_numbers(rest):
    """Correlations of 1 - 1e-13 and more are below the limit for every one of many trials, not for some of them."""
    found = [
        fit_mmrm(alike(rest, seed)[1], "y ~ 0 + visit", subject="id", visit="visit") for seed in range(12)
    ]
    assert {its[0].rule for its in found} == {"analysis.singular"}


@pytest.mark.parametrize("rest", [1e-3, 1e-5, 1e-7])
def test_compound_symmetry_has_its_closed_form_where_visits_nearly_say_the_same(rest):
    """Complete data, a mean a visit: the variance within is the mean square of two-way analysis, (n - 1)(V - 1) df."""
    for seed in range(6):
        values, table = alike(rest, seed)
        found = fit_mmrm(
            table, "y ~ 0 + visit", subject="id", visit="visit", covariance="cs", df="satterthwaite"
        )
        left = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
        one = found.contrast(np.array([1.0, -1.0, 0.0]))
        assert one.se == pytest.approx(np.sqrt(2 * np.sum(left**2) / 58 / 30), rel=1e-6)
        assert one.df == pytest.approx(58, rel=1e-5)


def test_equal_weights_change_sigma_and_nothing_else(trial, plain):
    found = fitted(trial | {"w": [4.0] * len(trial["id"])}, weights="w")
    np.testing.assert_allclose(visits(found), visits(plain), rtol=1e-8)
    np.testing.assert_allclose(found.sigma[""], 4.0 * plain.sigma[""], rtol=1e-8)
    assert found.loglik == pytest.approx(plain.loglik, abs=1e-7)


@pytest.mark.parametrize("kind", ["empirical", "empirical-bias-reduced", "empirical-jackknife"])
def test_a_sandwich_is_that_of_its_definition(trial, kind):
    """Participant by participant, with the whole matrix P of the degrees of freedom."""
    found = fitted(trial, df="satterthwaite", vcov=kind)
    design = found.design
    phi = replace(found.known, inner=np.eye(len(found.terms))).vcov  # without the sandwich
    power = {"empirical": 0.0, "empirical-bias-reduced": -0.5, "empirical-jackknife": -1.0}[kind]
    meat, whites, levers = np.zeros_like(phi), [], []
    for subject in np.unique(design.subject):
        mine = design.subject == subject
        at = design.visit[mine]
        root = np.linalg.inv(np.linalg.cholesky(found.sigma[""][np.ix_(at, at)]))
        white = root @ design.x[mine]
        values, vectors = np.linalg.eigh(np.eye(len(at)) - white @ phi @ white.T)
        lever = (vectors * values**power) @ vectors.T @ white
        score = lever.T @ root @ (design.y[mine] - design.x[mine] @ found.beta)
        meat = meat + np.outer(score, score)
        whites.append(white)
        levers.append(lever)
    np.testing.assert_allclose(found.vcov, phi @ meat @ phi, rtol=1e-8, atol=1e-12)
    row = np.eye(len(phi))[-1]
    spread = np.eye(len(design.y)) - np.vstack(whites) @ phi @ np.vstack(whites).T
    ends = np.cumsum([0, *(len(its) for its in whites)])
    v = np.zeros((len(whites), len(design.y)))
    for n, lever in enumerate(levers):
        v[n, ends[n] : ends[n + 1]] = lever @ phi @ row
    p = v @ spread @ v.T
    assert found.contrast(row).df == pytest.approx(np.trace(p) ** 2 / np.trace(p @ p), rel=1e-8)


def test_all_means_together_are_hotellings_test():
    """Kenward and Roger 1997: for complete data the F test is exact, T^2 (n - q) / (q (n - 1)) on q and n - q df."""
    values, table = complete(12, 4)
    found = fit_mmrm(table, "y ~ 0 + visit", subject="id", visit="visit", df="kenward-roger")
    test = found.joint_test(np.eye(3))
    mean = values.mean(axis=0)
    t2 = 12 * mean @ np.linalg.solve(np.cov(values.T), mean)
    assert test.denominator_df == pytest.approx(9, rel=1e-6)
    assert test.f == pytest.approx(t2 * 9 / (3 * 11), rel=1e-6)


def test_groups_have_covariances_of_their_own():
    (one, first), (two, second) = complete(14, 5), complete(11, 6, spread=3.0, arm="B")
    table = {name: first[name] + second[name] for name in first}
    found = fit_mmrm(table, "y ~ 0 + arm:visit", subject="id", visit="visit", group="arm", df="satterthwaite")
    np.testing.assert_allclose(found.sigma["A"], np.cov(one.T), rtol=1e-7)
    np.testing.assert_allclose(found.sigma["B"], np.cov(two.T), rtol=1e-7)
    dfs = {round(its.df, 6) for its in found.coefficients.values()}
    assert dfs == {13.0, 10.0}


@pytest.mark.parametrize("structure", ["us", "toeph", "ar1"])
def test_the_answer_is_that_of_the_definition(trial, structure):
    """Participant by participant, with a covariate that changes within them and covariances by group."""
    rng = np.random.default_rng(8)
    table = trial | {"dose": rng.normal(size=len(trial["id"])).tolist()}
    formula = "chg ~ base + dose + visit * arm"
    options = {"subject": "id", "visit": "visit", "group": "strat", "df": "satterthwaite"}
    found = fit_mmrm(table, formula, covariance=structure, **options)
    design = found.design
    information, right, log, rest = 0.0, 0.0, 0.0, 0.0
    blocks = []
    for subject in np.unique(design.subject):
        mine = design.subject == subject
        sigma = found.sigma[design.groups[design.group[mine][0]]][
            np.ix_(design.visit[mine], design.visit[mine])
        ]
        x, y = design.x[mine], design.y[mine]
        information = information + x.T @ np.linalg.solve(sigma, x)
        right = right + x.T @ np.linalg.solve(sigma, y)
        log += np.linalg.slogdet(sigma)[1]
        blocks.append((x, y, sigma))
    beta = np.linalg.solve(information, right)
    for x, y, sigma in blocks:
        rest += (y - x @ beta) @ np.linalg.solve(sigma, y - x @ beta)
    n, p = design.x.shape
    log += (n - p) * np.log(2 * np.pi) + np.linalg.slogdet(information)[1]
    np.testing.assert_allclose(found.beta, beta, rtol=1e-7)
    np.testing.assert_allclose(found.vcov, np.linalg.inv(information), rtol=1e-7, atol=1e-10)
    assert found.loglik == pytest.approx(-0.5 * (log + rest), abs=1e-7)

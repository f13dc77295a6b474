"""Which Kenward and Roger is computed: the linear form by the observed information, as by hand and as two packages.

R's pbkrtest takes the expected information in place of the observed one, and R's mmrm by default adds a term with the
second derivatives of Sigma in its own parametrisation. Each differs from what is computed here by that alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from equipoise.analysis import MmrmFit
from equipoise.analysis.mmrm.inference import Uncertainty, joint, single
from equipoise.analysis.ops import Array
from rooms.analysis.mmrm_cases import VECTORS, as_r, fev, fitted, fitted_fev

TRIALS: dict[str, Any] = json.loads(VECTORS.with_name("hard_cases.json").read_text("utf-8"))
PBKRTEST: dict[str, Any] = json.loads(VECTORS.with_name("compound_symmetry.json").read_text("utf-8"))
"""Made by tests/vectors/compound_symmetry.R: lme4 1.1-31 and pbkrtest 0.5.2."""
NAMES = ("sparse", "unbalanced", "tight")


def compound(name: str) -> MmrmFit:
    numbers = {"base", "w", "y"}
    table = {
        column: [float(its) if column in numbers else str(its) for its in values]
        for column, values in TRIALS[name]["data"].items()
    }
    return fitted(
        table, formula="y ~ base + arm*visit", covariance="cs", categorical=("arm", "visit"),
        reference={"arm": "A", "visit": "1"},
    )  # fmt: skip


def by_hand(fit: MmrmFit, *, expected: bool) -> tuple[Array, Uncertainty]:
    """Kenward and Roger 1997 with the matrices of the whole trial written out, V = c E_1 + s E_2 (so V is linear in c and
    s): E_1 is 1 within a participant, E_2 the identity. w by the expected information tr(P E_i P E_j) / 2, or by
    the observed one, y'P E_i P E_j P y - tr(P E_i P E_j) / 2.
    """
    x, y, subject = fit.design.x, fit.design.y, fit.design.subject
    common = float(fit.sigma[""][0, 1])
    parts = [(subject[:, None] == subject[None]).astype(np.float64), np.eye(len(y))]
    inverse = np.linalg.inv(common * parts[0] + (float(fit.sigma[""][0, 0]) - common) * parts[1])
    phi = np.linalg.inv(x.T @ inverse @ x)
    project = inverse - inverse @ x @ phi @ x.T @ inverse
    information = np.array([[np.trace(project @ a @ project @ b) / 2.0 for b in parts] for a in parts])
    if not expected:
        squares = [[y @ project @ a @ project @ b @ project @ y for b in parts] for a in parts]
        information = np.array(squares) - information
    spread = np.linalg.inv(information)
    p = np.array([-x.T @ inverse @ part @ inverse @ x for part in parts])
    middle = sum(
        spread[i, j] * (x.T @ inverse @ parts[i] @ inverse @ parts[j] @ inverse @ x - p[i] @ phi @ p[j])
        for i in range(2)
        for j in range(2)
    )
    root = np.linalg.cholesky(x.T @ inverse @ x).T  # R, R'R = Phi^-1
    adjusted = phi + 2.0 * phi @ middle @ phi
    known = Uncertainty(
        root, root @ adjusted @ root.T, -root @ phi @ p @ phi @ root.T, spread, "kenward-roger"
    )
    return phi @ x.T @ inverse @ y, known


def interaction(fit: MmrmFit) -> Array:
    return np.array([row for row, term in zip(np.eye(len(fit.terms)), fit.terms, strict=True) if ":" in term])


@pytest.mark.parametrize("name", NAMES)
def test_compound_symmetry_is_the_linear_form_of_its_two_variances(name):
    fit = compound(name)
    beta, known = by_hand(fit, expected=False)
    for row in np.eye(len(fit.terms)):
        mine, hand = fit.contrast(row), single(beta, known, row)
        assert mine.se == pytest.approx(hand.se, rel=1e-10)
        assert mine.df == pytest.approx(hand.df, rel=1e-8)
    test, by_sums = fit.joint_test(interaction(fit)), joint(beta, known, interaction(fit))
    assert test.f == pytest.approx(by_sums.f, rel=1e-8)
    assert test.denominator_df == pytest.approx(by_sums.denominator_df, rel=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_with_the_expected_information_it_is_what_pbkrtest_has(name):
    """Tolerance: lme4 stops some 1e-7 before the optimum, the rest is equal. Told apart from the observed one, which
    is 0.4 to 2 % away in degrees of freedom on the same three trials.
    """
    fit, theirs = compound(name), PBKRTEST[name]
    beta, known = by_hand(fit, expected=True)
    rows = {as_r(term): row for term, row in zip(fit.terms, np.eye(len(fit.terms)), strict=True)}
    order = [rows[as_r(term)] for term in theirs["terms"]]
    found = [single(beta, known, row) for row in order]
    np.testing.assert_allclose([its.se for its in found], theirs["se"], rtol=1e-6)
    np.testing.assert_allclose([its.df for its in found], theirs["df"], rtol=1e-6)
    distance = np.abs(np.array([fit.contrast(row).df for row in order]) / theirs["df"] - 1.0)
    assert 0.004 < distance.max() < 0.021
    test = joint(beta, known, interaction(fit))
    assert test.f == pytest.approx(theirs["f"], rel=1e-6)
    assert test.denominator_df == pytest.approx(theirs["f_df"], rel=1e-6)
    assert test.p == pytest.approx(theirs["p"], rel=1e-5)


class Shape(NamedTuple):
    """A structure in the coordinates of R's mmrm: log standard deviations, and correlations by a map of its own."""

    heterogeneous: bool
    start: Callable[[Array], Array]
    correlation: Callable[[Array, int, int], float]
    to_rho: Callable[[Array], Array]
    from_rho: Callable[[Array], Array]


def _bounded(theta: Array) -> Array:
    return np.asarray(theta / np.sqrt(1.0 + theta**2), np.float64)


def _unbounded(rho: Array) -> Array:
    return np.asarray(rho / np.sqrt(1.0 - rho**2), np.float64)


LEAST = -1.0 / 3.0
"""The smallest correlation that four visits can share."""
SHAPES = {
    "cs": Shape(
        False, lambda c: c[:1, 1], lambda r, a, b: r[0],
        lambda theta: (1.0 - LEAST) / (1.0 + np.exp(-theta)) + LEAST, lambda rho: np.log((rho - LEAST) / (1.0 - rho)),
    ),
    "ar1": Shape(False, lambda c: c[:1, 1], lambda r, a, b: r[0] ** (b - a), _bounded, _unbounded),
    "toeph": Shape(True, lambda c: c[0, 1:], lambda r, a, b: r[b - a - 1], _bounded, _unbounded),
    "adh": Shape(True, lambda c: np.diag(c, 1), lambda r, a, b: float(np.prod(r[a:b])), _bounded, _unbounded),
}  # fmt: skip


def expanded(shape: Shape, theta: Array, visits: int = 4) -> Array:
    own = visits if shape.heterogeneous else 1
    sd, rho = np.exp(theta[:own]) * np.ones(visits), shape.to_rho(theta[own:])
    sigma = np.diag(sd**2)
    for a in range(visits):
        for b in range(a + 1, visits):
            sigma[a, b] = sigma[b, a] = sd[a] * sd[b] * shape.correlation(rho, a, b)
    return sigma


def slopes(value: Callable[[Array], Array], at: Array, step: float = 1e-4) -> list[Array]:
    """Central differences by every coordinate."""
    moves = np.eye(len(at)) * step
    return [(value(at + move) - value(at - move)) / (2.0 * step) for move in moves]


def sums(fit: MmrmFit, parts: list[Array]) -> Array:
    """X'W E W X of every E (V, V), summed over participants."""
    total = np.zeros((len(parts), len(fit.terms), len(fit.terms)))
    for its in np.unique(fit.design.subject):
        at = np.flatnonzero(fit.design.subject == its)
        seen = np.ix_(fit.design.visit[at], fit.design.visit[at])
        weighted = np.linalg.solve(fit.sigma[""][seen], fit.design.x[at])
        total += np.array([weighted.T @ part[seen] @ weighted for part in parts])
    return total


def products(fit: MmrmFit, parts: list[Array], spread: Array) -> Array:
    """The sum over i, j and participants of w_ij X'W E_i W E_j W X."""
    total = np.zeros((len(fit.terms), len(fit.terms)))
    for its in np.unique(fit.design.subject):
        at = np.flatnonzero(fit.design.subject == its)
        seen = np.ix_(fit.design.visit[at], fit.design.visit[at])
        inverse = np.linalg.inv(fit.sigma[""][seen])
        inside = sum(
            spread[i, j] * parts[i][seen] @ inverse @ parts[j][seen]
            for i in range(len(parts))
            for j in range(len(parts))
        )
        total += fit.design.x[at].T @ inverse @ inside @ inverse @ fit.design.x[at]
    return total


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_the_form_with_second_derivatives_is_that_of_mmrm_and_without_them_any_coordinates_give_ours(
    name, shared_data, shared_reference
):
    """Phi_A of Kenward and Roger 1997 in the coordinates of R's mmrm 0.3.18, whose default it is: ours less
    Phi (sum w_ij R_ij) Phi / 2, R_ij = X'W (d2 Sigma / d theta_i d theta_j) W X. Without R_ij, coordinates make no
    difference. Tolerance of the notes for standard errors: 1e-6.
    """
    references = json.loads((shared_reference / "stat-references.json").read_text("utf-8"))["mmrm"]
    shape, fit = SHAPES[name], fitted_fev(fev(shared_data / "fev_data.csv"), covariance=name)
    sd = np.sqrt(np.diag(fit.sigma[""]))
    logs = np.log(sd if shape.heterogeneous else sd[:1])
    theta = np.append(logs, shape.from_rho(shape.start(fit.sigma[""] / np.outer(sd, sd))))
    np.testing.assert_allclose(expanded(shape, theta), fit.sigma[""], rtol=1e-10)
    first = slopes(lambda at: expanded(shape, at), theta)
    second = slopes(lambda at: np.array(slopes(lambda its: expanded(shape, its), at)), theta)
    half, upper = np.linalg.cholesky(fit.sigma[""]), np.triu_indices(4)
    turned = [np.linalg.solve(half, np.linalg.solve(half, its).T)[upper] for its in first]
    back = np.linalg.pinv(np.array(turned).T)
    spread = back @ fit.known.spread @ back.T
    phi = replace(fit.known, inner=np.eye(len(fit.terms))).vcov  # without the adjustment
    p = sums(fit, first)
    middle = products(fit, first, spread) - np.einsum("ij,iab,bc,jcd->ad", spread, p, phi, p)
    np.testing.assert_allclose(phi + 2.0 * phi @ middle @ phi, fit.vcov, rtol=1e-6, atol=1e-8)
    bends = np.tensordot(spread, np.array(second), axes=2)
    full = fit.vcov - phi @ sums(fit, [bends])[0] @ phi / 2.0
    mine = {as_r(term): se for term, se in zip(fit.terms, np.sqrt(np.diag(full)), strict=True)}
    theirs = references["fev_other_structures"][name]["Kenward-Roger"]["se"]
    names = references["fev_m1"]["coef_names"]
    np.testing.assert_allclose([mine[as_r(one)] for one in names], theirs, rtol=1e-6)

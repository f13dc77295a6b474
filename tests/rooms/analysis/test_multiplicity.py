"""Several hypotheses: against the closed test by brute force, R's p.adjust, and worked examples.

Sources: Bretz, Maurer, Brannath and Posch 2009 (weights of the intersections of a graph); R 4.2.2, p.adjust.
"""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.analysis.multiplicity import Graph, fixed_sequence, graphical, hochberg, holm
from equipoise.words.problem import Problem

P = st.floats(0.0, 1.0)
NAMES = "abcd"


def adjusted(found) -> dict[str, float]:
    return {its.name: its.adjusted for its in found}


def closed(p, weights, passes):
    """The adjusted p-values of the closed test: of each intersection the weighted Bonferroni test.

    The weights of an intersection: the graph with all hypotheses outside it taken out, one after the other, with the
    published formulas for shares and edges.
    """
    names = list(p)
    levels = dict.fromkeys(names, 0.0)
    for size in range(1, len(names) + 1):
        for subset in combinations(names, size):
            w, g = dict(weights), {i: dict(passes.get(i, {})) for i in names}
            left = list(names)
            for gone in (name for name in names if name not in subset):
                left.remove(gone)
                w2 = {i: w[i] + w[gone] * g[gone].get(i, 0.0) for i in left}
                g2 = {}
                for i in left:
                    loop = g[i].get(gone, 0.0) * g[gone].get(i, 0.0)
                    g2[i] = {
                        j: (g[i].get(j, 0.0) + g[i].get(gone, 0.0) * g[gone].get(j, 0.0)) / (1 - loop)
                        if loop < 1 - 1e-9
                        else 0.0
                        for j in left
                        if j != i
                    }
                w, g = w2, g2
            level = min([1.0, *(p[i] / w[i] for i in subset if w[i] > 0)])
            for name in subset:
                levels[name] = max(levels[name], level)
    return levels


@st.composite
def graphs(draw):
    parts = [draw(st.integers(0, 4)) for _ in NAMES]
    total = max(sum(parts), 1)
    weights = {name: part / total for name, part in zip(NAMES, parts, strict=True)}
    passes = {}
    for name in NAMES:
        others = [other for other in NAMES if other != name]
        shares = [draw(st.integers(0, 3)) for _ in others]
        most = max(sum(shares), 1) + draw(st.integers(0, 1))
        passes[name] = {other: share / most for other, share in zip(others, shares, strict=True)}
    return weights, passes


@given(graphs(), st.tuples(P, P, P, P))
def test_a_graph_is_its_closed_test(graph, values):
    weights, passes = graph
    p = dict(zip(NAMES, values, strict=True))
    found = adjusted(graphical(p, Graph(weights, passes)))
    assert found == pytest.approx(closed(p, weights, passes), abs=1e-9)


@given(st.tuples(P, P, P, P))
def test_holm_and_a_fixed_sequence_are_graphs(values):
    p = dict(zip(NAMES, values, strict=True))
    equal = Graph(dict.fromkeys(NAMES, 0.25), {i: {j: 1 / 3 for j in NAMES if j != i} for i in NAMES})
    assert adjusted(holm(p)) == pytest.approx(adjusted(graphical(p, equal)), abs=1e-12)
    chain = Graph({"a": 1.0}, {"a": {"b": 1.0}, "b": {"c": 1.0}, "c": {"d": 1.0}})
    assert adjusted(fixed_sequence(p)) == pytest.approx(adjusted(graphical(p, chain)), abs=1e-12)


def test_as_r_adjusts_them():
    """R 4.2.2: p.adjust(c(0.01, 0.02, 0.03, 0.04), "holm") and "hochberg"; p.adjust(c(0.011, 0.02, 0.022, 0.09), …)."""
    p = dict(zip(NAMES, (0.01, 0.02, 0.03, 0.04), strict=True))
    assert list(adjusted(holm(p)).values()) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert list(adjusted(hochberg(p)).values()) == pytest.approx([0.04, 0.04, 0.04, 0.04])
    q = dict(zip(NAMES, (0.011, 0.02, 0.022, 0.09), strict=True))
    assert list(adjusted(hochberg(q)).values()) == pytest.approx([0.044, 0.044, 0.044, 0.09])


@given(st.tuples(P, P, P, P))
def test_hochberg_rejects_whatever_holm_rejects(values):
    p = dict(zip(NAMES, values, strict=True))
    assert all(
        one <= two + 1e-12
        for one, two in zip(adjusted(hochberg(p)).values(), adjusted(holm(p)).values(), strict=True)
    )


def test_nothing_is_looked_at_once_one_of_a_sequence_stands():
    found = fixed_sequence({"mRS": 0.001, "Barthel": 0.2, "NIHSS": 0.0001})
    assert [its.rejected for its in found] == [True, False, False]


def test_what_is_no_p_value_and_no_graph():
    def rules(found):
        assert all(isinstance(its, Problem) for its in found)
        return [(its.rule.removeprefix("analysis."), its.where) for its in found]

    assert rules(holm({"a": 1.2})) == [("p-value", "a")]
    assert rules(holm({"a": float("nan")})) == [("p-value", "a")]
    assert rules(holm({"a": 0.2}, alpha=0.0)) == [("alpha", "")]
    assert rules(graphical({"a": 0.1}, Graph({"a": 0.5, "z": 0.5}, {}))) == [("graph-name", "z")]
    assert rules(graphical({"a": 0.1, "b": 0.1}, Graph({"a": 0.9, "b": 0.2}, {}))) == [("graph-shares", "")]
    assert rules(graphical({"a": 0.1, "b": 0.1}, Graph({"a": 1.0}, {"a": {"a": 0.5}}))) == [
        ("graph-passes", "a")
    ]

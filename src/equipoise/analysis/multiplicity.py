"""Several hypotheses and one error rate: fixed sequence, Holm, Hochberg, and graphs of weights that are passed on.

The rules that must stay true: the familywise error is at most alpha whatever the truth (Hochberg: where the tests are
independent or positively dependent); an adjusted p-value is the smallest alpha at which its hypothesis is rejected; a
hypothesis of a fixed sequence is not looked at once an earlier one stands.
Sources: Holm 1979; Hochberg 1988; Maurer, Hothorn and Lehmacher 1995; Bretz, Maurer, Brannath and Posch 2009.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from equipoise.words.problem import Problem, problem

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Tested:
    """One hypothesis: its own p-value, the adjusted one, and whether it is rejected at alpha."""

    name: str
    p: float
    adjusted: float
    rejected: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """weights: hypothesis -> its share of alpha at the start; passes: hypothesis -> to whom its share goes then.

    The shares sum to at most 1; what one hypothesis passes on sums to at most 1, and it passes nothing to itself.
    """

    weights: Mapping[str, float]
    passes: Mapping[str, Mapping[str, float]]


def fixed_sequence(p: Mapping[str, float], alpha: float = 0.05) -> tuple[Tested, ...] | tuple[Problem, ...]:
    """Hypotheses in the order given, each at the whole alpha, until one is not rejected."""

    def adjust(values: Sequence[float]) -> list[float]:
        return [max(values[: place + 1]) for place in range(len(values))]

    return _all(p, alpha, adjust)


def holm(p: Mapping[str, float], alpha: float = 0.05) -> tuple[Tested, ...] | tuple[Problem, ...]:
    """Bonferroni's step down: the smallest at alpha/m, the next at alpha/(m - 1), …"""

    def adjust(values: Sequence[float]) -> list[float]:
        order = sorted(range(len(values)), key=values.__getitem__)
        found, highest = [0.0] * len(values), 0.0
        for rank, place in enumerate(order):
            highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
            found[place] = highest
        return found

    return _all(p, alpha, adjust)


def hochberg(p: Mapping[str, float], alpha: float = 0.05) -> tuple[Tested, ...] | tuple[Problem, ...]:
    """The step up: the largest at alpha, the next at alpha/2, …; all below the first that is rejected are rejected."""

    def adjust(values: Sequence[float]) -> list[float]:
        order = sorted(range(len(values)), key=values.__getitem__, reverse=True)
        found, lowest = [0.0] * len(values), 1.0
        for rank, place in enumerate(order):
            lowest = min(lowest, (rank + 1) * values[place])
            found[place] = lowest
        return found

    return _all(p, alpha, adjust)


def graphical(
    p: Mapping[str, float], graph: Graph, alpha: float = 0.05
) -> tuple[Tested, ...] | tuple[Problem, ...]:
    """The sequentially rejective procedure of a graph; p: in any order, for the hypotheses of the graph."""
    if found := _graph_faults(p, graph):
        return found

    def adjust(values: Sequence[float]) -> list[float]:
        names = list(p)
        weights = {name: graph.weights.get(name, 0.0) for name in names}
        passes = {name: dict(graph.passes.get(name, {})) for name in names}
        left, adjusted, highest = list(names), dict[str, float](), 0.0
        own = dict(zip(names, values, strict=True))
        while left:
            first = min(left, key=lambda name: own[name] / weights[name] if weights[name] else math.inf)
            level = own[first] / weights[first] if weights[first] else math.inf
            highest = max(highest, min(1.0, level))
            adjusted[first] = highest
            left.remove(first)
            weights, passes = _without(first, left, weights, passes)
        return [adjusted[name] for name in names]

    return _all(p, alpha, adjust)


def _without(
    gone: str, left: Sequence[str], weights: Mapping[str, float], passes: Mapping[str, Mapping[str, float]]
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """The graph when a hypothesis was rejected: its share goes along its edges, and its edges are bridged."""
    shares = {one: weights[one] + weights[gone] * passes[gone].get(one, 0.0) for one in left}
    bridged: dict[str, dict[str, float]] = {}
    for one in left:
        through = passes[one].get(gone, 0.0)
        loop = through * passes[gone].get(one, 0.0)
        bridged[one] = {
            other: (passes[one].get(other, 0.0) + through * passes[gone].get(other, 0.0)) / (1.0 - loop)
            for other in left
            if other != one and loop < 1.0 - _ROUNDING
        }
    return shares, bridged


def _all(
    p: Mapping[str, float], alpha: float, adjust: Callable[[Sequence[float]], list[float]]
) -> tuple[Tested, ...] | tuple[Problem, ...]:
    if found := _faults(p, alpha):
        return found
    adjusted = adjust(list(p.values()))
    return tuple(
        Tested(name, own, level, level <= alpha)
        for (name, own), level in zip(p.items(), adjusted, strict=True)
    )


def _faults(p: Mapping[str, float], alpha: float) -> tuple[Problem, ...]:
    if not 0.0 < alpha < 1.0:
        return (problem("analysis.alpha", given=str(alpha)),)
    return tuple(
        problem("analysis.p-value", name, given=str(its)) for name, its in p.items() if not 0 <= its <= 1
    )


def _graph_faults(p: Mapping[str, float], graph: Graph) -> tuple[Problem, ...]:
    named = {*graph.weights, *graph.passes, *(to for its in graph.passes.values() for to in its)}
    found = [problem("analysis.graph-name", name, known=", ".join(p)) for name in sorted(named - set(p))]
    every = [*graph.weights.values(), *(share for its in graph.passes.values() for share in its.values())]
    if any(not share >= 0.0 for share in every) or sum(graph.weights.values()) > 1.0 + _ROUNDING:
        found.append(problem("analysis.graph-shares"))
    for name, its in graph.passes.items():
        if sum(its.values()) > 1.0 + _ROUNDING or its.get(name, 0.0):
            found.append(problem("analysis.graph-passes", name))
    return tuple(found)

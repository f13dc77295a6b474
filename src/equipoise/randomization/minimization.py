"""Minimization (Pocock and Simon): the arm of a participant from those before, and one uniform draw. "Mode B".

The rules that must stay true: pure and exact (fractions, no floats), so that after the release of the draws anyone
works out every arm again from the order of randomization and the participants' levels; the draw alone is random.
Behind the second door only: it needs the arms of everybody before.
Sources: Pocock SJ, Simon R, Biometrics 1975;31:103 (measures of imbalance, section 3; probability p for the best arm
and (1 - p)/(N - 1) for each other, tied ranks in random order); unequal ratios as arms that stand for several equal
ones: Han B, Enas NH, McEntegart D, Statistics in Medicine 2009;28:3329.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from equipoise.protocol.study import Randomization, Study
from equipoise.randomization.methods import in_order
from equipoise.randomization.sealing import DRAW_BYTES
from equipoise.words.problem import Problem, problem

Levels = tuple[str, ...]
"""A participant's level code of each factor, in the order of the study's factors."""
Measure = Literal["range", "variance"]


@dataclass(frozen=True, slots=True)
class Minimization:
    """How a study minimizes. `ratio`: whole weights of the arms; `factor_weights`: one for each factor.

    probability: the chance of the arm that would leave the least imbalance, from 1/2 to 1.
    """

    ratio: tuple[int, ...]
    factor_weights: tuple[int, ...]
    probability: Fraction
    measure: Measure = "range"


def minimization_of(chosen: Randomization) -> Minimization | Problem:
    """What a study's parameters say: `probability`, and if given `measure` and `weights` (of the factors, in order)."""
    known = {"probability", "measure", "weights"}
    given = chosen.parameters
    try:
        weights = tuple(int(each) for each in given.get("weights", "").replace(",", " ").split())
        probability = Fraction(given["probability"])
        measure: Measure = "variance" if given.get("measure", "") == "variance" else "range"
        ratio = tuple(chosen.ratio.values())
        if (
            not chosen.factors
            or len(ratio) < 2
            or any(each < 1 for each in (*weights, *ratio))
            or len(weights) not in {0, len(chosen.factors)}
            or given.get("measure", "range") not in {"range", "variance", ""}
            or not Fraction(1, 2) <= probability <= 1
            or set(given) - known
        ):
            raise ValueError("parameters of minimization")
    except (KeyError, ValueError, ZeroDivisionError):
        return problem(
            "vault.method-unusable", "parameters",
            method=chosen.method, parameters=dict(given), known=", ".join(sorted(known)),
        )  # fmt: skip
    return Minimization(ratio, weights or (1,) * len(chosen.factors), probability, measure)


def _measured(rule: Minimization, counts: Sequence[Sequence[int]], arm: int) -> Fraction:
    total = Fraction(0)
    for weight, by_arm in zip(rule.factor_weights, counts, strict=True):
        scaled = [
            Fraction(count + (place == arm), share)
            for place, (count, share) in enumerate(zip(by_arm, rule.ratio, strict=True))
        ]
        total += weight * _spread(scaled, rule.measure)
    return total


def _spread(values: Sequence[Fraction], measure: Measure) -> Fraction:
    if measure == "range":
        return max(values) - min(values)
    mean = sum(values, Fraction(0)) / len(values)
    return sum(((value - mean) ** 2 for value in values), Fraction(0)) / (len(values) - 1)


def chances(rule: Minimization, past: Iterable[tuple[Levels, int]], levels: Levels) -> tuple[Fraction, ...]:
    """The chance of every arm for the next participant, exact; they sum to 1."""
    held = [[0] * len(rule.ratio) for _ in levels]
    for theirs, given in past:
        for factor, level in enumerate(theirs):
            held[factor][given] += level == levels[factor]
    return chances_from(rule, held)


def chances_from(rule: Minimization, counts: Sequence[Sequence[int]]) -> tuple[Fraction, ...]:
    """The same from counts: for each factor, how many of each arm share the participant's level."""
    wanting = [_measured(rule, counts, arm) for arm in range(len(rule.ratio))]
    least, number = min(wanting), sum(rule.ratio)
    best = sum(weight for weight, each in zip(rule.ratio, wanting, strict=True) if each == least)
    rest = (1 - rule.probability) / (number - 1)
    share = (rule.probability + (best - 1) * rest) / best
    return tuple(
        weight * (share if each == least else rest) for weight, each in zip(rule.ratio, wanting, strict=True)
    )


def chosen_arm(shares: Sequence[Fraction], draw: bytes) -> int:
    """The arm that a uniform draw picks: the draw as a whole number over 256**8 against the summed chances."""
    if len(draw) != DRAW_BYTES:
        raise ValueError(f"a draw has {DRAW_BYTES} bytes")
    at, passed = Fraction(int.from_bytes(draw, "big"), 256**DRAW_BYTES), Fraction(0)
    for arm, share in enumerate(shares):
        passed += share
        if at < passed:
            return arm
    raise ValueError("the chances do not sum to 1")


def arm_for(study: Study, past: Iterable[tuple[Levels, int]], levels: Levels, draw: bytes) -> int | Problem:
    """The place (as in `methods.in_order`) of the next participant's arm.

    past: everybody randomized before, in any order; levels: `levels_of` the participant's stratum code; draw: what the
    participant's slot holds. A Problem where the study does not minimize or the levels are not of its factors.
    """
    chosen = in_order(study)
    if chosen is None:
        return problem("vault.nothing-to-allocate", "randomization")
    rule = minimization_of(chosen)
    if isinstance(rule, Problem):
        return rule
    codes = [{level.code for level in factor.levels} for factor in chosen.factors]
    if len(levels) != len(codes) or any(
        level not in known for level, known in zip(levels, codes, strict=True)
    ):
        return problem("vault.levels-unknown", "/".join(levels), stratum="/".join(levels))
    return chosen_arm(chances(rule, past, levels), draw)


def levels_of(stratum: str) -> Levels:
    """The levels that a stratum's code says, in the order of the factors."""
    return tuple(stratum.split("/"))


def allocations(rule: Minimization, taken: Iterable[tuple[str, bytes]]) -> tuple[int, ...]:
    """The arms of everybody, in the order of randomization, from each one's stratum code and draw."""
    counts: dict[tuple[int, str], list[int]] = {}
    found: list[int] = []
    for stratum, draw in taken:
        mine = [
            counts.setdefault((factor, level), [0] * len(rule.ratio))
            for factor, level in enumerate(levels_of(stratum))
        ]
        arm = chosen_arm(chances_from(rule, mine), draw)
        for held in mine:
            held[arm] += 1
        found.append(arm)
    return tuple(found)

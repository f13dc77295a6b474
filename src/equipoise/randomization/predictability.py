"""How well the next arm can be guessed, computed exactly from a method's own chances.

guess: expected share of right guesses of a person who knows every past arm and always guesses the arm that is behind
(the convergence strategy of Blackwell and Hodges 1957), or, with unequal weights, the arm that is then likeliest;
0.5 with two arms 1:1 is none. certain: share of slots whose
arm is certain to somebody who knows the method's state. one break: the best guess about another slot after a single
opened code. own site: as guess, of a person who knows the past arms of one site only (`guessing`). imbalance: mean
imbalance at the end of the list, p95 its 95th percentile. Minimization is simulated, everything else is exact.
The bars and the measured table they come from: Zhao, Weng, Wu and Palesch, Pharmaceutical Statistics 2012;11:39.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from equipoise.protocol.strata import MODE_B
from equipoise.protocol.study import Randomization, Study
from equipoise.randomization.guessing import own_site, simulated
from equipoise.randomization.methods import (
    Branch,
    Method,
    State,
    biased_coin,
    big_stick,
    complete,
    in_order,
    maximal_procedure,
    method_of,
    permuted_blocks,
)
from equipoise.randomization.minimization import Minimization, minimization_of
from equipoise.words.problem import Problem, problem

GUESS_BAR = 0.62
OWN_SITE_BAR = 0.52
ONE_BREAK_BAR = 0.67
"""A design beyond a bar needs a recorded reason; a block that one opened code opens whole is never accepted."""

_LONGEST_MAXIMAL = 500
"""Slots up to which the maximal procedure is put beside the others: its counting grows fast."""

Spread = Mapping[tuple[State, State], float]
"""(counts so far, state of the method) -> probability."""


@dataclass(frozen=True, slots=True)
class Predictability:
    """The figures of one method over a list of `slots` slots. `chance` is the share of right guesses by chance."""

    label: str
    slots: int
    chance: float
    guess: float
    certain: float
    one_break: float
    imbalance: float
    imbalance_p95: float
    own_site: float
    smallest_block: int | None = None

    @property
    def over(self) -> bool:
        """Whether a bar is passed. The bars are for two equal arms; others are measured by what they add to chance."""
        added = 0.5 - self.chance
        return (
            self.guess + added > GUESS_BAR
            or self.own_site + added > OWN_SITE_BAR
            or self.one_break + added > ONE_BREAK_BAR
        )


def predictability(label: str, method: Method, slots: int) -> Predictability:
    """The figures of a method. Exact up to rounding of floats; cost grows with the square of `slots`."""
    guess = certain = 0.0
    spread: Spread = {((0,) * len(method.weights), method.start): 1.0}
    known: dict[State, tuple[Branch, ...]] = {}
    for _ in range(slots):
        by_counts: defaultdict[State, list[float]] = defaultdict(lambda: [0.0] * len(method.weights))
        for (counts, state), probability in spread.items():
            branches = _kept(known, method, state)
            for chance, arm, _ in branches:
                by_counts[counts][arm] += probability * float(chance)
            certain += probability * (len({arm for _, arm, _ in branches}) == 1)
        guess += sum(_guessed(counts, method.weights, chances) for counts, chances in by_counts.items())
        spread = _onward(spread, method, known)
    heaviest = max(method.weights) / sum(method.weights)
    return Predictability(
        label,
        slots,
        heaviest,
        guess / slots,
        certain / slots,
        _one_break(method, slots, known),
        *_final_imbalance(spread, method.weights),
        own_site(method, slots),
        method.smallest_block,
    )


def _final_imbalance(spread: Spread, weights: tuple[int, ...]) -> tuple[float, float]:
    """Mean and 95th percentile."""
    by_size: defaultdict[float, float] = defaultdict(float)
    for (counts, _), probability in spread.items():
        by_size[_apart(counts, weights)] += probability
    mean, passed = sum(size * probability for size, probability in by_size.items()), 0.0
    for size in sorted(by_size):
        passed += by_size[size]
        if passed >= 0.95 - 1e-12:
            return mean, size
    raise RuntimeError("the probabilities of a list do not sum to 1")


def _kept(known: dict[State, tuple[Branch, ...]], method: Method, state: State) -> tuple[Branch, ...]:
    if state not in known:
        known[state] = method.branches(state)
    return known[state]


def _guessed(counts: State, weights: tuple[int, ...], chances: list[float]) -> float:
    """How much of the chances a guess gets right: equal arms, the one furthest behind (or one of them at random)."""
    if len(set(weights)) > 1:
        return max(chances)
    behind = [arm for arm, count in enumerate(counts) if count == min(counts)]
    return sum(chances[arm] for arm in behind) / len(behind)


def _onward(spread: Spread, method: Method, known: dict[State, tuple[Branch, ...]]) -> Spread:
    after: defaultdict[tuple[State, State], float] = defaultdict(float)
    for (counts, state), probability in spread.items():
        for chance, arm, next_state in _kept(known, method, state):
            more = tuple(count + (place == arm) for place, count in enumerate(counts))
            after[more, next_state] += probability * float(chance)
    return after


def _apart(counts: State, weights: tuple[int, ...]) -> float:
    scaled = [count / weight for count, weight in zip(counts, weights, strict=True)]
    return max(scaled) - min(scaled)


def _one_break(method: Method, slots: int, known: dict[State, tuple[Branch, ...]]) -> float:
    """The largest probability with which one slot tells another: over all pairs and all arms that may be opened."""
    best = 0.0
    before: dict[State, float] = {method.start: 1.0}
    for opened in range(slots - 1):
        for arm in range(len(method.weights)):
            told = {state: p for state, p in _step(before, method, known, arm).items() if p}
            seen = sum(told.values())
            if seen > 0:
                best = max(best, *(_best_guess(told, seen, method, known, slots - opened - 1)))
        before = _step(before, method, known, None)
    return best


def _best_guess(
    told: Mapping[State, float],
    seen: float,
    method: Method,
    known: dict[State, tuple[Branch, ...]],
    left: int,
) -> Iterator[float]:
    """For every later slot, how likely its likeliest arm is. Looks no further than the memory of the method reaches."""
    yield 0.0
    for _ in range(min(left, 24)):
        arms = [0.0] * len(method.weights)
        for state, probability in told.items():
            for chance, arm, _ in _kept(known, method, state):
                arms[arm] += probability * float(chance) / seen
        yield max(arms)
        told = _step(told, method, known, None)


def _step(
    before: Mapping[State, float], method: Method, known: dict[State, tuple[Branch, ...]], arm: int | None
) -> dict[State, float]:
    """The states one slot later; with `arm`, only where that arm came."""
    after: defaultdict[State, float] = defaultdict(float)
    for state, probability in before.items():
        for chance, drawn, next_state in _kept(known, method, state):
            if arm is None or arm == drawn:
                after[next_state] += probability * float(chance)
    return after


def own_figures(study: Study) -> Predictability | Problem:
    """The figures of the study's own design."""
    chosen, slots = in_order(study), _slots(study)
    if chosen is None:
        return problem("vault.nothing-to-allocate", "randomization")
    if chosen.method == MODE_B:
        rule = minimization_of(chosen)
        return rule if isinstance(rule, Problem) else _minimized(_label(chosen), rule, _levels(chosen), slots)
    own = method_of(chosen, slots)
    return own if isinstance(own, Problem) else predictability(_label(chosen), own, slots)


def _slots(study: Study) -> int:
    return study.design.cap or study.design.target or 100


def _label(chosen: Randomization) -> str:
    return " ".join([chosen.method, *(f"{name}={value}" for name, value in chosen.parameters.items())])


def _levels(chosen: Randomization) -> tuple[int, ...]:
    return tuple(len(factor.levels) for factor in chosen.factors)


def _minimized(label: str, rule: Minimization, levels: tuple[int, ...], slots: int) -> Predictability:
    """The figures of minimization, the participants' levels drawn evenly; one break as it is for the first two of them.

    Whoever knows one arm alone knows of another's no more than the chance that it had: the largest that there is.
    """
    found = simulated(rule, levels, slots)
    heaviest = max(rule.ratio) / sum(rule.ratio)
    return Predictability(
        label,
        slots,
        heaviest,
        found.guess,
        found.certain,
        max(float(chance) for chance in found.largest),
        found.imbalance,
        found.imbalance_p95,
        found.own_site,
    )


def design_table(study: Study) -> tuple[Predictability, ...] | Problem:
    """The study's own design first, then what it could have been: complete, blocks, big stick, and the like."""
    chosen, own, slots = in_order(study), own_figures(study), _slots(study)
    if chosen is None or isinstance(own, Problem):
        return own if isinstance(own, Problem) else problem("vault.nothing-to-allocate", "randomization")
    weights = tuple(chosen.ratio.values())
    total = sum(weights)
    others = [
        ("complete", complete(weights)),
        (f"permuted_blocks sizes={2 * total}", permuted_blocks(weights, [2 * total])),
        (f"permuted_blocks sizes={2 * total},{3 * total}", permuted_blocks(weights, [2 * total, 3 * total])),
        *((f"big_stick imbalance={limit}", big_stick(weights, limit)) for limit in (2, 3, 4)),
    ]
    if weights == (1, 1):
        others.append(("biased_coin probability=2/3", biased_coin(weights, Fraction(2, 3))))
    if slots <= _LONGEST_MAXIMAL:
        others.append(("maximal_procedure imbalance=3", maximal_procedure(weights, 3, slots)))
    rows = [own, *(predictability(name, method, slots) for name, method in others if name != own.label)]
    for text in ("7/10", "4/5") if chosen.factors else ():
        rule = Minimization(weights, (1,) * len(chosen.factors), Fraction(text))
        if own.label != f"{MODE_B} probability={text}":
            rows.append(_minimized(f"{MODE_B} probability={text}", rule, _levels(chosen), slots))
    return tuple(rows)

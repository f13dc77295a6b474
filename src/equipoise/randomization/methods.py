"""Methods of allocating arms, each as the chances of the next slot. Behind the second door only.

The rule that must stay true: a method is pure; what is random comes from the draws it is given. A method says, for a
state, its branches: (chance, arm, state afterwards), with exact fractions that sum to 1. The same branches make the
list (`draw_list`) and measure how well it can be guessed (`predictability`), so the two cannot differ.
Sources: permuted blocks, Matts and Lachin 1988; big stick, Soares and Wu 1983; maximal procedure, Berger, Ivanova and
Knoll 2003; biased coin, Efron 1971. Imbalance of arms with weights w: the largest |n_i/w_i - n_j/w_j|.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import lcm

from equipoise.protocol.study import Randomization, Study
from equipoise.randomization.draws import Draws
from equipoise.words.problem import Problem, problem

State = tuple[int, ...]
Branch = tuple[Fraction, int, State]
NAMES = ("complete", "permuted_blocks", "big_stick", "maximal_procedure", "biased_coin")


@dataclass(frozen=True, slots=True)
class Method:
    """A method for arms with whole weights. `branches(state)` are the chances of the next slot."""

    name: str
    weights: tuple[int, ...]
    start: State
    branches: Callable[[State], tuple[Branch, ...]]
    smallest_block: int | None = None


def in_order(study: Study) -> Randomization | None:
    """The study's allocation with its ratio in the order of the study's arms.

    A slot holds a place in this order. The order of the arms is part of the study's digest, that of the ratio is not,
    so nobody can afterwards give the places to other arms.
    """
    chosen = study.randomization
    if chosen is None:
        return None
    ratio = {arm.id: chosen.ratio[arm.id] for arm in study.arms if arm.id in chosen.ratio}
    return chosen.model_copy(update={"ratio": ratio | dict(chosen.ratio)})


def method_of(chosen: Randomization, length: int) -> Method | Problem:
    """The method that a study names, for lists of `length` slots, or what is wrong with its parameters."""
    weights = tuple(chosen.ratio.values())
    if len(weights) < 2 or any(weight < 1 for weight in weights):
        return problem("vault.ratio-unusable", "ratio", ratio=dict(chosen.ratio))
    try:
        return _made(chosen.method, chosen.parameters, weights, length)
    except (KeyError, ValueError, ZeroDivisionError):
        return problem(
            "vault.method-unusable", "parameters",
            method=chosen.method, parameters=dict(chosen.parameters), known=", ".join(NAMES),
        )  # fmt: skip


def _made(name: str, parameters: Mapping[str, str], weights: tuple[int, ...], length: int) -> Method:
    if name == "complete":
        return complete(weights)
    if name == "permuted_blocks":
        return permuted_blocks(weights, [int(size) for size in parameters["sizes"].replace(",", " ").split()])
    if name == "big_stick":
        return big_stick(weights, int(parameters["imbalance"]))
    if name == "maximal_procedure":
        return maximal_procedure(weights, int(parameters["imbalance"]), length)
    if name == "biased_coin":
        return biased_coin(weights, Fraction(parameters["probability"]))
    raise KeyError(name)


def complete(weights: tuple[int, ...]) -> Method:
    """Every slot on its own, as a coin or a die."""
    total = sum(weights)
    branches = tuple((Fraction(weight, total), arm, ()) for arm, weight in enumerate(weights))
    return Method("complete", weights, (), lambda _: branches)


def permuted_blocks(weights: tuple[int, ...], sizes: Sequence[int]) -> Method:
    """Shuffled blocks, each of a size drawn from `sizes`; ValueError unless all are multiples of the ratio's sum."""
    total = sum(weights)
    if not sizes or any(size < 1 or size % total for size in sizes):
        raise ValueError(f"block sizes {sizes} for a ratio that sums to {total}")

    def branches(left: State) -> tuple[Branch, ...]:
        if any(left):
            return tuple((chance, arm, after) for chance, arm, after in _from_urn(left))
        share = Fraction(1, len(sizes))
        return tuple(
            (share * chance, arm, after)
            for size in sizes
            for chance, arm, after in _from_urn(tuple(weight * size // total for weight in weights))
        )

    return Method("permuted_blocks", weights, (0,) * len(weights), branches, min(sizes))


def _from_urn(left: State) -> list[Branch]:
    total = sum(left)
    return [
        (Fraction(count, total), arm, tuple(each - (place == arm) for place, each in enumerate(left)))
        for arm, count in enumerate(left)
        if count
    ]


def big_stick(weights: tuple[int, ...], imbalance: int) -> Method:
    """A coin (or die) while no arm would run further ahead than `imbalance`; then only the arms behind.

    With unequal weights the chances of a single slot differ a little from the ratio; over the list they keep it.
    """
    if imbalance < 1:
        raise ValueError("an imbalance below 1 leaves no choice")

    def branches(counts: State) -> tuple[Branch, ...]:
        allowed = [arm for arm in range(len(weights)) if within(_plus(counts, arm), weights, imbalance)]
        total = sum(weights[arm] for arm in allowed)
        return tuple(
            (Fraction(weights[arm], total), arm, _reduced(_plus(counts, arm), weights)) for arm in allowed
        )

    return Method("big_stick", weights, (0,) * len(weights), branches)


def biased_coin(weights: tuple[int, ...], probability: Fraction) -> Method:
    """Efron: the arm that is behind gets `probability`. For two arms 1:1; raises ValueError otherwise."""
    if weights != (1, 1) or not Fraction(1, 2) <= probability <= 1:
        raise ValueError("the biased coin is for two arms 1:1 with a probability from 1/2 to 1")
    half = Fraction(1, 2)

    def branches(counts: State) -> tuple[Branch, ...]:
        first = half if counts[0] == counts[1] else probability if counts[0] < counts[1] else 1 - probability
        chances = ((first, 0), (1 - first, 1))
        return tuple(
            (chance, arm, _reduced(_plus(counts, arm), weights)) for chance, arm in chances if chance
        )

    return Method("biased_coin", weights, (0, 0), branches)


def maximal_procedure(weights: tuple[int, ...], imbalance: int, length: int) -> Method:
    """Every list of `length` slots that keeps within `imbalance` and ends balanced is equally likely.

    A length that is no multiple of the ratio's sum ends as the next shorter balanced one goes on: within the limit.
    """
    if imbalance < 1 or length < 1:
        raise ValueError("an imbalance and a length of at least 1")
    ways = _ways(weights, imbalance, length)

    def branches(counts: State) -> tuple[Branch, ...]:
        if counts not in ways:
            raise ValueError("the list is at its end")
        onward = [(arm, _plus(counts, arm)) for arm in range(len(weights))]
        return tuple(
            (Fraction(ways[after], ways[counts]), arm, after) for arm, after in onward if ways.get(after, 0)
        )

    return Method("maximal_procedure", weights, (0,) * len(weights), branches)


def _ways(weights: tuple[int, ...], imbalance: int, length: int) -> Mapping[State, int]:
    """State -> number of ways to go on to the end. Forward over what can be reached, backward counting."""
    levels: list[set[State]] = [{(0,) * len(weights)}]
    for _ in range(length):
        onward = {_plus(counts, arm) for counts in levels[-1] for arm in range(len(weights))}
        levels.append({counts for counts in onward if within(counts, weights, imbalance)})
    total = sum(weights)
    balanced = {
        counts
        for counts in levels[-1]
        if all(n * total == length * w for n, w in zip(counts, weights, strict=True))
    }
    ways = dict.fromkeys(balanced or levels[-1], 1)
    for level in reversed(levels[:-1]):
        for counts in level:
            ways[counts] = sum(ways.get(_plus(counts, arm), 0) for arm in range(len(weights)))
    return ways


def within(counts: State, weights: tuple[int, ...], imbalance: int) -> bool:
    """Whether no two arms, each divided by its weight, are further apart than `imbalance`."""
    return all(
        abs(counts[a] * weights[b] - counts[b] * weights[a]) <= imbalance * weights[a] * weights[b]
        for a, b in combinations(range(len(weights)), 2)
    )


def _plus(counts: State, arm: int) -> State:
    return tuple(count + (place == arm) for place, count in enumerate(counts))


def _reduced(counts: State, weights: tuple[int, ...]) -> State:
    """The same imbalance with the whole rounds taken off, so that there are few states."""
    rounds = min(count // weight for count, weight in zip(counts, weights, strict=True))
    return tuple(count - rounds * weight for count, weight in zip(counts, weights, strict=True))


def draw_list(method: Method, length: int, draws: Draws) -> tuple[int, ...]:
    """A list of `length` slots: for each the index of its arm. The draws are those of `Draws.choose`, one a slot."""
    state, found = method.start, []
    known: dict[State, tuple[int, tuple[tuple[int, int, State], ...]]] = {}
    for _ in range(length):
        kept = known.get(state)
        if kept is None:
            kept = known[state] = _in_whole_numbers(method.branches(state))
        whole, steps = kept
        drawn = draws.below(whole)
        for limit, arm, after in steps:
            if drawn < limit:
                found.append(arm)
                state = after
                break
    return tuple(found)


def _in_whole_numbers(branches: Sequence[Branch]) -> tuple[int, tuple[tuple[int, int, State], ...]]:
    """A common denominator, and for each branch the sum of the chances up to it over that denominator."""
    whole = lcm(*(chance.denominator for chance, _, _ in branches))
    passed, steps = 0, []
    for chance, arm, after in branches:
        passed += int(chance * whole)
        steps.append((passed, arm, after))
    if passed != whole:
        raise ValueError("the chances do not sum to 1")
    return whole, tuple(steps)

"""How well somebody guesses who knows the arms of one site only, and how well minimization is guessed.

The rules that must stay true: the same question gives the same figure every time (exact, or simulated from a fixed
seed); the guesser follows the convergence strategy (Blackwell and Hodges 1957): the arm that is behind, on what he
knows. Sites: ten of unequal size, taking 10, 9, … 1 of every 55 participants, from one central list.
Two equal arms are exact up to the rounding of floats; other ratios and minimization are simulated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from equipoise.randomization.draws import Draws
from equipoise.randomization.methods import Branch, Method, State, draw_list
from equipoise.randomization.minimization import Minimization, chances_from

SITES = tuple(range(10, 0, -1))
"""Relative sizes of the sites."""
LISTS = 600
"""Lists in a simulation: with 86 slots the standard error of a share guessed right is 0.0022."""
SLOTS_MAX = 200
"""Longer lists are measured over their first slots; more slots make no guesser better."""
_NEGLIGIBLE = 1e-13


def own_site(method: Method, slots: int) -> float:
    """Expected share of right guesses from own-site data, over all sites."""
    length = min(slots, SLOTS_MAX)
    if method.weights == (1, 1):
        shares = [size / sum(SITES) for size in SITES]
        return sum(_at_site(method, length, share) for share in shares) / length
    return _simulated_site(method, length)


def _at_site(method: Method, length: int, share: float) -> float:
    """Expected number of right guesses at a site that takes `share` of all participants. Two equal arms."""
    spread: dict[tuple[State, int], float] = {(method.start, 0): 1.0}
    known: dict[State, tuple[Branch, ...]] = {}
    right = 0.0
    for _ in range(length):
        after: defaultdict[tuple[State, int], float] = defaultdict(float)
        for (state, ahead), probability in spread.items():
            if probability < _NEGLIGIBLE:
                continue
            branches = known.get(state) or known.setdefault(state, method.branches(state))
            for chance, arm, onward in branches:
                here = probability * float(chance)
                if ahead == 0:
                    right += here * share / 2
                elif (ahead > 0) == (arm == 1):
                    right += here * share
                after[onward, ahead + (1 if arm == 0 else -1)] += here * share
                after[onward, ahead] += here * (1 - share)
        spread = after
    return right


def _simulated_site(method: Method, length: int) -> float:
    draws, guessed = Draws(b"equipoise-guessing-1", "own site"), _Site(method.weights)
    for _ in range(LISTS):
        guessed.begin()
        for arm in draw_list(method, length, draws):
            guessed.see(_site(draws), arm)
    return guessed.share()


def _site(draws: Draws) -> int:
    drawn = draws.below(sum(SITES))
    for site, size in enumerate(SITES):
        drawn -= size
        if drawn < 0:
            return site
    raise RuntimeError("the sites take everybody")


class _Site:
    """Counts right guesses at every site, of the better of two guessers: the arm behind, or the heaviest arm always."""

    def __init__(self, weights: Sequence[int]) -> None:
        self._weights = tuple(weights)
        self._counts: list[list[int]] = []
        self._behind = self._heaviest = 0.0
        self._seen = 0

    def begin(self) -> None:
        """A new list: nobody knows anything."""
        self._counts = [[0] * len(self._weights) for _ in SITES]

    def see(self, site: int, arm: int) -> None:
        """A participant came to a site and got an arm."""
        mine = self._counts[site]
        scaled = [count / weight for count, weight in zip(mine, self._weights, strict=True)]
        behind = [place for place, each in enumerate(scaled) if each == min(scaled)]
        self._behind += (arm in behind) / len(behind)
        self._heaviest += self._weights[arm] == max(self._weights) and 1 / self._weights.count(
            max(self._weights)
        )
        mine[arm] += 1
        self._seen += 1

    def share(self) -> float:
        """Share of right guesses."""
        return max(self._behind, self._heaviest) / self._seen


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a simulation of minimization gave. `largest`: every largest chance of a participant that came up."""

    guess: float
    certain: float
    own_site: float
    imbalance: float
    imbalance_p95: float
    largest: frozenset[Fraction]


def simulated(rule: Minimization, levels: Sequence[int], slots: int) -> Simulated:
    """Minimization over many lists: participants come at random to the sites, with every level of a factor as likely.

    guess: share guessed right by somebody who knows every arm and level before, and the levels of the next.
    """
    draws, guessed = Draws(b"equipoise-guessing-1", "minimization"), _Site(rule.ratio)
    length, known = min(slots, SLOTS_MAX), _Known(rule)
    right = certain = 0.0
    ends: list[float] = []
    for _ in range(LISTS):
        guessed.begin()
        counts = [[[0] * len(rule.ratio) for _ in range(number)] for number in levels]
        totals = [0] * len(rule.ratio)
        for _ in range(length):
            mine = [by_level[draws.below(len(by_level))] for by_level in counts]
            shares = known.chances(mine)
            arm = draws.choose(shares)
            right += float(max(shares))
            certain += max(shares) == 1
            for held in (*mine, totals):
                held[arm] += 1
            guessed.see(_site(draws), arm)
        scaled = [count / weight for count, weight in zip(totals, rule.ratio, strict=True)]
        ends.append(max(scaled) - min(scaled))
    whole, ends = LISTS * length, sorted(ends)
    return Simulated(
        right / whole, certain / whole, guessed.share(), sum(ends) / LISTS, ends[int(0.95 * (LISTS - 1))],
        frozenset(known.largest),
    )  # fmt: skip


class _Known:
    """Chances by counts, each worked out once: only differences of counts matter while the weights are equal."""

    def __init__(self, rule: Minimization) -> None:
        self._rule = rule
        self._by_counts: dict[tuple[tuple[int, ...], ...], tuple[Fraction, ...]] = {}
        self.largest: set[Fraction] = set()

    def chances(self, mine: Sequence[Sequence[int]]) -> tuple[Fraction, ...]:
        key = tuple(
            tuple(count - min(held) for count in held) if len(set(self._rule.ratio)) == 1 else tuple(held)
            for held in mine
        )
        found = self._by_counts.get(key)
        if found is None:
            found = self._by_counts[key] = chances_from(self._rule, key)
            self.largest.add(max(found))
        return found

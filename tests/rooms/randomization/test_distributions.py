"""Every method's lists against their distribution, worked out apart: all draws that there are, and every list's chance.

The oracle of each method is written from its paper over whole sequences, not over states; the program's side is the
generator itself (`draw_list`), fed with every possible outcome of every draw, so that nothing is estimated.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from itertools import permutations, product

import pytest

from equipoise.randomization.draws import Draws
from equipoise.randomization.methods import (
    biased_coin,
    big_stick,
    complete,
    draw_list,
    maximal_procedure,
    permuted_blocks,
)
from equipoise.vault.lists import AllocationList, make_list
from rooms.capture.conduct_study import made_definition, made_study


class _MoreNeeded(Exception):
    """The script of outcomes is at its end; the bound of the next draw."""


class Script(Draws):
    """Draws whose outcomes are given."""

    def __init__(self, outcomes):
        self.outcomes, self.used = outcomes, 0

    def below(self, bound):
        if self.used == len(self.outcomes):
            raise _MoreNeeded(bound)
        self.used += 1
        return self.outcomes[self.used - 1]


def distribution(method, length) -> dict[tuple[int, ...], Fraction]:
    """list -> chance, from every possible outcome of every draw that the generator makes."""
    found: defaultdict[tuple[int, ...], Fraction] = defaultdict(Fraction)
    waiting = [((), Fraction(1))]
    while waiting:
        outcomes, chance = waiting.pop()
        try:
            found[draw_list(method, length, Script(outcomes))] += chance
        except _MoreNeeded as needed:
            bound = int(needed.args[0])
            waiting += [((*outcomes, each), chance / bound) for each in range(bound)]
    return dict(found)


def every(arms, length):
    return product(range(arms), repeat=length)


def keeps(sequence, weights, limit) -> bool:
    """Whether no two arms, each over its weight, are ever further apart than the limit."""
    return all(
        abs(Fraction(sequence[:n].count(a), weights[a]) - Fraction(sequence[:n].count(b), weights[b]))
        <= limit
        for n in range(len(sequence) + 1)
        for a in range(len(weights))
        for b in range(a)
    )


# --- oracles, each over whole sequences --------------------------------------------------------------------------------


def of_complete(weights, length):
    """Independent slots, each arm in proportion to its weight."""
    found = {}
    for sequence in every(len(weights), length):
        chance = Fraction(1)
        for arm in sequence:
            chance *= Fraction(weights[arm], sum(weights))
        found[sequence] = chance
    return found


def of_blocks(weights, sizes, length):
    """Matts and Lachin 1988: a size drawn evenly, then all orders of that block alike; the last block is cut off."""
    found: defaultdict[tuple[int, ...], Fraction] = defaultdict(Fraction)

    def add(sequence, chance):
        if len(sequence) >= length:
            found[sequence[:length]] += chance
            return
        for size in sizes:
            block = [arm for arm, w in enumerate(weights) for _ in range(w * size // sum(weights))]
            orders = Counter(permutations(block))
            for order, times in orders.items():
                add(sequence + order, chance / len(sizes) * Fraction(times, sum(orders.values())))

    add((), Fraction(1))
    return dict(found)


def of_big_stick(weights, limit, length):
    """Soares and Wu 1983: at every place, by weight among the arms that keep the limit."""
    found = {}
    for sequence in every(len(weights), length):
        if not keeps(sequence, weights, limit):
            continue
        chance = Fraction(1)
        for n in range(length):
            open_arms = [arm for arm in range(len(weights)) if keeps((*sequence[:n], arm), weights, limit)]
            chance *= Fraction(weights[sequence[n]], sum(weights[arm] for arm in open_arms))
        found[sequence] = chance
    return found


def of_maximal(weights, limit, length):
    """Berger, Ivanova and Knoll 2003: all lists that keep the limit and end balanced, each as likely."""
    allowed = [sequence for sequence in every(len(weights), length) if keeps(sequence, weights, limit)]
    balanced = [
        sequence
        for sequence in allowed
        if len({Fraction(sequence.count(arm), w) for arm, w in enumerate(weights)}) == 1
    ]
    return dict.fromkeys(balanced or allowed, Fraction(1, len(balanced or allowed)))


def of_coin(probability, length):
    """Efron 1971: the arm behind with that probability."""
    found = {}
    for sequence in every(2, length):
        chance = Fraction(1)
        for n, arm in enumerate(sequence):
            ahead = sequence[:n].count(0) - sequence[:n].count(1)
            behind = (
                Fraction(1, 2)
                if ahead == 0
                else probability
                if (ahead > 0) == (arm == 1)
                else 1 - probability
            )
            chance *= behind
        if chance:
            found[sequence] = chance
    return found


TWO_THIRDS = Fraction(2, 3)
CASES = {
    "complete 1:1": (complete((1, 1)), of_complete((1, 1), 6), 6),
    "complete 2:1": (complete((2, 1)), of_complete((2, 1), 5), 5),
    "complete 3:2:1": (complete((3, 2, 1)), of_complete((3, 2, 1), 4), 4),
    "blocks of 4": (permuted_blocks((1, 1), [4]), of_blocks((1, 1), [4], 6), 6),
    "blocks of 4 and 6": (permuted_blocks((1, 1), [4, 6]), of_blocks((1, 1), [4, 6], 5), 5),
    "blocks of 3 and 6, 2:1": (permuted_blocks((2, 1), [3, 6]), of_blocks((2, 1), [3, 6], 5), 5),
    "blocks of 4, 2:1:1": (permuted_blocks((2, 1, 1), [4]), of_blocks((2, 1, 1), [4], 5), 5),
    "big stick 1": (big_stick((1, 1), 1), of_big_stick((1, 1), 1, 8), 8),
    "big stick 3": (big_stick((1, 1), 3), of_big_stick((1, 1), 3, 9), 9),
    "big stick 1, 2:1": (big_stick((2, 1), 1), of_big_stick((2, 1), 1, 7), 7),
    "big stick 2, 2:1:1": (big_stick((2, 1, 1), 2), of_big_stick((2, 1, 1), 2, 5), 5),
    "maximal 2": (maximal_procedure((1, 1), 2, 6), of_maximal((1, 1), 2, 6), 6),
    "maximal 3, odd": (maximal_procedure((1, 1), 3, 5), of_maximal((1, 1), 3, 5), 5),
    "maximal 1, 2:1": (maximal_procedure((2, 1), 1, 6), of_maximal((2, 1), 1, 6), 6),
    "coin 2/3": (biased_coin((1, 1), TWO_THIRDS), of_coin(TWO_THIRDS, 7), 7),
    "coin 1": (biased_coin((1, 1), Fraction(1)), of_coin(Fraction(1), 6), 6),
}


@pytest.mark.parametrize("case", CASES)
def test_every_list_comes_as_often_as_the_method_s_paper_says(case):
    method, expected, length = CASES[case]
    assert sum(expected.values()) == 1, "the oracle is a distribution"
    assert distribution(method, length) == expected


# --- stratified ------------------------------------------------------------------------------------------------------


def lists_of(count, **changes):
    study = made_study(design={"cap": 4}, randomization={**made_definition()["randomization"], **changes})
    for seed in range(count):
        made = make_list(study, "d" * 64, seed.to_bytes(4, "big"))
        assert isinstance(made, AllocationList)
        yield {code: tuple(slot.content.arm for slot in slots) for code, slots in made.slots.items()}


def chi_square(counts, expected) -> float:
    return sum((counts.get(key, 0) - number) ** 2 / number for key, number in expected.items())


def far(degrees) -> float:
    """Mean and four standard deviations of chi-square; the seeds are fixed, so this is no coin toss."""
    return degrees + 4 * (2 * degrees) ** 0.5


def test_each_stratum_s_list_has_the_method_s_distribution_and_no_other_stratum_tells_it():
    """Blocks of 4 in a list of 4: six lists, each 1 in 6 (Matts and Lachin 1988), in each stratum and in every pair."""
    count = 1800
    drawn = list(lists_of(count, method="permuted_blocks", parameters={"sizes": "4"}))
    codes = list(drawn[0])
    assert len(codes) == 4
    lists = sorted(set(permutations((0, 0, 1, 1))))
    for code in codes:
        counts = Counter(each[code] for each in drawn)
        assert chi_square(counts, dict.fromkeys(lists, count / 6)) < far(5)
    for one, other in [(one, other) for one in codes for other in codes if one < other]:
        pairs = Counter((each[one], each[other]) for each in drawn)
        expected = dict.fromkeys([(a, b) for a in lists for b in lists], count / 36)
        assert chi_square(pairs, expected) < far(35)


def test_unequal_arms_keep_their_ratio_in_every_stratum():
    count = 1200
    for each in lists_of(2, method="complete", parameters={}, ratio={"A": 2, "B": 1}):
        assert set(each) == {"L/E", "L/D", "H/E", "H/D"}
    drawn = list(lists_of(count, method="complete", parameters={}, ratio={"A": 2, "B": 1}))
    for code in drawn[0]:
        counts = Counter(each[code] for each in drawn)
        assert chi_square(counts, {key: count * float(p) for key, p in of_complete((2, 1), 4).items()}) < far(
            15
        )

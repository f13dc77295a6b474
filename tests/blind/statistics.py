"""What two worlds cannot show: that what is visible does not go with the arm within one world.

If a list were made so that odd numbers are always cells, swapping the arms would swap the numbers with them only where the
program lets it; a world can be equal to its twin and still be readable. So the visible side of many lists is tested against
their arms. Each test states its power, and each is shown a list that was spoilt on purpose, which it must refuse.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from equipoise.protocol.digest import study_digest
from equipoise.words.problem import Problem

LISTS = 24
"""Lists that are made, each of every stratum: 24 x 344 slots."""
ALPHA = 0.001
"""Chance that a sound list fails a test, for each test."""


@dataclass(frozen=True, slots=True)
class Row:
    """A slot as everybody sees it, and its arm: which list, place in its stratum, digits of its number."""

    made: int
    stratum: str
    index: int
    number: str
    commitment: str
    arm: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A test: whether the program's lists pass it, whether spoilt ones do not, and how strong it is."""

    channel: str
    name: str
    says: str
    passes: bool
    leak_caught: bool
    power: str

    @property
    def good(self) -> bool:
        """Passed by what is sound and failed by what is not."""
        return self.passes and self.leak_caught

    def __str__(self) -> str:
        return f"{self.channel:4} {self.name}: passes {self.passes}, spoilt list caught {self.leak_caught}"


def lists(count: int = LISTS, method: str = "") -> list[Row]:
    """Slots of lists that the program's own ceremony makes from as many seeds. method: another than the study's."""
    from blind.world import read_study
    from equipoise.vault.lists import make_list

    study = read_study()
    if method and study.randomization is not None:
        other = study.randomization.model_copy(update={"method": method, "parameters": {"size": "2"}})
        study = study.model_copy(update={"randomization": other})
    found = []
    for made in range(count):
        drawn = make_list(study, study_digest(study), b"a list of its own %d" % made)
        if isinstance(drawn, Problem):
            raise TypeError(drawn.say())
        for stratum, slots in drawn.slots.items():
            for slot in slots:
                public = slot.public()
                found.append(
                    Row(made, stratum, slot.name.index, public.number, public.commitment, slot.content.arm)
                )
    return found


def association(scores: Sequence[float], arms: Sequence[int]) -> float:
    """Two-sided p of the rank correlation of a visible score with the arm (Wilcoxon, normal approximation, ties)."""
    order = sorted(range(len(scores)), key=lambda at: scores[at])
    ranks, at, ties = [0.0] * len(scores), 0, 0.0
    while at < len(order):
        end = at
        while end < len(order) and scores[order[end]] == scores[order[at]]:
            end += 1
        for each in order[at:end]:
            ranks[each] = (at + end + 1) / 2
        ties += (end - at) ** 3 - (end - at)
        at = end
    count, ones = len(arms), sum(arms)
    zeros = count - ones
    total = sum(rank for rank, arm in zip(ranks, arms, strict=True) if arm)
    mean = ones * (count + 1) / 2
    spread = ones * zeros / 12 * (count + 1 - ties / (count * (count - 1)))
    return 1.0 if spread <= 0 else math.erfc(abs(total - mean) / math.sqrt(2 * spread))


SCORES: dict[str, Callable[[Row], float]] = {
    "number": lambda row: float(int("".join(filter(str.isdigit, row.number)))),
    "last digit": lambda row: float(row.number[-1]),
    "odd number": lambda row: float(int(row.number[-1]) % 2),
    "first digit": lambda row: float(next(filter(str.isdigit, row.number))),
    "sum of digits": lambda row: float(sum(int(sign) for sign in row.number if sign.isdigit())),
    "first byte of the commitment": lambda row: float(int(row.commitment[:2], 16)),
    "last byte of the commitment": lambda row: float(int(row.commitment[-2:], 16)),
    "stratum": lambda row: float(sum(row.stratum.encode())),
}
"""What a person could look at."""


def visible_goes_with_arm(rows: Sequence[Row]) -> list[str]:
    """Scores that go with the arm, by a test at ALPHA shared among them (Bonferroni)."""
    arms = [row.arm for row in rows]
    bar = ALPHA / len(SCORES)
    return [name for name, score in SCORES.items() if association([score(row) for row in rows], arms) < bar]


def adversary(rows: Sequence[Row]) -> float:
    """p of a blind adversary: learns from every other list what goes with the arm, and guesses the rest.

    A naive Bayes classifier over everything in SCORES, each cut into eighths, and the arm before. p: two-sided, of the
    rank correlation of its log odds with the arms of the lists that it did not see, which is that of its area under
    the curve against 0.5. It weighs all hints together, as a person would who looks for long.
    """
    learnt, unseen = [row for row in rows if row.made % 2 == 0], [row for row in rows if row.made % 2]
    weights: list[dict[int, float]] = []
    features = list(SCORES.values())
    cuts = [sorted({score(row) for row in learnt}) for score in features]
    for score, values in zip(features, cuts, strict=True):
        counts: dict[int, list[int]] = {}
        for row in learnt:
            counts.setdefault(_eighth(score(row), values), [1, 1])[row.arm] += 1
        weights.append({place: math.log(ones / zeros) for place, (zeros, ones) in counts.items()})
    odds = [
        sum(
            weight.get(_eighth(score(row), values), 0.0)
            for score, values, weight in zip(features, cuts, weights, strict=True)
        )
        for row in unseen
    ]
    return association(odds, [row.arm for row in unseen])


def _eighth(value: float, values: Sequence[float]) -> int:
    """The place of a value among those seen: its own where there are few, one of eight otherwise."""
    at = bisect.bisect_left(values, value)
    return at if len(values) <= 16 else 8 * at // len(values)


def guessed_right(rows: Sequence[Row]) -> float:
    """Share of arms that somebody who knows all earlier ones of the list guesses: always the arm that is behind."""
    right = 0.0
    counts: dict[tuple[int, str], list[int]] = {}
    for row in rows:
        seen = counts.setdefault((row.made, row.stratum), [0, 0])
        right += 0.5 if seen[0] == seen[1] else float((seen[0] > seen[1]) == bool(row.arm))
        seen[row.arm] += 1
    return right / len(rows)


def measured(*, full: bool) -> list[Measured]:
    """Every test of this kind. full: ten times as many lists."""
    from equipoise.randomization.predictability import GUESS_BAR

    rows = lists(LISTS * (10 if full else 1))
    spoilt = [_with(row, arm=int(row.number[-1]) % 2) for row in rows]
    ordered = _sorted_numbers(rows)
    blocks = [_with(row, arm=(row.index + (row.index + row.made) // 2) % 2) for row in rows]
    n = len(rows)
    strong = f"{n} slots; a share of arms guessed right of {0.5 + 4.4 * 0.5 / math.sqrt(n):.3f} is found"
    found = [
        Measured("L3", "numbers_by_arm", "arms follow from the last digit of the public number",
                 not visible_goes_with_arm(rows), "odd number" in visible_goes_with_arm(spoilt), strong),
        Measured("L2", "numbers_in_order_of_arms", "public numbers rise with the arm",
                 not visible_goes_with_arm(rows), "number" in visible_goes_with_arm(ordered), strong),
        Measured("L4", "pairs", "every second slot follows from the one before",
                 guessed_right(rows) <= GUESS_BAR, guessed_right(blocks) > GUESS_BAR,
                 f"bar {GUESS_BAR}; {n} guesses, standard error {0.5 / math.sqrt(n):.4f}"),
    ]  # fmt: skip
    return [*found, _adversary(rows)] if full else found


def _adversary(rows: Sequence[Row]) -> Measured:
    """Every night: a person who looks for long, and who is shown lists in which one arm in eight follows from a digit."""
    faint = [_with(row, arm=int(row.number[-1]) % 2) if row.index % 8 == 0 else row for row in rows]
    n = len(rows)
    return Measured(
        "L3", "adversary", "one arm in eight follows from the last digit, which a classifier learns from other lists",
        adversary(rows) >= ALPHA, adversary(faint) < ALPHA,
        f"{n // 2} arms guessed after {n // 2} seen; an area under the curve within"
        f" {3.3 * math.sqrt(1 / (6 * n)):.3f} of 0.5 is not told from chance",
    )  # fmt: skip


def _with(row: Row, *, arm: int) -> Row:
    return Row(row.made, row.stratum, row.index, row.number, row.commitment, arm)


def _sorted_numbers(rows: Sequence[Row]) -> list[Row]:
    """The same arms under numbers that were given out in their order."""
    by_arm = sorted(rows, key=lambda row: (row.arm, row.commitment))
    numbers = sorted(row.number for row in rows)
    return [
        Row(row.made, row.stratum, row.index, number, row.commitment, row.arm)
        for row, number in zip(by_arm, numbers, strict=True)
    ]

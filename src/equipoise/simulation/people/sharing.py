"""Sharing a total out over the items of a scale, so that the items add up to it exactly.

The rules that must stay true: every item gets an allowed score; the total of the scale, as the instruments room
counts it, is the total that was drawn; an item behind a gate has points only where the gate is open (and 0 behind
a closed one, as a rater writes it), and an item that counts in no total has none. Easy items have their points before
hard ones (a Guttman scale with noise).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from equipoise.instruments import Scale, ScaleItem
from equipoise.simulation.people.chances import Chances

_MIDDLE = 0.5
_BETWEEN = 0.35
"""How much harder each further score of an item is than the one before."""


def share_out(
    scale: Scale, testcd: str, value: int, easy: Mapping[str, float], noise: float, chances: Chances
) -> dict[str, int]:
    """A score for every item that counts in the total `testcd`, adding up to `value`, or to the nearest that can be.

    easy: difficulty by section or item id, about 0 to 1. noise: standard deviation of a person's own order.
    """
    total = scale.total(testcd)
    if total is None:
        raise ValueError(f"{scale.id} has no total {testcd}")
    counted = _counted(scale, total.items)
    tops = {item.id: item.maximum for item in counted}
    gates = {gate.item: {key: tops[key] for key in gate.opened_by if key in tops} for gate in scale.gates}
    order = sorted(_steps(counted, easy, noise, chances))
    scores = {item.id: item.minimum for item in counted}
    left = value - sum(scores.values())
    for attempt in range(len(counted)):
        left = _award(order, scores, left, gates)
        if left == 0 or not _take_back(order, scores, left, gates, attempt):
            break
        left = value - sum(scores.values())
    return scores


def _counted(scale: Scale, items: tuple[str, ...]) -> list[ScaleItem]:
    found = [scale.item(item) for item in items]
    return [item for item in found if item is not None and not item.optional]


_Step = tuple[float, str, int, int]
"""Difficulty, item, score before, score after."""
_Gates = Mapping[str, Mapping[str, int]]
"""Item -> what must have which score before the item is scored."""
_STEADY, _PASSING = 0.8, 0.6
"""How much of the noise is the person's own and how much the day's; their squares add up to 1."""


def _steps(items: list[ScaleItem], easy: Mapping[str, float], noise: float, chances: Chances) -> list[_Step]:
    found, steady = [], chances.at("steady")
    for item in items:
        own = easy.get(item.id, easy.get(item.section, _MIDDLE))
        if noise:
            name = f"share:{item.id}"
            own += noise * (_STEADY * steady.normal(name) + _PASSING * chances.normal(name))
        scores = item.scores
        for position, (before, after) in enumerate(pairwise(scores)):
            found.append((own + _BETWEEN * position, item.id, before, after))
    return found


def _open(item: str, scores: Mapping[str, int], gates: _Gates) -> bool:
    behind = gates.get(item)
    return behind is None or all(scores[key] == top for key, top in behind.items())


def _award(order: list[_Step], scores: dict[str, int], left: int, gates: _Gates) -> int:
    """Give points from easy to hard while they fit, going round again where a gate has opened; what is left."""
    moved = True
    while left > 0 and moved:
        moved = False
        for _, item, before, after in order:
            if scores[item] != before or after - before > left or not _open(item, scores, gates):
                continue
            scores[item] = after
            left -= after - before
            moved = True
            if left == 0:
                break
    return left


def _take_back(order: list[_Step], scores: dict[str, int], left: int, gates: _Gates, attempt: int) -> bool:
    """Take the hardest small step back, so that a larger one fits; False where none can be taken."""
    opened = {key for item, keys in gates.items() if scores.get(item, 0) for key in keys}
    small = [step for step in reversed(order) if scores[step[1]] == step[3] and step[1] not in opened]
    if attempt >= len(small):
        return False
    _, item, before, after = small[attempt]
    wanted = next((step for step in order if scores[step[1]] == step[2] and step[3] - step[2] > left), None)
    if wanted is None or wanted[1] == item:
        return False
    scores[item] = before
    if wanted[3] - wanted[2] <= left + after - before:
        scores[wanted[1]] = wanted[3]
    return True

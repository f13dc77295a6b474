"""Where the upper level of a stratification factor begins, read off the study's own rules of its levels.

The rule that must stay true: the limit of a stratum stands in the study and nowhere else; a factor whose levels are not
two ranges of one quantity, the lower one first, has none.
"""

from __future__ import annotations

from equipoise.protocol.expressions.nodes import InRange, NumberLiteral
from equipoise.protocol.rules import tree
from equipoise.protocol.study import Study


def limit_of(study: Study, factor: str) -> float | None:
    """Halfway between the end of the lower range and the beginning of the upper one, in the unit of the rule."""
    factors = study.randomization.factors if study.randomization is not None else ()
    levels = next((one.levels for one in factors if one.id == factor), ())
    ranges = [found for level in levels if (found := _range(level.rule)) is not None]
    if len(levels) != 2 or len(ranges) != 2 or ranges[0][1] >= ranges[1][0]:
        return None
    return (ranges[0][1] + ranges[1][0]) / 2.0


def _range(rule: str) -> tuple[float, float] | None:
    node = tree(rule)
    if not isinstance(node, InRange):
        return None
    low, high = node.low, node.high
    if not isinstance(low, NumberLiteral) or not isinstance(high, NumberLiteral):
        return None
    return float(low.value), float(high.value)

"""The stratum of a subject, three-valued like eligibility.

The rule that must stay true: a factor is determined only when exactly one of its levels is TRUE and every other is
FALSE; a stratum only when every factor is. Anything else has no code, and says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType

from equipoise.protocol.expressions import Scope, as_logical
from equipoise.protocol.rules import explanation_of
from equipoise.protocol.study import Factor, Level, Study
from equipoise.protocol.wording import because, still_open
from equipoise.words.text import Language, Text
from equipoise.words.truth import Truth

WHOLE = "all"
"""The code of the only stratum of a study without factors."""
MODE_B = "minimization"
"""The method that looks at the participants before: its list is one ordered layer of draws, not one of each stratum."""
LAYER = "ALL"
"""The code of that layer. A subject's own stratum still says its levels."""


@dataclass(frozen=True, slots=True)
class StratumResult:
    """The stratum's code, or None with, by factor, why it is not determined."""

    code: str | None
    reasons: Mapping[str, Text] = field(default_factory=lambda: MappingProxyType({}))


def stratum(study: Study, inputs: Scope) -> StratumResult:
    """The stratum in which the inputs put a subject: the codes of the levels joined by `/`, in the order of factors."""
    codes: list[str] = []
    reasons: dict[str, Text] = {}
    for factor in _factors(study):
        level = _level(factor, inputs)
        if level is None:
            reasons[factor.id] = Text(_why(study, factor, inputs, "en"), _why(study, factor, inputs, "zh"))
        else:
            codes.append(level.code)
    return (
        StratumResult(None, MappingProxyType(reasons)) if reasons else StratumResult("/".join(codes) or WHOLE)
    )


def strata(study: Study) -> tuple[str, ...]:
    """The codes of all strata, in the order of the definition."""
    levels = [[level.code for level in factor.levels] for factor in _factors(study)]
    return tuple("/".join(codes) or WHOLE for codes in product(*levels))


def layers(study: Study) -> tuple[str, ...]:
    """The lists that a study's allocation has, by code: one of each stratum, or for minimization one for all."""
    return (LAYER,) if is_mode_b(study) else strata(study)


def layer_of(study: Study, code: str | None) -> str | None:
    """The list that a subject of the stratum `code` takes its slot from; None while the stratum is not known."""
    return LAYER if code is not None and is_mode_b(study) else code


def is_mode_b(study: Study) -> bool:
    """Whether the arm of a slot follows from the participants before (minimization)."""
    return study.randomization is not None and study.randomization.method == MODE_B


def _factors(study: Study) -> tuple[Factor, ...]:
    return study.randomization.factors if study.randomization is not None else ()


def _truths(factor: Factor, inputs: Scope) -> list[Truth]:
    return [as_logical(explanation_of(level.rule, inputs).value).truth for level in factor.levels]


def _level(factor: Factor, inputs: Scope) -> Level | None:
    truths = _truths(factor, inputs)
    if truths.count(Truth.TRUE) != 1 or truths.count(Truth.FALSE) != len(truths) - 1:
        return None
    return factor.levels[truths.index(Truth.TRUE)]


def _why(study: Study, factor: Factor, inputs: Scope, language: Language) -> str:
    """What is open, or, where every level has an answer, what the levels looked at: none fits, or several do."""
    found: dict[str, None] = {}
    for level in factor.levels:
        explanation = explanation_of(level.rule, inputs)
        is_open = as_logical(explanation.value).truth is Truth.UNKNOWN
        text = (still_open if is_open else because)(study, explanation, language)
        if is_open or Truth.UNKNOWN not in _truths(factor, inputs):
            found[text] = None
    return ("；" if language == "zh" else "; ").join(text for text in found if text)

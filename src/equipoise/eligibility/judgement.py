"""Judging the criteria: three-valued, each with its reason, and the decision that follows.

The rules that must stay true (strong Kleene): eligible exactly when every inclusion criterion is met and no
exclusion criterion is; ineligible as soon as one inclusion is not met or one exclusion is, whatever is open;
otherwise not evaluable, which blocks randomization. Nothing open is ever read as met. A criterion that is switched
off is left out; one without an expression is open until it has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from equipoise.ledger.facts import Verdict
from equipoise.protocol.expressions import Explanation, InstrumentValue, Logical, Reason, Scope, as_logical
from equipoise.protocol.rules import explanation_of, names_in
from equipoise.protocol.study import Criterion, Study
from equipoise.protocol.wording import because, still_open
from equipoise.words.interval import Interval
from equipoise.words.text import Language
from equipoise.words.truth import Truth, all_of, any_of

INCL, EXCL = "INCL", "EXCL"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was judged. `results` has every enabled criterion in the study's order, then INCL and EXCL.

    `total` is the interval of the total that the study reports (None where it names none, or none was given).
    """

    study: Study
    results: Mapping[str, Truth]
    explanations: Mapping[str, Explanation]
    decision: Verdict
    total: Interval | None

    def why(self, criterion_id: str, language: Language = "en") -> str:
        """Why a criterion is open or stands against the person; an empty text where it does not."""
        explanation, truth = self.explanations[criterion_id], self.results[criterion_id]
        if truth is Truth.UNKNOWN:
            return still_open(self.study, explanation, language)
        against = Truth.FALSE if _category(self.study, criterion_id) == "inclusion" else Truth.TRUE
        return because(self.study, explanation, language) if truth is against else ""

    @property
    def letters(self) -> Mapping[str, str]:
        """`results` as T, F and U, as entries and facts carry them."""
        return MappingProxyType({name: truth.value for name, truth in self.results.items()})

    def reasons(self, language: Language = "en") -> Mapping[str, str]:
        """Criterion -> why it is open or not satisfied; entries carry the English words."""
        said = {name: self.why(name, language) for name in self.explanations}
        return MappingProxyType({name: text for name, text in said.items() if text})


def inputs_used(study: Study) -> frozenset[str]:
    """The names that the rules of the enabled criteria ask for."""
    rules = [
        criterion.rule for criterion in study.criteria if criterion.enabled and criterion.rule is not None
    ]
    return frozenset().union(*(names_in(rule) for rule in rules))


def judge(study: Study, inputs: Scope, given: Mapping[str, Truth] | None = None) -> Judgement:
    """The verdict on every criterion. `given` are verdicts stated directly, by criterion; they override the rule."""
    stated = given or {}
    explanations = {
        criterion.id: _explained(criterion, inputs, stated)
        for criterion in study.criteria
        if criterion.enabled
    }
    results = {name: as_logical(each.value).truth for name, each in explanations.items()}
    kinds = {criterion.id: criterion.category for criterion in study.criteria}
    included = all_of(truth for name, truth in results.items() if kinds[name] == "inclusion")
    excluded = any_of(truth for name, truth in results.items() if kinds[name] == "exclusion")
    measured = inputs.get(study.eligibility.total_of or "")
    return Judgement(
        study,
        MappingProxyType({**results, INCL: included, EXCL: excluded}),
        MappingProxyType(explanations),
        decided(included, excluded),
        measured.range.interval if isinstance(measured, InstrumentValue) else None,
    )


def _explained(criterion: Criterion, inputs: Scope, stated: Mapping[str, Truth]) -> Explanation:
    if criterion.id in stated:
        reasons = (Reason("missing"),) if stated[criterion.id] is Truth.UNKNOWN else ()
        return Explanation(criterion.id, Logical(stated[criterion.id], reasons))
    if criterion.rule is None:
        return Explanation(criterion.id, Logical(Truth.UNKNOWN, (Reason("awaiting"),)))
    return explanation_of(criterion.rule, inputs)


def decided(included: Truth, excluded: Truth) -> Verdict:
    """The decision from the two summaries."""
    if included is Truth.FALSE or excluded is Truth.TRUE:
        return "INELIGIBLE"
    return "ELIGIBLE" if included is Truth.TRUE and excluded is Truth.FALSE else "NOT_EVALUABLE"


def failing(study: Study, letters: Mapping[str, str]) -> tuple[str, ...]:
    """Ids of the criteria that stand against the person, in the study's order, from results as letters."""
    against = {"inclusion": "F", "exclusion": "T"}
    return tuple(each.id for each in study.criteria if letters.get(each.id) == against[each.category])


def undetermined(study: Study, letters: Mapping[str, str]) -> tuple[str, ...]:
    """Ids of the criteria that are open, in the study's order, from results as letters."""
    return tuple(each.id for each in study.criteria if letters.get(each.id) == "U")


def _category(study: Study, criterion_id: str) -> str:
    return next(each.category for each in study.criteria if each.id == criterion_id)

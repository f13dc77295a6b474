"""The pages before randomization: the eligibility checklist, and the stepper that ends in a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from equipoise.access.commands import Who
from equipoise.access.decide import may, may_read
from equipoise.consent import binding as consent_binding
from equipoise.desk.desk import Desk
from equipoise.desk.followers import SUBJECTS
from equipoise.desk.standing import Standing
from equipoise.desk.views import ChecklistView, CriterionView, RandomizeView, Step, StepId
from equipoise.eligibility.commands import ConfirmEligibility, FailScreening
from equipoise.eligibility.judgement import Judgement
from equipoise.ledger.facts import Occasion, Refusal
from equipoise.protocol.expressions.render import render
from equipoise.protocol.strata import is_mode_b
from equipoise.protocol.study import Criterion, Study
from equipoise.protocol.wording import number
from equipoise.randomization import decide as randomization
from equipoise.randomization.commands import Randomize
from equipoise.words.problem import Problem
from equipoise.words.text import Text
from equipoise.words.truth import Truth

CONSENT = {Truth.TRUE: "in_force", Truth.FALSE: "not_in_force", Truth.UNKNOWN: "unclear"}
STEPS: tuple[StepId, ...] = ("identity", "consent", "eligibility", "stratum", "randomize")
"""The steps of the stepper, in their order."""
_STEP_OF: Mapping[str, StepId] = {
    "subject": "identity",
    "person": "identity",
    "consent": "consent",
    "eligibility": "eligibility",
    "stratum": "stratum",
}
"""Where a refusal of randomization stands in the stepper, by the place that the problem names."""
_CLEAR: Mapping[StepId, Literal["open"]] = {"randomize": "open"}
"""Steps that are not done by nothing standing in their way."""


def checklist(desk: Desk, who: Who, screening_number: str) -> ChecklistView | None:
    """The eligibility page of a subject."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "eligibility", screening_number)
        if subject is None:
            return None
        now = desk.standing(reader, subject)
    judgement = now.judgement
    if judgement is None:
        return None
    total = judgement.total
    return ChecklistView(
        number=screening_number,
        criteria=tuple(_criterion(each, judgement) for each in now.trial.study.criteria if each.enabled),
        decision=judgement.decision,
        confirmed=now.facts.confirmed or now.facts.status == "RANDOMIZED",
        total=None if total is None else (number(total.low), number(total.high)),
        consent=CONSENT[now.facts.consent_in_force],
        capacity=capacity_of(now),
        may=allowed(who, now, ConfirmEligibility(subject), FailScreening(subject), Randomize(subject)),
    )


def capacity_of(now: Standing) -> str:
    """HAS, LACKS, NOT_ASSESSED, or an empty text where nothing was recorded."""
    recorded = now.case.consent.capacity
    return recorded.capacity if recorded is not None else ""


def allowed(who: Who, now: Standing, *commands: object) -> frozenset[str]:
    """Names of those commands that access would let through."""
    return frozenset(type(command).__name__ for command in commands if may(who, command, now.facts) is None)


def _criterion(criterion: Criterion, judgement: Judgement) -> CriterionView:
    truth = judgement.results[criterion.id]
    wanted = Truth.TRUE if criterion.category == "inclusion" else Truth.FALSE
    explanation = judgement.explanations[criterion.id]
    steps = zip(render(explanation, "en"), render(explanation, "zh"), strict=True)
    return CriterionView(
        id=criterion.id,
        category=criterion.category,
        text=criterion.text,
        result=truth.value,
        good=None if truth is Truth.UNKNOWN else truth is wanted,
        why=Text(judgement.why(criterion.id, "en"), judgement.why(criterion.id, "zh")),
        steps=tuple(Text(en, zh) for en, zh in steps),
    )


def stepper(desk: Desk, who: Who, screening_number: str) -> RandomizeView | None:
    """The randomize page of a subject: what is done, what blocks, and after it the number, never an arm."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "randomization", screening_number)
        if subject is None:
            return None
        now = desk.standing(reader, subject)
        row = reader.rows.get(SUBJECTS, (subject,)) or {}
    facts, trial, site = now.facts, now.trial, now.case.screening.site
    command = Randomize(subject)
    occasion = Occasion(now.now, now.site.zone)
    decision = randomization.decide(trial.allocating, trial.allocation, facts, command, occasion)
    problems = decision.problems if isinstance(decision, Refusal) else ()
    refused = may(who, command, facts)
    done = facts.randomization_number is not None
    return RandomizeView(
        number=screening_number,
        initials=None,
        steps=tuple(Step(step, "done") for step in STEPS)
        if done
        else _steps(now, problems, refused, reasons=may_read(who, "eligibility", site)),
        randomization_number=facts.randomization_number,
        randomized_at=str(row["randomized_at"]) if row.get("randomized_at") else None,
        ready=not done and not problems and refused is None,
        weaker=is_mode_b(trial.study),
    )


def _by_step(study: Study, problems: tuple[Problem, ...]) -> Mapping[StepId, list[Problem]]:
    """Every reason against randomizing, under the step that it blocks."""
    steps: dict[str, StepId] = {criterion.id: "eligibility" for criterion in study.criteria}
    factors = study.randomization.factors if study.randomization is not None else ()
    steps |= {factor.id: "stratum" for factor in factors}
    found: dict[StepId, list[Problem]] = {step: [] for step in STEPS}
    for one in problems:
        place = one.where.split(" ")[0]
        found[steps.get(place) or _STEP_OF.get(place, "randomize")].append(one)
    return found


def _steps(
    now: Standing, problems: tuple[Problem, ...], refused: Problem | None, *, reasons: bool
) -> tuple[Step, ...]:
    """The steps and what blocks them; without `reasons` nothing is said of why somebody is let in or not."""
    found = dict(_by_step(now.trial.study, problems))
    consent = consent_binding.why_not(now.trial.study, now.case.consent)
    found["consent"] = [consent] if consent is not None else []
    found["randomize"] += [refused] if refused is not None else []
    blocked = {step for step in STEPS if found[step]} | ({"randomize"} if problems else set())
    if not reasons:
        found |= {"eligibility": [], "stratum": []}
    return tuple(
        Step(step, "blocked" if step in blocked else _CLEAR.get(step, "done"), tuple(found[step]))
        for step in STEPS
    )

"""The pages before randomization: the eligibility checklist, and the stepper that ends in a number."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may
from equipoise.consent import binding as consent_binding
from equipoise.desk.desk import Desk
from equipoise.desk.followers import SUBJECTS
from equipoise.desk.standing import Standing
from equipoise.desk.views import ChecklistView, CriterionView, RandomizeView, Step
from equipoise.eligibility.commands import ConfirmEligibility, FailScreening
from equipoise.eligibility.judgement import Judgement
from equipoise.ledger.facts import Occasion, Refusal
from equipoise.protocol.expressions.render import render
from equipoise.protocol.study import Criterion
from equipoise.protocol.wording import number
from equipoise.randomization import decide as randomization
from equipoise.randomization.commands import Randomize
from equipoise.words.problem import Problem
from equipoise.words.text import Text
from equipoise.words.truth import Truth

CONSENT = {Truth.TRUE: "in_force", Truth.FALSE: "not_in_force", Truth.UNKNOWN: "unclear"}
_STEP_OF = {"subject": "identity", "person": "identity", "consent": "consent", "stratum": "stratum"}
"""Where a refusal of randomization stands in the stepper, by the place that the problem names."""


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
        confirmed=now.facts.status in {"ELIGIBLE", "RANDOMIZED"},
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
    facts, trial = now.facts, now.trial
    command = Randomize(subject)
    occasion = Occasion(now.now, now.site.zone)
    decision = randomization.decide(trial.study, trial.allocation, facts, command, occasion)
    problems = decision.problems if isinstance(decision, Refusal) else ()
    refused = may(who, command, facts)
    done = facts.randomization_number is not None
    return RandomizeView(
        number=screening_number,
        initials=None,
        steps=_done() if done else _steps(now, problems, refused),
        randomization_number=facts.randomization_number,
        randomized_at=str(row["randomized_at"]) if row.get("randomized_at") else None,
        ready=not done and not problems and refused is None,
    )


@dataclass(frozen=True, slots=True)
class _Sorted:
    identity: tuple[Problem, ...]
    consent: tuple[Problem, ...]
    eligibility: tuple[Problem, ...]
    stratum: tuple[Problem, ...]
    randomize: tuple[Problem, ...]


def _sorted(now: Standing, problems: tuple[Problem, ...]) -> _Sorted:
    found: dict[str, list[Problem]] = {name: [] for name in _Sorted.__dataclass_fields__}
    criteria = {criterion.id for criterion in now.trial.study.criteria}
    factors = (
        {factor.id for factor in now.trial.study.randomization.factors}
        if now.trial.study.randomization
        else set()
    )
    for one in problems:
        place = one.where.split(" ")[0]
        if place in criteria or place == "eligibility":
            found["eligibility"].append(one)
        elif place in factors:
            found["stratum"].append(one)
        else:
            found[_STEP_OF.get(place, "randomize")].append(one)
    return _Sorted(**{name: tuple(given) for name, given in found.items()})


def _steps(now: Standing, problems: tuple[Problem, ...], refused: Problem | None) -> tuple[Step, ...]:
    sorted_ = _sorted(now, problems)
    consent = consent_binding.why_not(now.trial.study, now.case.consent)
    last = (*sorted_.randomize, *((refused,) if refused is not None else ()))
    blocked = (
        ("identity", sorted_.identity),
        ("consent", (consent,) if consent else ()),
        ("eligibility", sorted_.eligibility),
    )
    return (
        *(Step(name, "blocked" if found else "done", found) for name, found in blocked),  # type: ignore[arg-type]
        Step("stratum", "blocked" if sorted_.stratum else "done", sorted_.stratum),
        Step("randomize", "blocked" if last or problems else "open", last),
    )


def _done() -> tuple[Step, ...]:
    return (
        Step("identity", "done"),
        Step("consent", "done"),
        Step("eligibility", "done"),
        Step("stratum", "done"),
        Step("randomize", "done"),
    )

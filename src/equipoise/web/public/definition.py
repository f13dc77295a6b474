"""What the study's definition adds to the record: its own words in both languages, visits, roles, criteria.

The rule that must stay true: what the definition assumes and the public record does not say is marked as such.
"""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.protocol.study import Arm, Criterion, Intervention, Study, Visit
from equipoise.standards import registry_vocabulary as words
from equipoise.standards.registry_record import Record, readable, words_of
from equipoise.web.public import labels
from equipoise.web.public.parts import Encounter, Group, Masked, Outcome, Point, Question, Tile
from equipoise.words.text import Language, Text

QUESTIONS = 5
"""How many questions a self-check asks at most: more are not answered on a telephone."""
_REGISTERED = (words.PRIMARY_OUTCOMES, words.SECONDARY_OUTCOMES, words.OTHER_OUTCOMES)


def points(study: Study, category: str, language: Language) -> tuple[Point, ...]:
    """The criteria of one category in the reader's language, with the other beside it where the study has it."""
    found = [
        criterion for criterion in study.criteria if criterion.category == category and criterion.enabled
    ]
    return tuple(_point(criterion, language) for criterion in found)


def _point(criterion: Criterion, language: Language) -> Point:
    text = criterion.text
    other = text.en if language == "zh" and text.zh else text.zh
    return Point(
        id=criterion.id,
        words=text,
        other=other if other != text.say(language) else None,
        other_language="en" if language == "zh" else "zh-Hans",
        registered=criterion.source is not None or criterion.assumption is None,
    )


def questions(study: Study) -> tuple[tuple[Question, ...], int]:
    """The self-check: a question for each point of the record that asks something of a person, and how many are left.

    Criteria that stand on one line of the record are one point of it, split for judging; they are asked together.
    """
    asked: dict[tuple[str | None, int | str], list[Text]] = {}
    for criterion in study.criteria:
        if criterion.category == "inclusion" and criterion.enabled:
            place = _bullet(criterion, study)
            asked.setdefault(place, []).append(criterion.text)
    groups = list(asked.values())
    made = tuple(Question(number, tuple(texts)) for number, texts in enumerate(groups[:QUESTIONS], 1))
    return made, max(0, len(groups) - QUESTIONS)


def _bullet(criterion: Criterion, study: Study) -> tuple[str | None, int | str]:
    """What tells the points of the record apart: their lines, unless the whole list stands on one line of a file."""
    lines = {other.line for other in study.criteria}
    return (criterion.source, criterion.line) if criterion.line and len(lines) > 1 else (None, criterion.id)


def masked(study: Study) -> tuple[Masked, ...]:
    """The roles, masked ones first, in the order of the definition."""
    roles = sorted(study.design.masked_roles, key=lambda role: not role.masked)
    return tuple(Masked(r.label, r.masked, r.explanation, r.registry is not None) for r in roles)


def treatments(study: Study, record: Record, language: Language) -> tuple[tuple[str, Text, Text | None], ...]:
    """(type, name, description) of what is given; from the definition, else from the record."""
    if study.interventions:
        return tuple((_kind(one, language), one.name, one.description) for one in study.interventions)
    return tuple(
        (
            labels.code("public.intervention-", str(one.get("type") or ""), language),
            Text(str(one["name"])),
            None,
        )
        for one in record.objects(words.INTERVENTIONS)
        if one.get("name")
    )


def _kind(intervention: Intervention, language: Language) -> str:
    return labels.code("public.intervention-", intervention.type, language)


def groups(study: Study, language: Language) -> tuple[Group, ...]:
    """The arms with what each is given."""
    return tuple(_group(arm, study.interventions, language) for arm in study.arms)


def _group(arm: Arm, interventions: Sequence[Intervention], language: Language) -> Group:
    given = [one for one in interventions if one.id in arm.interventions]
    return Group(
        label=arm.label,
        kind=labels.code("public.arm-", arm.type, language),
        description=arm.description,
        treatments=tuple((_kind(one, language), one.name) for one in given),
    )


def outcomes(study: Study, record: Record, language: Language) -> tuple[Outcome, ...]:
    """The endpoints the definition plans, with the visit of each; those that only repeat the record are left out."""
    registered = {
        readable(measure)
        for path in _REGISTERED
        for one in record.objects(path)
        if (measure := words_of(one, "measure"))
    }
    return tuple(
        Outcome(
            level=labels.told(f"public.outcomes-{one.level.replace(' ', '-')}", language),
            label=one.label,
            detail=None,
            visit=visit.label if one.visit and (visit := study.visit(one.visit)) else None,
            assumed=one.assumption is not None,
        )
        for one in study.endpoints
        if one.label.en not in registered
    )


def visits(study: Study, language: Language) -> tuple[Encounter, ...]:
    """The planned visits in order, with what is done at each."""
    planned = [visit for visit in study.schedule.visits if visit.day is not None and not visit.unscheduled]
    return tuple(_encounter(visit, study, language) for visit in planned)


def _encounter(visit: Visit, study: Study, language: Language) -> Encounter:
    day = visit.day or 0
    first, last = visit.window or (day, day)
    return Encounter(
        label=visit.label,
        when=labels.window(day, first, last, language),
        mode=labels.told(f"public.mode-{visit.mode}", language),
        activities=tuple(a.label for a in study.schedule.activities if visit.id in a.visits),
    )


def tiles(study: Study, record: Record, language: Language) -> tuple[Tile, ...]:
    """The facts at a glance: how many people, who, for how long, how often. Only those that are known."""
    found = []
    count = record.count(words.ENROLMENT_COUNT) or study.design.target
    if count:
        arms = len(study.arms)
        found.append(
            Tile(
                labels.told("public.people", language, n=count),
                labels.told("public.tile-groups", language, n=arms) if arms else "",
            )
        )
    ages = labels.ages(record.text(words.MINIMUM_AGE), record.text(words.MAXIMUM_AGE), language)
    if ages:
        found.append(Tile(ages, labels.code("public.tile-sex-", record.text(words.SEX), language)))
    if study.design.months:
        found.append(
            Tile(
                labels.told("public.tile-months", language, n=study.design.months),
                labels.told("public.tile-follow", language),
            )
        )
    planned = len(visits(study, language))
    if planned:
        found.append(
            Tile(
                labels.told("public.tile-visits", language, n=planned),
                labels.told("public.tile-visits-words", language),
            )
        )
    return tuple(found)

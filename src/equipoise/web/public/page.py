"""The public page of a study as one value: everything that is shown, from the study alone.

Pure. The parts stand in the order of the registry's own page, and beside them what that page lacks: outcomes, dates,
who is masked and what that means, contradictions, provenance and age, both languages, a self-check, the visits.
The rule that must stay true: every word about the trial comes from its record or its definition, and what neither
says is shown as not said.
"""

from __future__ import annotations

import datetime as dt

from equipoise.protocol.study import Study
from equipoise.standards import registry_vocabulary as words
from equipoise.standards.registry_record import Record, readable
from equipoise.web.public import definition, labels, record
from equipoise.web.public.parts import PublicPage
from equipoise.words.text import Language, Text


def public_page(study: Study, language: Language, today: dt.date) -> PublicPage:
    """The page in `language`; `today` is the day on which the age of the record is told."""
    published = Record(study.registry.fields if study.registry else ())
    status, tone = record.status(published, language)
    questions, more = definition.questions(study)
    sponsor = _sponsor(study, published)
    funders = record.funders(published, language)
    design = study.design

    def registered(path: str, given: str | None, beginning: str) -> str:
        return labels.code(beginning, published.text(path) or given, language)

    return PublicPage(
        title=study.plain_title or study.title,
        registry_title=study.title,
        official_title=study.official_title,
        sponsor=sponsor,
        initial=sponsor.en[:1].upper() if sponsor else "",
        status=status,
        tone=tone,
        phases=_phases(study, published, language),
        tiles=definition.tiles(study, published, language),
        summary=study.plain_summary,
        questions=questions,
        more_points=more,
        why_stopped=record.why_stopped(published),
        conditions=record.texts(published, words.CONDITIONS),
        keywords=record.texts(published, words.KEYWORDS),
        treatments=definition.treatments(study, published, language),
        study_type=registered(words.STUDY_TYPE, design.study_type, "public.type-"),
        funders=funders,
        funder_note=labels.told("public.funder-note", language) if funders else "",
        identifiers=record.identifiers(published),
        about=record.paragraphs(published, words.SUMMARY),
        description=record.paragraphs(published, words.DESCRIPTION),
        enrolment=record.enrolment(published, study, language),
        sex=labels.code("public.sex-", published.text(words.SEX), language),
        ages=labels.ages(published.text(words.MINIMUM_AGE), published.text(words.MAXIMUM_AGE), language)
        or (published.text(words.PAGE_AGES) or ""),
        volunteers=record.volunteers(published, language),
        inclusion=definition.points(study, "inclusion", language),
        exclusion=definition.points(study, "exclusion", language),
        purpose=registered(words.PURPOSE, design.primary_purpose, "public.purpose-"),
        allocation=registered(words.ALLOCATION, design.allocation, "public.allocation-"),
        model=registered(words.MODEL, design.intervention_model, "public.model-")
        or labels.code("public.model-", published.text(words.OBSERVATIONAL_MODEL), language),
        masking=registered(words.MASKING, design.masking, "public.masking-"),
        masked=definition.masked(study),
        groups=definition.groups(study, language),
        groups_stated=published.text(words.PAGE_GROUPS) or "",
        outcomes_registered=record.outcomes(published, language),
        outcomes_planned=definition.outcomes(study, published, language),
        dates=record.dates(published, language),
        visits=definition.visits(study, language),
        anchor=study.schedule.anchor,
        visits_assumed=study.schedule.assumption is not None,
        location_count=record.location_count(published),
        locations=record.locations(published, language),
        contacts=record.contacts(published),
        disagreements=record.disagreements(study),
        provenance=record.provenance(study, published, today, language),
    )


def _sponsor(study: Study, published: Record) -> Text | None:
    found = published.text(words.SPONSOR)
    return study.sponsor or (Text(readable(found)) if found else None)


def _phases(study: Study, published: Record, language: Language) -> str:
    found = published.texts(words.PHASES) or study.design.phases
    return labels.joined((labels.code("public.phase-", phase, language) for phase in found), language)

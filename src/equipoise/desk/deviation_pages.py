"""The logs of protocol deviations: of one subject, and of the study, with filters.

The rules that must stay true: only who may read deviations is shown one, and of no site but theirs; which there
are comes from the read table, what was said of them from the subjects' streams.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.desk.desk import Desk
from equipoise.desk.deviation_tables import DEVIATIONS
from equipoise.desk.followers import SITES
from equipoise.desk.screening_pages import allowed
from equipoise.desk.standing import Standing
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Row
from equipoise.oversight.commands import (
    ClassDeviation,
    CloseDeviation,
    ExplainDeviation,
    RaiseDeviation,
    ReopenDeviation,
    WithdrawDeviation,
)
from equipoise.oversight.deviations import MANUAL, Deviation
from equipoise.protocol.deviating import DeviationRule
from equipoise.protocol.study import Study
from equipoise.words.clock import local
from equipoise.words.problem import say
from equipoise.words.text import Text

READS = "deviations"
PAGE = 50
"""Deviations on a page of the study's log."""
BY_HAND = Text(say("deviations.by-hand", "en"), say("deviations.by-hand", "zh"))
STATES = ("OPEN", "CLOSED", "WITHDRAWN")
_OF_FORMS = ("CONSENT_ABSENT", "LATE_ENTRY")
"""Kinds of rule that may be about a form."""


@dataclass(frozen=True, slots=True)
class DeviationLine:
    """One deviation as a log shows it. Moments are the site's own; days are ISO.

    suggested, suggested_important: what the rule holds it to be, shown until a person classes it.
    """

    id: str
    number: str
    site: str
    rule: str
    label: Text
    visit: str
    visit_label: Text | None
    repeat: int
    matter: Text | None
    days: int
    on: str
    text: str
    raised_at: str
    raised_by: str
    state: str
    severity: str
    important: bool
    suggested: str
    suggested_important: bool
    note: str
    explanation: str
    action: str
    closing: str
    automatic: bool


@dataclass(frozen=True, slots=True)
class SubjectDeviations:
    """The log of one subject; `visits` can be named in a deviation that is recorded by hand."""

    number: str
    today: str
    lines: tuple[DeviationLine, ...]
    visits: tuple[tuple[str, Text], ...]
    may: frozenset[str]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader of the study's log wants to see; empty: everything. `severity` may be `NONE`: not classed yet."""

    site: str = ""
    state: str = ""
    severity: str = ""
    rule: str = ""
    important: bool = False


@dataclass(frozen=True, slots=True)
class StudyDeviations:
    """The log of the study: one page of it, how many there are, and what can be filtered by."""

    lines: tuple[DeviationLine, ...]
    count: int
    page: int
    pages: int
    open: int
    unclassed: int
    important: int
    sites: tuple[str, ...]
    rules: tuple[tuple[str, Text], ...]
    filters: Filters


def subject_deviations(desk: Desk, who: Who, number: str) -> SubjectDeviations | None:
    """The log of one subject; None where the reader may not see it."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, READS, number)
        if subject is None:
            return None
        now = desk.standing_light(reader, subject)
    commands = (
        RaiseDeviation(subject, "", "", ""),
        ClassDeviation(subject, "", "MINOR", important=False),
        ExplainDeviation(subject, "", ""),
        CloseDeviation(subject, ""),
        ReopenDeviation(subject, "", ""),
        WithdrawDeviation(subject, "", ""),
    )
    order = {state: position for position, state in enumerate(STATES)}
    every = sorted(now.case.deviations.deviations.values(), key=lambda one: (order[one.state], one.raised_at))
    return SubjectDeviations(
        number,
        now.today.isoformat(),
        tuple(_line(desk, now, one) for one in every),
        tuple((visit.id, visit.label) for visit in now.trial.study.schedule.visits),
        allowed(who, now, *commands),
    )


def study_deviations(
    desk: Desk, who: Who, filters: Filters, *, page: int = 1, size: int | None = PAGE
) -> StudyDeviations | None:
    """The log across subjects, the newest first; with `size` None, all of it (for a file)."""
    if not may_read(who, READS, None):
        return None
    with desk.reading() as reader:
        sites = sites_read(reader, who)
        rows = reader.rows.find(DEVIATIONS, {"site": list(sites)}, order=("raised_at",), descending=True)
        chosen = [row for row in rows if _meets(row, filters)]
        pages = 1 if size is None else max(-(-len(chosen) // size), 1)
        page = min(max(page, 1), pages)
        shown = chosen if size is None else chosen[(page - 1) * size : page * size]
        study = desk.trial(reader).study
        standing = [row for row in rows if row["state"] != "WITHDRAWN"]
        return StudyDeviations(
            tuple(_lines(desk, reader, shown)),
            len(chosen),
            page,
            pages,
            sum(row["state"] == "OPEN" for row in rows),
            sum(not row["severity"] for row in standing),
            sum(bool(row["important"]) for row in standing),
            sites,
            (*((rule.id, rule.label) for rule in study.deviations), (MANUAL, BY_HAND)),
            filters,
        )


def sites_read(reader: Reader, who: Who) -> tuple[str, ...]:
    """The sites whose deviations the reader may see."""
    every = (str(row["site"]) for row in reader.rows.find(SITES, order=("site",)))
    return tuple(site for site in every if may_read(who, READS, site))


def _meets(row: Row, wanted: Filters) -> bool:
    severity = "" if wanted.severity == "NONE" else wanted.severity
    return (
        (not wanted.site or row["site"] == wanted.site)
        and (not wanted.state or row["state"] == wanted.state)
        and (not wanted.severity or (row["severity"] == severity and (severity or row["state"] != "WITHDRAWN")))
        and (not wanted.rule or row["rule"] == wanted.rule)
        and (not wanted.important or bool(row["important"]))
    )  # fmt: skip


def _lines(desk: Desk, reader: Reader, rows: Sequence[Row]) -> list[DeviationLine]:
    standings: dict[str, Standing] = {}
    found = []
    for row in rows:
        subject = str(row["subject"])
        if subject not in standings:
            standings[subject] = desk.standing_light(reader, subject)
        now = standings[subject]
        one = now.case.deviations.deviations.get(str(row["deviation"]))
        if one is not None:
            found.append(_line(desk, now, one))
    return found


def _matter(record: Study, rule: DeviationRule | None, one: Deviation) -> Text | None:
    """What a deviation is about, as far as a reader can tell by it: a form, or a tube and what was wrong with it."""
    if rule is None or not one.matter or rule.kind not in (*_OF_FORMS, "SPECIMEN_HANDLING"):
        return None
    if rule.kind in _OF_FORMS:
        name, _, repeat = one.matter.partition(" ")
        form = record.form(name)
        if form is None:
            return Text(one.matter)
        return (
            form.label
            if repeat in ("", "1")
            else Text(f"{form.label.en} {repeat}", f"{form.label.say('zh')} {repeat}")
        )
    tube, _, code = one.matter.partition(" ")
    key = f"specimens.deviation-{code.lower().replace('_', '-')}"
    return Text(f"{tube}: {say(key, 'en')}", f"{tube}：{say(key, 'zh')}")


def _line(desk: Desk, now: Standing, one: Deviation) -> DeviationLine:
    study: Study = now.trial.study
    rule = next((each for each in study.deviations if each.id == one.rule), None)
    visit = now.trial.record.visit(one.visit) if one.visit else None
    by = "" if one.rule != MANUAL else desk.register.staff_name(one.raised_by)
    return DeviationLine(
        id=one.id,
        number=now.case.screening.number or "",
        site=now.case.screening.site or "",
        rule=one.rule,
        label=rule.label if rule is not None else BY_HAND if one.rule == MANUAL else Text(one.rule),
        visit=one.visit,
        visit_label=visit.label if visit is not None else None,
        repeat=one.repeat,
        matter=_matter(now.trial.record, rule, one),
        days=one.days,
        on=one.on,
        text=one.text,
        raised_at=local(dt.datetime.fromisoformat(one.raised_at).isoformat(), now.site.zone),
        raised_by=by,
        state=one.state,
        severity=one.severity,
        important=one.important,
        suggested=rule.suggests if rule is not None else "",
        suggested_important=rule.important if rule is not None else False,
        note=one.note,
        explanation=one.explanation,
        action=one.action,
        closing=one.closing,
        automatic=one.automatic,
    )

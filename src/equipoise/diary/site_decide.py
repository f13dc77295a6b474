"""Deciding what a site does with a diary.

The rules that must stay true: an entry is never changed: what the site grants stands beside it, signed, and the
original is kept; an interview is marked as such and takes the place of no entry; a gap is explained only where there
is one; nothing here makes an adverse event. Source: ICH E6(R3) 4.2.2 and 4.3; EMA guideline on computerised systems
(2023), A5.1.1.4 (changes of patient-reported data).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from equipoise.diary.commands import PARTICIPANT
from equipoise.diary.evolve import State
from equipoise.diary.judging import applies, fits
from equipoise.diary.site_commands import (
    DecideDiaryChange,
    ExplainDiaryGap,
    HandleDiaryFlag,
    LinkDiaryEntry,
    RecordDiaryInterview,
    RecordDiaryReminder,
    RecordSitePage,
    ReviewDiary,
    SetDiaryReminder,
)
from equipoise.diary.windows import last_day, slot_of
from equipoise.ledger.entries import (
    Datum,
    DiaryChangeDecided,
    DiaryEntryLinked,
    DiaryFlagHandled,
    DiaryGapExplained,
    DiaryHelpAsked,
    DiaryInterviewRecorded,
    DiaryReminderDispatched,
    DiaryReminderPlanned,
    DiaryReviewed,
    DiarySitePaged,
    Entry,
)
from equipoise.ledger.facts import Facts, Occasion
from equipoise.ledger.proving import proof_fault
from equipoise.protocol.diary import DiaryForm, DiaryItem, DiaryPlan
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem

Found: TypeAlias = tuple[Entry, ...] | Problem
WAYS = frozenset({"", "sms", "email", "wechat", "calendar"})
LANGUAGES = frozenset({"zh", "en"})
NOTE_AT_MOST = 2000
MEANS = "DIARY_CHANGE"
"""What the signature on a decided change means."""
_PLACE = re.compile(r"[A-Za-z0-9_]+/[A-Za-z0-9_]+/[0-9]{1,4}")
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def _review(study: Study, state: State, facts: Facts, command: ReviewDiary, occasion: Occasion) -> Found:
    if command.visit and study.visit(command.visit) is None:
        return problem("diaries.visit-unknown", "visit")
    if command.upto < 1 or not any(one.seq <= command.upto for one in state.made.values()):
        return problem("diaries.nothing-to-review", "upto")
    return (DiaryReviewed(command.visit, command.repeat, command.upto, command.note.strip()),)


def _link(study: Study, state: State, facts: Facts, command: LinkDiaryEntry, occasion: Occasion) -> Found:
    about = state.made.get(command.about)
    if about is None:
        return problem("diaries.entry-not-there", "about")
    if command.place and not _PLACE.fullmatch(command.place):
        return problem("diaries.row-not-there", "place")
    if command.place == about.place:
        return problem("diaries.nothing-changed", "place")
    return (DiaryEntryLinked(command.about, command.place),)


def _handle(study: Study, state: State, facts: Facts, command: HandleDiaryFlag, occasion: Occasion) -> Found:
    if command.about not in flagged(state):
        return problem("diaries.no-flag", "about")
    if command.outcome not in {"NO_EVENT", "EVENT_RECORDED", "SENT_TO_CARE", "NOT_REACHED"}:
        return problem("diaries.choose-outcome", "outcome")
    if command.outcome != "EVENT_RECORDED" and not command.note.strip():
        return problem("diaries.say-what-was-done", "note")
    about = state.made.get(command.about)
    if command.outcome == "EVENT_RECORDED" and about is not None and not about.place:
        return problem("diaries.link-first", "outcome")
    return (DiaryFlagHandled(command.about, command.outcome, command.note.strip()),)


def flagged(state: State) -> frozenset[str]:
    """What asks the site to look, by packet or interview: entries with red flags, and calls for help."""
    made = {packet for packet, one in state.made.items() if one.entry.red_flags}
    calls = {one.entry.packet for one in state.others if isinstance(one.entry, DiaryHelpAsked)}
    heard = {
        one.entry.interview
        for one in state.others
        if isinstance(one.entry, DiaryInterviewRecorded) and one.entry.red_flags
    }
    return frozenset(made | calls | heard)


def _change(
    study: Study, state: State, facts: Facts, command: DecideDiaryChange, occasion: Occasion
) -> Found:
    asked = state.requests.get(command.request)
    about = state.made.get(asked.entry.about) if asked is not None else None
    if asked is None or about is None:
        return problem("diaries.request-not-there", "request")
    if asked.decided is not None:
        return problem("diaries.request-decided", "request")
    if not command.reason.strip():
        return problem("diaries.say-why", "reason")
    changes = {
        item: datum for item, datum in command.changes.items() if datum != about.answers.get(item, Datum())
    }
    if command.granted:
        form = study.diary.form(about.entry.form)
        fault = (
            problem("diary.form-unknown")
            if form is None
            else answers_fault(study.diary, form, {**about.answers, **changes}, about.entry.reporter)
        )
        if fault is not None:
            return fault
        if not changes:
            return problem("diaries.nothing-changed", "changes")
    unproved = proof_fault(facts, occasion)
    if unproved is not None or facts.proved is None:
        return unproved or problem("closing.proof-missing", "password")
    kept = changes if command.granted else {}
    return (
        DiaryChangeDecided(
            command.request, asked.entry.about, command.granted, kept, MEANS, facts.proved.method,
            command.reason.strip(),
        ),
    )  # fmt: skip


def answers_fault(
    plan: DiaryPlan, form: DiaryForm, answers: Mapping[str, Datum], reporter: str
) -> Problem | None:
    """Why answers given by people of the site cannot stand, beside the item; None where they can."""
    known = {item.id: item for item in plan.items(form)}
    for name, datum in answers.items():
        item = known.get(name)
        if item is None:
            return problem("diary.item-unknown", name)
        if datum == Datum():
            continue
        if reporter == "CAREGIVER" and not item.proxy:
            return problem("diary.item-not-for-proxy", name)
        if not applies(item, answers):
            return problem("diaries.does-not-apply", name, label=item.label)
        if datum.value is not None and not fits(item, datum.value):
            return problem("diaries.does-not-fit", name, label=item.label)
    return None


def _explain(study: Study, state: State, facts: Facts, command: ExplainDiaryGap, occasion: Occasion) -> Found:
    slot = slot_of(study.diary, command.form, command.period, facts.day_one, state.zone, last_day(facts))
    if slot is None:
        return problem("diary.period-unknown", "period")
    if occasion.at < slot.closes:
        return problem("diaries.not-over-yet", "period")
    if state.entries(command.form, command.period, command.reporter):
        return problem("diaries.no-gap", "period")
    if command.because == "OTHER" and not command.note.strip():
        return problem("diaries.say-why", "note")
    because, note = command.because, command.note.strip()
    return (DiaryGapExplained(command.form, command.period, command.reporter, because, note),)


def _interview(
    study: Study, state: State, facts: Facts, command: RecordDiaryInterview, occasion: Occasion
) -> Found:
    plan, form = study.diary, study.diary.form(command.form)
    if facts.consent_against is not None:
        return facts.consent_against
    if form is None:
        return problem("diary.form-unknown", "form")
    fault = _period_fault(state, facts, plan, command, occasion)
    if fault is not None:
        return fault
    answers = {name: datum for name, datum in command.answers.items() if datum != Datum()}
    if not answers:
        return problem("diaries.nothing-answered", "answers")
    fault = answers_fault(plan, form, answers, command.reporter)
    if fault is not None:
        return fault
    items = [item for item in plan.asked(form, command.reporter) if applies(item, answers)]
    shown, flags = tuple(item.id for item in items), tuple(_flags(items, answers))
    return (
        DiaryInterviewRecorded(
            command.interview, command.reporter, command.form, command.period, command.definition, command.asked_at,
            command.on_paper, answers, shown, flags,
        ),
    )  # fmt: skip


def _flags(items: list[DiaryItem], answers: Mapping[str, Datum]) -> list[str]:
    given = {item.id: answers.get(item.id, Datum()).value for item in items}
    return [item.id for item in items if (value := given[item.id]) is not None and item.flagged(value)]


def _period_fault(
    state: State, facts: Facts, plan: DiaryPlan, command: RecordDiaryInterview, occasion: Occasion
) -> Problem | None:
    form = plan.form(command.form)
    asked_at = _moment(command.asked_at)
    if asked_at is None:
        return problem("diaries.moment-unfit", "asked_at")
    if asked_at > occasion.at:
        return problem("diaries.asked-ahead", "asked_at")
    if form is None or (form.cadence is None) != (command.period is None):
        return problem("diary.period-unknown", "period")
    if command.period is None:
        return None
    slot = slot_of(plan, command.form, command.period, facts.day_one, state.zone, last_day(facts))
    if slot is None:
        return problem("diary.period-unknown", "period")
    if asked_at < slot.opens:
        return problem("diary.window-not-open", "period")
    if state.entries(command.form, command.period, command.reporter):
        return problem("diaries.answered-already", "period")
    return None


def _moment(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _set(study: Study, state: State, facts: Facts, command: SetDiaryReminder, occasion: Occasion) -> Found:
    if command.holder != PARTICIPANT and command.holder not in facts.caregivers:
        return problem("diary.caregiver-not-consented", "holder")
    if command.gateway not in WAYS:
        return problem("diaries.way-unknown", "gateway")
    if not _HOUR.fullmatch(command.hour):
        return problem("diaries.hour-unfit", "hour", given=command.hour)
    language = command.language if command.language in LANGUAGES else "zh"
    return (DiaryReminderPlanned(command.holder, command.hour, command.gateway, language, command.contact),)


def _reminded(
    study: Study, state: State, facts: Facts, command: RecordDiaryReminder, occasion: Occasion
) -> Found:
    return (
        DiaryReminderDispatched(
            command.form, command.period, command.to, command.step, command.gateway, command.delivered
        ),
    )


def _paged(study: Study, state: State, facts: Facts, command: RecordSitePage, occasion: Occasion) -> Found:
    if command.about not in flagged(state):
        return problem("diaries.no-flag", "about")
    return (DiarySitePaged(command.about, command.gateway, command.delivered),)


STEPS: Mapping[type, Callable[[Study, State, Facts, Any, Occasion], Found]] = {
    ReviewDiary: _review,
    LinkDiaryEntry: _link,
    HandleDiaryFlag: _handle,
    DecideDiaryChange: _change,
    ExplainDiaryGap: _explain,
    RecordDiaryInterview: _interview,
    SetDiaryReminder: _set,
    RecordDiaryReminder: _reminded,
    RecordSitePage: _paged,
}
"""What a site, and the program, may do with a diary. Any: the command of its line."""

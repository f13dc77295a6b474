"""Deciding what a site does with a diary.

The rules that must stay true: whatever door a command comes by, it is judged here; an entry is never changed: what the
site grants stands beside it, signed, and the original is kept; answers are judged by the version of the study that
asked for them; an interview is marked as such, takes the place of no entry and is recorded once, a card once by each
who types it; a gap is explained only where there is one; nothing here makes an adverse event. Source: ICH E6(R3) 4.2.2
and 4.3; EMA guideline on computerised systems (2023), A5.1.1.4 (changes of patient-reported data).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, get_args

from equipoise.diary.commands import PARTICIPANT
from equipoise.diary.evolve import State, kinds, side_of
from equipoise.diary.judging import answers_fault, applies, red_flags
from equipoise.diary.paper import Card, cards
from equipoise.diary.site_commands import (
    Because,
    DecideDiaryChange,
    ExplainDiaryGap,
    HandleDiaryFlag,
    LinkDiaryEntry,
    Outcome,
    RecordDiaryInterview,
    RecordDiaryReminder,
    RecordSitePage,
    ReviewDiary,
    SetDiaryReminder,
    Side,
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
from equipoise.protocol.diary import DiaryPlan
from equipoise.protocol.study import Study
from equipoise.words.clock import moment
from equipoise.words.problem import Problem, problem

Found: TypeAlias = tuple[Entry, ...] | Problem
Plans: TypeAlias = Mapping[str, DiaryPlan]
"""Digest of every released version -> its diary."""
WAYS = frozenset({"", "sms", "email", "wechat", "calendar"})
LANGUAGES = frozenset({"zh", "en"})
MEANS = "DIARY_CHANGE"
"""What the signature on a decided change means."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def _review(study: Study, state: State, facts: Facts, command: ReviewDiary, occasion: Occasion) -> Found:
    if command.visit and study.visit(command.visit) is None:
        return problem("diaries.visit-unknown", "visit")
    heard = {one.header.seq for one in kinds(state, DiaryInterviewRecorded)}
    if command.upto not in heard | {one.seq for one in state.made.values()}:
        return problem("diaries.nothing-to-review", "upto")
    return (DiaryReviewed(command.visit, command.repeat, command.upto, command.note.strip()),)


def _link(study: Study, state: State, facts: Facts, command: LinkDiaryEntry, occasion: Occasion) -> Found:
    about = state.made.get(command.about)
    if about is None:
        return problem("diaries.entry-not-there", "about")
    if command.place == about.place:
        return problem("diaries.nothing-changed", "place")
    form = facts.event_rows.get(command.place)
    hidden = form is not None and occasion.role in facts.hidden.get(form, frozenset())
    if command.place and (form is None or hidden):
        return problem("diaries.row-not-there", "place")
    return (DiaryEntryLinked(command.about, command.place),)


def _handle(study: Study, state: State, facts: Facts, command: HandleDiaryFlag, occasion: Occasion) -> Found:
    if command.about not in flagged(state):
        return problem("diaries.no-flag", "about")
    if command.outcome not in get_args(Outcome):
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
    plans: Plans, state: State, facts: Facts, command: DecideDiaryChange, occasion: Occasion
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
        fault = _answers_fault(
            plans.get(about.entry.definition),
            about.entry.form,
            {**about.answers, **changes},
            about.entry.reporter,
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


def _answers_fault(
    plan: DiaryPlan | None, form_id: str, answers: Mapping[str, Datum], reporter: str
) -> Problem | None:
    """Why answers that people of the site give cannot stand, beside the item; None where they can."""
    form = plan.form(form_id) if plan is not None else None
    if plan is None or form is None:
        return problem("diary.version-unknown" if plan is None else "diary.form-unknown", "form")
    said = {name: datum for name, datum in answers.items() if datum != Datum()}
    fault = answers_fault(plan, form, reporter, said)
    if fault is None:
        return None
    label = next((item.label for item in plan.items(form) if item.id == fault.where), fault.where)
    return problem(_AT_THE_SITE.get(fault.rule, fault.rule), fault.where, label=label)


_AT_THE_SITE = {
    "diary.item-not-asked": "diaries.does-not-apply",
    "diary.answer-unfit": "diaries.does-not-fit",
}
"""What is said of an answer to who typed it, where that differs from what is kept of a phone's."""


def _explain(study: Study, state: State, facts: Facts, command: ExplainDiaryGap, occasion: Occasion) -> Found:
    if command.reporter not in get_args(Side):
        return problem("diaries.choose-reporter", "reporter")
    slot = slot_of(study.diary, command.form, command.period, facts.day_one, state.zone, last_day(facts))
    if slot is None:
        return problem("diary.period-unknown", "period")
    if occasion.at < slot.closes:
        return problem("diaries.not-over-yet", "period")
    if state.entries(command.form, command.period, command.reporter):
        return problem("diaries.no-gap", "period")
    if command.because not in get_args(Because):
        return problem("diaries.choose-because", "because")
    if command.because == "OTHER" and not command.note.strip():
        return problem("diaries.say-why", "note")
    because, note = command.because, command.note.strip()
    return (DiaryGapExplained(command.form, command.period, command.reporter, because, note),)


def _interview(
    plans: Plans, state: State, facts: Facts, command: RecordDiaryInterview, occasion: Occasion
) -> Found:
    begun = _card(state, command) if command.on_paper else None
    if facts.consent_against is not None and begun is None:
        return facts.consent_against
    plan = plans.get(command.definition)
    form = plan.form(command.form) if plan is not None else None
    if plan is None or form is None:
        return problem("diary.version-unknown" if plan is None else "diary.form-unknown", "form")
    if command.reporter not in {side_of(one) for one in plan.answers}:
        return problem("diaries.choose-reporter", "reporter")
    fault = _period_fault(state, facts, plan, command, occasion) or _heard_before(state, command, occasion.by)
    if fault is not None:
        return fault
    answers = {name: datum for name, datum in command.answers.items() if datum != Datum()}
    if not answers:
        return problem("diaries.nothing-answered", "answers")
    fault = _answers_fault(plan, form.id, answers, command.reporter)
    if fault is not None:
        return fault
    shown = tuple(item.id for item in plan.asked(form, command.reporter) if applies(item, answers))
    return (
        DiaryInterviewRecorded(
            command.interview, command.reporter, command.form, command.period, command.definition, command.asked_at,
            command.on_paper, answers, shown, red_flags(plan, form, answers),
        ),
    )  # fmt: skip


def _heard_before(state: State, command: RecordDiaryInterview, by: str) -> Problem | None:
    """Why an interview cannot be recorded beside those that are, or under its name. A card is typed by two persons."""
    known = [one.entry for one in state.others if isinstance(one.entry, DiaryInterviewRecorded)]
    taken = command.interview in {*state.packets, *(one.interview for one in known)}
    if taken or not _NAME.fullmatch(command.interview):
        return problem("diaries.interview-name", "interview")
    again = problem("diaries.interviewed-already", "period")
    if command.on_paper:
        card = _card(state, command)
        return again if card is not None and not card.asks(by) else None
    heard = {(one.form, one.reporter, one.period or one.asked_at) for one in known if not one.on_paper}
    return again if (command.form, command.reporter, command.period or command.asked_at) in heard else None


def _card(state: State, command: RecordDiaryInterview) -> Card | None:
    """The card that somebody typed before: typing it again collects nothing new, whatever became of the consent."""
    name = command.form, command.reporter, command.period or command.asked_at
    return next((one for one in cards(state) if (one.form, one.side, one.mark) == name), None)


def _period_fault(
    state: State, facts: Facts, plan: DiaryPlan, command: RecordDiaryInterview, occasion: Occasion
) -> Problem | None:
    form = plan.form(command.form)
    asked_at = moment(command.asked_at)
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
    ExplainDiaryGap: _explain,
    SetDiaryReminder: _set,
    RecordDiaryReminder: _reminded,
    RecordSitePage: _paged,
}
"""What a site, and the program, may do with a diary. Any: the command of its line."""
BY_VERSION: Mapping[type, Callable[[Plans, State, Facts, Any, Occasion], Found]] = {
    DecideDiaryChange: _change,
    RecordDiaryInterview: _interview,
}
"""What concerns answers, judged by the version of the study that asked for them."""

"""Phones of a diary as a site sees them, how people are reminded, and interviews read out by staff.

The rules that must stay true: a code and its PIN are shown once, when they are made; an address stands in the register
and never in the ledger; an interview asks what the phone asks of the same person, in the same order and words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from equipoise.access.commands import Who
from equipoise.desk.desk import Desk
from equipoise.desk.devices import invite
from equipoise.desk.diary_pages import Reading, open_diary
from equipoise.desk.diary_standing import holder_name, reminder_text, side_standing
from equipoise.desk.diary_views import InterviewView, Person, PhoneLine, PhonesView
from equipoise.desk.gateways import Ways, ways_of
from equipoise.desk.phones import Invited
from equipoise.desk.views import Outcome
from equipoise.diary.commands import PARTICIPANT
from equipoise.diary.compliance import LACKING
from equipoise.diary.evolve import Device, Side, State, kinds
from equipoise.diary.paper import waiting
from equipoise.diary.site_commands import SetDiaryReminder
from equipoise.documents.calendar import Recurring, calendar
from equipoise.documents.diary_paper import diary_pdf
from equipoise.documents.phone_card import PhoneCard, phone_card_pdf
from equipoise.documents.typeset import issue_of
from equipoise.ledger.entries import DiaryReminderPlanned
from equipoise.protocol.diary import DiaryForm, DiaryItem, DiarySection
from equipoise.protocol.windows import date_of
from equipoise.words.canonical import digest
from equipoise.words.ids import random_id
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Language, Text


def reminder_of(state: State, holder: str, hour: str) -> DiaryReminderPlanned:
    """How somebody is reminded: as was set last; at the study's hour and by no way where nothing was set."""
    found = DiaryReminderPlanned(holder, hour, "", "zh", "")
    for recorded in kinds(state, DiaryReminderPlanned):
        if isinstance(recorded.entry, DiaryReminderPlanned) and recorded.entry.holder == holder:
            found = recorded.entry
    return found


def address_of(desk: Desk, person: str | None, setting: DiaryReminderPlanned) -> str:
    """Whereto a reminder goes: what was given for it, else the telephone that is registered with the person."""
    if setting.contact:
        return desk.register.other_phone(setting.contact)
    if setting.holder != PARTICIPANT:
        return desk.register.other_phone(setting.holder)
    known = desk.register.identity(person) if person else None
    return known.phone if known is not None else ""


def phones_page(desk: Desk, who: Who, number: str) -> PhonesView | None:
    """The phones of a participant's diary; None where the reader may not see them."""
    read = open_diary(desk, who, number)
    if read is None:
        return None
    holders = [PARTICIPANT, *sorted(read.now.facts.caregivers)]
    lines = [_phone(read, one) for one in read.state.devices.values()]
    hour = read.plan.reminders.hour
    may = read.may()
    people = tuple(_person(read, one) for one in holders)
    ways = ways_of(desk.ledger.places.store.parent, rehearsal=desk.purpose == "rehearsal")
    lacking = (Ways({}) if isinstance(ways, Problem) else ways).lacking
    return PhonesView(number, read.zone, tuple(reversed(lines)), people, hour, may, lacking)


def _phone(read: Reading, one: Device) -> PhoneLine:
    lapsed = one.state == "INVITED" and dt.datetime.fromisoformat(one.until) < read.now.now
    heard = [made.at for made in read.state.made.values() if made.entry.device == one.device]
    return PhoneLine(
        device=one.device,
        holder=one.holder,
        name=holder_name(read.desk.register.other_name(one.holder), one.holder),
        state="LAPSED" if lapsed else one.state,
        invited_at=read.at(one.invited_at),
        until=read.at(one.until),
        enrolled_at=read.at(one.enrolled_at) if one.enrolled_at else "",
        revoked_at=read.at(one.revoked_at) if one.revoked_at else "",
        heard_at=read.at(max(heard)) if heard else "",
        reason=one.reason,
    )


def _person(read: Reading, holder: str) -> Person:
    setting = reminder_of(read.state, holder, read.plan.reminders.hour)
    to = address_of(read.desk, read.now.case.screening.person, setting)
    name = holder_name(read.desk.register.other_name(holder), holder)
    return Person(holder, name, setting.hour, setting.gateway, setting.language, to)


def invite_phone(
    desk: Desk, who: Who, number: str, holder: str, *, key: str
) -> Invited | tuple[Problem, ...]:
    """A code and a PIN for somebody's phone."""
    subject = desk.subject_id(number)
    if subject is None:
        return (problem("diary.subject-unknown"),)
    return invite(desk, who, subject, holder, key=key)


def phone_card(desk: Desk, card: PhoneCard) -> bytes:
    """The card to hand over, without the PIN, as PDF."""
    issue = issue_of(desk.study, desk.now().date(), rehearsal=desk.purpose == "rehearsal")
    return phone_card_pdf(card, issue)


def set_reminder(
    desk: Desk, who: Who, number: str, wanted: SetDiaryReminder, to: str, *, key: str
) -> Outcome:
    """Set how somebody is reminded. The address goes to the register; the ledger learns a random id of it."""
    read = open_diary(desk, who, number)
    if read is None:
        return Outcome(accepted=False, problems=(problem("diary.subject-unknown"),))
    before = reminder_of(read.state, wanted.holder, "")
    known = address_of(desk, read.now.case.screening.person, before)
    contact = before.contact
    if to.strip() != known:
        contact = random_id(desk.entropy)
    if wanted.gateway and not to.strip():
        return Outcome(accepted=False, problems=(problem("diaries.address-missing", "to"),))
    command = SetDiaryReminder(
        wanted.subject, wanted.holder, wanted.hour, wanted.gateway, wanted.language, contact
    )
    outcome = desk.submit(who, command, key=key)
    if outcome.accepted and contact != before.contact:
        desk.register.add_other(contact, "", to)
    return outcome


def calendar_file(desk: Desk, who: Who, number: str, holder: str) -> bytes | None:
    """The diary's hours of one person as a calendar file; None where there is nobody, or nothing is due."""
    read = open_diary(desk, who, number)
    day_one = read.now.facts.day_one if read is not None else None
    if read is None or day_one is None or holder not in {PARTICIPANT, *read.now.facts.caregivers}:
        return None
    setting = reminder_of(read.state, holder, read.plan.reminders.hour)
    hour = dt.time.fromisoformat(setting.hour)
    recurring = []
    for form in read.plan.forms:
        when = form.cadence
        if when is None:
            continue
        first = date_of(when.first_day + when.days - 1, day_one)
        if hour < dt.time.fromisoformat(when.opens):
            first += dt.timedelta(days=1)
        times = (when.last_day - when.first_day + 1) // when.days
        recurring.append(Recurring(form.id.lower(), dt.datetime.combine(first, hour), when.days, times))
    text = reminder_text(read.plan).say("zh" if setting.language == "zh" else "en")
    # The same for the same person, whatever phone they have; it tells neither the phone's id nor the participant's.
    name = digest(["calendar", read.subject, holder])[:32]
    return calendar(name, text, recurring, read.now.now)


def paper_card(
    desk: Desk, who: Who, number: str, form_id: str, language: Language, *, caregiver: bool
) -> bytes | None:
    """The paper cards of a participant: of one form, or of all."""
    read = open_diary(desk, who, number)
    if read is None:
        return None
    forms = [form for form in read.plan.forms if form_id in ("", form.id)]
    if not forms:
        return None
    issue = issue_of(read.now.trial.study, read.now.today, rehearsal=desk.purpose == "rehearsal")
    return diary_pdf(read.plan, forms, number, issue, caregiver=caregiver, language=language)


def interview_page(desk: Desk, who: Who, number: str, form_id: str, side: Side) -> InterviewView | None:
    """A form to be read out to somebody, with the periods that lack an entry of theirs."""
    read = open_diary(desk, who, number)
    form = read.plan.form(form_id) if read is not None else None
    if read is None or form is None or "RecordDiaryInterview" not in read.may():
        return None
    lacking = [
        one.period.period
        for one in side_standing(read.now, read.state, side).stood
        if one.period.form == form_id and one.state in LACKING | {"OPEN", "SERVICE_DOWN"}
    ]
    typed = [card.mark for card in waiting(read.state) if (card.form, card.side) == (form_id, side)]
    asked = {item.id for item in read.plan.asked(form, side)}
    known = {section.id: section for section in read.plan.sections}
    sections = tuple(
        (known[name].label, _read_out(known[name], form, side, asked))
        for name in form.sections
        if name in known
    )
    return InterviewView(
        number=number,
        form=form,
        side=side,
        periods=tuple(sorted({*lacking, *(typed if form.cadence else ())}, reverse=True)),
        sections=tuple((label, items) for label, items in sections if items),
        definition=read.now.trial.digest,
        zone=read.zone,
        now=read.at(read.now.now.isoformat()),
        plan=read.plan,
    )


def _read_out(
    section: DiarySection, form: DiaryForm, side: Side, asked: Collection[str]
) -> tuple[tuple[DiaryItem, Text], ...]:
    return tuple((item, item.asks(side, form.period)) for item in section.items if item.id in asked)

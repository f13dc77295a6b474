"""The diary as a site sees it: the calendar of both sides, a period with its log, an entry with what may be done.

The rules that must stay true: what a participant and a caregiver wrote stands side by side and is never made one; an
entry shows its original beside what was granted later; a reader is shown acts that the desk would take.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from equipoise.access.commands import Who
from equipoise.access.decide import may
from equipoise.capture.logs import EVENTS, log_rows, row_name
from equipoise.capture.questions import question
from equipoise.desk.desk import Desk
from equipoise.desk.diary_standing import (
    SIDES,
    answer,
    limits_of,
    plan_of,
    side_standing,
    zone_of_diary,
)
from equipoise.desk.diary_views import (
    Call,
    DayCell,
    DiaryView,
    EntryView,
    Happened,
    Line,
    OneEntryView,
    PeriodSide,
    PeriodView,
    RequestView,
    ReviewView,
    SideView,
)
from equipoise.desk.standing import Standing
from equipoise.desk.words import shown
from equipoise.diary.commands import InviteDevice, RevokeDevice
from equipoise.diary.compliance import State as PeriodState
from equipoise.diary.evolve import Made, Request, Side, State, kinds, side_of
from equipoise.diary.paper import card_of
from equipoise.diary.site_commands import (
    DecideDiaryChange,
    ExplainDiaryGap,
    HandleDiaryFlag,
    LinkDiaryEntry,
    RecordDiaryInterview,
    ReviewDiary,
    SetDiaryReminder,
)
from equipoise.diary.windows import Slot, last_day, slot_of
from equipoise.ledger.entries import (
    Datum,
    DiaryFlagHandled,
    DiaryFormShown,
    DiaryGapExplained,
    DiaryHelpAsked,
    DiaryInterviewRecorded,
    DiaryReminderDispatched,
    DiaryReviewed,
    DiarySitePaged,
    Recorded,
)
from equipoise.protocol.diary import DiaryForm, DiaryPlan
from equipoise.words.clock import local
from equipoise.words.text import Text

READS = "diary"


class Reading:
    """What every view of one participant's diary is made from."""

    def __init__(self, desk: Desk, who: Who, now: Standing, state: State, subject: str) -> None:
        self.desk, self.who, self.now, self.state, self.subject = desk, who, now, state, subject
        self.zone = zone_of_diary(now, state)
        self.plan = now.trial.study.diary
        self.handled = {
            one.entry.about: one for one in kinds(state, DiaryFlagHandled) if isinstance(one.entry, DiaryFlagHandled)
        }  # fmt: skip

    def at(self, text: str) -> str:
        return local(text, self.zone)

    def may(self) -> frozenset[str]:
        subject = self.subject
        commands = (
            InviteDevice(subject, "", ""),
            RevokeDevice(subject, ""),
            SetDiaryReminder(subject, "", "", "", ""),
            ReviewDiary(subject, "", 0, 0),
            LinkDiaryEntry(subject, "", ""),
            HandleDiaryFlag(subject, "", "NO_EVENT"),
            DecideDiaryChange(subject, "", granted=False, changes={}, reason="", proof=""),
            ExplainDiaryGap(subject, "", "", "PARTICIPANT", "OTHER"),
            RecordDiaryInterview(subject, "", "PARTICIPANT", "", None, "", "", on_paper=False, answers={}),
        )
        return frozenset(type(one).__name__ for one in commands if may(self.who, one, self.now.facts) is None)

    def outcome(self, packet: str) -> tuple[str, str, str] | None:
        """What came of a flag or a call: outcome, note, by whom and when."""
        one = self.handled.get(packet)
        if one is None or not isinstance(one.entry, DiaryFlagHandled):
            return None
        by = self.desk.register.staff_name(one.header.actor)
        return one.entry.outcome, one.entry.note, f"{by}, {self.at(one.header.at)}"


def open_diary(desk: Desk, who: Who, number: str) -> Reading | None:
    """What every view is made from; None where the reader may not see it, or the study has no diary."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, READS, number)
        if subject is None:
            return None
        now, state = desk.standing_light(reader, subject), desk.diary(reader, subject)
    return Reading(desk, who, now, state, subject) if now.trial.study.diary.forms else None


def diary_page(desk: Desk, who: Who, number: str) -> DiaryView | None:
    """The diary of a participant; None where the reader may not see it, or the study has none."""
    read = open_diary(desk, who, number)
    if read is None:
        return None
    state, reviews = read.state, [*kinds(read.state, DiaryReviewed)]
    upto = max((one.entry.upto for one in reviews if isinstance(one.entry, DiaryReviewed)), default=0)
    entries = [*_entries(read), *_interviews(read)]
    entries.sort(key=lambda one: -one.seq)
    return DiaryView(
        number=number,
        plan=read.plan,
        zone=read.zone,
        begun=bool(state.devices),
        sides=tuple(side_view(read, side) for side in SIDES),
        waiting=tuple(one for one in entries if _waits(one)),
        calls=_calls(read),
        unread=tuple(one for one in entries if one.seq > upto),
        events=tuple(one for one in entries if one.period is None),
        reviews=tuple(_review(read, one) for one in reversed(reviews)),
        last_seq=max((one.seq for one in entries), default=0),
        visits=tuple((one.id, one.label) for one in read.now.trial.study.schedule.visits),
        may=read.may(),
    )


def _waits(one: EntryView) -> bool:
    """Whether an entry asks for a person: red flags that nobody dealt with, or a request that nobody decided."""
    return (bool(one.flags) and one.handled is None) or any(not each.decided for each in one.requests)


def side_view(read: Reading, side: Side) -> SideView:
    """One reporter's calendar and what it comes to."""
    one, limits = side_standing(read.now, read.state, side), limits_of(read.plan)
    by_form: list[tuple[DiaryForm, tuple[DayCell, ...]]] = []
    for form in read.plan.forms:
        cells = tuple(
            _cell(read, side, each.period, each.state) for each in one.stood if each.period.form == form.id
        )
        if cells:
            by_form.append((form, cells))
    phones = sum(each.side == side and each.state == "ENROLLED" for each in read.state.devices.values())
    return SideView(side, tuple(by_form), one.told, one.told.alerts(limits), one.told.reaches(limits), phones)


def _cell(read: Reading, side: Side, slot: Slot, state: PeriodState) -> DayCell:
    made = read.state.entries(slot.form, slot.period, side)
    flag = any(one.entry.red_flags and one.entry.packet not in read.handled for one in made)
    return DayCell(slot.form, slot.period, state, flag, max(len(made) - 1, 0))


def _entries(read: Reading) -> Iterable[EntryView]:
    reported = {one.entry.packet for one in read.state.reported()}
    for one in read.state.made.values():
        found = _entry(read, one, further=one.entry.packet not in reported)
        if found is not None:
            yield found


def _entry(read: Reading, made: Made, *, further: bool) -> EntryView | None:
    entry, plan = made.entry, plan_of(read.now, made)
    form = plan.form(entry.form)
    if form is None:
        return None
    lines = _lines(plan, form, entry.reporter, entry.answers, made.answers, entry.shown, entry.red_flags)
    requests = [one for one in read.state.requests.values() if one.entry.about == entry.packet]
    return EntryView(
        packet=entry.packet,
        side=side_of(entry.reporter),
        reporter=entry.reporter,
        form=form,
        period=entry.period,
        begun=read.at(entry.begun),
        submitted=read.at(entry.submitted),
        received=read.at(made.at),
        late=entry.late,
        offline=entry.offline,
        clock=entry.clock,
        language=entry.language,
        lines=lines,
        flags=_flags(lines),
        handled=read.outcome(entry.packet),
        place=made.place,
        place_label=dict(_rows(read)).get(made.place) if made.place else None,
        requests=tuple(_request(read, one) for one in requests),
        further=further,
        seq=made.seq,
        told=_told(read, entry.packet),
    )


def _lines(
    plan: DiaryPlan,
    form: DiaryForm,
    reporter: str,
    original: Mapping[str, Datum],
    counting: Mapping[str, Datum],
    asked: Sequence[str],
    flags: Sequence[str],
) -> tuple[Line, ...]:
    found = []
    for item in plan.items(form):
        if item.id not in counting and item.id not in asked:
            continue
        said, before = counting.get(item.id, Datum()), original.get(item.id, Datum())
        found.append(
            Line(
                item.id,
                item.label,
                item.asks(reporter, form.period),
                answer(item, said),
                answer(item, before) if said != before else None,
                item.id in flags,
            )
        )
    return tuple(found)


def _flags(lines: Iterable[Line]) -> tuple[Text, ...]:
    """What was red, as name and answer."""
    said = [(line.label, line.said or Text("")) for line in lines if line.flag]
    return tuple(Text(f"{name.en}: {one.en}", f"{name.say('zh')}：{one.say('zh')}") for name, one in said)


def _interviews(read: Reading) -> Iterable[EntryView]:
    """What staff heard, or typed from cards: of a card that one person typed nothing but what is urgent is shown."""
    for recorded in kinds(read.state, DiaryInterviewRecorded):
        entry = recorded.entry
        if not isinstance(entry, DiaryInterviewRecorded):
            continue
        plan = read.now.trial.at(entry.definition).study.diary
        form = plan.form(entry.form)
        if form is None:
            continue
        lines = _lines(plan, form, entry.reporter, entry.answers, entry.answers, entry.shown, entry.red_flags)
        card = card_of(read.state, entry)
        alone = card is not None and card.state == "ONCE"
        yield EntryView(
            packet=entry.interview,
            side=entry.reporter,
            reporter=entry.reporter,
            form=form,
            period=entry.period,
            begun=read.at(entry.asked_at),
            submitted="",
            received=read.at(recorded.header.at),
            late=False,
            offline=False,
            clock=(),
            language="",
            lines=tuple(line for line in lines if line.flag) if alone else lines,
            flags=_flags(lines),
            handled=read.outcome(entry.interview),
            place="",
            place_label=None,
            requests=(),
            interview=True,
            on_paper=entry.on_paper,
            asked_by=read.desk.register.staff_name(recorded.header.actor),
            seq=recorded.header.seq,
            told=_told(read, entry.interview),
            card=card.state if card is not None else "",
            counts=card is not None and card.counts is entry,
            asks=card is not None and card.asks(read.who.actor),
            moment=read.at(entry.asked_at).replace(" ", "T")[:16],
        )


def _told(read: Reading, about: str) -> tuple[Happened, ...]:
    """How the site was told at once of a red flag, or that it could not be."""
    pages = (one for one in kinds(read.state, DiarySitePaged))
    return tuple(
        Happened(
            "diaries.site-was-told" if one.entry.delivered else "diaries.site-was-not-told",
            read.at(one.header.at),
            one.entry.gateway,
        )
        for one in pages
        if isinstance(one.entry, DiarySitePaged) and one.entry.about == about
    )


def _request(read: Reading, one: Request) -> RequestView:
    decided = one.decided
    return RequestView(
        request=one.entry.packet,
        about=one.entry.about,
        wish=one.entry.wish,
        at=read.at(one.at),
        decided=read.at(one.decided_at) if decided is not None else "",
        granted=decided.granted if decided is not None else False,
        by=read.desk.register.staff_name(one.decided_by) if decided is not None else "",
        reason=decided.reason if decided is not None else "",
    )


def _calls(read: Reading) -> tuple[Call, ...]:
    found = []
    for recorded in kinds(read.state, DiaryHelpAsked):
        entry = recorded.entry
        device = read.state.devices.get(entry.device) if isinstance(entry, DiaryHelpAsked) else None
        if isinstance(entry, DiaryHelpAsked) and device is not None:
            outcome = read.outcome(entry.packet)
            found.append(
                Call(
                    entry.packet,
                    device.side,
                    read.at(recorded.header.at),
                    entry.wish,
                    outcome,
                    _raised(read, entry),
                )
            )
    return tuple(reversed(found))


def _raised(read: Reading, entry: DiaryHelpAsked) -> Text | None:
    """Which answer raised a call, by the name of its item; None where a person asked for it."""
    if entry.item is None:
        return None
    form = read.plan.form(entry.form or "")
    named = (
        (item.label for item in read.plan.items(form) if item.id == entry.item)
        if form is not None
        else iter(())
    )
    return next(named, Text(entry.item))


def _review(read: Reading, recorded: Recorded) -> ReviewView:
    entry = recorded.entry
    if not isinstance(entry, DiaryReviewed):
        raise TypeError("a review is a review")
    by = read.desk.register.staff_name(recorded.header.actor)
    return ReviewView(entry.visit, entry.repeat, by, read.at(recorded.header.at), entry.note, entry.upto)


def _rows(read: Reading) -> tuple[tuple[str, Text], ...]:
    """The rows of the log of adverse events that the reader may see, as visit/form/repeat and in words."""
    study, hidden = read.now.trial.record, read.now.trial.hidden_from(read.who.role)
    found: list[tuple[str, Text]] = []
    for form in read.now.trial.study.forms:
        if form.domain != EVENTS or form.log is None or form.id in hidden:
            continue
        columns = [one for name in form.log.columns[:2] if (one := question(form, name)) is not None]
        for row in log_rows(read.now.trial.study, read.now.case.capture, form):
            if row.voided:
                continue
            words = [shown(study, one, row.instance.values.get(one.id, Datum())) for one in columns]
            said = [one for one in words if one is not None]
            label = Text(
                " · ".join([f"{form.id} {row.place.repeat}", *(one.en for one in said)]),
                " · ".join([f"{form.id} {row.place.repeat}", *(one.say("zh") for one in said)]),
            )
            found.append((row_name(row.place), label))
    return tuple(found)


def log_of_events(desk: Desk) -> str | None:
    """The form that is the log of adverse events in the study in force; None where it has none."""
    return next(
        (form.id for form in desk.study.forms if form.domain == EVENTS and form.log is not None), None
    )


def period_page(desk: Desk, who: Who, number: str, form_id: str, period: str) -> PeriodView | None:
    """One period of a form with its log; None where nothing is due then."""
    read = open_diary(desk, who, number)
    form = read.plan.form(form_id) if read is not None else None
    if read is None or form is None:
        return None
    facts = read.now.facts
    slot = slot_of(read.plan, form_id, period, facts.day_one, read.zone, last_day(facts))
    if slot is None:
        return None
    allowed = read.may()
    sides = tuple(_period_side(read, slot, side, allowed) for side in SIDES)
    opens, closes = read.at(slot.opens.isoformat()), read.at(slot.closes.isoformat())
    return PeriodView(number, form, period, opens, closes, read.zone, sides, allowed, _rows(read))


def _period_side(read: Reading, slot: Slot, side: Side, allowed: frozenset[str]) -> PeriodSide:
    standing = side_standing(read.now, read.state, side)
    state = next((one.state for one in standing.stood if one.period == slot), None)
    made = read.state.entries(slot.form, slot.period, side)
    entries = [view for n, one in enumerate(made) if (view := _entry(read, one, further=n > 0)) is not None]
    entries += [
        one
        for one in _interviews(read)
        if (one.form.id, one.period, one.side) == (slot.form, slot.period, side)
    ]
    gap = _gap(read, slot, side)
    over = slot.closes <= read.now.now
    lacking = not made and state is not None
    return PeriodSide(
        side=side,
        asked=state is not None,
        state=state,
        log=tuple(_log(read, slot, side, made)),
        entries=tuple(entries),
        gap=gap,
        may_explain=over and lacking and "ExplainDiaryGap" in allowed,
        may_ask=slot.opens <= read.now.now and lacking and "RecordDiaryInterview" in allowed,
    )


def _gap(read: Reading, slot: Slot, side: Side) -> tuple[str, str, str, str] | None:
    found = None
    for recorded in kinds(read.state, DiaryGapExplained):
        entry = recorded.entry
        if isinstance(entry, DiaryGapExplained) and (entry.form, entry.period, entry.reporter) == (
            slot.form,
            slot.period,
            side,
        ):
            by = read.desk.register.staff_name(recorded.header.actor)
            found = entry.because, entry.note, by, read.at(recorded.header.at)
    return found


def _log(read: Reading, slot: Slot, side: Side, made: Sequence[Made]) -> Iterable[Happened]:
    """Due, reminded, shown, answered, at the hospital: in that order of time."""
    found: list[tuple[str, Happened]] = [
        (slot.opens.isoformat(), Happened("diaries.log-due", read.at(slot.opens.isoformat())))
    ]
    devices = {one.device for one in read.state.devices.values() if one.side == side}
    holders = {one.holder for one in read.state.devices.values() if one.side == side}
    for recorded in read.state.others:
        entry = recorded.entry
        if not isinstance(entry, DiaryFormShown | DiaryReminderDispatched):
            continue
        if (entry.form, entry.period) != (slot.form, slot.period):
            continue
        if isinstance(entry, DiaryFormShown) and entry.device in devices:
            found.append((entry.at, Happened("diaries.log-shown", read.at(entry.at))))
        elif isinstance(entry, DiaryReminderDispatched) and entry.to in holders:
            key = "diaries.log-reminded" if entry.delivered else "diaries.log-not-reminded"
            found.append((recorded.header.at, Happened(key, read.at(recorded.header.at), entry.gateway)))
    for one in made:
        found.append((one.entry.submitted, Happened("diaries.log-answered", read.at(one.entry.submitted))))
        found.append((one.at, Happened("diaries.log-received", read.at(one.at))))
    return (one for _, one in sorted(found, key=lambda each: dt.datetime.fromisoformat(each[0])))


def entry_page(desk: Desk, who: Who, number: str, packet: str) -> OneEntryView | None:
    """One entry, or an interview; None where there is none by that name."""
    read = open_diary(desk, who, number)
    if read is None:
        return None
    every = [*_entries(read), *_interviews(read)]
    entry = next((one for one in every if one.packet == packet), None)
    if entry is None:
        return None
    made = read.state.made.get(packet)
    counting = made.answers if made is not None else {}
    items = plan_of(read.now, made).asked(entry.form, entry.reporter) if made is not None else ()
    return OneEntryView(
        number,
        entry,
        _rows(read),
        tuple((item, counting.get(item.id, Datum())) for item in items),
        read.may(),
    )

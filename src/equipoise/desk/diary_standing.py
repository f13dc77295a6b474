"""How a participant's diary stands for each side, from its stream, the definition and the desk's clock.

The rules that must stay true: a participant is asked from the first invitation on, a caregiver from the first phone
that was set up until the last one was taken out of use; nothing that was due before is a miss; the words of an answer
are those of the version that it was given under.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from equipoise.desk.standing import Standing
from equipoise.desk.words import YES_NO
from equipoise.diary.commands import PARTICIPANT
from equipoise.diary.compliance import Compliance, Interruption, Limits, Received, Told, compliance, standings
from equipoise.diary.compliance import Standing as Stood
from equipoise.diary.evolve import Made, Side, State, kinds, side_of
from equipoise.diary.reminders import Rules
from equipoise.diary.windows import Slot, last_day, slots
from equipoise.ledger.entries import Datum, DiaryGapExplained, DiaryInterviewRecorded
from equipoise.protocol.diary import DiaryItem, DiaryPlan
from equipoise.words.problem import say
from equipoise.words.text import Text

SIDES: tuple[Side, ...] = ("PARTICIPANT", "CAREGIVER")
REMINDER = Text(say("diaries.reminder-text", "en"), say("diaries.reminder-text", "zh"))
_YES_NO = {option.code: option.label for option in YES_NO}
MISSING = {
    code: Text(say(key, "en"), say(key, "zh"))
    for code, key in (
        ("PREFER_NOT", "diaries.missing-prefer-not"),
        ("CANNOT_TELL", "diaries.missing-cannot-tell"),
    )
}


@dataclass(frozen=True, slots=True)
class SideStanding:
    """One side of a diary: its periods, and what they come to."""

    side: Side
    stood: tuple[Stood, ...]
    told: Compliance


def zone_of_diary(now: Standing, state: State) -> str:
    """The zone in which windows are counted: the participant's own, or the site's before anybody was invited."""
    return state.zone or now.site.zone


def side_standing(now: Standing, state: State, side: Side) -> SideStanding:
    """How one side of a participant's diary stands now."""
    received = [
        Received(one.entry.form, one.entry.period, dt.datetime.fromisoformat(one.at))
        for one in state.made.values()
        if one.entry.period is not None and side_of(one.entry.reporter) == side
    ]
    down = [Interruption(since, until) for since, until in now.trial.state.interruptions]
    stood = standings(asked_of(now, state, side), received, told_of(state, side), down, now.now)
    return SideStanding(side, stood, compliance(stood, now.now))


def told_of(state: State, side: Side) -> Mapping[tuple[str, str], Told]:
    """What the site recorded of periods without an entry: a reason, or, which counts for more, an interview."""
    found: dict[tuple[str, str], Told] = {}
    for recorded in kinds(state, DiaryGapExplained):
        if isinstance(recorded.entry, DiaryGapExplained) and recorded.entry.reporter == side:
            found.setdefault((recorded.entry.form, recorded.entry.period), "EXPLAINED")
    for recorded in kinds(state, DiaryInterviewRecorded):
        entry = recorded.entry
        if isinstance(entry, DiaryInterviewRecorded) and entry.period is not None and entry.reporter == side:
            found[entry.form, entry.period] = "INTERVIEW"
    return found


def asked_of(now: Standing, state: State, side: Side) -> Iterator[Slot]:
    """The periods that a side is asked for; none before anybody was invited."""
    phones = [one for one in state.devices.values() if one.side == side]
    if side == "PARTICIPANT":
        begins = min((one.invited_at for one in phones), default=None)
        ends = None
    else:
        begins = min((one.enrolled_at for one in phones if one.enrolled_at), default=None)
        gone = [one.revoked_at for one in phones if one.enrolled_at]
        ends = max((at for at in gone if at), default=None) if all(gone) else None
    if begins is None:
        return
    due = slots(now.trial.study.diary, now.facts.day_one, zone_of_diary(now, state), last_day(now.facts))
    for slot in due:
        if slot.closes > dt.datetime.fromisoformat(begins) and (
            ends is None or slot.opens < dt.datetime.fromisoformat(ends)
        ):
            yield slot


def limits_of(plan: DiaryPlan) -> Limits:
    """The study's own limits."""
    rules = plan.compliance
    return Limits(
        Decimal(rules.target_percent) / 100, Decimal(rules.alert_percent) / 100, rules.missed_in_a_row
    )


def rules_of(plan: DiaryPlan) -> Rules:
    """The study's own rules of reminding: a form of many days is missed as soon as one period of it is."""
    days = {form.id: form.cadence.days for form in plan.forms if form.cadence is not None}
    told = plan.reminders

    def missed(after_days: int) -> dict[str, int]:
        return {form: max(1, -(-after_days // length)) for form, length in days.items()}

    return Rules(told.again_hours, missed(told.caregiver_days), missed(told.site_days))


def plan_of(now: Standing, made: Made) -> DiaryPlan:
    """The diary by the version that an entry was made under."""
    return now.trial.at(made.entry.definition).study.diary


def answer(item: DiaryItem, datum: Datum) -> Text | None:
    """An answer in words; None where there is none."""
    if datum.missing is not None:
        return MISSING.get(datum.missing, Text(datum.missing))
    if datum.value is None:
        return None
    if item.kind == "yesno":
        return _YES_NO.get(datum.value, Text(datum.value))
    if item.kind in {"choice", "many"}:
        words = {option.id: option.label for option in item.options}
        chosen = [words.get(code, Text(code)) for code in datum.value.split(" ")]
        return Text("; ".join(one.en for one in chosen), "；".join(one.say("zh") for one in chosen))
    unit = item.unit or Text("")
    return Text(f"{datum.value} {unit.en}".rstrip(), f"{datum.value} {unit.say('zh')}".rstrip())


def reminder_text(plan: DiaryPlan) -> Text:
    """What a reminder says: the study's words, or plain ones where it has none."""
    return plan.reminders.text or REMINDER


def holder_name(register_name: str, holder: str) -> Text | str:
    """Whose phone it is: the participant, or a caregiver by the name in the register."""
    if holder == PARTICIPANT:
        return Text(say("diaries.side-participant", "en"), say("diaries.side-participant", "zh"))
    return register_name or holder

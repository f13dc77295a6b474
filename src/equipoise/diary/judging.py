"""Whether an entry of the diary is diary data: by the version that it was made with, its window, and what it says.

The rules that must stay true: what was made inside its window counts whenever it arrives; what was begun outside never
does; who may not score an item does not; an answer that the item cannot have is no answer. The first rule that an entry
breaks is its reason.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from equipoise.diary.commands import Sent
from equipoise.diary.evolve import Device, side_of
from equipoise.diary.parsing import MISSING
from equipoise.diary.timing import TOLERANCE
from equipoise.diary.windows import slot_of
from equipoise.ledger.entries import Datum
from equipoise.protocol.diary import NO, YES, DiaryForm, DiaryItem, DiaryPlan


@dataclass(frozen=True, slots=True)
class Fault:
    """The rule that was broken and where: an item, a field."""

    rule: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """What bounds an entry: study day 1, the participant's zone, and the last day of the diary."""

    day_one: dt.date | None
    zone: str
    ended: dt.date | None = None


def fault_of(plan: DiaryPlan, sent: Sent, device: Device, begun: dt.datetime, window: Window) -> Fault | None:
    """Why an entry is no diary data, or None. `begun`: when (UTC) it was begun, as far as it can be told."""
    form = plan.form(sent.form)
    if form is None:
        return Fault("diary.form-unknown", sent.form)
    if sent.reporter not in plan.answers or side_of(sent.reporter) != device.side:
        return Fault("diary.reporter", sent.reporter)
    if (fault := _time_fault(plan, form, sent, begun, window)) is not None:
        return fault
    return answers_fault(plan, form, sent.reporter, sent.answers or {}, sent.shown)


def _time_fault(
    plan: DiaryPlan, form: DiaryForm, sent: Sent, begun: dt.datetime, window: Window
) -> Fault | None:
    if (form.cadence is None) != (sent.period is None):
        return Fault("diary.period-unknown", "period")
    if sent.period is None:
        return _event_fault(begun, window)
    slot = slot_of(plan, form.id, sent.period, window.day_one, window.zone, window.ended)
    if slot is None:
        return Fault("diary.period-unknown", sent.period)
    if begun < slot.opens - TOLERANCE:
        return Fault("diary.window-not-open", sent.period)
    return Fault("diary.window-closed", sent.period) if begun >= slot.closes else None


def _event_fault(begun: dt.datetime, window: Window) -> Fault | None:
    day = begun.astimezone(ZoneInfo(window.zone)).date()
    if window.day_one is None or day < window.day_one:
        return Fault("diary.not-begun")
    return Fault("diary.ended") if window.ended is not None and day > window.ended else None


def shown_fault(plan: DiaryPlan, sent: Sent, window: Window) -> Fault | None:
    """Why nobody can have seen that an entry is due, or None: there is no such form, or nothing of it is due then."""
    if plan.form(sent.form) is None:
        return Fault("diary.form-unknown", sent.form)
    due = sent.period is not None and slot_of(
        plan, sent.form, sent.period, window.day_one, window.zone, window.ended
    )
    return None if due else Fault("diary.period-unknown", sent.period or "period")


def answers_fault(
    plan: DiaryPlan, form: DiaryForm, reporter: str, answers: Mapping[str, Datum], shown: Iterable[str] = ()
) -> Fault | None:
    """Why answers cannot be, or None. An item that was not answered is no fault: it has no value."""
    known = {item.id: item for item in plan.items(form)}
    for name in (*answers, *shown):
        if name not in known:
            return Fault("diary.item-unknown", name)
        if reporter == "CAREGIVER" and not known[name].proxy:
            return Fault("diary.item-not-for-proxy", name)
    for name, datum in answers.items():
        if not applies(known[name], answers):
            return Fault("diary.item-not-asked", name)
        if not _can_be(known[name], datum):
            return Fault("diary.answer-unfit", name)
    return None


def _can_be(item: DiaryItem, datum: Datum) -> bool:
    if datum.missing is not None:
        return datum.value is None and datum.missing in MISSING
    return datum.value is None or fits(item, datum.value)


def applies(item: DiaryItem, answers: Mapping[str, Datum]) -> bool:
    """Whether an item is asked, given the answers of the form."""
    if item.asked_if is None:
        return True
    given = answers.get(item.asked_if.item)
    if given is None or given.value is None:
        return False
    return not frozenset(given.value.split(" ")).isdisjoint(item.asked_if.one_of)


def fits(item: DiaryItem, value: str) -> bool:
    """Whether an item can have a value. Several options stand in the item's order, one space between them."""
    match item.kind:
        case "yesno":
            return value in {YES, NO}
        case "choice":
            return value in {option.id for option in item.options}
        case "many":
            order = [option.id for option in item.options]
            taken = value.split(" ")
            alone = item.none is None or item.none not in taken or len(taken) == 1
            return alone and taken == [one for one in order if one in taken]
        case "nrs" | "number":
            number = int(value) if value.isascii() and value.isdecimal() and len(value) < 6 else None
            if number is None or str(number) != value or not item.low <= number <= item.high:
                return False
            return (number - item.low) % item.step == 0


def red_flags(plan: DiaryPlan, form: DiaryForm, answers: Mapping[str, Datum]) -> tuple[str, ...]:
    """The items whose answer is a red flag, in the order of the form."""
    return tuple(
        item.id for item in plan.items(form)
        if (given := answers.get(item.id)) is not None and given.value is not None and item.flagged(given.value)
    )  # fmt: skip

"""The diary: every question can be asked, answered, skipped, flagged and made a row.

The rules that must stay true: an item stands once in a form and is skipped only by an earlier one; an answer that
something names is one that the item offers; a caregiver has no wording for what only the participant can feel; windows
of one form do not overlap; whoever may raise a red flag is told what to do.
"""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.protocol.checks.finding import Findings, fault
from equipoise.protocol.diary import NO, YES, DiaryForm, DiaryItem, DiaryPlan
from equipoise.protocol.notation import Steps
from equipoise.protocol.study import Study

VALUE_AT_MOST = 200
"""Characters of an answer: all options of a question taken, a space between them."""
LABEL_AT_MOST = 40
"""Characters of QSTEST (SDTMIG 3.4)."""


def diary_can_be_kept(study: Study) -> Findings:
    """All rules of this module; a study without a diary has nothing to keep."""
    plan = study.diary
    for n, section in enumerate(plan.sections):
        for m, item in enumerate(section.items):
            yield from _item(("diary", "sections", n, "items", m), item)
    for n, form in enumerate(plan.forms):
        yield from _form(("diary", "forms", n), plan, form)
    if plan.forms and plan.reminders.text is None:
        yield fault("protocol.study-diary-words", ("diary", "reminders"), name="reminders.text")
    flagged = any(item.flag or item.flag_from is not None for one in plan.sections for item in one.items)
    if flagged and plan.emergency.advice is None:
        yield fault("protocol.study-diary-words", ("diary", "emergency"), name="emergency.advice")


def codes_of(item: DiaryItem) -> frozenset[str]:
    """The answers of an item that something may name; none for numbers."""
    return frozenset({YES, NO}) if item.kind == "yesno" else frozenset(one.id for one in item.options)


def _item(at: Steps, item: DiaryItem) -> Findings:
    choosing = item.kind in {"choice", "many"}
    if choosing != bool(item.options):
        yield fault("protocol.study-diary-options", (*at, "options"), item=item.id, kind=item.kind)
    if len(" ".join(option.id for option in item.options)) > VALUE_AT_MOST:
        yield fault("protocol.study-diary-options", (*at, "options"), item=item.id, kind=item.kind)
    for name in (*item.flag, *((item.none,) if item.none is not None else ())):
        if name not in codes_of(item) or (name == item.none and item.kind != "many"):
            yield fault("protocol.study-diary-code", at, item=item.id, code=name)
    numbered = item.kind in {"nrs", "number"}
    ordered = item.low < item.high and (item.high - item.low) % item.step == 0
    if (numbered and not ordered) or (item.kind == "nrs" and (item.low, item.high, item.step) != (0, 10, 1)):
        yield fault("protocol.study-diary-numbers", at, item=item.id)
    if item.flag_from is not None and not (numbered and item.low <= item.flag_from <= item.high):
        yield fault("protocol.study-diary-code", (*at, "flag_from"), item=item.id, code=str(item.flag_from))
    if item.observed is not None and not item.proxy:
        yield fault("protocol.study-diary-proxy", (*at, "observed"), item=item.id)
    if len(item.label.en) > LABEL_AT_MOST:
        yield fault("protocol.study-diary-label", (*at, "label"), item=item.id)


def _form(at: Steps, plan: DiaryPlan, form: DiaryForm) -> Findings:
    known = {section.id for section in plan.sections}
    for m, name in enumerate(form.sections):
        if name not in known:
            yield fault("protocol.study-reference", (*at, "sections", m), name=name, kind="sections", like="")
    before: dict[str, DiaryItem] = {}
    for item in plan.items(form):
        if item.id in before:
            yield fault("protocol.study-diary-twice", at, item=item.id, form=form.id)
        yield from _skipped(at, form, item, before)
        before[item.id] = item
    when = form.cadence
    if when is not None and (when.open_days > when.days or when.last_day < when.first_day + when.days - 1):
        yield fault("protocol.study-diary-window", (*at, "cadence"), form=form.id)


def _skipped(at: Steps, form: DiaryForm, item: DiaryItem, before: Mapping[str, DiaryItem]) -> Findings:
    if item.asked_if is None:
        return
    earlier = before.get(item.asked_if.item)
    if earlier is None or not frozenset(item.asked_if.one_of) <= codes_of(earlier):
        yield fault("protocol.study-diary-asked-if", at, item=item.id, of=item.asked_if.item, form=form.id)
    elif item.proxy and not earlier.proxy:
        yield fault("protocol.study-diary-proxy", at, item=item.id)

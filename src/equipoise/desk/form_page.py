"""One form of one subject at one visit, as a page shows it.

The rule that must stay true: what was recorded can be opened for ever; where the definition in force no longer asks
for it, it is shown by the newest definition that did, and nobody can change it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, Literal
from zoneinfo import ZoneInfo

from equipoise.access.commands import Who
from equipoise.access.decide import may, may_read
from equipoise.capture.binding import answers
from equipoise.capture.closing.change import may_edit
from equipoise.capture.commands import RecordForm
from equipoise.capture.consequences import Consequences, Now, form_judged
from equipoise.capture.double.applies import only_twice
from equipoise.capture.evolve import Instance, Place, Query, State
from equipoise.capture.laboratory import Judged
from equipoise.capture.logs import truth_of
from equipoise.capture.placing import place_faults
from equipoise.capture.progress import form_now, form_status
from equipoise.capture.quantified import measured
from equipoise.capture.questions import Question, questions
from equipoise.desk.casebook import cell_state
from equipoise.desk.copies import with_copies
from equipoise.desk.covering import covered
from equipoise.desk.desk import Desk
from equipoise.desk.log_page import LOG_LABEL
from equipoise.desk.rules import page_rules
from equipoise.desk.signing_pages import signed_views
from equipoise.desk.standing import Standing
from equipoise.desk.twice import twice
from equipoise.desk.views import (
    DeadlineView,
    DerivedView,
    FormView,
    GridView,
    ItemView,
    Option,
    QueryView,
    RangeView,
    SignedView,
)
from equipoise.desk.words import missing_options, options, shown
from equipoise.instruments import TotalScore, score
from equipoise.ledger.entries import Datum
from equipoise.protocol.assessments import scale_of
from equipoise.protocol.forms import LOG, Form, Item
from equipoise.protocol.study import Study, Visit
from equipoise.protocol.wording import number as plain
from equipoise.words.canonical import Json
from equipoise.words.clock import local
from equipoise.words.codelists import MISSING
from equipoise.words.dates import PartialDate, parse_date
from equipoise.words.kept import Kept
from equipoise.words.text import Text
from equipoise.words.truth import Truth

_CONTROLS: Mapping[str, Literal["choice", "text", "number", "date", "time"]] = {
    "text": "text",
    "integer": "number",
    "decimal": "number",
    "date": "date",
    "time": "time",
    "code": "choice",
    "truth": "choice",
}

SIGNIFICANT = "CS"
"""The code by which an investigator calls an abnormal value clinically significant."""
Path = tuple[str, ...]
"""Where a form is: visit, form, and the repetition where it is not the first."""


def may_save_at(who: Who, now: Standing, subject: str, place: Place) -> bool:
    """Whether the place is open and the reader may save there."""
    open_ = may_edit(now.case.capture, now.facts, *place)
    return open_ and may(who, RecordForm(subject, *place, {}, 0), now.facts) is None


def form_page(desk: Desk, who: Who, number: str, visit_id: str, form_id: str, repeat: int) -> FormView | None:
    """The form, or None where it is not planned there or the reader may not see it."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "casebook", number)
        if subject is None:
            return None
        now, place = desk.standing_light(reader, subject), Place(visit_id, form_id, repeat)
        signed = signed_views(desk, reader, now, place)
    return form_view(desk, who, number, now, place, signed=signed)


def form_after(desk: Desk, who: Who, number: str, now: Standing, place: Place) -> FormView | None:
    """The form as it stands after a save, for the strip that answers it: without the rules and signatures of a page."""
    if not may_read(who, "casebook", now.case.screening.site or ""):
        return None
    return form_view(desk, who, number, now, place, ruled=False)


def form_view(
    desk: Desk,
    who: Who,
    number: str,
    now: Standing,
    place: Place,
    *,
    ruled: bool = True,
    signed: tuple[SignedView, ...] = (),
) -> FormView | None:
    """The form by what holds for a subject whom the reader may see. `ruled`: with the rules for the page's script."""
    visit_id, form_id, repeat = place
    subject = now.case.screening.subject or ""
    hidden = now.trial.hidden_from(who.role)
    if form_id in hidden:
        return None
    there = _there(now, place)
    if there is None:
        return None
    study, form, visit, retired = there
    behind = covered(now, who.role, place)
    if behind and visit is not None:
        return _covered(now, number, place, form.label, visit.label, behind)
    void = now.case.capture.voided.get(place)
    instance = now.case.capture.form(place)
    after = form_now(study, now.case.capture, visit_id, form_id, repeat, _now(now))
    ranged = form_judged(study, now.case.capture, form, instance.values, _now(now))
    status = form_status(study, now.case.capture, visit_id, form_id, repeat)
    found = now.case.capture.queries_at(place)
    queries = tuple(_query(one, now) for one in found)
    used = scale_of(form)
    before, following = _beside(study, visit, place, hidden) if visit is not None else (None, None)
    occurrence = repeat if visit is not None and visit.unscheduled else 1
    dated = now.case.capture.dates.get((visit_id, occurrence))
    closed = retired or void is not None or instance.omitted is not None
    items = tuple(_item(study, form, each, instance, after, queries, ranged) for each in questions(form))
    may_save = not closed and may_save_at(who, now, subject, place)
    editable = may_save and not only_twice(form, now.case.screening.site, now.case.capture, place)
    return FormView(
        subject=number,
        visit=visit_id,
        visit_label=visit.label if visit is not None else LOG_LABEL,
        form=form_id,
        form_label=form.label,
        repeat=repeat,
        state=cell_state(status.progress, due=False),
        base=instance.seq,
        items=with_copies(study, now, who, form, place, items),
        derived=derived(form, instance, after),
        queries=tuple(query for query in queries if not query.item),
        missing_items=after.lacking,
        editable=editable,
        reason_needed=instance.ever_complete,
        licence=used.licence.terms if used is not None and used.licence.wording == "neutral" else None,
        previous=before,
        next=following,
        dated=dated.on if dated is not None else None,
        rules=rules_of(study, now, who, place) if editable and ruled else {},
        omitted=_omission(desk, now, instance),
        repetitions=_repetitions(form, visit, now.case.capture, place),
        sources=sum(not one.withdrawn for one in now.case.attachments.at(*place)),
        log=form.log is not None,
        deadline=_deadline(study, form, instance, now),
        grid=form.grid is not None,
        voided=void.reason if void is not None else None,
        signed=signed,
        twice=twice(desk, now, form, place, may_save=may_save),
    )


def _there(now: Standing, place: Place) -> tuple[Study, Form, Visit | None, bool] | None:
    """The definition that has the form, the form, its visit (None for a list), whether no version asks for it now."""
    study = now.version_at(*place).study
    retired = bool(place_faults(study, *place))
    if retired:
        study = now.trial.record
    form, visit = study.form(place.form), study.visit(place.visit)
    if form is None or (visit is None and place.visit != LOG):
        return None
    if retired and place not in now.case.capture.forms:
        return None
    return study, form, visit, retired


def _now(now: Standing) -> Now:
    return Now.of(PartialDate.of(now.today), now.facts)


def rules_of(study: Study, now: Standing, who: Who, place: Place) -> Mapping[str, Json]:
    """What the page may judge by, for this reader."""
    hidden = now.trial.hidden_from(who.role)
    return page_rules(
        study, now.case.capture, place, _now(now), hidden, lambda other: bool(covered(now, who.role, other))
    )


def _omission(desk: Desk, now: Standing, instance: Instance) -> tuple[Text, str, str, str] | None:
    said = instance.omitted
    if said is None:
        return None
    who, at = desk.register.staff_name(said.by), local(said.at, now.site.zone)
    return MISSING.get(said.missing, Text(said.missing)), said.reason, who, at


def _repetitions(form: Form, visit: Visit | None, state: State, place: Place) -> tuple[int, ...]:
    """The repetitions of a form that repeats which were begun, this one, and the next that could be; none of a log."""
    if not form.repeats or visit is None or visit.unscheduled:
        return ()
    begun = {
        where.repeat
        for where, saved in state.forms.items()
        if (where.visit, where.form) == place[:2] and saved.seq
    }
    return tuple(sorted({*begun, place.repeat, max(begun, default=0) + 1}))


def _covered(
    now: Standing, number: str, place: Place, label: Text, visit: Text, behind: tuple[Text, ...]
) -> FormView:
    """A form whose scores the reader may not see yet: that it exists and whether it is complete, and nothing of it."""
    state = cell_state("COMPLETE" if now.case.capture.form(place).complete else "NOT_STARTED", due=False)
    return FormView(
        subject=number,
        visit=place.visit,
        visit_label=visit,
        form=place.form,
        form_label=label,
        repeat=place.repeat,
        state=state,
        base=now.case.capture.form(place).seq,
        items=(),
        derived=(),
        queries=(),
        missing_items=(),
        editable=False,
        reason_needed=False,
        covered=behind,
    )


def _item(
    study: Study,
    form: Form,
    asked: Question,
    instance: Instance,
    after: Consequences,
    queries: tuple[QueryView, ...],
    ranged: Mapping[str, Judged],
) -> ItemView:
    datum = instance.values.get(asked.id, _EMPTY)
    return ItemView(
        value=datum,
        shown=shown(study, asked, datum),
        visible=asked.id not in after.hidden,
        changed=asked.id in instance.changed,
        queries=tuple(query for query in queries if query.item == asked.id) if queries else (),
        range=_range(ranged.get(asked.id)),
        event=_significant(asked.own, datum, ranged) if study.reference_ranges.event is not None else None,
        **_DECLARED(study)(form)[asked.id],
    )


_EMPTY = Datum()


def _as_declared(study: Study) -> Kept[Form, dict[str, dict[str, Any]]]:  # Any: fields of ItemView
    """What the definition says of each item of a form; kept, because a page asks for every item."""
    return Kept(
        lambda form: {each.id: _declared(study, form, each) for each in questions(form)}, _FORMS_AT_MOST
    )


_STUDIES_AT_MOST, _FORMS_AT_MOST = 64, 2000
_DECLARED = Kept(_as_declared, _STUDIES_AT_MOST)


def _declared(study: Study, form: Form, asked: Question) -> dict[str, Any]:  # Any: as above
    own, scored, used = asked.own, asked.scored, scale_of(form)
    section = (
        own.section if own is not None else used.sections.get(scored.section) if used and scored else None
    )
    return {
        "id": asked.id,
        "number": asked.id if scored is not None else "",
        "label": asked.label,
        "control": _CONTROLS[own.type] if own is not None else "choice",
        "section": section,
        "help": own.help if own is not None else scored.note if scored is not None else None,
        "unit": own.unit if own is not None else None,
        "options": options(study, asked),
        "missing": missing_options(asked),
        "required": asked.required,
        "revealing": asked.revealing,
        "needs_why": asked.explained,
        "units": own.units if own is not None else (),
        "measured": measured(own),
    }


def _deadline(study: Study, form: Form, instance: Instance, now: Standing) -> DeadlineView | None:
    """The clock of a form while it runs. Without a time it runs from the beginning of the day: never too long."""
    clock, values = form.deadline, instance.values
    if clock is None or (
        clock.met is not None and clock.met in values and values[clock.met].value is not None
    ):
        return None
    day = parse_date(values[clock.day].value or "") if clock.day in values else None
    if day is None or not day.complete or truth_of(study, form, clock.when, values) is not Truth.TRUE:
        return None
    time = values[clock.time].value if clock.time is not None and clock.time in values else None
    begun = dt.datetime.fromisoformat(f"{day.iso()}T{time or '00:00'}").replace(
        tzinfo=ZoneInfo(now.site.zone)
    )
    due = begun.astimezone(dt.UTC) + dt.timedelta(hours=clock.hours)
    return DeadlineView(clock.label, local(due.isoformat(), now.site.zone), now.now > due)


def _range(found: Judged | None) -> RangeView | None:
    if found is None:
        return None
    return RangeView(found.indicator, found.low, found.high, found.laboratory or "", found.since or "")


def _significant(own: Item | None, datum: Datum, ranged: Mapping[str, Judged]) -> str | None:
    """The test that an item calls clinically significant, where it does."""
    test = own.sdtm.of if own is not None and own.sdtm is not None else None
    return test if datum.value == SIGNIFICANT and test in ranged else None


def derived(form: Form, instance: Instance, after: Consequences) -> tuple[DerivedView, ...]:
    """The totals of the form's scale, each with its bounds while something is missing, then other derived values."""
    used = scale_of(form)
    found: list[DerivedView] = []
    if used is not None:
        totals = score(used, answers(form, instance.values))
        shown_totals = sorted(used.totals, key=lambda total: total.testcd != used.main_total.testcd)
        for total in shown_totals:
            found.append(_total(total.testcd, total.label, total.maximum, totals[total.testcd]))
    found.extend(
        DerivedView(each.id, each.label, after.derived.get(each.id, Datum()).value, None, None, (), ())
        for each in form.derivations
        if each.blinding == "open"
    )
    return tuple(found)


def _total(testcd: str, label: Text, maximum: int, found: TotalScore) -> DerivedView:
    bounds = found.bounds
    return DerivedView(
        id=testcd,
        label=label,
        value=None if found.official is None else plain(found.official),
        bounds=None if bounds.known else (plain(bounds.low), plain(bounds.high)),
        maximum=str(maximum),
        missing=found.missing,
        untestable=found.untestable,
    )


def _query(one: Query, now: Standing) -> QueryView:
    raised = dt.datetime.fromisoformat(one.raised_at)
    return QueryView(
        id=one.id,
        item=one.item,
        state=one.state,
        message=Text(one.message.get("en", ""), one.message.get("zh")),
        raised_at=one.raised_at,
        age_days=max((now.now - raised).days, 0),
        answer=one.answer,
    )


def _beside(
    study: Study, visit: Visit, place: Place, hidden: Collection[str]
) -> tuple[Path | None, Path | None]:
    """The forms before and after this one at the same visit; an unscheduled visit is the same occurrence of it."""
    forms = [form.id for form in study.forms_at(place.visit) if form.id not in hidden]
    if place.form not in forms:
        return None, None
    occurrence = (str(place.repeat),) if visit.unscheduled and place.repeat > 1 else ()
    position = forms.index(place.form)
    before = (visit.id, forms[position - 1], *occurrence) if position > 0 else None
    following = (visit.id, forms[position + 1], *occurrence) if position + 1 < len(forms) else None
    return before, following


def grid_page(desk: Desk, who: Who, number: str, visit: str, form_id: str) -> GridView | None:
    """A form that is filled in as one table; None where it is none, is not planned, or the reader may not see it."""
    study = desk.study
    form = study.form(form_id)
    asked = form.item(form.grid) if form is not None and form.grid is not None else None
    codelist = study.codelist(asked.codelist or "") if asked is not None else None
    if asked is None or codelist is None:
        return None
    rows = [
        form_page(desk, who, number, visit, form_id, place) for place in range(1, len(codelist.terms) + 1)
    ]
    views = tuple(view for view in rows if view is not None)
    if len(views) != len(rows):
        return None
    terms = tuple(Option(term.code, term.decode) for term in codelist.terms)
    return GridView(asked.id, terms, views)

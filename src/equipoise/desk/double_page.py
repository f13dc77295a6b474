"""The page of a form's double entry: typing one of two entries, and the two beside each other.

The rules that must stay true: whoever may still type is shown nothing of what another typed, nor that an item was
filled in; no page that is typed on says what a check thinks; once both entries are in, both are shown to whoever sees
the form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from equipoise.access.commands import Who
from equipoise.access.decide import may
from equipoise.capture.closing.change import may_edit
from equipoise.capture.double.applies import asked_twice, begun, waits_for_entry
from equipoise.capture.double.commands import RecordEntry, SettleEntries, WithdrawEntries
from equipoise.capture.double.compare import compared
from equipoise.capture.double.settling import who_may_not_settle
from equipoise.capture.entered import Pair
from equipoise.capture.evolve import Place, given_by
from equipoise.capture.questions import Question, question, questions
from equipoise.desk.desk import Desk
from equipoise.desk.form_page import form_page, rules_of
from equipoise.desk.standing import Standing
from equipoise.desk.twice import by_whom
from equipoise.desk.views import FormView, ItemView, TwiceView
from equipoise.desk.words import shown
from equipoise.ledger.entries import Datum, FormSaved
from equipoise.ledger.reader import Reader
from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study
from equipoise.words.canonical import Json
from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class DoubleLine:
    """One item of both entries in words, None where it was left empty; `item` is as the form's page shows it.

    Of a settled pair: `choice` (FIRST, SECOND, NEITHER; empty where it was not to be decided), `kept` and `reason`.
    """

    item: ItemView
    first: Text | None
    second: Text | None
    differs: bool
    choice: str = ""
    kept: Text | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DoubleView:
    """The double entry of one form. `sheet` is the empty form where the reader may type an entry now.

    own: the reader typed one of the two. base: the seq of the latest entry. lines: once both entries are in.
    settled: by whom and when; `automatic`: the two were alike.
    """

    form: FormView
    twice: TwiceView
    sheet: FormView | None
    own: bool
    base: int
    lines: tuple[DoubleLine, ...]
    may_settle: bool
    may_withdraw: bool
    settled: tuple[str, str] | None = None
    automatic: bool = False


def double_page(desk: Desk, who: Who, number: str, place: Place) -> DoubleView | None:
    """The double entry of a form; None where it is not typed twice there, or the reader may not see the form."""
    view = form_page(desk, who, number, *place)
    if view is None or view.twice is None:
        return None
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "casebook", number)
        if subject is None:
            return None
        now = desk.standing_light(reader, subject)
        study = now.version_at(*place).study
        form = study.form(place.form) or now.trial.record.form(place.form)
        if form is None:
            return None
        pair = now.case.capture.pairs.get(place)
        kept = _kept(reader, subject, pair)
    latest = pair.second or pair.first if pair is not None else None
    settled = pair.settled if pair is not None else None
    return DoubleView(
        form=view,
        twice=view.twice,
        sheet=_sheet(now, who, subject, study, form, place, view),
        own=pair is not None and who.actor in pair.typists(),
        base=latest.seq if latest is not None else 0,
        lines=() if pair is None or pair.second is None else _lines(study, form, view, pair, kept),
        may_settle=_may_settle(now, who, subject, form, place),
        may_withdraw=_may_withdraw(now, who, subject, form, place),
        settled=None if settled is None else by_whom(desk, now, settled.by, settled.at),
        automatic=settled is not None and settled.automatic,
    )


def _sheet(
    now: Standing, who: Who, subject: str, study: Study, form: Form, place: Place, view: FormView
) -> FormView | None:
    """The empty form, for who may type an entry of it now."""
    capture, pair = now.case.capture, now.case.capture.pairs.get(place)
    refused = may(who, RecordEntry(subject, *place, {}), now.facts)
    waits = waits_for_entry(form, now.case.screening.site, capture, place)
    mine = pair is not None and pair.pending and who.actor in pair.typists()
    if refused is not None or not waits or mine or not may_edit(capture, now.facts, *place):
        return None
    items = tuple(replace(item, offer=None, copied=None, changed=False, queries=()) for item in view.items)
    return replace(
        view,
        editable=True,
        items=items,
        derived=(),
        queries=(),
        rules=_typing(rules_of(study, now, who, place)),
    )


def _typing(rules: Mapping[str, Json]) -> Mapping[str, Json]:
    """The rules of a page that help to type: what a date means and which items apply, and nothing that is likely."""
    items = rules.get("items")
    plain: dict[str, Json] = {}
    for name, about in items.items() if isinstance(items, dict) else ():
        plain[name] = {**about, "expected": None} if isinstance(about, dict) else about
    return {**rules, "items": plain, "checks": [], "derived": {}}


def _may_settle(now: Standing, who: Who, subject: str, form: Form, place: Place) -> bool:
    pair, capture = now.case.capture.pairs.get(place), now.case.capture
    if pair is None or pair.stage != "DIFFERS" or begun(capture, place):
        return False
    command = SettleEntries(subject, *place, 0, {})
    rules = asked_twice(form, now.case.screening.site)
    return (
        may(who, command, now.facts) is None
        and may_edit(capture, now.facts, *place)
        and not who_may_not_settle(rules, pair, who.actor, who.role)
    )


def _may_withdraw(now: Standing, who: Who, subject: str, form: Form, place: Place) -> bool:
    pair, capture = now.case.capture.pairs.get(place), now.case.capture
    if pair is None or not pair.pending or not may_edit(capture, now.facts, *place):
        return False
    if may(who, WithdrawEntries(subject, *place, 0, ""), now.facts) is not None:
        return False
    if pair.stage == "FIRST":
        return pair.first.by == who.actor
    return not who_may_not_settle(asked_twice(form, now.case.screening.site), pair, who.actor, who.role)


def _kept(reader: Reader, subject: str, pair: Pair | None) -> Mapping[str, Datum]:
    """What the form was saved with when the pair was settled, whatever became of it since."""
    if pair is None or pair.settled is None:
        return {}
    after = reader.entries(f"subject/{subject}", after=pair.settled.seq)[:1]
    entry = after[0].entry if after else None
    return given_by(entry) if isinstance(entry, FormSaved) else {}


def _lines(
    study: Study, form: Form, view: FormView, pair: Pair, kept: Mapping[str, Datum]
) -> tuple[DoubleLine, ...]:
    first, second = pair.first.items, pair.second.items if pair.second is not None else {}
    names = frozenset(compared(form, first, second))
    items = {item.id: item for item in view.items}
    return tuple(
        _line(study, form, items[each.id], pair, kept)
        for each in questions(form)
        if each.id in names and each.id in items
    )


def _line(study: Study, form: Form, item: ItemView, pair: Pair, kept: Mapping[str, Datum]) -> DoubleLine:
    asked, settled = question(form, item.id), pair.settled
    second = pair.second.items if pair.second is not None else {}
    return DoubleLine(
        item=item,
        first=_said(study, asked, pair.first.items.get(item.id)),
        second=_said(study, asked, second.get(item.id)),
        differs=item.id in pair.differing,
        choice=settled.choices.get(item.id, "") if settled is not None else "",
        kept=_said(study, asked, kept.get(item.id)),
        reason=settled.reasons.get(item.id, "") if settled is not None else "",
    )


def _said(study: Study, asked: Question | None, datum: Datum | None) -> Text | None:
    return None if datum is None else shown(study, asked, datum)

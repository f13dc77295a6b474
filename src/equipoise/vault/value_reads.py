"""What is captured behind the second door, as its pages show it: who, which forms when, one form, its history.

The rule that must stay true: these reads are asked by pages of this door only; a subject is named by the screening
number that stands on its samples, and by nothing else of the first door.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from equipoise.capture.consequences import Consequences, Now
from equipoise.capture.evolve import Instance, Place, Query, State, is_empty
from equipoise.capture.history import Change, history
from equipoise.capture.placing import place_faults
from equipoise.capture.progress import FormStatus, form_now, form_status
from equipoise.capture.quantified import decoded
from equipoise.capture.questions import Question, question, questions
from equipoise.ledger.entries import Datum
from equipoise.ledger.reader import Reader
from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study, Visit
from equipoise.vault.knowing import Known
from equipoise.vault.revealing import revealing_study
from equipoise.vault.values import RecordValues, streams
from equipoise.words.codelists import MISSING
from equipoise.words.dates import PartialDate
from equipoise.words.text import Text

YES_NO = (("Y", Text("Yes", "是")), ("N", Text("No", "否")))


class Reading(Protocol):
    """What these reads ask of the vault."""

    @property
    def study(self) -> Study:
        """The definition in force."""

    def known(self, reader: Reader) -> Known:
        """What the first door said."""

    def state(self, reader: Reader, command: object) -> object:
        """The state of the room that decides such a command."""


@dataclass(frozen=True, slots=True)
class ValueCell:
    """One form at one visit: how far it is, and its queries that are open."""

    place: Place
    status: FormStatus


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One form across the visits of `ValueMatrix`; None where it is not planned."""

    form: str
    label: Text
    cells: tuple[tuple[ValueCell, ...] | None, ...]
    repeats: bool


@dataclass(frozen=True, slots=True)
class ValueMatrix:
    """Everything that is captured here of one subject, or is to be."""

    number: str
    site: str
    visits: tuple[Visit, ...]
    rows: tuple[ValueRow, ...]


@dataclass(frozen=True, slots=True)
class ValueSubject:
    """One line of the work list."""

    number: str
    site: str
    complete: int
    begun: int
    open_queries: int


@dataclass(frozen=True, slots=True)
class ValueItem:
    """One question. `options` are (code, label) of a choice; `missing` the codes instead of a value."""

    asked: Question
    value: Datum
    options: tuple[tuple[str, Text], ...]
    missing: tuple[tuple[str, Text], ...]
    visible: bool
    changed: bool
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class ValueForm:
    """One form of one subject: `base` is the seq that the page has seen, `lacking` what a complete form needs."""

    number: str
    subject: str
    place: Place
    visit: Visit
    form: Form
    base: int
    complete: bool
    reason_needed: bool
    items: tuple[ValueItem, ...]
    derived: tuple[tuple[Text, str, str], ...]
    lacking: tuple[str, ...]


def subject_of_number(vault: Reading, reader: Reader, number: str) -> str | None:
    """The subject that bears a screening number, as the first door told; None for an unknown one."""
    told = vault.known(reader).told
    return next((subject for subject, bears in told.numbers.items() if bears == number), None)


def value_subjects(vault: Reading, reader: Reader) -> tuple[ValueSubject, ...]:
    """Everybody whom the first door told of, by screening number."""
    told, part = vault.known(reader).told, revealing_study(vault.study)
    found = []
    for subject, number in told.numbers.items():
        state = _state(vault, reader, subject)
        forms = [instance for place, instance in state.forms.items() if part.form(place.form) is not None]
        waiting = sum(query.state == "OPEN" for query in state.queries.values())
        complete = sum(instance.complete for instance in forms)
        found.append(
            ValueSubject(number, told.sites.get(subject, ""), complete, len(forms) - complete, waiting)
        )
    return tuple(sorted(found, key=lambda one: one.number))


def value_matrix(vault: Reading, reader: Reader, number: str) -> ValueMatrix | None:
    """The forms of a subject; None for an unknown number."""
    subject = subject_of_number(vault, reader, number)
    if subject is None:
        return None
    part, state = revealing_study(vault.study), _state(vault, reader, subject)
    visits = tuple(visit for visit in part.schedule.visits if part.forms_at(visit.id))
    rows = []
    for form in part.forms:
        cells = tuple(
            _cells(part, state, visit, form) if form in part.forms_at(visit.id) else None for visit in visits
        )
        if any(cells):
            rows.append(ValueRow(form.id, form.label, cells, form.repeats))
    site = vault.known(reader).told.sites.get(subject, "")
    return ValueMatrix(number, site, visits, tuple(rows))


def _cells(part: Study, state: State, visit: Visit, form: Form) -> tuple[ValueCell, ...]:
    """The instances that are there and, where one more may follow, an empty one."""
    last = max((place.repeat for place in state.forms if place[:2] == (visit.id, form.id)), default=0)
    more = 1 if last == 0 or form.repeats or visit.unscheduled else 0
    return tuple(
        ValueCell(Place(visit.id, form.id, repeat), form_status(part, state, visit.id, form.id, repeat))
        for repeat in range(1, last + more + 1)
    )


def value_form(
    vault: Reading, reader: Reader, number: str, place: Place, today: PartialDate
) -> ValueForm | None:
    """One form; None where it is not planned or nobody bears the number."""
    subject, part = subject_of_number(vault, reader, number), revealing_study(vault.study)
    form, visit = part.form(place.form), part.visit(place.visit)
    if subject is None or form is None or visit is None or place_faults(part, *place):
        return None
    state = _state(vault, reader, subject)
    instance = state.form(place)
    after = form_now(part, state, *place, Now(today))
    return ValueForm(
        number, subject, place, visit, form, instance.seq, instance.complete, instance.ever_complete,
        tuple(_item(part, each, instance, after, state.queries_at(place)) for each in questions(form)),
        tuple(_derived(form, after)),
        after.lacking,
    )  # fmt: skip


def _item(
    part: Study, asked: Question, instance: Instance, after: Consequences, queries: tuple[Query, ...]
) -> ValueItem:
    return ValueItem(
        asked,
        instance.values.get(asked.id, Datum()),
        options(part, asked),
        tuple((code, MISSING[code]) for code in asked.missing if code in MISSING),
        asked.id not in after.hidden,
        asked.id in instance.changed,
        tuple(query for query in queries if query.item == asked.id),
    )


def _derived(form: Form, after: Consequences) -> Iterator[tuple[Text, str, str]]:
    for each in form.derivations:
        datum = after.derived.get(each.id)
        if datum is not None and datum.value is not None:
            yield each.label, datum.value, each.unit or ""


def options(part: Study, asked: Question) -> tuple[tuple[str, Text], ...]:
    """The answers of a choice, (code, label); none for an item that is typed."""
    own = asked.own
    if own is not None and own.type == "truth":
        return YES_NO
    codelist = part.codelist(own.codelist or "") if own is not None and own.type == "code" else None
    return tuple((term.code, term.decode) for term in codelist.terms) if codelist is not None else ()


def value_history(
    vault: Reading, reader: Reader, number: str, place: Place, item: str | None = None
) -> tuple[Change, ...] | None:
    """Every change of a form, or of one of its items, latest first; None for an unknown number or form."""
    subject = subject_of_number(vault, reader, number)
    if subject is None or revealing_study(vault.study).form(place.form) is None:
        return None
    stream = streams(_asked(subject))[0]
    return tuple(reversed(list(history(reader.entries(stream), *place, item))))


def said(study: Study, form: str, item: str, datum: Datum) -> Text | None:
    """A datum in words; None where it is empty."""
    if is_empty(datum):
        return None
    if datum.missing is not None:
        decode = decoded(datum.missing)
        why = f" ({datum.why})" if datum.why else ""
        return Text(f"{datum.missing} {decode.en}{why}", f"{datum.missing} {decode.say('zh')}{why}")
    part = revealing_study(study)
    known = part.form(form)
    asked = question(known, item) if known is not None else None
    labels: Mapping[str, Text] = dict(options(part, asked)) if asked is not None else {}
    unit = f" {asked.own.unit}" if asked is not None and asked.own is not None and asked.own.unit else ""
    value = datum.value or ""
    return labels.get(value, Text(value + unit))


def _state(vault: Reading, reader: Reader, subject: str) -> State:
    state = vault.state(reader, _asked(subject))
    if not isinstance(state, State):
        raise TypeError("the room of values has another state")
    return state


def _asked(subject: str) -> RecordValues:
    return RecordValues(subject, "", "", 1, {}, 0)

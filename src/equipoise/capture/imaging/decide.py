"""Deciding on imaging.

The rules that must stay true: a true day is never refused, an early or late one is a deviation; images are taken in by
what their headers say, and nothing of a picture is kept; a read is scored once, by the reader it was given to; two
readers are two persons and a third is neither; who reads holds a certificate for such images that counts on the day of
the reading, as raters do for their scales; what they conclude goes to the form by the judgement of a typed value.
Sources: domain 6.6 (reading must not see arm or date order); ICH E6(R3) 4.2; FDA guidance on imaging endpoints (2018).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from equipoise.capture.imaging import reading
from equipoise.capture.imaging.commands import (
    CancelImaging,
    OpenAdjudication,
    OpenReading,
    OrderImaging,
    RecordImaging,
    ReferenceImages,
    RefuseImages,
    ScoreReading,
)
from equipoise.capture.imaging.evolve import Order, Read, State
from equipoise.capture.imaging.headers import is_uid
from equipoise.capture.parsing import clean, parse
from equipoise.capture.questions import question
from equipoise.ledger.entries import (
    Append,
    Datum,
    Entry,
    ImagesReferenced,
    ImagesRefused,
    ImagingCancelled,
    ImagingOrdered,
    ImagingPerformed,
    ReadGiven,
    ReadingConcluded,
    ReadingDiffered,
    ReadingOpened,
    ReadingScored,
)
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.imaging import Procedure
from equipoise.protocol.study import Study
from equipoise.words.dates import parse_date
from equipoise.words.problem import Problem, problem

UNREADABLE = "UNREADABLE"
QUALITIES = ("GOOD", "ACCEPTABLE", "POOR", UNREADABLE)
Said = tuple[Entry, ...] | Refusal


def decide(study: Study, state: State, facts: Facts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on the stream of one subject."""
    step = STEPS.get(type(command))
    if step is None:
        raise TypeError(f"imaging does not know {type(command).__name__}")
    if not facts.subject_known:
        return _no("capture.subject-unknown", "subject")
    said = step(study, state, facts, command, occasion)
    if isinstance(said, Refusal):
        return said
    return tuple(Append(f"subject/{getattr(command, 'subject', '')}", entry) for entry in said)


def _no(rule: str, where: str = "", **arguments: str) -> Refusal:
    return Refusal((problem(rule, where, **arguments),))


def _order(study: Study, state: State, facts: Facts, command: OrderImaging, occasion: Occasion) -> Said:
    procedure = study.imaging.procedure(command.procedure)
    if procedure is None or command.visit not in procedure.visits:
        return _no("imaging.not-planned", "procedure")
    before = state.of(command.procedure, command.visit)
    if any(not one.cancelled for one in before):
        return _no("imaging.ordered-already", "procedure", procedure=procedure.id)
    first, last = parse_date(command.due_from), parse_date(command.due_by)
    if first is None or last is None or not first.complete or not last.complete:
        return _no("imaging.day-unfit", "due_by")
    if last.earliest < first.earliest:
        return _no("imaging.window-turned", "due_by")
    made = reading.order_id(command.subject, command.procedure, command.visit, len(before) + 1)
    text = clean(command.indication)
    return (ImagingOrdered(made, command.procedure, command.visit, first.iso(), last.iso(), text),)


def _record(study: Study, state: State, facts: Facts, command: RecordImaging, occasion: Occasion) -> Said:
    order = _open(state, command.order)
    if isinstance(order, Refusal):
        return order
    on = parse_date(command.on)
    if on is None or not on.complete:
        return _no("imaging.day-unfit", "on")
    if on.earliest > occasion.today:
        return _no("imaging.day-in-future", "on")
    if command.quality not in QUALITIES:
        return _no("imaging.choose", "quality")
    if order.reads:
        return _no("imaging.read-already")
    late = ("LATE",) if on.iso() > order.due_by else ()
    early = ("EARLY",) if on.iso() < order.due_from else ()
    return (ImagingPerformed(order.order, on.iso(), command.quality, (*early, *late), clean(command.device)),)


def _cancel(study: Study, state: State, facts: Facts, command: CancelImaging, occasion: Occasion) -> Said:
    order = _open(state, command.order)
    if isinstance(order, Refusal):
        return order
    reason = clean(command.reason)
    if order.reads:
        return _no("imaging.read-already")
    return (ImagingCancelled(order.order, reason),) if reason else _no("imaging.say-why", "reason")


def _reference(
    study: Study, state: State, facts: Facts, command: ReferenceImages, occasion: Occasion
) -> Said:
    order = _performed(state, command.order)
    if isinstance(order, Refusal):
        return order
    if order.reads:
        return _no("imaging.read-already")
    procedure = study.imaging.procedure(order.procedure)
    if not is_uid(command.study_uid):
        return _no("imaging.uid-unfit", "study_uid")
    known = {
        uid for one in state.orders.values() if one.order != order.order for uid in (one.study_uid,) if uid
    }
    if command.study_uid in known:
        return _no("imaging.uid-taken", "study_uid")
    if not command.series or any(not is_uid(one.uid) or one.images < 1 for one in command.series):
        return _no("imaging.series-unfit", "series")
    if procedure is None or any(one.modality not in procedure.modalities for one in command.series):
        return _no(
            "imaging.modality-other",
            "series",
            modalities=", ".join(procedure.modalities) if procedure else "",
        )
    entry = ImagesReferenced(order.order, command.study_uid, command.series, command.files, command.digest)
    return (entry,)


def _refuse(study: Study, state: State, facts: Facts, command: RefuseImages, occasion: Occasion) -> Said:
    order = _performed(state, command.order)
    if isinstance(order, Refusal):
        return order
    return (ImagesRefused(order.order, command.files, tuple(command.because), tuple(command.tags)),)


def _open_reading(study: Study, state: State, facts: Facts, command: OpenReading, occasion: Occasion) -> Said:
    order = _performed(state, command.order)
    if isinstance(order, Refusal):
        return order
    procedure = study.imaging.procedure(order.procedure)
    if procedure is None or not procedure.read:
        return _no("imaging.not-read", "order")
    if not order.study_uid or order.quality == UNREADABLE:
        return _no("imaging.nothing-to-read", "order")
    if order.reads:
        return _no("imaging.read-already")
    readers = {"first": command.first, "second": command.second}
    fault = _readers(facts, *readers.values())
    if fault is not None:
        return Refusal((fault,))
    unfit = _uncertified(study, order, facts, readers, occasion)
    if unfit:
        return Refusal(unfit)
    given = tuple(
        ReadGiven(reading.read_number(command.subject, order.order, part), reader, part)
        for part, reader in ((1, command.first), (2, command.second))
    )
    return (ReadingOpened(order.order, given),)


def _open_third(
    study: Study, state: State, facts: Facts, command: OpenAdjudication, occasion: Occasion
) -> Said:
    order = _performed(state, command.order)
    if isinstance(order, Refusal):
        return order
    if not order.differs or len(order.reads) != 2:
        return _no("imaging.no-difference", "order")
    fault = _readers(facts, command.third, *(one.reader for one in order.reads), named=(command.third,))
    if fault is not None:
        return Refusal((fault,))
    unfit = _uncertified(study, order, facts, {"third": command.third}, occasion)
    if unfit:
        return Refusal(unfit)
    given = ReadGiven(reading.read_number(command.subject, order.order, 3), command.third, 3)
    return (ReadingOpened(order.order, (given,)),)


def _readers(facts: Facts, *readers: str, named: tuple[str, ...] | None = None) -> Problem | None:
    if len(set(readers)) < len(readers):
        return problem("imaging.same-reader", "second")
    if set(named or readers) - facts.readers_named:
        return problem("imaging.no-reader", "first")
    if facts.code_broken_for & set(readers):
        return problem("imaging.reader-knows", "first")
    return None


def _uncertified(
    study: Study, order: Order, facts: Facts, readers: Mapping[str, str], occasion: Occasion
) -> tuple[Problem, ...]:
    """What is said of readers, by their fields, who lack a certificate for these images that counts today."""
    today = occasion.today.isoformat()
    found: list[Problem] = []
    for where, reader in readers.items():
        held = facts.readers_certified.get(reader, {})
        for kind in certificates_lacking(study, order, held, today):
            if kind in held and held[kind][0] <= today:
                found.append(problem(f"imaging.{where}-lapsed", where, kind=kind, until=held[kind][1]))
            else:
                found.append(problem(f"imaging.{where}-uncertified", where, kind=kind))
    return tuple(found)


def certificates_lacking(
    study: Study, order: Order, held: Mapping[str, tuple[str, str]], today: str
) -> tuple[str, ...]:
    """The DICOM codes of an order's images for which a reader holds no certificate that counts on a day (ISO)."""
    seen = dict.fromkeys(one.modality for one in order.series)
    asked = [kind for kind in seen if kind in study.imaging.certificates]
    return tuple(
        kind for kind in asked
        if kind not in held or not held[kind][0] <= today or (held[kind][1] and held[kind][1] < today)
    )  # fmt: skip


def _score(study: Study, state: State, facts: Facts, command: ScoreReading, occasion: Occasion) -> Said:
    found = read_of(state, command.read)
    if found is None or found[1].reader != occasion.by:
        return _no("imaging.read-unknown", "read")
    order, read = found
    procedure = study.imaging.procedure(order.procedure)
    form = study.form(procedure.form) if procedure is not None else None
    if read.items:
        return _no("imaging.scored-already", "read")
    if procedure is None or form is None or form.id != command.form:
        return _no("imaging.read-unknown", "read")
    unfit = _uncertified(study, order, facts, {"own": occasion.by}, occasion)
    items = Refusal(unfit) if unfit else _typed(study, procedure, command)
    if isinstance(items, Refusal):
        return items
    scored = ReadingScored(order.order, read.read, items)
    others = [one for one in order.reads if one.part != 3 and one.read != read.read]
    if read.part == 3:
        one, two = others
        result = reading.together(procedure, form, one.items, two.items, items)
        return (scored, ReadingConcluded(order.order, result, order.differs))
    if not others[0].items:
        return (scored,)
    differ = reading.differences(procedure, items, others[0].items)
    if differ:
        return (scored, ReadingDiffered(order.order, differ))
    return (scored, ReadingConcluded(order.order, reading.together(procedure, form, items, others[0].items)))


def _typed(study: Study, procedure: Procedure, command: ScoreReading) -> dict[str, Datum] | Refusal:
    form = study.form(procedure.form)
    faults: list[Problem] = []
    items: dict[str, Datum] = {}
    for rule in procedure.read:
        asked = question(form, rule.item) if form is not None else None
        given = command.items.get(rule.item, Datum())
        if asked is None:
            continue
        read = parse(study, asked, given)
        if isinstance(read, Problem):
            faults.append(read)
        elif read == Datum():
            faults.append(problem("imaging.score-missing", rule.item, item=asked.label))
        else:
            items[rule.item] = read
    return Refusal(tuple(faults)) if faults else items


def read_of(state: State, number: str) -> tuple[Order, Read] | None:
    """The read of a number, with its order."""
    for order in state.orders.values():
        read = order.read(number)
        if read is not None:
            return order, read
    return None


def _open(state: State, name: str) -> Order | Refusal:
    order = state.orders.get(name)
    if order is None:
        return _no("imaging.order-unknown", "order")
    return _no("imaging.cancelled", "order") if order.cancelled else order


def _performed(state: State, name: str) -> Order | Refusal:
    order = _open(state, name)
    if isinstance(order, Order) and not order.on:
        return _no("imaging.not-performed", "order")
    return order


STEPS: dict[type, Callable[[Study, State, Facts, Any, Occasion], Said]] = {  # Any: its one command
    OrderImaging: _order,
    RecordImaging: _record,
    CancelImaging: _cancel,
    ReferenceImages: _reference,
    RefuseImages: _refuse,
    OpenReading: _open_reading,
    OpenAdjudication: _open_third,
    ScoreReading: _score,
}
"""Every command on imaging, with what decides it."""

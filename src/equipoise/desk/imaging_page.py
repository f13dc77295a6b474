"""Imaging as the first door shows it: what is asked of a participant, and, to a reader, numbers and nothing else.

The rules that must stay true: a reader sees the number of a read, its form and the reader's own scores: no
participant, site, visit, day or order of arrival, nor the other reads of the same images; who has images made never
sees a score before the read is concluded; lists of reads are ordered by their random numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from equipoise.access.commands import Who
from equipoise.access.decide import may, may_read
from equipoise.capture.imaging.commands import (
    OpenReading,
    OrderImaging,
    ReferenceImages,
    RefuseImages,
    ScoreReading,
)
from equipoise.capture.imaging.decide import certificates_lacking, read_of
from equipoise.capture.imaging.evolve import Order
from equipoise.capture.imaging.headers import judge
from equipoise.capture.questions import Question, question
from equipoise.desk.desk import Desk
from equipoise.desk.followers import GRANTS
from equipoise.desk.image_tables import READS
from equipoise.desk.imaging_desk import with_readers
from equipoise.desk.views import Option, Outcome
from equipoise.desk.words import missing_options, options, shown
from equipoise.ledger.entries import Datum
from equipoise.ledger.facts import Facts
from equipoise.ledger.reader import Reader
from equipoise.protocol.imaging import Procedure
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

WRONG: Mapping[str, str] = {
    "NOT_DICOM": "imaging.wrong-not-dicom",
    "IDENTIFIES": "imaging.wrong-identifies",
    "OTHER_PATIENT": "imaging.wrong-other-patient",
    "OTHER_DATE": "imaging.wrong-other-date",
    "OTHER_MODALITY": "imaging.wrong-other-modality",
    "BURNED_IN": "imaging.wrong-burned-in",
    "TWO_STUDIES": "imaging.wrong-two-studies",
    "NO_UID": "imaging.wrong-no-uid",
}
"""What may be wrong with files, and what is said of it."""


@dataclass(frozen=True, slots=True)
class ImagingRow:
    """One procedure at one visit: its order in force, what became of its read, and, once concluded, the result.

    readers: id, name, and the DICOM codes of these images for which the person holds no certificate that counts.
    """

    procedure: Procedure
    visit: str
    visit_label: Text
    order: Order | None
    cancelled: tuple[Order, ...]
    given: int
    scored: int
    result: tuple[tuple[Text, Text], ...]
    readers: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ImagingView:
    """The imaging page of a subject."""

    number: str
    site: str
    today: str
    rows: tuple[ImagingRow, ...]
    may_order: bool
    may_open: bool


@dataclass(frozen=True, slots=True)
class ReadLine:
    """One read in a reader's list."""

    read: str
    label: Text
    scored: bool


@dataclass(frozen=True, slots=True)
class ReadItemView:
    """One item to be scored."""

    id: str
    label: Text
    unit: str | None
    options: tuple[Option, ...]
    missing: tuple[Option, ...]
    value: Datum


@dataclass(frozen=True, slots=True)
class ReadView:
    """One read, as its reader sees it."""

    read: str
    label: Text
    items: tuple[ReadItemView, ...]
    scored: bool
    decides: bool


def imaging_page(desk: Desk, who: Who, number: str) -> ImagingView | None:
    """The imaging of a subject; None where the reader may not see it."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "imaging", number)
        if subject is None:
            return None
        now = desk.standing_light(reader, subject)
        opens = may(who, OpenReading(subject, "", "", ""), now.facts) is None
        held = reader.rows.find(GRANTS, {"role": "reader", "held": 1}, order=("user",)) if opens else ()
        facts = with_readers(now.facts, reader, [str(row["user"]) for row in held])
    study, state = now.trial.study, now.case.imaging
    rows = tuple(
        _offered(desk, study, facts, _row(study, state.of(one.id, visit.id), one, visit.id, visit.label))
        for visit in study.schedule.visits
        for one in study.imaging.procedures
        if visit.id in one.visits
    )
    orders = may(who, OrderImaging(subject, "", "", "", ""), now.facts) is None
    site = now.facts.subject_site or ""
    return ImagingView(number, site, now.today.isoformat(), rows, orders, opens)


def _offered(desk: Desk, study: Study, facts: Facts, row: ImagingRow) -> ImagingRow:
    """The row with who may be given its images, and what they lack for these."""
    if row.order is None or not row.order.series:
        return row
    held = facts.readers_certified
    return replace(
        row,
        readers=tuple(
            (
                one,
                desk.register.staff_name(one),
                ", ".join(certificates_lacking(study, row.order, held.get(one, {}), facts.today)),
            )
            for one in sorted(facts.readers_named)
        ),
    )


def _row(study: Study, orders: Sequence[Order], procedure: Procedure, visit: str, label: Text) -> ImagingRow:
    order = next((one for one in reversed(orders) if not one.cancelled), None)
    gone = tuple(one for one in orders if one.cancelled)
    if order is None:
        return ImagingRow(procedure, visit, label, None, gone, 0, 0, ())
    form, result = study.form(procedure.form), []
    for name, datum in order.result.items():
        asked = question(form, name) if form is not None else None
        said = shown(study, asked, datum)
        result.append((asked.label if asked is not None else Text(name), said or Text("–")))
    scored = sum(bool(one.items) for one in order.reads)
    return ImagingRow(procedure, visit, label, order, gone, len(order.reads), scored, tuple(result))


def upload(desk: Desk, who: Who, number: str, order: str, files: Sequence[bytes], *, key: str) -> Outcome:
    """Look at the headers of files and take in what they say, or write down why not. Nothing of a file is kept."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "imaging", number)
        if subject is None:
            return Outcome(accepted=False, problems=(problem("pages.not-found"),))
        now = desk.standing_light(reader, subject)
    one = now.case.imaging.orders.get(order)
    procedure = now.trial.study.imaging.procedure(one.procedure) if one is not None else None
    refused = may(who, RefuseImages(subject, order, 0, ()), now.facts)
    if refused is not None or one is None or procedure is None or not one.on:
        return Outcome(accepted=False, problems=(refused or problem("imaging.not-performed", "order"),))
    looked = judge(files, number, procedure.modalities, one.on)
    if not looked.wrong:
        command = ReferenceImages(
            subject, order, looked.study_uid, looked.series, looked.files, looked.digest
        )
        return desk.submit(who, command, key=key)
    kept = desk.submit(who, RefuseImages(subject, order, looked.files, looked.wrong, looked.tags), key=key)
    said = tuple(_wrong(code, looked.tags) for code in looked.wrong)
    return Outcome(accepted=False, problems=said if kept.accepted else kept.problems)


def _wrong(code: str, tags: Sequence[str]) -> Problem:
    return problem(WRONG[code], "files", tags=", ".join(tags))


def reads_page(desk: Desk, who: Who) -> tuple[ReadLine, ...] | None:
    """The reader's own reads, by their random numbers."""
    if not may_read(who, "reads", None):
        return None
    found: list[ReadLine] = []
    with desk.reading() as reader:
        rows = reader.rows.find(READS, {"reader": who.actor}, order=("read",))
        for row in rows:
            study, order = _order_of(desk, reader, str(row["subject"]), str(row["read"]))
            procedure = study.imaging.procedure(order.procedure) if order is not None else None
            if procedure is not None:
                found.append(ReadLine(str(row["read"]), procedure.label, row["state"] == "SCORED"))
    return tuple(found)


def read_page(desk: Desk, who: Who, number: str) -> ReadView | None:
    """One read; None where it is not the reader's own."""
    with desk.reading() as reader:
        row = reader.rows.get(READS, (number,))
        if row is None or row["reader"] != who.actor or not may_read(who, "reads", None):
            return None
        study, order = _order_of(desk, reader, str(row["subject"]), number)
    read = order.read(number) if order is not None else None
    procedure = study.imaging.procedure(order.procedure) if order is not None else None
    if read is None or procedure is None:
        return None
    form = study.form(procedure.form)
    asked = [question(form, rule.item) for rule in procedure.read] if form is not None else []
    items = tuple(_item(study, one, read.items) for one in asked if one is not None)
    return ReadView(number, procedure.label, items, bool(read.items), read.part == 3)


def score(desk: Desk, who: Who, number: str, items: Mapping[str, Datum], *, key: str) -> Outcome:
    """Record what a reader scored; the desk knows whose images they are, and the reader does not."""
    with desk.reading() as reader:
        row = reader.rows.get(READS, (number,))
        if row is None or row["reader"] != who.actor:
            return Outcome(accepted=False, problems=(problem("imaging.read-unknown", "read"),))
        subject = str(row["subject"])
        study, order = _order_of(desk, reader, subject, number)
    procedure = study.imaging.procedure(order.procedure) if order is not None else None
    form = procedure.form if procedure is not None else ""
    done = desk.submit(who, ScoreReading(subject, number, form, items), key=key)
    return Outcome(accepted=done.accepted, problems=done.problems, at=done.at, replayed=done.replayed)


def _order_of(desk: Desk, reader: Reader, subject: str, number: str) -> tuple[Study, Order | None]:
    now = desk.standing_light(reader, subject)
    found = read_of(now.case.imaging, number)
    return now.trial.study, found[0] if found is not None else None


def _item(study: Study, asked: Question, items: Mapping[str, Datum]) -> ReadItemView:
    return ReadItemView(
        asked.id, asked.label, asked.own.unit if asked.own is not None else None, options(study, asked),
        missing_options(asked), items.get(asked.id, Datum()),
    )  # fmt: skip

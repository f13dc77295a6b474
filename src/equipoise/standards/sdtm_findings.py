"""SDTM findings (RS, FT, QS, SC, …): one row for each item answered, and for each total that can be given.

The rules that must stay true: domains, categories and codes come from the scale's file or the item's own target,
never from here; an untestable item is a result (`UN`), not "not done"; a total stands only where it is official.
Source: CDISC SDTMIG 3.4, findings class and its rules for questionnaires, ratings and scales.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from equipoise.capture.quantified import shown_limit
from equipoise.instruments import Answer, Scale, ScaleItem, TotalScore, answer_problem, read_answer, score
from equipoise.ledger.entries import Datum
from equipoise.protocol.assessments import scale_of
from equipoise.protocol.forms import Form, Item, SdtmTarget
from equipoise.protocol.study import Study
from equipoise.standards.dataset import Column
from equipoise.standards.sdtm_casebook import Casebook, Held, Instance
from equipoise.standards.sdtm_conduct import epoch_of, visit_name, visit_number
from equipoise.standards.sdtm_imaging import CENTRAL, central_results
from equipoise.standards.sdtm_ranges import range_columns, range_rows
from equipoise.standards.sdtm_rows import LEDGER, NOTE, Row, reason_of, whole

_QUALIFIERS: Mapping[str, str] = {
    "LAT": "Laterality",
    "LOC": "Location of Measurement",
    "METHOD": "Method of Test",
    "POS": "Position of Subject",
    "CLSIG": "Clinically Significant, Collected",
    "EVALID": "Evaluator Identifier",
}
"""Labels of further variables of the findings class. Source: CDISC SDTM 2.0."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result before it is a row: codes, what was recorded, and the entry it rests on."""

    testcd: str
    test: str
    category: str | None
    seq: int
    value: str | None = None
    number: Decimal | None = None
    unit: str | None = None
    entered: tuple[str, str] | None = None  # the value and unit that the site wrote, where not the item's own
    reason: str | None = None
    note: str | None = None
    item: str | None = None


def finding_domains(study: Study) -> tuple[str, ...]:
    """Domains in which the study's forms make findings, in alphabetical order."""
    found = {domain for form in study.forms for domain in _domains_of(form)}
    return tuple(sorted(found))


def finding_columns(study: Study, domain: str) -> tuple[Column, ...]:
    """The columns of a findings domain in a study; units and further qualifiers only where a form has them."""
    forms = [form for form in study.forms if domain in _domains_of(form)]
    united = any(item.unit for form in forms for item in form.items if _is_test(item, domain))
    read = _read_centrally(study, domain)
    extras = {
        item.sdtm.variable: item
        for form in forms
        for item in form.items
        if (_qualifier(item, domain) or _describes(item, domain)) and item.sdtm
    }
    shown = [
        Column(name, _QUALIFIERS.get(name.removeprefix(domain), extras[name].label.en[:40]))
        for name in sorted(name for name in extras if name)
    ]
    if read and f"{domain}EVALID" not in extras:
        shown.append(Column(f"{domain}EVALID", _QUALIFIERS["EVALID"], key=6))
    units = ([Column(f"{domain}ORRESU", "Original Units")], [Column(f"{domain}STRESU", "Standard Units")])
    return (
        Column("STUDYID", "Study Identifier", key=1),
        Column("DOMAIN", "Domain Abbreviation"),
        Column("USUBJID", "Unique Subject Identifier", key=2),
        Column(f"{domain}SEQ", "Sequence Number", "integer"),
        Column(f"{domain}SPID", "Sponsor-Defined Identifier", key=5),
        Column(f"{domain}TESTCD", "Short Name of Measurement, Test or Exam", key=3),
        Column(f"{domain}TEST", "Name of Measurement, Test or Exam"),
        Column(f"{domain}CAT", "Category"),
        Column(f"{domain}ORRES", "Result or Finding in Original Units"),
        *(units[0] if united else ()),
        Column(f"{domain}STRESC", "Character Result/Finding in Std Format"),
        Column(f"{domain}STRESN", "Numeric Result/Finding in Standard Units", "integer"),
        *(units[1] if united else ()),
        *range_columns(study, domain),
        Column(f"{domain}STAT", "Completion Status"),
        Column(f"{domain}REASND", "Reason Not Done"),
        *shown,
        Column(f"{domain}EVAL", "Evaluator"),
        Column("VISITNUM", "Visit Number", "integer", key=4),
        Column("VISIT", "Visit Name"),
        Column("VISITDY", "Planned Study Day of Visit", "integer"),
        Column("EPOCH", "Epoch"),
        Column(f"{domain}DTC", "Date/Time of Assessment"),
        Column(f"{domain}EVLINT", "Evaluation Interval"),
        NOTE,
        LEDGER,
    )


def finding_rows(book: Casebook, domain: str) -> Iterator[Row]:
    """The rows of a subject in a findings domain: by visit, form, repeat; a scale's items, then its totals.

    Then forms that were not done at all, then what central reads concluded.
    """
    yield from _answered(book, domain)
    yield from _not_done(book, domain)
    yield from _central(book, domain)


def _answered(book: Casebook, domain: str) -> Iterator[Row]:
    for instance in book.instances:
        scale = scale_of(instance.form)
        findings: list[Finding] = []
        if scale is not None and _scale_domain(instance.form, scale) == domain:
            findings += _of_scale(instance, scale)
        findings += _own_tests(instance, domain)
        if not findings:
            continue
        shared, ranges = _shared(book, instance, domain), range_rows(book, instance, domain)
        for finding in findings:
            beside = _beside(instance, domain, finding.item) | ranges.get(finding.item or "", {})
            yield {**shared, **_row(finding, domain), **beside, "EQLEDGER": book.reference(finding.seq)}


def _not_done(book: Casebook, domain: str) -> Iterator[Row]:
    """One row for a form that was not done: a test that stands for all of them (SDTMIG 3.4, tests not done)."""
    for place, held in book.capture.forms.items():
        if held.omitted is None:
            continue
        form = book.study.form(place.form)
        if form is None or domain not in _domains_of(form) or place in book.capture.voided:
            continue
        scale = scale_of(form)
        category = scale.category if scale is not None else None
        finding = Finding(
            f"{domain}ALL",
            form.label.en[:40],
            category,
            held.seq,
            reason=held.omitted.missing,
            note=held.omitted.reason or None,
        )
        shared = _shared(book, Instance(place.visit, form, place.repeat, {}), domain)
        yield {**shared, **_row(finding, domain), "EQLEDGER": book.reference(held.seq)}


def _central(book: Casebook, domain: str) -> Iterator[Row]:
    """Central results that the form does not hold: the desk writes them into the form where the form takes them."""
    for one in central_results(book):
        if one.held:
            continue
        target, form = one.item.sdtm, next(form for form in book.study.forms if one.item in form.items)
        if target is None or target.testcd is None or target.domain != domain:
            continue
        finding = _of_item(one.item, target, target.testcd, Held(one.datum, one.seq))
        note = "Decided by a third reader" if one.adjudicated else None
        yield {
            **_shared(book, Instance(one.visit, form, 1, {}), domain),
            **_row(finding, domain),
            f"{domain}EVALID": CENTRAL,
            f"{domain}DTC": one.on,
            "EQNOTE": note,
            "EQLEDGER": book.reference(one.seq),
        }


def _read_centrally(study: Study, domain: str) -> bool:
    """Whether two readers score something that is a result of that domain."""
    for procedure in study.imaging.procedures:
        form = study.form(procedure.form)
        for rule in procedure.read:
            item = form.item(rule.item) if form is not None else None
            if item is not None and _is_test(item, domain) and item.blinding == "open":
                return True
    return False


def _beside(instance: Instance, domain: str, item: str | None) -> Row:
    """What further items say of one item's row: whether the value is significant."""
    return {
        each.sdtm.variable: instance.values[each.id].datum.value
        for each in instance.form.items
        if item is not None and _describes(each, domain) and each.sdtm and each.sdtm.of == item
        if each.sdtm.variable and each.id in instance.values
    }


def _domains_of(form: Form) -> set[str]:
    scale = scale_of(form)
    own = {
        item.sdtm.domain for item in form.items if item.sdtm and item.sdtm.testcd and item.blinding == "open"
    }
    own |= {
        one.sdtm.domain for one in form.derivations if one.sdtm and one.sdtm.testcd and one.blinding == "open"
    }
    return own | ({_scale_domain(form, scale)} if scale is not None else set())


def _scale_domain(form: Form, scale: Scale) -> str:
    return form.domain or scale.sdtm_domain


def _is_test(item: Item, domain: str) -> bool:
    return item.sdtm is not None and item.sdtm.domain == domain and item.sdtm.testcd is not None


def _qualifier(item: Item, domain: str) -> bool:
    target = item.sdtm
    return (
        target is not None
        and target.domain == domain
        and target.testcd is None
        and target.of is None
        and target.variable is not None
        and target.variable not in (f"{domain}DTC", "--DTC")
        and item.blinding == "open"
    )


def _describes(item: Item, domain: str) -> bool:
    """Whether an item is about the row of another."""
    target = item.sdtm
    return (
        target is not None and target.of is not None and target.domain == domain and item.blinding == "open"
    )


def _own_tests(instance: Instance, domain: str) -> Iterator[Finding]:
    for item in instance.form.items:
        target, held = item.sdtm, instance.values.get(item.id)
        if held is not None and target is not None and target.domain == domain and target.testcd is not None:
            yield _of_item(item, target, target.testcd, held)
    for one in instance.form.derivations:
        target, held = one.sdtm, instance.derived.get(one.id)
        if (
            held is not None
            and target is not None
            and target.testcd is not None
            and target.domain == domain
            and one.blinding == "open"
        ):
            number = _number(held.datum.value)
            test = target.test or one.label.en[:40]
            yield Finding(target.testcd, test, target.category, held.seq, held.datum.value, number, one.unit)


def _of_item(item: Item, target: SdtmTarget, testcd: str, held: Held) -> Finding:
    datum = held.datum
    said = shown_limit(datum)
    if said is not None:  # LBORRES and LBSTRESC are "<0.5" or ">500", without a number (SDTM IG 3.4, LB)
        datum = Datum(said, entered=datum.entered, unit=datum.unit)
    return Finding(
        testcd=testcd,
        test=target.test or item.label.en[:40],
        category=target.category,
        seq=held.seq,
        value=datum.value,
        number=_number(datum.value) if item.type in ("integer", "decimal") and held.datum.value else None,
        unit=item.unit,
        entered=(datum.entered, datum.unit) if datum.entered and datum.unit else None,
        reason=datum.missing,
        note=datum.why,
        item=item.id,
    )


def _of_scale(instance: Instance, scale: Scale) -> list[Finding]:
    answers: dict[str, Answer] = {}
    findings = []
    for item in scale.items:
        held = instance.values.get(item.id)
        if held is None:
            continue
        answer = _answer(item, held)
        if answer is not None:
            answers[item.id] = answer
        findings.append(_of_scale_item(scale, item, held, answer))
    codes = {item.testcd for item in scale.items}
    seqs = {item: held.seq for item, held in instance.values.items()}
    for total in score(scale, answers).values():
        # A total with the code of an item is that item (scales of one item): one observation, one row.
        if total.official is not None and total.total.testcd not in codes:
            findings.append(_of_total(scale, total, total.official, seqs))
    return findings


def _answer(item: ScaleItem, held: Held) -> Answer | None:
    try:
        answer = read_answer(held.datum.value, held.datum.missing)
    except ValueError:
        return None
    return None if answer is None or answer_problem(item, answer, explained=True) else answer


def _of_scale_item(scale: Scale, item: ScaleItem, held: Held, answer: Answer | None) -> Finding:
    untestable = item.untestable is not None and answer == item.untestable.code
    return Finding(
        testcd=item.testcd,
        test=item.test,
        category=scale.category,
        seq=held.seq,
        value=held.datum.missing if untestable else held.datum.value,
        number=Decimal(answer) if isinstance(answer, int) else None,
        reason=None if untestable else held.datum.missing,
        note=held.datum.why,
    )


def _of_total(scale: Scale, found: TotalScore, official: Decimal, seqs: Mapping[str, int]) -> Finding:
    notes = []
    if found.untestable:
        notes.append(f"Untestable: {', '.join(found.untestable)}")
    if found.closed:
        notes.append(f"Not counted, the items before are not full: {', '.join(found.closed)}")
    return Finding(
        testcd=found.total.testcd,
        test=found.total.test,
        category=scale.category,
        seq=max(seqs[item] for item in found.total.items if item in seqs),
        value=str(whole(official)),
        number=official,
        note="; ".join(notes) or None,
    )


def _number(value: str | None) -> Decimal | None:
    try:
        return None if value is None else Decimal(value)
    except InvalidOperation:
        return None


def _row(finding: Finding, domain: str) -> Row:
    done = finding.reason is None
    original, original_unit = finding.entered or (finding.value, finding.unit)
    return {
        f"{domain}TESTCD": finding.testcd,
        f"{domain}TEST": finding.test,
        f"{domain}CAT": finding.category,
        f"{domain}ORRES": original,
        f"{domain}ORRESU": original_unit if done else None,
        f"{domain}STRESC": finding.value,
        f"{domain}STRESN": None if finding.number is None else whole(finding.number),
        f"{domain}STRESU": finding.unit if done else None,
        f"{domain}STAT": None if done else "NOT DONE",
        f"{domain}REASND": None if finding.reason is None else reason_of(finding.reason),
        "EQNOTE": finding.note,
    }


def _shared(book: Casebook, instance: Instance, domain: str) -> Row:
    """What all rows of one form instance have in common."""
    visit = book.study.visit(instance.visit)
    scale = scale_of(instance.form)
    return {
        "USUBJID": book.usubjid,
        f"{domain}SPID": instance.form.id
        if instance.repeat == 1
        else f"{instance.form.id}-{instance.repeat}",
        f"{domain}EVAL": instance.form.evaluator,
        "VISITNUM": visit_number(book.study, instance.visit, instance.repeat),
        "VISIT": visit_name(book.study, instance.visit),
        "VISITDY": visit.day if visit else None,
        "EPOCH": epoch_of(book.study, instance.visit),
        f"{domain}DTC": _date(book, instance, domain),
        f"{domain}EVLINT": scale.evaluation_interval if scale else None,
        **_extras(instance, domain),
    }


def _extras(instance: Instance, domain: str) -> Row:
    return {
        item.sdtm.variable: instance.values[item.id].datum.value
        for item in instance.form.items
        if _qualifier(item, domain) and item.id in instance.values and item.sdtm and item.sdtm.variable
    }


def _date(book: Casebook, instance: Instance, domain: str) -> str | None:
    """--DTC from the form's own date and time items; from the visit's date where the form has none of its own."""
    dated = [
        item for item in instance.form.items if item.sdtm and item.sdtm.variable in (f"{domain}DTC", "--DTC")
    ]
    dated = [item for item in dated if item.sdtm and item.sdtm.domain == domain]
    if (
        not dated
    ):  # a form of another domain dates all of its rows: an antibody by the day of the laboratory sample
        own = (f"{instance.form.domain}DTC", "--DTC")
        dated = [item for item in instance.form.items if item.sdtm and item.sdtm.variable in own]
    if not dated:
        dates = book.capture.dates
        visited = dates.get((instance.visit, instance.repeat)) or dates.get((instance.visit, 1))
        return visited.on if visited else None
    day = _first_value(instance, [item for item in dated if item.type == "date"])
    time = _first_value(instance, [item for item in dated if item.type == "time"])
    return f"{day}T{time}" if day and time and len(day) == len("2026-01-01") else day


def _first_value(instance: Instance, items: Sequence[Item]) -> str | None:
    held = [instance.values[item.id].datum.value for item in items if item.id in instance.values]
    return next((value for value in held if value is not None), None)

"""SDTM events and interventions (MH, AE, CM, PR, SU, DX, EC, …): one row for each thing that happened or was given.

The rules that must stay true: what a row is about, and its variables, come from the items' own targets, never from
here; a row entered in error and a revealing item are nowhere; a question asked by name is answered `Y` or `N`, or says
why it was not. Variables that SDTM does not know stand as columns of their own until the form of supplemental
qualifiers is settled (SDTM 3.0 replaces SUPP-- by NS--). Source: CDISC SDTMIG 3.4, events and interventions classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from equipoise.protocol.exposure import EXPOSURE
from equipoise.protocol.forms import Item
from equipoise.protocol.study import Study
from equipoise.standards.dataset import Column
from equipoise.standards.sdtm_casebook import Casebook, Held, Instance
from equipoise.standards.sdtm_imaging import IMAGING_VARIABLES, PROCEDURES, images_anything, imaging_rows
from equipoise.standards.sdtm_rows import LEDGER, Row, reason_of

TOPICS: Mapping[str, str] = {
    **dict.fromkeys(("AE", "CE", "HO", "MH"), "TERM"),
    **dict.fromkeys(("CM", "DX", "EC", "EX", "ML", "PR", "SU"), "TRT"),
}
"""Domain -> the fragment of the variable that names what a row is about."""
_LABELS: Mapping[str, str] = {
    "STDTC": "Start Date/Time", "ENDTC": "End Date/Time", "ENRTPT": "End Relative to Reference Time Point",
    "OCCUR": "Occurrence", "PRESP": "Pre-Specified", "BODSYS": "Body System or Organ Class", "LAT": "Laterality",
    "TOXGR": "Standard Toxicity Grade", "SER": "Serious Event", "REL": "Causality",
    "ACN": "Action Taken with Treatment", "OUT": "Outcome of Event", "CONTRT": "Concomitant or Additional Trtmnt Given",
    "SDTH": "Results in Death",
    "SLIFE": "Is Life Threatening", "SHOSP": "Requires or Prolongs Hospitalization", "SCAT": "Subcategory",
    "SDISAB": "Persist or Signif Disability/Incapacity", "SCONG": "Congenital Anomaly or Birth Defect",
    "SMIE": "Other Medically Important Serious Event", "INDC": "Indication", "DOSE": "Dose", "DOSU": "Dose Units",
    "DOSFRM": "Dose Form", "DOSFRQ": "Dosing Frequency per Interval", "ROUTE": "Route of Administration",
    "REASOC": "Reason for Occur Value", "REFID": "Reference ID", "LOC": "Location", "ADJ": "Reason for Dose Adjustment",
}  # fmt: skip
"""Labels of variables of these classes by fragment. Source: CDISC SDTM 2.0."""
_ONGOING = "ENRTPT"


@dataclass(slots=True)
class Group:
    """The answers of one row before it is one."""

    term: str | None
    category: str | None = None
    held: list[tuple[Item, str, Held]] = field(default_factory=list)


def event_domains(study: Study) -> tuple[str, ...]:
    """Domains in which the study's forms make events or interventions, in alphabetical order."""
    found = {item.sdtm.domain for form in study.forms for item in form.items if item.sdtm and _mine(item)}
    imaged = {PROCEDURES} if images_anything(study) else set()
    dosed = {EXPOSURE} if study.supply.doses else set()
    return tuple(sorted(found & TOPICS.keys() | imaged | dosed))


def event_columns(study: Study, domain: str) -> tuple[Column, ...]:
    """The columns of a domain in a study: identifiers, topic, then every variable that a form aims at, by name."""
    items = [item for form in study.forms for item in form.items if _mine(item, domain)]
    topic = f"{domain}{TOPICS[domain]}"
    imaged = IMAGING_VARIABLES if domain == PROCEDURES and images_anything(study) else ()
    named = {name: _LABELS[name.removeprefix(domain)] for name in imaged} | {
        item.sdtm.variable: _label(domain, item.sdtm.variable, item)
        for item in items
        if item.sdtm and item.sdtm.variable and item.sdtm.variable != topic
    }
    asked = any(variable == f"{domain}OCCUR" for variable in named)
    marked = any(variable == f"{domain}{_ONGOING}" for variable in named)
    own = [Column(name, label) for name, label in sorted(named.items())]
    return (
        Column("STUDYID", "Study Identifier", key=1),
        Column("DOMAIN", "Domain Abbreviation"),
        Column("USUBJID", "Unique Subject Identifier", key=2),
        Column(f"{domain}SEQ", "Sequence Number", "integer"),
        Column(f"{domain}SPID", "Sponsor-Defined Identifier", key=4),
        Column(topic, "Reported Term" if TOPICS[domain] == "TERM" else "Reported Name", key=3),
        Column(f"{domain}CAT", "Category"),
        *((Column(f"{domain}PRESP", _LABELS["PRESP"]),) if asked else ()),
        *own,
        *((Column(f"{domain}ENTPT", "End Reference Time Point"),) if marked else ()),
        Column(f"{domain}STAT", "Completion Status"),
        Column(f"{domain}REASND", "Reason Not Done"),
        LEDGER,
    )


def event_rows(book: Casebook, domain: str) -> Iterator[Row]:
    """The rows of a subject in a domain: by visit, form, repeat, each in the order of its items.

    Then what is asked by name on forms that were not done at all, then imaging, among procedures.
    """
    for instance in book.instances:
        for group in groups(instance, domain):
            row = event_row(book, instance, group, domain)
            if row is not None:
                yield row
    yield from _not_done(book, domain)
    if domain == PROCEDURES:
        yield from imaging_rows(book)


def _not_done(book: Casebook, domain: str) -> Iterator[Row]:
    """A row for each thing asked by name on a form that was not done: that nobody asked (SDTMIG 3.4, --STAT)."""
    for place, held in book.capture.forms.items():
        if held.omitted is None:
            continue
        form = book.study.form(place.form)
        if form is None or place in book.capture.voided:
            continue
        for item in form.items:
            target = item.sdtm
            if (
                target is None
                or target.test is None
                or target.variable != f"{domain}OCCUR"
                or not _mine(item, domain)
            ):
                continue
            yield {
                "USUBJID": book.usubjid,
                f"{domain}SPID": _place(Instance(place.visit, form, place.repeat, {})),
                f"{domain}{TOPICS[domain]}": target.test,
                f"{domain}CAT": target.category,
                f"{domain}PRESP": "Y",
                f"{domain}STAT": "NOT DONE",
                f"{domain}REASND": reason_of(held.omitted.missing),
                "EQLEDGER": book.reference(held.seq),
            }


def _mine(item: Item, domain: str | None = None) -> bool:
    target = item.sdtm
    return (
        target is not None
        and target.testcd is None
        and target.variable is not None
        and item.blinding == "open"
        and target.domain in TOPICS
        and domain in {None, target.domain}
    )


def _label(domain: str, name: str, item: Item) -> str:
    return _LABELS.get(name.removeprefix(domain), item.label.en[:40])


def groups(instance: Instance, domain: str) -> list[Group]:
    """The answers of a form by the row that they belong to: one for each term asked by name, one for the form's own."""
    groups: dict[str | None, Group] = {}
    for item in instance.form.items:
        target, held = item.sdtm, instance.values.get(item.id)
        if held is None or target is None or target.variable is None or not _mine(item, domain):
            continue
        group = groups.setdefault(target.test, Group(target.test))
        group.category = group.category or target.category
        group.held.append((item, target.variable, held))
    return list(groups.values())


def event_row(book: Casebook, instance: Instance, group: Group, domain: str) -> Row | None:
    """The row of one group of answers; None where it names nothing that happened."""
    topic = f"{domain}{TOPICS[domain]}"
    row: Row = {"USUBJID": book.usubjid, f"{domain}SPID": _place(instance), topic: group.term}
    row[f"{domain}CAT"] = group.category
    times: dict[str, str] = {}
    for item, variable, held in group.held:
        text = held.datum.value
        if item.type == "time":
            times[variable] = text or ""
        elif variable == f"{domain}{_ONGOING}":
            row |= _ongoing(book, domain, held)
        elif text is not None:
            row[variable] = text
        elif variable == f"{domain}OCCUR" and held.datum.missing is not None:
            row |= {f"{domain}STAT": "NOT DONE", f"{domain}REASND": reason_of(held.datum.missing)}
    for variable, text in times.items():
        day = row.get(variable)
        if text and isinstance(day, str) and len(day) == len("2026-01-01"):
            row[variable] = f"{day}T{text}"
        elif text and variable not in row and not variable.endswith("DTC"):
            row[variable] = text
    if group.term is not None and any(variable == f"{domain}OCCUR" for _, variable, _ in group.held):
        row[f"{domain}PRESP"] = "Y"
    if not row.get(topic):
        return None
    return {**row, "EQLEDGER": book.reference(max(held.seq for _, _, held in group.held))}


def _ongoing(book: Casebook, domain: str, held: Held) -> Row:
    """--ENRTPT: what goes on was going on at the day on which somebody said so."""
    if held.datum.value != "Y":
        return {}
    said = next((book.day(one) for one in book.entries if one.header.seq == held.seq), None)
    return {f"{domain}{_ONGOING}": "ONGOING", f"{domain}ENTPT": said}


def _place(instance: Instance) -> str:
    """The form, with the row or repetition where it has several."""
    if instance.form.log is not None or instance.repeat != 1:
        return f"{instance.form.id}-{instance.repeat}"
    return f"{instance.form.id}-{instance.visit}"

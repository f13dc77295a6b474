"""All analysis datasets of a study at a cut, in the order in which one rests on another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from equipoise.analysis.arms import Arms
from equipoise.analysis.datasets.happened import events, exposure, times
from equipoise.analysis.datasets.measured import measured
from equipoise.analysis.datasets.subjects import (
    adsl,
    subjects,
    with_bands,
    with_days,
    with_measured,
    with_sets,
)
from equipoise.analysis.datasets.table import LEDGER, SUBJECT, Cell, Table, by_subject, joined
from equipoise.protocol.analysis import Condition
from equipoise.protocol.study import Study

MEASURED: Mapping[str, str] = {
    "ADQS": "Scales Analysis Dataset",
    "ADLB": "Laboratory Analysis Dataset",
    "ADVS": "Vital Signs Analysis Dataset",
    "ADIM": "Imaging Analysis Dataset",
}

GIVEN = (Condition(variable="ECOCCUR", values=("Y",)),)
"""A row of EC that is a dose which began."""


def plain_tables(columns: Mapping[str, Mapping[str, tuple[Cell, ...]]]) -> Mapping[str, Table]:
    """SDTM-shaped tables out of plain columns, by domain."""
    return {name: Table(name, name, held) for name, held in columns.items()}


def derive(study: Study, tables: Mapping[str, Table], arms: Arms, until: dt.date) -> Mapping[str, Table]:
    """ADSL, ADQS, ADLB, ADVS, ADIM, ADAE, ADEX and ADTTE; each present even without rows.

    tables: SDTM by domain, and EQRD, EQDO, EQCB (standards.assigned). until: the day of the cut.
    """
    plan = study.analysis
    doses = _doses(tables)
    found = subjects(study, {**tables, "EC": doses}, arms)
    days = {
        key: (min(str(row["ECSTDTC"])[:10] for row in rows), max(str(row["ECSTDTC"])[:10] for row in rows))
        for key, rows in by_subject(doses).items()
    }
    with_days(found, doses, arms, days)
    known = {**tables, "EC": doses}
    people = [one.row for one in found]
    datasets = {name: measured(name, label, plan, known, people, until) for name, label in MEASURED.items()}
    with_measured(found, plan, datasets)
    with_bands(found, plan)
    with_sets(found, plan.sets)
    happened = events(plan, known, people)
    last = {
        str(row[SUBJECT]): max(str(row["ADT"]) for row in rows)
        for table in (datasets["ADQS"],)
        for rows in by_subject(table).values()
        for row in rows
        if row["ADT"]
    }
    return {
        "ADSL": adsl(study, found),
        **datasets,
        "ADAE": happened,
        "ADEX": exposure(known, people),
        "ADTTE": times(plan, happened, people, last, until),
    }


def _doses(tables: Mapping[str, Table]) -> Table:
    """The rows of EC that are doses which began, each with the entries of its beginning and end."""
    doses = tables["EC"].where(GIVEN) if "EC" in tables else Table("EC", "EC", {SUBJECT: (), "ECSPID": ()})
    entries = {(row[SUBJECT], row["DOSE"]): row[LEDGER] for row in tables["EQDO"].records()}
    named = tuple(
        joined(entries.get((row[SUBJECT], row["ECSPID"])), row.get(LEDGER)) for row in doses.records()
    )
    return Table(doses.name, doses.label, {**doses.columns, LEDGER: named}, doses.labels)

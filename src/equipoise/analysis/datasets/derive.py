"""All analysis datasets of a study at a cut, in the order in which one rests on another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from equipoise.analysis.arms import Arms
from equipoise.analysis.datasets.happened import events, exposure, times
from equipoise.analysis.datasets.measured import measured
from equipoise.analysis.datasets.subjects import adsl, subjects, with_days, with_measured, with_sets
from equipoise.analysis.datasets.table import SUBJECT, Cell, Table, by_subject
from equipoise.protocol.study import Study

MEASURED: Mapping[str, str] = {
    "ADQS": "Scales Analysis Dataset",
    "ADLB": "Laboratory Analysis Dataset",
    "ADVS": "Vital Signs Analysis Dataset",
    "ADIM": "Imaging Analysis Dataset",
}


def plain_tables(columns: Mapping[str, Mapping[str, tuple[Cell, ...]]]) -> Mapping[str, Table]:
    """SDTM-shaped tables out of plain columns, by domain."""
    return {name: Table(name, name, held) for name, held in columns.items()}


def derive(study: Study, tables: Mapping[str, Table], arms: Arms, until: dt.date) -> Mapping[str, Table]:
    """ADSL, ADQS, ADLB, ADVS, ADIM, ADAE, ADEX and ADTTE; each present even without rows.

    tables: SDTM by domain, and EQRD, EQDO, EQCB (standards.assigned). until: the day of the cut.
    """
    plan = study.analysis
    doses = _site_days(study, tables)
    found = subjects(study, {**tables, "EQDO": doses}, arms)
    days = {
        key: (min(str(row["STDTC"])[:10] for row in rows), max(str(row["STDTC"])[:10] for row in rows))
        for key, rows in by_subject(doses).items()
    }
    with_days(found, doses, arms, days)
    known = {**tables, "EQDO": doses}
    people = [one.row for one in found]
    datasets = {name: measured(name, label, plan, known, people, until) for name, label in MEASURED.items()}
    with_measured(found, plan, datasets)
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


def _site_days(study: Study, tables: Mapping[str, Table]) -> Table:
    """The doses with their moments on the clock of the subject's site: a day of infusion is the site's."""
    doses = tables["EQDO"]
    sites = dict(zip(tables["DM"].column(SUBJECT), tables["DM"].column("SITEID"), strict=True))
    columns = dict(doses.columns)
    for name in ("STDTC", "ENDTC"):
        columns[name] = tuple(
            _local(cell, study.zone_of(str(sites.get(subject))))
            for cell, subject in zip(doses.column(name), doses.column(SUBJECT), strict=True)
        )
    return Table(doses.name, doses.label, columns, doses.labels, doses.sources)


def _local(cell: Cell, zone: str) -> str | None:
    if not cell:
        return None
    moment = dt.datetime.fromisoformat(str(cell))
    return (moment.astimezone(ZoneInfo(zone)) if moment.tzinfo else moment).replace(tzinfo=None).isoformat()

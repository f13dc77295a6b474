"""ADAE, ADEX, ADTTE and the listings' tables: what happened, and when first.

The rules that must stay true: an event is treatment-emergent where it began, or may have begun, on the day of the first
infusion or later; without a licensed dictionary a term stands as it was reported and no class is made up; who has no
event is censored on the last day of which something is known, and never later than the cut. Source: CDISC ADaMIG 1.3,
occurrence data and time-to-event.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from equipoise.analysis.datasets.dates import day_of, may_be_since, minutes_between, study_day
from equipoise.analysis.datasets.table import (
    LEDGER,
    SUBJECT,
    Cell,
    Record,
    Table,
    by_subject,
    joined,
    meets,
    number,
    table_of,
)
from equipoise.protocol.analysis import AnalysisPlan

NOT_CODED = "NOT CODED"
_PERSON: Mapping[str, str] = {
    "STUDYID": "Study Identifier",
    "USUBJID": "Unique Subject Identifier",
    "SITEID": "Study Site Identifier",
    "TRTP": "Planned Treatment",
    "TRTA": "Actual Treatment",
}
ADAE: Mapping[str, str] = {
    **_PERSON,
    "AESEQ": "Sequence Number",
    "AETERM": "Reported Term for the Adverse Event",
    "AEDECOD": "Dictionary-Derived Term",
    "AEBODSYS": "Body System or Organ Class",
    "ASTDT": "Analysis Start Date",
    "ASTDY": "Analysis Start Relative Day",
    "AENDT": "Analysis End Date",
    "TRTEMFL": "Treatment Emergent Analysis Flag",
    "AETOXGR": "Standard Toxicity Grade",
    "ATOXGRN": "Analysis Toxicity Grade (N)",
    "AESER": "Serious Event",
    "AEREL": "Causality",
    "RELFL": "Related Flag",
    "AESI": "Event of Special Interest",
    "AEACN": "Action Taken with Study Treatment",
    "AEOUT": "Outcome of Adverse Event",
    "AESDTH": "Results in Death",
    "INF24FL": "Within a Day of an Infusion Flag",
    LEDGER: "Ledger Entry the Row Came From",
}
ADEX: Mapping[str, str] = {
    **_PERSON,
    "DOSE": "Planned Dose",
    "BAG": "Number of the Bag",
    "ASTDT": "Analysis Start Date",
    "ASTDY": "Analysis Start Relative Day",
    "STDTC": "Start of the Infusion",
    "ENDTC": "End of the Infusion",
    "EXDURM": "Minutes from Start to End",
    "OUTCOME": "Outcome",
    "SHARE": "Share Given (%)",
    "EXVOL": "Volume Given (mL)",
    "REASON": "Reason Not Complete",
    "LOT": "Lot Number",
    "CELLS": "Viable Cells Given (Millions)",
    "VIAB": "Viability after Thawing (%)",
    "THAWMIN": "Minutes from Thaw to End",
    LEDGER: "Ledger Entry the Row Came From",
}
ADTTE: Mapping[str, str] = {
    **_PERSON,
    "PARAMCD": "Parameter Code",
    "PARAM": "Parameter",
    "STARTDT": "Time-to-Event Origin Date",
    "ADT": "Analysis Date",
    "AVAL": "Analysis Value (days)",
    "CNSR": "Censor",
    "EVNTDESC": "Event or Censoring Description",
    LEDGER: "Ledger Entry the Row Came From",
}


def _person(row: Record) -> Record:
    return {
        "STUDYID": row["STUDYID"],
        SUBJECT: row[SUBJECT],
        "SITEID": row["SITEID"],
        "TRTP": row.get("TRT01P"),
        "TRTA": row.get("TRT01A"),
    }


def events(plan: AnalysisPlan, tables: Mapping[str, Table], people: Iterable[Record]) -> Table:
    """ADAE: every adverse event of everybody screened, in the order of AE."""
    known = {str(row[SUBJECT]): row for row in people}
    doses = by_subject(tables["EC"])
    rows = []
    for row in tables["AE"].records() if "AE" in tables else ():
        person = known[str(row[SUBJECT])]
        coded = row.get("AEDECOD")
        since = person.get("TRTSDT")
        days = {str(dose["ECSTDTC"])[:10] for dose in doses.get(str(row[SUBJECT]), [])}
        rows.append(
            {
                **_person(person),
                **{name: row.get(name) for name in ADAE if name in row},
                "AEDECOD": coded or row["AETERM"],
                "AEBODSYS": row.get("AEBODSYS") or NOT_CODED,
                "ASTDT": row.get("AESTDTC"),
                "ASTDY": study_day(row.get("AESTDTC"), person.get("REFDT")),
                "AENDT": row.get("AEENDTC"),
                "TRTEMFL": "Y" if may_be_since(row.get("AESTDTC"), since) else "N",
                "ATOXGRN": number(row.get("AETOXGR")),
                "RELFL": "Y" if row.get("AEREL") in plan.related else "N",
                "AESI": row.get("AESCAT"),
                "INF24FL": "Y" if _near(row.get("AESTDTC"), days) else "N",
            }
        )
    return table_of("ADAE", "Adverse Event Analysis Dataset", ADAE, rows)


def _near(cell: Cell, days: Iterable[str]) -> bool:
    """Whether something began on the day of an infusion or the day after."""
    began = day_of(cell)
    given = [day_of(day) for day in days]
    return began is not None and any(day is not None and 0 <= (began - day).days <= 1 for day in given)


def exposure(tables: Mapping[str, Table], people: Iterable[Record]) -> Table:
    """ADEX: every infusion that began; with what the bench knows of its bag where the tables hold it (EQPR)."""
    known = {str(row[SUBJECT]): row for row in people}
    bags = {(row[SUBJECT], row["BAG"]): row for row in tables["EQPR"].records()} if "EQPR" in tables else {}
    rows = []
    for row in tables["EC"].records():
        person = known[str(row[SUBJECT])]
        bag = bags.get((row[SUBJECT], row.get("ECREFID")), {})
        rows.append(
            {
                **_person(person),
                **_prepared(bag, row),
                "DOSE": row["ECSPID"],
                "BAG": row.get("ECREFID"),
                "ASTDT": str(row["ECSTDTC"])[:10],
                "ASTDY": study_day(row["ECSTDTC"], person.get("REFDT")),
                "STDTC": row["ECSTDTC"],
                "ENDTC": row.get("ECENDTC"),
                "EXDURM": number(row.get("ECMIN")),
                "OUTCOME": row.get("ECCOMPL"),
                "SHARE": number(row.get("ECSHARE")),
                "EXVOL": number(row.get("ECDOSE")),
                "REASON": row.get("ECADJ"),
                LEDGER: joined(row[LEDGER], bag[LEDGER]) if bag else row[LEDGER],
            }
        )
    return table_of("ADEX", "Exposure Analysis Dataset", ADEX, rows)


def _prepared(bag: Record, row: Record) -> Record:
    """What was in the bag, by the share of it that was given. Cells are counted in the bag; CELLS is in millions."""
    cells, share = number(bag.get("CELLS")), number(row.get("ECSHARE"))
    return {
        "LOT": bag.get("LOT"),
        "VIAB": number(bag.get("VIAB")),
        "CELLS": round(cells * share / 1e8, 3) if cells is not None and share is not None else None,
        "THAWMIN": minutes_between(bag.get("THAWDTC"), row.get("ECENDTC")),
    }


def times(
    plan: AnalysisPlan, adae: Table, people: Sequence[Record], last: Mapping[str, str], until: dt.date
) -> Table:
    """ADTTE: everybody dosed, for each parameter. last: USUBJID -> last day (ISO) of which something is known."""
    happened = by_subject(adae)
    rows = []
    for asked in plan.times:
        for person in people:
            start = day_of(person.get("TRTSDT"))
            if start is None:
                continue
            found: list[tuple[dt.date, str, Cell]] = []
            died = day_of(person.get("DTHDT"))
            if asked.death and died is not None:
                found.append((died, "DEATH", person[LEDGER]))
            for event in happened.get(str(person[SUBJECT]), []) if asked.events else []:
                began = day_of(event["ASTDT"])
                if began is not None and began >= start and meets(event, asked.events):
                    found.append((began, str(event["AEDECOD"]), event[LEDGER]))
            end = min(
                died or until,
                day_of(person.get("EOSDT")) or day_of(last.get(str(person[SUBJECT]))) or start,
                until,
            )
            day, why, reference = (
                min(found, key=lambda one: one[0]) if found else (max(end, start), "CENSORED", person[LEDGER])
            )
            rows.append(
                {
                    **_person(person),
                    "PARAMCD": asked.id,
                    "PARAM": asked.label.en,
                    "STARTDT": start.isoformat(),
                    "ADT": day.isoformat(),
                    "AVAL": (day - start).days + 1,
                    "CNSR": 0 if found else 1,
                    "EVNTDESC": why,
                    LEDGER: reference,
                }
            )
    return table_of("ADTTE", "Time-to-Event Analysis Dataset", ADTTE, rows)

"""ADQS, ADLB and their like: one row for each value of a parameter, with baseline, change and analysis visit.

The rules that must stay true: baseline is the last value up to the day of the first dose (day 1), or, of somebody who
was never dosed, up to so many days after randomization as the plan says; of several values in one window the one
nearest to the target day is analysed, the earlier of two as near; a value set for death is marked (`DTYPE` DEATH) and
never taken for one that was seen; a value below quantification ("<0.5") has its limit in `LLOQ` and no number, and
counts as a value of a parameter that is analysed on the log scale alone.
Source: CDISC ADaMIG 1.3, basic data structure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

from equipoise.analysis.datasets.dates import day_of, study_day
from equipoise.analysis.datasets.table import (
    LEDGER,
    SUBJECT,
    Cell,
    Record,
    Table,
    by_subject,
    joined,
    number,
    table_of,
)
from equipoise.protocol.analysis import AnalysisParameter, AnalysisPlan, AnalysisWindow

BASELINE = "BASELINE"
LABELS: Mapping[str, str] = {
    "STUDYID": "Study Identifier",
    "USUBJID": "Unique Subject Identifier",
    "SITEID": "Study Site Identifier",
    "TRTP": "Planned Treatment",
    "TRTA": "Actual Treatment",
    "PARAMCD": "Parameter Code",
    "PARAM": "Parameter",
    "AVISIT": "Analysis Visit",
    "AVISITN": "Analysis Visit (N)",
    "VISIT": "Visit Name",
    "ADT": "Analysis Date",
    "ADY": "Analysis Relative Day",
    "AVAL": "Analysis Value",
    "AVALC": "Analysis Value (C)",
    "LLOQ": "Limit of Quantification Below Which AVAL Lies",
    "BASE": "Baseline Value",
    "BLLOQ": "Limit of Quantification Below Which BASE Lies",
    "CHG": "Change from Baseline",
    "ABLFL": "Baseline Record Flag",
    "ANL01FL": "Analysis Flag 01",
    "DTYPE": "Derivation Type",
    "ANRIND": "Analysis Reference Range Indicator",
    "ANRHI": "Analysis Normal Range Upper Limit",
    "BNRIND": "Baseline Reference Range Indicator",
    "EQBASE": "Ledger Entry of the Baseline",
    LEDGER: "Ledger Entry the Row Came From",
}


def measured(
    name: str,
    label: str,
    plan: AnalysisPlan,
    tables: Mapping[str, Table],
    adsl: Iterable[Record],
    until: dt.date,
) -> Table:
    """The dataset `name`: every parameter that the plan has for it, of everybody randomized. until: day of the cut."""
    people = [row for row in adsl if row.get("RANDNO")]
    wanted = [one for one in plan.parameters if one.dataset == name]
    by_domain = {
        domain: by_subject(tables[domain]) for domain in {one.domain for one in wanted} if domain in tables
    }
    rows: list[Record] = []
    for person in people:
        for parameter in wanted:
            mine = by_domain.get(parameter.domain, {}).get(str(person[SUBJECT]), [])
            rows += _of_parameter(plan, parameter, person, mine, until)
    return table_of(name, label, LABELS, rows)


def _of_parameter(
    plan: AnalysisPlan, parameter: AnalysisParameter, person: Record, mine: Sequence[Record], until: dt.date
) -> list[Record]:
    windows = plan.windows_of(parameter)
    rows = [_placed(row, parameter, person, windows) for row in _values(parameter, mine)]
    rows.sort(key=lambda row: (str(row["ADT"] or "9999"), str(row[LEDGER])))
    seen = [row for row in rows if row["AVAL"] is not None or (parameter.log and row["LLOQ"] is not None)]
    _flag_baseline(seen, 1 if person.get("TRTSDT") else 1 + plan.undosed_baseline_days)
    _flag_nearest(seen, windows)
    rows += _after_death(parameter, person, rows, windows, until)
    base = next((row for row in rows if row["ABLFL"] == "Y"), None)
    for row in rows:
        if base is None:
            continue
        row |= {"BASE": base["AVAL"], "BNRIND": base.get("ANRIND"), "EQBASE": base[LEDGER]}
        row["BLLOQ"] = base["LLOQ"]
        value, first = number(row["AVAL"]), number(base["AVAL"])
        if row["AVISIT"] not in (None, BASELINE) and value is not None and first is not None:
            row["CHG"] = value - first
    return rows


def _values(parameter: AnalysisParameter, mine: Sequence[Record]) -> Iterator[Record]:
    """A value for each time that the tests were made: of one test as it is, of several the sum where all are there."""
    d = parameter.domain
    groups: dict[tuple[str, str], list[Record]] = {}
    for row in mine:
        form = str(row.get(f"{d}SPID") or "")
        if (
            row.get(f"{d}TESTCD") in parameter.tests
            and (not parameter.categories or row.get(f"{d}CAT") in parameter.categories)
            and (not parameter.forms or form.split("-")[0] in parameter.forms)
        ):
            groups.setdefault((str(row.get("VISITNUM")), form), []).append(row)
    for rows in groups.values():
        values = [_number(parameter, row) for row in rows]
        codes = {row[f"{d}TESTCD"] for row in rows}
        whole = codes == set(parameter.tests) and None not in values
        if not whole and (len(parameter.tests) > 1 or rows[0].get(f"{d}STRESC") is None):
            continue
        last = rows[-1]
        total = (
            None
            if any(value is None for value in values)
            else sum(value for value in values if value is not None)
        )
        yield {
            "VISIT": last.get("VISIT"),
            "ADT": last.get(f"{d}DTC"),
            "AVAL": total,
            "AVALC": None if total is not None and not parameter.levels else last.get(f"{d}STRESC"),
            "LLOQ": None if total is not None else limit(last.get(f"{d}STRESC")),
            "ANRIND": last.get(f"{d}NRIND"),
            "ANRHI": number(last.get(f"{d}STNRHI")),
            LEDGER: joined(*(row[LEDGER] for row in rows)),
        }


def _number(parameter: AnalysisParameter, row: Record) -> float | None:
    """The number of a result: of one in classes the place of its class."""
    if not parameter.levels:
        return number(row.get(f"{parameter.domain}STRESN"))
    code = row.get(f"{parameter.domain}STRESC")
    return next((float(place) for place, level in enumerate(parameter.levels, 1) if level == code), None)


def limit(cell: Cell) -> float | None:
    """The number that a result is reported to lie below: 0.5 of "<0.5"; None where it is reported otherwise."""
    text = str(cell or "")
    return number(text[1:].strip()) if text.startswith("<") else None


def _placed(
    row: Record, parameter: AnalysisParameter, person: Record, windows: Sequence[AnalysisWindow]
) -> Record:
    day = study_day(row["ADT"], person.get("REFDT"))
    place = next(
        (at for at, one in enumerate(windows) if day is not None and one.days[0] <= day <= one.days[1]), None
    )
    return {
        "STUDYID": person["STUDYID"],
        SUBJECT: person[SUBJECT],
        "SITEID": person["SITEID"],
        "TRTP": person.get("TRT01P"),
        "TRTA": person.get("TRT01A"),
        "PARAMCD": parameter.id,
        "PARAM": parameter.label.en,
        "AVISIT": windows[place].id if place is not None else None,
        "AVISITN": windows[place].target if place is not None else None,
        "ADY": day,
        "ABLFL": None,
        "ANL01FL": None,
        "DTYPE": None,
        **row,
        "ADT": str(row["ADT"])[:10] if row["ADT"] else None,
    }


def _flag_baseline(rows: Sequence[Record], last: int) -> None:
    before = [row for row in rows if isinstance(row["ADY"], int) and row["ADY"] <= last]
    if before:
        before[-1] |= {"ABLFL": "Y", "ANL01FL": "Y", "AVISIT": BASELINE, "AVISITN": 0}


def _flag_nearest(rows: Sequence[Record], windows: Sequence[AnalysisWindow]) -> None:
    for window in windows:
        inside = [row for row in rows if row["AVISIT"] == window.id]
        if inside:
            nearest = min(inside, key=lambda row: (abs(_day(row["ADY"]) - window.target), _day(row["ADY"])))
            nearest["ANL01FL"] = "Y"


def _day(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0


def _after_death(
    parameter: AnalysisParameter,
    person: Record,
    rows: Sequence[Record],
    windows: Sequence[AnalysisWindow],
    until: dt.date,
) -> list[Record]:
    """The value that the estimand sets at each analysis visit after death, up to the cut."""
    died, first = study_day(person.get("DTHDT"), person.get("REFDT")), day_of(person.get("REFDT"))
    if parameter.after_death is None or died is None or first is None:
        return []
    seen = {row["AVISIT"] for row in rows if row["ANL01FL"] == "Y"}
    found = []
    for window in windows:
        target = first + dt.timedelta(days=window.target - 1)
        if window.id not in seen and window.target >= died and target <= until:
            row: Record = {
                "ADT": target.isoformat(),
                "AVAL": float(parameter.after_death),
                "LLOQ": None,
                LEDGER: person[LEDGER],
            }
            found.append({**_placed(row, parameter, person, windows), "ANL01FL": "Y", "DTYPE": "DEATH"})
    return found

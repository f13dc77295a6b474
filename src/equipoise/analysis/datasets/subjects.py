"""ADSL: one row for everybody who was screened, with what the other datasets and every denominator rest on.

The rules that must stay true: every value names the entries that it came from; an arm comes from `Arms` and from
nowhere else. Source: CDISC ADaMIG 1.3, ADSL; analysis sets by the study's plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from equipoise.analysis.arms import Arms
from equipoise.analysis.datasets.dates import day_of
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
from equipoise.protocol.analysis import AnalysisPlan, Band, SetRule
from equipoise.protocol.study import Study

LABELS: Mapping[str, str] = {
    "STUDYID": "Study Identifier",
    "USUBJID": "Unique Subject Identifier",
    "SUBJID": "Subject Identifier for the Study",
    "SITEID": "Study Site Identifier",
    "AGE": "Age",
    "AGEU": "Age Units",
    "SEX": "Sex",
    "RACE": "Race",
    "RFICDT": "Date of Informed Consent",
    "RANDNO": "Randomization Number",
    "RANDDT": "Date of Randomization",
    "STRATAR": "Strata Used for Randomization",
    "STRATAC": "Strata as Corrected",
    "TRT01P": "Planned Treatment for Period 01",
    "TRT01A": "Actual Treatment for Period 01",
    "TRTSDT": "Date of First Exposure to Treatment",
    "TRTEDT": "Date of Last Exposure to Treatment",
    "REFDT": "Date of Day 1",
    "DOSEN": "Infusions Begun",
    "DOSECN": "Infusions Completed",
    "EOSSTT": "End of Study Status",
    "DCSREAS": "Reason for Discontinuation from Study",
    "EOSDT": "End of Study Date",
    "SCRFREAS": "Reason of the Screening Failure",
    "DTHFL": "Subject Death Flag",
    "DTHDT": "Date of Death",
    "DEVIMPN": "Important Protocol Deviations",
}
"""Variables that every study has, with their labels. Source: ADaMIG 1.3 where it has them."""
_ENDED = "DISPOSITION EVENT"


@dataclass(slots=True)
class Subject:
    """One row on its way, and per variable the entries that it rests on."""

    row: Record
    sources: dict[str, str]

    def put(self, reference: Cell, **values: Cell) -> None:
        """Set variables that rest on other entries than the row's own."""
        for name, value in values.items():
            self.row[name] = value
            if reference and value is not None:
                self.sources[name] = joined(self.sources.get(name), reference)


def subjects(study: Study, tables: Mapping[str, Table], arms: Arms) -> list[Subject]:
    """Everybody screened, in the order of DM, without what is measured and without sets."""
    plan = study.analysis
    parts = {name: by_subject(tables[name]) for name in tables}
    found = []
    for dm in tables["DM"].records():
        key = str(dm[SUBJECT])
        one = Subject(
            {
                name: dm.get(name)
                for name in ("STUDYID", SUBJECT, "SUBJID", "SITEID", "AGE", "AGEU", "SEX", "RACE")
            },
            {},
        )
        one.row |= {
            LEDGER: dm[LEDGER],
            "RFICDT": dm.get("RFICDTC"),
            "DTHDT": dm.get("DTHDTC"),
            "DOSEN": 0,
            "DOSECN": 0,
            "DEVIMPN": 0,
        }
        mine = {name: rows.get(key, []) for name, rows in parts.items()}
        _assigned(one, plan, mine, arms)
        _dosed(one, mine.get("EC", []))
        _ended(one, mine.get("DS", []))
        for deviation in mine.get("DV", []):
            if deviation.get("EQIMPORT") == "Y":
                one.put(deviation[LEDGER], DEVIMPN=int(str(one.row["DEVIMPN"])) + 1)
        for variable in plan.subject_variables:
            row = next((row for row in mine.get(variable.domain, []) if meets(row, variable.where)), None)
            one.put(
                row.get(LEDGER) if row else None, **{variable.name: row.get(variable.value) if row else None}
            )
        _counted_days(one, plan)
        found.append(one)
    return found


def _assigned(one: Subject, plan: AnalysisPlan, mine: Mapping[str, Sequence[Record]], arms: Arms) -> None:
    key = str(one.row[SUBJECT])
    for row in mine.get("EQRD", []):
        one.put(
            row[LEDGER],
            RANDNO=row["RANDNO"],
            RANDDT=row["RANDDT"],
            STRATAR=row["STRATUM"],
            STRATAC=row["STRATUMC"],
        )
        for name, level in zip(plan.strata, str(row["STRATUM"]).split("/"), strict=False):
            one.put(row[LEDGER], **{name: level})
        one.put(row[LEDGER], TRT01P=arms.planned.get(key))


def _dosed(one: Subject, doses: Sequence[Record]) -> None:
    begun = sorted(doses, key=lambda row: str(row["ECSTDTC"]))
    for row in begun:
        one.put(row[LEDGER], DOSEN=int(str(one.row["DOSEN"])) + 1)
        if row["ECCOMPL"] == "COMPLETE":
            one.put(row[LEDGER], DOSECN=int(str(one.row["DOSECN"])) + 1)
    one.row["REFDT"] = one.row.get("RANDDT")


def with_days(
    found: Sequence[Subject], doses: Table, arms: Arms, days: Mapping[str, tuple[str, str]]
) -> None:
    """Set the dates of the first and last exposure. days: USUBJID -> (first, last) calendar day at the site."""
    references = {key: joined(*(row[LEDGER] for row in rows)) for key, rows in by_subject(doses).items()}
    for one in found:
        key = str(one.row[SUBJECT])
        if key in days:
            first, last = days[key]
            one.put(
                references.get(key),
                TRTSDT=first,
                TRTEDT=last,
                REFDT=first,
                TRT01A=arms.actual.get(key) or None,
            )


def _ended(one: Subject, rows: Sequence[Record]) -> None:
    ends = [row for row in rows if row.get("DSCAT") == _ENDED]
    failed = [row for row in ends if row["DSDECOD"] == "SCREEN FAILURE"]
    if failed:
        one.put(
            failed[-1][LEDGER],
            EOSSTT="SCREEN FAILURE",
            SCRFREAS=failed[-1]["DSTERM"],
            EOSDT=failed[-1]["DSSTDTC"],
        )
        return
    # A form says how participation ended; a withdrawal of consent ends it too where no form says more.
    if not ends:
        one.row["EOSSTT"] = "ONGOING" if one.row.get("RANDNO") else "IN SCREENING"
        return
    last = ends[-1]
    done = last["DSDECOD"] == "COMPLETED"
    one.put(last[LEDGER], EOSSTT="COMPLETED" if done else "DISCONTINUED", EOSDT=last["DSSTDTC"])
    if not done:
        one.put(last[LEDGER], DCSREAS=last["DSDECOD"])
    if last["DSDECOD"] == "DEATH":
        one.put(last[LEDGER], DTHDT=one.row.get("DTHDT") or last["DSSTDTC"])
    if one.row.get("DTHDT"):
        one.put(last[LEDGER], DTHFL="Y")


def _counted_days(one: Subject, plan: AnalysisPlan) -> None:
    for days in plan.days:
        since, until = day_of(one.row.get(days.since)), day_of(one.row.get(days.until))
        if since is not None and until is not None:
            reference = joined(
                one.sources.get(days.since, one.row[LEDGER]), one.sources.get(days.until, one.row[LEDGER])
            )
            one.put(reference, **{days.name: (until - since).days + int(days.inclusive)})


def with_measured(found: Sequence[Subject], plan: AnalysisPlan, measured: Mapping[str, Table]) -> None:
    """Set baselines and presences out of the datasets of measurements."""
    rows: dict[tuple[str, str], list[Record]] = {}
    for table in measured.values():
        for row in table.records():
            rows.setdefault((str(row[SUBJECT]), str(row["PARAMCD"])), []).append(row)
    for one in found:
        key = str(one.row[SUBJECT])
        for code in plan.baselines:
            base = next((row for row in rows.get((key, code), []) if row["ABLFL"] == "Y"), None)
            one.put(base[LEDGER] if base else None, **{f"{code[:6]}BL": base["AVAL"] if base else None})
        for asked in plan.presences:
            there = [
                row
                for row in rows.get((key, asked.parameter), [])
                if row["AVISIT"] in asked.visits
                and row["DTYPE"] is None
                and row["ANL01FL"] == "Y"
                and (asked.days is None or _within(row["ADY"], asked.days))
            ]
            one.put(there[0][LEDGER] if there else None, **{asked.name: "Y" if there else "N"})


def with_bands(found: Sequence[Subject], plan: AnalysisPlan) -> None:
    """Set the band in which each number lies, on the entries of the number."""
    for one in found:
        for asked in plan.bands:
            value = number(one.row.get(asked.of))
            band = next((band.id for band in asked.bands if value is not None and _inside(value, band)), None)
            one.put(one.sources.get(asked.of), **{asked.name: band})


def _inside(value: float, band: Band) -> bool:
    low, high = band.at_least, band.at_most
    return (low is None or value >= float(low)) and (high is None or value <= float(high))


def _within(cell: Cell, days: tuple[int, int]) -> bool:
    return isinstance(cell, int) and days[0] <= cell <= days[1]


def with_sets(found: Sequence[Subject], rules: Sequence[SetRule]) -> None:
    """Set the flag of every analysis set, and why somebody who is not in it is not (the first requirement not met)."""
    for rule in rules:
        for one in found:
            missed = next((each for each in rule.requires if not meets(one.row, each.where)), None)
            one.row[rule.flag] = "N" if missed else "Y"
            one.row[reason_of(rule)] = missed.reason.en if missed else None


def reason_of(rule: SetRule) -> str:
    """The variable that says why somebody is not in a set: `FASFL` has `FASRS`."""
    return rule.flag.removesuffix("FL") + "RS"


def adsl(study: Study, found: Sequence[Subject]) -> Table:
    """The dataset."""
    plan = study.analysis
    labels = dict(LABELS)
    labels |= {
        name: factor.label.en
        for name, factor in zip(
            plan.strata, study.randomization.factors if study.randomization else (), strict=False
        )
    }
    labels |= {one.name: one.label.en for one in plan.subject_variables}
    labels |= {one.name: one.label.en for one in plan.days}
    for code in plan.baselines:
        parameter = plan.parameter(code)
        labels[f"{code[:6]}BL"] = f"Baseline: {parameter.label.en if parameter else code}"
    labels |= {one.name: one.label.en for one in plan.presences}
    labels |= {one.name: one.label.en for one in plan.bands}
    for rule in plan.sets:
        named = next((one.label.en for one in study.analysis_sets if one.id == rule.set), rule.set)
        labels |= {rule.flag: f"{named} Flag", reason_of(rule): f"Reason Not in {named}"}
    labels[LEDGER] = "Ledger Entry the Row Came From"
    sources = {place: one.sources for place, one in enumerate(found)}
    return table_of("ADSL", "Subject-Level Analysis Dataset", labels, (one.row for one in found), sources)

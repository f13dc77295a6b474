"""A made-up trial of any size as the tables that an analysis is derived from: no store, no pages, the same each time.

Numbers come from a seed and mean nothing; shapes (visits, share of gaps, deaths, events) are those of a real trial.
Every row names an entry that never was.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from equipoise.analysis.datasets.table import Cell, Record, Table, table_of

START = dt.date(2026, 2, 2)
VISITS = (("V2", 1), ("V6", 28), ("V8", 90), ("V9", 180), ("V11", 365))
STRATA = ("N6-12/D14-45", "N6-12/D46-90", "N13-20/D14-45", "N13-20/D46-90")
LABORATORY = (("WBC", "HEMATOLOGY", 7.0), ("HGB", "HEMATOLOGY", 140.0), ("PLAT", "HEMATOLOGY", 220.0),
              ("ALT", "CHEMISTRY", 25.0), ("AST", "CHEMISTRY", 24.0), ("BILI", "CHEMISTRY", 12.0),
              ("CREAT", "CHEMISTRY", 75.0))  # fmt: skip
TERMS = ("Fall", "Pyrexia", "Urinary tract infection", "Constipation", "Pneumonia", "Shoulder pain")
HELD = ("DM", "DS", "DV", "IE", "SC", "MH", "PR", "FT", "RS", "QS", "LB", "NV", "CV", "VS", "AE", "EC", "EQRD", "EQDO",
        "EQCB")  # fmt: skip


VISITS_AT = {visit: place for place, (visit, _) in enumerate(VISITS)}


class _Put(Protocol):
    """What puts a row into a domain."""

    def __call__(self, domain: str, **values: Cell) -> None: ...


def trial_tables(randomized: int, seed: int = 1, effect: float = 4.0) -> Mapping[str, Table]:
    """The tables by domain. effect: points that the second of two neighbours gains more by day 180."""
    draw = np.random.default_rng(seed)
    rows: dict[str, list[Record]] = {name: [] for name in HELD}
    for place in range(randomized):
        _participant(rows, draw, place, effect)
    return {name: _table(name, rows[name]) for name in HELD}


def numbers(tables: Mapping[str, Table]) -> Mapping[str, str]:
    """USUBJID -> public number."""
    return {str(row["USUBJID"]): str(row["RANDNO"]) for row in tables["EQRD"].records()}


def _table(name: str, rows: Sequence[Record]) -> Table:
    variables = dict.fromkeys(["STUDYID", "USUBJID", "EQLEDGER", *(key for row in rows for key in row)])
    return table_of(name, name, dict(zip(variables, variables, strict=True)), rows)


def _participant(
    rows: Mapping[str, list[Record]], draw: np.random.Generator, place: int, effect: float
) -> None:
    subject, entered = f"DEMO-0001-01-{place + 1:05d}", START + dt.timedelta(days=place // 3)
    seq = iter(range(1, 10_000))

    def put(domain: str, **values: Cell) -> None:
        rows[domain].append(
            {"STUDYID": "DEMO-0001", "USUBJID": subject, "EQLEDGER": f"{place:012x}/{next(seq)}", **values}
        )

    left = int(draw.integers(2, 6)) if draw.random() < 0.15 else 6
    died = draw.random() < 0.3
    put("DM", SUBJID=subject[-5:], SITEID="01", AGE=int(draw.integers(45, 81)), AGEU="YEARS",
        SEX=("M", "F")[int(draw.integers(2))], RACE="ASIAN", RFICDTC=entered.isoformat(), BRTHDTC="1960-05-13",
        DTHDTC=_day(entered, VISITS[left - 2][1] + 5) if died and left < 6 else None)  # fmt: skip
    stratum = STRATA[int(draw.integers(4))]
    put("EQRD", RANDNO=f"R{place:05d}", STRATUM=stratum, STRATUMC=stratum, RANDDT=entered.isoformat())
    _history(put, draw, entered)
    for dose, day in (("D1", 1), ("D2", 8)):
        began = _day(entered, day)
        put("EC", ECSPID=dose, ECOCCUR="Y", ECCOMPL="COMPLETE", ECDOSE="100", ECSHARE="100", ECMIN="45",
            ECREFID=f"{place}{dose}", ECSTDTC=f"{began}T10:00", ECENDTC=f"{began}T10:45")  # fmt: skip
        put("EQDO", DOSE=dose)
    own, base = draw.normal(0, 8), float(draw.integers(15, 70))
    for at, (visit, day) in enumerate(VISITS[: left - 1] if left < 6 else VISITS):
        gained = (
            0.0 if at == 0 else own + 5.0 * at + effect * (place % 2) * min(at, 3) / 3 + draw.normal(0, 5)
        )
        _scales(put, draw, (visit, _day(entered, day)), float(np.clip(base + gained, 0, 100)))
    for term in TERMS[: int(draw.integers(0, 3))]:
        put("AE", AESEQ=next(seq), AETERM=term, AESTDTC=_day(entered, int(draw.integers(1, 200))), AETOXGR="2",
            AESER="N", AEREL="NOT RELATED", AEACN="DOSE NOT CHANGED", AEOUT="RECOVERED/RESOLVED")  # fmt: skip
    ended = "COMPLETED" if left == 6 else "DEATH" if died else "WITHDRAWAL BY SUBJECT"
    last = _day(entered, 365 if left == 6 else VISITS[left - 2][1] + 5)
    put("DS", DSDECOD=ended, DSTERM=ended, DSCAT="DISPOSITION EVENT", DSSTDTC=last)


def _history(put: _Put, draw: np.random.Generator, entered: dt.date) -> None:
    put("SC", SCTESTCD="EDLEVEL", SCORRES=("PRIMARY", "SECONDARY", "TERTIARY")[int(draw.integers(3))])
    put("SC", SCTESTCD="HANDED", SCORRES="RIGHT")
    put("MH", MHCAT="PRIMARY DIAGNOSIS", MHTERM="ISCHEMIC", MHLAT=("LEFT", "RIGHT")[int(draw.integers(2))],
        MHTOAST=("LAA", "CE", "SAO")[int(draw.integers(3))], MHSTDTC=_day(entered, -40))  # fmt: skip
    for term in ("HYPERTENSION", "DIABETES MELLITUS", "ATRIAL FIBRILLATION"):
        put("MH", MHCAT="RISK FACTOR", MHTERM=term, MHOCCUR=("Y", "N")[int(draw.integers(2))])
    for term in ("INTRAVENOUS THROMBOLYSIS", "ENDOVASCULAR TREATMENT"):
        put("PR", PRTRT=term, PROCCUR=("Y", "N")[int(draw.integers(2))])


def _scales(put: _Put, draw: np.random.Generator, at: tuple[str, str], motor: float) -> None:
    visit, day = at
    total = round(motor)
    grade = int(np.clip(5 - total // 20 + draw.integers(-1, 2), 0, 5))
    found: Iterable[tuple[str, str, str, int]] = (
        ("FT", "FMAMOTOT", "FMA", total), ("FT", "FMAUETOT", "FMA", round(total * 0.66)),
        ("FT", "FMALETOT", "FMA", round(total * 0.34)), ("FT", "FMASETOT", "FMA", 12 + total // 10),
        ("FT", "MMS112", "MMSE", int(np.clip(20 + total // 15 + draw.integers(-2, 3), 0, 30))),
        ("RS", "MRS0101", "MRS", grade), ("RS", "NIH0116", "NIHSS", int(np.clip(16 - total // 8, 0, 42))),
        *(("RS", f"NIH01{item:02d}", "NIHSS", 1 + int(grade > 2)) for item in (7, 8, 9, 10)),
        ("QS", "BI0111", "BI", 5 * min(total // 5, 20)),
    )  # fmt: skip
    for domain, code, form, value in found:
        put(domain, **{f"{domain}TESTCD": code, f"{domain}SPID": form, f"{domain}STRESN": value,
                       f"{domain}STRESC": str(value), f"{domain}DTC": day, "VISITNUM": VISITS_AT[visit],
                       "VISIT": visit})  # fmt: skip
    if visit in ("V2", "V9"):
        for code, guess in (("BQ0101", 3), ("BQ0001", 3)):
            said = ("ACTIVE", "PLACEBO", "DO NOT KNOW")[int(draw.integers(guess))]
            put("QS", QSTESTCD=code, QSSPID="BGP", QSORRES=said, QSSTRESC=said, QSDTC=day, VISIT=visit,
                VISITNUM=VISITS_AT[visit])  # fmt: skip
    for code, category, mean in LABORATORY:
        amount = round(mean * float(draw.lognormal(0, 0.2)), 1)
        put("LB", LBTESTCD=code, LBCAT=category, LBSPID="LB", LBSTRESN=amount, LBSTRESC=str(amount), LBDTC=day,
            LBSTNRHI=1.5 * mean, LBNRIND="HIGH" if amount > 1.5 * mean else "NORMAL", VISIT=visit,
            VISITNUM=VISITS_AT[visit])  # fmt: skip
    if visit in ("V2", "V8", "V9"):
        put("NV", NVTESTCD="VOLUME", NVSPID="MRI", NVSTRESN=float(draw.integers(5, 90)), NVSTRESC="x", NVDTC=day,
            VISIT=visit, VISITNUM=VISITS_AT[visit])  # fmt: skip
        put("CV", CVTESTCD="PCTDIAST", CVSPID="VASC", CVSTRESN=float(draw.integers(0, 100)), CVSTRESC="x", CVDTC=day,
            VISIT=visit, VISITNUM=VISITS_AT[visit])  # fmt: skip


def _day(entered: dt.date, day: int) -> str:
    """The date of a study day; day 1 is the first."""
    return (entered + dt.timedelta(days=day - 1)).isoformat()

"""Trials with reference fits, as columns and as expected numbers, and the names that R gives to coefficients."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from equipoise.analysis import MmrmFit, fit_mmrm

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "mmrm.json"
MODEL = "chg ~ base * visit + strat + arm * visit"
FEV = "FEV1 ~ RACE + SEX + ARMCD * AVISIT"
DF = {"satterthwaite": "Satterthwaite", "kenward-roger": "Kenward-Roger-Linear"}


def trials() -> dict[str, Any]:
    return json.loads(VECTORS.read_text("utf-8"))["trials"]


def long(data: dict[str, Any]) -> dict[str, list[Any]]:
    """One row a participant and visit, every visit planned, values missing where not seen."""
    rows = [
        {
            "id": f"P{number:03d}",
            "visit": str(visit + 1),
            "arm": "MSC" if data["arm"][number] else "PBO",
            "strat": str(data["strat"][number]),
            "base": data["base"][number],
            "chg": value,
        }
        for number, values in enumerate(data["chg"])
        for visit, value in enumerate(values)
    ]
    return columns(rows)


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def fev(path: Path) -> dict[str, list[Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = {"FEV1", "FEV1_BL", "WEIGHT", "VISITN", "VISITN2"}
    return columns(
        [
            {n: (None if v == "NA" else float(v) if n in numbers else v) for n, v in row.items()}
            for row in rows
        ]
    )


def fitted(table: Any, **options: Any) -> MmrmFit:
    found = fit_mmrm(
        table, **{"formula": MODEL, "subject": "id", "visit": "visit", "reference": {"arm": "PBO"}} | options
    )
    assert isinstance(found, MmrmFit), [problem.say() for problem in found]
    return found


def fitted_fev(table: Any, **options: Any) -> MmrmFit:
    told = {"formula": FEV, "subject": "USUBJID", "visit": "AVISIT", "reference": {"SEX": "Male"}}
    return fitted(table, **told | options)


def as_r(term: str) -> frozenset[str]:
    """A term without the marks of either notation, whatever the order of its factors."""
    return frozenset(re.sub(r"\[T\.(.*?)\]", r"\1", part).strip("()") for part in term.split(":"))


def agree(found: MmrmFit, names: list[str], expected: dict[str, Any], **tolerances: float) -> None:
    """Coefficients and standard errors to 1e-6, df to 1e-4, p to 1e-5 relative (issue's bars; estimates near 0 by se)."""
    mine = {as_r(term): its for term, its in found.coefficients.items()}
    assert set(mine) == {as_r(name) for name in names}
    order = [mine[as_r(name)] for name in names]
    se = np.array(expected["se"])
    assert np.max(np.abs(np.array([its.estimate for its in order]) - expected["estimate"]) / se) < 1e-6
    np.testing.assert_allclose([its.se for its in order], se, rtol=1e-6)
    np.testing.assert_allclose([its.df for its in order], expected["df"], rtol=1e-4)
    if "p" in expected:
        np.testing.assert_allclose([its.p for its in order], expected["p"], rtol=1e-5)

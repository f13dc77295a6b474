"""Every assumption of a definition is listed, wherever it stands."""

from __future__ import annotations

import re
from pathlib import Path

from equipoise.protocol.assumptions import list_assumptions
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study

ROOT = Path(__file__).resolve().parents[3]


def test_an_assumption_says_what_holds_why_and_what_else_could():
    assumed = {"because": "The record is silent.", "alternatives": ["two", "three"]}
    study = Study.model_validate(
        {
            "notation": 1,
            "id": "s",
            "version": "1",
            "dated": "2026",
            "title": "t",
            "eligibility": {"rescreenings": 1, "assumption": assumed},
            "parameters": [
                {"id": "dose", "label": "Dose", "value": "1.5", "unit": "mg", "assumption": assumed}
            ],
            "criteria": [
                {
                    "id": "I1",
                    "category": "inclusion",
                    "text": "Adults",
                    "rule": "age>=18",
                    "assumption": assumed,
                },
                {"id": "I2", "category": "inclusion", "text": "Stable"},
            ],
        }
    )
    found = [(each.path, each.label, each.value) for each in list_assumptions(study)]
    assert found == [
        ("parameters.dose", "Dose", "1.5; unit mg"),
        ("eligibility", "eligibility", "rescreenings 1"),
        ("criteria.I1", "Adults", "category inclusion; rule age>=18"),
    ]
    assert {(each.because, each.alternatives) for each in list_assumptions(study)} == {
        ("The record is silent.", ("two", "three"))
    }


def test_every_assumption_written_in_the_files_is_listed():
    for folder in (ROOT / "studies").iterdir():
        study = load_study(folder)
        assert isinstance(study, Study), study
        # People of a rehearsal and settings of a simulation stand beside the definition and are none of it.
        main = (folder / "study.yaml").read_text("utf-8")
        files = ["study.yaml", *re.findall(r"^ +- (\S+\.yaml)$", main, re.M)]
        written = sum((folder / name).read_text("utf-8").count("because:") for name in files)
        assert len(list_assumptions(study)) == written


def test_what_was_given_is_told_also_where_it_is_what_would_hold_anyway():
    """Percentages and days of the diary as studies/nct07197606/diary.yaml gives them."""
    study = load_study(ROOT / "studies" / "nct07197606")
    told = {one.path: one.value for one in list_assumptions(study)}
    assert told["diary.compliance"] == "target_percent 80; alert_percent 70; missed_in_a_row 3"

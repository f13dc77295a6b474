"""The written report in a browser: every page in both languages without a fault of axe, where one arm is empty too."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from bench.trial_tables import numbers, trial_tables
from looking import axe_faults
from playwright.sync_api import Browser

from equipoise.analysis.arms import known_arms
from equipoise.analysis.datasets.derive import derive
from equipoise.analysis.report.write import write_report
from equipoise.documents.report_html import report_html
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.words.text import LANGUAGES

UNTIL = dt.date(2031, 12, 31)
WANTED = (
    "T-01",
    "T-05",
    "T-11",
    "T-12",
    "T-16",
    "T-20",
    "T-24",
    "F-01",
    "F-03",
    "F-04",
    "F-05",
    "F-06",
    "L-01",
)


@pytest.mark.parametrize("both", [True, False])
def test_every_page_is_for_everybody(browser: Browser, tmp_path: Path, *, both: bool):
    study = load_study(Path(__file__).resolve().parents[2] / "studies" / "nct07197606")
    assert isinstance(study, Study)
    tables = trial_tables(24, seed=5)
    pairs = [(one, "MSC" if both and place % 2 else "PLACEBO") for place, one in enumerate(numbers(tables))]
    arms = known_arms(study, "released", [(one, arm, arm) for one, arm in pairs], "0" * 64)
    datasets = derive(study, tables, arms, UNTIL)
    report = write_report(study, {**tables, **datasets}, arms, UNTIL, rehearsal=True, outputs=WANTED)
    assert [one.id for one in report.exhibits] == list(WANTED)
    for language in LANGUAGES:
        for name, page in report_html(report, language).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(page, "utf-8")
    context = browser.new_context(viewport={"width": 380, "height": 800})
    try:
        shown = context.new_page()
        for language in LANGUAGES:
            shown.goto((tmp_path / f"report.{language}.html").as_uri())
            assert axe_faults(shown) == []
            assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), language
    finally:
        context.close()

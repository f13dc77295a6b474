"""What a definition has to keep to, beyond its notation: each rule with a study that breaks it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from equipoise.protocol.check import check_definition, check_study
from equipoise.protocol.load import Definition, load_definition
from equipoise.protocol.study import Study

ROOT = Path(__file__).resolve().parents[3]
SOUND: Mapping[str, Any] = {
    "notation": 1,
    "id": "s",
    "version": "1",
    "dated": "2026-01-01",
    "title": "A study",
    "sources": {"page": "the page"},
    "design": {"target": 10, "cap": 12},
    "arms": [{"id": "A", "label": "a", "interventions": ["drug"]}, {"id": "B", "label": "b"}],
    "interventions": [{"id": "drug", "name": "Drug", "source": "page"}],
    "objectives": [{"id": "O", "level": "primary", "kind": "efficacy", "text": "x", "endpoints": ["E"]}],
    "endpoints": [
        {"id": "E", "level": "primary", "label": "x", "form": "VS", "visit": "V1", "variable": "TEMP"}
    ],
    "estimands": [
        {"id": "M", "endpoint": "E", "population": "p", "treatments": "t", "variable": "v", "summary": "s"}
    ],
    "eligibility": {"total_of": "nihss"},
    "criteria": [
        {"id": "I1", "category": "inclusion", "text": "Adults", "rule": "age in 18..70"},
        {"id": "I2", "category": "inclusion", "text": "Severity", "rule": "nihss.range in 6..20"},
    ],
    "inputs": [
        {"name": "age", "label": "Age", "type": "number", "origin": {"form": "VS", "item": "AGE"}},
        {"name": "consent_date", "label": "Consent", "type": "date", "origin": {"consent": "date"}},
        {"name": "today", "label": "Today", "type": "date", "origin": {"clock": "today"}},
        {"name": "nihss", "label": "NIHSS", "type": "instrument", "origin": {"form": "NIHSS"}},
    ],
    "randomization": {
        "method": "complete",
        "ratio": {"A": 1, "B": 1},
        "factors": [
            {
                "id": "severity",
                "label": "Severity",
                "levels": [
                    {"code": "MILD", "label": "m", "rule": "nihss.total in 6..12"},
                    {"code": "SEVERE", "label": "s", "rule": "nihss.total in 13..20"},
                ],
            }
        ],
    },
    "schedule": {
        "epochs": [{"id": "SCR", "label": "Screening"}],
        "visits": [{"id": "V1", "label": "First", "epoch": "SCR", "day": 1, "window": [-3, 3]}],
        "activities": [{"id": "a1", "label": "x", "forms": ["VS", "NIHSS"], "visits": ["V1"]}],
    },
    "codelists": [
        {"id": "SITE", "terms": [{"code": "ORAL", "decode": "Mouth"}, {"code": "EAR", "decode": "Ear"}]}
    ],
    "forms": [
        {
            "id": "VS",
            "label": "Vital signs",
            "items": [
                {"id": "AGE", "label": "Age", "type": "integer"},
                {
                    "id": "TEMP",
                    "label": "Temperature",
                    "type": "decimal",
                    "digits": 1,
                    "unit": "Cel",
                    "minimum": "30",
                    "maximum": "45",
                    "expected": ["35", "38.5"],
                    "sdtm": {"domain": "VS", "testcd": "TEMP", "test": "Temperature"},
                },
                {
                    "id": "WHERE",
                    "label": "Where",
                    "type": "code",
                    "codelist": "SITE",
                    "visible_when": "known(TEMP)",
                },
                {"id": "KIT", "label": "Kit", "type": "text", "blinding": "revealing"},
                {"id": "WHEN", "label": "When", "type": "date", "complete": True},
            ],
            "checks": [
                {
                    "id": "hot",
                    "holds": "TEMP < 42 'Cel'",
                    "items": ["TEMP"],
                    "message": "hot",
                    "visits": ["V1"],
                }
            ],
            "derivations": [{"id": "TEMPF", "label": "F", "rule": "TEMP", "unit": "Cel"}],
        },
        {
            "id": "NIHSS",
            "label": "NIHSS",
            "instrument": "NIHSS",
            "checks": [
                {"id": "c", "holds": 'score["1a"] < 3 or score.total > 5', "items": ["1a"], "message": "m"}
            ],
        },
    ],
    "sites": [{"id": "01", "name": "Site", "zone": "Asia/Shanghai"}],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The sound study with one value set, added (a path that ends in `+`) or removed (value ...)."""
    study: Any = deepcopy(dict(SOUND))
    *steps, last = path.split(".")
    at = study
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
    if last == "+":
        at.append(value)
    elif value is ...:
        del at[int(last) if isinstance(at, list) else last]
    else:
        at[int(last) if isinstance(at, list) else last] = value
    return study


def found(study: Mapping[str, Any]) -> list[tuple[bool, str, str]]:
    """Fault or remark, rule without its room, place."""
    findings = check_study(Study.model_validate(study))
    for finding in findings:
        for language in ("en", "zh"):
            said = finding.problem.say(language)
            assert said != finding.problem.rule
            assert "{" not in said
    return [(f.fault, f.problem.rule.removeprefix("protocol."), f.problem.where) for f in findings]


def test_a_sound_study_has_nothing_to_find():
    assert found(SOUND) == []


FAULTS = [
    ("arms.+", {"id": "A", "label": "again"}, "study-twice", "arms.A"),
    ("forms.0.items.+", {"id": "AGE", "label": "x", "type": "text"}, "study-twice", "forms.VS.items.AGE"),
    ("codelists.0.terms.+", {"code": "EAR", "decode": "x"}, "study-twice", "codelists.SITE.terms.EAR"),
    ("inputs.1.alias", ["age"], "study-input-name", "inputs.consent_date"),
    ("inputs.1.alias", ["I1"], "study-input-name", "inputs.consent_date"),
    (
        "forms.0.items.+",
        {"id": "today", "label": "x", "type": "text"},
        "study-item-name",
        "forms.VS.items.today",
    ),
    (
        "forms.1.items",
        [{"id": "score", "label": "x", "type": "text"}],
        "study-item-name",
        "forms.NIHSS.items.score",
    ),
    ("forms.0.derivations.0.id", "AGE", "study-item-name", "forms.VS.derivations.AGE"),
    ("criteria.0.id", "INCL", "study-name-reserved", "criteria.INCL.id"),
    ("criteria.1.id", "EXCL", "study-name-reserved", "criteria.EXCL.id"),
    ("randomization.method", "drawing_lots", "study-method", "randomization.method"),
    ("randomization.method", "permuted_blocks", "study-method-sizes", "randomization.parameters"),
    ("randomization.method", "big_stick", "study-method-imbalance", "randomization.parameters"),
    ("randomization.method", "biased_coin", "study-method-probability", "randomization.parameters"),
    (
        "randomization",
        {"method": "biased_coin", "parameters": {"probability": "2/3"}, "ratio": {"A": 2, "B": 1}},
        "study-method-two-arms",
        "randomization.ratio",
    ),
    (
        "randomization.factors.0.levels.0.code",
        "N/6",
        "study-level-code",
        "randomization.factors.severity.levels.N/6",
    ),
    ("arms.0.interventions", ["drugg"], "study-reference-like", "arms.A.interventions.1"),
    ("arms.0.source", "journal", "study-reference", "arms.A.source"),
    ("objectives.0.endpoints", ["Z"], "study-reference", "objectives.O.endpoints.1"),
    ("endpoints.0.form", "XX", "study-reference", "endpoints.E.form"),
    ("endpoints.0.visit", "V9", "study-reference", "endpoints.E.visit"),
    ("endpoints.0.variable", "PULSE", "study-reference", "endpoints.E.variable"),
    ("estimands.0.endpoint", "Z", "study-reference", "estimands.M.endpoint"),
    ("eligibility.total_of", "age", "study-reference", "eligibility.total_of"),
    ("inputs.0.origin.form", "XX", "study-reference", "inputs.age.origin.form"),
    ("inputs.0.origin.item", "PULSE", "study-reference", "inputs.age.origin.item"),
    ("inputs.0.origin.visit", "nowhere", "study-reference", "inputs.age.origin.visit"),
    ("inputs.0.codelist", "NOPE", "study-reference", "inputs.age.codelist"),
    ("inputs.3.instrument", "NOPE", "study-instrument", "inputs.nihss.instrument"),
    ("forms.1.instrument", "NOPE", "study-instrument", "forms.NIHSS.instrument"),
    ("forms.1.parts", ["NOPE"], "study-reference", "forms.NIHSS.parts.1"),
    ("forms.0.items.2.codelist", "SITES", "study-reference-like", "forms.VS.items.WHERE.codelist"),
    ("forms.0.checks.0.items", ["PULSE"], "study-reference", "forms.VS.checks.hot.items.1"),
    ("forms.0.checks.0.visits", ["nowhere"], "study-reference", "forms.VS.checks.hot.visits.1"),
    ("schedule.visits.0.epoch", "FOLLOW", "study-reference", "schedule.visits.V1.epoch"),
    ("schedule.activities.0.forms", ["XX"], "study-reference", "schedule.activities.a1.forms.1"),
    ("schedule.activities.0.visits", ["nowhere"], "study-reference", "schedule.activities.a1.visits.1"),
    ("criteria.0.rule", "age in", "expression-no-value-end", "criteria.I1.rule"),
    ("criteria.0.rule", "agee > 18", "expression-name-like", "criteria.I1.rule"),
    ("criteria.0.rule", "age + 1", "study-rule-type", "criteria.I1.rule"),
    ("criteria.0.rule", "TEMP > 38 'Cel'", "expression-name", "criteria.I1.rule"),
    ("criteria.0.rule", 'nihss["5z"] > 1', "expression-item-unknown", "criteria.I1.rule"),
    ("forms.0.checks.0.holds", "TEMP < 42", "expression-unit-missing", "forms.VS.checks.hot.holds"),
    ("forms.0.checks.0.holds", 'WHERE == "NOSE"', "expression-code-unknown", "forms.VS.checks.hot.holds"),
    ("forms.0.checks.0.holds", "score.total > 1", "expression-name", "forms.VS.checks.hot.holds"),
    ("forms.0.items.2.visible_when", "TEMP", "study-rule-type", "forms.VS.items.WHERE.visible_when"),
    ("forms.0.derivations.0.unit", "kg", "study-derived-unit", "forms.VS.derivations.TEMPF.unit"),
    (
        "forms.1.derivations",
        [{"id": "D", "label": "d", "rule": "nihss"}],
        "study-rule-type",
        "forms.NIHSS.derivations.D.rule",
    ),
    (
        "randomization.factors.0.levels.0.rule",
        "nihss.total",
        "study-rule-type",
        "randomization.factors.severity.levels.MILD.rule",
    ),
    (
        "randomization.factors.0.levels.0.rule",
        "nihss.total in 6..13",
        "study-levels-overlap",
        "randomization.factors.severity",
    ),
    ("randomization.factors.0.levels", [], "study-factor-empty", "randomization.factors.severity"),
    ("inputs.0.type", "date", "study-input-type", "inputs.age.origin"),
    ("inputs.1.type", "truth", "study-input-type", "inputs.consent_date.origin"),
    ("inputs.2.type", "number", "study-input-type", "inputs.today.origin"),
    ("inputs.3.origin.form", "VS", "study-input-scale", "inputs.nihss.origin"),
    ("inputs.0.origin", {"form": "VS"}, "study-input-item", "inputs.age.origin"),
    ("forms.0.checks.0.holds", 'KIT == "x"', "study-taint", "forms.VS.checks.hot.holds"),
    ("forms.0.items.2.visible_when", "known(KIT)", "study-taint", "forms.VS.items.WHERE.visible_when"),
    (
        "forms.0.derivations.0",
        {"id": "D", "label": "d", "rule": "KIT"},
        "study-taint",
        "forms.VS.derivations.D.rule",
    ),
    ("forms.0.items.0.blinding", "revealing", "study-taint", "inputs.age.origin"),
    ("forms.0.items.2.codelist", ..., "study-item-codelist", "forms.VS.items.WHERE"),
    ("forms.0.items.0.codelist", "SITE", "study-item-no-codelist", "forms.VS.items.AGE.codelist"),
    ("forms.0.items.3.unit", "kg", "study-item-not-number", "forms.VS.items.KIT.unit"),
    ("forms.0.items.3.minimum", "1", "study-item-not-number", "forms.VS.items.KIT.minimum"),
    ("forms.0.items.0.digits", 1, "study-item-digits", "forms.VS.items.AGE.digits"),
    ("forms.0.items.1.digits", 11, "study-item-digits", "forms.VS.items.TEMP.digits"),
    ("forms.0.items.0.complete", True, "study-item-complete", "forms.VS.items.AGE.complete"),
    ("forms.0.items.0.missing", ["XX"], "study-item-missing", "forms.VS.items.AGE.missing.1"),
    ("forms.0.items.1.minimum", "50", "study-item-limits", "forms.VS.items.TEMP.minimum"),
    ("forms.0.items.1.expected", ["39", "36"], "study-item-limits", "forms.VS.items.TEMP.expected"),
    ("forms.0.items.1.expected", ["20", "36"], "study-item-expected", "forms.VS.items.TEMP.expected"),
    ("forms.0.items.1.sdtm.domain", "VITALS", "study-sdtm-domain", "forms.VS.items.TEMP.sdtm.domain"),
    ("forms.0.items.1.sdtm.testcd", "TEMPERATU", "study-sdtm-name", "forms.VS.items.TEMP.sdtm.testcd"),
    ("forms.0.items.1.sdtm.testcd", "1TEMP", "study-sdtm-name", "forms.VS.items.TEMP.sdtm.testcd"),
    ("forms.0.items.1.sdtm.test", "T" * 41, "study-sdtm-test", "forms.VS.items.TEMP.sdtm.test"),
    ("forms.0.items.1.sdtm.test", ..., "study-sdtm-pair", "forms.VS.items.TEMP.sdtm"),
    ("forms.0.items.1.sdtm.variable", "TEMP", "study-sdtm-one", "forms.VS.items.TEMP.sdtm"),
    ("codelists.0.terms", [], "study-codelist-empty", "codelists.SITE"),
    ("schedule.visits.0.day", 0, "study-day-zero", "schedule.visits.V1.day"),
    ("schedule.visits.0.window", [0, 3], "study-day-zero", "schedule.visits.V1.window"),
    ("schedule.visits.0.window", [3, -3], "study-window-order", "schedule.visits.V1.window"),
    ("schedule.visits.0.window", [2, 3], "study-window-day", "schedule.visits.V1.window"),
    ("schedule.visits.0.day", ..., "study-window-no-day", "schedule.visits.V1.window"),
    ("design.cap", 9, "study-cap", "design.cap"),
    ("randomization.ratio", {"A": 1}, "study-ratio-lacks", "randomization.ratio"),
    ("randomization.ratio", {"A": 1, "B": 1, "C": 1}, "study-ratio-unknown", "randomization.ratio.C"),
    ("randomization.ratio", {"A": 1, "B": 0}, "study-ratio-weight", "randomization.ratio.B"),
    ("dated", "2026-02-30", "value-not-date", "dated"),
    ("sites.0.zone", "Asia/Peking", "study-zone", "sites.01.zone"),
    ("title", " ", "value-no-english", "title"),
    ("languages", ["zh"], "study-no-english", "languages"),
]


@pytest.mark.parametrize(
    ("path", "value", "rule", "where"), FAULTS, ids=[f"{rule} {path}" for path, _, rule, _ in FAULTS]
)
def test_a_fault_is_found_at_its_place(path, value, rule, where):
    assert (True, rule, where) in found(changed(path, value))


REMARKS = [
    ("criteria.+", {"id": "E1", "category": "exclusion", "text": "x"}, "study-awaits", "criteria.E1"),
    ("schedule.activities.0.forms", ["VS"], "study-form-unscheduled", "forms.NIHSS"),
    ("inputs.0.origin", {}, "study-input-origin", "inputs.age"),
    ("randomization", None, "study-no-randomization", "randomization"),
    (
        "randomization.factors.0.levels.1.rule",
        "nihss.total in 14..20",
        "study-levels-gap",
        "randomization.factors.severity",
    ),
]


@pytest.mark.parametrize(
    ("path", "value", "rule", "where"), REMARKS, ids=[f"{rule} {path}" for path, _, rule, _ in REMARKS]
)
def test_a_remark_is_no_fault(path, value, rule, where):
    findings = found(changed(path, value))
    assert (False, rule, where) in findings
    assert not any(fault for fault, *_ in findings)


def test_chinese_has_to_be_everywhere_once_it_is_declared():
    study = changed("languages", ["en", "zh"])
    places = {where for fault, rule, where in found(study) if rule == "study-no-chinese" and fault}
    assert {"title", "arms.A.label", "forms.VS.items.TEMP.label", "codelists.SITE.terms.EAR.decode"} <= places
    study["title"] = {"en": "A study", "zh": "研究"}
    assert "title" not in {where for _, _, where in found(study)}


def test_a_revealing_item_may_be_checked_where_only_revealing_items_are_seen():
    study = changed("forms.0.checks.0", {"id": "k", "holds": 'KIT == "x"', "items": ["KIT"], "message": "m"})
    assert found(study) == []


def test_a_skeleton_is_accepted_with_remarks():
    skeleton = {
        **{key: SOUND[key] for key in ("notation", "id", "version", "dated", "title")},
        "criteria": [{"id": "I1", "category": "inclusion", "text": "Adults"}],
    }
    findings = found(skeleton)
    assert findings
    assert not any(fault for fault, *_ in findings)


def test_findings_of_files_name_the_line(tmp_path):
    (tmp_path / "study.yaml").write_text(
        'notation: 1\nid: s\nversion: "1"\ndated: 2026-01\ntitle: t\ncriteria:\n'
        "  - {id: I1, category: inclusion, text: Adults,\n     rule: age > 18}\n"
    )
    definition = load_definition(tmp_path)
    assert isinstance(definition, Definition)
    first = check_definition(definition)[0]
    assert first.problem.where == "study.yaml:8:12 criteria.I1.rule"
    assert first.problem.rule == "protocol.expression-name"


@pytest.mark.parametrize(
    "folder",
    [*(ROOT / "studies").iterdir(), *(ROOT / "tests" / "studies").iterdir()],
    ids=lambda folder: folder.name,
)
def test_the_studies_that_come_with_the_program_have_no_faults(folder):
    definition = load_definition(folder)
    assert isinstance(definition, Definition), definition
    assert [f.problem for f in check_definition(definition) if f.fault] == []

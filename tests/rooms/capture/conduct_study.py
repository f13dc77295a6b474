"""A small made-up study, and the few steps that every test of a conduct room takes: decide, write, fold.

Nothing in it is of a real trial. It has what the rooms must cope with: every item type, a scale, a hidden item, a
revealing one, checks of both severities, a derivation, a form that repeats, criteria over form, consent and clock,
and two stratification factors.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from equipoise.ledger.entries import Append, Datum, Entry, Header, Recorded
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.truth import Truth

AT = dt.datetime(2026, 8, 14, 2, 30, tzinfo=dt.UTC)
"""10:30 in Shanghai on 14 August 2026."""
OCCASION = Occasion(AT, "Asia/Shanghai", ("fresh-1", "fresh-2", "fresh-3"))
KNOWN = Facts(subject_known=True)

FORMS: list[dict[str, Any]] = [
    {
        "id": "VS",
        "label": {"en": "Vital signs", "zh": "生命体征"},
        "items": [
            {"id": "DAT", "label": "Date", "type": "date", "complete": True, "missing": []},
            {"id": "SYSBP", "label": {"en": "Systolic", "zh": "收缩压"}, "type": "integer", "unit": "mm[Hg]",
             "minimum": 0, "maximum": 300, "expected": [90, 180]},
            {"id": "DIABP", "label": "Diastolic", "type": "integer", "unit": "mm[Hg]", "minimum": 0, "maximum": 200},
            {"id": "TEMP", "label": "Temperature", "type": "decimal", "digits": 1, "unit": "Cel", "minimum": 30,
             "maximum": 45, "required": False},
            {"id": "SEX", "label": "Sex", "type": "code", "codelist": "SEX", "missing": ["UK"]},
            {"id": "PREG", "label": "Pregnant", "type": "truth", "visible_when": 'SEX == "F"'},
            {"id": "PREGDAT", "label": "Due date", "type": "date", "visible_when": "PREG", "required": False},
            {"id": "TIM", "label": "Time", "type": "time", "required": False},
            {"id": "NOTE", "label": "Remark", "type": "text", "required": False},
            {"id": "UNTEST", "label": "May be untestable", "type": "integer", "required": False, "missing": ["UN", "ND"]},
            {"id": "VIAB", "label": "Viability", "type": "decimal", "digits": 1, "blinding": "revealing"},
        ],
        "checks": [
            {"id": "sys-above-dia", "holds": "SYSBP > DIABP", "items": ["SYSBP", "DIABP"],
             "message": {"en": "Systolic is not above diastolic.", "zh": "收缩压应高于舒张压。"}},
            {"id": "not-in-the-future", "holds": "days(DAT, today) >= 0", "items": ["DAT"], "severity": "refuse",
             "message": {"en": "Dated in the future.", "zh": "日期晚于今天。"}},
            {"id": "only-at-v2", "holds": "TEMP < 38 'Cel'", "items": ["TEMP"], "visits": ["V2"],
             "message": {"en": "Fever.", "zh": "发热。"}},
        ],
        "derivations": [
            {"id": "MAP", "label": "Mean arterial pressure", "rule": "round((SYSBP + 2 * DIABP) / 3, 1)", "unit": "mm[Hg]"},
        ],
    },
    {"id": "NIHSS", "label": "NIHSS", "instrument": "NIHSS",
     "items": [{"id": "NIHDAT", "label": "Date", "type": "date", "required": False}],
     "checks": [{"id": "not-recovered", "holds": "score.total > 0", "items": ["NIHDAT"],
                 "message": {"en": "A total of 0 is unusual here.", "zh": "总分为0，请确认。"}}]},
    {"id": "MH", "label": "History", "repeats": True,
     "items": [{"id": "TERM", "label": "Condition", "type": "text"}, {"id": "BIRTH", "label": "Birth", "type": "date",
                                                                     "required": False}]},
    {"id": "STROKE", "label": "Stroke",
     "items": [{"id": "ONSET", "label": "Onset", "type": "date"},
               {"id": "BLEED", "label": "Bleeding", "type": "code", "codelist": "NY"},
               {"id": "RANKIN", "label": "Rankin", "type": "code", "codelist": "GRADE"}]},
]  # fmt: skip

ACTIVITIES = [
    {"id": "A1", "label": "Vital signs", "forms": ["VS"], "visits": ["V1", "V2", "UNS"]},
    {"id": "A2", "label": "Scale", "forms": ["NIHSS"], "visits": ["V1", "V2"]},
    {"id": "A3", "label": "Other", "forms": ["MH", "STROKE"], "visits": ["V1"]},
]
CRITERIA = [
    {"id": "I01", "category": "inclusion", "text": "14 to 90 days", "rule": "days(onset, today) in 14..90"},
    {"id": "I02", "category": "inclusion", "text": "NIHSS 6 to 20", "rule": "nihss.range in 6..20"},
    {"id": "I03", "category": "inclusion", "text": "Consent",
     "rule": "participant_signed or (capacity_lacking and lr_signed)"},
    {"id": "E01", "category": "exclusion", "text": "Bleeding", "rule": "bleeding"},
    {"id": "E02", "category": "exclusion", "text": "Rankin", "rule": "rankin > 1"},
    {"id": "E03", "category": "exclusion", "text": "Off", "rule": "rankin > 0", "enabled": False},
]  # fmt: skip
INPUTS = [
    {"name": "onset", "label": {"en": "Onset", "zh": "发病日期"}, "type": "date", "alias": ["stroke_day"],
     "origin": {"form": "STROKE", "item": "ONSET"}},
    {"name": "today", "label": {"en": "Today", "zh": "今天"}, "type": "date", "alias": ["ref"], "origin": {"clock": "today"}},
    {"name": "nihss", "label": "NIHSS", "type": "instrument", "instrument": "NIHSS", "origin": {"form": "NIHSS"}},
    {"name": "bleeding", "label": "Bleeding", "type": "truth", "origin": {"form": "STROKE", "item": "BLEED"}},
    {"name": "rankin", "label": "Rankin", "type": "number", "origin": {"form": "STROKE", "item": "RANKIN"}},
    {"name": "sbp_v1", "label": "SBP", "type": "number", "origin": {"form": "VS", "item": "SYSBP", "visit": "V1"}},
    {"name": "participant_signed", "label": "Signed", "type": "truth", "origin": {"consent": "participant_signed"}},
    {"name": "lr_signed", "label": "Representative", "type": "truth", "origin": {"consent": "representative_signed"}},
    {"name": "capacity_lacking", "label": "Lacks capacity", "type": "truth", "origin": {"consent": "capacity_lacking"}},
    {"name": "consent_day", "label": "Consent day", "type": "date", "origin": {"consent": "date"}},
]  # fmt: skip
FACTORS = [
    {"id": "severity", "label": {"en": "Severity", "zh": "严重程度"}, "levels": [
        {"code": "L", "label": "6 to 12", "rule": "nihss.total in 6..12"},
        {"code": "H", "label": "13 to 20", "rule": "nihss.total in 13..20"}]},
    {"id": "delay", "label": {"en": "Delay", "zh": "时间"}, "levels": [
        {"code": "E", "label": "early", "rule": "days(onset, today) in 14..45"},
        {"code": "D", "label": "late", "rule": "days(onset, today) in 46..90"}]},
]  # fmt: skip


def made_study(**changes: Any) -> Study:
    """The study, with top-level parts replaced by `changes`."""
    return Study.model_validate(made_definition(**changes))


def made_definition(**changes: Any) -> dict[str, Any]:
    """The same as plain data, as it would stand in a study's folder."""
    definition: dict[str, Any] = {
        "notation": 1,
        "id": "made-up",
        "version": "1.0",
        "dated": "2026-01-01",
        "title": "A made-up study",
        "design": {"cap": 4, "target": 4},
        "arms": [{"id": "A", "label": "A"}, {"id": "B", "label": "B"}],
        "eligibility": {"total_of": "nihss", "rescreenings": 1, "rescreening_days": 7},
        "criteria": CRITERIA,
        "inputs": INPUTS,
        "randomization": {
            "method": "big_stick",
            "parameters": {"imbalance": "3"},
            "ratio": {"A": 1, "B": 1},
            "factors": FACTORS,
        },
        "consent": {
            "versions": [
                {"id": "1.0", "dated": "2026-01-15", "label": "First"},
                {"id": "2.0", "dated": "2026-07-01", "label": "Second"},
            ]
        },
        "schedule": {
            "epochs": [{"id": "ALL", "label": "All"}],
            "visits": [
                {"id": "V1", "label": "Screening", "epoch": "ALL"},
                {"id": "V2", "label": "Baseline", "epoch": "ALL"},
                {"id": "UNS", "label": "Unscheduled", "epoch": "ALL", "unscheduled": True},
            ],
            "activities": ACTIVITIES,
        },
        "codelists": [
            {"id": "SEX", "terms": [{"code": "F", "decode": "Female"}, {"code": "M", "decode": "Male"}]},
            {"id": "NY", "terms": [{"code": "N", "decode": "No"}, {"code": "Y", "decode": "Yes"}]},
            {"id": "GRADE", "terms": [{"code": str(grade), "decode": str(grade)} for grade in range(6)]},
        ],
        "forms": FORMS,
    }
    return {**definition, **changes}


def recorded(stream: str, seq: int, entry: Entry | None, kind: str | None = None) -> Recorded:
    """An entry as the ledger would hand it back; only what the folds look at is meant."""
    header = Header(
        1, "made-up", stream, seq, "0" * 64, kind or (entry.kind if entry else "Withheld"), "d" * 64, "actor-1",
        "investigator", f"2026-08-14T02:{seq // 60:02d}:{seq % 60:02d}.000000Z", None, None, f"key-{seq}", 0, "c" * 64, (),
    )  # fmt: skip
    return Recorded(header, f"{seq:064x}", entry)


Fold = Callable[[Any, Recorded], Any]


def folded(evolve: Fold, start: Any, entries: Iterable[Entry], stream: str = "subject/s1") -> Any:
    """The state after entries that stand in one stream in this order."""
    state = start
    for seq, entry in enumerate(entries, 1):
        state = evolve(state, recorded(stream, seq, entry))
    return state


def written(decision: Decision) -> tuple[Append, ...]:
    """The entries of an accepted decision; fails with the problems of a refusal."""
    assert not isinstance(decision, Refusal), [problem.say() for problem in decision.problems]
    return decision


def refused(decision: Decision) -> list[tuple[str, str]]:
    """(rule, where) of every problem of a refusal."""
    assert isinstance(decision, Refusal), decision
    return [(problem.rule, problem.where) for problem in decision.problems]


def rules(decision: Decision) -> set[str]:
    """The rules that a refusal names."""
    return {rule for rule, _ in refused(decision)}


def values(**texts: str) -> Mapping[str, Datum]:
    """Data by item id."""
    return {name: Datum(text) for name, text in texts.items()}


def scores(texts: Sequence[str]) -> Mapping[str, Datum]:
    """NIHSS answers in the scale's order; `UN` with a reason, an empty text for no answer."""
    ids = ["1a", "1b", "1c", "2", "3", "4", "5a", "5b", "6a", "6b", "7", "8", "9", "10", "11"]
    return {
        item: Datum(missing="UN", why="amputation") if text == "UN" else Datum(text)
        for item, text in zip(ids, texts, strict=True)
        if text
    }


READY = Facts(
    subject_known=True,
    subject_site="site-1",
    status="ELIGIBLE",
    confirmed=True,
    verdict="ELIGIBLE",
    verdict_results={"I01": "T", "I02": "T", "I03": "T", "E01": "F", "E02": "F", "INCL": "T", "EXCL": "F"},
    consent_in_force=Truth.TRUE,
    enrolment_open=True,
    site_known=True,
    site_approved=True,
    site_active=True,
    list_published=True,
    stratum="L/E",
)
"""The facts of a subject whom nothing keeps from being randomized."""

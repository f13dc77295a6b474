"""Datasets and tables against the ledger, counted another way: from the entries themselves, with no table between.

Expected numbers come from the entries of the store and from what the made-up courses meant; arms from HMAC-SHA256 as
the plan's public seed says it, worked out here anew.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from equipoise.analysis.arms import Arms, dummy_arms
from equipoise.analysis.datasets.derive import derive
from equipoise.analysis.datasets.table import Table
from equipoise.analysis.report.write import write_report
from equipoise.desk.analysing import AtCut, read_at_cut
from equipoise.documents.report import Exhibit, Report
from equipoise.ledger.entries import (
    FormSaved,
    InfusionStarted,
    Recorded,
    ScreeningFailed,
    SubjectRandomized,
    SubjectScreened,
)
from equipoise.ledger.opening import open_ledger
from equipoise.words.problem import Problem

CUT = "2027-12-31"
DAYS = {"D28": 28, "D90": 89, "D180": 179, "D365": 364}
VISITS = {"V6": "D28", "V8": "D90", "V9": "D180", "V10": "D270", "V11": "D365"}


@cache
def entries(store: Path) -> Mapping[str, tuple[Recorded, ...]]:
    """Every subject's entries, by screening number."""
    ledger = open_ledger(store, write=False)
    assert not isinstance(ledger, Problem)
    found = {}
    with ledger.reading() as reader:
        for head in reader.streams():
            if head.stream.startswith("subject/"):
                held = reader.entries(head.stream)
                (number,) = (
                    one.entry.screening_number for one in held if isinstance(one.entry, SubjectScreened)
                )
                found[number] = held
    ledger.close()
    return found


@cache
def made(store: Path, cut: str = CUT) -> tuple[AtCut, Arms, Mapping[str, Table], Report]:
    at = read_at_cut(store, cut)
    assert not isinstance(at, Problem), at.say()
    arms = dummy_arms(at.study, at.numbers)
    datasets = derive(at.study, at.tables, arms, at.until)
    report = write_report(at.study, {**at.tables, **datasets}, arms, at.until, rehearsal=at.rehearsal)
    return at, arms, datasets, report


def with_kind(store: Path, kind: type) -> set[str]:
    return {
        number for number, held in entries(store).items() if any(isinstance(one.entry, kind) for one in held)
    }


def arms_again(store: Path) -> Mapping[str, str]:
    """Screening number -> dummy arm, from the seed of the plan: control first, in turn, by HMAC of the numbers."""
    numbers = {
        number: one.entry.number
        for number, held in entries(store).items()
        for one in held
        if isinstance(one.entry, SubjectRandomized)
    }
    order = sorted(
        numbers,
        key=lambda one: hmac.new(b"equipoise dummy arms 1", numbers[one].encode(), hashlib.sha256).digest(),
    )
    return {number: ("PLACEBO", "MSC")[place % 2] for place, number in enumerate(order)}


def exhibit(store: Path, name: str) -> Exhibit:
    return next(one for one in made(store)[3].exhibits if one.id == name)


def cells(store: Path, name: str) -> Mapping[str, list[str]]:
    """Label -> texts of its cells; the first line of that label counts."""
    found: dict[str, list[str]] = {}
    for line in exhibit(store, name).lines:
        found.setdefault(line.say("en"), [cell.say("en") for cell in line.cells])
    return found


def first(text: str) -> int:
    return int(re.match(r"\d+", text)[0])  # type: ignore[index]


def events(store: Path) -> Iterator[tuple[str, Mapping[str, str | None]]]:
    """Every adverse event as it was saved: number of the participant, item -> value."""
    for number, held in entries(store).items():
        for one in held:
            if isinstance(one.entry, FormSaved) and one.entry.form == "AE":
                texts = {name: datum.value for name, datum in one.entry.texts.items()}
                yield number, {**{name: datum.value for name, datum in one.entry.items.items()}, **texts}


def test_every_column_of_every_output_has_the_people_that_the_ledger_has(trial):
    store, arms = trial.store, arms_again(trial.store)
    dosed = with_kind(store, InfusionStarted)
    members = {
        "SCREENED": with_kind(store, SubjectScreened),
        "RANDOMIZED": with_kind(store, SubjectRandomized),
        "FAS": with_kind(store, SubjectRandomized),
        "SAF": dosed,
    }
    counted = 0
    for output in trial.study.analysis.outputs:
        if output.set not in members:
            continue
        people = members[output.set]
        shown = exhibit(store, output.id)
        assert f"N = {len(people)}" in shown.population.en, output.id
        for label, arm in (("Placebo\n", "PLACEBO"), ("MSCs treatment\n", "MSC")):
            head = [text.en for text in shown.columns if text.en.startswith(label) and "N = " in text.en]
            for text in head:
                assert text.endswith(f"N = {sum(arms.get(one) == arm for one in people)}"), (output.id, text)
                counted += 1
    assert counted > 40


def test_disposition_is_what_the_courses_were(trial):
    table, courses = cells(trial.store, "T-01"), trial.courses
    total = {label: first(texts[-1]) for label, texts in table.items()}
    randomized = [one for one in courses if one.randomized]
    assert total["Screened"] == len(courses) == len(entries(trial.store))
    assert (
        total["Screening failure"]
        == len(with_kind(trial.store, ScreeningFailed))
        == sum(one.failed for one in courses)
    )
    assert total["Randomized"] == len(randomized) == len(with_kind(trial.store, SubjectRandomized))
    assert total["At least part of an infusion"] == sum(one.doses > 0 for one in randomized)
    assert total["Completed the study"] == sum(one.ended == "COMPLETED" for one in randomized)
    assert total["Died"] == sum(one.ended == "DEATH" for one in randomized)
    assert total["Withdrew"] == sum(one.ended == "WITHDRAWAL BY SUBJECT" for one in randomized)
    assert total["Lost to follow-up"] == sum(one.ended == "LOST TO FOLLOW-UP" for one in randomized)


def test_adverse_events_are_those_of_the_ledger(trial):
    store, arms = trial.store, arms_again(trial.store)
    dosed = with_kind(store, InfusionStarted)
    rows = [(number, items) for number, items in events(store) if number in dosed]
    assert rows, "the made-up trial has events"
    overview, terms = cells(store, "T-25"), cells(store, "T-26")
    for place, arm in enumerate(("PLACEBO", "MSC")):
        mine = [(number, items) for number, items in rows if arms[number] == arm]
        assert first(overview["At least one event"][place]) == len({number for number, _ in mine})
        serious = {number for number, items in mine if items["AESER"] == "Y"}
        assert first(overview["Serious"][place]) == len(serious)
        high = {number for number, items in mine if int(items["AETOXGR"] or 0) >= 3}
        assert first(overview["Grade 3 or more"][place]) == len(high)
        size = sum(arms[number] == arm for number in dosed)
        share = f"{100 * len({number for number, _ in mine}) / size:.1f}"
        assert terms["At least one"][place] == f"{len({number for number, _ in mine})} ({share}) {len(mine)}"
    for term in {items["AETERM"] for _, items in rows}:
        assert terms[str(term)][2].endswith(f" {sum(items['AETERM'] == term for _, items in rows)}")


def test_the_primary_scale_by_visit_is_what_was_scored(trial):
    _, _, datasets, _ = made(trial.store)
    rows = [
        row for row in datasets["ADQS"].records() if row["PARAMCD"] == "FMAMOTOT" and row["DTYPE"] is None
    ]
    expected = {
        (one.number, VISITS.get(visit, "BASELINE"), total)
        for one in trial.courses
        for visit, total in one.fma.items()
    }
    assert {
        (str(row["USUBJID"])[-5:], row["AVISIT"], int(float(str(row["AVAL"])))) for row in rows
    } == expected
    base = {one.number: one.fma["V2"] for one in trial.courses if one.fma}
    for row in rows:
        assert row["BASE"] == base[str(row["USUBJID"])[-5:]]
        if row["AVISIT"] != "BASELINE":
            assert row["CHG"] == float(str(row["AVAL"])) - float(str(row["BASE"]))


def test_a_death_sets_zero_at_every_later_visit_and_says_so(trial):
    _, _, datasets, _ = made(trial.store)
    (dead,) = (one for one in trial.courses if one.ended == "DEATH")
    rows = [
        row for row in datasets["ADQS"].records()
        if row["PARAMCD"] == "FMAMOTOT" and str(row["USUBJID"]).endswith(dead.number) and row["ANL01FL"] == "Y"
    ]  # fmt: skip
    seen = {VISITS[visit] for visit in dead.fma if visit in VISITS}
    person = next(row for row in datasets["ADSL"].records() if str(row["USUBJID"]).endswith(dead.number))
    died = (
        dt.date.fromisoformat(str(person["DTHDT"])) - dt.date.fromisoformat(str(person["REFDT"]))
    ).days + 1
    later = {
        visit for visit, target in {"D28": 29, "D90": 90, "D180": 180, "D365": 365}.items() if target >= died
    }
    assert {row["AVISIT"] for row in rows if row["DTYPE"] == "DEATH"} == later - seen
    assert {row["AVAL"] for row in rows if row["DTYPE"] == "DEATH"} == {0.0}


def test_every_number_leads_to_entries_that_exist(trial):
    known = {
        f"{hashlib.sha256(one.header.stream.encode()).hexdigest()[:12]}/{one.header.seq}"
        for held in entries(trial.store).values()
        for one in held
    }
    linked = 0
    for shown in made(trial.store)[3].exhibits:
        for line in shown.lines:
            for cell in line.cells:
                for row in cell.rows:
                    assert row.entries, (shown.id, line.say("en"))
                    assert set(row.entries.split()) <= known, (shown.id, row)
                    linked += 1
    assert linked > 1000


def test_a_value_leads_to_the_form_it_was_saved_on(trial):
    _, _, datasets, _ = made(trial.store)
    forms = {
        f"{hashlib.sha256(one.header.stream.encode()).hexdigest()[:12]}/{one.header.seq}": one.entry
        for held in entries(trial.store).values()
        for one in held
    }
    for row in datasets["ADQS"].records():
        if row["PARAMCD"] == "BI" and row["DTYPE"] is None:
            saved = forms[str(row["EQLEDGER"])]
            assert isinstance(saved, FormSaved)
            assert saved.form == "BI"
            assert (
                sum(int(one.value or 0) for name, one in saved.items.items() if name.isdigit()) == row["AVAL"]
            )


@pytest.mark.parametrize("variable", ["TRTSDT", "RANDNO", "EOSSTT"])
def test_values_of_adsl_name_their_own_entries(trial, variable):
    kinds = {"TRTSDT": "InfusionStarted", "RANDNO": "SubjectRandomized", "EOSSTT": None}
    _, _, datasets, _ = made(trial.store)
    where = {
        f"{hashlib.sha256(one.header.stream.encode()).hexdigest()[:12]}/{one.header.seq}": one.header.kind
        for held in entries(trial.store).values()
        for one in held
    }
    adsl, seen = datasets["ADSL"], 0
    for place, value in enumerate(adsl.column(variable)):
        if value is None or variable not in adsl.sources.get(place, {}):
            continue
        named = {where[one] for one in adsl.sources[place][variable].split()}
        assert kinds[variable] is None or kinds[variable] in named
        seen += 1
    assert seen

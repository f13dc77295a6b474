"""The model of people: formulas, draws, sharing of totals, what is refused, and what the model implies.

Expected values are hand calculations in the comments, the study's own scales, and the targets that the model file names
with their sources.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.instruments import Scale, limited, scale, score, unanswered
from equipoise.protocol.load import load_study
from equipoise.protocol.notation import Located, read_yaml
from equipoise.protocol.study import Study
from equipoise.simulation.people import (
    Lived,
    PeopleModel,
    VirtualParticipant,
    draw_participant,
    load_people,
)
from equipoise.simulation.people.arrivals import arrive
from equipoise.simulation.people.chances import Chances
from equipoise.simulation.people.course import course_of
from equipoise.simulation.people.definition import Accrual
from equipoise.simulation.people.events import draw_events
from equipoise.simulation.people.formula import FormulaError, read_formula
from equipoise.simulation.people.implied import implied
from equipoise.simulation.people.load import read_people
from equipoise.simulation.people.moments import Nature
from equipoise.simulation.people.natures import draw_nature
from equipoise.simulation.people.sharing import share_out
from equipoise.words.problem import Problem

FOLDER = Path(__file__).resolve().parents[3] / "studies" / "nct07197606"
TEXT = (FOLDER / "people.yaml").read_text("utf-8")
ZERO = dt.date(2026, 3, 2)
PEOPLE = 400


@pytest.fixture(scope="module")
def study() -> Study:
    """The first study."""
    found = load_study(FOLDER)
    assert isinstance(found, Study)
    return found


@pytest.fixture(scope="module")
def model(study: Study) -> PeopleModel:
    """Its people."""
    return read(TEXT, study)


@pytest.fixture(scope="module")
def natures(model: PeopleModel, study: Study) -> list[Nature]:
    """Eligible people."""
    drawn = [draw_nature(model, study, "design", Chances(11, str(k)), ("01", ZERO)) for k in range(PEOPLE)]
    assert not any(isinstance(one, Problem) for one in drawn)
    return [one for one in drawn if isinstance(one, Nature)]


def read(text: str, study: Study) -> PeopleModel:
    """The model of a text, which is one."""
    found = read_people(located(text), study)
    assert isinstance(found, PeopleModel), [f"{each.where} {each.say()}" for each in found]
    return found


def located(text: str) -> Located:
    """A text as read."""
    found = read_yaml(text.encode(), "people.yaml")
    assert isinstance(found, Located), found
    return found


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 2 * 3 - 4 / 2", 5.0),  # 1 + 6 - 2
        ("-(2 - 5)", 3.0),
        ("1 / 0", 0.0),  # as documented: never a fault while somebody is drawn
        ("near(47.5, 5)", 50.0),  # 47.5 lies half-way: up
        ("near(-0.5)", 0.0),
        ("below(25, 61, 53, 42, 20)", 3.0),  # below 61, 53 and 42, not below 20
        ("clip(7, 0, 5)", 5.0),
        ("exp(0) + log(1) + sqrt(9)", 4.0),
        ("x > 2 and not (x > 3) ? 10 : 20", 10.0),  # x is 3
        ('word == "a" or 0', 1.0),
        ("2 < 1 ? 1 : 2 < 3 ? 4 : 5", 4.0),
    ],
)
def test_formulas(source: str, value: float) -> None:
    """Arithmetic by hand."""
    assert read_formula(source).value({"x": 3.0, "word": "a"}) == value


@pytest.mark.parametrize(
    "source", ["", "1 +", "(1", "1 2", "sin(1)", "clip(1)", "a b", "x ? 1", "1 = 2", "((" * 60]
)
def test_what_is_no_formula_is_refused(source: str) -> None:
    """With a reason for the reader."""
    with pytest.raises(FormulaError):
        read_formula(source)


@given(st.text(alphabet='()+-*/ 01x,?:<>="andornot', max_size=40))
def test_a_formula_never_does_anything_else(source: str) -> None:
    """Whatever is written is a value, or refused with a reason; nothing else is raised."""
    try:
        found = read_formula(source)
        outcome: float | str = found.value({"x": 1.0}) if found.names <= {"x"} else 0.0
    except FormulaError as fault:
        outcome = fault.reason
    assert isinstance(outcome, float | str)
    assert outcome != ""


def test_chances_are_uniform_and_their_own() -> None:
    """Mean and variance of 4,000 numbers lie within 4 standard errors of 1/2 and 1/12; normal ones follow NormalDist."""
    numbers = [Chances(1, "0", "").uniform(str(k)) for k in range(4000)]
    assert abs(sum(numbers) / 4000 - 0.5) < 4 * math.sqrt(1 / 12 / 4000)
    assert abs(sum((x - 0.5) ** 2 for x in numbers) / 4000 - 1 / 12) < 4 * math.sqrt(1 / 180 / 4000)
    one = Chances(1, "0", "V2")
    assert one.normal("x") == NormalDist().inv_cdf(one.uniform("x"))
    assert (
        len(
            {
                one.uniform("x"),
                one.uniform("y"),
                one.at("V3").uniform("x"),
                Chances(2, "0", "V2").uniform("x"),
            }
        )
        == 4
    )


TOTALS = [
    ("FMA", "FMAUETOT"), ("FMA", "FMALETOT"), ("FMA", "FMASETOT"), ("FMA", "FMABATOT"), ("FMA", "FMAROTOT"),
    ("FMA", "FMAPNTOT"), ("BI", "BI0111"), ("MMSE", "MMS112"), ("NIHSS", "NIH0116"),
]  # fmt: skip


def steps(used: Scale, testcd: str) -> Iterator[int]:
    """Every total that a scale can have."""
    total = used.total(testcd)
    assert total is not None
    yield from range(total.minimum, total.maximum + 1, used.step)


@pytest.mark.parametrize(("scale_id", "testcd"), TOTALS)
def test_items_add_up_to_every_total(scale_id: str, testcd: str, model: PeopleModel) -> None:
    """Of each of the five instruments (mRS has one item): allowed scores, the total as the instrument counts it,
    nothing unanswered; with the model's own order of difficulty and with far more noise."""
    used = scale(scale_id)
    assert used is not None
    used = limited(used, (testcd,)) if scale_id == "FMA" else used
    easy = next(
        (shared.easy for form in model.forms.values() for shared in form.shared if shared.total == testcd), {}
    )
    tops = {item.id: item.maximum for item in used.items}
    for value in steps(used, testcd):
        for number, noise in enumerate((0.0, 0.1, 2.0)):
            found = share_out(used, testcd, value, easy, noise, Chances(number, str(value)))
            for item, given_score in found.items():
                asked = used.item(item)
                assert asked is not None
                assert asked.allows(given_score)
            assert score(used, found)[testcd].official == value, (value, noise, found)
            for gate in used.gates:
                closed = any(found[key] < tops[key] for key in gate.opened_by if key in found)
                assert not (closed and found.get(gate.item)), (value, noise, found)
            assert not unanswered(used, found)


BAD = [
    ("sd: 8.5", "sd: -8.5", "virtual.spread"),
    ("sigma: 0.55", "sigma: -0.55", "virtual.spread"),
    ("sd: 3.0, rho: 0.75", "sd: -3.0, rho: 0.75", "virtual.spread"),
    ("rho: 0.75", "rho: 1.5", "virtual.correlation"),
    ("{chance: 0.66}", "{chance: 1.66}", "virtual.rate"),
    ("fails: 0.45", "fails: 45", "virtual.rate"),
    ("rate: 0.04, ratio: 2.5", "rate: 4, ratio: 2.5", "virtual.rate"),
    ("median: 38, sigma", "median: 0, sigma", "virtual.median"),
    ("within: [18.1, 70.9]", "within: [70.9, 18.1]", "virtual.bounds"),
    ("within: [18.1, 70.9]", "within: [18.1]", "virtual.pair"),
    ("poor: 0.37, moderate", "poor: -0.37, moderate", "virtual.weights"),
    ("  FMAX:\n", "  FMAZ:\n", "virtual.form-unknown"),
    ("      BRTHDAT:", "      BIRTHDAY:", "virtual.item-unknown"),
    ("SEX: {if: male, then: M,", "SEX: {if: male, then: X,", "virtual.code-unknown"),
    ("FMAUETOT: {draw", "FMAUPPER: {draw", "virtual.total-unknown"),
    ("visits: [V1, V2]", "visits: [V1, V99]", "virtual.visit-unknown"),
    ("criterion: I04", "criterion: I44", "virtual.criterion"),
    ("default: modest", "default: large", "virtual.scenario"),
    ("  MSC: {active", "  CELLS: {active", "virtual.arms"),
    ("per_month: 3.4", "per_month: 0", "virtual.nobody-comes"),
    ("= -near(age * 365.25)", "= -near(aeg * 365.25)", "virtual.name-unknown"),
    ("= -near(age * 365.25)", "= -near(age * ", "virtual.formula"),
    ("{chance: 0.66}", "{chances: 0.66}", "virtual.not-a-draw"),
    ("{chance: 0.66}", "{chance: 0.66, of: 2}", "virtual.key-unknown"),
    (
        "{name: male, draw: {chance: 0.66}, source: cnsr}",
        "{name: male, draw: {chance: 0.66}}",
        "virtual.no-reason",
    ),
    ("{chance: 0.66}, source: cnsr", "{chance: 0.66}, source: hearsay", "virtual.source-unknown"),
    ("{missing: NA}", "{missing: XX}", "virtual.missing-code"),
    ("study: nct07197606", "study: another", "virtual.other-study"),
    ("  dies: {draw: {chance: 0.025}, source: calibrated}\n", "", "virtual.course"),
    ("{name: height,", "{name: weight,", "virtual.name-twice"),
]


def planted() -> Iterator[tuple[str, list[str]]]:
    """The real model with as many of the faults as can stand beside one another, until each was planted."""
    left = list(BAD)
    while left:
        text, rules, later = TEXT, [], []
        touched: set[str] = set()
        for right, wrong, rule in left:
            assert right in TEXT, right
            if right in touched or right not in text:
                later.append((right, wrong, rule))
                continue
            text, rules = text.replace(right, wrong, 1), [*rules, rule]
            touched.add(right)
        yield text, rules
        left = later


def test_what_cannot_be_is_refused_with_its_place(study: Study) -> None:
    """Every fault that is planted is named, several at once, each with a line of the file, in both languages."""
    seen = 0
    for text, rules in planted():
        found = read_people(located(text), study)
        assert isinstance(found, tuple)
        assert not Counter(rules) - Counter(each.rule for each in found), rules
        for each in found:
            assert re.match(r"people\.yaml:[0-9]+:[0-9]+", each.where), each
            assert "{" not in each.say("en") + each.say("zh").replace("{…}", ""), each
        seen += len(rules)
    assert seen == len(BAD)


def test_a_study_without_a_model_is_told_which_file_to_write(study: Study, tmp_path: Path) -> None:
    """The file and the folder stand in the answer."""
    found = load_people(tmp_path, study)
    assert isinstance(found, tuple)
    assert [each.rule for each in found] == ["virtual.no-model"]
    assert "people.yaml" in found[0].say()
    assert str(tmp_path) in found[0].say()


def test_the_model_is_as_near_to_its_targets_as_it_says(model: PeopleModel, study: Study) -> None:
    """Each moment lies within its bound and three standard errors of the simulation."""
    found = implied(model, study, 350, 5)
    assert not isinstance(found, Problem)
    assert len(found) == len(model.targets) >= 80
    assert [(one.target.id, one.target.value, one.found, one.error) for one in found if not one.holds()] == []


@pytest.mark.nightly
def test_the_model_is_near_to_its_targets_with_many_people(model: PeopleModel, study: Study) -> None:
    """As above with 6,000 people, where the error of the simulation is a quarter as large; two errors are allowed."""
    found = implied(model, study, 6000, 6)
    assert not isinstance(found, Problem)
    assert [
        (one.target.id, one.target.value, one.found, one.error) for one in found if not one.holds(2.0)
    ] == []


def test_a_target_that_is_missed_is_seen(study: Study) -> None:
    """Shown on a model whose treatment does twice as much: its differences are found to be off."""
    found = implied(read(TEXT.replace("design: {te: 14,", "design: {te: 28,"), study), study, 100, 5)
    assert not isinstance(found, Problem)
    assert {one.target.id for one in found if not one.holds()} >= {"effect-design-fma", "effect-design-bi"}


def at_month_six(nature: Nature, scenario: str, arm: str) -> float:
    """The motor score of a person six months after the first dose, before the rater's error."""
    one = nature.zero + dt.timedelta(days=int(float(nature.variables["wait"])))
    own = {**nature.variables, **nature.model.scenarios[scenario]}
    person = Nature(nature.model, nature.study, scenario, nature.chances, nature.site, nature.zero, own)
    marks = dict.fromkeys(nature.model.events.marks, 0.0) if nature.model.events is not None else {}
    found = person.at("V9", one + dt.timedelta(days=179), Lived(arm, (one,)), marks)
    return float(found["arm"]) + float(found["leg"])


def test_scenarios_are_ordered_in_every_person(natures: list[Nature]) -> None:
    """null < modest < moderate < design under treatment, all the same under placebo; under null the arms are equal."""
    better = 0
    for nature in natures[:150]:
        gains = [at_month_six(nature, name, "MSC") for name in ("null", "modest", "moderate", "design")]
        without = {at_month_six(nature, name, "PLACEBO") for name in ("null", "modest", "moderate", "design")}
        assert gains == sorted(gains)
        assert without == {gains[0]}
        better += gains[0] < gains[1] < gains[2]
    assert better > 140  # of 150: whoever is near the top of the scale cannot gain more


def test_events_come_at_their_rates(natures: list[Nature], model: PeopleModel) -> None:
    """Under placebo each term's share is its rate of the model within 3.5 standard errors; under cells the events of
    placebo are all there where the ratio is 1 or more, and pyrexia comes 2.5 times as often (thompson: RR 2.48)."""
    assert model.events is not None
    counts: dict[str, list[int]] = {row.id: [0, 0] for row in model.events.rows}
    for nature in natures:
        one = nature.zero + dt.timedelta(days=int(float(nature.variables["wait"])))
        doses = (one, one + dt.timedelta(days=7))
        course = course_of(nature)
        placebo = {event.id for event in draw_events(nature, course, Lived("PLACEBO", doses))}
        cells = {event.id for event in draw_events(nature, course, Lived("MSC", doses))}
        assert placebo - cells <= {row.id for row in model.events.rows if row.ratio < 1}
        for name in placebo:
            counts[name][0] += 1
        for name in cells:
            counts[name][1] += 1
    for row in model.events.rows:
        if row.rate.names:  # death has the rate of the course
            continue
        rate = row.rate.number(Chances(0, "0"), "rate", {})
        lost = 0.06 * rate  # who leaves early has no event afterwards: about 12 of 100, half a year early
        error = math.sqrt(rate * (1 - rate) / len(natures))
        assert -3.5 * error - lost <= counts[row.id][0] / len(natures) - rate <= 3.5 * error, row.id
    fever = counts["pyrexia"]
    assert fever[1] > 1.5 * fever[0]


def test_courses_end_at_their_rates(natures: list[Nature]) -> None:
    """Death 2.5 %, withdrawal 6 %, loss 4 %, never infused 2 % (the model's own rates), within 3.5 standard errors."""
    courses = [course_of(nature) for nature in natures]
    shares = {
        0.025: [course.death_day is not None for course in courses],
        0.06: [course.withdrawal_day is not None for course in courses],
        0.04: [course.lost_day is not None for course in courses],
        0.02: [course.never_infused for course in courses],
    }
    for rate, holds in shares.items():
        error = math.sqrt(rate * (1 - rate) / len(courses))
        assert abs(sum(holds) / len(courses) - rate) < 3.5 * error, rate


def test_a_new_quantity_changes_no_other(study: Study, model: PeopleModel) -> None:
    """A model with one variable and one item more draws the same people."""
    more = TEXT.replace(
        "  - {name: male,",
        "  - {name: spare, draw: {normal: {mean: 0, sd: 1}}, source: cnsr}\n  - {name: male,",
        1,
    )
    other = read(more, study)
    for index in range(5):
        one = draw_nature(model, study, "null", Chances(3, str(index)), ("01", ZERO))
        two = draw_nature(other, study, "null", Chances(3, str(index)), ("01", ZERO))
        assert isinstance(one, Nature)
        assert isinstance(two, Nature)
        assert dict(one.variables) == {
            name: value for name, value in two.variables.items() if name != "spare"
        }


def test_people_arrive_as_the_sites_open() -> None:
    """By day 400 the sites have been open 400, 370 and 340 days; less half a ramp of 61 that makes 1018.5 full days of
    3.4 a month (30.4375 days): 113.8 people. The mean of 20 rehearsals lies within 3 of its standard errors, 2.39."""
    accrual = Accrual(per_month=3.4, ramp_days=61, opens_every_days=30)
    counts, sites = [], Counter[str]()
    for seed in range(20):
        arrivals = [arrive(accrual, ["A", "B", "C"], seed, index) for index in range(170)]
        days = [day for day, _ in arrivals]
        assert days == sorted(days)
        assert days[-1] >= 400
        counts.append(sum(day < 400 for day in days))
        sites.update(site for day, site in arrivals if day < 400)
    assert abs(sum(counts) / 20 - 113.8) < 3 * math.sqrt(113.8 / 20)
    assert sites["A"] > sites["B"] > sites["C"]  # who opens first sees more


MARKERS = {
    "IL6": (4.5, 0.75), "TNFA": (8.0, 0.45), "HSCRP": (2.6, 0.95), "BDNF": (18, 0.45), "VEGF": (330, 0.60),
    "S100B": (0.09, 0.50), "NFL": (95, 0.75),
}  # fmt: skip
"""Medians at baseline and spreads of the logarithm, as the calibration has them (source `calibrated` of the model)."""


def test_biomarkers_have_their_medians(model: PeopleModel, study: Study) -> None:
    """The mean logarithm at baseline lies within 4 standard errors of that of the median; the spread is 0.86 of the
    calibrated one (0.7 of it a person's, 0.5 the day's: the root of 0.49 + 0.25). NfL halves more than twice by month
    6, as published of its natural course; the first door sees none of them."""
    people = [draw_participant(model, study, "modest", 2, index, ZERO) for index in range(130)]
    drawn: dict[tuple[str, str], list[float]] = {}
    for person in people:
        assert isinstance(person, VirtualParticipant)
        if person.fails is not None:
            continue
        lived = Lived("PLACEBO", (person.day_one,))
        for visit, days in (("V2", 0), ("V9", 179)):
            on = person.day_one + dt.timedelta(days=days)
            (found,) = person.results(visit, on, lived)["BIOM"]
            assert not set(MARKERS) & set(person.visit(visit, on, lived)["BIOM"][0])
            for name in MARKERS:
                drawn.setdefault((visit, name), []).append(math.log(float(found[name].value or "nan")))
    for name, (median, sigma) in MARKERS.items():
        logs = drawn["V2", name]
        error = 0.86 * sigma / math.sqrt(len(logs))
        assert abs(sum(logs) / len(logs) - math.log(median)) < 4 * error, name
    decay = sum(drawn["V9", "NFL"]) / len(drawn["V9", "NFL"]) - sum(drawn["V2", "NFL"]) / len(
        drawn["V2", "NFL"]
    )
    assert decay < 2 * math.log(0.5)

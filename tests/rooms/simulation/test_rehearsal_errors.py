"""Errors of virtual staff that nobody sees at once: a site that copies and a rater who drifts show in what they write.

Expected values are the rates given in each test, with four standard errors of a share for how far chance may carry it.
"""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from types import SimpleNamespace

import pytest

from equipoise.capture.evolve import Place
from equipoise.capture.questions import questions
from equipoise.protocol.load import load_study
from equipoise.simulation.people import load_people
from equipoise.simulation.rehearsal.case import Case
from equipoise.simulation.rehearsal.chance import Chance
from equipoise.simulation.rehearsal.drawn import drawing
from equipoise.simulation.rehearsal.entering import Typist
from equipoise.simulation.rehearsal.incidents import copied
from equipoise.simulation.rehearsal.staff import Rater, load_staff
from equipoise.simulation.rehearsal.stage import Tally

FOLDER = Path(__file__).resolve().parents[3] / "studies" / "nct07197606"
STUDY = load_study(FOLDER)
OPENS = dt.date(2026, 3, 2)
VISITS = ("V2", "V6", "V8", "V9")
BEGAN = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
PULSE = ("VS", "PULSE")
"""A measurement that no healthy body repeats to the unit at visit after visit."""


@pytest.fixture(scope="module")
def people():
    draw = drawing(load_people(FOLDER, STUDY), STUDY, "null", 1, OPENS)
    return [one for one in map(draw, range(12)) if not one.fails][:5]


def stage(**rates):
    """What a typist and a copying site need of a stage."""
    staff = load_staff(FOLDER, STUDY)
    staff = staff.model_copy(update={"rates": staff.rates.model_copy(update=rates)})
    return SimpleNamespace(
        study=STUDY, staff=staff, chance=Chance(3), tally=Tally(), clock=SimpleNamespace(at=BEGAN)
    )


def measured(form):
    """The items of a form that are measured or scored."""
    return {
        each.id
        for each in questions(form)
        if not each.revealing
        and (each.scored is not None or (each.own is not None and each.own.type in {"integer", "decimal"}))
    }


def written(people, *, copies):
    """(Person, form, item) -> the value of one visit beside that of the next at which the form has it."""
    last, found = {}, {}
    for number, person in enumerate(people):
        case = Case(number, person, "", OPENS, randomized=OPENS)
        case.doses.append(OPENS + dt.timedelta(days=7))
        for ahead, visit in enumerate(VISITS):
            answered = person.filled(visit, case.moment(OPENS + dt.timedelta(days=7 + 40 * ahead)))
            for filled in copied(stage(), case, answered) if copies else answered:
                form, whose = STUDY.form(filled.form), (number, filled.form, filled.repeat)
                if filled.row or form is None:
                    continue
                case.saved[Place(visit, filled.form, filled.repeat)] = dict(filled.items)
                now = {item: said.value for item, said in filled.items.items() if item in measured(form)}
                for item in now.keys() & last.get(whose, {}).keys():
                    found.setdefault((number, filled.form, item), []).append((last[whose][item], now[item]))
                last[whose] = now
    return found


def unchanged(found):
    """The share of values that are what they were the time before."""
    pairs = [one == other for said in found.values() for one, other in said]
    return sum(pairs) / len(pairs)


def test_a_site_that_copies_repeats_itself_and_an_honest_one_does_not(people):
    honest, fraudulent = written(people, copies=False), written(people, copies=True)
    assert honest.keys() == fraudulent.keys()
    assert unchanged(fraudulent) == 1
    assert unchanged(honest) < 0.8
    own, theirs = (
        [said for (_, *place), said in of.items() if tuple(place) == PULSE] for of in (honest, fraudulent)
    )
    assert len(own) == len(theirs) == len(people)
    assert all(
        any(one != other for one, other in said) for said in own
    )  # low variance is the site's, not a person's
    assert all(one == other for said in theirs for one, other in said)


@pytest.mark.parametrize(("years", "expected"), [(0, 0.1), (1, 0.3), (2, 0.5), (9, 1.0)])
def test_a_rater_who_drifts_scores_higher_as_the_years_go_by(people, years, expected):
    """Bias 0.1 and 0.2 a year: 0.1 + 0.2 x years, and never more than 1."""
    acted = stage(rater=Rater(bias=0.1, drift_per_year=0.2), mistyped=0.0, blank=0.0)
    typist = Typist(acted)
    acted.clock.at = BEGAN + dt.timedelta(days=365 * years)
    raised = asked = 0
    for number, person in enumerate(people):
        case = Case(number, person, "", OPENS)
        for visit in VISITS:
            for filled in person.filled(visit, case.moment(OPENS + dt.timedelta(days=30))):
                form = STUDY.form(filled.form)
                scored = {
                    each.id: each
                    for each in questions(form)
                    if each.scored is not None and not each.revealing
                }
                before = {item: said for item, said in filled.items.items() if item in scored and said.value}
                if filled.row or not before:
                    continue
                place = Place(visit, filled.form, filled.repeat)
                case.saved[place] = dict(before)
                after = typist._typed(case, scored, place, before)
                for item, said in before.items():
                    highest = max(scored[item].scored.scores)
                    if int(said.value) < highest:  # who has the highest score cannot be given a higher one
                        asked += 1
                        raised += after[item] != said
                assert case.saved[place] == after  # the rater believes it, so no comparison finds it
    assert asked > 500
    assert abs(raised / asked - expected) <= 4 * math.sqrt(expected * (1 - expected) / asked)

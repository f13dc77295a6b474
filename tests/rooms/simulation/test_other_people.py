"""The people of another study, quite unlike the first: that nothing of the first is in the program.

Expected values are the second study's own rules and the numbers of its model, worked out in the comments.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from equipoise.capture.consequences import Now, consequences
from equipoise.capture.evolve import Instance, Place, State
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.simulation.people import Lived, PeopleModel, VirtualParticipant, draw_participant, load_people
from equipoise.simulation.people.implied import implied
from equipoise.words.dates import PartialDate
from equipoise.words.problem import Problem

FOLDER = Path(__file__).resolve().parents[2] / "studies" / "second"
OPENS = dt.date(2026, 4, 1)


@pytest.fixture(scope="module")
def study() -> Study:
    """The second study."""
    found = load_study(FOLDER)
    assert isinstance(found, Study)
    return found


@pytest.fixture(scope="module")
def model(study: Study) -> PeopleModel:
    """Its people."""
    found = load_people(FOLDER, study)
    assert isinstance(found, PeopleModel), [f"{each.where} {each.say()}" for each in found]
    return found


def test_the_people_of_another_study(model: PeopleModel, study: Study) -> None:
    """Every form of every visit in each of the three arms is taken by the study; both ways of failing occur."""
    fails: list[str] = []
    for index in range(90):
        person = draw_participant(model, study, "some", 5, index, OPENS)
        assert isinstance(person, VirtualParticipant)
        if person.fails is not None:
            fails.append(person.fails)
            continue
        lived = Lived(study.arms[index % 3].id, (person.day_one + dt.timedelta(days=6),))
        for visit in study.schedule.visits:
            assert visit.day is not None
            on = person.screened_on if visit.id == "W0" else person.day_one + dt.timedelta(days=visit.day - 1)
            forms = person.screening if visit.id == "W0" else person.visit(visit.id, on, lived)
            wanted = {
                form for one in study.schedule.activities if visit.id in one.visits for form in one.forms
            }
            assert set(forms) == wanted - {"REMEDY"}
            for form, (answers,) in {**forms, **person.logs(on, lived)}.items():
                place = Place(visit.id, form, 1)
                found = consequences(
                    study, State(forms={place: Instance()}), place, answers, Now(PartialDate.of(on))
                )
                assert not found.lacking, (place, answers)
                assert not found.hidden & set(answers), (place, answers)
                assert not found.findings, (place, answers, found.findings)
    assert set(fails) == {"IN2", "EX2"}
    assert 0.1 < len(fails) / 90 < 0.5  # 0.3, and four standard errors are 0.19


def test_its_effect_is_what_the_model_says(model: PeopleModel, study: Study) -> None:
    """27.5 minutes less awake in week 6 with a coach by phone."""
    found = implied(model, study, 60, 1)
    assert not isinstance(found, Problem)
    assert [one.holds() for one in found] == [True]

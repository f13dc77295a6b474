"""Virtual participants against the study: what is drawn is what its forms take, and who comes is as the model says.

Expected values are the study's own rules, the shares of the model file, and arithmetic in the comments.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from equipoise.capture.binding import bind
from equipoise.capture.consequences import Consequences, Now, consequences
from equipoise.capture.evolve import Instance, Place, State
from equipoise.capture.parsing import parse
from equipoise.capture.questions import question
from equipoise.diary.judging import answers_fault
from equipoise.eligibility.judgement import judge
from equipoise.ledger.entries import Datum
from equipoise.ledger.facts import DoseGiven
from equipoise.protocol.expressions import Logical
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.simulation.people import (
    Lived,
    PeopleModel,
    VirtualParticipant,
    draw_participant,
    load_people,
)
from equipoise.words.dates import PartialDate
from equipoise.words.problem import Problem
from equipoise.words.truth import Truth

FOLDER = Path(__file__).resolve().parents[3] / "studies" / "nct07197606"
OPENS = dt.date(2026, 3, 2)
PLANNED = ("V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9", "V10", "V11")
TRUE_FINDINGS = frozenset(
    {
        "fever-is-an-event",
        "fever-around-infusion",  # a fever that was drawn as an adverse event
        "negative-before-cells",  # antibodies of an old infection
        "stable-since-screening",
    }
)
"""Checks that may rightly ask about a value that was drawn: what they find is so."""


@pytest.fixture(scope="module")
def study() -> Study:
    """The first study."""
    found = load_study(FOLDER)
    assert isinstance(found, Study)
    return found


@pytest.fixture(scope="module")
def model(study: Study) -> PeopleModel:
    """Its people."""
    found = load_people(FOLDER, study)
    assert isinstance(found, PeopleModel), [each.say() for each in found]
    return found


def drawn(model: PeopleModel, study: Study, index: int, scenario: str = "modest") -> VirtualParticipant:
    """A participant, who is there."""
    found = draw_participant(model, study, scenario, 7, index, OPENS)
    assert isinstance(found, VirtualParticipant)
    return found


def eligible(model: PeopleModel, study: Study, count: int) -> list[VirtualParticipant]:
    """The first so many who do not fail screening."""
    people = (drawn(model, study, index) for index in range(10 * count))
    return [next(one for one in people if one.fails is None) for _ in range(count)]


def on_visit(person: VirtualParticipant, study: Study, visit: str) -> dt.date:
    """The planned date of a visit."""
    planned = study.visit(visit)
    assert planned is not None
    assert planned.day is not None
    if visit == "V1":
        return person.screened_on
    return person.day_one + dt.timedelta(days=planned.day - 1)


class Casebook:
    """What a participant's forms would be: every save is read and judged as the program does it."""

    def __init__(self, study: Study, person: VirtualParticipant) -> None:
        self.study, self.person = study, person
        self.state = State()
        self.doses: dict[str, DoseGiven] = {}

    def save(self, place: Place, answers: Mapping[str, Datum], on: dt.date) -> Consequences:
        """What follows from a form; the form is kept."""
        form = self.study.form(place.form)
        assert form is not None
        values = {}
        for name, given in answers.items():
            asked = question(form, name)
            assert asked is not None, (place, name)
            read = parse(self.study, asked, given, on)
            assert not isinstance(read, Problem), (place, name, given, read.say())
            values[name] = read
        now = Now(
            PartialDate.of(on), PartialDate.of(self.person.screened_on), (), MappingProxyType(self.doses)
        )
        found = consequences(self.study, self.state, place, values, now)
        forms = {**self.state.forms, place: Instance(values=MappingProxyType(values))}
        self.state = State(forms=MappingProxyType(forms))
        return found

    def visit(self, visit: str, on: dt.date, lived: Lived) -> Iterator[tuple[Place, Consequences]]:
        """Every form of a visit with what follows from it; rows dated the next day are saved on it."""
        forms = self.person.screening if visit == "V1" else self.person.visit(visit, on, lived)
        for form, rows in forms.items():
            for repeat, answers in enumerate(rows, 1):
                place = Place(visit, form, repeat)
                yield place, self.save(place, answers, on + dt.timedelta(days=1))


def course(person: VirtualParticipant, study: Study, arm: str) -> Lived:
    """Both doses on their planned days."""
    return Lived(arm, (on_visit(person, study, "V2"), on_visit(person, study, "V4")))


@pytest.mark.parametrize("arm", ["MSC", "PLACEBO"])
def test_every_form_is_taken_by_the_study(model: PeopleModel, study: Study, arm: str) -> None:
    """Every answer is read, nothing is hidden or lacking, and no check asks but where it is right to."""
    wrong = []
    for person in eligible(model, study, 6):
        book, lived = Casebook(study, person), course(person, study, arm)
        for visit in PLANNED:
            on = on_visit(person, study, visit)
            if visit in {"V2", "V4"}:
                share = person.dose_share(visit, on, lived)
                book.doses[visit] = DoseGiven(share, 60)
            for place, found in book.visit(visit, on, lived):
                wrong += [
                    (place, "hidden", name) for name in found.hidden & set(book.state.form(place).values)
                ]
                wrong += [(place, "lacking", name) for name in found.lacking if not _elsewhere(place, name)]
                wrong += [(place, each.rule) for each in found.findings if each.rule not in TRUE_FINDINGS]
    assert not wrong


def _elsewhere(place: Place, name: str) -> bool:
    """What the specimen's own page fills in."""
    return place.form == "BIOM" and name == "BIOACC"


def test_every_form_of_the_schedule_is_drawn(model: PeopleModel, study: Study) -> None:
    """At each visit each form that the schedule asks for, or the values of it behind the second door."""
    person = next(
        one
        for one in eligible(model, study, 8)
        if one.caregiver and not one.course.never_infused and one.course.doses["D2"]
    )
    lived = course(person, study, "MSC")
    for visit in PLANNED:
        on = on_visit(person, study, visit)
        asked = {
            form
            for activity in study.schedule.activities
            if visit in activity.visits
            for form in activity.forms
            if (found := study.form(form)) is not None and found.log is None
        }
        have = {
            *(person.screening if visit == "V1" else person.visit(visit, on, lived)),
            *person.results(visit, on, lived),
        }
        assert asked == have, visit


def test_screening_ends_as_drawn(model: PeopleModel, study: Study) -> None:
    """The study's own judgement says of each person what was drawn: eligible, or that criterion not met."""
    told = set()
    for index in range(60):
        person = drawn(model, study, index)
        book = Casebook(study, person)
        list(book.visit("V1", person.screened_on, Lived("PLACEBO")))
        inputs = dict(
            bind(
                study,
                book.state,
                PartialDate.of(person.screened_on),
                None,
                PartialDate.of(person.screened_on),
            )
        )
        signed = {"participant_signed": Truth.TRUE, "lr_signed": Truth.FALSE, "capacity_lacking": Truth.FALSE}
        inputs |= {name: Logical(truth) for name, truth in signed.items()}
        verdict = judge(study, inputs)
        broken = {
            each.id
            for each in study.criteria
            if each.enabled
            and verdict.results[each.id] is (Truth.TRUE if each.category == "exclusion" else Truth.FALSE)
        }
        assert broken == ({person.fails} if person.fails else set()), (index, person.fails, broken)
        assert all(truth is not Truth.UNKNOWN for truth in verdict.results.values())
        told.add(person.fails)
        assert person.lacks_capacity == (book.state.form(Place("V1", "NIHSS", 1)).values["9"].value == "3")
    assert None in told
    assert len(told) > 4


@pytest.mark.parametrize("arm", ["MSC", "PLACEBO"])
def test_rows_of_lists_are_taken_by_the_study(model: PeopleModel, study: Study, arm: str) -> None:
    """History, medication, training, devices and adverse events as they stand on several days."""
    wrong, listed = [], 0
    for person in eligible(model, study, 10):
        lived = course(person, study, arm)
        for days in (0, 40, 200, 364):
            on = person.day_one + dt.timedelta(days=days)
            book = Casebook(study, person)
            list(book.visit("V1", person.screened_on, lived))
            for form, rows in person.logs(on, lived).items():
                for repeat, answers in enumerate(rows, 1):
                    found = book.save(Place("LOG", form, repeat), answers, on)
                    listed += 1
                    wrong += [(form, repeat, answers, name) for name in found.lacking]
                    wrong += [(form, repeat, answers, each.rule) for each in found.findings]
    assert not wrong
    assert listed > 10 * 4 * 3  # at least a history, a medicine and a training each


def test_rows_keep_their_places(model: PeopleModel, study: Study) -> None:
    """What stood on a list stands there later, with the same words and the same start."""
    for person in eligible(model, study, 6):
        lived = course(person, study, "MSC")
        before: Mapping[str, tuple[Mapping[str, Datum], ...]] = {}
        for days in range(0, 360, 45):
            after = person.logs(person.day_one + dt.timedelta(days=days), lived)
            for form, rows in before.items():
                for old, new in zip(rows, after[form], strict=False):
                    assert {name for name in old if old[name] != new.get(name)} <= ENDING, (form, old, new)
            before = after


ENDING = frozenset(
    {
        "MHONGO",
        "MHENDAT",
        "MHTRTD",
        "CMONGO",
        "CMENDAT",
        "RHONGO",
        "RHENDAT",
        "DVONGO",
        "DVENDAT",
        "AEONGO",
        "AEENDAT",
        "AEOUT",
    }
)
"""The items of a list that change when what a row is about ends."""


def test_the_end_of_participation_is_taken_by_the_study(model: PeopleModel, study: Study) -> None:
    """Whoever dies, withdraws or is lost has a form that says so, at a visit that is not planned."""
    seen = set()
    for index in range(400):
        person = drawn(model, study, index)
        if person.fails is not None or person.course.end is None or person.course.end[0] in seen:
            continue
        how, day = person.course.end
        lived = course(person, study, "PLACEBO")
        on = person.day_one + dt.timedelta(days=day + 20)
        book = Casebook(study, person)
        list(book.visit("V1", person.screened_on, lived))
        found = {place.form: each for place, each in book.visit("UNS", on, lived)}
        assert not found["DS"].findings
        assert not found["DS"].lacking
        said = book.state.form(Place("UNS", "DS", 1)).values
        assert said["DSDECOD"].value == how
        assert said["DSSTDAT"].value == (person.day_one + dt.timedelta(days=day - 1)).isoformat()
        seen.add(how)
    assert seen == {"DEATH", "WITHDRAWAL BY SUBJECT", "LOST TO FOLLOW-UP"}


def test_the_diary_is_taken_by_the_study(model: PeopleModel, study: Study) -> None:
    """Daily entries of four weeks, weekly ones afterwards, and those for events: no answer is at fault.

    They are missing on some days, and the reporter is one whom the study knows.
    """
    plan, made, due, reporters = study.diary, 0, 0, set()
    for person in eligible(model, study, 12):
        lived = course(person, study, "MSC")
        days = [*range(28), *range(34, 364, 21)]
        asked = [("DAILY" if day < 28 else "WEEKLY", person.day_one + dt.timedelta(days=day)) for day in days]
        asked += [
            (form, event.starts)
            for event in person.events(lived)
            for form, answered in model.diary.items()
            if event.id in answered.after
        ]
        for name, on in asked:
            form, entry = plan.form(name), person.diary(name, on, lived)
            assert form is not None
            due += 1
            if entry is None:
                continue
            made += 1
            reporters.add(entry.reporter)
            assert entry.reporter in plan.answers
            fault = answers_fault(plan, form, entry.reporter, entry.answers, entry.shown)
            assert fault is None, (name, entry)
            assert set(entry.answers) <= set(entry.shown)
    assert 0.6 < made / due < 0.97
    assert len(reporters) >= 2

"""Visits that do not go as planned: missed, held after all, dated wrongly, unscheduled; and the end of participation."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from equipoise.capture.commands import DateVisit, MissVisit, ReopenVisit
from equipoise.capture.decide import decide
from equipoise.capture.evolve import START, evolve
from equipoise.capture.snapshot import state_from_json, state_to_json
from equipoise.capture.visits import born_on, ended
from equipoise.ledger.entries import Datum, FormSaved, VisitDated
from equipoise.ledger.facts import Refusal
from equipoise.protocol.study import Study
from equipoise.words.canonical import canonical_bytes, read_canonical
from equipoise.words.dates import PartialDate
from rooms.capture.conduct_study import (
    KNOWN,
    OCCASION,
    folded,
    made_definition,
    recorded,
    refused,
    rules,
    written,
)


def _study() -> Study:
    """The made-up study with a day of birth, a form of the end, and a visit that ends participation."""
    definition = made_definition()
    schedule = definition["schedule"]
    schedule["visits"] = [
        *(
            each | ({} if each.get("unscheduled") else {"day": number})
            for number, each in enumerate(schedule["visits"], 1)
        ),
        {"id": "ET", "label": "Early termination", "epoch": "E1", "ends": True},
    ]
    definition["inputs"] = [*definition["inputs"], {
        "name": "birth", "label": "Birth", "type": "date", "origin": {"form": "MH", "item": "BIRTH"}}]  # fmt: skip
    schedule["born"] = "birth"
    schedule["end"] = {"form": "STROKE", "how": "BLEED", "on": "ONSET"}
    return Study.model_validate(definition)


STUDY = _study()


def _decide(state, command):
    return decide(STUDY, state, KNOWN, command, OCCASION)


def _after(state, command):
    appends = written(_decide(state, command))
    seq = 100 + len(state.dates) + len(state.missed)
    for append in appends:
        seq += 1
        state = evolve(state, recorded("subject/s1", seq, append.entry))
    return state


def test_a_missed_visit_is_recorded_with_its_reason_and_undone_when_it_took_place_after_all() -> None:
    missed = _after(START, MissVisit("s1", "V1", "TRAVEL", "abroad"))
    assert (missed.missed["V1", 1].because, missed.missed["V1", 1].reason) == ("TRAVEL", "abroad")
    held = _after(missed, DateVisit("s1", "V1", "2026-08-10"))
    assert ("V1", 1) not in held.missed
    assert held.dates["V1", 1].on == "2026-08-10"


def test_what_was_recorded_by_mistake_is_taken_back_with_a_reason() -> None:
    for command in (MissVisit("s1", "V1", "UNWELL"), DateVisit("s1", "V1", "2026-08-10")):
        state = _after(START, command)
        assert refused(_decide(state, ReopenVisit("s1", "V1", 1, " "))) == [("visits.reason", "reason")]
        open_again = _after(state, ReopenVisit("s1", "V1", 1, "another participant"))
        assert (dict(open_again.dates), dict(open_again.missed)) == ({}, {})
        assert rules(_decide(open_again, ReopenVisit("s1", "V1", 1, "again"))) == {"visits.open"}


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        (MissVisit("s1", "none", "TRAVEL"), "capture.visit-unknown"),
        (MissVisit("s1", "UNS", "TRAVEL"), "visits.not-planned"),
        (MissVisit("s1", "V1", "OTHER"), "visits.reason"),
        (MissVisit("s1", "V1", "TRAVEL", "x" * 20000), "capture.text-too-long"),
        (DateVisit("s1", "UNS", "2026-08-10", because="OTHER"), "visits.reason"),
        (ReopenVisit("s1", "V1", 1, "mistake"), "visits.open"),
    ],
)
def test_what_cannot_be_said_of_a_visit_is_refused(command, rule) -> None:
    assert rules(_decide(START, command)) == {rule}


def test_a_visit_that_took_place_is_not_missed() -> None:
    state = _after(START, DateVisit("s1", "V1", "2026-08-10"))
    assert rules(_decide(state, MissVisit("s1", "V1", "TRAVEL"))) == {"visits.took-place"}


def test_any_true_day_is_taken_and_only_a_day_before_birth_is_impossible() -> None:
    born = FormSaved("V1", "MH", 1, {"BIRTH": Datum("1960-05")}, {}, complete=False)
    state = folded(evolve, START, [born])
    assert born_on(STUDY, state) == PartialDate(1960, 5)
    assert _after(
        state, DateVisit("s1", "V1", "1960-05-01")
    ).dates  # the day of birth is not known: it may be true
    assert refused(_decide(state, DateVisit("s1", "V1", "1960-04-30"))) == [("visits.before-birth", "on")]
    assert _after(START, DateVisit("s1", "V1", "1960-04-30")).dates  # nobody knows better


@given(st.dates(dt.date(1900, 1, 1), dt.date(2026, 8, 14)))
def test_every_day_up_to_today_is_taken(day: dt.date) -> None:
    assert _after(START, DateVisit("s1", "V1", day.isoformat())).dates["V1", 1].on == day.isoformat()


def test_unscheduled_visits_are_counted_without_a_gap_and_say_how_and_why() -> None:
    state = _after(START, DateVisit("s1", "UNS", "2026-08-01", 1, "phone", "SAFETY", "fell at home"))
    state = _after(state, DateVisit("s1", "UNS", "2026-08-03", 2, "clinic", "REQUEST"))
    told = [(one.on, one.mode, one.because, one.reason) for one in state.dates.values()]
    assert told == [
        ("2026-08-01", "phone", "SAFETY", "fell at home"),
        ("2026-08-03", "clinic", "REQUEST", ""),
    ]
    assert rules(_decide(state, DateVisit("s1", "UNS", "2026-08-05", 4))) == {"visits.out-of-count"}
    changed = _after(state, DateVisit("s1", "UNS", "2026-08-03", 2, "home", "REQUEST"))
    assert (changed.dates["UNS", 2].on, changed.dates["UNS", 2].mode) == ("2026-08-03", "home")


def test_participation_ends_by_its_form_once_complete_or_by_a_visit_that_ends_it() -> None:
    items = {"BLEED": Datum("Y"), "ONSET": Datum("2026-08-09")}
    begun = FormSaved("V1", "STROKE", 1, items, {}, complete=False)
    state = folded(evolve, START, [begun])
    assert ended(STUDY, state) is None
    visited = folded(evolve, START, [begun, VisitDated("ET", "2026-08-08")])
    assert ended(STUDY, visited) == ("", "2026-08-08")
    assert ended(
        STUDY, folded(evolve, START, [VisitDated("ET", "2026-08-08"), replace(begun, complete=True)])
    ) == (
        "Y",
        "2026-08-09",
    )
    without = STUDY.model_copy(update={"schedule": STUDY.schedule.model_copy(update={"end": None})})
    assert ended(without, folded(evolve, START, [replace(begun, complete=True)])) is None


class _Visits(RuleBasedStateMachine):
    """Any order of commands against a model of three words: open, held on a day, missed."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.model = START, {}

    @rule(
        visit=st.sampled_from(["V1", "V2", "ET", "UNS"]),
        day=st.integers(1, 14),
        reason=st.sampled_from(["", "x"]),
    )
    def date(self, visit: str, day: int, reason: str) -> None:
        on, known = f"2026-08-{day:02d}", self.model.get(visit)
        decision = _decide(self.state, DateVisit("s1", visit, on, reason=reason))
        changed = known not in {None, "missed", on}
        if changed and not reason:
            assert rules(decision) == {"visits.date-reason"}
        elif not isinstance(decision, Refusal):
            self.state, self.model[visit] = _after(self.state, DateVisit("s1", visit, on, reason=reason)), on
        else:
            assert known == on

    @rule(visit=st.sampled_from(["V1", "V2", "ET", "UNS"]))
    def miss(self, visit: str) -> None:
        decision, known = _decide(self.state, MissVisit("s1", visit, "SITE")), self.model.get(visit)
        if visit in {"ET", "UNS"} or known is not None:
            assert isinstance(decision, Refusal)
        else:
            self.state, self.model[visit] = _after(self.state, MissVisit("s1", visit, "SITE")), "missed"

    @rule(visit=st.sampled_from(["V1", "V2", "ET", "UNS"]))
    def reopen(self, visit: str) -> None:
        command = ReopenVisit("s1", visit, 1, "mistake")
        if visit in self.model:
            self.state = _after(self.state, command)
            del self.model[visit]
        else:
            assert isinstance(_decide(self.state, command), Refusal)

    @invariant()
    def as_the_model_says(self) -> None:
        told = {visit: date.on for (visit, _), date in self.state.dates.items()}
        told |= {visit: "missed" for visit, _ in self.state.missed}
        assert told == self.model
        assert state_from_json(read_canonical(canonical_bytes(state_to_json(self.state)))) == self.state


def test_any_course_of_visits_is_as_a_model_says() -> None:
    run_state_machine_as_test(_Visits, settings=settings(max_examples=40, stateful_step_count=20))

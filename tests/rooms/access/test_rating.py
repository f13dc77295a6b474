"""Who scores a scale: the certified, who were not at an infusion of the participant, in the role that the study names.

Sources: ux.md 1.2 (a rater who treated the patient is refused), domain.md 5.4 (fever unmasks), ICH E9 2.3.1.
"""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.access import presence
from equipoise.access.commands import Certified, Grant, Who
from equipoise.access.decide import may
from equipoise.access.rating import certificates_missing
from equipoise.capture.commands import RecordForm
from equipoise.ledger.entries import (
    BagChecked,
    BagRejected,
    BagReturned,
    Datum,
    DosingDecided,
    DosingHeld,
    DosingJudged,
    FormSaved,
    InfusionEnded,
    InfusionInterrupted,
    InfusionResumed,
    InfusionStarted,
    PreparationRequested,
    WrongBagGiven,
)
from equipoise.ledger.facts import Facts
from equipoise.words.canonical import canonical_bytes, read_canonical
from rooms.capture.conduct_study import recorded

HERE = Facts(
    subject_known=True,
    subject_site="01",
    site_known=True,
    screening_number="01003",
    randomization_number="R-1001",
    log_in_force=True,
    delegated={"a": {"rating": None, "data_entry": None}},
    today="2026-08-14",
    rated={"NIHSS": frozenset(), "CT": frozenset(), "AE": frozenset({"AEREL"})},
    certificates_asked={"NIHSS": ("NIHSS", frozenset({"zh"}))},
)
SCORE, IMAGE, EVENT = (RecordForm("s1", "V3", form, 1, {}, 0) for form in ("NIHSS", "CT", "AE"))
HAS = Certified("NIHSS", "zh", "2026-01-01", "2026-12-31")


def who(role: str = "rater", *certificates: Certified) -> Who:
    return Who("a", role, (Grant(role, "01"),), certified=certificates)


def rule(person: Who, command: object, facts: Facts = HERE) -> str | None:
    found = may(person, command, facts)
    return found.rule if found is not None else None


@pytest.mark.parametrize(
    ("certificates", "expected"),
    [
        ([], "people.not-certified"),
        ([HAS], None),
        ([dataclasses.replace(HAS, until="2026-08-14")], None),  # to the end of its last day
        ([dataclasses.replace(HAS, until="2026-08-13")], "people.certificate-lapsed"),
        ([dataclasses.replace(HAS, on="2026-08-15")], "people.not-certified"),  # begins tomorrow
        ([dataclasses.replace(HAS, language="en")], "people.not-certified"),
        ([dataclasses.replace(HAS, instrument="MRS")], "people.not-certified"),
        ([dataclasses.replace(HAS, until="2026-08-13"), dataclasses.replace(HAS, until=None)], None),
    ],
)
def test_a_certificate_must_count_today_for_the_scale_in_its_language(certificates, expected):
    assert rule(who("rater", *certificates), SCORE) == expected
    assert rule(who("rater", *certificates), IMAGE) is None, "no certificate is asked for here"


def test_who_was_at_an_infusion_scores_no_scale_of_that_participant():
    there = dataclasses.replace(HERE, saw_infusion=frozenset({"a"}))
    for role in ("rater", "coordinator", "investigator"):
        assert rule(who(role, HAS), SCORE, there) == "people.saw-the-infusion"
        assert rule(who(role, HAS), IMAGE, there) == "people.saw-the-infusion"
        assert rule(who(role, HAS), EVENT, there) is None, "who treats records what happened"
    assert rule(who("rater", HAS), SCORE, dataclasses.replace(HERE, saw_infusion=frozenset({"b"}))) is None


def test_the_refusal_names_the_participant_and_what_to_do():
    there = dataclasses.replace(HERE, saw_infusion=frozenset({"a"}))
    found = may(who("rater", HAS), SCORE, there)
    assert found is not None
    assert "01003" in found.say("en")
    assert "another rater" in found.say("en")
    assert "01003" in found.say("zh")


def test_after_randomization_only_the_studys_assessors_score():
    named = dataclasses.replace(HERE, assessors=frozenset({"rater"}))
    assert rule(who("investigator", HAS), SCORE, named) == "people.not-the-assessor"
    assert rule(who("rater", HAS), SCORE, named) is None
    before = dataclasses.replace(named, randomization_number=None)
    assert rule(who("investigator", HAS), SCORE, before) is None


def test_the_instruments_without_a_certificate_are_named():
    asked = [("NIHSS", frozenset({"zh"})), ("MRS", frozenset({"zh", "en"}))]
    assert certificates_missing([HAS], asked, "2026-08-14") == ("MRS",)
    assert certificates_missing([HAS], asked, "2027-01-01") == ("NIHSS", "MRS")


# --- who was there --------------------------------------------------------------------------------------------

AT_THE_BEDSIDE = [
    DosingJudged("q", "BEDSIDE", "GO", {}, {}),
    DosingHeld("q", ("fever",), ""),
    DosingDecided("q", "GIVE", ""),
    BagChecked("q", "b", "second"),
    InfusionStarted("q", "b", "t"),
    InfusionInterrupted("q", "t"),
    InfusionResumed("q", "t"),
    InfusionEnded("q", "t", "COMPLETE", "100"),
    WrongBagGiven("q", "b", "c"),
    BagReturned("q", "b", "0"),
]
ELSEWHERE = [PreparationRequested("q", "D1", "t", "60"), BagRejected("q", "b", "LATE")]


def by(actor: str, seq: int, entry: object):
    one = recorded("subject/s1", seq, entry)
    return dataclasses.replace(one, header=dataclasses.replace(one.header, actor=actor))


@pytest.mark.parametrize("entry", AT_THE_BEDSIDE, ids=lambda entry: entry.kind)
def test_every_part_in_a_dose_is_remembered(entry):
    state = presence.evolve(presence.START, by("nurse", 1, entry))
    second = {"second"} if isinstance(entry, BagChecked) else set()
    assert state.saw([]) == {"nurse"} | second


@pytest.mark.parametrize("entry", ELSEWHERE, ids=lambda entry: entry.kind)
def test_asking_for_a_bag_or_sending_one_back_is_not_being_there(entry):
    assert presence.evolve(presence.START, by("nurse", 1, entry)).saw([]) == frozenset()


STEPS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from([*AT_THE_BEDSIDE, *ELSEWHERE, "AE", "MH"])), max_size=20
)


@given(STEPS)
def test_nothing_that_was_seen_is_forgotten(steps):
    state = presence.START
    for seq, (actor, what) in enumerate(steps, start=1):
        entry = FormSaved("V1", what, 1, {"X": Datum("1")}, {}, False) if isinstance(what, str) else what
        after = presence.evolve(state, by(actor, seq, entry))
        assert state.saw(["AE"]) <= after.saw(["AE"])
        state = after
    first = next(
        (n for n, (_, what) in enumerate(steps) if isinstance(what, InfusionStarted | WrongBagGiven)),
        len(steps),
    )
    saved = {actor for actor, what in steps[first:] if what == "AE"}
    assert saved <= state.saw(["AE"])
    assert state.saw(["AE"]) - state.saw([]) <= saved
    assert presence.state_from_json(read_canonical(canonical_bytes(presence.state_to_json(state)))) == state

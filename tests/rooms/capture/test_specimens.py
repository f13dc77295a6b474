"""Specimens: numbers with a check digit, deviations that raise themselves, aliquots, shipments.

Sources: ISO/IEC 7064:2003 (MOD 11,10); the study's own kits (assumed limits: spun within 60, frozen within 120 minutes).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.capture.specimens.accession import aliquot_of, candidates, check_digit, holds, tube_of, typed
from equipoise.capture.specimens.commands import (
    CollectSpecimen,
    EndAliquot,
    MakeAliquots,
    MissSpecimen,
    MoveAliquot,
    ProcessSpecimen,
    ReceiveShipment,
    SendShipment,
    VoidSpecimen,
)
from equipoise.capture.specimens.decide import decide
from equipoise.capture.specimens.evolve import (
    NO_SHIPMENT,
    START,
    evolve,
    evolve_shipment,
    state_from_json,
    state_to_json,
)
from equipoise.capture.specimens.shipping import decide_shipment
from equipoise.ledger.facts import Facts
from equipoise.words.truth import Truth
from rooms.capture.conduct_study import AT, OCCASION, folded, rules, written
from stories.conftest import first_study

STUDY = first_study()
NUMBER = next(candidates("s1", "BIO", "V2"))
KNOWN = Facts(subject_known=True, consent_in_force=Truth.TRUE, accession_free=NUMBER)


def at(minutes: int) -> str:
    """A moment some minutes after 8 o'clock in Shanghai, two and a half hours before the occasion."""
    return (AT - dt.timedelta(minutes=150) + dt.timedelta(minutes=minutes)).isoformat()


def do(state, command, facts=KNOWN):
    return decide(STUDY, state, facts, command, OCCASION)


def collected(fasting="Y", facts=KNOWN, minutes=0):
    return do(START, CollectSpecimen("s1", "BIO", "V2", at(minutes), fasting), facts)


class Course:
    """Commands in a row on one subject."""

    def __init__(self):
        self.entries = []

    @property
    def state(self):
        return folded(evolve, START, self.entries)

    def do(self, command, facts=KNOWN):
        new = [append.entry for append in written(do(self.state, command, facts))]
        self.entries += new
        return new[0]


# --- numbers ---------------------------------------------------------------------------------------------------------


def test_the_check_digit_is_that_of_the_standard():
    """0794 -> 5 is the worked example of ISO/IEC 7064 MOD 11,10: P=10 -> 10,9 ; 16%10=6 -> 12%11=1 ; 10 -> 9 ; 13%10=3 -> 6;
    check = (11 - 6) % 10 = 5."""
    assert check_digit("0794") == "5"
    assert holds("0794" + "5") is False  # ten digits, not five


@given(st.integers(0, 10**9 - 1), st.integers(0, 9), st.integers(1, 9))
def test_every_single_wrong_digit_is_found(number, place, shift):
    digits = f"{number:09d}"
    whole = digits + check_digit(digits)
    wrong = whole[:place] + str((int(whole[place]) + shift) % 10) + whole[place + 1 :]
    assert holds(whole)
    assert not holds(wrong)


@given(st.text(min_size=1, max_size=20), st.sampled_from(["BIO", "TUM"]), st.sampled_from(["V2", "V9"]))
def test_numbers_follow_from_the_tube_alone_and_another_can_always_be_tried(subject, kit, visit):
    first, second = islice(candidates(subject, kit, visit), 2)
    assert holds(first)
    assert first == next(candidates(subject, kit, visit))
    assert first != second
    assert tube_of(aliquot_of(first, 7)) == first


def test_numbers_of_visits_in_order_have_no_order():
    """Kendall's tau of 400 numbers against their order lies within 4 standard deviations of 0: sd = 0.0335 for n = 400."""
    numbers = [next(candidates("s1", "BIO", f"V{n}")) for n in range(400)]
    pairs = sum(
        (numbers[i] < numbers[j]) - (numbers[i] > numbers[j]) for i in range(400) for j in range(i + 1, 400)
    )
    assert abs(pairs / (400 * 399 / 2)) < 4 * 0.0335


def test_full_width_digits_and_spaces_are_no_fault():
    assert typed("１２３ 456 7890") == "1234567890"


# --- tubes -----------------------------------------------------------------------------------------------------------


def test_a_tube_is_recorded_with_its_number_and_what_was_not_as_planned():
    assert written(collected())[0].entry.deviations == ()
    assert written(collected("N"))[0].entry.deviations == ("NOT_FASTING",)
    unsure = dataclasses.replace(KNOWN, consent_in_force=Truth.UNKNOWN)
    assert written(collected("U", unsure))[0].entry.deviations == ("FASTING_UNKNOWN", "NO_CONSENT")


def test_what_cannot_be_true_is_refused():
    assert rules(do(START, CollectSpecimen("s1", "BIO", "V2", "8 o'clock", "Y"))) == {"specimens.time-unfit"}
    ahead = (AT + dt.timedelta(minutes=6)).isoformat()
    assert rules(do(START, CollectSpecimen("s1", "BIO", "V2", ahead, "Y"))) == {"specimens.time-in-future"}
    assert rules(do(START, CollectSpecimen("s1", "BIO", "V4", at(0), "Y"))) == {"specimens.kit-not-planned"}
    assert rules(do(START, CollectSpecimen("s1", "BIO", "V2", at(0), "Y"), Facts())) == {
        "capture.subject-unknown"
    }


@pytest.mark.parametrize(
    ("spun", "frozen", "late"),
    [
        (60, 120, ()),
        (61, 120, ("SPUN_LATE",)),
        (60, 121, ("FROZEN_LATE",)),
        (None, 100, ("SPUN_UNKNOWN",)),
        (None, None, ("SPUN_UNKNOWN", "FROZEN_UNKNOWN")),
    ],
)
def test_processing_that_took_too_long_raises_itself(spun, frozen, late):
    course = Course()
    course.do(CollectSpecimen("s1", "BIO", "V2", at(0), "Y"))
    times = ["" if one is None else at(one) for one in (spun, frozen)]
    assert course.do(ProcessSpecimen("s1", NUMBER, *times, "SLIGHT")).deviations == late
    assert course.do(ProcessSpecimen("s1", NUMBER, *times, "GROSS")).deviations == (*late, "HAEMOLYSED")


def test_nothing_is_treated_before_it_was_drawn_or_frozen_before_it_was_spun():
    state = folded(evolve, START, [written(collected(minutes=30))[0].entry])
    early = ProcessSpecimen("s1", NUMBER, at(10), at(60), "NONE")
    assert rules(do(state, early)) == {"specimens.time-before-collected"}
    turned = ProcessSpecimen("s1", NUMBER, at(60), at(50), "NONE")
    assert rules(do(state, turned)) == {"specimens.time-before-spun"}


def test_a_kit_has_one_tube_in_use_and_a_voided_one_keeps_its_number():
    course = Course()
    course.do(CollectSpecimen("s1", "BIO", "V2", at(0), "Y"))
    again = CollectSpecimen("s1", "BIO", "V2", at(20), "Y")
    assert rules(do(course.state, again)) == {"specimens.collected-already"}
    assert rules(do(course.state, VoidSpecimen("s1", NUMBER, ""))) == {"specimens.say-why"}
    course.do(VoidSpecimen("s1", NUMBER, "wrong tube"))
    other = next(islice(candidates("s1", "BIO", "V2"), 1, None))
    course.do(again, dataclasses.replace(KNOWN, accession_free=other))
    assert set(course.state.tubes) == {NUMBER, other}
    assert rules(do(course.state, ProcessSpecimen("s1", NUMBER, "", "", "NONE"))) == {"specimens.voided"}


def test_what_was_missed_is_said_with_a_reason():
    course = Course()
    course.do(MissSpecimen("s1", "BIO", "V2", "REFUSED"))
    assert course.state.missed == {("BIO", "V2"): "REFUSED"}
    assert rules(do(course.state, MissSpecimen("s1", "BIO", "V2", "bored"))) == {"specimens.choose"}


def test_aliquots_are_numbered_on_moved_thawed_and_ended():
    course = Course()
    course.do(CollectSpecimen("s1", "BIO", "V2", at(0), "Y"))
    course.do(MakeAliquots("s1", NUMBER, 4, "0.5", "M80", "box 7"))
    course.do(MakeAliquots("s1", NUMBER, 1, "０.２", "M20"))
    fifth = aliquot_of(NUMBER, 5)
    assert list(course.state.aliquots) == [aliquot_of(NUMBER, n) for n in range(1, 6)]
    assert course.state.aliquots[fifth].volume == "0.2"
    course.do(MoveAliquot("s1", fifth, "M80", True, "box 8"))
    assert (course.state.aliquots[fifth].thaws, course.state.aliquots[fifth].place) == (1, "box 8")
    course.do(EndAliquot("s1", fifth, "USED"))
    assert rules(do(course.state, MoveAliquot("s1", fifth, "M80", False))) == {"specimens.aliquot-ended"}
    for unfit in (MakeAliquots("s1", NUMBER, 0, "1", "M80"), MakeAliquots("s1", NUMBER, 95, "1", "M80")):
        assert rules(do(course.state, unfit)) == {"specimens.aliquot-count"}
    assert rules(do(course.state, MakeAliquots("s1", NUMBER, 1, "much", "M80"))) == {"specimens.volume-unfit"}
    assert state_from_json(state_to_json(course.state)) == course.state


# --- shipments -------------------------------------------------------------------------------------------------------

HERE = {aliquot_of(NUMBER, n): "STORED" for n in (1, 2, 3)}
ONE, TWO, THREE = HERE
SENDER = dataclasses.replace(KNOWN, aliquots_here={**HERE, aliquot_of(NUMBER, 4): "SENT"})


def send(aliquots, state=NO_SHIPMENT, condition="M80"):
    command = SendShipment("01", "abcdefgh23", "CENTRAL", aliquots, at(0), condition)
    return decide_shipment(STUDY, state, SENDER, command, OCCASION)


def receive(state, differences=(), unexpected=(), minutes=60, site="01"):
    command = ReceiveShipment(site, "abcdefgh23", at(minutes), "FROZEN", differences, unexpected)
    return decide_shipment(STUDY, state, SENDER, command, OCCASION)


def sent():
    return folded(evolve_shipment, NO_SHIPMENT, [written(send((ONE, TWO)))[0].entry])


def test_only_what_is_in_stock_is_sent_once():
    assert rules(send(())) == {"specimens.nothing-packed"}
    assert rules(send((ONE, ONE))) == {"specimens.packed-twice"}
    assert rules(send((aliquot_of(NUMBER, 4),))) == {"specimens.not-in-stock"}
    assert rules(send((aliquot_of(NUMBER, 9),))) == {"specimens.not-in-stock"}
    assert rules(send((ONE,), condition="HOT")) == {"specimens.choose"}
    assert rules(send((THREE,), sent())) == {"specimens.shipment-sent-already"}


def test_what_arrived_is_written_down_against_the_manifest():
    state = sent()
    (append,) = written(receive(state, (f"{ONE} MISSING",), (THREE,)))
    assert append.entry.discrepancies == {ONE: "MISSING"}
    assert append.entry.unexpected == (THREE,)
    assert rules(receive(state, (f"{THREE} MISSING",))) == {"specimens.not-on-manifest"}
    assert rules(receive(state, (), (TWO,))) == {"specimens.on-manifest"}
    assert rules(receive(state, (), ("77",))) == {"specimens.number-unfit"}
    assert rules(receive(state, minutes=-5)) == {"specimens.received-before-sent"}
    assert rules(receive(state, site="02")) == {"specimens.shipment-unknown"}
    arrived = folded(evolve_shipment, NO_SHIPMENT, [state.sent, append.entry])
    assert rules(receive(arrived)) == {"specimens.received-already"}

"""Doses, rule by rule. Sources: the plan of the house (5, pharmacy), ICH E6(R3) 4.2.4, the notes on product logistics
(5.3: scanned twice by two people) and the list of bad input of the blind (recall during an infusion, clock moved).
"""

from __future__ import annotations

import pytest
from dosing_world import GO, NUMBER, STUDY, SUBJECT, Ward, facts, gate

from equipoise.ledger.facts import DoseGiven, Facts
from equipoise.supply.commands import (
    DecideDosing,
    EndInfusion,
    HoldDosing,
    InterruptInfusion,
    JudgeDosing,
    RecordBagRelease,
    RecordMismatch,
    RecordWrongBag,
    RejectBag,
    RequestPreparation,
    ResumeInfusion,
    ReturnBag,
    StartInfusion,
)
from equipoise.supply.decide import condition_label, request_id
from equipoise.supply.evolve import add_facts
from equipoise.supply.times import minutes_left, moment


@pytest.fixture
def ward() -> Ward:
    return Ward()


def test_a_dose_from_request_to_return(ward: Ward) -> None:
    ward.whole()
    one = ward.last
    assert (one.stage, one.outcome, one.share, one.given) == ("ENDED", "COMPLETE", "100", "4711")
    assert ward.do(ReturnBag(SUBJECT, one.request, "4711", "3.5")) == ("BagReturned",)
    assert ward.do(ReturnBag(SUBJECT, one.request, "4711", "3.5")) == ("returned-already",)
    assert ward.state.infused


# --- asking --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "command", "rule"),
    [
        ({"status": "ELIGIBLE"}, {}, "not-randomized"),
        ({"subject_known": False}, {}, "subject-unknown"),
        ({}, {"infusion": "D9"}, "dose-unknown"),
        ({}, {"weight": "0.5"}, "weight-unfit"),
        ({}, {"weight": "501"}, "weight-unfit"),
        ({}, {"weight": "70.55"}, "weight-unfit"),
        ({}, {"weight": "seventy"}, "weight-unfit"),
        ({}, {"weight": "７０"}, "weight-unfit"),  # digits of another script are not what the vault reads
        ({}, {"at": "2026-06-01T10:00"}, "time-unfit"),  # no zone
        ({}, {"at": "2026-06-01T03:54:59+00:00"}, "release-in-the-past"),  # 5 min 1 s ago
        ({}, {"at": "9999-12-31T23:59:59+00:00"}, "release-too-far"),  # a day that no zone of the east has
        ({}, {"at": "0001-01-01T00:00:00+14:00"}, "time-unfit"),  # a day that UTC does not have
    ],
)
def test_what_is_asked_must_be_possible(ward: Ward, changes, command, rule) -> None:
    given = {"subject": SUBJECT, "infusion": "D1", "at": ward.clock(60), "weight": "70.5", **command}
    assert ward.do(RequestPreparation(**given), facts(**changes)) == (rule,)


def test_one_open_request_for_each_dose_and_the_first_dose_first(ward: Ward) -> None:
    assert ward.do(RequestPreparation(SUBJECT, "D2", ward.clock(60), "70")) == ("earlier-dose-open",)
    ward.ask("D1")
    assert ward.do(RequestPreparation(SUBJECT, "D1", ward.clock(60), "70")) == ("already-asked",)


def test_a_dose_that_is_over_is_not_asked_for_again(ward: Ward) -> None:
    ward.whole()
    assert ward.do(RequestPreparation(SUBJECT, "D1", ward.clock(60), "70")) == ("dose-over",)
    ward.ask("D2")


def test_the_id_of_a_request_tells_neither_dose_nor_subject() -> None:
    ids = {request_id(subject, dose, count) for subject in "ab" for dose in ("D1", "D2") for count in (1, 2)}
    assert len(ids) == 8
    assert {len(one) for one in ids} == {16}


# --- the gate ------------------------------------------------------------------------------------------------------


def test_a_gate_that_is_not_go_holds_the_dose_from_the_beginning(ward: Ward) -> None:
    for letter, decision in (("F", "HOLD"), ("U", "NOT_EVALUABLE")):
        one = Ward()
        known = facts(gate=gate(well=letter), gate_reasons={"RELEASE": {"well": "Infection = yes"}})
        kinds = one.do(RequestPreparation(SUBJECT, "D1", one.clock(60), "70"), known)
        assert kinds == ("PreparationRequested", "DosingJudged", "DosingHeld")
        assert one.last.stage == "HELD"
        assert one.last.held == ("well",)
        assert one.last.release is not None
        assert one.last.release.decision == decision
        assert one.last.held_because == "well: Infection = yes"


def test_a_dose_is_held_at_the_bedside_too_and_scanned_again_afterwards(ward: Ward) -> None:
    ward.to_the_bedside()
    feverish = facts(gate=gate(cool="F"))
    assert ward.do(JudgeDosing(SUBJECT, ward.last.request, "BEDSIDE"), feverish) == (
        "DosingJudged",
        "DosingHeld",
    )
    assert ward.do(ward.start(), feverish) == ("held",)
    assert ward.do(
        DecideDosing(SUBJECT, ward.last.request, "GIVE", "37.9 on a second reading"), feverish
    ) == (
        "DosingJudged",
        "DosingDecided",
    )
    assert ward.last.stage == "RELEASED"
    assert ward.last.accepted == ("cool",)
    assert ward.do(ward.start(), feverish) == ("not-checked",)
    assert ward.do(ward.scan()) == ("BagChecked",)
    assert ward.do(ward.start(), feverish) == ("bedside-not-judged",)
    assert ward.do(JudgeDosing(SUBJECT, ward.last.request, "BEDSIDE"), feverish) == ("DosingJudged",)
    assert ward.last.bedside is not None
    assert ward.last.bedside.decision == "GO"  # accepted by name; the letter stays what it is
    assert ward.last.bedside.results["cool"] == "F"
    assert ward.do(ward.start(), feverish) == ("InfusionStarted",)


def test_what_no_investigator_may_accept_stands(ward: Ward) -> None:
    known = facts(gate=gate(well="U", cool="F", sentinel="F"))
    ward.ask(known=known)
    give = DecideDosing(SUBJECT, ward.last.request, "GIVE", "I take it on me")
    assert ward.do(give, known) == ("condition-stands", "condition-stands")
    assert ward.do(give, facts(gate=gate(cool="F"))) == ("DosingJudged", "DosingDecided")


def test_a_hold_ends_by_a_decision_and_not_by_itself(ward: Ward) -> None:
    ward.ask(known=facts(gate=gate(well="F")))
    assert ward.do(JudgeDosing(SUBJECT, ward.last.request, "RELEASE")) == ("DosingJudged",)
    assert ward.last.stage == "HELD"
    assert ward.do(DecideDosing(SUBJECT, ward.last.request, "GIVE", "")) == ("reason-needed",)
    assert (
        ward.do(DecideDosing(SUBJECT, ward.last.request, "GIVE", "infection ruled out"))[-1]
        == "DosingDecided"
    )
    assert ward.last.stage == "REQUESTED"
    assert ward.last.decided_by == "nurse"


@pytest.mark.parametrize(("decision", "stage"), [("POSTPONE", "POSTPONED"), ("OMIT", "OMITTED")])
def test_a_dose_given_up_leaves_the_participant_where_they_are(ward: Ward, decision, stage) -> None:
    ward.ask()
    assert ward.do(HoldDosing(SUBJECT, ward.last.request, "")) == ("reason-needed",)
    assert ward.do(HoldDosing(SUBJECT, ward.last.request, "drowsy")) == ("DosingHeld",)
    assert ward.do(DecideDosing(SUBJECT, ward.last.request, decision, "observe")) == ("DosingDecided",)
    assert ward.last.stage == stage
    if decision == "POSTPONE":
        ward.ask("D1")  # asked for anew
    else:
        assert ward.do(RequestPreparation(SUBJECT, "D1", ward.clock(60), "70")) == ("dose-over",)
        ward.ask("D2")  # and the next dose may come


def test_a_bag_that_comes_while_the_dose_is_held_is_taken_in_and_goes_back(ward: Ward) -> None:
    ward.ask()
    ward.do(HoldDosing(SUBJECT, ward.last.request, "drowsy"))
    ward.bag()
    assert ward.last.stage == "HELD"
    assert ward.do(ReturnBag(SUBJECT, ward.last.request, "4711", "100")) == ("bag-still-to-be-used",)
    ward.do(DecideDosing(SUBJECT, ward.last.request, "OMIT", "worse"))
    assert ward.do(ReturnBag(SUBJECT, ward.last.request, "4711", "100")) == ("BagReturned",)


def test_conditions_are_said_by_their_names() -> None:
    assert condition_label(STUDY, "cool").en == "No fever"
    assert condition_label(STUDY, "sentinel").zh == "首批受试者给药间隔"
    assert set(GO) == {"cool", "well", "sentinel"}


# --- bags ----------------------------------------------------------------------------------------------------------


def test_a_bag_is_scanned_with_the_participant_by_two(ward: Ward) -> None:
    ward.ask()
    assert ward.do(ward.scan("4711")) == ("no-bag-yet",)
    ward.bag()
    assert ward.do(ward.scan("4712")) == ("wrong-bag",)
    assert ward.do(ward.scan("4712"), facts(bag_meant_for="01002")) == ("wrong-bag-of",)
    assert ward.do(ward.scan(subject="01002")) == ("wrong-subject",)
    assert ward.do(ward.scan("", "")) == ("bag-not-scanned", "subject-not-scanned")
    assert ward.do(ward.scan("4712", "01002", "nurse")) == (
        "wrong-bag",
        "wrong-subject",
        "second-is-the-first",
    )
    assert ward.do(ward.scan(second="")) == ("second-is-the-first",)
    assert ward.do(ward.scan(second="rater"), facts(second_may_check=False)) == ("second-may-not",)
    assert ward.do(ward.scan(f" {ward.last.bag} ", f"{NUMBER}\r")) == ("BagChecked",)  # as scanners send it
    assert ward.do(ward.scan()) == ("checked-already",)


def test_a_refusal_names_the_bag(ward: Ward) -> None:
    from equipoise.ledger.facts import Occasion, Refusal
    from equipoise.supply.decide import decide

    ward.ask()
    ward.bag()
    occasion = Occasion(ward.at, "Asia/Shanghai", by="nurse")
    refused = decide(STUDY, ward.state, facts(), ward.scan("9999"), occasion)
    assert isinstance(refused, Refusal)
    for language in ("en", "zh"):
        said = refused.problems[0].say(language)
        assert "9999" in said
        assert "4711" in said


def test_a_near_miss_is_kept_and_changes_nothing(ward: Ward) -> None:
    ward.ask()
    ward.bag()
    missed = RecordMismatch(SUBJECT, ward.last.request, "4712", NUMBER)
    assert ward.do(missed) == ("BagMismatched",)
    assert (ward.last.stage, ward.last.mismatches) == ("RELEASED", 1)
    assert ward.do(RecordMismatch(SUBJECT, ward.last.request, "4711", NUMBER)) == ("nothing-differs",)


def test_a_lost_bag_leaves_the_request_open_for_another(ward: Ward) -> None:
    ward.to_the_bedside()
    assert ward.do(RejectBag(SUBJECT, ward.last.request, "4712", "SPILLED")) == ("not-the-bag",)
    assert ward.do(RejectBag(SUBJECT, ward.last.request, "4711", "OTHER")) == ("reason-needed",)
    assert ward.do(RejectBag(SUBJECT, ward.last.request, "4711", "SPILLED")) == ("BagRejected",)
    assert (ward.last.stage, ward.last.bag) == ("REQUESTED", "")
    assert ward.do(ward.start("4711")) == ("no-bag-yet",)
    ward.bag("4713")
    assert ward.do(ReturnBag(SUBJECT, ward.last.request, "4711", "40")) == ("BagReturned",)
    assert ward.do(ward.scan()) == ("BagChecked",)
    assert ward.do(ward.start()) == ("InfusionStarted",)
    assert [(bag.bag, bag.rejected) for bag in ward.last.bags] == [("4711", "SPILLED"), ("4713", "")]


def test_a_statement_is_not_taken_twice_and_no_second_bag_beside_an_open_one(ward: Ward) -> None:
    ward.ask()
    ward.bag()
    again = RecordBagRelease(SUBJECT, ward.last.request, "4711", ward.clock(60), 1, "00")
    assert ward.do(again) == ("bag-known",)
    other = RecordBagRelease(SUBJECT, ward.last.request, "4712", ward.clock(60), 2, "00")
    assert ward.do(other) == ("bag-not-expected",)


def test_a_wrong_bag_that_was_given_keeps_both_truths(ward: Ward) -> None:
    ward.ask()
    ward.bag()
    given = RecordWrongBag(SUBJECT, ward.last.request, "4712", "two bags on one trolley")
    assert ward.do(RecordWrongBag(SUBJECT, ward.last.request, "4711", "x")) == ("that-bag-was-meant",)
    assert ward.do(RecordWrongBag(SUBJECT, ward.last.request, "4712", "")) == ("reason-needed",)
    assert ward.do(given) == ("WrongBagGiven",)
    assert ward.do(given) == ("wrong-bag-known",)
    entry = ward.log[-1].entry
    assert (entry.meant, entry.given) == ("4711", "4712")
    assert ward.state.infused
    # what was given is followed like any infusion: no scan, no gate, but true times
    assert ward.do(ward.start("4712")) == ("InfusionStarted",)
    end = EndInfusion(SUBJECT, ward.last.request, ward.clock(), "STOPPED", "20", "noticed")
    assert ward.do(end) == ("InfusionEnded",)
    assert (ward.last.bag, ward.last.given) == ("4711", "4712")


# --- the infusion --------------------------------------------------------------------------------------------------


def test_nothing_is_given_after_its_use_by(ward: Ward) -> None:
    ward.to_the_bedside()
    until = moment(ward.last.bags[0].use_by)
    left = (until - ward.at).total_seconds() / 60
    ward.wait(left + 1)
    assert ward.do(ward.start()) == ("too-late",)
    assert ward.do(ward.start(minutes=-2)) == ("InfusionStarted",)  # begun in time, written down later


def test_the_clock_of_a_bag(ward: Ward) -> None:
    assert minutes_left(ward.clock(90), ward.at) == 90
    assert minutes_left(ward.clock(0.5), ward.at) == 0
    assert minutes_left(ward.clock(-0.5), ward.at) == -1
    assert minutes_left("soon", ward.at) is None


def test_a_check_comes_too_late_as_well(ward: Ward) -> None:
    ward.ask()
    ward.bag(minutes=5)
    ward.wait(6)
    assert ward.do(ward.scan()) == ("too-late",)
    assert ward.do(RejectBag(SUBJECT, ward.last.request, "4711", "LATE")) == ("BagRejected",)


@pytest.mark.parametrize(
    ("minutes", "rule"),
    [
        (-70, "time-before-request"),  # a clock at the bedside that was set back
        (5.1, "time-in-future"),  # more than five minutes ahead
    ],
)
def test_a_moved_clock_is_found(ward: Ward, minutes, rule) -> None:
    ward.to_the_bedside()
    assert ward.do(ward.start(minutes=minutes)) == (rule,)


def test_steps_follow_each_other_in_time(ward: Ward) -> None:
    ward.to_the_bedside()
    ward.wait(10)
    ward.do(ward.start())
    request = ward.last.request
    assert ward.do(InterruptInfusion(SUBJECT, request, ward.clock(-5))) == ("time-before-step",)
    ward.wait(5)
    assert ward.do(InterruptInfusion(SUBJECT, request, ward.clock(), "line")) == ("InfusionInterrupted",)
    assert ward.do(InterruptInfusion(SUBJECT, request, ward.clock())) == ("paused",)
    ward.wait(5)
    assert ward.do(ResumeInfusion(SUBJECT, request, "yesterday")) == ("time-unfit",)
    assert ward.do(ResumeInfusion(SUBJECT, request, ward.clock())) == ("InfusionResumed",)
    assert ward.do(ResumeInfusion(SUBJECT, request, ward.clock())) == ("running",)
    assert len(ward.last.pauses) == 1
    assert all(ward.last.pauses[0])


@pytest.mark.parametrize(
    ("outcome", "share", "reason", "rule"),
    [
        ("COMPLETE", "99", "", "share-and-outcome"),
        ("STOPPED", "100", "rigors", "share-and-outcome"),
        ("STOPPED", "60", "", "reason-needed"),
        ("STOPPED", "-1", "rigors", "share-unfit"),
        ("STOPPED", "101", "rigors", "share-unfit"),
        ("STOPPED", "12.5", "rigors", "share-unfit"),
    ],
)
def test_the_end_says_how_much_was_given(ward: Ward, outcome, share, reason, rule) -> None:
    ward.to_the_bedside()
    ward.do(ward.start())
    end = EndInfusion(SUBJECT, ward.last.request, ward.clock(), outcome, share, reason)
    assert ward.do(end) == (rule,)


def test_a_stopped_infusion_keeps_its_share(ward: Ward) -> None:
    ward.to_the_bedside()
    ward.do(ward.start())
    end = EndInfusion(SUBJECT, ward.last.request, ward.clock(), "STOPPED", "60", "rigors")
    assert ward.do(end) == ("InfusionEnded",)
    assert ward.do(end) == ("ended",)
    assert (ward.last.outcome, ward.last.share) == ("STOPPED", "60")


def test_a_recalled_bag_is_not_given_and_does_not_go_on(ward: Ward) -> None:
    recalled = facts(bag_recalled=True)
    ward.ask()
    ward.bag()
    assert ward.do(ward.scan(), recalled) == ("bag-recalled",)
    ward.do(ward.scan())
    ward.do(JudgeDosing(SUBJECT, ward.last.request, "BEDSIDE"))
    assert ward.do(ward.start(), recalled) == ("bag-recalled",)
    ward.do(ward.start())
    ward.wait(3)
    ward.do(InterruptInfusion(SUBJECT, ward.last.request, ward.clock(), "recall"))
    assert ward.do(ResumeInfusion(SUBJECT, ward.last.request, ward.clock()), recalled) == ("bag-recalled",)
    end = EndInfusion(SUBJECT, ward.last.request, ward.clock(), "STOPPED", "30", "bag recalled")
    assert ward.do(end, recalled) == ("InfusionEnded",)


def test_a_bag_that_another_participant_got_is_refused(ward: Ward) -> None:
    ward.ask()
    ward.bag()
    assert ward.do(ward.scan(), facts(bag_given_to_another=True)) == ("bag-given-to-another",)


def test_the_gate_is_judged_at_the_bedside_and_holds_good_at_the_start(ward: Ward) -> None:
    ward.ask()
    ward.bag()
    ward.do(ward.scan())
    assert ward.do(ward.start()) == ("bedside-not-judged",)
    ward.do(JudgeDosing(SUBJECT, ward.last.request, "BEDSIDE"))
    assert ward.do(ward.start(), facts(gate=gate(cool="F"))) == ("bedside-no-longer",)
    assert ward.do(ward.start()) == ("InfusionStarted",)


def test_a_bag_is_started_by_its_own_number(ward: Ward) -> None:
    ward.to_the_bedside()
    assert ward.do(StartInfusion(SUBJECT, ward.last.request, "4712", ward.clock())) == ("wrong-bag",)
    assert ward.do(StartInfusion(SUBJECT, "nothing", "4711", ward.clock())) == ("request-unknown",)
    assert ward.do(ReturnBag(SUBJECT, ward.last.request, "4711", "1")) == ("bag-still-to-be-used",)


@pytest.mark.parametrize("remaining", ["-1", "much", "NaN", "1e9", "0.001"])
def test_what_is_left_is_a_volume(ward: Ward, remaining: str) -> None:
    ward.whole()
    assert ward.do(ReturnBag(SUBJECT, ward.last.request, "4711", remaining)) == ("remaining-unfit",)


def test_what_a_dose_was_is_told_by_its_visit_once_it_ended(ward: Ward) -> None:
    """45 minutes from start to end by the world's clock, a pause of 5 counted in; the first dose is that of V1."""
    told = lambda: dict(add_facts(Facts(), STUDY, ward.state).doses_given)  # noqa: E731
    ward.to_the_bedside()
    ward.do(ward.start())
    assert told() == {}
    ward.wait(20)
    ward.do(InterruptInfusion(SUBJECT, ward.last.request, ward.clock()))
    ward.wait(5)
    ward.do(ResumeInfusion(SUBJECT, ward.last.request, ward.clock()))
    ward.wait(20)
    ward.do(EndInfusion(SUBJECT, ward.last.request, ward.clock(), "STOPPED", "80", "reaction"))
    assert told() == {"V1": DoseGiven(80, 45)}

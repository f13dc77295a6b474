"""Publishing the list and taking slots: every refusal by name, all at once; one slot for one subject, in order."""

from __future__ import annotations

import dataclasses

import pytest

from equipoise.ledger.entries import AllocationPublished, PublicSlot, SlotTaken, SubjectRandomized
from equipoise.ledger.facts import Facts, Refusal
from equipoise.protocol.strata import StratumResult
from equipoise.randomization.commands import Randomize
from equipoise.randomization.decide import decide
from equipoise.randomization.evolve import START, add_facts, evolve, state_from_json, state_to_json
from equipoise.words.canonical import canonical_bytes, read_canonical
from equipoise.words.text import Text
from equipoise.words.truth import Truth
from rooms.capture.conduct_study import OCCASION, READY, folded, made_study, recorded, refused, rules, written
from rooms.randomization.made_list import made_slots, publication

STUDY = made_study()
SLOTS = made_slots(STUDY)
PUBLISHED = folded(evolve, START, [AllocationPublished("equipoise-list-1", "0" * 64, SLOTS)], "allocation")


def randomize(facts=READY, state=PUBLISHED, subject="s1", study=STUDY):
    return decide(study, state, facts, Randomize(subject), OCCASION)


def test_randomizing_takes_the_next_slot_in_one_decision():
    slot, subject = written(randomize())
    assert (slot.stream, slot.entry) == ("allocation", SlotTaken("L/E", SLOTS["L/E"][0].number, "s1"))
    assert (subject.stream, subject.entry) == ("subject/s1", SubjectRandomized(SLOTS["L/E"][0].number, "L/E"))


def test_strata_are_used_up_independently_in_the_order_of_the_list():
    state, given = PUBLISHED, []
    for place, code in enumerate(["L/E", "H/D", "L/E", "L/E"]):
        slot, _ = written(randomize(dataclasses.replace(READY, stratum=code), state, f"s{place}"))
        state = evolve(state, recorded("allocation", place + 2, slot.entry))
        given.append(slot.entry.number)
    low = [slot.number for slot in SLOTS["L/E"]]
    assert given == [low[0], SLOTS["H/D"][0].number, low[1], low[2]]
    assert state.randomized_count == 4


U, T, F = Truth.UNKNOWN, Truth.TRUE, Truth.FALSE
RESULTS = READY.verdict_results
WHYS = {"I02": "NIHSS = 5", "E01": "Bleeding = yes", "E02": "Rankin: not done"}
REFUSALS = [
    ({"subject_known": False}, {("randomization.subject-unknown", "subject")}),
    ({"randomization_number": "R7"}, {("randomization.already-randomized", "subject")}),
    ({"status": "RANDOMIZED"}, {("randomization.already-randomized", "subject")}),
    ({"person_randomized": True}, {("randomization.person-randomized", "person")}),
    ({"status": "SCREEN_FAILURE"}, {("randomization.screen-failure", "subject")}),
    ({"status": "SCREENING"}, {("randomization.eligibility-not-confirmed", "eligibility")}),
    (
        {"verdict": "INELIGIBLE", "verdict_results": {**RESULTS, "I02": "F", "E01": "T", "E02": "U"}},
        {
            ("randomization.inclusion-not-met", "I02"),
            ("randomization.exclusion-applies", "E01"),
            ("randomization.criterion-not-evaluable", "E02"),
        },
    ),
    ({"verdict": "NOT_EVALUABLE", "verdict_results": {}}, {("randomization.not-judged", "eligibility")}),
    ({"verdict": "NOT_EVALUABLE"}, {("randomization.not-judged", "eligibility")}),
    ({"confirmed": False}, {("randomization.confirmation-outdated", "eligibility")}),
    ({"consent_in_force": F}, {("randomization.no-consent", "consent")}),
    ({"consent_in_force": U}, {("randomization.no-consent", "consent")}),
    ({"enrolment_open": False}, {("randomization.enrolment-paused", "study")}),
    ({"randomized_count": 4}, {("randomization.cap-reached", "study")}),
    ({"randomized_count": 5}, {("randomization.cap-reached", "study")}),
    ({"site_approved": False}, {("randomization.site-not-approved", "site")}),
    ({"site_active": False}, {("randomization.site-not-active", "site")}),
    ({"list_published": False}, {("randomization.list-not-published", "list")}),
    (
        {"stratum": None, "stratum_reasons": {"severity": "NIHSS 11: not recorded"}},
        {("randomization.stratum-not-evaluable", "severity")},
    ),
    ({"stratum": None}, {("randomization.stratum-not-known", "stratum")}),
]


@pytest.mark.parametrize(("changes", "expected"), REFUSALS)
def test_one_thing_in_the_way_is_one_refusal_by_name(changes, expected):
    facts = dataclasses.replace(READY, verdict_reasons=WHYS, **changes)
    decision = randomize(facts)
    assert set(refused(decision)) == expected
    assert isinstance(decision, Refusal)
    for problem in decision.problems:
        assert problem.say("en") != problem.say("zh")
        assert "{" not in problem.say("en") + problem.say("zh")


def test_everything_in_the_way_is_named_at_once():
    facts = Facts(subject_known=True, status="SCREENING", verdict_results={"I01": "F", "E01": "T"})
    found = rules(randomize(facts, START))
    assert found == {
        "randomization.inclusion-not-met",
        "randomization.exclusion-applies",
        "randomization.eligibility-not-confirmed",
        "randomization.no-consent",
        "randomization.enrolment-paused",
        "randomization.site-not-approved",
        "randomization.site-not-active",
        "randomization.stratum-not-known",
        "randomization.list-not-published",
    }


def test_an_undetermined_stratum_refuses_though_every_criterion_is_met():
    why = {"severity": "NIHSS 11: nothing was recorded"}
    facts = dataclasses.replace(
        READY, stratum=None, stratum_reasons=why, stratum_reasons_zh={"severity": "NIHSS 11：未记录"}
    )
    decision = randomize(facts)
    assert isinstance(decision, Refusal)
    (problem,) = decision.problems
    assert "Severity" in problem.say("en")
    assert why["severity"] in problem.say("en")
    assert "严重程度" in problem.say("zh")
    assert "未记录" in problem.say("zh")


def test_the_entry_of_the_subject_blocks_even_where_the_facts_do_not_say_so():
    state = evolve(PUBLISHED, recorded("allocation", 2, SlotTaken("L/E", SLOTS["L/E"][0].number, "s1")))
    assert rules(randomize(state=state)) == {"randomization.already-randomized"}
    assert written(randomize(state=state, subject="s2"))


def test_a_list_at_its_end_refuses_without_saying_which():
    state = PUBLISHED
    for place, slot in enumerate(SLOTS["L/E"]):
        state = evolve(state, recorded("allocation", place + 2, SlotTaken("L/E", slot.number, f"x{place}")))
    unbounded = made_study(design={})
    decision = randomize(state=state, study=unbounded)
    assert refused(decision) == [("randomization.list-exhausted", "list")]
    assert "L/E" not in decision.problems[0].say()


def test_a_list_that_cannot_be_read_any_more_gives_no_slot():
    state = evolve(PUBLISHED, recorded("allocation", 2, None, kind="SlotTaken"))
    assert rules(randomize(state=state)) == {"randomization.list-unreadable"}


# --- publishing ------------------------------------------------------------------------------------------------------


def publish(command, state=START, facts=READY):
    return decide(STUDY, state, facts, command, OCCASION)


def test_a_list_is_published_once():
    (append,) = written(publish(publication(STUDY)))
    assert append.stream == "allocation"
    state = folded(evolve, START, [append.entry], "allocation")
    other = publication(STUDY, made_slots(made_study(), 6))
    assert rules(publish(other, state)) == {"randomization.list-already-published"}
    assert rules(publish(publication(STUDY), state)) == {"randomization.list-already-published"}


def test_a_list_has_to_fit_the_study_and_its_root():
    good = publication(STUDY)
    few = {code: slots for code, slots in good.slots.items() if code != "H/D"}
    assert rules(publish(publication(STUDY, few))) == {"randomization.list-of-other-strata"}
    short = {code: slots[:3] for code, slots in good.slots.items()}
    assert rules(publish(publication(STUDY, short))) == {"randomization.list-too-short"}
    twice = {**good.slots, "H/D": good.slots["H/E"]}
    assert "randomization.list-repeats" in rules(publish(publication(STUDY, twice)))
    moved = {**good.slots, "H/D": good.slots["H/D"][::-1]}
    assert rules(publish(dataclasses.replace(good, slots=moved))) == {"randomization.list-root-differs"}
    first = good.slots["L/E"][0]
    other = {**good.slots, "L/E": (PublicSlot("R1", first.commitment), *good.slots["L/E"][1:])}
    assert rules(publish(dataclasses.replace(good, slots=other))) == {"randomization.list-root-differs"}
    plain = {**good.slots, "L/E": (PublicSlot(first.number, "placebo"), *good.slots["L/E"][1:])}
    assert "randomization.list-root-differs" in rules(publish(publication(STUDY, plain)))


def test_a_trial_takes_no_list_from_a_known_seed():
    rehearsed = publication(STUDY, generator="equipoise-list-1-rehearsal")
    assert rules(publish(rehearsed)) == {"randomization.list-of-a-rehearsal"}
    assert written(publish(rehearsed, facts=dataclasses.replace(READY, rehearsal=True)))


# --- folding -----------------------------------------------------------------------------------------------------------


def test_a_snapshot_gives_the_same_state():
    state = evolve(PUBLISHED, recorded("allocation", 2, SlotTaken("L/E", SLOTS["L/E"][0].number, "s1")))
    for each in (START, PUBLISHED, state, dataclasses.replace(state, withheld=True)):
        assert state_from_json(read_canonical(canonical_bytes(state_to_json(each)))) == each


def test_the_subject_s_own_stream_tells_its_number():
    state = folded(evolve, START, [SubjectRandomized("R5", "L/E")], "subject/s1")
    assert add_facts(Facts(), state, "s1", None).randomization_number == "R5"


def test_randomization_fills_in_its_own_facts_only():
    state = evolve(PUBLISHED, recorded("allocation", 2, SlotTaken("L/E", SLOTS["L/E"][0].number, "s1")))
    found = add_facts(Facts(), state, "s1", StratumResult(None, {"severity": Text("open", "未定")}))
    owners = {
        field.metadata["owner"]
        for field in dataclasses.fields(Facts)
        if getattr(found, field.name) != getattr(Facts(), field.name)
    }
    assert owners == {"randomization"}
    assert (found.list_published, found.randomized_count) == (True, 1)
    assert found.randomization_number == SLOTS["L/E"][0].number
    assert (found.stratum, found.stratum_reasons, found.stratum_reasons_zh) == (
        None,
        {"severity": "open"},
        {"severity": "未定"},
    )

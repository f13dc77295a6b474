"""What the second door said, as the first door keeps it; and the gate of the final release, judged without a store.

Sources: DESIGN 5 (anchors, three openings); ICH E9 5.8.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger.entries import AllocationReleased, Recorded, ReleaseConditionRecorded, ReleaseSigned
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.oversight import commands as ask
from equipoise.oversight.decide import DoorCommand, decide, decide_door
from equipoise.oversight.evolve import DOOR_START, START, DoorState, State, add_facts, evolve, evolve_door
from equipoise.oversight.evolve import SITE_START as NO_SITE
from equipoise.oversight.release import CONDITIONS, Gate, evolve_gate
from rooms.capture.conduct_study import made_study, recorded, refused

STUDY = made_study()
AT = dt.datetime(2026, 8, 14, tzinfo=dt.UTC)
KEY, OTHER = "ab" * 32, "cd" * 32


def by(actor: str, role: str) -> Occasion:
    return Occasion(AT, "UTC", by=actor, role=role)


def said(state: DoorState, *commands: DoorCommand) -> DoorState:
    for seq, command in enumerate(commands, 1):
        decision = decide_door(STUDY, state, Facts(), command, by("system", "system"))
        assert not isinstance(decision, Refusal), decision
        for append in decision:
            assert append.stream == "second-door"
            state = evolve_door(state, recorded(append.stream, seq, append.entry))
    return state


def rules(decision: Decision) -> set[str]:
    return {rule for rule, _ in refused(decision)}


def anchor(number: int) -> ask.RecordAnchor:
    return ask.RecordAnchor(number, "00" * 32, number, "ff")


def test_a_second_door_is_enrolled_once_and_for_good():
    door = said(DOOR_START, ask.EnrolSecondDoor(KEY))
    assert door.key == KEY
    for key in (KEY, OTHER):
        decision = decide_door(STUDY, door, Facts(), ask.EnrolSecondDoor(key), by("a", "administrator"))
        assert rules(decision) == {"oversight.second-door-enrolled"}


@pytest.mark.parametrize("key", ["", "ab", "AB" * 32, "zz" * 32, KEY + "0"])
def test_what_is_no_public_key_is_not_enrolled(key):
    decision = decide_door(STUDY, DOOR_START, Facts(), ask.EnrolSecondDoor(key), by("a", "administrator"))
    assert rules(decision) == {"oversight.key-unfit"}


def test_without_a_second_door_nothing_is_its_word():
    for command in (anchor(1), ask.RecordRecall("n", ("B1",), 1, "ff")):
        assert rules(decide_door(STUDY, DOOR_START, Facts(), command, by("system", "system"))) == {
            "oversight.no-second-door"
        }


@given(st.lists(st.integers(1, 6), max_size=8))
def test_anchors_come_in_their_order_and_none_twice(numbers):
    """A number may be passed over: a store put back from a backup cannot know which it had given."""
    door, last = said(DOOR_START, ask.EnrolSecondDoor(KEY)), 0
    for number in numbers:
        decision = decide_door(STUDY, door, Facts(), anchor(number), by("system", "system"))
        if number > last:
            door, last = said(door, anchor(number)), number
        else:
            assert rules(decision) == {"oversight.anchor-out-of-order"}
    assert door.anchors == last


def test_a_recall_is_kept_with_its_bags_once():
    recall = ask.RecordRecall("N1", ("B1", "B2"), 2, "ff")
    door = said(DOOR_START, ask.EnrolSecondDoor(KEY), recall)
    assert door.recalls == {"N1": ("B1", "B2")}
    assert rules(decide_door(STUDY, door, Facts(), recall, by("system", "system"))) == {
        "oversight.recall-known"
    }


# --- the gate -----------------------------------------------------------------------------------------------------


def after(state: State, occasion: Occasion, *commands: object, facts: Facts | None = None) -> State:
    for command in commands:
        decision = decide(STUDY, state, facts or Facts(), command, occasion)
        assert not isinstance(decision, Refusal), decision
        for append in decision:
            one: Recorded = recorded(append.stream, 1, append.entry)
            header = dataclasses.replace(one.header, actor=occasion.by, role=occasion.role)
            state = evolve(state, dataclasses.replace(one, header=header))
    return state


def met(condition: str, reference: str = "v1", *, met: bool = True) -> ask.RecordReleaseCondition:
    return ask.RecordReleaseCondition(condition, met, reference)  # type: ignore[arg-type]


def complete() -> State:
    state = START
    for condition, roles in CONDITIONS.items():
        if roles:
            state = after(state, by("x", next(iter(roles))), met(condition))
        else:  # the lock's own entry, which capture writes
            entry = ReleaseConditionRecorded(condition, met=True, reference="v1")  # type: ignore[arg-type]
            state = evolve(state, recorded("study", 1, entry))
    return state


def test_every_condition_is_named_before_anybody_signs():
    decision = decide(STUDY, START, Facts(), ask.SignRelease(Gate().digest()), by("s", "sponsor"))
    assert rules(decision) == {
        "oversight.release-waits-for-database-locked",
        "oversight.release-waits-for-deviations-classed",
        "oversight.release-waits-for-plan-signed",
        "oversight.release-waits-for-sets-signed",
    }


@pytest.mark.parametrize(
    ("condition", "role"), list(itertools.product(CONDITIONS, ["data_manager", "statistician", "sponsor"]))
)
def test_a_condition_is_recorded_by_its_own_role(condition, role):
    decision = decide(STUDY, START, Facts(), met(condition), by("x", role))
    if role in CONDITIONS[condition]:
        assert not isinstance(decision, Refusal)
        assert decision[0].entry == ReleaseConditionRecorded(condition, met=True, reference="v1")
    else:
        assert rules(decision) == {"oversight.condition-of-another-role"}


def test_a_condition_names_what_shows_it_and_is_not_recorded_twice():
    keeper = by("x", "data_manager")
    assert rules(decide(STUDY, START, Facts(), met("DEVIATIONS_CLASSED", " "), keeper)) == {
        "oversight.reference-required"
    }
    state = after(START, keeper, met("DEVIATIONS_CLASSED"))
    assert rules(decide(STUDY, state, Facts(), met("DEVIATIONS_CLASSED"), keeper)) == {
        "oversight.condition-stands"
    }


def test_two_persons_in_two_roles_sign_the_same_digest():
    state = complete()
    digest = state.gate.digest()
    state = after(state, by("s", "sponsor"), ask.SignRelease(digest))
    assert not state.gate.open
    for occasion, rule in (
        (by("s", "sponsor"), "oversight.same-person-signs"),
        (by("s2", "sponsor"), "oversight.role-signed-already"),
        (by("m", "monitor"), "oversight.signature-of-another-role"),
        (by("s", "statistician"), "oversight.same-person-signs"),
    ):
        assert rules(decide(STUDY, state, Facts(), ask.SignRelease(digest), occasion)) == {rule}
    state = after(state, by("t", "statistician"), ask.SignRelease(digest))
    assert state.gate.open


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(sorted(CONDITIONS)), st.booleans(), st.sampled_from(["v1", "v2"])),
        st.tuples(st.sampled_from(["s", "t", "s2"]), st.sampled_from(["sponsor", "statistician"])),
    ),
    max_size=14,
)


@given(CHANGES)
def test_the_gate_is_open_only_over_what_both_signers_saw(changes):
    """Law: an open gate has every condition met, and the newest signatures of two persons were given after them all."""
    gate, changed, signed = Gate(), 0, dict[str, tuple[int, str]]()
    for moment, change in enumerate(changes, 1):
        if len(change) == 3:
            entry = ReleaseConditionRecorded(*change)  # type: ignore[arg-type]
            gate = evolve_gate(gate, entry, "x", "data_manager", str(moment))
            changed = moment
        else:
            gate = evolve_gate(gate, ReleaseSigned(gate.digest()), change[0], change[1], str(moment))
            signed.setdefault(change[1], (moment, change[0]))
            if signed[change[1]][0] < changed:
                signed[change[1]] = moment, change[0]
        if gate.open:
            assert {name for name, one in gate.conditions.items() if one.met} == set(CONDITIONS)
            assert all(at > changed for at, _ in signed.values())
            assert len({person for _, person in signed.values()} | {one.by for one in gate.signers()}) >= 2


def test_after_the_release_nothing_of_it_changes_and_nobody_is_randomized():
    state = complete()
    right = dataclasses.replace(Facts(), list_root="aa")
    wrong = ask.RecordListRelease("bb", "cc", 3, "ff")
    assert rules(decide(STUDY, state, right, wrong, by("system", "system"))) == {
        "oversight.release-of-another-list"
    }
    released = after(state, by("system", "system"), ask.RecordListRelease("aa", "cc", 3, "ff"), facts=right)
    assert isinstance(released.gate.released, AllocationReleased)
    for command in (met("PLAN_SIGNED", met=False), ask.SignRelease(released.gate.digest())):
        assert rules(decide(STUDY, released, right, command, by("t", "statistician"))) == {
            "oversight.released-already"
        }
    assert not add_facts(Facts(), released, NO_SITE, AT.date()).enrolment_open
    assert add_facts(Facts(), state, NO_SITE, AT.date()).enrolment_open

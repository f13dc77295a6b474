"""Slots taken against the list: twice after a restore, out of order, by somebody who has one; and against the release."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger.entries import PublicSlot, SlotTaken
from equipoise.randomization.dispensing import Taken, release_faults, taken_faults

SLOTS = {code: tuple(PublicSlot(f"{code}{n}", f"{n:064x}") for n in range(6)) for code in ("a", "b")}


def taking(*places: tuple[str, int], first: int = 0) -> list[SlotTaken]:
    """Slots taken by participants s0, s1, … in this order."""
    return [SlotTaken(code, f"{code}{n}", f"s{number}") for number, (code, n) in enumerate(places, first)]


def found(taken):
    return [
        (problem.rule.removeprefix("randomization."), problem.where) for problem in taken_faults(SLOTS, taken)
    ]


def test_a_list_that_came_back_from_a_backup_gives_a_slot_twice_and_is_found():
    # Five were taken; the backup was made after the third; two more were randomized on the restored store.
    before = taking(("a", 0), ("b", 0), ("a", 1), ("a", 2), ("b", 1))
    after = taking(("a", 2), ("b", 1), first=10)
    assert found([*before, *after]) == [("slot-twice", "a2"), ("slot-twice", "b1")]
    faults = taken_faults(SLOTS, [*before, *after])
    assert (faults[0].arguments["other"], faults[0].arguments["subject"]) == ("s3", "s10")
    assert found([*before[:3], *after]) == [], (
        "the restored store alone shows nothing: both histories are needed"
    )


def test_every_other_disorder_has_its_name():
    assert found([SlotTaken("a", "z9", "s0")]) == [("slot-unknown", "z9")]
    assert found([SlotTaken("b", "a0", "s0")]) == [("slot-unknown", "a0")]
    assert found(taking(("a", 1))) == [("slot-out-of-order", "a1")]
    assert found([*taking(("a", 0)), SlotTaken("a", "a1", "s0")]) == [("subject-twice", "a1")]
    for problem in taken_faults(
        SLOTS, [SlotTaken("a", "z9", "s0"), *taking(("a", 1), ("a", 1)), SlotTaken("b", "b0", "s0")]
    ):
        assert "{" not in problem.say("en") + problem.say("zh")


@given(
    st.lists(st.sampled_from("ab"), max_size=12).filter(lambda codes: max(map(codes.count, "ab")) <= 6),
    st.data(),
)
def test_slots_taken_in_order_are_well_and_any_single_exchange_is_found(codes, data):
    places = [(code, codes[:n].count(code)) for n, code in enumerate(codes)]
    taken = taking(*places)
    assert found(taken) == []
    if len(taken) > 1:
        one = data.draw(st.integers(0, len(taken) - 2))
        if taken[one].stratum == taken[one + 1].stratum:
            swapped = [*taken[:one], taken[one + 1], taken[one], *taken[one + 2 :]]
            assert found(swapped)
        assert found([*taken, taken[one]])


def test_the_release_says_what_the_ledger_says():
    taken = tuple(taking(("a", 0), ("b", 0), ("a", 1)))
    ledger = Taken("root", SLOTS, taken, {"s0": "L/E", "s1": "H/E", "s2": "L/E"})
    said = [("a0", "s0", "L/E"), ("b0", "s1", "H/E"), ("a1", "s2", "L/E")]

    def rules(dispensed, root="root"):
        return [
            (each.rule.removeprefix("randomization."), each.where)
            for each in release_faults(root, dispensed, ledger)
        ]

    assert rules(said) == []
    assert rules(said, "other") == [("release-of-another-ledger", "root")]
    assert rules(said[:2]) == [("release-dispensed-otherwise", "a1")]
    assert rules([*said, ("b1", "s3", "H/E")]) == [("release-dispensed-otherwise", "b1")]
    assert rules([said[1], said[0], said[2]]) == [("release-dispensed-otherwise", "b0")]
    assert rules([said[0], ("b0", "s9", "H/E"), said[2]]) == [("release-dispensed-otherwise", "b0")]
    assert rules([said[0], ("b0", "s1", "L/E"), said[2]]) == [("release-dispensed-otherwise", "b0")]

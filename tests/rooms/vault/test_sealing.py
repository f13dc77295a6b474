"""Commitments, sealed slots, the public file, and the list as a function of its seed."""

from __future__ import annotations

import json
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger.entries import PublicSlot
from equipoise.protocol.strata import strata
from equipoise.randomization.methods import within
from equipoise.randomization.public import NAME, PublicList, public_content, read_public, verify_public
from equipoise.randomization.sealing import (
    SEALED_BYTES,
    SlotContent,
    SlotName,
    commitment,
    new_key,
    public_key,
    seal,
    unseal,
)
from equipoise.randomization.tree import list_root
from equipoise.vault.lists import AllocationList, make_list
from equipoise.words.canonical import canonical_bytes
from equipoise.words.problem import Problem
from rooms.capture.conduct_study import made_study

SLOT = SlotName("made-up", "L/E", 3)
KEY = new_key(secrets.token_bytes)
nonces = st.binary(min_size=32, max_size=32)


@given(nonces, st.integers(0, 254))
def test_a_slot_opens_as_it_was_sealed_and_every_seal_is_as_long(nonce, arm):
    content = SlotContent(arm, nonce)
    sealed = seal(SLOT, content, public_key(KEY), secrets.token_bytes)
    assert len(sealed) == SEALED_BYTES
    assert unseal(SLOT, sealed, KEY, commitment(SLOT, content)) == content


def test_two_seals_of_the_same_slot_share_nothing():
    content = SlotContent(1, bytes(32))
    first, second = (seal(SLOT, content, public_key(KEY), secrets.token_bytes) for _ in range(2))
    assert first[:32] != second[:32]
    assert first[32:] != second[32:]


def refusal(sealed, private=KEY, slot=SLOT, committed=None):
    found = unseal(slot, sealed, private, committed or commitment(SLOT, SlotContent(1, bytes(32))))
    assert isinstance(found, Problem)
    return found.rule


def test_a_slot_opens_for_its_holder_as_itself_and_unchanged_only():
    sealed = seal(SLOT, SlotContent(1, bytes(32)), public_key(KEY), secrets.token_bytes)
    assert refusal(sealed, private=new_key(secrets.token_bytes)) == "vault.slot-unreadable"
    for other in (SlotName("other", "L/E", 3), SlotName("made-up", "L/D", 3), SlotName("made-up", "L/E", 4)):
        assert refusal(sealed, slot=other) == "vault.slot-unreadable"
    for place in range(SEALED_BYTES):
        broken = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        assert refusal(broken) == "vault.slot-unreadable"
    assert refusal(sealed[:-1]) == "vault.slot-unreadable"


def test_a_slot_that_is_not_the_one_committed_to_stops():
    sealed = seal(SLOT, SlotContent(0, bytes(32)), public_key(KEY), secrets.token_bytes)
    assert refusal(sealed) == "vault.slot-not-committed"  # committed to arm 1, holds arm 0


@given(nonces, nonces)
def test_a_commitment_fixes_everything_it_names(one, other):
    base = commitment(SLOT, SlotContent(0, one))
    changed = [
        commitment(SLOT, SlotContent(1, one)),
        commitment(SlotName("made-up", "L/E", 4), SlotContent(0, one)),
        commitment(SlotName("made-upL", "/E", 3), SlotContent(0, one)),
        *([commitment(SLOT, SlotContent(0, other))] if other != one else []),
    ]
    assert base not in changed


def test_the_content_of_a_slot_is_never_printed():
    assert repr(SlotContent(0, bytes(32))) == repr(SlotContent(1, bytes(range(32))))
    assert f"{SlotContent(1, bytes(32))}" == "SlotContent(sealed)"


def test_a_short_nonce_is_our_bug():
    with pytest.raises(ValueError, match="32 bytes"):
        commitment(SLOT, SlotContent(0, bytes(31)))


# --- the list ----------------------------------------------------------------------------------------------------------

STUDY = made_study(design={"cap": 30})


def made(study=STUDY, digest="d" * 64, seed=b"seed") -> AllocationList:
    found = make_list(study, digest, seed)
    assert isinstance(found, AllocationList)
    return found


def arms(found):
    return {code: [slot.content.arm for slot in slots] for code, slots in found.slots.items()}


def test_the_list_follows_from_its_seed_and_from_nothing_else():
    assert made() == made()
    assert made(seed=b"other") != made()
    assert arms(made(digest="e" * 64)) != arms(made())


def test_every_stratum_has_a_slot_for_every_place_of_the_study_and_keeps_its_balance():
    found = made()
    assert tuple(found.slots) == strata(STUDY)
    for code, drawn in arms(found).items():
        assert len(drawn) == 30
        assert all(within((drawn[:n].count(0), drawn[:n].count(1)), (1, 1), 3) for n in range(31)), code
    assert len({tuple(drawn) for drawn in arms(found).values()}) == 4, "each stratum has draws of its own"


def test_public_numbers_are_unique_of_one_length_and_tell_no_place():
    slots = [slot for listed in made().slots.values() for slot in listed]
    numbers = [slot.number for slot in slots]
    assert len(set(numbers)) == len(numbers) == 120
    assert {(number[0], len(number)) for number in numbers} == {("R", 6)}
    assert numbers != sorted(numbers)
    # Swapping the arms leaves every public number as it was: numbers are drawn apart from arms.
    swapped = STUDY.model_copy(update={"arms": STUDY.arms[::-1]})
    assert made(swapped).arms == ("B", "A")
    assert [slot.number for listed in made(swapped).slots.values() for slot in listed] == numbers


def test_a_study_without_places_or_arms_has_no_list():
    for study in (
        made_study(design={}),
        made_study(randomization=None),
        made_study(arms=[{"id": "A", "label": "A"}]),
        made_study(randomization={"method": "nonsense", "ratio": {"A": 1, "B": 1}}),
    ):
        assert isinstance(make_list(study, "d", b"seed"), Problem)


# --- the public file -----------------------------------------------------------------------------------------------------

FACTS = {
    "generator": "g",
    "program": "p",
    "plan": {},
    "public_value": "",
    "study": "s",
    "version": "1",
    "digest": "d",
    "contributions": [],
    "over_bar_because": "",
}
SLOTS = {code: slots[:3] for code, slots in made().public().items()}


def write(folder, content: bytes):
    (folder / NAME).write_bytes(content)
    return folder


def test_the_public_file_is_read_back_and_its_root_checked(tmp_path):
    write(tmp_path, public_content(FACTS, SLOTS))
    found = read_public(tmp_path / NAME)
    assert isinstance(found, PublicList)
    assert found.command.slots == SLOTS
    assert verify_public(tmp_path) == list_root(SLOTS)


def test_any_change_of_a_slot_or_its_place_is_found(tmp_path):
    content = json.loads(public_content(FACTS, SLOTS))
    listed = content["strata"]["L/E"]
    other = {"number": "R1", "commitment": "0" * 64}
    for changed in (
        [listed[1], listed[0], listed[2]],
        listed[:2],
        [*listed, other],
        [{**listed[0], "number": "R00000"}, *listed[1:]],
        [{**listed[0], "commitment": "0" * 64}, *listed[1:]],
    ):
        broken = {**content, "strata": {**content["strata"], "L/E": changed}}
        write(tmp_path, json.dumps(broken).encode())
        found = verify_public(tmp_path)
        assert isinstance(found, Problem)
        assert found.rule == "randomization.list-root-differs"


def test_any_changed_byte_is_found(tmp_path):
    whole = public_content({**FACTS, "over_bar_because": "blocks, by the sponsor's procedure"}, SLOTS)
    assert not isinstance(verify_public(write(tmp_path, whole)), Problem)
    for place in range(len(whole)):
        for bit in (0, 5):
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            found = verify_public(write(tmp_path, bytes(changed)))
            assert isinstance(found, Problem), (place, bit, bytes(changed[max(place - 30, 0) : place + 10]))


def test_what_is_said_beside_the_slots_is_covered_too(tmp_path):
    content = json.loads(public_content(FACTS, SLOTS))
    for name in ("study", "version", "digest", "generator", "over_bar_because"):
        changed = canonical_bytes({**content, name: "another"}) + b"\n"
        found = verify_public(write(tmp_path, changed))
        assert isinstance(found, Problem), name
        assert found.rule == "randomization.public-file-changed"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b'{"format": "other"}', b'{"format": "equipoise-allocation-1"}',
     json.dumps({**json.loads(public_content(FACTS, SLOTS)), "arms": ["A", "B"]}).encode(),
     json.dumps({**json.loads(public_content(FACTS, SLOTS)), "strata": {}}).encode(),
     json.dumps({**json.loads(public_content(FACTS, SLOTS)), "strata": {"\ud800": [{"number": "R1", "commitment": "0" * 64}]}}).encode(),
     b"[" * 100_000,
     json.dumps({**json.loads(public_content(FACTS, SLOTS)), "strata": {"L/E": [{"number": "R1"}]}}).encode(),
     json.dumps({**json.loads(public_content(FACTS, SLOTS)), "root": 5}).encode()],
)  # fmt: skip
def test_a_file_of_another_shape_is_named_as_such(tmp_path, content):
    found = verify_public(write(tmp_path, content))
    assert isinstance(found, Problem)
    assert found.rule == "randomization.public-file-unreadable"


def test_a_number_that_stands_twice_and_a_folder_without_a_list_are_named(tmp_path):
    found = verify_public(tmp_path)
    assert isinstance(found, Problem)
    assert found.rule == "randomization.public-file-missing"
    slot = SLOTS["L/E"][0]
    twice = {"L/E": (slot, PublicSlot(slot.number, "0" * 64))}
    found = verify_public(write(tmp_path, public_content(FACTS, twice)))
    assert isinstance(found, Problem)
    assert found.rule == "randomization.list-repeats"

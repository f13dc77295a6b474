"""Opening a slot at the second door: what was committed to at the ceremony, or nothing at all.

Source: DESIGN 5 (whoever opens a slot recomputes its commitment and path; a mismatch stops dispensing).
"""

from __future__ import annotations

import json

import pytest

from equipoise.ledger.entries import Append, CodeBreakRequested
from equipoise.ledger.vault_entries import SlotRefused
from equipoise.protocol.digest import study_digest
from equipoise.randomization.draws import combined
from equipoise.vault.breaks.commands import ShowArm
from equipoise.vault.facts import PROGRAM, Keeper
from equipoise.vault.lists import make_list
from equipoise.vault.slots import product_of
from equipoise.vault.stock.commands import RecallLot
from equipoise.words.problem import Problem
from rooms.vault.two_doors import Doors

A, B = "N6-12/D14-45", "N13-20/D14-45"


def oracle(doors: Doors) -> dict[str, str]:
    """number -> arm, worked out anew from the seed by the list's own generator."""
    seed = combined([b"a seed for tests, known to all"], "")
    made = make_list(doors.study, study_digest(doors.study), seed)
    assert not isinstance(made, Problem)
    return {slot.number: made.arms[slot.content.arm] for slots in made.slots.values() for slot in slots}


def ask(doors: Doors, subject: str, request: str) -> None:
    asked = CodeBreakRequested(request, "EMERGENCY", True, "SELF", False, "", "")
    doors.write(f"ask {request}", Append(f"subject/{subject}", asked), actor="inv", role="investigator")


def facts(doors: Doors, request: str):
    with doors.vault.reading() as reader:
        return doors.vault.facts(reader, Keeper("inv", "BREAK", ("BREAK",)), ShowArm(request))


def test_every_subject_has_the_product_of_the_arm_that_was_drawn(doors: Doors) -> None:
    drawn = oracle(doors)
    numbers = {f"s{count}": doors.randomize(f"s{count}", (A, B)[count % 2]) for count in range(24)}
    for subject in numbers:
        ask(doors, subject, f"r {subject}")
    doors.exchange()
    found = {subject: facts(doors, f"r {subject}") for subject in numbers}
    assert {subject: one.number for subject, one in found.items()} == numbers
    assert {subject: one.product for subject, one in found.items()} == {
        subject: product_of(doors.study, drawn[number]) for subject, number in numbers.items()
    }
    assert (
        len({one.product for one in found.values()}) == 2
    )  # both arms occur, so that the comparison says something


def test_every_slot_of_the_list_opens(doors: Doors) -> None:
    drawn = oracle(doors)
    doors.exchange()
    with doors.vault.reading() as reader:
        known = doors.vault.known(reader)
    assert {number: doors.vault._knowledge.arm(doors.study, number, known) for number in drawn} == drawn


def test_the_product_is_among_the_facts_of_rooms_that_open_slots_only(doors: Doors) -> None:
    doors.randomize("s1", A)
    doors.exchange()
    with doors.vault.reading() as reader:
        found = doors.vault.facts(reader, PROGRAM, RecallLot("L1", "reason"))
    assert found.product is None


def _tamper(doors: Doors, number: str, how: str) -> None:
    """Change what lies on disk for one slot, and open the door again."""
    doors.vault.close()
    path = doors.folder / "vault" / "list" / "slots.json"
    content = json.loads(path.read_text("utf-8"))
    mine = content["slots"][number]
    other = next(
        one for name, one in content["slots"].items() if name != number and one["stratum"] == mine["stratum"]
    )
    if how == "one bit":
        sealed = bytearray.fromhex(mine["sealed"]["vault"])
        sealed[40] ^= 1
        mine["sealed"]["vault"] = sealed.hex()
    elif how == "another slot":
        mine["sealed"]["vault"] = other["sealed"]["vault"]
    elif how == "place":
        mine["index"] = other["index"]
    elif how == "lost":
        del content["slots"][number]
    else:
        content["arms"] = content["arms"][:0]
    path.write_text(json.dumps(content), "utf-8")
    doors.reopen_vault()


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ("one bit", "vault.slot-unreadable"),
        ("another slot", "vault.slot-unreadable"),
        ("place", "vault.slot-not-committed"),
        ("lost", "vault.slot-unknown"),
        ("arms", "vault.slot-not-committed"),
    ],
)
def test_a_slot_that_was_tampered_with_opens_nothing_and_is_written_down(
    doors: Doors, how: str, rule: str
) -> None:
    number = doors.randomize("s1", A)
    ask(doors, "s1", "r1")
    doors.exchange()
    assert doors.enrol("inv", "BREAK").accepted
    assert facts(doors, "r1").product is not None
    _tamper(doors, number, how)
    found = facts(doors, "r1")
    assert (found.product, found.slot_fault) == (None, rule)
    keeper = doors.vault.who("inv", "BREAK")
    assert keeper is not None
    assert not doors.vault.submit(keeper, ShowArm("r1"), key="show").accepted
    with doors.vault.reading() as reader:
        refused = [one.entry for one in reader.entries("slots") if isinstance(one.entry, SlotRefused)]
    assert refused == [SlotRefused(number, "s1", rule)]
    doors.vault.submit(keeper, ShowArm("r1"), key="show again")
    with doors.vault.reading() as reader:
        assert len([one for one in reader.entries("slots") if isinstance(one.entry, SlotRefused)]) == 1


def test_a_key_of_another_list_is_refused_when_the_door_opens(doors: Doors) -> None:
    from equipoise.vault.opening import open_vault
    from rooms.vault.two_doors import PASSPHRASE, opened

    doors.vault.close()
    path = doors.folder / "vault" / "list" / "vault.key.sealed"
    kept = path.read_bytes()
    path.write_bytes(bytes(len(kept)))
    found = open_vault(doors.folder / "vault", PASSPHRASE, clock=doors.clock)
    assert isinstance(found, Problem)
    assert found.rule == "vault.list-unreadable"
    path.write_bytes(kept)
    doors.vault = opened(open_vault(doors.folder / "vault", PASSPHRASE, clock=doors.clock))


def test_a_refused_slot_stays_refused(doors: Doors) -> None:
    """Twice the same slot, as after a restore: the second subject gets nothing, whatever lies on disk."""
    first = doors.randomize("s1", A)
    doors.randomize("s2", A, first)
    ask(doors, "s2", "r2")
    doors.exchange()
    found = facts(doors, "r2")
    assert (found.number, found.product, found.slot_fault) == (None, None, "vault.slot-twice")


def test_a_book_of_slots_prints_no_content(doors: Doors) -> None:
    assert repr(doors.vault.book) == f"SlotBook({len(oracle(doors))} sealed slots)"


def test_with_minimization_the_arm_follows_from_everybody_before(tmp_path) -> None:
    """ "Mode B": the slots hold draws; the arms are those that the rule gives in the order of randomization."""
    from equipoise.protocol.strata import layers
    from equipoise.randomization.methods import in_order
    from equipoise.randomization.minimization import allocations, minimization_of
    from rooms.vault.two_doors import make_doors, open_doors, rehearsed_study

    chosen = rehearsed_study().randomization
    assert chosen is not None
    minimized = chosen.model_copy(update={"method": "minimization", "parameters": {"probability": "4/5"}})
    study = rehearsed_study().model_copy(update={"randomization": minimized})
    make_doors(tmp_path, study)
    doors = open_doors(tmp_path)
    (layer,) = layers(study)
    drawn = []
    content = {slot.number: slot.content for slots in _made(doors).values() for slot in slots}
    for count in range(30):
        stratum = (A, B, "N6-12/D46-90")[count % 3]
        number = doors.randomize(f"s{count}", stratum, layer=layer)
        drawn.append((stratum, content[number].draw))
        ask(doors, f"s{count}", f"r{count}")
    doors.exchange()
    expected = allocations(minimization_of(in_order(study)), drawn)
    arms = list(in_order(study).ratio)
    found = [facts(doors, f"r{count}").product for count in range(30)]
    assert found == [product_of(study, arms[place]) for place in expected]
    assert set(expected) == {0, 1}
    doors.close()


def _made(doors: Doors):
    made = make_list(
        doors.study, study_digest(doors.study), combined([b"a seed for tests, known to all"], "")
    )
    assert not isinstance(made, Problem)
    return made.slots

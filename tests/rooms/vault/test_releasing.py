"""The final release out of an open second door: it verifies from public files, and says what this door's ledger says."""

from __future__ import annotations

import json

import pytest

from equipoise.ledger.entries import Append, Entry
from equipoise.ledger.vault_entries import (
    BagHandedOver,
    BagPrepared,
    BagVerified,
    LotReceived,
    PreparationFailed,
    PreparationOpened,
    UnitTaken,
)
from equipoise.protocol.strata import LAYER
from equipoise.randomization.verify_allocation import Disagrees, verify
from equipoise.vault.holding import SEEDS
from equipoise.vault.lists_held import PLACE
from equipoise.vault.releasing import release_of
from equipoise.words.problem import Problem
from rooms.vault.two_doors import Doors, make_doors, open_doors, rehearsed_study

STRATA = ("N6-12/D14-45", "N13-20/D14-45")


def shelved(doors: Doors) -> dict[str, str]:
    """A lot on the shelf for each arm; arm -> lot."""
    lots = {product.arm: f"LOT {product.id}" for product in doors.study.supply.products}
    for product in doors.study.supply.products:
        lot = lots[product.arm]
        entry = LotReceived(
            lot, product.id, ("01", "02"), "2027-01-01", "0" * 64, "P5", "2e7", "8", "90", "PASS", "PASS"
        )
        assert doors.vault._note(lot, Append("stock", entry)).accepted
    return lots


def handed_over(
    doors: Doors, subject: str, number: str, opened: str, lot: str, dose: int = 1, *, failed: str = ""
) -> None:
    """A preparation as the bench writes it: the product that the slot says, the lot that was taken, the bag at the ward.

    failed: a lot that was taken first, for a bag that never left.
    """
    request = f"r {subject} {dose}"
    entries: list[Entry] = [PreparationOpened(request, subject, number, 1, opened)]
    if failed:
        entries += [
            UnitTaken(request, subject, "01", failed),
            PreparationFailed(request, "SPILLED", again=True),
        ]
        entries += [PreparationOpened(request, subject, number, 2, opened)]
    entries += [
        UnitTaken(request, subject, "01", lot), BagPrepared(request, subject, "123456", "50", "2026-06-01T05:00:00+00:00", "4", "0"),
        BagVerified(request, "123456", "chk", "2026-06-01T04:00:00+00:00"),
        BagHandedOver(request, subject, "123456", "2026-06-01T04:00:00+00:00", "2026-06-01T05:00:00+00:00"),
    ]  # fmt: skip
    stream = f"bench/r-{subject}-{dose}"
    assert doors.vault._note(f"handed {request}", *(Append(stream, each) for each in entries)).accepted


def test_the_release_of_a_played_trial_verifies_and_names_who_was_randomized(doors: Doors) -> None:
    numbers = {f"s{count}": doors.randomize(f"s{count}", STRATA[count % 2]) for count in range(9)}
    doors.exchange()
    found = release_of(doors.vault)
    assert not isinstance(found, Problem), found.say()
    content, root = found
    said = verify((doors.folder / "public" / "allocation.json").read_bytes(), content)
    assert said.endswith(f" slots, 9 dispensed, root {root}")
    dispensed = json.loads(content)["dispensed"]
    assert [(each["subject"], each["number"]) for each in dispensed] == list(numbers.items())
    assert [each["stratum"] for each in dispensed] == [STRATA[count % 2] for count in range(9)]
    assert {each["arm"] for each in dispensed} == {""}, "nothing was prepared"


def test_what_was_taken_from_the_shelf_stands_beside_its_slot_and_a_wrong_lot_is_found(doors: Doors) -> None:
    """The slot of the second was opened rightly, and the lot of the other arm was taken: what was opened hides nothing."""
    lots = shelved(doors)
    right, wrong = doors.randomize("s1", STRATA[0]), doors.randomize("s2", STRATA[0])
    doors.exchange()
    with doors.vault.reading() as reader:
        known = doors.vault.known(reader)
    products = {product.arm: product.id for product in doors.study.supply.products}
    arms = {number: doors.vault._knowledge.arm(doors.study, number, known) for number in (right, wrong)}
    other = next(arm for arm in products if arm != arms[wrong])
    handed_over(doors, "s1", right, products[arms[right]], lots[arms[right]], failed=lots[other])
    handed_over(doors, "s2", wrong, products[arms[wrong]], lots[other])
    found = release_of(doors.vault)
    assert not isinstance(found, Problem)
    assert [each["arm"] for each in json.loads(found[0])["dispensed"]] == [arms[right], other]
    with pytest.raises(Disagrees, match=f"slot {wrong} .* is not the arm of the slot"):
        verify((doors.folder / "public" / "allocation.json").read_bytes(), found[0])


def test_doses_from_lots_of_two_arms_are_named_both(doors: Doors) -> None:
    lots = shelved(doors)
    number = doors.randomize("s1", STRATA[0])
    doors.exchange()
    for dose, arm in enumerate(lots, 1):
        handed_over(doors, "s1", number, "any", lots[arm], dose)
    found = release_of(doors.vault)
    assert not isinstance(found, Problem)
    assert [each["arm"] for each in json.loads(found[0])["dispensed"]] == ["+".join(sorted(lots))]
    with pytest.raises(Disagrees, match=f"slot {number} .* is not the arm of the slot"):
        verify((doors.folder / "public" / "allocation.json").read_bytes(), found[0])


def test_a_slot_altered_in_what_was_released_is_found(doors: Doors) -> None:
    doors.exchange()
    found = release_of(doors.vault)
    assert not isinstance(found, Problem)
    public = (doors.folder / "public" / "allocation.json").read_bytes()
    with pytest.raises(Disagrees):
        verify(public, found[0].replace(b'"arm":0', b'"arm":1', 1))


def test_without_its_seeds_or_its_list_nothing_is_released(doors: Doors) -> None:
    doors.exchange()
    seeds = doors.vault.folder / PLACE / SEEDS
    whole = seeds.read_bytes()
    seeds.chmod(0o600)
    seeds.write_bytes(whole.replace(b'"seed":"', b'"seed":"00', 1))
    changed = release_of(doors.vault)
    seeds.unlink()
    missing = release_of(doors.vault)
    for one in (changed, missing):
        assert isinstance(one, Problem)
        assert one.rule == "vault.seeds-unreadable"
    seeds.write_bytes(whole)
    assert not isinstance(release_of(doors.vault), Problem)


def test_the_release_of_minimization_verifies_with_the_arms_that_were_prepared(tmp_path) -> None:
    chosen = rehearsed_study().randomization
    assert chosen is not None
    minimized = chosen.model_copy(update={"method": "minimization", "parameters": {"probability": "4/5"}})
    make_doors(tmp_path, rehearsed_study().model_copy(update={"randomization": minimized}))
    doors = open_doors(tmp_path)
    for count in range(12):
        doors.randomize(f"s{count}", STRATA[count % 2], layer=LAYER)
    doors.exchange()
    lots = shelved(doors)
    with doors.vault.reading() as reader:
        known = doors.vault.known(reader)
    products = {product.arm: product.id for product in doors.study.supply.products}
    for subject, number in known.slots.numbers.items():
        arm = doors.vault._knowledge.arm(doors.study, number, known)
        handed_over(doors, subject, number, products[str(arm)], lots[str(arm)])
    found = release_of(doors.vault)
    doors.close()
    assert not isinstance(found, Problem), found.say()
    said = verify((tmp_path / "public" / "allocation.json").read_bytes(), found[0])
    assert said.endswith(f" slots, 12 dispensed, root {found[1]}")
    assert len({each["arm"] for each in json.loads(found[0])["dispensed"]}) == 2

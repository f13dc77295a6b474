"""The channel end to end, in one process: what goes up is believed only when it is proven, and what comes down is signed.

Sources of the rules: DESIGN 5 (channel, randomizing, anchors).
"""

from __future__ import annotations

from equipoise.ledger.vault_entries import SlotAssigned
from rooms.vault.two_doors import Doors


def entries(doors: Doors, stream: str):
    with doors.vault.reading() as reader:
        return [recorded.entry for recorded in reader.entries(stream)]


def test_what_the_first_door_wrote_is_known_at_the_second(doors: Doors) -> None:
    doors.exchange()
    number = doors.randomize("s1", "N6-12/D14-45")
    doors.exchange()
    with doors.vault.reading() as reader:
        known = doors.vault.known(reader)
    assert known.told.sites == {"s1": "01"}
    assert known.slots.numbers == {"s1": number}
    assert [one.order for one in entries(doors, "slots") if isinstance(one, SlotAssigned)] == [1]
    assert "pharmacist" in known.told.roles()["phar"]

"""What tests of the channel look at, at either door."""

from __future__ import annotations

from equipoise.channel.codec import read_answer, read_delivery, write_delivery
from equipoise.channel.messages import Delivery
from equipoise.ledger.vault_entries import (
    DeliveryRefused,
)
from rooms.vault.two_doors import Doors


def entries(doors: Doors, stream: str):
    with doors.vault.reading() as reader:
        return [recorded.entry for recorded in reader.entries(stream)]


def refusals(doors: Doors) -> list[str]:
    return [one.rule for one in entries(doors, "inbox") if isinstance(one, DeliveryRefused)]


def known(doors: Doors):
    with doors.vault.reading() as reader:
        return doors.vault.known(reader)


def sent(doors: Doors, delivery: Delivery) -> str:
    """What the second door says of a delivery: the rule of its refusal, or nothing."""
    answer = read_answer(doors.vault.receive(write_delivery(delivery)))
    assert answer is not None
    return answer.refused


def true_delivery(doors: Doors) -> Delivery:
    """A delivery of the courier's that was not taken in yet: a subject randomized since the last exchange."""
    caught: list[bytes] = []

    def catch(delivery: bytes) -> bytes:
        caught.append(delivery)
        raise ConnectionRefusedError("caught on the way")

    doors.courier._line = catch
    assert doors.courier.exchange() is not None
    doors.courier._line = doors.line
    read = read_delivery(caught[-1])
    assert read is not None
    assert read.entries
    return read


def anchors_heard(doors: Doors):
    from equipoise.ledger.entries import AnchorReceived

    with doors.desk.reading() as reader:
        return [one.entry for one in reader.entries("second-door") if isinstance(one.entry, AnchorReceived)]

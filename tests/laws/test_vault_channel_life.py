"""Whatever happens on the line and to either process: in the end the second door knows exactly what the first one wrote.

A machine draws courses of events: participants are randomized, messages and answers are lost, either door is stopped and
opened again, clocks go on. Source: DESIGN 5 (channel): nothing is lost, nothing is told twice.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from equipoise.desk.courier import Courier
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from equipoise.ledger.entries import AnchorReceived
from equipoise.ledger.vault_entries import StatementMade
from rooms.vault.two_doors import copied, make_doors, open_doors

STRATA = ("N6-12/D14-45", "N13-20/D14-45")
MADE: dict[str, Path] = {}


@pytest.fixture(scope="module", autouse=True)
def _made(tmp_path_factory: pytest.TempPathFactory) -> None:
    MADE["doors"] = tmp_path_factory.mktemp("doors")
    make_doors(MADE["doors"])


class ChannelLife(RuleBasedStateMachine):
    """Both doors, and what was truly done."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="channel-life-"))
        self.doors = open_doors(copied(MADE["doors"], self.folder))
        self.randomized: dict[str, str] = {}
        self.lose = ""
        self._connect()

    def _connect(self) -> None:
        self.doors.courier = self.doors.desk.send(Courier(self.doors.desk, self._line))

    def _line(self, delivery: bytes) -> bytes:
        lose, self.lose = self.lose, ""
        if lose == "delivery":
            raise ConnectionRefusedError("lost on the way up")
        answer = self.doors.vault.receive(delivery)
        if lose == "answer":
            raise ConnectionResetError("lost on the way down")
        return answer

    @rule(stratum=st.sampled_from(STRATA), count=st.integers(1, 3))
    def randomize(self, stratum: str, count: int) -> None:
        for _ in range(count):
            subject = f"s{len(self.randomized)}"
            self.randomized[subject] = self.doors.randomize(subject, stratum)

    @rule(lose=st.sampled_from(["", "", "delivery", "answer"]))
    def exchange(self, lose: str) -> None:
        self.lose = lose
        self.doors.courier.exchange()
        self.lose = ""

    @rule(minutes=st.integers(1, 100))
    def wait(self, minutes: int) -> None:
        self.doors.clock.at += dt.timedelta(minutes=minutes)
        self.doors.vault.tick()

    @rule()
    def reopen_the_second_door(self) -> None:
        self.doors.reopen_vault()

    @rule()
    def reopen_the_first_door(self) -> None:
        self.doors.desk.close()
        desk = open_desk(self.folder / "first", kind=FrontDesk, clock=self.doors.clock)
        assert isinstance(desk, FrontDesk)
        self.doors.desk = desk
        self._connect()

    @precondition(lambda self: self.randomized)
    @rule()
    def send_everything_again(self) -> None:
        self.doors.courier._accepted = None
        self.doors.courier.exchange()

    @invariant()
    def nobody_is_alarmed_and_nothing_is_believed_that_is_not_so(self) -> None:
        assert not self.doors.vault.alarms()
        with self.doors.vault.reading() as reader:
            known = self.doors.vault.known(reader)
        assert known.slots.numbers.items() <= self.randomized.items()
        assert known.slots.order == len(known.slots.numbers)

    def teardown(self) -> None:
        try:
            assert self.doors.courier.exchange() is None
            with self.doors.vault.reading() as reader:
                known = self.doors.vault.known(reader)
                said = [one.entry for one in reader.entries("statements")]
            assert known.slots.numbers == self.randomized
            assert list(known.slots.numbers) == list(self.randomized)  # in the order of granting
            assert [one.number for one in said if isinstance(one, StatementMade)] == list(
                range(1, len(said) + 1)
            )
            with self.doors.desk.reading() as reader:
                heard = [one.entry for one in reader.entries("second-door")]
            anchors = [one.number for one in heard if isinstance(one, AnchorReceived)]
            assert anchors == list(range(1, len(said) + 1))
        finally:
            self.doors.close()
            shutil.rmtree(self.folder)


ChannelLife.TestCase.settings = settings(max_examples=6, stateful_step_count=12)
TestChannelLife = ChannelLife.TestCase

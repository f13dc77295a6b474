"""Made-up participants who keep the diary: a store in which any number of them can be had at once.

Nobody here exists. A participant is planted: the entries that a screening, a consent and a randomization leave are
written as such, because what this file serves is the diary and not the way there (madeup.py goes the whole way).
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from pathlib import Path

from bench.planted import plant

from equipoise.access.commands import Who
from equipoise.desk import devices, diary_intake
from equipoise.desk.clock import SetClock
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from equipoise.desk.phones import Invited
from equipoise.desk.setup import add_person, create_store, fill_log, open_site
from equipoise.diary.commands import PARTICIPANT
from equipoise.diary.evolve import State
from equipoise.protocol.digest import study_digest
from equipoise.protocol.study import Study
from equipoise.simulation.phone import Phone

BEGAN = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
"""When everybody here was randomized: 9 o'clock of 2 March in Shanghai, so that 2 March is study day 1."""


class Still(SetClock):
    """A clock that stands where it is put."""

    def __call__(self) -> dt.datetime:
        return self.at


@dataclass
class Diarists:
    """A desk with staff at site 01 and as many participants as are planted."""

    desk: FrontDesk
    clock: Still
    study: Study
    digest: str
    folder: Path
    count: int = 0
    draw: random.Random = field(default_factory=lambda: random.Random(1))

    @property
    def crc(self) -> Who:
        """The coordinator of site 01."""
        found = self.desk.who("crc", "coordinator")
        assert found is not None
        return found

    def plant(self, *, caregiver: str = "", randomized: bool = True) -> str:
        """A new participant of site 01, randomized at `BEGAN`; the subject's id."""
        self.count += 1
        return plant(
            self.desk, self.study, self.digest, self.count, BEGAN, caregiver=caregiver, randomized=randomized
        )

    def phone(self, subject: str, holder: str = PARTICIPANT, zone: str = "") -> Phone:
        """A phone that was just set up for a participant's diary."""
        self.count += 1
        invited = devices.invite(self.desk, self.crc, subject, holder, key=f"invite {self.count}", zone=zone)
        assert isinstance(invited, Invited), [one.say() for one in invited]
        given = devices.enrol(self.desk, invited.code, invited.pin)
        assert isinstance(given, devices.Enrolled), given
        phone = Phone(self.clock, random.Random(self.draw.getrandbits(64)))
        phone.set_up(given)
        assert phone.sync(self.send)
        return phone

    def send(self, packets: list[bytes] | tuple[bytes, ...]) -> diary_intake.Answers:
        """A sending that arrives and whose answer comes back."""
        return diary_intake.take(self.desk, packets)

    def diary(self, subject: str) -> State:
        """The diary as the ledger has it."""
        with self.desk.reading() as reader:
            return self.desk.diary(reader, subject)

    def at(self, day: int, hour: float) -> None:
        """Put the clock to an hour of a study day in Shanghai."""
        midnight = dt.datetime(2026, 3, 1, 16, tzinfo=dt.UTC)
        self.clock.at = midnight + dt.timedelta(days=day - 1, hours=hour)


def make_diarists(folder: Path, study: Study) -> Diarists:
    """A store at `folder` with one open site and its staff, and nobody in it yet."""
    clock = Still(BEGAN - dt.timedelta(days=1))
    desk = create_store(folder, study, "rehearsal", clock=clock)
    assert not isinstance(desk, tuple), [one.say() for one in desk]
    problems = list(open_site(desk, "01", "EC-1", "2025-12-01"))
    problems += add_person(desk, "crc", "CRC", "coordinator", "01")
    problems += add_person(desk, "pi", "PI", "investigator", "01")
    problems += fill_log(desk)
    assert problems == []
    desk.close()
    opened = open_desk(folder, kind=FrontDesk, clock=clock)
    assert isinstance(opened, FrontDesk)
    clock.at = BEGAN
    return Diarists(opened, clock, study, study_digest(study), folder)

"""What both doors of a rehearsal in play share: its clock, where time stands, and the gate shut while it passes.

The rule that must stay true: while the gate is shut nobody's page is answered, so that nothing is read half-way through
a day and nothing is written between two steps of the script; who was inside is waited for.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from dataclasses import dataclass
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from equipoise.protocol.study import Study
from equipoise.words.clock import SetClock
from equipoise.words.text import Text

State = Literal["RESTS", "PLAYS", "STUCK", "ENDED", "LEFT"]
"""RESTS: time can be moved on. PLAYS: it passes. STUCK: the database could not be locked. ENDED: the trial is over.
LEFT: the program was ended in between, and nobody plays on."""
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rehearsal stands. day: on the study's clock. over, people: participants who need no more, and all.

    passed: what the script passed over because of what a visitor had entered. why: what keeps it from going on.
    verified: what the verification of the published list said. elsewhere: the address at which time is moved on, where
    that is not this door's.
    """

    state: State
    day: dt.date
    over: int = 0
    people: int = 0
    passed: tuple[Text, ...] = ()
    why: Text | None = None
    verified: str = ""
    elsewhere: str = ""


class PlayClock(SetClock):
    """The clock of a rehearsal that people look at: put forward while it is played, going on by itself while it rests.

    At rest it shows the time that passes and stays where it was put, so that looking at pages changes nothing of what
    comes.
    """

    def __init__(self, at: dt.datetime) -> None:
        super().__init__(at)
        self._rests_since: float | None = None

    @property
    def rests(self) -> bool:
        """Whether nothing is played now."""
        return self._rests_since is not None

    def __call__(self) -> dt.datetime:
        """The time: as of a clock that was put, or as it passes while it rests."""
        if self._rests_since is None:
            return super().__call__()
        return self.at + dt.timedelta(milliseconds=int((time.monotonic() - self._rests_since) * 1000))

    def rest(self) -> None:
        """Go on by itself from where it stands."""
        self._rests_since = time.monotonic()

    def play(self, *, lived: bool) -> None:
        """Be put forward again; `lived`: something was written at rest, so that the time since has passed."""
        if lived:
            self.at = max(self.at, self())
        self._rests_since = None


def day_of(study: Study, at: dt.datetime) -> dt.date:
    """The day that the pages of a rehearsal show: on the clocks of the study's first site."""
    return at.astimezone(ZoneInfo(study.zone_of(None))).date()


class Journey(Protocol):
    """A rehearsal in play, as pages ask it."""

    @property
    def gate(self) -> Gate:
        """What is shut while time passes."""

    def standing(self) -> Standing:
        """Where it stands now."""


class Gate:
    """Lets pages through while time rests. Safe for threads."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._inside, self._shut = 0, False

    def enter(self, patience: float = 0.0) -> bool:
        """Go in, after waiting so many seconds at most; whether one is inside. Who is leaves."""
        with self._change:
            if not self._change.wait_for(lambda: not self._shut, patience):
                return False
            self._inside += 1
            return True

    def leave(self) -> None:
        """Go out."""
        with self._change:
            self._inside -= 1
            self._change.notify_all()

    def shut(self) -> None:
        """Let nobody in any more, and wait until everybody is out."""
        with self._change:
            self._shut = True
            self._change.wait_for(lambda: self._inside == 0, PATIENCE_SECONDS)

    def open(self) -> None:
        """Let people in again."""
        with self._change:
            self._shut = False
            self._change.notify_all()

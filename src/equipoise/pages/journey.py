"""What the pages of a rehearsal in play share: where its time stands, and the gate that is shut while time passes.

The rule that must stay true: while the gate is shut nobody's page is answered, so that nothing is read half-way through
a day and nothing is written between two steps of the script; who was inside is waited for.
"""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass
from typing import Literal, Protocol

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

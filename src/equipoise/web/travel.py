"""A rehearsal in play, as the first door's pages ask it: where time stands, moving it on, and the report at its end.

The rule that must stay true: only a rehearsal's store with somebody who plays has one; in every other store there are
no such pages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from django.conf import settings

from equipoise.pages.journey import Gate, Standing

TRAVELLING = "/rehearsal"
"""Where the addresses begin that are answered while time passes."""


class Travel(Protocol):
    """A rehearsal in play."""

    @property
    def gate(self) -> Gate:
        """What is shut while time passes."""

    @property
    def report(self) -> Path:
        """The folder of the report, which is there once the trial is over."""

    def standing(self) -> Standing:
        """Where it stands now."""

    def move(self, step: str) -> bool:
        """Begin to let time pass: `day`, `week` or `lock`; whether it was begun."""

    def wait(self, seconds: float) -> bool:
        """Wait so long for time to have passed; whether it has."""


def journey() -> Travel | None:
    """The rehearsal in play of this server; None where there is none."""
    found: Travel | None = getattr(settings, "JOURNEY", None)
    return found

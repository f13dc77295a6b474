"""The second door of a rehearsal in play: it shows where time stands, which is moved on at the first door alone.

The rule that must stay true: nothing of the script that plays is asked here, and no page is answered while it plays.
"""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.pages.journey import Gate, Standing, day_of
from equipoise.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class PlayedAbove:
    """The rehearsal as this door's pages know it. first_door: the address of the other door's pages."""

    vault: Vault
    gate: Gate
    first_door: str

    def standing(self) -> Standing:
        """The day on the clocks of the study's first site."""
        return Standing("RESTS", day_of(self.vault.study, self.vault.now()), elsewhere=self.first_door)

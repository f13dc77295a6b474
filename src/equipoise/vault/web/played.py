"""The second door of a rehearsal in play: it shows where time stands, which is moved on at the first door alone.

The rule that must stay true: nothing of the script that plays is asked here, and no page is answered while it plays.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from equipoise.pages.journey import Gate, Standing
from equipoise.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class PlayedAbove:
    """The rehearsal as this door's pages know it. first_door: the address of the other door's pages."""

    vault: Vault
    gate: Gate
    first_door: str

    def standing(self) -> Standing:
        """The day on the clocks of the study's first site."""
        sites = self.vault.study.sites
        zone = ZoneInfo(sites[0].zone if sites else "UTC")
        day = self.vault.now().astimezone(zone).date()
        return Standing("RESTS", day, elsewhere=self.first_door)

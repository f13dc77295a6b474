"""A public list for tests: real commitments over made-up content, for the strata and the cap of a study."""

from __future__ import annotations

import hashlib

from equipoise.ledger.entries import PublicSlot
from equipoise.protocol.strata import strata
from equipoise.randomization.commands import PublishAllocation
from equipoise.randomization.tree import list_root


def made_slots(study, length=None):
    """stratum -> slots, each with a number that tells nothing of its place."""
    count = length or study.design.cap
    return {
        code: tuple(
            PublicSlot(
                f"R{int(hashlib.sha256(f'{code} {place}'.encode()).hexdigest(), 16) % 10**9:09d}",
                hashlib.sha256(f"{code}/{place}".encode()).hexdigest(),
            )
            for place in range(count)
        )
        for code in strata(study)
    }


def publication(study, slots=None, generator="equipoise-list-1"):
    """The command that publishes a list."""
    given = made_slots(study) if slots is None else slots
    return PublishAllocation(generator, list_root(given), given)

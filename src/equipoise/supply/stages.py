"""Why a step is not possible where a dose stands: the same words for every step."""

from __future__ import annotations

from equipoise.ledger.facts import Refusal
from equipoise.supply.evolve import Request
from equipoise.words.problem import problem

WHY = {
    "REQUESTED": "supply.no-bag-yet",
    "HELD": "supply.held",
    "RELEASED": "supply.not-checked",
    "CHECKED": "supply.not-running",
    "RUNNING": "supply.running",
    "PAUSED": "supply.paused",
    "ENDED": "supply.ended",
    "POSTPONED": "supply.postponed",
    "OMITTED": "supply.omitted",
}
"""Where a dose stands -> the message that says why a step that does not belong there cannot be done."""


def off_stage(one: Request) -> Refusal:
    """The refusal of a step that does not belong to where the dose stands."""
    return Refusal((problem(WHY[one.stage], "request"),))

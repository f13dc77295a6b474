"""The hours of a dose: when a bag is released, until when it may be used, and how long a step must have taken.

The rules that must stay true: the hour of release is fixed by the request and by nothing that happens at the bench; no
bag is released earlier, a late one is released at once, whatever is in it. Source: reliability notes L9, L23.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from equipoise.protocol.study import BenchStep, Supply
from equipoise.vault.facts import Wanted


def moment(text: str) -> dt.datetime:
    """A moment of the ledger (ISO, UTC). A text without an offset is read as UTC."""
    at = dt.datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)


def written(at: dt.datetime) -> str:
    """A moment as entries here have it: UTC, to the second."""
    return at.astimezone(dt.UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def release_at(wanted: Wanted) -> dt.datetime:
    """The hour fixed beforehand at which the bag is released, and never before."""
    return moment(wanted.at)


def use_by(supply: Supply, thawed_at: str) -> dt.datetime:
    """Until when a bag may be used: minutes after the thaw, or after its sham."""
    return moment(thawed_at) + dt.timedelta(minutes=supply.use_within)


def said_use_by(supply: Supply, wanted: Wanted, thawed_at: str, filled: dt.datetime) -> dt.datetime:
    """The use-by that the bag bears: never after the true one, and in time never later than fixed after its hour.

    So a second try that is released at the same hour bears the same use-by as a first one, and does not tell that
    something was made twice. A bag filled after its hour is late, which shows anyway: it bears the true one.
    """
    true = use_by(supply, thawed_at)
    if not supply.use_after_release or filled > release_at(wanted):
        return true
    return min(true, release_at(wanted) + dt.timedelta(minutes=supply.use_after_release))


@dataclass(frozen=True, slots=True)
class ThawClock:
    """From the thaw, or its sham, to the end of the infusion: moments (UTC, empty while to come), minutes, the limit.

    `late`: the infusion ended, or still runs, after more minutes than the study allows.
    """

    thawed_at: str
    started_at: str
    ended_at: str
    minutes: int
    limit: int

    @property
    def late(self) -> bool:
        """Whether the limit was passed."""
        return self.minutes > self.limit


def thaw_clock(
    supply: Supply, thawed_at: str, infused: tuple[str, str] | None, now: dt.datetime
) -> ThawClock:
    """The clock of one dose; `infused`: when the infusion began and ended, as the ward says."""
    started, ended = infused or ("", "")
    passed = (moment(ended) if ended else now) - moment(thawed_at)
    return ThawClock(thawed_at, started, ended, int(passed.total_seconds() // 60), supply.use_within)


def ready_at(step: BenchStep, before: str, *, rehearsal: bool) -> dt.datetime:
    """When a step may be called done at the earliest; `before`: when the step before it was.

    In a rehearsal a minute of waiting is a second long, for every product, so that people can try the whole course.
    """
    return moment(before) + step.minutes * (dt.timedelta(seconds=1) if rehearsal else dt.timedelta(minutes=1))

"""Compliance: how each period of the diary stands, for each person who keeps it.

The rules that must stay true: an entry counts as on time by when it was made, whenever it arrived; a period during
which the service was interrupted is never the participant's miss and stands outside the rate; a reason for a gap
explains it and does not make it an entry; what a participant and a caregiver did is never added up. Pure: the moment
is an argument. Sources: Stone et al. 2002, BMJ 324:1193 (a diary is kept when it is made on time, not when it is handed
in); ICH E6(R3) 4.2 (what happened is recorded as it was); FDA, Patient-Reported Outcome Measures (2009), III E.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from equipoise.diary.windows import Slot

State = Literal["NOT_DUE", "OPEN", "ON_TIME", "LATE_SENT", "SERVICE_DOWN", "INTERVIEW", "EXPLAINED", "MISSED"]
"""NOT_DUE: its window opens later. OPEN: it is open and nothing has come. ON_TIME: made and received in its window.
LATE_SENT: made in its window, received after it closed. SERVICE_DOWN: nothing came, and the service was interrupted
while the window was open. INTERVIEW: nothing came, and a person of the site asked the questions or copied a card.
EXPLAINED: nothing came, and the site has recorded why. MISSED: nothing came.
"""
MADE: frozenset[State] = frozenset({"ON_TIME", "LATE_SENT"})
LACKING: frozenset[State] = frozenset({"INTERVIEW", "EXPLAINED", "MISSED"})
"""An entry was due and there is none."""
ENDS_SILENCE = MADE | {"INTERVIEW", "EXPLAINED"}
_COUNTED: tuple[State, ...] = ("ON_TIME", "LATE_SENT", "INTERVIEW", "EXPLAINED", "MISSED")
Told = Literal["INTERVIEW", "EXPLAINED"]
NOTHING_TOLD: Mapping[tuple[str, str], Told] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Received:
    """One entry made in the window of its period, by when its bytes were at the hospital."""

    form: str
    period: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Interruption:
    """The service could not be reached from `since` to `until`."""

    since: dt.datetime
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Limits:
    """Rates below `alert` (a share), or so many misses in a row (`row`), call the site; `target` is aimed at."""

    target: Decimal
    alert: Decimal
    row: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A period and how it stands."""

    period: Slot
    state: State


@dataclass(frozen=True, slots=True)
class Compliance:
    """One reporter: periods due (closed, the service not down), made in time, of those sent late, and what lacks.

    asked: by interview or from a paper card. silent: how many periods at the end, in a row, nothing came for and nobody
    has explained.
    """

    due: int
    made: int
    late_sent: int
    asked: int
    explained: int
    missed: int
    down: int
    silent: int

    @property
    def rate(self) -> Decimal | None:
        """Made in time over due, to three places; None while nothing was due."""
        return round(Decimal(self.made) / self.due, 3) if self.due else None

    def alerts(self, limits: Limits) -> bool:
        """Whether the site is to look: the rate is below the limit, or too many in a row are missing."""
        return self.silent >= limits.row or (self.due > 0 and Decimal(self.made) < limits.alert * self.due)

    def reaches(self, limits: Limits) -> bool:
        """Whether the target is reached; so it is while nothing was due."""
        return Decimal(self.made) >= limits.target * self.due


def standings(
    periods: Iterable[Slot],
    received: Iterable[Received],
    told: Mapping[tuple[str, str], Told],
    interruptions: Sequence[Interruption],
    now: dt.datetime,
) -> tuple[Standing, ...]:
    """How each period stands at `now`, in the order of their windows. `told`: what the site said of (form, period)."""
    first: dict[tuple[str, str], dt.datetime] = {}
    for one in received:
        name = one.form, one.period
        first[name] = min(one.at, first.get(name, one.at))
    ordered = sorted(periods, key=lambda one: (one.opens, one.form, one.period))
    return tuple(
        Standing(one, _state(one, first.get((one.form, one.period)), told, interruptions, now))
        for one in ordered
    )


def _state(
    period: Slot,
    received: dt.datetime | None,
    told: Mapping[tuple[str, str], Told],
    interruptions: Sequence[Interruption],
    now: dt.datetime,
) -> State:
    if received is not None and received <= now:
        return "ON_TIME" if received < period.closes else "LATE_SENT"
    if now < period.opens:
        return "NOT_DUE"
    if now < period.closes:
        return "OPEN"
    if any(one.since < period.closes and period.opens < one.until for one in interruptions):
        return "SERVICE_DOWN"
    return told.get((period.form, period.period), "MISSED")


def compliance(stood: Sequence[Standing], now: dt.datetime) -> Compliance:
    """What one reporter's periods come to. Periods still open count for nothing yet, whether answered or not."""
    closed = [one.state for one in stood if one.period.closes <= now]
    count = {state: closed.count(state) for state in _COUNTED}
    made = count["ON_TIME"] + count["LATE_SENT"]
    return Compliance(
        due=sum(count.values()),
        made=made,
        late_sent=count["LATE_SENT"],
        asked=count["INTERVIEW"],
        explained=count["EXPLAINED"],
        missed=count["MISSED"],
        down=closed.count("SERVICE_DOWN"),
        silent=silence(stood),
    )


def silence(stood: Sequence[Standing]) -> int:
    """How many periods at the end are missing in a row.

    An entry for a period that is still open ends the silence; an interruption neither ends nor lengthens it.
    """
    found = 0
    for one in reversed(stood):
        if one.state in ENDS_SILENCE:
            break
        found += one.state == "MISSED"
    return found

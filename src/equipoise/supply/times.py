"""Moments of an infusion, as people typed or clicked them: never before what they follow, never still to come.

The rule that must stay true: a true time is never refused. What is refused cannot be true: a time without its zone,
one before the request that it belongs to, one before the step that it follows, one more than five minutes ahead of
this clock. Five minutes is what clocks of a ward may differ by; a clock that was moved is found by it.
"""

from __future__ import annotations

import datetime as dt

from equipoise.words.problem import Problem, problem

PLANNED_AHEAD = dt.timedelta(days=400)
"""How far ahead a dose may be asked for: a year and some weeks. A year mistyped would wait on every list for ever."""
AHEAD = dt.timedelta(minutes=5)
"""How far a clock at the bedside may be ahead of this one."""


def moment(text: str) -> dt.datetime | None:
    """A moment with its zone, in UTC; None for anything else."""
    try:
        read = dt.datetime.fromisoformat(text)
        return read.astimezone(dt.UTC) if read.tzinfo is not None else None
    except (
        ValueError,
        OverflowError,
    ):  # the first and the last day of the calendar have no UTC in every zone
        return None


def written(at: dt.datetime) -> str:
    """A moment as entries of supply have it: UTC, whole seconds."""
    return at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def time_fault(text: str, *, asked_at: str, step_at: str, now: dt.datetime) -> Problem | None:
    """Why a time cannot be true, or None.

    asked_at: when the request was recorded, by this clock. step_at: the step that this one follows, by a clock of the
    ward, or an empty text. now: this clock.
    """
    at = moment(text)
    if at is None:
        return problem("supply.time-unfit", "at", given=text)
    if at > now + AHEAD:
        return problem("supply.time-in-future", "at", given=written(at), now=written(now))
    asked, step = moment(asked_at), moment(step_at)
    if asked is not None and at < asked - AHEAD:
        return problem("supply.time-before-request", "at", given=written(at), before=written(asked))
    if step is not None and at < step:
        return problem("supply.time-before-step", "at", given=written(at), before=written(step))
    return None


def minutes_left(use_by: str, now: dt.datetime) -> int | None:
    """Whole minutes until a bag may no longer be used; negative when it is past; None for a use-by that is none."""
    until = moment(use_by)
    return None if until is None else int((until - now).total_seconds() // 60)

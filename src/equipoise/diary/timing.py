"""When an entry was made, as far as the server can tell from what the device claims.

The rules that must stay true: what the device claimed is kept as it wrote it; its clock is corrected by how far it was
off when the two last spoke, and by the counter that no clock change moves, where the page has lived on since; no entry
was begun before the server's time that its phone had already heard; a clock that is off, was moved, put back or runs
ahead is marked, never a reason to refuse. Source: decision 0040; reliability notes 5 (clock skew, jump, zone).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from equipoise.diary.commands import Instant, Sent

TOLERANCE = dt.timedelta(minutes=5)
UNKNOWN, OFF, MOVED, AHEAD, BACK = "UNKNOWN", "OFF", "MOVED", "AHEAD", "BACK"
"""The device never heard the server's time; its clock was off by more than 5 minutes; it was moved by more than that
while the page lived; it claims a moment that has not come; it claims one before the server's time that it had heard, or
before the end of an entry that it had made since."""
OTHER_ZONE, ZONE_CHANGED = "OTHER_ZONE", "ZONE_CHANGED"
"""The device was in another zone than the participant's; its offset changed between begin and end of the entry."""
MARKS = (UNKNOWN, OFF, MOVED, AHEAD, BACK, OTHER_ZONE, ZONE_CHANGED)


@dataclass(frozen=True, slots=True)
class Times:
    """When an entry was begun and submitted (UTC), and what was odd (`MARKS`)."""

    begun: dt.datetime
    submitted: dt.datetime
    marks: tuple[str, ...]


def judge_times(sent: Sent, zone: str, received: dt.datetime) -> Times:
    """The moments of an entry that arrived at `received` (UTC) from a participant who lives in `zone`.

    Where the page has lived on since the two clocks were compared, the counter tells the moment of the begin, and the
    wall clock is only held against it. `sent` has moments that `parsing` found readable.
    """
    skew = dt.timedelta(milliseconds=sent.skew_ms or 0)
    begun, submitted = _utc(sent.begun), _utc(sent.submitted)
    marks = set()
    if sent.skew_ms is None:
        marks.add(UNKNOWN)
    if abs(skew) > TOLERANCE:
        marks.add(OFF)
    corrected = begun + skew
    if sent.synced is not None and (counted := _counted(sent.synced, sent.begun)) is not None:
        told = _utc(sent.synced) + skew + counted
        if abs(told - corrected) > TOLERANCE:
            marks.add(MOVED)
        corrected = told
    ended = submitted + skew
    if (counted := _counted(sent.begun, sent.submitted)) is not None:
        if abs(begun + counted - submitted) > TOLERANCE:
            marks.add(MOVED)
        ended = corrected + counted
    if ended < min(corrected, received) - TOLERANCE:
        marks.add(MOVED)
    if corrected > received + TOLERANCE:
        marks.add(AHEAD)
    heard = _moment(sent.heard) if sent.heard is not None else corrected
    if corrected < heard - TOLERANCE or _before_another(sent):
        marks.add(BACK)
    corrected = min(max(corrected, heard), received)
    ended = min(max(ended, corrected), received)
    if sent.zone != zone:
        marks.add(OTHER_ZONE)
    if _offset(sent.begun) != _offset(sent.submitted):
        marks.add(ZONE_CHANGED)
    return Times(corrected, ended, tuple(mark for mark in MARKS if mark in marks))


def _before_another(sent: Sent) -> bool:
    """Whether the device's own clock puts the begin before the end of an entry that it had made."""
    return sent.after is not None and _utc(sent.begun) < _moment(sent.after) - TOLERANCE


def _utc(instant: Instant) -> dt.datetime:
    return _moment(instant.wall)


def _moment(wall: str) -> dt.datetime:
    return dt.datetime.fromisoformat(wall).astimezone(dt.UTC)


def _offset(instant: Instant) -> dt.timedelta | None:
    return dt.datetime.fromisoformat(instant.wall).utcoffset()


def _counted(earlier: Instant, later: Instant) -> dt.timedelta | None:
    """What the counter ran between two moments; None where the page did not live through both."""
    if earlier.mono is None or later.mono is None:
        return None
    return dt.timedelta(milliseconds=later.mono - earlier.mono)

"""When an entry was begun, told by a phone whose clock was put back: what the phone had seen bounds what its clock says.

Every moment is worked out by hand in the comments. Source of the rule: reliability notes 5 (clock skew, clock jump).
"""

from __future__ import annotations

import datetime as dt

import pytest

from equipoise.diary.commands import Instant, Sent
from equipoise.diary.parsing import UNREADABLE, parse
from equipoise.diary.timing import judge_times

RECEIVED = dt.datetime(2026, 3, 5, 12, tzinfo=dt.UTC)
HEARD = "2026-03-04T10:00:00.000Z"
"""The hospital's time when the two last spoke: 18:00 of 4 March in Shanghai; the phone's clock was right."""


def told(begun: str, **more) -> Sent:
    """An entry of one minute on a phone in Shanghai that was opened anew since it last spoke with the hospital."""
    wall = dt.datetime.fromisoformat(begun)
    ended = Instant((wall + dt.timedelta(minutes=1)).isoformat())
    synced = Instant("2026-03-04T18:00:00.000+08:00")
    seen = {"synced": synced, "skew_ms": 0, "heard": HEARD, "zone": "Asia/Shanghai", **more}
    return Sent("p", "s", "entry", "", begun=Instant(begun), submitted=ended, **seen)


@pytest.mark.parametrize(
    ("begun", "more", "expected", "marks"),
    [
        # an hour after the hospital was heard: 19:00 in Shanghai is 11:00 UTC
        ("2026-03-04T19:00:00+08:00", {}, "2026-03-04T11:00:00+00:00", ()),
        # two days before it: not earlier than what was heard
        ("2026-03-02T19:00:00+08:00", {}, "2026-03-04T10:00:00+00:00", ("BACK",)),
        # four minutes before it lies within the five of the tolerance
        ("2026-03-04T17:56:00+08:00", {}, "2026-03-04T10:00:00+00:00", ()),
        # after what was heard, but before the end of an earlier entry by the same clock: said, and not moved
        (
            "2026-03-04T19:00:00+08:00",
            {"after": "2026-03-04T20:00:00+08:00"},
            "2026-03-04T11:00:00+00:00",
            ("BACK",),
        ),
        (
            "2026-03-04T19:00:00+08:00",
            {"after": "2026-03-04T19:04:00+08:00"},
            "2026-03-04T11:00:00+00:00",
            (),
        ),
        # a page that says nothing of what it had heard is believed, as before
        ("2026-03-02T19:00:00+08:00", {"heard": None}, "2026-03-02T11:00:00+00:00", ()),
        # nothing lies after the moment at which it arrived, whatever a phone claims to have heard
        (
            "2026-03-04T19:00:00+08:00",
            {"heard": "2027-03-04T10:00:00Z"},
            "2026-03-05T12:00:00+00:00",
            ("BACK",),
        ),
    ],
)
def test_a_clock_that_was_put_back(begun, more, expected, marks):
    times = judge_times(told(begun, **more), "Asia/Shanghai", RECEIVED)
    assert (times.begun.isoformat(), times.marks) == (expected, marks)
    assert times.submitted >= times.begun


def test_where_the_page_lived_on_the_counter_tells_the_moment():
    # the clock was put back by two days; the counter says that 90 minutes went by since 10:00 UTC
    sent = told("2026-03-02T19:30:00+08:00", synced=Instant("2026-03-04T18:00:00.000+08:00", 1000))
    counted = Instant(sent.begun.wall, 1000 + 90 * 60000)
    times = judge_times(Sent(**{**fields(sent), "begun": counted}), "Asia/Shanghai", RECEIVED)
    assert times.begun.isoformat() == "2026-03-04T11:30:00+00:00"
    assert times.marks == ("MOVED",)


@pytest.mark.parametrize("name", ["heard", "after"])
@pytest.mark.parametrize("given", [7, "yesterday", "2026-03-04T10:00:00", "0001-01-01T00:00:00Z", "x" * 41])
def test_a_moment_that_cannot_be_read_is_kept_as_it_was_written(name, given):
    said = {
        "v": 1, "kind": "seen", "form": "DAILY", "period": "2026-03-04", "zone": "Asia/Shanghai",
        "digest": "d" * 64, "begun": {"wall": "2026-03-04T19:00:00+08:00"}, name: given,
    }  # fmt: skip
    found = parse("p", "s", said)
    assert (found.rule, found.where) == (UNREADABLE, name)
    assert parse("p", "s", {**said, name: HEARD}).rule == ""


def fields(sent: Sent) -> dict[str, object]:
    """What a packet says, by name."""
    return {name: getattr(sent, name) for name in Sent.__dataclass_fields__}

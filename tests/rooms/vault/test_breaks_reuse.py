"""One request opens one participant: its id, given once more for somebody else, opens nothing and changes nothing.

A request's id is made by a page and travels back with its form, so that a person can send any id. Sources: DESIGN 5
(code break, one subject), issue Capability 7, reliability notes §4 step 7 (no silent reveal).
"""

from __future__ import annotations

import datetime as dt

from equipoise.ledger.vault_entries import ArmShown
from equipoise.vault.breaks import showing
from equipoise.vault.breaks.showing import Shown
from rooms.vault.test_breaks import arm_of, begin, entries, keeper, request
from rooms.vault.two_doors import Doors


def other_arm(doors: Doors) -> tuple[str, str]:
    """Two participants in different arms, so that the arm of one cannot pass for that of the other."""
    names = [f"s{number}" for number in range(1, 13)]
    first = names[0]
    return first, next(name for name in names[1:] if arm_of(doors, name) != arm_of(doors, first))


def test_a_request_that_was_shown_does_not_show_somebody_else(doors):
    begin(doors, *(f"s{number}" for number in range(1, 13)))
    one, other = other_arm(doors)
    doors.vault._clock = lambda: doors.clock.at
    asked = request(doors, one, "a")
    first = showing.show(doors.vault, keeper(doors), asked, key="show")
    assert isinstance(first, Shown)
    doors.clock.at += dt.timedelta(seconds=10)  # within the minute in which the arm stays on the page
    request(doors, other, "a")
    again = showing.show(doors.vault, keeper(doors), asked, key="again")
    assert isinstance(again, Shown)
    assert (again.number, again.arm) == (first.number, arm_of(doors, one))
    shown = [entry.subject for entry in entries(doors) if isinstance(entry, ArmShown)]
    assert shown == [one]


def test_a_drill_does_not_become_somebody_s_request(doors):
    """A drill's made-up arm would else be told for a participant's own, in an emergency, and no alarm would count it."""
    begin(doors)
    asked = request(doors, "drill-01", "a", drill=True, site="01")
    request(doors, "s1", "a")
    shown = showing.show(doors.vault, keeper(doors), asked, key="show")
    assert isinstance(shown, Shown)
    assert (shown.drill, shown.number) == (True, None)
    assert [entry.subject for entry in entries(doors) if isinstance(entry, ArmShown)] == ["drill-01"]

"""Where a participant's consent stands: one literal table over who acted, and what is due under it.

The rules that must stay true: for every combination of capacity and of the latest act of each person there is exactly
one status; consent by a representative ends to count when capacity is back, and the participant is asked within the
study's days; whoever signed an earlier version signs the one that is required at the site within that version's days of
its approval there, and after that day the consent is outdated; under a consent that is not in force, outdated, or
limited, nothing more is done to the participant, whatever is still recorded of what was done.
Source: ICH E6(R3) 2.8; Declaration of Helsinki 2024, 28 to 32; domain notes 9 (approvals gate every consent version).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from equipoise.consent.evolve import Act, State
from equipoise.consent.withdrawal import STOPS
from equipoise.protocol.study import ConsentVersion, Study

Status = Literal[
    "NOT_ASKED",
    "IN_FORCE",
    "BY_REPRESENTATIVE",
    "REFUSED",
    "CAPACITY_OPEN",
    "CAPACITY_REGAINED",
    "CAPACITY_LOST",
    "AWAITS_REPRESENTATIVE",
    "WITHDRAWN",
]
Capacity = Literal["PRESUMED", "HAS", "LACKS"]
Said = Literal["-", "YES", "NO"]

TABLE: Mapping[tuple[Capacity, Said, Said], Status] = {
    # capacity, the participant, the representative
    ("PRESUMED", "-", "-"): "NOT_ASKED",
    ("PRESUMED", "-", "YES"): "CAPACITY_OPEN",
    ("PRESUMED", "-", "NO"): "NOT_ASKED",
    ("PRESUMED", "YES", "-"): "IN_FORCE",
    ("PRESUMED", "YES", "YES"): "IN_FORCE",
    ("PRESUMED", "YES", "NO"): "IN_FORCE",
    ("PRESUMED", "NO", "-"): "REFUSED",
    ("PRESUMED", "NO", "YES"): "REFUSED",
    ("PRESUMED", "NO", "NO"): "REFUSED",
    ("HAS", "-", "-"): "NOT_ASKED",
    ("HAS", "-", "YES"): "CAPACITY_REGAINED",
    ("HAS", "-", "NO"): "NOT_ASKED",
    ("HAS", "YES", "-"): "IN_FORCE",
    ("HAS", "YES", "YES"): "IN_FORCE",
    ("HAS", "YES", "NO"): "IN_FORCE",
    ("HAS", "NO", "-"): "REFUSED",
    ("HAS", "NO", "YES"): "REFUSED",
    ("HAS", "NO", "NO"): "REFUSED",
    ("LACKS", "-", "-"): "AWAITS_REPRESENTATIVE",
    ("LACKS", "-", "YES"): "BY_REPRESENTATIVE",
    ("LACKS", "-", "NO"): "REFUSED",
    ("LACKS", "YES", "-"): "CAPACITY_LOST",
    ("LACKS", "YES", "YES"): "BY_REPRESENTATIVE",
    ("LACKS", "YES", "NO"): "REFUSED",
    ("LACKS", "NO", "-"): "AWAITS_REPRESENTATIVE",
    ("LACKS", "NO", "YES"): "BY_REPRESENTATIVE",
    ("LACKS", "NO", "NO"): "REFUSED",
}
"""(capacity, participant, representative) -> status, while nobody withdrew."""
COUNTS: frozenset[Status] = frozenset({"IN_FORCE", "BY_REPRESENTATIVE"})
"""The statuses in which consent is in force."""


@dataclass(frozen=True, slots=True)
class Due:
    """Consent that is asked for again: why, for which version, by which day (ISO), and whether that has passed."""

    because: Literal["CAPACITY", "VERSION"]
    version: str
    by: str
    late: bool


def status(study: Study, state: State) -> Status:
    """Where the consent stands."""
    if state.withdrawal is not None:
        return "WITHDRAWN"
    capacity: Capacity = "PRESUMED"
    if state.capacity is not None and state.capacity.capacity != "NOT_ASSESSED":
        capacity = "LACKS" if state.capacity.capacity == "LACKS" else "HAS"
    allowed = study.consent.legal_representative
    other: Said = _said(state.representative) if allowed else ("NO" if capacity == "LACKS" else "-")
    return TABLE[(capacity, _said(state.participant), other)]


def _said(act: Act | None) -> Said:
    if act is None:
        return "-"
    return "YES" if act.given else "NO"


def counting(study: Study, state: State) -> Act | None:
    """The signature that counts now, or None."""
    match status(study, state):
        case "IN_FORCE":
            return state.participant
        case "BY_REPRESENTATIVE":
            return state.representative
        case _:
            return None


def stopped(state: State) -> frozenset[str]:
    """What no longer happens, by a withdrawal in full or in part."""
    levels = [limit.level for limit in state.limits] + (["FULL"] if state.withdrawal is not None else [])
    return frozenset[str]().union(*(STOPS[level] for level in levels))


def visits_ended_on(state: State) -> str | None:
    """The day (ISO) from which no visit takes place any more, by a withdrawal in full or in part, or None."""
    return _ended_on(state, "visits")


def contact_ended_on(state: State) -> str | None:
    """The day (ISO) from which there is no contact any more, by a withdrawal in full or in part, or None."""
    return _ended_on(state, "contact")


def _ended_on(state: State, what: str) -> str | None:
    days = [limit.on for limit in state.limits if what in STOPS[limit.level]]
    days += [state.withdrawal.on] if state.withdrawal is not None else []
    return min(days, default=None)


def approved_versions(
    study: Study, site_approved_on: str | None, approvals: Mapping[str, str]
) -> Mapping[str, str]:
    """Version -> the day (ISO) from which the site may use it.

    The site's own approval covers the first version of the definition and every later one that was dated by then; any
    other has an approval of its own.
    """
    found: dict[str, str] = {}
    for position, version in enumerate(study.consent.versions):
        if version.id in approvals:
            found[version.id] = approvals[version.id]
        elif site_approved_on is not None and (position == 0 or version.dated <= site_approved_on):
            found[version.id] = site_approved_on
    return found


def required(study: Study, approved: Mapping[str, str], today: str) -> ConsentVersion | None:
    """The newest version that is approved at the site today."""
    usable = [one for one in study.consent.versions if one.id in approved and approved[one.id] <= today]
    return usable[-1] if usable else None


def due(study: Study, state: State, approved: Mapping[str, str], today: str) -> Due | None:
    """The consent that is asked for again, and by when; None while nothing is.

    Who signs an earlier version although a later one is already required has no days left.
    """
    newest = required(study, approved, today)
    if status(study, state) == "CAPACITY_REGAINED" and state.capacity is not None:
        by = _later(state.capacity.on, study.consent.capacity_days)
        return Due("CAPACITY", newest.id if newest is not None else "", by, by < today)
    act = counting(study, state)
    if act is None or newest is None:
        return None
    order = [one.id for one in study.consent.versions]
    signed = order.index(act.version) if act.version in order else -1
    asked: list[Due] = []
    for one in study.consent.versions[signed + 1 :]:
        since = approved.get(one.id)
        if since is None or since > today or one.reconsent_days is None:
            continue
        before = act.on < since
        by = _later(since, one.reconsent_days) if before else act.on
        asked.append(Due("VERSION", newest.id, by, by < today or not before))
    return min(asked, key=lambda one: one.by, default=None)


def _later(day: str, days: int) -> str:
    return (dt.date.fromisoformat(day) + dt.timedelta(days=days)).isoformat()

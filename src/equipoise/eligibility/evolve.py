"""Where a subject stands in screening, folded from the subject's stream. The table is the whole workflow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from equipoise.eligibility.judgement import Judgement
from equipoise.ledger.entries import (
    EligibilityJudged,
    Recorded,
    ScreeningFailed,
    SubjectRandomized,
    SubjectScreened,
)
from equipoise.ledger.facts import Facts, SubjectStatus, Verdict
from equipoise.words.canonical import Json
from equipoise.words.changed import changed

AFTER: Mapping[tuple[SubjectStatus, str], SubjectStatus] = {
    ("SCREENING", "confirmed"): "ELIGIBLE",
    ("SCREENING", "not confirmed"): "SCREENING",
    ("SCREENING", "failed"): "SCREEN_FAILURE",
    ("ELIGIBLE", "confirmed"): "ELIGIBLE",
    ("ELIGIBLE", "not confirmed"): "SCREENING",
    ("ELIGIBLE", "failed"): "SCREEN_FAILURE",
    ("ELIGIBLE", "randomized"): "RANDOMIZED",
}
"""(status, event) -> status. What is not in the table may not happen."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The last judgement that was written: its decision, results, and what it rested on."""

    decision: Verdict
    results: Mapping[str, str]
    rested_on: tuple[int, ...]
    confirmed: bool
    seq: int


@dataclass(frozen=True, slots=True)
class State:
    """One subject. `screened_at` and `failed_at` are the moments (UTC) of their entries."""

    subject: str | None = None
    site: str | None = None
    number: str | None = None
    person: str | None = None
    rescreening_of: str | None = None
    screened_at: str | None = None
    failed_at: str | None = None
    failed_criteria: tuple[str, ...] = ()
    status: SubjectStatus | None = None
    judged: Judged | None = None


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the subject's stream."""
    entry, at = recorded.entry, recorded.header.at
    if isinstance(entry, SubjectScreened):
        return State(
            entry.subject,
            entry.site,
            entry.screening_number,
            entry.person,
            entry.rescreening_of,
            at,
            status="SCREENING",
        )
    if isinstance(entry, EligibilityJudged):
        judged = Judged(entry.decision, entry.results, entry.rested_on, entry.confirmed, recorded.header.seq)
        return replace(_moved(state, "confirmed" if entry.confirmed else "not confirmed"), judged=judged)
    if isinstance(entry, ScreeningFailed):
        return replace(_moved(state, "failed"), failed_at=at, failed_criteria=entry.criteria)
    if isinstance(entry, SubjectRandomized):
        return replace(state, status="RANDOMIZED")
    return state


def _moved(state: State, event: str) -> State:
    """The status after an event; an event that the table does not foresee changes nothing."""
    if state.status is None:
        return state
    return replace(state, status=AFTER.get((state.status, event), state.status))


def add_facts(
    facts: Facts, state: State, judgement: Judgement | None, rested_on: tuple[int, ...] = ()
) -> Facts:
    """The facts that eligibility owns, filled in. `rested_on` are the entries that capture and consent used."""
    found = changed(
        facts,
        subject_known=state.status is not None,
        subject_site=state.site,
        screening_number=state.number,
        status=state.status,
    )
    if judgement is None:
        return found
    rested, letters, last = tuple(sorted(set(rested_on))), judgement.letters, state.judged
    as_confirmed = last is not None and (last.rested_on, dict(last.results)) == (rested, dict(letters))
    return changed(
        found,
        verdict=judgement.decision,
        verdict_results=letters,
        verdict_reasons=judgement.reasons(),
        verdict_reasons_zh=judgement.reasons("zh"),
        verdict_rested_on=rested,
        confirmed=state.status == "ELIGIBLE" and as_confirmed,
    )


def state_to_json(state: State) -> Json:
    """The state as canonical JSON, for a disposable snapshot."""
    written = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    judged = state.judged
    written["failed_criteria"] = list(state.failed_criteria)
    written["judged"] = judged and {
        "decision": judged.decision,
        "results": dict(judged.results),
        "rested_on": list(judged.rested_on),
        "confirmed": judged.confirmed,
        "seq": judged.seq,
    }
    return written


def state_from_json(json: Json) -> State:
    """The state that `state_to_json` wrote."""
    written = dict(cast("Mapping[str, Any]", json))  # Any: as written above
    written["failed_criteria"] = tuple(written["failed_criteria"])
    if written["judged"] is not None:
        judged = dict(written["judged"])
        written["judged"] = Judged(**{**judged, "rested_on": tuple(judged["rested_on"])})
    return State(**written)

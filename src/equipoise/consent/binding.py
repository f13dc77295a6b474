"""What the consent record means: the study's inputs of `consent` origin, and whether consent is in force.

The rules that must stay true: capacity is presumed, so a participant's signature or refusal counts unless capacity
is recorded as lacking; a representative's signature counts only where it is; a withdrawal ends both; what nobody
recorded is unknown, not a refusal. The table of combinations stands in tests/rooms/consent.
Source: ICH E6(R3) 2.8; Mental Capacity Act 2005 (England and Wales) s. 1(2) for the presumption.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from equipoise.consent.evolve import Act, State
from equipoise.consent.standing import (
    approved_versions,
    contact_ended_on,
    counting,
    due,
    required,
    status,
    stopped,
    visits_ended_on,
)
from equipoise.ledger.facts import Facts
from equipoise.protocol.expressions.values import DateValue, Logical, Reason, Value
from equipoise.protocol.study import Study
from equipoise.words.changed import changed
from equipoise.words.dates import parse_date
from equipoise.words.problem import Problem, problem
from equipoise.words.truth import Truth, all_of, any_of

_MISSING = (Reason("missing"),)


def participant_signed(state: State) -> Truth:
    """Whether a signature of the participant counts.

    FALSE after a refusal, after a withdrawal, while capacity is lacking, and where a representative signed for a
    participant who is recorded as having capacity; UNKNOWN while nothing is recorded.
    """
    if state.withdrawal is not None or state.lacks_capacity:
        return Truth.FALSE
    if state.participant is not None:
        return Truth.of(state.participant.given)
    has = state.capacity is not None and state.capacity.capacity == "HAS"
    signed_for = state.representative is not None and state.representative.given
    return Truth.FALSE if has and signed_for else Truth.UNKNOWN


def representative_signed(study: Study, state: State) -> Truth:
    """Whether a legal representative signed, whatever it counts for; FALSE where the study does not allow it."""
    if state.withdrawal is not None or not study.consent.legal_representative:
        return Truth.FALSE
    return Truth.UNKNOWN if state.representative is None else Truth.of(state.representative.given)


def capacity_lacking(state: State) -> Truth:
    """Whether capacity is lacking. Not assessed: presumed (FALSE) once the participant acted, else UNKNOWN."""
    if state.capacity is not None and state.capacity.capacity != "NOT_ASSESSED":
        return Truth.of(state.capacity.capacity == "LACKS")
    return Truth.UNKNOWN if state.participant is None else Truth.FALSE


def in_force(study: Study, state: State) -> Truth:
    """Whether somebody who may consent has consented, and nobody ended it."""
    by_representative = all_of((capacity_lacking(state), representative_signed(study, state)))
    return any_of((participant_signed(state), by_representative))


def why_not(study: Study, state: State) -> Problem | None:
    """What stands in the way of consent, or None while it is in force."""
    if in_force(study, state) is Truth.TRUE:
        return None
    if state.withdrawal is not None:
        return problem("consent.withdrawn", on=state.withdrawal.on)
    refused = [act for act in (state.participant, state.representative) if act is not None and not act.given]
    if in_force(study, state) is Truth.FALSE and refused:
        return problem("consent.refused")
    if state.lacks_capacity and state.participant is not None:
        return problem("consent.capacity-lacking")
    if state.representative is not None and state.representative.given:
        has = state.capacity is not None and state.capacity.capacity == "HAS"
        return problem("consent.participant-has-capacity" if has else "consent.capacity-not-assessed")
    return problem("consent.none-recorded")


def bind(study: Study, state: State) -> Mapping[str, Value]:
    """The value of every study input of `consent` origin, by its name."""
    bound: dict[str, Value] = {}
    for each in study.inputs:
        match each.origin.consent:
            case "participant_signed":
                bound[each.name] = _logical(participant_signed(state))
            case "representative_signed":
                bound[each.name] = _logical(representative_signed(study, state))
            case "capacity_lacking":
                bound[each.name] = _logical(capacity_lacking(state))
            case "date":
                bound[each.name] = _date(state)
            case None:
                pass
    return bound


def add_facts(facts: Facts, study: Study, state: State, zone: str) -> Facts:
    """The facts that consent owns, filled in; `zone` is the site's. What oversight knows of approvals is in `facts`."""
    on, act = _date(state).date, counting(study, state)
    approved = approved_versions(study, facts.site_approved_on, facts.consent_approvals)
    newest, asked = required(study, approved, facts.today), due(study, state, approved, facts.today)
    return changed(
        facts,
        consent_in_force=in_force(study, state),
        consent_on=on.iso() if on is not None else None,
        consent_status=status(study, state),
        consent_at=_moment(act, zone),
        consent_version=act.version if act is not None else None,
        consent_required=newest.id if newest is not None else None,
        reconsent_because=asked.because if asked is not None else "",
        reconsent_by=asked.by if asked is not None else None,
        consent_outdated=asked is not None and asked.late,
        consent_stops=stopped(state),
        follow_up_ended_on=visits_ended_on(state),
        contact_ended_on=contact_ended_on(state),
        caregivers=frozenset(one.caregiver for one in state.caregivers if one.given),
        consent_against=against(study, state, approved, facts.today),
    )


def against(study: Study, state: State, approved: Mapping[str, str], today: str) -> Problem | None:
    """Why nothing more may be done to the participant under the consent as it stands; None where it may."""
    missing = why_not(study, state)
    if missing is not None:
        return missing
    if "treatment" in stopped(state):
        return problem("consent.treatment-withdrawn")
    asked, act = due(study, state, approved, today), counting(study, state)
    if asked is not None and asked.late and act is not None:
        return problem("consent.outdated", signed=act.version, version=asked.version, by=asked.by)
    if act is not None and approved and approved.get(act.version, "9999") > act.on:
        return problem("consent.version-not-approved", version=act.version)
    return None


def _moment(act: Act | None, zone: str) -> dt.datetime | None:
    """When (UTC) the signature that counts was given; None where its time was not recorded."""
    if act is None or not act.at:
        return None
    return dt.datetime.fromisoformat(f"{act.on}T{act.at}").replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


def _logical(truth: Truth) -> Logical:
    return Logical(truth, _MISSING if truth is Truth.UNKNOWN else ())


def _date(state: State) -> DateValue:
    """The day of the signature that counts, or would count: the participant's before the representative's."""
    acts: list[Act | None] = [None if state.lacks_capacity else state.participant, state.representative]
    signed = [act for act in acts if act is not None and act.given]
    if state.withdrawal is not None or not signed:
        return DateValue(None, _MISSING)
    return DateValue(parse_date(signed[0].on))


def rested_on(state: State) -> tuple[int, ...]:
    """Sequence numbers of the entries that say how consent stands."""
    known = (state.capacity, state.participant, state.representative, state.withdrawal)
    return tuple(sorted(each.seq for each in known if each is not None))

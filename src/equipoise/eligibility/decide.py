"""Deciding on screening: who enters, whose eligibility is confirmed, who leaves before randomization.

The rules that must stay true: a person is in screening once at a time and never after randomization; rescreening is
linked to the screening that failed and happens only as the study allows; a judgement is written as it is, and
confirms only when every criterion is in favour. There are no waivers. Source: ICH E6(R3) 2.7; ICH E3 10.2.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from equipoise.eligibility.commands import ConfirmEligibility, FailScreening, ScreenSubject
from equipoise.eligibility.evolve import AFTER, State
from equipoise.eligibility.judgement import failing
from equipoise.ledger.entries import Append, EligibilityJudged, Entry, ScreeningFailed, SubjectScreened
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem


def decide(study: Study, state: State, facts: Facts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on the stream of one subject."""
    if isinstance(command, ScreenSubject):
        problems = (*_identity(facts, command), *_rescreening(study, facts, command, occasion))
        if problems:
            return Refusal(problems)
        entry: Entry = SubjectScreened(
            command.subject, command.site, command.number, command.person, command.rescreening_of
        )
        return _write(command.subject, entry)
    if isinstance(command, ConfirmEligibility):
        return _confirm(state, facts, command)
    if isinstance(command, FailScreening):
        return _fail(study, state, facts, command)
    raise TypeError(f"eligibility does not know {type(command).__name__}")


def _identity(facts: Facts, command: ScreenSubject) -> tuple[Problem, ...]:
    found = []
    if not facts.site_known:
        found.append(problem("eligibility.site-unknown", "site", site=command.site))
    if facts.subject_known:
        found.append(problem("eligibility.subject-used", "subject"))
    if facts.number_taken:
        found.append(problem("eligibility.number-used", "number", number=command.number))
    if facts.person_in_screening:
        found.append(problem("eligibility.person-in-screening", "person"))
    if facts.person_randomized:
        found.append(problem("eligibility.person-randomized", "person"))
    return tuple(found)


def _rescreening(
    study: Study, facts: Facts, command: ScreenSubject, occasion: Occasion
) -> tuple[Problem, ...]:
    allowed, pause = study.eligibility.rescreenings, study.eligibility.rescreening_days
    if facts.person_in_screening or facts.person_randomized:
        return ()
    if facts.person_screenings == 0:
        return (
            ()
            if command.rescreening_of is None
            else (problem("eligibility.rescreening-of-nobody", "person"),)
        )
    found = []
    if facts.person_screenings > allowed:
        found.append(problem("eligibility.rescreenings-used", "person", allowed=allowed))
    elif command.rescreening_of is None:
        found.append(problem("eligibility.rescreening-not-linked", "person"))
    if facts.person_failed_at is not None and facts.person_screenings <= allowed:
        zone = ZoneInfo(occasion.zone)
        first = facts.person_failed_at.astimezone(zone).date() + dt.timedelta(days=pause)
        if occasion.today < first:
            found.append(
                problem("eligibility.rescreening-too-early", "person", days=pause, first=first.isoformat())
            )
    return tuple(found)


def _confirm(state: State, facts: Facts, command: ConfirmEligibility) -> Decision:
    confirmed = facts.verdict == "ELIGIBLE"
    if state.status is None or (state.status, "confirmed" if confirmed else "not confirmed") not in AFTER:
        return Refusal((_closed(state, "eligibility.not-in-screening"),))
    last = state.judged
    now = (confirmed, facts.verdict_rested_on, dict(facts.verdict_results))
    if last is not None and (last.confirmed, last.rested_on, dict(last.results)) == now:
        return Refusal((problem("eligibility.nothing-changed"),))
    judged = EligibilityJudged(
        facts.verdict, facts.verdict_results, facts.verdict_reasons, facts.verdict_rested_on, confirmed
    )
    return _write(command.subject, judged)


def _fail(study: Study, state: State, facts: Facts, command: FailScreening) -> Decision:
    if state.status == "RANDOMIZED":
        return Refusal((problem("eligibility.randomized-already", "subject"),))
    if state.status is None or (state.status, "failed") not in AFTER:
        return Refusal((_closed(state, "eligibility.not-in-screening"),))
    criteria, reason = failing(study, facts.verdict_results), command.reason.strip()
    if not criteria and not reason:
        return Refusal((problem("eligibility.failure-unexplained", "reason"),))
    return _write(command.subject, ScreeningFailed(criteria, reason))


def _closed(state: State, rule: str) -> Problem:
    return (
        problem("eligibility.subject-unknown", "subject")
        if state.status is None
        else problem(rule, "subject")
    )


def _write(subject: str, entry: Entry) -> Decision:
    return (Append(f"subject/{subject}", entry),)

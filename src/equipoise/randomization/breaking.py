"""Deciding on one participant's blind: asking for the arm, what the second door said, cards, raters, both truths.

The rules that must stay true: an investigator of the site may always ask, in any state of the trial: nothing of
enrolment, consent, approval or sponsor stands in the way; the request stands in the ledger before anything is opened;
the second door's word is taken only for a request that was made, and only with the reader that was asked for; nobody
who knows the arm becomes the rater. Nothing here knows an arm.
Source: ICH E6(R3) 4.4.3 and EMA reflection on emergency unblinding (the decision is the investigator's alone).
"""

from __future__ import annotations

import datetime as dt
import re

from equipoise.ledger.entries import (
    Append,
    CardOpened,
    CodeBreakRequested,
    CodeBreakReviewed,
    CodeBroken,
    Entry,
    RaterAssigned,
    StratumCorrected,
)
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.strata import strata
from equipoise.protocol.study import Study
from equipoise.randomization.blind import DRILL, THIRD_PERSON, State
from equipoise.randomization.commands import (
    AssignRater,
    CorrectStratum,
    RecordCardOpening,
    RecordCodeBreak,
    RequestCodeBreak,
    ReviewCodeBreak,
)
from equipoise.words.problem import Problem, problem

_REQUEST = re.compile(r"[23456789abcdefghjkmnpqrstuvwxyz]{16}")
"""A random id as words.ids makes it: it travels in addresses and says nothing."""
RATES = "rater"
"""The role of who may rate a participant."""


def decide(study: Study, state: State, facts: Facts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on a subject's blind; `state` is the fold of that subject's stream."""
    if isinstance(command, RequestCodeBreak):
        return _request(state, facts, command, occasion)
    if isinstance(command, RecordCodeBreak):
        return _broken(state, command)
    if isinstance(command, ReviewCodeBreak):
        return _review(state, command)
    if isinstance(command, RecordCardOpening):
        return _card(state, command, occasion)
    if isinstance(command, CorrectStratum):
        return _stratum(study, state, command)
    if isinstance(command, AssignRater):
        return _rater(state, facts, command)
    raise TypeError(f"randomization does not know {type(command).__name__}")


def _request(state: State, facts: Facts, command: RequestCodeBreak, occasion: Occasion) -> Decision:
    known = state.breaks.get(command.request)
    if known is not None:
        same = (known.by, known.category, known.urgent, known.to, known.drill) == (
            occasion.by, command.category, command.urgent, command.to, command.drill,
        )  # fmt: skip
        return () if same else _refuse("randomization.request-known", "request")
    problems: list[Problem] = []
    if _REQUEST.fullmatch(command.request) is None:
        problems.append(problem("randomization.request-unfit", "request"))
    if command.drill:
        if command.subject != f"{DRILL}{command.site}" or not facts.site_known:
            problems.append(problem("randomization.drill-of-a-participant", "drill"))
    elif command.site or state.stratum is None:
        problems.append(problem("randomization.nothing-to-break", "subject"))
    if not command.reason.strip():
        problems.append(problem("randomization.break-without-reason", "reason"))
    if command.to == "THIRD_PERSON" and not command.third_person.strip():
        problems.append(problem("randomization.third-person-unnamed", "third_person"))
    if problems:
        return Refusal(tuple(problems))
    entry = CodeBreakRequested(
        command.request, command.category, command.urgent, command.to, command.drill,
        command.reason, command.third_person if command.to == "THIRD_PERSON" else "",
    )  # fmt: skip
    return _write(command.subject, entry)


def _broken(state: State, command: RecordCodeBreak) -> Decision:
    known = state.breaks.get(command.request)
    if known is None:
        return _refuse("randomization.break-not-requested", "request")
    if known.reader is not None:
        return () if known.reader == command.reader else _refuse("randomization.break-known", "request")
    if command.reader != (known.by if known.to == "SELF" else THIRD_PERSON):
        return _refuse("randomization.break-for-another", "reader")
    entry = CodeBroken(
        command.request, command.reader, command.shown_at, command.statement, command.signature
    )
    return _write(command.subject, entry)


def _review(state: State, command: ReviewCodeBreak) -> Decision:
    known = state.breaks.get(command.request)
    if known is None or known.drill:
        return _refuse("randomization.break-not-requested", "request")
    if known.justified is not None:
        return _refuse("randomization.break-reviewed", "request")
    if not command.note.strip():
        return _refuse("randomization.review-without-note", "note")
    return _write(command.subject, CodeBreakReviewed(command.request, command.justified, command.note))


def _card(state: State, command: RecordCardOpening, occasion: Occasion) -> Decision:
    if state.stratum is None or state.randomized_at is None:
        return _refuse("randomization.nothing-to-break", "subject")
    opened = _moment(command.opened_at)
    if opened is None:
        return _refuse("randomization.moment-unreadable", "opened_at", given=command.opened_at)
    # The clock of the ward is not ours: up to the minute of randomization and of now is taken as true.
    since = dt.datetime.fromisoformat(state.randomized_at).replace(second=0, microsecond=0)
    if not since <= opened <= occasion.at:
        return _refuse("randomization.card-opened-when", "opened_at")
    if not command.opened_by.strip() or not command.witnessed_by.strip():
        return _refuse("randomization.card-without-people", "opened_by")
    if command.opened_by == command.witnessed_by:
        return _refuse("randomization.card-without-witness", "witnessed_by")
    if not command.reason.strip():
        return _refuse("randomization.break-without-reason", "reason")
    at = opened.astimezone(dt.UTC).isoformat()
    if any((card.opened_at, card.opened_by) == (at, command.opened_by) for card in state.cards):
        return _refuse("randomization.card-known", "opened_at")
    return _write(command.subject, CardOpened(at, command.opened_by, command.witnessed_by, command.reason))


def _stratum(study: Study, state: State, command: CorrectStratum) -> Decision:
    if state.stratum is None:
        return _refuse("randomization.not-randomized", "subject")
    if command.corrected not in strata(study):
        return _refuse("randomization.stratum-unknown", "corrected", given=command.corrected)
    if command.corrected == (state.corrected or state.stratum):
        return _refuse("randomization.stratum-stands", "corrected")
    if not command.reason.strip():
        return _refuse("randomization.correction-without-reason", "reason")
    return _write(command.subject, StratumCorrected(state.stratum, command.corrected, command.reason))


def _rater(state: State, facts: Facts, command: AssignRater) -> Decision:
    if command.user in facts.code_broken_for:
        return _refuse("randomization.rater-knows-the-arm", "user")
    if RATES not in facts.roles_of_named:
        return _refuse("randomization.not-a-rater", "user")
    if command.user == state.rater:
        return _refuse("randomization.rater-already", "user")
    return _write(command.subject, RaterAssigned(command.user, state.rater, command.because))


def _moment(text: str) -> dt.datetime | None:
    """A moment with its zone, or None."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _write(subject: str, entry: Entry) -> Decision:
    return (Append(f"subject/{subject}", entry),)


def _refuse(rule: str, where: str, **arguments: str) -> Refusal:
    return Refusal((problem(rule, where, **arguments),))

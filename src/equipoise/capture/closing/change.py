"""May this place still be changed? The one place that says so, for every command that has a place.

The rules that must stay true: a form is as closed as the widest thing that holds it: itself, its visit, the
participant, the database; what an act may do at which level stands in one table, and a command that the table of acts
does not know is an edit; after the database lock nothing goes on but what `STILL` names. Source: 21 CFR 11.10(f)
(sequence of steps); CDISC Glossary (freeze, lock).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

from equipoise.capture.closed import EVERYTHING, Level, Spot
from equipoise.capture.closing.database import Database
from equipoise.capture.evolve import State
from equipoise.ledger.facts import Facts
from equipoise.protocol.study import Study
from equipoise.words.changed import changed
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

Act = Literal["edit", "ask", "verify", "sign", "freeze", "unfreeze", "lock", "unlock"]
ACTS: Mapping[str, Act] = {
    "RaiseQuery": "ask",
    "RaiseFindings": "ask",
    "AskMany": "ask",
    "AnswerQuery": "ask",
    "CloseQuery": "ask",
    "CancelQuery": "ask",
    "ReopenQuery": "ask",
    "VerifyItems": "verify",
    "ReviewForm": "verify",
    "SignForms": "sign",
    "FreezeData": "freeze",
    "UnfreezeData": "unfreeze",
    "LockData": "lock",
    "UnlockData": "unlock",
}
"""What a command of capture does to its place. Whatever is not named edits it."""
MAY: Mapping[Level, frozenset[Act]] = {
    "OPEN": frozenset({"edit", "ask", "verify", "sign", "freeze", "lock"}),
    "FROZEN": frozenset({"ask", "verify", "sign", "unfreeze", "lock"}),
    "LOCKED": frozenset({"unlock"}),
    "DATABASE_LOCKED": frozenset(),
}
"""Level -> what may be done there."""
_ORDER: tuple[Level, ...] = ("OPEN", "FROZEN", "LOCKED", "DATABASE_LOCKED")
STILL: frozenset[str] = frozenset(
    {
        # the safety of a person comes before every lock
        "RequestCodeBreak", "RecordCodeBreak", "ReviewCodeBreak", "RecordCardOpening",
        # what the second door says, and what releases the list
        "EnrolSecondDoor", "RecordAnchor", "RecordRecall", "RecordReleaseCondition", "SignRelease", "RecordListRelease",
        # how serious a departure was is often said last: until the list is released (decision 0027)
        "RaiseDeviation", "ClassDeviation", "ExplainDeviation",
        "CloseDeviation", "ReopenDeviation", "WithdrawDeviation",
        # what a phone still sends is kept, and counts for nothing; a lost phone is shut out
        "KeepDiaryEvidence", "RevokeDevice", "RecordInterruption", "RecordDiaryReminder", "RecordSitePage",
        # people, the sites themselves, and reading
        "GrantRole", "RevokeRole", "ReviewAudit", "AddSite", "ApproveSite", "ActivateSite", "DeactivateSite",
        "PauseEnrolment", "ResumeEnrolment",
        "ApproveVersion", "AdoptVersion",
        # the lock itself
        "ProposeDatabaseUnlock", "UnlockDatabase", "RecordLockCondition", "ProposeDatabaseLock", "LockDatabase",
    }
)  # fmt: skip
"""Commands that go on when data are locked; their own rooms may refuse them. Every other command does not."""
BLIND_ONLY: frozenset[str] = frozenset(
    {"ClassDeviation", "CloseDeviation", "ReopenDeviation", "WithdrawDeviation"}
)
"""Judgements that count for the analysis sets: nobody makes or changes one who could know the arms (decision 0027)."""


def scopes_over(visit: str, form: str, repeat: int) -> tuple[Spot, ...]:
    """Every scope that holds a place, the widest first."""
    return tuple(dict.fromkeys((EVERYTHING, (visit, "", 0), (visit, form, repeat))))


def level_at(state: State, facts: Facts, visit: str = "", form: str = "", repeat: int = 0) -> Level:
    """How closed a place or scope is. A visit (no form) is also as closed as the most closed of its forms.

    So a visit's date cannot be changed under a form that shows it and is locked.
    """
    if facts.database_locked:
        return "DATABASE_LOCKED"
    levels = state.closing.levels
    over = scopes_over(visit, form, repeat)
    found = [levels.get(scope, "OPEN") for scope in over]
    if visit and not form:
        found += [level for scope, level in levels.items() if scope[0] == visit]
    return cast("Level", max(found, key=lambda level: _ORDER.index(cast("Level", level))))


def may_edit(state: State, facts: Facts, visit: str, form: str, repeat: int) -> bool:
    """Whether a form may still be changed by who may change forms."""
    return "edit" in MAY[level_at(state, facts, visit, form, repeat)]


def change_faults(study: Study, state: State, facts: Facts, command: object) -> tuple[Problem, ...]:
    """Why a command of capture may not touch the place it names; empty where it may, and where it names none."""
    act = ACTS.get(type(command).__name__, "edit")
    found = []
    for place in _places(state, command):
        level = level_at(state, facts, *place)
        if act not in MAY[level]:
            found.append(_closed(study, level, act, place))
    return tuple(dict.fromkeys(found))


def _places(state: State, command: object) -> tuple[Spot, ...]:
    many = getattr(command, "places", None)
    if isinstance(many, tuple):
        return tuple((one.visit, one.form, one.repeat) for one in many)
    asked = state.queries.get(str(getattr(command, "query", "")))
    if asked is not None:
        return (asked.place,)
    if hasattr(command, "visit"):
        form = str(getattr(command, "form", ""))
        return ((str(command.visit), form, int(getattr(command, "repeat", 1)) if form else 0),)
    return () if hasattr(command, "query") else (EVERYTHING,)


def _closed(study: Study, level: Level, act: Act, place: Spot) -> Problem:
    where = place_words(study, place)
    match level:
        case "DATABASE_LOCKED":
            return problem("closing.database-locked")
        case "LOCKED":
            return problem("closing.locked", place[1], place=where)
        case "FROZEN":
            return problem(
                "closing.frozen-already" if act == "freeze" else "closing.frozen", place[1], place=where
            )
    return problem("closing.not-locked" if act == "unlock" else "closing.not-frozen", place[1], place=where)


def place_words(study: Study, place: Spot) -> Text:
    """A form, visit or participant as people call it."""
    visit, form = study.visit(place[0]), study.form(place[1])
    names = [
        one.label if one is not None else Text(known)
        for known, one in ((place[1], form), (place[0], visit))
        if known
    ]
    if not names:
        return Text("The whole casebook", "整个病例报告表")
    repeat = f" {place[2]}" if place[1] and place[2] > 1 else ""
    return Text(
        " · ".join(one.en for one in names) + repeat, " · ".join(one.say("zh") for one in names) + repeat
    )


def shut(command: object, facts: Facts) -> Problem | None:
    """What the desk asks before any room: whether anything of this command may still happen after a lock."""
    name = type(command).__name__
    if name in BLIND_ONLY and facts.list_released:
        return problem("closing.judged-blind-only")
    if name in STILL:
        return None
    if facts.database_locked:
        return problem("closing.database-locked")
    if facts.subject_closed == "LOCKED" and name not in ACTS and hasattr(command, "subject"):
        return problem("closing.subject-locked")
    return None


def add_facts(facts: Facts, database: Database, state: State) -> Facts:
    """The facts that capture owns on closing, filled in."""
    whole = cast("Literal['OPEN', 'FROZEN', 'LOCKED']", state.closing.levels.get(EVERYTHING, "OPEN"))
    return changed(facts, database_locked=database.locked, subject_closed=whole)

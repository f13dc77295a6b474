"""The lock of the database as a page shows it, what is left on a line of its checklist, and one participant's closing.

The rules that must stay true: the lines are those that the decision counts; who may read the lock reads no value here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may, may_read
from equipoise.capture.closed import EVERYTHING, Spot
from equipoise.capture.closing.change import level_at, place_words
from equipoise.capture.closing.commands import (
    FreezeData,
    LockData,
    LockDatabase,
    ProposeDatabaseLock,
    ProposeDatabaseUnlock,
    RecordLockCondition,
    UnfreezeData,
    UnlockData,
    UnlockDatabase,
)
from equipoise.capture.closing.database import CONDITIONS
from equipoise.capture.closing.signing import signature_state
from equipoise.capture.evolve import Place
from equipoise.desk.closing_tables import count_closings
from equipoise.desk.desk import Desk
from equipoise.desk.followers import SITES
from equipoise.desk.lock_checklist import Line, checklist, waiting_cards
from equipoise.desk.queues import page_of
from equipoise.ledger.facts import Facts
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Condition
from equipoise.words.text import Text

LISTED = 200
"""Forms that the list of a line shows at most; the count says how many there are."""
LISTS: Mapping[str, Mapping[str, Condition]] = {
    "incomplete": {"complete": 0, "signed": ["", "SIGNED", "BROKEN"]},
    "unsigned": {"complete": 1, "signed": ["", "BROKEN"]},
}
"""Name of a list of forms -> its condition on the table of closings."""
CARDS = "cards"
"""The list of cards of the diary."""


@dataclass(frozen=True, slots=True)
class SaidLine:
    """A condition that a person says: whether it is met, by what, who said so and when (UTC)."""

    id: str
    met: bool
    reference: str
    by: str
    at: str | None


@dataclass(frozen=True, slots=True)
class LockView:
    """The lock. `proposed`: id, way (lock or unlock), by whom, when (UTC), why; `acts`: what the reader may do now."""

    lines: tuple[Line, ...]
    said: tuple[SaidLine, ...]
    locked: bool
    locked_at: str | None
    locked_by: tuple[str, ...]
    proposed: tuple[str, str, str, str, str] | None
    acts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeftView:
    """What a line of the checklist counts: the number, the steps of its address below the participant, its words.

    `read`: the word to read that opens them.
    """

    list: str
    read: str
    rows: tuple[tuple[str, tuple[str, ...], Text], ...]
    total: int


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """A participant, visit or form: how closed it is, itself (`own`) and with all around it, and what may be done."""

    scope: Spot
    words: Text
    level: str
    own: str
    state: str
    acts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseClosingView:
    """What of one participant is frozen and locked, the widest first."""

    number: str
    lines: tuple[ScopeLine, ...]


def lock_page(desk: Desk, who: Who) -> LockView | None:
    """The lock; None for who may not read it."""
    if not may_read(who, "lock", None):
        return None
    with desk.reading() as reader:
        trial = desk.trial(reader)
        lines = checklist(reader, trial)
    database, name = trial.database, desk.register.staff_name
    proposed, green = database.proposed, not any(line.count for line in lines)
    offered = {
        "condition": (RecordLockCondition("NOTHING_UNSENT", met=True, reference=""), not database.locked),
        "propose": (ProposeDatabaseLock(""), not database.locked and green),
        "lock": (LockDatabase("", ""), proposed is not None and proposed.way == "lock" and green),
        "propose-unlock": (ProposeDatabaseUnlock("", ""), database.locked),
        "unlock": (UnlockDatabase("", ""), proposed is not None and proposed.way == "unlock"),
    }
    second = proposed is None or proposed.by != who.actor
    return LockView(
        lines,
        tuple(
            SaidLine(one, said.met, said.reference, name(said.by), said.at)
            if (said := database.conditions.get(one)) is not None
            else SaidLine(one, met=False, reference="", by="", at=None)
            for one in CONDITIONS
        ),
        database.locked,
        database.at or None,
        tuple(name(one) for one in database.by),
        (proposed.id, proposed.way, name(proposed.by), proposed.at, proposed.reason)
        if proposed is not None
        else None,
        tuple(
            act
            for act, (command, possible) in offered.items()
            if possible and may(who, command, Facts()) is None and (second or act not in {"lock", "unlock"})
        ),
    )


def left_page(desk: Desk, who: Who, line: str) -> LeftView | None:
    """What a line counts; None for who may not read it, and for a line that has no list."""
    where = LISTS.get(line)
    if not may_read(who, "lock", None) or (where is None and line != CARDS):
        return None
    with desk.reading() as reader:
        if where is None:
            return _cards(desk, reader)
        trial = desk.trial(reader)
        sites = [str(row["site"]) for row in reader.rows.find(SITES)]
        rows = page_of(reader, [{**where, "site": sites}], (), LISTED)
        total = count_closings(reader.rows, where)
    places = [
        (str(row["number"]), (str(row["visit"]), str(row["form"]), int(row["repeat"] or 0)))
        for row in rows
        if row["form"] not in trial.hidden_from(who.role)
    ]
    listed = tuple(
        (number, ("forms", *map(str, spot[: 2 if spot[2] == 1 else 3])), place_words(trial.record, spot))
        for number, spot in places
    )
    return LeftView(line, "casebook", listed, total)


def _cards(desk: Desk, reader: Reader) -> LeftView:
    """Cards of the diary that wait for somebody to type them: which, and nothing that stands on one."""
    trial, found = desk.trial(reader), list(waiting_cards(reader))
    rows = []
    for number, card in found[:LISTED]:
        typed = card.typed[0][1]
        form = trial.at(typed.definition).study.diary.form(card.form)
        name = form.label if form is not None else Text(card.form)
        words = Text(f"{name.en}, {card.mark[:10]}", f"{name.say('zh')}，{card.mark[:10]}")
        rows.append((number, ("diary", "entries", typed.interview), words))
    return LeftView(CARDS, "diary", tuple(rows), len(found))


def case_closing(desk: Desk, who: Who, number: str) -> CaseClosingView | None:
    """One participant's closing; None where the reader may not see it."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "lock", number)
        if subject is None:
            return None
        now = desk.standing_light(reader, subject)
    state, study, hidden = now.case.capture, now.trial.record, now.trial.hidden_from(who.role)
    order = {visit.id: position for position, visit in enumerate(study.schedule.visits)}
    places = sorted(
        (place for place in state.forms if place.form not in hidden),
        key=lambda place: (order.get(place.visit, 0), place),
    )
    scopes: list[Spot] = [EVERYTHING]
    for place in places:
        scopes += [(place.visit, "", 0)] if (place.visit, "", 0) not in scopes else []
        scopes.append(place)
    lines = []
    for scope in scopes:
        own, level = state.closing.levels.get(scope, "OPEN"), level_at(state, now.facts, *scope)
        offered = {
            "freeze": (FreezeData(subject, *scope), level == "OPEN"),
            "unfreeze": (UnfreezeData(subject, *scope), own == level == "FROZEN"),
            "lock": (LockData(subject, *scope), level in {"OPEN", "FROZEN"}),
            "unlock": (UnlockData(subject, *scope), own == level == "LOCKED"),
        }
        acts = tuple(
            act for act, (command, open_) in offered.items() if open_ and may(who, command, now.facts) is None
        )
        signed = signature_state(state, Place(*scope)) if scope[1] else ""
        complete = state.form(Place(*scope)).complete if scope[1] else True
        shown = signed or ("COMPLETE" if complete else "IN_PROGRESS") if scope[1] else ""
        lines.append(ScopeLine(scope, place_words(study, scope), level, own, shown, acts))
    return CaseClosingView(number, tuple(lines))

"""The queue of verification with its coverage, and one form to be compared with its source or reviewed.

The rules that must stay true: what is to be verified follows from the plan (verification_plan); what changed after a
verification is shown with what was verified, and is the only thing to be looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may, may_read
from equipoise.access.roles import ROLES
from equipoise.capture.closing.change import MAY, level_at
from equipoise.capture.closing.commands import ReviewForm, VerifyItems
from equipoise.capture.closing.verifying import critical_items, reviewed, undone_items, verified_items
from equipoise.capture.evolve import Place
from equipoise.desk.closing_tables import CLOSING_CASES, CLOSINGS, count_closings
from equipoise.desk.closing_views import ShownForm, shown_view, values_at
from equipoise.desk.desk import Desk
from equipoise.desk.log_page import LOG_LABEL
from equipoise.desk.queues import page_of, sites_of, to_review, to_verify_for
from equipoise.desk.standing import Trial
from equipoise.desk.verification_plan import planned, to_verify
from equipoise.ledger.entries import Datum
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Cell, Condition, Row
from equipoise.protocol.wording import number as plain
from equipoise.words.text import Text

PAGE = 30
"""Forms on a page of the queue."""


@dataclass(frozen=True, slots=True)
class QueueLine:
    """A form that waits. `state` of its verification: empty, PART, CRITICAL or CHANGED; `full`: of the whole form."""

    number: str
    place: tuple[str, str, int]
    visit: Text
    form: Text
    state: str
    full: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of one site: complete forms that the plan takes, how many of them are verified, and how many changed since."""

    site: str
    planned: int
    verified: int
    changed: int
    reviewed: int
    complete: int


@dataclass(frozen=True, slots=True)
class VerificationView:
    """The queue of the reader: `way` is verify or review."""

    way: str
    lines: tuple[QueueLine, ...]
    total: int
    coverage: tuple[Coverage, ...]
    after: str
    plan: tuple[int, str]


@dataclass(frozen=True, slots=True)
class VerifyView:
    """One form to verify or review. `verified` and `changed`: item ids; `critical`: those verified in everybody."""

    shown: ShownForm
    site: str
    base: int
    verified: frozenset[str]
    changed: frozenset[str]
    critical: frozenset[str]
    full: bool
    reviewed: bool
    acts: tuple[str, ...]
    next: QueueLine | None


def verification_page(desk: Desk, who: Who, site: str = "", after: str = "") -> VerificationView | None:
    """The queue; None for who may not read it."""
    if not may_read(who, "verification", None):
        return None
    with desk.reading() as reader:
        trial = desk.trial(reader)
        way, conditions = _conditions(reader, trial, who, site)
        rows = page_of(reader, conditions, _key(after), PAGE + 1)
        return VerificationView(
            way,
            tuple(_line(trial, row) for row in rows[:PAGE]),
            sum(count_closings(reader.rows, where) for where in conditions),
            tuple(_coverage(reader, trial, one) for one in sites_of(reader, who, "verification")),
            _key_text(rows[PAGE - 1]) if len(rows) > PAGE else "",
            (trial.study.verification.first, plain(trial.study.verification.share * 100)),
        )


def verify_page(desk: Desk, who: Who, number: str, place: Place) -> VerifyView | None:
    """One form; None where it was not recorded, or the reader may not see it."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "verification", number)
        if subject is None:
            return None
        now = desk.standing_light(reader, subject)
        state, trial = now.case.capture, now.trial
        form = trial.record.form(place.form)
        if place not in state.forms or form is None or place.form in trial.hidden_from(who.role):
            return None
        known = state.closing.verified.get(place, {})
        then = _verified_values(reader, subject, place, known) if known else None
        _, conditions = _conditions(reader, trial, who)
        following = page_of(reader, conditions, (number, subject, *place), 1)
        case = reader.rows.get(CLOSING_CASES, (subject,)) or {}
        commands = {
            "verify": VerifyItems(subject, *place, 0, ()),
            "review": ReviewForm(subject, *place, 0),
        }
        open_here = "verify" in MAY[level_at(state, now.facts, *place)]
        return VerifyView(
            shown_view(trial.record, state, number, place, None, then),
            now.case.screening.site or "",
            state.form(place).seq,
            verified_items(state, place),
            undone_items(state, place),
            critical_items(trial.record, form),
            bool(case.get("full")),
            reviewed(state, place),
            tuple(act for act, one in commands.items() if open_here and may(who, one, now.facts) is None),
            _line(trial, following[0]) if following else None,
        )


def _verified_values(
    reader: Reader, subject: str, place: Place, known: Mapping[str, int]
) -> Mapping[str, Datum]:
    """What each item held when it was verified last; an item never verified is as it is now."""
    stream = reader.entries(f"subject/{subject}")
    at = {seq: values_at(stream, place, seq) for seq in set(known.values())}
    now = values_at(stream, place, len(stream))
    return {**now, **{item: at[seq][item] for item, seq in known.items() if item in at[seq]}}


def _conditions(
    reader: Reader, trial: Trial, who: Who, site: str = ""
) -> tuple[str, list[dict[str, Condition]]]:
    """What waits for the reader: to be reviewed by who reviews, to be verified for everybody else."""
    if who.role in ROLES and "ReviewForm" in ROLES[who.role].commands:
        way, found = "review", to_review(trial, reader, who)
    else:
        way, found = "verify", to_verify_for(trial, reader, who)
    if site:
        for where in found:
            where["site"] = [one for one in where["site"] if one == site]  # type: ignore[union-attr]  # a list (queues)
    return way, found


def _cells(row: Row) -> tuple[Cell, ...]:
    return tuple(row[name] for name in ("number", *CLOSINGS.key))


def _key_text(row: Row) -> str:
    return "~".join(str(cell) for cell in _cells(row))


def _key(text: str) -> tuple[Cell, ...]:
    parts = text.split("~")
    if len(parts) != 1 + len(CLOSINGS.key) or not parts[-1].isdigit() or not parts[-1].isascii():
        return ()
    return (*parts[:-1], int(parts[-1]))


def _line(trial: Trial, row: Row) -> QueueLine:
    visit, form = trial.record.visit(str(row["visit"])), trial.record.form(str(row["form"]))
    return QueueLine(
        str(row["number"]),
        (str(row["visit"]), str(row["form"]), int(row["repeat"] or 0)),
        visit.label if visit is not None else LOG_LABEL,
        form.label if form is not None else Text(str(row["form"])),
        str(row["verified"]),
        bool(row["full"]),
    )


def _coverage(reader: Reader, trial: Trial, site: str) -> Coverage:
    rows = reader.rows
    taken = [{**where, "site": site} for where in planned(trial.study)]
    left = [{**where, "site": site} for where in to_verify(trial.study)]
    changed = [{**where, "site": site, "verified": "CHANGED"} for where in planned(trial.study)]
    every = sum(count_closings(rows, where) for where in taken)
    return Coverage(
        site,
        every,
        every - sum(count_closings(rows, where) for where in left),
        sum(count_closings(rows, where) for where in changed),
        count_closings(rows, {"site": site, "complete": 1, "reviewed": 1}),
        count_closings(rows, {"site": site, "complete": 1}),
    )

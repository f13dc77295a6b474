"""The inbox of queries: one list with filters, page by page by key, and one query with what stands beside it.

The rules that must stay true: which queries there are comes from the read tables, a page at a time, so that an inbox
takes as long with two thousand participants as with ten; what is said of one comes from its participant's stream; what
a role never sees is not counted either. An act is offered where the desk would take it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may, may_read
from equipoise.access.roles import ROLES, label_of
from equipoise.capture.closing.change import level_at
from equipoise.capture.commands import AnswerQuery, CancelQuery, CloseQuery, ReopenQuery
from equipoise.capture.evolve import MANUAL, Query, State
from equipoise.capture.queries import CANCELS_ANY, NEXT
from equipoise.capture.questions import question, questions
from equipoise.desk.desk import Desk
from equipoise.desk.followers import QUERIES, SUBJECTS, WAITING
from equipoise.desk.queues import sites_of
from equipoise.desk.standing import Standing, Trial
from equipoise.desk.words import shown
from equipoise.ledger.entries import Datum
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Cell, Condition, Row
from equipoise.protocol.assessments import scale_of
from equipoise.protocol.study import Study
from equipoise.words.clock import local
from equipoise.words.text import Text

PAGE = 25
"""Queries on a page."""
STATES: Mapping[str, tuple[str, ...]] = {
    "waiting": WAITING,
    "open": ("OPEN",),
    "answered": ("ANSWERED",),
    "closed": ("CLOSED",),
    "cancelled": ("CANCELLED",),
    "all": ("OPEN", "ANSWERED", "CLOSED", "CANCELLED"),
}
"""Filter -> states."""
ORDER = ("raised_at",)


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the inbox is looked at. Empty: everything. `older`: raised at least so many days ago.

    mine: what waits for the reader: for who answers, open ones; for who asks, answers to what they asked themselves.
    rule: `manual` for queries that people asked, `checks` for the others, or the name of one check.
    """

    state: str = "waiting"
    mine: bool = False
    site: str = ""
    form: str = ""
    rule: str = ""
    older: int = 0


@dataclass(frozen=True, slots=True)
class SaidView:
    """One step of a thread: what was done, by whom, as what, when at the site, in what words."""

    act: str
    by: str
    role: Text
    at: str
    text: str


@dataclass(frozen=True, slots=True)
class QueryLine:
    """A query as the inbox shows it. `key` is its place in the list; `acts` are those that the reader may do now."""

    id: str
    number: str
    site: str
    place: tuple[str, str, int]
    item: str
    visit: Text
    form: Text
    label: Text
    value: Text | None
    state: str
    rule: str
    message: Text
    raised_by: str
    raised_role: Text
    raised_at: str
    age_days: int
    thread: tuple[SaidView, ...]
    acts: tuple[str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class InboxView:
    """One page. `counts`: state filter -> how many under the other filters. `before` and `after` are keys, or empty."""

    lines: tuple[QueryLine, ...]
    counts: Mapping[str, int]
    filters: Filters
    before: str
    after: str
    sites: tuple[str, ...]
    forms: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class OneQueryView:
    """One query, with its neighbours under the same filters: (number, query), or None at an end."""

    line: QueryLine
    previous: tuple[str, str] | None
    next: tuple[str, str] | None


def inbox(desk: Desk, who: Who, filters: Filters, after: str = "", before: str = "") -> InboxView | None:
    """A page of the inbox after (or, going back, before) a key; None for who reads no queries."""
    if not may_read(who, "queries", None):
        return None
    with desk.reading() as reader:
        trial = desk.trial(reader)
        where = _where(reader, trial, who, filters)
        back = bool(before) and not after
        rows = _find(
            reader, where, desk.now(), filters, _key(before if back else after), back=back, limit=PAGE + 1
        )
        more, rows = len(rows) > PAGE, rows[:PAGE]
        rows = tuple(reversed(rows)) if back else rows
        lines = tuple(_line(desk, reader, who, row) for row in rows)
        earlier, later = (more, True) if back else (bool(after), more)
        return InboxView(
            lines,
            {name: _count(reader, trial, who, filters, name) for name in STATES},
            filters,
            lines[0].key if lines and earlier else "",
            lines[-1].key if lines and later else "",
            tuple(sites_of(reader, who, "queries")),
            tuple(
                (form.id, form.label)
                for form in trial.record.forms
                if form.id not in trial.hidden_from(who.role)
            ),
        )


def one_query(desk: Desk, who: Who, number: str, query: str, filters: Filters) -> OneQueryView | None:
    """One query with its neighbours; None where the reader may not see it."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "queries", number)
        row = reader.rows.get(QUERIES, (subject, query)) if subject is not None else None
        trial = desk.trial(reader)
        if row is None or row["form"] in trial.hidden_from(who.role):
            return None
        where, key, now = _where(reader, trial, who, filters), _cells(row), desk.now()
        beside = [_find(reader, where, now, filters, key, back=back, limit=1) for back in (True, False)]
        previous, following = (_named(reader, rows[0]) if rows else None for rows in beside)
        return OneQueryView(_line(desk, reader, who, row), previous, following)


def acts_on(who: Who, now: Standing, query: Query) -> tuple[str, ...]:
    """What the reader may do with a query: by its state, the role, and whether its place is closed."""
    subject, found = now.case.capture, []
    commands = {
        "answer": AnswerQuery("", query.id, ""),
        "close": CloseQuery("", query.id),
        "cancel": CancelQuery("", query.id, ""),
        "reopen": ReopenQuery("", query.id, ""),
    }
    if level_at(subject, now.facts, *query.place) not in {"OPEN", "FROZEN"}:
        return ()
    for act, command in commands.items():
        asked_it = query.rule == MANUAL and who.role == query.raised_role
        if act == "cancel" and not asked_it and who.role not in CANCELS_ANY:
            continue
        if (query.state, act) in NEXT and may(who, command, now.facts) is None:
            found.append(act)
    return tuple(found)


def _where(reader: Reader, trial: Trial, who: Who, filters: Filters) -> dict[str, Condition]:
    sites = [site for site in sites_of(reader, who, "queries") if filters.site in {"", site}]
    where: dict[str, Condition] = {"site": sites, "state": list(STATES.get(filters.state, WAITING))}
    hidden = trial.hidden_from(who.role)
    shown_forms = [
        form.id for form in trial.record.forms if form.id not in hidden and filters.form in {"", form.id}
    ]
    if hidden or filters.form:
        where["form"] = shown_forms
    if filters.rule == "checks":
        where["rule"] = list(_rules(trial.record))
    elif filters.rule:
        where["rule"] = filters.rule
    role = ROLES.get(who.role)
    if filters.mine:
        answers = role is not None and "AnswerQuery" in role.commands
        waiting = "OPEN" if answers else "ANSWERED"
        where["state"] = [state for state in STATES.get(filters.state, WAITING) if state == waiting]
        if not answers:
            where["raised_by"] = who.actor
    return where


def _rules(study: Study) -> Sequence[str]:
    """The name of every check that can raise a query."""
    found = []
    for form in study.forms:
        used = scale_of(form)
        found += [check.id for check in form.checks]
        found += [f"expected:{each.id}" for each in questions(form)]
        found += [f"{used.id}:{each.id}" for each in used.expectations] if used is not None else []
    return list(dict.fromkeys(found))


def _find(
    reader: Reader,
    where: Mapping[str, Condition],
    now: dt.datetime,
    filters: Filters,
    key: tuple[Cell, ...],
    *,
    back: bool,
    limit: int,
) -> tuple[Row, ...]:
    """Rows after (or before) a key. The list goes from the oldest; what is younger than asked for ends it."""
    newest = (now - dt.timedelta(days=filters.older)).strftime("%Y-%m-%dT%H:%M:%S") if filters.older else ""
    if back and newest and not key:
        key = (newest, "", "")
    rows = reader.rows.find(QUERIES, where, order=ORDER, after=key, descending=back, limit=limit)
    return tuple(row for row in rows if not newest or str(row["raised_at"]) <= newest)


def _count(reader: Reader, trial: Trial, who: Who, filters: Filters, state: str) -> int:
    """How many there are in a state under the other filters; the age is not counted by, as it moves by itself."""
    others = Filters(state, filters.mine, filters.site, filters.form, filters.rule)
    return reader.rows.count(QUERIES, _where(reader, trial, who, others))


def _cells(row: Row) -> tuple[Cell, ...]:
    return tuple(row[name] for name in (*ORDER, *QUERIES.key))


def _key(text: str) -> tuple[Cell, ...]:
    """A key as an address has it; nothing for one that is none."""
    parts = tuple(text.split("~"))
    return parts if len(parts) == len(ORDER) + len(QUERIES.key) else ()


def _named(reader: Reader, row: Row) -> tuple[str, str]:
    subject = reader.rows.get(SUBJECTS, (str(row["subject"]),)) or {}
    return str(subject.get("number", "")), str(row["query"])


def _line(desk: Desk, reader: Reader, who: Who, row: Row) -> QueryLine:
    now = desk.standing_light(reader, str(row["subject"]))
    query, study, zone = (
        now.case.capture.queries[str(row["query"])],
        now.trial.record,
        now.site.zone,
    )
    visit, form = study.visit(query.place.visit), study.form(query.place.form)
    label, value = _asked_about(study, now.case.capture, query)
    name = desk.register.staff_name
    return QueryLine(
        id=query.id,
        number=now.case.screening.number or "",
        site=str(row["site"] or ""),
        place=query.place,
        item=query.item,
        visit=visit.label if visit is not None else Text(query.place.visit),
        form=form.label if form is not None else Text(query.place.form),
        label=label,
        value=value,
        state=query.state,
        rule=query.rule,
        message=Text(query.message.get("en", ""), query.message.get("zh")),
        raised_by=name(query.raised_by) if query.rule == MANUAL else "",
        raised_role=label_of(query.raised_role),
        raised_at=local(query.raised_at, zone),
        age_days=max((now.now - dt.datetime.fromisoformat(query.raised_at)).days, 0),
        thread=tuple(
            SaidView(said.act, name(said.by), label_of(said.role), local(said.at, zone), said.text)
            for said in query.thread
        ),
        acts=acts_on(who, now, query),
        key="~".join(str(cell) for cell in _cells(row)),
    )


def _asked_about(study: Study, state: State, query: Query) -> tuple[Text, Text | None]:
    """The item's label, and what it holds now; nothing for a query about a whole form."""
    form = study.form(query.place.form)
    asked = question(form, query.item) if form is not None and query.item else None
    if asked is None:
        return Text(query.item), None
    return asked.label, shown(study, asked, state.form(query.place).values.get(query.item, Datum()))

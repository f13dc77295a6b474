"""Double entries across participants: where each stands, how often the two differed, and what is asked of whom.

The rules that must stay true: a reader is told of sites and forms that the role may see, and of no value; a rate is
over items of settled pairs, never over what is still open. Source: GCDMP, data entry processes: the error rate is the
number of differing items over the items compared; of one person's typing, entries not taken over all that were typed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.access.roles import ROLES
from equipoise.capture.questions import question, questions
from equipoise.desk.desk import Desk
from equipoise.desk.double_tables import DOUBLE_ITEMS, DOUBLES, PENDING
from equipoise.desk.queues import sites_of
from equipoise.desk.standing import Trial, day_at
from equipoise.desk.views import Task
from equipoise.desk.words import task
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Condition, Row
from equipoise.words.clock import local
from equipoise.words.text import Text

READS = "casebook"
PAGE = 50
LISTED = 20
"""How many tasks of one kind Today lists."""
STATES: Mapping[str, tuple[str, ...]] = {
    "pending": PENDING,
    "first": ("FIRST",),
    "differs": ("DIFFERS",),
    "settled": ("SETTLED",),
    "all": ("FIRST", "DIFFERS", "SETTLED"),
}
"""Filter -> states."""


@dataclass(frozen=True, slots=True)
class DoubleRow:
    """One double entry: whose, where, how far; who typed and when (site time); items compared and differing."""

    number: str
    place: tuple[str, str, int]
    visit: Text
    form: Text
    state: str
    first: tuple[str, str]
    second: tuple[str, str] | None
    compared: int
    differing: int


@dataclass(frozen=True, slots=True)
class Rate:
    """How often an item differed in settled pairs, and whose entry was not taken. `label` None: all items together."""

    form: Text | None
    label: Text | None
    item: str
    compared: int
    differing: int
    first_wrong: int
    second_wrong: int

    @property
    def per_cent(self) -> str:
        """Items that differed, per cent of those compared, to two places; a dash for none."""
        return f"{100 * self.differing / self.compared:.2f}" if self.compared else "–"

    @property
    def per_ten_thousand(self) -> str:
        """Errors of one person's typing, per 10,000 items typed: each compared item was typed twice."""
        errors, typed = self.first_wrong + self.second_wrong, 2 * self.compared
        return f"{10_000 * errors / typed:.0f}" if typed else "–"


@dataclass(frozen=True, slots=True)
class DoublesView:
    """A page of double entries, and the rates over all that the reader may see. `after`: the key of the next page."""

    rows: tuple[DoubleRow, ...]
    counts: Mapping[str, int]
    state: str
    rates: tuple[Rate, ...]
    total: Rate
    after: str


def doubles_page(desk: Desk, who: Who, state: str = "pending", after: str = "") -> DoublesView | None:
    """The double entries in a state (of STATES); None for who reads no casebook."""
    if not may_read(who, READS, None):
        return None
    state = state if state in STATES else "pending"
    with desk.reading() as reader:
        trial, sites = desk.trial(reader), sites_of(reader, who, READS)
        scope = _scope(trial, who, sites)
        where: dict[str, Condition] = {**scope, "state": list(STATES[state])}
        found = reader.rows.find(
            DOUBLES, where, order=("first_at",), descending=True, after=_read_key(after), limit=PAGE + 1
        )
        rates = tuple(_rates(trial, reader.rows.find(DOUBLE_ITEMS, scope)))
        counts = {
            name: reader.rows.count(DOUBLES, {**scope, "state": list(states)})
            for name, states in STATES.items()
        }
    rows = found[:PAGE]
    return DoublesView(
        tuple(_row(desk, trial, sites, row) for row in rows),
        counts,
        state,
        rates,
        _total(rates),
        _key(rows[-1]) if len(found) > PAGE else "",
    )


def _scope(trial: Trial, who: Who, sites: Collection[str]) -> dict[str, Condition]:
    """The reader's sites, and forms that the role may see."""
    hidden = trial.ever_hidden_from(who.role)
    return {"site": list(sites), "form": [form.id for form in trial.record.forms if form.id not in hidden]}


_KEY = ("first_at", "subject", "visit", "form", "repeat")


def _key(row: Row) -> str:
    return " ".join(str(row[name]) for name in _KEY)


def _read_key(text: str) -> tuple[str | int, ...]:
    parts = text.split(" ")
    return (*parts[:4], int(parts[4])) if len(parts) == len(_KEY) and parts[4].isdigit() else ()


def _row(desk: Desk, trial: Trial, sites: Mapping[str, str], row: Row) -> DoubleRow:
    form, visit = trial.record.form(str(row["form"])), trial.record.visit(str(row["visit"]))
    zone = sites.get(str(row["site"])) or trial.study.zone_of(None)

    def by(who: str, at: str) -> tuple[str, str]:
        actor = str(row[who])
        return desk.register.staff_name(actor) or actor, local(str(row[at]), zone)

    return DoubleRow(
        number=str(row["number"] or ""),
        place=(str(row["visit"]), str(row["form"]), int(row["repeat"] or 1)),
        visit=visit.label if visit is not None else Text(str(row["visit"])),
        form=form.label if form is not None else Text(str(row["form"])),
        state=str(row["state"]),
        first=by("first_by", "first_at"),
        second=by("second_by", "second_at") if row["second_by"] else None,
        compared=int(row["compared"] or 0),
        differing=int(row["differing"] or 0),
    )


_COUNTED = ("compared", "differing", "first_wrong", "second_wrong")


def _rates(trial: Trial, rows: Iterable[Row]) -> Iterator[Rate]:
    """One rate for each item, over all sites, in the order of the study."""
    summed: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        counts = summed.setdefault((str(row["form"]), str(row["item"])), [0] * len(_COUNTED))
        for n, name in enumerate(_COUNTED):
            counts[n] += int(row[name] or 0)
    asked_in_order = [(form.id, each.id) for form in trial.record.forms for each in questions(form)]
    order = {place: n for n, place in enumerate(asked_in_order)}
    for (form_id, item), counts in sorted(summed.items(), key=lambda one: order.get(one[0], len(order))):
        form = trial.record.form(form_id)
        asked = question(form, item) if form is not None else None
        yield Rate(
            form.label if form is not None else Text(form_id),
            asked.label if asked is not None else Text(item),
            item,
            *counts,
        )


def _total(rates: Iterable[Rate]) -> Rate:
    every = list(rates)
    return Rate(None, None, "", *(sum(getattr(one, name) for one in every) for name in _COUNTED))


def double_tasks(reader: Reader, trial: Trial, who: Who) -> list[Task]:
    """Second entries that the reader may type, and differences that the reader may settle."""
    role = ROLES.get(who.role)
    commands = role.commands if role is not None else frozenset[str]()
    found: list[Task] = []
    sites = sites_of(reader, who, READS)
    for kind, command, state in (
        ("double_second", "RecordEntry", "FIRST"),
        ("double_settle", "SettleEntries", "DIFFERS"),
    ):
        if command in commands:
            where = {**_scope(trial, who, sites), "state": state}
            rows = reader.rows.find(DOUBLES, where, order=("first_at",))
            found += islice(_asked(trial, who, sites, kind, rows), LISTED)
    return found


def _asked(
    trial: Trial, who: Who, sites: Mapping[str, str], kind: str, rows: Iterable[Row]
) -> Iterator[Task]:
    for row in rows:
        form, visit = trial.record.form(str(row["form"])), trial.record.visit(str(row["visit"]))
        rules = form.double_entry if form is not None else None
        typed = who.actor in {row["first_by"], row["second_by"]}
        if kind == "double_settle" and rules is not None:
            if rules.settled_by and who.role not in rules.settled_by:
                continue
            typed = typed and not rules.by_enterer
        if typed:
            continue
        place = (str(row["visit"]), str(row["form"]), str(row["repeat"]))
        since = day_at(str(row["second_at"] or row["first_at"]), sites[str(row["site"])]).isoformat()
        yield task(
            kind,
            str(row["number"] or ""),
            place,
            since,
            form=form.label if form is not None else place[1],
            visit=visit.label if visit is not None else place[0],
        )

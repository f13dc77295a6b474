"""The diary across participants: the list of diaries, and what Today asks of a site.

The rules that must stay true: a red flag, a call for help, a request and a silence are tasks of people and nothing
by themselves; the read tables say who is looked at, a participant's own stream what is said; an interruption of the
service asks nothing of anybody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from itertools import islice

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.access.roles import ROLES
from equipoise.desk.desk import Desk
from equipoise.desk.diary_pages import READS, Reading, side_view
from equipoise.desk.diary_standing import SIDES, rules_of, side_standing
from equipoise.desk.diary_views import OverviewLine, OverviewView
from equipoise.desk.diary_waiting import DIARIES, REMINDED, WAITING
from equipoise.desk.gateways import WAYS, Ways, ways_of
from equipoise.desk.queues import sites_of
from equipoise.desk.standing import day_at
from equipoise.desk.views import Task
from equipoise.desk.visit_tables import COURSES, is_over
from equipoise.desk.words import task
from equipoise.diary.evolve import side_of
from equipoise.diary.paper import waiting
from equipoise.diary.reminders import site_to_call
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Condition, Row
from equipoise.words.clock import local
from equipoise.words.problem import Problem, problem

PAGE = 30
LISTED = 20
"""How many tasks of one kind Today lists."""
LATELY = dt.timedelta(days=1)
"""Nobody who was heard so lately is silent."""
LOOKED_AT = 200
"""How many diaries of a site that still go on are looked at for silence, those heard longest ago first."""
KINDS = {"FLAG": "diary_flag", "HELP": "diary_help", "CHANGE": "diary_change"}


def diary_tasks(desk: Desk, reader: Reader, who: Who) -> tuple[Task, ...]:
    """Red flags, calls for help, requests, and participants who are silent, for who deals with them."""
    role = ROLES.get(who.role)
    if role is None or "HandleDiaryFlag" not in role.commands:
        return ()
    sites = sites_of(reader, who, READS)
    rows = reader.rows.find(
        WAITING, {"site": list(sites), "state": "WAITING"}, order=("at",), limit=LISTED * 3
    )
    urgent = sorted(rows, key=lambda row: (list(KINDS).index(str(row["kind"])), str(row["at"])))
    found = [_of(row, sites[str(row["site"])]) for row in urgent if _takes(role.commands, row)]
    for site in sites:
        found += list(_silent(desk, reader, site))[:LISTED]
        found += list(_cards(desk, reader, who, site))[:LISTED]
    return tuple(found)


def post_tasks(desk: Desk, reader: Reader, who: Who) -> tuple[Task, ...]:
    """What keeps a site from being told at once of red flags, and people from being reminded: for the site's staff and
    for those who keep the store."""
    role = ROLES.get(who.role)
    if role is None or not role.commands & {"HandleDiaryFlag", "EnrolSecondDoor"}:
        return ()
    begun = [
        site
        for site in sites_of(reader, who, "today")
        if reader.rows.find(DIARIES, {"begun": 1, "site": site}, limit=1)
    ]
    ways = ways_of(desk.ledger.places.store.parent, rehearsal=desk.purpose == "rehearsal") if begun else None
    if isinstance(ways, Problem):
        return (Task("diary_post", ways.rule, ways.arguments, ""),)
    untold = [site for site in begun if ways is not None and ways.of_site(site) is None]
    silent = [one for site in begun if ways is not None for one in _unreminded(reader, site, ways)]
    return (*(Task("diary_post", "diaries.site-untold", {"site": site}, "") for site in untold), *silent)


def _unreminded(reader: Reader, site: str, ways: Ways) -> Iterator[Task]:
    """Ways that were chosen for people of a site, and that nothing goes out by."""
    for way in WAYS:
        chosen = reader.rows.count(REMINDED, {"site": site, "gateway": way}) if way in ways.lacking else 0
        if chosen:
            said = problem("diaries.way-missing", site, site=site, n=chosen, way=way)
            yield Task("diary_post", said.rule, said.arguments, "")


def _takes(commands: frozenset[str], row: Row) -> bool:
    """A request is decided by who signs; others are not told of what they cannot do."""
    return row["kind"] != "CHANGE" or "DecideDiaryChange" in commands


def _of(row: Row, zone: str) -> Task:
    place = (str(row["about"]),) if row["kind"] != "HELP" else ()
    return task(KINDS[str(row["kind"])], str(row["number"]), place, day_at(str(row["at"]), zone).isoformat())


def _silent(desk: Desk, reader: Reader, site: str) -> Iterator[Task]:
    """Participants from whom nothing came for as long as the definition says."""
    rows = reader.rows.find(DIARIES, {"begun": 1, "site": site}, order=("heard_at",))
    lately = (desk.now() - LATELY).isoformat()
    days = _days_at_most(desk, reader)
    running = (row for row in rows if not _over(reader, row, days, desk.now()))
    for row in islice(running, LOOKED_AT):
        if str(row["heard_at"]) > lately:
            return
        subject = str(row["subject"])
        now, state = desk.standing_light(reader, subject), desk.diary(reader, subject)
        stood = side_standing(now, state, "PARTICIPANT").stood
        silent = site_to_call(rules_of(now.trial.study.diary), stood)
        if silent:
            last = next(one for one in reversed(stood) if one.state == "MISSED")
            since = day_at(last.period.closes.isoformat(), now.site.zone).isoformat()
            yield task("diary_silent", str(row["number"]), (), since, n=str(silent))


def _cards(desk: Desk, reader: Reader, who: Who, site: str) -> Iterator[Task]:
    """Cards on paper that wait for this reader to type them."""
    for row in reader.rows.find(DIARIES, {"papers": 1, "site": site}, order=("number",), limit=LOOKED_AT):
        subject = str(row["subject"])
        now, state = desk.standing_light(reader, subject), desk.diary(reader, subject)
        for card in waiting(state):
            if card.asks(who.actor):
                recorded, entry = card.typed[0]
                since = day_at(recorded.header.at, now.site.zone).isoformat()
                kind = "diary_second" if card.state == "ONCE" else "diary_unlike"
                yield task(kind, str(row["number"]), (entry.interview,), since)


def _days_at_most(desk: Desk, reader: Reader) -> int:
    """After so many days from day 1 no diary of any version is open any more."""
    forms = [form.cadence for one in desk.trial(reader).released for form in one.study.diary.forms]
    return max((when.last_day + when.open_days for when in forms if when is not None), default=0)


def _over(reader: Reader, row: Row, days: int, now: dt.datetime) -> bool:
    """Whether nothing more is due of a diary, as far as the read tables tell: it need not be looked at."""
    course = reader.rows.get(COURSES, (str(row["subject"]),))
    if course is None:
        return False
    if is_over(course):
        return True
    begun = max(str(course["randomized_at"] or ""), str(course["infused_at"] or ""))
    return bool(begun) and now - dt.datetime.fromisoformat(begun) > dt.timedelta(days=days + 1)


def overview(desk: Desk, who: Who, after: str = "") -> OverviewView | None:
    """A page of diaries; None for who may not read them."""
    if not may_read(who, READS, None):
        return None
    with desk.reading() as reader:
        sites = sites_of(reader, who, READS)
        rows: list[Row] = []
        for site in sites:
            start: tuple[str, ...] = (after, "~") if after else ()
            where: dict[str, Condition] = {"begun": 1, "site": site}
            rows += reader.rows.find(DIARIES, where, order=("number",), after=start, limit=PAGE + 1)
        begun = sorted(rows, key=lambda row: str(row["number"]))
        lines = tuple(_lines(desk, reader, who, begun[:PAGE]))
        trial = desk.trial(reader)
    rules, zone = trial.study.diary.compliance, next(iter(sites.values()), "UTC")
    role = ROLES.get(who.role)
    return OverviewView(
        lines=lines,
        after=lines[-1].number if len(begun) > PAGE else "",
        outages=tuple(
            (local(since.isoformat(), zone), local(until.isoformat(), zone))
            for since, until in reversed(trial.state.interruptions[-20:])
        ),
        target=rules.target_percent,
        alert=rules.alert_percent,
        may=role.commands if role is not None else frozenset(),
        zone=zone,
    )


def _lines(desk: Desk, reader: Reader, who: Who, rows: Iterable[Row]) -> Iterator[OverviewLine]:
    for row in rows:
        subject = str(row["subject"])
        read = Reading(desk, who, desk.standing_light(reader, subject), desk.diary(reader, subject), subject)
        silent = site_to_call(rules_of(read.plan), side_standing(read.now, read.state, "PARTICIPANT").stood)
        own = (one.at for one in read.state.made.values() if side_of(one.entry.reporter) == "PARTICIPANT")
        heard = max(own, default="")
        yield OverviewLine(
            number=str(row["number"]),
            site=str(row["site"]),
            sides=tuple(side_view(read, side) for side in SIDES),
            silent=silent,
            waiting=reader.rows.count(WAITING, {"subject": subject, "state": "WAITING"}),
            heard_at=read.at(heard) if heard else "",
        )

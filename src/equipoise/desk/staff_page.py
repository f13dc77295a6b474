"""The people of a site: the delegation log as a grid of persons and duties, trainings, certificates; what runs out.

The rules that must stay true: who is on the roster is who holds a role at the site; what a cell says is what `may`
would say today; a line that ended stays. No page of the first door names the people of the second.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from equipoise.access.commands import Certified, Grant, RecordTraining, Trained
from equipoise.access.commands import Who as Person
from equipoise.access.decide import may, may_read
from equipoise.access.duties import DUTIES, SITE_STAFF, duties_for, training_lacking
from equipoise.access.evolve import State as PersonState
from equipoise.access.rating import certificates_missing
from equipoise.access.roles import ROLES, label_of
from equipoise.desk.desk import Desk
from equipoise.desk.followers import GRANTS, SITES
from equipoise.desk.standing import Standing
from equipoise.desk.views import Task
from equipoise.desk.words import task
from equipoise.ledger.reader import Reader
from equipoise.oversight.commands import DelegateDuties, NamePrincipalInvestigator
from equipoise.oversight.delegation import INVESTIGATOR, Line
from equipoise.words.text import Text

READS = "people"
SOON_DAYS = 30
"""How many days before something runs out Today says so."""
CellState = Literal["principal", "held", "over", "none", "unfit"]


@dataclass(frozen=True, slots=True)
class DutyCell:
    """One duty of one person. `until`: its last day; `lacking`: trainings that it asks for and that are missing."""

    duty: str
    state: CellState
    until: str | None = None
    lacking: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class TopicCell:
    """A training of a person in one topic. state: had, over, old (another version) or none."""

    topic: str
    state: Literal["had", "over", "old", "none"]
    on: str = ""
    until: str | None = None


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person of the site. `certificates`: those recorded; `uncertified`: instruments without one that counts."""

    user: str
    name: str
    roles: tuple[Text, ...]
    investigator: bool
    duties: tuple[DutyCell, ...]
    topics: tuple[TopicCell, ...]
    certificates: tuple[Certified, ...]
    uncertified: tuple[str, ...]
    own: bool


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log in its order. Moments are UTC, ISO."""

    name: str
    duty: Text
    since: str
    signed_by: str
    until: str | None
    ended: str | None
    ended_by: str


@dataclass(frozen=True, slots=True)
class StaffView:
    """The page of one site's people."""

    site: str
    site_name: Text
    zone: str
    principal: str
    binds: bool
    duties: tuple[tuple[str, Text], ...]
    topics: tuple[tuple[str, Text, str], ...]
    instruments: tuple[str, ...]
    languages: tuple[str, ...]
    people: tuple[PersonLine, ...]
    log: tuple[LogLine, ...]
    may_sign: bool
    may_name: bool
    may_record: bool


def sites_with_people(desk: Desk, who: Person) -> tuple[tuple[str, Text], ...] | None:
    """The sites whose people the reader may see; None for who sees none."""
    if not may_read(who, READS, None):
        return None
    with desk.reading() as reader:
        return tuple((str(row["site"]), _name(row)) for row in _rows(reader, who))


def staff_page(desk: Desk, who: Person, site: str) -> StaffView | None:
    """The people of one site; None for who may not see them."""
    if not may_read(who, READS, site):
        return None
    with desk.reading() as reader:
        row = reader.rows.get(SITES, (site,))
        if row is None:
            return None
        now = desk.standing_of_site(reader, site)
        people = tuple(
            _person(desk, now, user, state, own=user == who.actor)
            for user, state in _roster(desk, reader, site).items()
        )
    study, log = now.trial.study, now.site.log
    name = desk.register.staff_name
    return StaffView(
        site=site,
        site_name=_name(row),
        zone=now.site.zone,
        principal=name(log.principal) if log.principal else "",
        binds=now.facts.log_in_force,
        duties=tuple((duty.id, duty.label) for duty in DUTIES.values()),
        topics=tuple((topic.id, topic.label, topic.version) for topic in study.delegation.training),
        instruments=study.raters.certificates,
        languages=study.raters.languages,
        people=people,
        log=tuple(_line(desk, line) for line in reversed(log.lines)),
        may_sign=who.actor == log.principal and may(who, DelegateDuties(site, "", ()), now.facts) is None,
        may_name=may(who, NamePrincipalInvestigator(site, ""), now.facts) is None,
        may_record=may(who, RecordTraining("", (), "", _site_of(who, site)), now.facts) is None,
    )


def _site_of(who: Person, site: str) -> str | None:
    """The site that a record of the reader is about: none where the role is held in the whole study."""
    return None if Grant(who.role, None) in who.grants else site


def _rows(reader: Reader, who: Person) -> list[Mapping[str, object]]:
    rows = reader.rows.find(SITES, order=("site",))
    return [row for row in rows if may_read(who, READS, str(row["site"]))]


def _name(row: Mapping[str, object]) -> Text:
    return Text(str(row["en"] or row["site"]), str(row["zh"]) if row["zh"] else None)


def _roster(desk: Desk, reader: Reader, site: str) -> Mapping[str, PersonState]:
    """Who holds a role of site staff at the site, or held one and stands in its log; by role, then id."""
    order = [role for role in ROLES if role in SITE_STAFF]
    rows = reader.rows.find(GRANTS, {"site": site, "held": 1, "role": order})
    users = [
        str(row["user"])
        for row in sorted(rows, key=lambda row: (order.index(str(row["role"])), str(row["user"])))
    ]
    return {user: desk.person(reader, user) for user in dict.fromkeys(users)}


def _person(desk: Desk, now: Standing, user: str, state: PersonState, *, own: bool) -> PersonLine:
    site, study = now.site.site or "", now.trial.study
    roles = [grant.role for grant in state.now if grant.site in {None, site} and grant.role in SITE_STAFF]
    fit = duties_for(roles)
    asked = [(name, frozenset(study.raters.languages)) for name in study.raters.certificates]
    return PersonLine(
        user=user,
        name=desk.register.staff_name(user),
        roles=tuple(label_of(role) for role in dict.fromkeys(roles)),
        investigator=INVESTIGATOR in roles,
        duties=tuple(_duty(now, user, state, duty, fits=duty in fit) for duty in DUTIES),
        topics=tuple(
            _topic(state.trained, topic, version, now.facts.today) for topic, version in _topics(now)
        ),
        certificates=state.certified,
        uncertified=certificates_missing(state.certified, asked, now.facts.today),
        own=own,
    )


def _topics(now: Standing) -> Iterable[tuple[str, str]]:
    return ((topic, asked[0]) for topic, asked in now.facts.training_asked.items())


def _duty(now: Standing, user: str, state: PersonState, duty: str, *, fits: bool) -> DutyCell:
    if not fits:
        return DutyCell(duty, "unfit")
    lacking = training_lacking(state.trained, duty, now.facts)
    if user == now.facts.principal:
        return DutyCell(duty, "principal", lacking=lacking)
    given = now.facts.delegated.get(user, {})
    if duty not in given:
        return DutyCell(duty, "none")
    until = given[duty]
    over = until is not None and until < now.facts.today
    return DutyCell(duty, "over" if over else "held", until, () if over else lacking)


def _topic(trained: Iterable[Trained], topic: str, version: str, today: str) -> TopicCell:
    had = next((one for one in trained if one.topic == topic), None)
    if had is None:
        return TopicCell(topic, "none")
    if had.version != version:
        return TopicCell(topic, "old", had.on, had.until)
    over = had.until is not None and had.until < today
    return TopicCell(topic, "over" if over else "had", had.on, had.until)


def _line(desk: Desk, line: Line) -> LogLine:
    name = desk.register.staff_name
    return LogLine(
        name(line.user),
        DUTIES[line.duty].label if line.duty in DUTIES else Text(line.duty),
        line.since,
        name(line.signed_by),
        line.until,
        line.ended,
        name(line.ended_by) if line.ended_by else "",
    )


def people_tasks(desk: Desk, reader: Reader, who: Person) -> tuple[Task, ...]:
    """What runs out soon, or ran out: of the reader, and of the site's people for who may record it."""
    role = ROLES.get(who.role)
    if role is None or READS not in role.reads:
        return ()
    looks_after = "RecordTraining" in role.commands
    found: list[Task] = []
    for row in _rows(reader, who):
        site = str(row["site"])
        now = desk.standing_of_site(reader, site)
        if not now.facts.log_in_force:
            continue
        roster = _roster(desk, reader, site)
        if now.facts.principal is None and looks_after:
            found.append(task("principal_missing", "", (site,), site=site))
        for user, state in roster.items():
            if user == who.actor or looks_after:
                found += _running_out(desk, now, user, state)
    return tuple(found)


def _running_out(desk: Desk, now: Standing, user: str, state: PersonState) -> Iterable[Task]:
    site, today = now.site.site or "", dt.date.fromisoformat(now.facts.today)
    limit = (today + dt.timedelta(days=SOON_DAYS)).isoformat()
    name = desk.register.staff_name(user)
    if user != now.facts.principal and not now.facts.delegated.get(user):
        return
    asked = {topic.id: topic for topic in now.trial.study.delegation.training}
    for had in state.trained:
        if had.topic in asked and had.until is not None and had.until <= limit:
            yield task(
                "training_ends",
                "",
                (site,),
                had.until,
                person=name,
                topic=asked[had.topic].label,
                until=had.until,
            )
    for one in state.certified:
        if one.until is not None and one.until <= limit:
            yield task(
                "certificate_ends",
                "",
                (site,),
                one.until,
                person=name,
                instrument=one.instrument,
                until=one.until,
            )
    for duty, until in now.facts.delegated.get(user, {}).items():
        if until is not None and until <= limit:
            yield task(
                "delegation_ends", "", (site,), until, person=name, duty=DUTIES[duty].label, until=until
            )

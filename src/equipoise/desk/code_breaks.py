"""Code breaks as the first door shows them: the page of a participant, and what Today asks of whom.

The rules that must stay true: no view here holds an arm; that a code was broken is shown only to the participant's own
site, the safety desk, the sponsor and inspectors, and to no rater; a request is sent on at once, and the page never
waits long for the second door.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may, may_read
from equipoise.desk.desk import Desk
from equipoise.desk.followers import BREAKS, GRANTS, SITES
from equipoise.desk.standing import Standing, day_at
from equipoise.desk.views import Outcome, Task
from equipoise.desk.words import task
from equipoise.ledger.entries import FormSaved
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Row
from equipoise.protocol.strata import strata
from equipoise.randomization.blind import DRILL, THIRD_PERSON
from equipoise.randomization.commands import (
    AssignRater,
    CorrectStratum,
    RecordCardOpening,
    RequestCodeBreak,
    ReviewCodeBreak,
)
from equipoise.words.clock import local
from equipoise.words.text import Text

NOTICE_FOR = dt.timedelta(days=7)
"""How long Today tells of a code break."""
USUAL_A_DAY = 2
"""Participants of one site whose codes are broken on one day; more are an alarm (reliability notes §4)."""
WAIT_SECONDS = 3.0
"""How long a page waits for the second door before it says that the request is on its way."""
READS = "code_breaks"


@dataclass(frozen=True, slots=True)
class Person:
    """A person of the site, to be chosen from: random id, display name, roles there."""

    actor: str
    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BreakLine:
    """One request and what came of it. Moments are UTC, ISO. `reader` is a name, or the words `third person`."""

    request: str
    asked_by: str
    asked_at: str
    mine: bool
    category: str
    urgent: bool
    to: str
    shown_at: str | None
    reader: str | None
    review_due: str
    overdue: bool
    justified: bool | None
    reviewed_by: str | None
    reviewed_at: str | None


@dataclass(frozen=True, slots=True)
class CardLine:
    """A paper card that was opened."""

    opened_at: str
    opened_by: str
    witnessed_by: str


@dataclass(frozen=True, slots=True)
class BlindView:
    """The blind of one participant, without the arm. `may` names the commands that the reader may give here."""

    number: str
    site: str
    site_name: Text
    zone: str
    randomization_number: str | None
    stratum: str | None
    corrected: str | None
    strata: tuple[str, ...]
    breaks: tuple[BreakLine, ...]
    cards: tuple[CardLine, ...]
    rater: str | None
    rater_knows: bool
    raters: tuple[Person, ...]
    people: tuple[Person, ...]
    second_door_answers: bool
    may: frozenset[str]


@dataclass(frozen=True, slots=True)
class DrillView:
    """The drills of a site: a made-up participant. `latest` are the newest requests first."""

    site: str
    zone: str
    latest: tuple[BreakLine, ...]
    second_door_answers: bool
    may: frozenset[str]


def blind_page(desk: Desk, who: Who, number: str) -> BlindView | None:
    """The page of a participant's blind."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, READS, number)
        if subject is None:
            return None
        now = desk.standing_light(reader, subject)
        people = _people(desk, reader, now.case.screening.site or "")
    blind, site = now.case.blind, now.case.screening.site or ""
    commands = (
        RequestCodeBreak(subject, "", "EMERGENCY", urgent=True, to="SELF", reason=""),
        ReviewCodeBreak(subject, "", justified=True, note=""),
        RecordCardOpening(subject, "", "", "", ""),
        AssignRater(subject, ""),
        CorrectStratum(subject, "", ""),
    )
    knowing, name = blind.knowing(), desk.register.staff_name
    return BlindView(
        number=number,
        site=site,
        site_name=Text(now.site.name.get("en", ""), now.site.name.get("zh")),
        zone=now.site.zone,
        randomization_number=now.facts.randomization_number,
        stratum=blind.stratum,
        corrected=blind.corrected,
        strata=_strata(now),
        breaks=_lines(desk, who, now),
        cards=tuple(
            CardLine(card.opened_at, name(card.opened_by), name(card.witnessed_by)) for card in blind.cards
        ),
        rater=name(blind.rater) if blind.rater else None,
        rater_knows=blind.rater in knowing,
        raters=tuple(one for one in people if "rater" in one.roles and one.actor not in knowing),
        people=people,
        second_door_answers=_answers(desk),
        may=frozenset(type(one).__name__ for one in commands if may(who, one, now.facts) is None),
    )


def drill_page(desk: Desk, who: Who, site: str) -> DrillView | None:
    """The drills of a site, for who may read its code breaks."""
    if not may_read(who, READS, site):
        return None
    subject = f"{DRILL}{site}"
    with desk.reading() as reader:
        row = reader.rows.get(SITES, (site,))
        if row is None:
            return None
        now = desk.standing_light(reader, subject)
    command = RequestCodeBreak(
        subject, "", "EMERGENCY", urgent=True, to="SELF", reason="", drill=True, site=site
    )
    allowed = frozenset({"RequestCodeBreak"}) if may(who, command, now.facts) is None else frozenset[str]()
    return DrillView(site, str(row["zone"]), _lines(desk, who, now), _answers(desk), allowed)


def ask(desk: Desk, who: Who, command: RequestCodeBreak, *, key: str) -> Outcome:
    """Record a request and send it on at once; the answer comes back within some seconds, sent or not."""
    outcome = desk.submit(who, command, key=key)
    courier = getattr(desk, "courier", None)
    if outcome.accepted and courier is not None:
        going = threading.Thread(target=courier.exchange, name="code break", daemon=True)
        going.start()
        going.join(WAIT_SECONDS)
    return outcome


def _answers(desk: Desk) -> bool:
    return desk.second_door is not None and desk.second_door.answers


def _strata(now: Standing) -> tuple[str, ...]:
    return strata(now.trial.study)


def _lines(desk: Desk, who: Who, now: Standing) -> tuple[BreakLine, ...]:
    """The requests of one stream, the newest first."""
    name = desk.register.staff_name
    made = sorted(now.case.blind.breaks.values(), key=lambda one: one.at, reverse=True)
    return tuple(
        BreakLine(
            request=one.request,
            asked_by=name(one.by),
            asked_at=one.at,
            mine=one.by == who.actor,
            category=one.category,
            urgent=one.urgent,
            to=one.to,
            shown_at=one.shown_at,
            reader=one.reader if one.reader in {None, THIRD_PERSON} else name(one.reader or ""),
            review_due=one.review_due,
            overdue=one.justified is None and now.now.isoformat() > one.review_due,
            justified=one.justified,
            reviewed_by=name(one.reviewed_by) if one.reviewed_by else None,
            reviewed_at=one.reviewed_at,
        )
        for one in made
    )


def _people(desk: Desk, reader: Reader, site: str) -> tuple[Person, ...]:
    """Who holds a role at the site, by name."""
    roles: dict[str, list[str]] = defaultdict(list)
    for row in reader.rows.find(GRANTS, {"held": 1, "site": [site, ""]}):
        roles[str(row["user"])].append(str(row["role"]))
    found = (Person(actor, desk.register.staff_name(actor), tuple(held)) for actor, held in roles.items())
    return tuple(sorted(found, key=lambda one: one.name))


# --- Today -------------------------------------------------------------------------------------------------------


def break_tasks(desk: Desk, reader: Reader, who: Who) -> tuple[Task, ...]:
    """What a code break asks of the reader: reviews, a rater to be named, notices, an alarm. Nothing to a rater."""
    zones = {
        str(row["site"]): str(row["zone"])
        for row in reader.rows.find(SITES)
        if may_read(who, READS, str(row["site"]))
    }
    rows = reader.rows.find(BREAKS, {"site": list(zones), "drill": 0}, order=("asked_at",)) if zones else []
    found: list[Task] = []
    for subject in dict.fromkeys(str(row["subject"]) for row in rows):
        found += _of_subject(desk, reader, who, subject)
    if may_read(who, READS, None) and _of_whole_study(who):
        found += _alarms(rows, zones)
    return tuple(found)


def _of_whole_study(who: Who) -> bool:
    return any(grant.role == who.role and grant.site is None for grant in who.grants)


def _of_subject(desk: Desk, reader: Reader, who: Who, subject: str) -> Iterator[Task]:
    now = desk.standing_light(reader, subject)
    blind, number = now.case.blind, now.case.screening.number or ""
    review = ReviewCodeBreak(subject, "", justified=True, note="")
    if may(who, review, now.facts) is None:
        for one in blind.waiting_for_review():
            late = now.now > dt.datetime.fromisoformat(one.review_due)
            kind = "break_review_late" if late else "break_review"
            yield task(kind, number, since=_day(now, one.at), due=_moment(now, one.review_due))
    if may(who, AssignRater(subject, ""), now.facts) is None and rater_compromised(reader, now, subject):
        yield task("rater_reassign", number, since="")
    if _of_whole_study(who):
        for one in blind.breaks.values():
            at = one.shown_at or one.at
            if not one.drill and now.now - dt.datetime.fromisoformat(at) <= NOTICE_FOR:
                site = now.case.screening.site or ""
                yield task("break_notice", number, since=_day(now, at), site=site, at=_moment(now, at))
        for card in blind.cards:
            if now.now - dt.datetime.fromisoformat(card.recorded_at) <= NOTICE_FOR:
                site, at = now.case.screening.site or "", card.opened_at
                yield task("break_card", number, since=_day(now, at), site=site, at=_moment(now, at))


def rater_compromised(reader: Reader, now: Standing, subject: str) -> bool:
    """Whether who rates the participant, by assignment or by what was recorded, knows or may know the arm."""
    blind = now.case.blind
    knowing = set(blind.knowing())
    if blind.rater is not None or not knowing:
        return blind.rater in knowing
    return any(
        isinstance(recorded.entry, FormSaved)
        and now.trial.rated.get(recorded.entry.form) == frozenset()
        and recorded.header.actor in knowing
        for recorded in reader.entries(f"subject/{subject}")
    )


def _alarms(rows: Sequence[Row], zones: dict[str, str]) -> Iterator[Task]:
    """More participants of a site on a day than is usual: an alarm, which blocks nothing."""
    broken: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        if row["shown_at"] is not None:
            site = str(row["site"])
            broken[site, day_at(str(row["shown_at"]), zones[site]).isoformat()].add(str(row["subject"]))
    for (site, day), subjects in sorted(broken.items()):
        if len(subjects) > USUAL_A_DAY:
            yield task("break_quota", "", since=day, site=site, day=day, breaks=str(len(subjects)))


def _day(now: Standing, moment: str) -> str:
    return day_at(moment, now.site.zone).isoformat()


def _moment(now: Standing, moment: str) -> str:
    """A UTC moment as people at the site read it."""
    return local(moment, now.site.zone)

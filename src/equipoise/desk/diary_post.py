"""The post of the diary: sends reminders, tells a site at once of red flags, and notices when the service was away.

The rules that must stay true: what was sent, or could not be, stands in the ledger before the next round looks again;
a failure is tried again in the next round while there is still a reason to send; a site to which no way leads is said
and recorded, never passed over; a beat that is missing for longer than
`AWAY` means that phones could not reach the server, and is recorded so, that nobody is held to have missed an entry.
The file `diary-beat` holds when a round was last made; without it nothing is concluded.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from equipoise.access.commands import SYSTEM
from equipoise.desk.desk import Desk
from equipoise.desk.devices import record_locked
from equipoise.desk.diary_phones import address_of, reminder_of
from equipoise.desk.diary_standing import reminder_text, rules_of, side_standing, zone_of_diary
from equipoise.desk.diary_waiting import DIARIES, WAITING
from equipoise.desk.gateways import CALENDAR, Message, Ways, ways_of
from equipoise.desk.standing import Standing
from equipoise.diary.commands import PARTICIPANT
from equipoise.diary.evolve import State, kinds
from equipoise.diary.reminders import Reader, Reminder, plan
from equipoise.diary.site_commands import RecordDiaryReminder, RecordSitePage
from equipoise.ledger.entries import DiaryReminderDispatched, DiaryReminderPlanned
from equipoise.ledger.store import StoreFault
from equipoise.oversight.commands import RecordInterruption
from equipoise.words.canonical import digest
from equipoise.words.clock import utc_text
from equipoise.words.ids import random_id
from equipoise.words.problem import Problem, problem, say

BEAT = "diary-beat"
EVERY = 60.0
"""Seconds between two rounds."""
AWAY = dt.timedelta(minutes=5)
TRIED = dt.timedelta(days=1)
"""How long a site is tried to be told of one thing."""
_LOG = logging.getLogger("equipoise.diary")


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: reminders sent, sites told, things that could not be sent."""

    reminded: int = 0
    paged: int = 0
    failed: tuple[Problem, ...] = ()


def make_round(desk: Desk, ways: Ways) -> Round:
    """Look at every diary once and send what is due now; and have what wrong PINs shut out stand in the ledger."""
    record_locked(desk)
    failed = list[Problem]()
    reminded = paged = 0
    with desk.reading() as reader:
        if not desk.trial(reader).study.diary.forms:
            return Round()
        begun = [str(row["subject"]) for row in reader.rows.find(DIARIES, {"reminds": 1})]
        waits = reader.rows.find(WAITING, {"state": "WAITING", "paged_at": "", "kind": ["FLAG", "HELP"]})
    for row in waits:
        if desk.now() - dt.datetime.fromisoformat(str(row["at"])) <= TRIED:
            fault = _page(
                desk, ways, str(row["subject"]), str(row["about"]), str(row["site"]), str(row["number"])
            )
            paged += fault is None
            failed += [fault] if fault is not None else []
    for subject in begun:
        for fault in _remind(desk, ways, subject):
            reminded += fault is None
            failed += [fault] if fault is not None else []
    return Round(reminded, paged, tuple(failed))


def _page(desk: Desk, ways: Ways, subject: str, about: str, site: str, number: str) -> Problem | None:
    """Tell the site by its own gateway. The message names the participant by number: it goes to staff alone."""
    found = ways.of_site(site)
    if found is None:
        nobody = RecordSitePage(subject, about, "", delivered=False)
        desk.submit(SYSTEM, nobody, key=f"untold {about}")
        return problem("diaries.site-untold", site, site=site)
    way, to, language = found
    gateway = ways.by[way]
    text = say("diaries.page-to-site", "en" if language == "en" else "zh", {"number": number})
    fault = gateway.send(Message(_name(about, "page"), to, language, text, ""))
    # One key for what failed, another for what went out: each is recorded once, however often it is tried.
    done = "page" if fault is None else "unpaged"
    desk.submit(SYSTEM, RecordSitePage(subject, about, way, fault is None), key=f"{done} {about}")
    return fault


def _remind(desk: Desk, ways: Ways, subject: str) -> Iterator[Problem | None]:
    """Send what is due to one participant and the caregivers; what came of each."""
    with desk.reading() as reader:
        now, state = desk.standing_light(reader, subject), desk.diary(reader, subject)
    for one in due_reminders(now, state):
        setting = reminder_of(state, one.holder, now.trial.study.diary.reminders.hour)
        gateway, to = ways.by.get(one.gateway), address_of(desk, now.case.screening.person, setting)
        if gateway is None or not to:
            _record(desk, subject, one, delivered=False)
            lacks = f"reminders.toml: {one.gateway}" if gateway is None else "no address"
            yield problem("diaries.gateway-failed", one.gateway, reason=lacks)
            continue
        text = reminder_text(now.trial.study.diary).say("en" if setting.language == "en" else "zh")
        fault = gateway.send(Message(_name(subject, *one.name), to, setting.language, text, ways.link))
        _record(desk, subject, one, delivered=fault is None)
        yield fault


def _record(desk: Desk, subject: str, one: Reminder, *, delivered: bool) -> None:
    """Record what came of a reminder: that it could not be sent once, however often it is tried; and that it was."""
    command = RecordDiaryReminder(subject, one.form, one.period, one.holder, one.step, one.gateway, delivered)
    done = "remind" if delivered else "unreminded"
    desk.submit(SYSTEM, command, key=f"{done} {_name(subject, *one.name)}")


def due_reminders(now: Standing, state: State) -> tuple[Reminder, ...]:
    """What is to be sent of one diary now: to phones that are set up, of people who want it."""
    sent = {
        (one.entry.step, one.entry.form, one.entry.period, one.entry.to)
        for one in kinds(state, DiaryReminderDispatched)
        if isinstance(one.entry, DiaryReminderDispatched) and one.entry.delivered
    }
    own = side_standing(now, state, "PARTICIPANT").stood
    others = side_standing(now, state, "CAREGIVER").stood
    caregivers = [
        (reader, others)
        for holder in sorted(now.facts.caregivers)
        if (reader := _reader(now, state, holder)) is not None
    ]
    return plan(
        rules_of(now.trial.study.diary), (_reader(now, state, PARTICIPANT), own), caregivers, sent, now.now
    )


def _reader(now: Standing, state: State, holder: str) -> Reader | None:
    if not any(one.holder == holder and one.state == "ENROLLED" for one in state.devices.values()):
        return None
    setting: DiaryReminderPlanned = reminder_of(state, holder, now.trial.study.diary.reminders.hour)
    gateway = "" if setting.gateway == CALENDAR else setting.gateway
    return Reader(holder, dt.time.fromisoformat(setting.hour), zone_of_diary(now, state), gateway)


def _name(*parts: str) -> str:
    """The random-looking name of a message: the same for the same reminder, and it tells nothing."""
    return digest([*parts])[:32]


def beat(desk: Desk) -> bool:
    """Record that the service was away where the last beat lies too far back; and that it is here now."""
    file = desk.ledger.places.store.parent / BEAT
    now, away = desk.now(), False
    last = _last(file)
    if last is not None and now - last > AWAY:
        away = give_interruption(desk, last, now)
    file.write_text(utc_text(now), "utf-8")
    return away


def give_interruption(desk: Desk, since: dt.datetime, until: dt.datetime) -> bool:
    """Record that phones could not reach the server; whether it was."""
    command = RecordInterruption(utc_text(since), utc_text(until), say("diaries.away-by-itself", "en"))
    return desk.submit(SYSTEM, command, key=f"away {random_id(desk.entropy)}").accepted


def _last(file: Path) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(file.read_text("utf-8").strip())
    except (OSError, ValueError):
        return None


class Post:
    """Makes a round every minute while a store is served. `start()`, then `close()` before the desk is closed."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self._desk, self._folder = desk, folder
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._go, name="diary-post", daemon=True)
        self.trouble: Problem | None = None
        """Why nothing is sent; None where all is well."""

    def start(self) -> Post:
        """Begin."""
        self._thread.start()
        return self

    def _go(self) -> None:
        while not self._closing.is_set():
            ways = ways_of(self._folder, rehearsal=self._desk.purpose == "rehearsal")
            self.trouble = ways if isinstance(ways, Problem) else None
            try:
                beat(self._desk)
                done = make_round(self._desk, Ways({}) if isinstance(ways, Problem) else ways)
                for fault in done.failed:
                    _LOG.warning("%s", fault.say())
            except StoreFault as fault:
                self.trouble = fault.problem
                _LOG.warning("%s", fault.problem.say())
            if self.trouble is not None:
                _LOG.warning("%s", self.trouble.say())
            self._closing.wait(EVERY)

    def close(self) -> None:
        """Stop after the round that is being made."""
        self._closing.set()
        self._thread.join()

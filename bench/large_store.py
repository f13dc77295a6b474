"""A rehearsal store with as many participants as are asked for, at every stage of the study, for measuring pages.

It is not made by the desk, which judges every act: that takes hours for twenty thousand. The entries are appended
through `ledger.commit`, all participants of a day at once, so they are sealed, chained and followed as any others; what
they say is drawn from a seed, on days that fit the schedule. No rule of the trial was asked, and nobody is real.

Of a store for more than `WHOLE` participants only so many are made that way. The rows of the read tables of all others
are copies of theirs, under other ids and numbers, behind theirs in every list; the streams of the copies are empty. So
a page finds tables as large as those of a study of that size, and opens streams of those made whole.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import random
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.web_rounds import STUDY
from equipoise.cli.study import read_study
from equipoise.desk.desk import Desk
from equipoise.desk.followers import FOLLOWERS
from equipoise.desk.setup import add_person, create_store, open_site
from equipoise.ledger.commit import Act, commit
from equipoise.ledger.entries import (
    Append,
    ConsentDocumented,
    Datum,
    DeviationClassed,
    DeviationRaised,
    Entry,
    FormSaved,
    ItemsVerified,
    QueryAnswered,
    QueryClosed,
    QueryRaised,
    SubjectRandomized,
    SubjectScreened,
    VisitDated,
    VisitMissed,
)
from equipoise.ledger.facts import Refusal
from equipoise.ledger.reader import Reader
from equipoise.protocol.study import Study
from equipoise.protocol.windows import plan_visit
from equipoise.words.canonical import digest

PEOPLE = {
    "benchnurse": ("coordinator", True),
    "benchpi": ("investigator", True),
    "benchcra": ("monitor", False),
    "benchdm": ("data_manager", False),
    "benchins": ("inspector", False),
}
"""Person -> role, and whether it is held at the first site alone."""
WHOLE = 200
"""Participants whose entries are all there."""
SCREENED_DAYS = 730
"""The days before today over which participants came in."""
DRAWN_AFTER = 10
"""Days from screening to randomization."""


def make_large_store(folder: Path, subjects: int, *, seed: int = 7) -> list[str]:
    """Make it; the screening numbers of the participants that were made whole."""
    whole = min(subjects, WHOLE)
    study = read_study(STUDY)
    if isinstance(study, tuple):
        raise RuntimeError(study[0].say())
    desk = create_store(folder, study, "rehearsal")
    if isinstance(desk, tuple):
        raise RuntimeError(desk[0].say())
    try:
        today = dt.datetime.now(dt.UTC).date()
        sites = [site.id for site in study.sites]
        for site in sites:
            _must(open_site(desk, site, f"BENCH-{site}", (today - dt.timedelta(days=900)).isoformat()))
        for name, (role, bound) in PEOPLE.items():
            _must(add_person(desk, name, f"Bench {role}", role, sites[0] if bound else None))
        draw = random.Random(seed)
        many = [_Person(desk.study, sites, count, whole, draw) for count in range(whole)]
        for ago, those in itertools.groupby(many, key=lambda one: one.ago):
            here = list(those)
            _append(desk, ago, {one.stream: tuple(one.beginning(today)) for one in here})
            later = {one.stream: tuple(one.course(today)) for one in here if one.drawn}
            _append(desk, ago - DRAWN_AFTER, {stream: found for stream, found in later.items() if found})
    finally:
        desk.close()
    _copy_rows(folder / "ledger.sqlite", -(-subjects // whole) - 1)
    return [one.number for one in many]


def _copy_rows(store: Path, copies: int) -> None:
    """Copy the rows of every participant so many times, and count them where rows are counted."""
    with contextlib.closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("CREATE TEMP TABLE copies (k INTEGER PRIMARY KEY)")
        connection.executemany("INSERT INTO copies VALUES (?)", [(k,) for k in range(1, copies + 1)])
        for table in (table for follower in FOLLOWERS for table in follower.tables):
            name, columns = f"read_{table.name}", ", ".join(table.columns)
            if "subject" in table.columns:
                made = ", ".join(_COPIED.get(column, column) for column in table.columns)
                copied = f"SELECT {made} FROM {name}, copies WHERE subject LIKE 'bench%'"
                connection.execute(f"INSERT INTO {name} ({columns}) {copied}")
            elif "n" in table.columns:
                connection.execute(f"UPDATE {name} SET n = n * ?", [copies + 1])


_EARLIER = "CASE WHEN {0} IS NULL THEN NULL ELSE '2019' || substr({0}, 5) END"
_COPIED = {
    "subject": "subject || '-' || k",
    "stream": "stream || '-' || k",
    "number": "substr(number, 1, 2) || '9' || substr(number, 3) || printf('%04d', k)",
    "randomization_number": "randomization_number || '-' || k",
    "person": "person || '-' || k",
    "at": _EARLIER.format("at"),
    "raised_at": "CASE WHEN raised_at IS NULL THEN NULL ELSE '2999' || substr(raised_at, 5) END",
    "screened_at": "CASE WHEN screened_at IS NULL THEN NULL ELSE substr(screened_at, 1, 20) || '000000Z' END",
}
"""Column -> what it is in a copy: such that a list shows those first that were made whole."""


def _must(problems: tuple[object, ...]) -> None:
    if problems:
        raise RuntimeError(repr(problems[0]))


class _Person:
    """One made-up participant."""

    def __init__(
        self, study: Study, sites: list[str], count: int, subjects: int, draw: random.Random
    ) -> None:
        self.study, self.draw = study, draw
        self.site = sites[count % len(sites)]
        self.subject = f"bench{count:07d}"
        self.stream = f"subject/{self.subject}"
        self.number = f"{self.site}{count // len(sites) + 1:05d}"
        self.ago = SCREENED_DAYS - count * SCREENED_DAYS // subjects
        self.drawn = self.ago > DRAWN_AFTER and draw.random() < 0.95

    def beginning(self, today: dt.date) -> Iterator[Entry]:
        """Screening."""
        screened = today - dt.timedelta(days=self.ago)
        yield SubjectScreened(self.subject, self.site, self.number, f"person-{self.subject}")
        newest = self.study.consent.versions[-1].id
        yield ConsentDocumented(newest, "PARTICIPANT", given=True, on=screened.isoformat())

    def course(self, today: dt.date) -> Iterator[Entry]:
        """From randomization until today."""
        draw, anchor = self.draw, today - dt.timedelta(days=self.ago - DRAWN_AFTER)
        yield SubjectRandomized(f"R{self.subject}", "bench")
        for visit in self.study.schedule.visits:
            plan = plan_visit(visit, anchor)
            last = plan.last or plan.day
            if last is None or last >= today or draw.random() < 0.01:
                continue
            if draw.random() < 0.05:
                yield VisitMissed(visit.id, "TRAVEL")
                continue
            yield VisitDated(visit.id, (plan.day or last).isoformat())
            yield from self._forms(visit.id)
        if today > anchor + dt.timedelta(days=380):
            yield FormSaved("V11", "DS", 1, {"DSDECOD": Datum("COMPLETED")}, {}, complete=True)

    def _forms(self, visit: str) -> Iterator[Entry]:
        forms = [form.id for form in self.study.forms_at(visit)]
        for form in self.draw.sample(forms, k=min(2, len(forms))):
            complete = self.draw.random() < 0.95
            yield FormSaved(visit, form, 1, {}, {}, complete=complete)
            if complete and self.draw.random() < 0.3:
                yield ItemsVerified(visit, form, 1, (), "ALL")
            if self.draw.random() < 0.1:
                yield from self._query(f"q{visit}{form}", visit, form)
        if self.draw.random() < 0.05:
            name = f"d{visit}"
            yield DeviationRaised(name, "visit-outside-window", visit)
            if self.draw.random() < 0.95:
                yield DeviationClassed(name, "MINOR", important=False)

    def _query(self, query: str, visit: str, form: str) -> Iterator[Entry]:
        yield QueryRaised(query, visit, form, 1, "", "bench", {"en": "Bench?", "zh": "测试？"})
        if self.draw.random() < 0.95:
            yield QueryAnswered(query, "bench")
            yield QueryClosed(query, automatic=False)


def _append(desk: Desk, ago: int, made: Mapping[str, tuple[Entry, ...]]) -> None:
    """Append what happened on one day, so many days ago."""
    if not made:
        return
    with desk.reading() as reader:
        trial = desk.trial(reader)
    at = dt.datetime.now(dt.UTC) - dt.timedelta(days=ago)
    key = f"bench {ago} {next(iter(made))} {sum(map(len, made.values()))}"
    zone, mark = trial.study.zone_of(None), digest({"command": "bench", "key": key})
    act = Act(trial.study.id, trial.digest, "benchnurse", "coordinator", at, None, zone, key, mark)

    def decide(_: Reader) -> tuple[Append, ...]:
        return tuple(Append(stream, entry) for stream, entries in made.items() for entry in entries)

    done = commit(desk.ledger, act, tuple(made), decide)
    if isinstance(done, Refusal):
        raise RuntimeError(done.problems[0].say())

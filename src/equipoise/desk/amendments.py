"""The page of versions: what was released, which version counts at which site, what the newest would touch.

The rule that must stay true: who reads no casebook is told how many, never whose or what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.desk.batches import Line, findings
from equipoise.desk.desk import Desk
from equipoise.desk.followers import SITES
from equipoise.desk.impact import KINDS, Hit, Impact, impact, kind_key
from equipoise.desk.standing import Trial
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Row
from equipoise.protocol.diff import Change
from equipoise.protocol.touched import touched
from equipoise.words.text import Text

HITS_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class SiteLine:
    """One site: the version in force, what begins later (version, day, MOVE or STAY), and what the newest touches."""

    site: str
    name: Text
    now: str
    today: str
    pending: tuple[tuple[str, str, str], ...]
    approved: Mapping[str, str]
    participants: int
    touched: int
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class AmendmentsView:
    """The page. `versions`: (number, dated), oldest first. `findings`: (site, form, label, check, asks, how many).

    behind: sites that work by an earlier version, where the newest one's checks do not run yet.
    """

    versions: tuple[tuple[str, str], ...]
    sites: tuple[SiteLine, ...]
    changes: tuple[Change, ...]
    hits: tuple[Hit, ...]
    findings: tuple[tuple[str, str, Text, str, Text, int], ...]
    since: str
    behind: tuple[str, ...] = ()


def amendments_page(desk: Desk, who: Who) -> AmendmentsView | None:
    """The page, or None for who may not read it."""
    if not may_read(who, "amendments", None):
        return None
    with desk.reading() as reader:
        trial = desk.trial(reader)
        if not trial.released:
            return None
        hidden = trial.ever_hidden_from(who.role)
        newest = trial.released[-1].study
        found = impact(desk, reader, newest, hidden=hidden)
        lines = tuple(
            _site(desk, reader, trial, row, found) for row in reader.rows.find(SITES, order=("site",))
        )
        reads = may_read(who, "casebook", None)
        due = due_lines(desk, reader, who) if reads else ()
    return AmendmentsView(
        tuple((one.study.version, one.study.dated) for one in trial.released),
        lines,
        found.changes if len(trial.released) > 1 else (),
        found.hits[:HITS_AT_MOST] if reads else (),
        _groups(trial, due),
        trial.released[-2].study.version if len(trial.released) > 1 else "",
        tuple(line.site for line in lines if line.now != newest.version),
    )


def due_lines(desk: Desk, reader: Reader, who: Who) -> tuple[Line, ...]:
    """The dry run of the checks that are new or differ in any version after the first."""
    released = desk.trial(reader).released
    rules: dict[str, frozenset[str]] = {}
    for before, after in pairwise(released):
        for form, checks in touched(before.study, after.study).checks.items():
            rules[form] = rules.get(form, frozenset()) | checks
    return tuple(findings(desk, reader, who, rules)) if rules else ()


def _site(desk: Desk, reader: Reader, trial: Trial, row: Row, found: Impact) -> SiteLine:
    site = str(row["site"])
    place, today = desk.site_now(reader, site)
    numbers = {one.digest: one.study.version for one in trial.released}
    later = [one for one in place.versions.adoptions if one.on > today]
    counts = found.counts(site)
    return SiteLine(
        site=site,
        name=Text(str(row["en"] or site), None if row["zh"] is None else str(row["zh"])),
        now=desk.trial_at(reader, site).study.version,
        today=today,
        pending=tuple((numbers.get(one.digest, "–"), one.on, one.existing) for one in later),
        approved={
            numbers[digest]: on for digest, on in place.versions.approvals.items() if digest in numbers
        },
        participants=found.participants.get(site, 0),
        touched=found.touched_participants(site),
        counts=tuple((kind_key(kind), counts[kind]) for kind in KINDS if counts.get(kind)),
    )


def _groups(trial: Trial, lines: tuple[Line, ...]) -> tuple[tuple[str, str, Text, str, Text, int], ...]:
    count = Counter(line.group for line in lines)
    first = {line.group: line for line in reversed(lines)}
    found = []
    for group, line in sorted(first.items()):
        form = trial.record.form(line.place.form)
        label = form.label if form is not None else Text(line.place.form)
        message = line.message if line.message is not None else Text("")
        found.append((line.site, line.place.form, label, line.rule, message, count[group]))
    return tuple(found)

"""The page of consent forms: which version each site may use since when, by which letter, and who is to sign it anew.

The rule that must stay true: it counts people and names none, so that who reads no casebook may read it; what it says
will be asked is what Today asks of the site (`consent.standing.due`). Source: ICH E6(R3) 1.2, 2.8.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.consent.standing import approved_versions
from equipoise.desk.desk import Desk
from equipoise.desk.followers import CONSENTS, SITES
from equipoise.ledger.entries import ConsentVersionApproved, Recorded
from equipoise.ledger.reader import Reader
from equipoise.oversight.commands import ApproveConsentVersion
from equipoise.protocol.study import ConsentVersion, Study
from equipoise.words.dates import parse_date
from equipoise.words.problem import Problem
from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class Approval:
    """A version at a site. `on`: from when it is used (ISO; None: not approved), `letter`, who recorded it and when.

    with_site: it came with the site's own approval. known: the definition in force at the site has it. older: how many
    signed an earlier version; by: the day until which they sign this one, "" where none is set (approved ones only).
    """

    version: str
    label: Text
    dated: str
    on: str | None
    letter: str
    recorded_by: str
    recorded_at: str
    with_site: bool
    known: bool
    newest: bool
    older: int
    asks: bool
    by: str


@dataclass(frozen=True, slots=True)
class SiteConsents:
    """The versions at one site, oldest first."""

    site: str
    name: Text
    versions: tuple[Approval, ...]


@dataclass(frozen=True, slots=True)
class ConsentVersionsView:
    """The page."""

    sites: tuple[SiteConsents, ...]
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an approval would bring: how many are to sign anew and until which day, or why it is refused."""

    older: int
    by: str
    problems: tuple[Problem, ...]


def consent_versions(desk: Desk, who: Who) -> ConsentVersionsView | None:
    """The page, or None for who may not read it."""
    if not may_read(who, "amendments", None):
        return None
    with desk.reading() as reader:
        newest = desk.trial(reader).study
        sites = tuple(
            SiteConsents(
                str(row["site"]),
                Text(str(row["en"] or row["site"]), None if row["zh"] is None else str(row["zh"])),
                _at(desk, reader, str(row["site"]), newest),
            )
            for row in reader.rows.find(SITES, order=("site",))
        )
    return ConsentVersionsView(sites, tuple((one.id, one.dated) for one in newest.consent.versions))


def foreseen(desk: Desk, who: Who, command: ApproveConsentVersion) -> Foreseen:
    """What an approval would bring, without anything being written."""
    problems = desk.would(who, command)
    if problems:
        return Foreseen(0, "", problems)
    with desk.reading() as reader:
        study = desk.trial_at(reader, command.site).study
        version = next(one for one in study.consent.versions if one.id == command.version)
        today = dt.date.fromisoformat(desk.site_now(reader, command.site)[1])
        day = parse_date(command.on, six=study.entry.six_digit_dates, today=today)
        older = _older(reader, command.site, study, version)
    return Foreseen(
        older if version.reconsent_days is not None else 0, _by(version, day.iso() if day else ""), ()
    )


def _at(desk: Desk, reader: Reader, site: str, newest: Study) -> tuple[Approval, ...]:
    here, (place, today) = desk.trial_at(reader, site).study, desk.site_now(reader, site)
    approved = approved_versions(here, place.approved_on, place.consent_versions)
    letters: dict[str, Recorded] = {
        one.entry.version: one
        for one in reader.entries(f"site/{site}")
        if isinstance(one.entry, ConsentVersionApproved)
    }
    usable = [one.id for one in here.consent.versions if approved.get(one.id, "9999") <= today]
    found: list[Approval] = []
    for version in newest.consent.versions:
        on, letter = approved.get(version.id), letters.get(version.id)
        entry = letter.entry if letter is not None else None
        found.append(
            Approval(
                version.id,
                version.label,
                version.dated,
                on,
                entry.approval if isinstance(entry, ConsentVersionApproved) else "",
                desk.register.staff_name(letter.header.actor) if letter is not None else "",
                letter.header.at if letter is not None else "",
                with_site=on is not None and letter is None,
                known=version.id in {one.id for one in here.consent.versions},
                newest=bool(usable) and version.id == usable[-1],
                older=_older(reader, site, newest, version),
                asks=version.reconsent_days is not None,
                by=_by(version, on) if on is not None else "",
            )
        )
    return tuple(found)


def _older(reader: Reader, site: str, study: Study, version: ConsentVersion) -> int:
    """How many participants of a site whose consent counts signed an earlier version last."""
    order = [one.id for one in study.consent.versions]
    before = order[: order.index(version.id)]
    return reader.rows.count(CONSENTS, {"site": site, "ended": 0, "version": before}) if before else 0


def _by(version: ConsentVersion, on: str) -> str:
    if version.reconsent_days is None or not on:
        return ""
    return (dt.date.fromisoformat(on) + dt.timedelta(days=version.reconsent_days)).isoformat()

"""Who and what stays under an earlier version, and moving them by choice: a dry run first, then one append for each.

The rules that must stay true: a dry run writes nothing and is refused for the reasons that the command itself would be;
what is signed is shown and cannot be chosen; who reads no casebook sees nobody here. Source: decision 0019.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.access.roles import ROLES
from equipoise.capture.commands import MoveForms
from equipoise.capture.consequences import Now, consequences
from equipoise.capture.evolve import Place
from equipoise.capture.moving import kept_version
from equipoise.capture.questions import named
from equipoise.desk.desk import Desk
from equipoise.desk.followers import SUBJECTS
from equipoise.desk.impact import Hit, impact
from equipoise.desk.log_page import LOG_LABEL
from equipoise.desk.standing import Standing
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Row
from equipoise.oversight.commands import MoveSubject
from equipoise.words.dates import PartialDate
from equipoise.words.problem import Problem
from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class FormLine:
    """A form that keeps an earlier version. `lacking`: what the newer one would still ask; signed ones never move."""

    number: str
    place: Place
    label: Text
    visit: Text
    kept: str
    to: str
    signed: bool
    lacking: Text | None

    @property
    def name(self) -> str:
        """What is posted to choose it: participant, visit, form, repetition."""
        return f"{self.number} {self.place.visit} {self.place.form} {self.place.repeat}"


@dataclass(frozen=True, slots=True)
class Mover:
    """A participant who stays under an earlier version than the site's, with what is complete and what is signed."""

    number: str
    site: str
    now: str
    to: str
    complete: int
    signed: int


@dataclass(frozen=True, slots=True)
class MovesView:
    """The page: participants who may be moved, and forms of participants who were."""

    participants: tuple[Mover, ...]
    forms: tuple[FormLine, ...]
    sites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """What came, or would come, of a choice; `hits`: what the version touches with the participants who move."""

    participants: int
    forms: int
    hits: tuple[Hit, ...]
    problems: tuple[Problem, ...]


def moves_page(desk: Desk, who: Who, site: str = "") -> MovesView | None:
    """Who and what stays behind, at one site or at all; None for who moves nobody."""
    if not _moves(who):
        return None
    participants: list[Mover] = []
    forms: list[FormLine] = []
    with desk.reading() as reader:
        rows = _of_reader(reader, who, "")
        sites = {str(row["site"]) for row in rows}
        if len(desk.trial(reader).released) > 1:
            for row in rows if not site else _of_reader(reader, who, site):
                now = desk.standing_light(reader, str(row["subject"]))
                mover = _mover(desk, reader, now, str(row["number"]))
                participants += [mover] if mover is not None else []
                forms += _forms(now, str(row["number"]), now.trial.hidden_from(who.role))
    return MovesView(tuple(participants), tuple(forms), tuple(sorted(sites)))


def _moves(who: Who) -> bool:
    role = ROLES.get(who.role)
    return role is not None and "MoveSubject" in role.commands


def _of_reader(reader: Reader, who: Who, site: str) -> tuple[Row, ...]:
    """The participants, by number, whose casebooks the reader may see."""
    rows = reader.rows.find(SUBJECTS, {"site": site} if site else {}, order=("number",))
    return tuple(row for row in rows if who.role == "system" or may_read(who, "casebook", str(row["site"])))


def _mover(desk: Desk, reader: Reader, now: Standing, number: str) -> Mover | None:
    site = now.case.screening.site or ""
    there, here = desk.trial_at(reader, site), now.trial
    order = [one.digest for one in there.released]
    if order.index(here.digest) >= order.index(there.digest):
        return None
    state = now.case.capture
    whole, signed = _signed(now)
    complete = [place for place, form in state.forms.items() if form.complete]
    stay = len(complete) if whole else len(signed & set(complete))
    return Mover(number, site, here.study.version, there.study.version, len(complete), stay)


def _signed(now: Standing) -> tuple[bool, frozenset[Place]]:
    """Whether the whole casebook is signed, and the forms that are."""
    closing = now.case.capture.closing
    whole = closing.casebook is not None and not closing.casebook.broken
    return whole, frozenset(Place(*each) for each in closing.signed_places())


def _forms(now: Standing, number: str, hidden: Collection[str]) -> Iterator[FormLine]:
    state, (whole, signed) = now.case.capture, _signed(now)
    numbers = {one.digest: one.study.version for one in now.trial.released}
    for place in sorted(state.forms):
        kept, form = kept_version(state, place), now.trial.study.form(place.form)
        if kept in {"", now.trial.digest} or form is None or place.form in hidden:
            continue
        visit = now.trial.study.visit(place.visit)
        after = consequences(
            now.trial.study,
            state,
            place,
            state.form(place).values,
            Now.of(PartialDate.of(now.today), now.facts),
        )
        yield FormLine(
            number,
            place,
            form.label,
            visit.label if visit is not None else LOG_LABEL,
            numbers.get(kept, "–"),
            now.trial.study.version,
            whole or place in signed,
            named(form, after.lacking) if after.lacking else None,
        )


def move(desk: Desk, who: Who, chosen: Collection[str], reason: str, *, key: str, dry: bool) -> Moved | None:
    """Move what was chosen, by the names on the page: a participant's number, or a form's name. None as for the page.

    dry: nothing is written; the answer is what would be. Names of what is not on the page are left aside.
    """
    view = moves_page(desk, who)
    if view is None:
        return None
    movers = [one for one in view.participants if one.number in chosen]
    forms: dict[str, list[FormLine]] = {}
    for line in view.forms:
        if line.name in chosen:
            forms.setdefault(line.number, []).append(line)
    hits = _hits(desk, who, movers) if dry else ()
    commands: list[tuple[str, object, int]] = [
        (one.number, MoveSubject(desk.subject_id(one.number) or "", one.to, reason), 0) for one in movers
    ]
    commands += [
        (number, MoveForms(desk.subject_id(number) or "", _places(lines), reason), len(lines))
        for number, lines in forms.items()
    ]
    participants, moved, problems = 0, 0, list[Problem]()
    for number, command, count in commands:
        what = f"{key} {number} {'forms' if count else 'participant'}"
        faults = desk.would(who, command) if dry else desk.submit(who, command, key=what).problems
        problems += [dataclasses.replace(fault, where=number) for fault in faults]
        if not faults:
            participants, moved = participants + (not count), moved + count
    return Moved(participants, moved, hits, tuple(dict.fromkeys(problems)))


def _places(lines: Sequence[FormLine]) -> tuple[tuple[str, str, int], ...]:
    return tuple((line.place.visit, line.place.form, line.place.repeat) for line in lines)


def _hits(desk: Desk, who: Who, movers: Sequence[Mover]) -> tuple[Hit, ...]:
    """What the versions would touch with these participants."""
    found: list[Hit] = []
    wanted: Mapping[tuple[str, str], set[str]] = {
        (one.site, one.to): {each.number for each in movers if (each.site, each.to) == (one.site, one.to)}
        for one in movers
    }
    with desk.reading() as reader:
        trial = desk.trial(reader)
        for (site, version), numbers in wanted.items():
            study = next(one.study for one in trial.released if one.study.version == version)
            hidden = trial.ever_hidden_from(who.role) if who.role != "system" else ()
            every = impact(desk, reader, study, sites={site}, hidden=hidden).hits
            found += [hit for hit in every if hit.number in numbers]
    return tuple(found)

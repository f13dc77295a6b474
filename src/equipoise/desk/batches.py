"""Queries in a batch, as the desk does them: a listing or a run of checks, a dry run, and opening what was chosen.

The rules that must stay true: a dry run writes nothing; opening goes participant by participant, each an append of its
own under a key made from the batch's, so that it can be taken up again where it stopped and asks nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.capture.batch import findings_due, places_to_ask
from equipoise.capture.commands import AskMany, RaiseFindings
from equipoise.capture.consequences import Finding
from equipoise.capture.evolve import Place
from equipoise.capture.placing import place_faults
from equipoise.capture.questions import question
from equipoise.desk.desk import Desk
from equipoise.desk.followers import SUBJECTS
from equipoise.desk.remembered import Remembered
from equipoise.desk.standing import Standing, Trial
from equipoise.desk.words import shown
from equipoise.ledger.entries import Datum
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Row
from equipoise.protocol.study import Study
from equipoise.protocol.touched import touched
from equipoise.words.dates import PartialDate
from equipoise.words.problem import Problem
from equipoise.words.text import Text

Wanted = Literal["ANY", "VALUE", "MISSING", "EMPTY", "EQUAL"]
"""What an item holds: anything, a value, a reason for a missing one, nothing at all, or one value named."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a listing shows. Empty texts stand for all. `complete`: forms that are complete (True) or not (False)."""

    form: str
    item: str = ""
    visit: str = ""
    site: str = ""
    wanted: Wanted = "ANY"
    value: str = ""
    complete: bool | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line: whose, where, what is recorded there, and, for a check, which one and what it would ask."""

    subject: str
    number: str
    site: str
    place: Place
    item: str
    value: Text | None = None
    rule: str = ""
    message: Text | None = None

    @property
    def group(self) -> str:
        """Site, form and check: what is chosen together."""
        return f"{self.site} {self.place.form} {self.rule}"


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of a batch: queries opened, participants concerned, and what was refused."""

    queries: int
    participants: int
    problems: tuple[Problem, ...] = ()


def changed_rules(desk: Desk, reader: Reader, since: str) -> Mapping[str, frozenset[str]]:
    """The checks that are new or differ from a released version (by number) to the newest; form -> checks."""
    released = desk.trial(reader).released
    before = next((one.study for one in released if one.study.version == since), None)
    return touched(before, released[-1].study).checks if before is not None and released else {}


_FOUND: Remembered[tuple[Trial, tuple[Line, ...]]] = Remembered()


def findings(
    desk: Desk, reader: Reader, who: Who, rules: Mapping[str, Collection[str]] | None = None
) -> Iterator[Line]:
    """The dry run: what checks find in data that stand already, by the version that decides for each participant.

    rules: form -> checks; None for all. A participant whose version lacks a check is not judged by it.
    """

    def make(now: Standing, row: Row) -> tuple[Trial, tuple[Line, ...]]:
        found = findings_due(now.trial.study, now.case.capture, now.facts, PartialDate.of(now.today), rules)
        return now.trial, tuple(_line(now, row, place, finding) for place, finding in found)

    asked = (
        None
        if rules is None
        else tuple(sorted((form, tuple(sorted(checks))) for form, checks in rules.items()))
    )
    for _, (trial, lines) in _FOUND.of(desk, reader, _rows(reader, who), make, asked):
        hidden = trial.hidden_from(who.role)
        yield from (line for line in lines if line.place.form not in hidden)


def _line(now: Standing, row: Row, place: Place, finding: Finding) -> Line:
    item = finding.items[0] if finding.items else ""
    subject, number, site = str(row["subject"]), str(row["number"]), now.case.screening.site or ""
    return Line(subject, number, site, place, item, _shown(now, place, item), finding.rule, finding.message)


def listing(desk: Desk, reader: Reader, who: Who, wanted: Filter) -> Iterator[Line]:
    """The places that a filter finds, participant by participant."""
    for now, subject, number in _standing(desk, reader, who, wanted.site):
        if wanted.form in now.trial.hidden_from(who.role):
            continue
        for place, instance in now.case.capture.forms.items():
            fits = place.form == wanted.form and wanted.visit in {"", place.visit}
            if not fits or wanted.complete not in {None, instance.complete}:
                continue
            study = now.version_at(*place).study
            if place_faults(now.trial.study, *place) or not _asks(study, place, wanted.item):
                continue
            if not wanted.item or _holds(instance.values.get(wanted.item, Datum()), wanted):
                value = _shown(now, place, wanted.item)
                yield Line(subject, number, now.case.screening.site or "", place, wanted.item, value)


def still_to_ask(desk: Desk, reader: Reader, lines: Sequence[Line], text: str) -> tuple[Line, ...]:
    """The lines of a listing where a question would be opened: the dry run of `ask`."""
    found: list[Line] = []
    for subject, mine in _by_subject(lines).items():
        now = desk.standing_light(reader, subject)
        places = [(*line.place, line.item) for line in mine]
        due = set(places_to_ask(now.case.capture, now.facts, places, text))
        found += [line for line in mine if (line.place, line.item) in due]
    return tuple(found)


def open_findings(desk: Desk, who: Who, lines: Sequence[Line], *, key: str) -> Opened:
    """Open the queries of the lines of a dry run."""
    return _submit(
        desk, who, lines, key,
        lambda subject, mine: RaiseFindings(subject, tuple((*line.place, line.rule) for line in mine)),
    )  # fmt: skip


def ask(desk: Desk, who: Who, lines: Sequence[Line], text: str, *, key: str) -> Opened:
    """Ask one question about every line of a listing."""
    return _submit(
        desk, who, lines, key,
        lambda subject, mine: AskMany(subject, tuple((*line.place, line.item) for line in mine), text),
    )  # fmt: skip


def _submit(
    desk: Desk, who: Who, lines: Sequence[Line], key: str, command: Callable[[str, Sequence[Line]], object]
) -> Opened:
    queries, participants = 0, 0
    problems: dict[Problem, None] = {}
    for subject, mine in _by_subject(lines).items():
        with desk.reading() as reader:
            before = desk.standing_light(reader, subject).case.capture.queries.keys()
        outcome = desk.submit(who, command(subject, mine), key=f"{key} {subject}")
        problems |= dict.fromkeys(outcome.problems)
        if outcome.accepted and not outcome.replayed:
            with desk.reading() as reader:
                opened = len(desk.standing_light(reader, subject).case.capture.queries.keys() - before)
            queries, participants = queries + opened, participants + bool(opened)
    return Opened(queries, participants, tuple(problems))


def _standing(desk: Desk, reader: Reader, who: Who, site: str = "") -> Iterator[tuple[Standing, str, str]]:
    """Every participant of the sites whose casebooks `who` may read, as things stand, by number."""
    for row in _rows(reader, who, site):
        yield desk.standing_light(reader, str(row["subject"])), str(row["subject"]), str(row["number"])


def _rows(reader: Reader, who: Who, site: str = "") -> Iterator[Row]:
    """Every participant of the sites whose casebooks `who` may read, by number."""
    where = {"site": site} if site else {}
    for row in reader.rows.find(SUBJECTS, where, order=("number",)):
        if may_read(who, "casebook", str(row["site"])) or who.role == "system":
            yield row


def _by_subject(lines: Sequence[Line]) -> Mapping[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.subject, []).append(line)
    return found


def _asks(study: Study, place: Place, item: str) -> bool:
    form = study.form(place.form)
    return form is not None and (not item or question(form, item) is not None)


def _holds(datum: Datum, wanted: Filter) -> bool:
    match wanted.wanted:
        case "VALUE":
            return datum.value is not None
        case "MISSING":
            return datum.missing is not None
        case "EMPTY":
            return datum.value is None and datum.missing is None
        case "EQUAL":
            return wanted.value.strip() in {datum.value, datum.missing}
        case _:
            return True


def _shown(now: Standing, place: Place, item: str) -> Text | None:
    study = now.version_at(*place).study
    form = study.form(place.form)
    asked = question(form, item) if form is not None and item else None
    datum = now.case.capture.form(place).values.get(item)
    return shown(study, asked, datum) if asked is not None and datum is not None else None

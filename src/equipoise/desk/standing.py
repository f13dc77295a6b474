"""What holds now: the streams folded once through each room, and the facts that the rooms own.

The rule that must stay true: facts are computed here in one order (oversight, eligibility's subject, capture and
consent bind the study's inputs, eligibility judges, randomization finds the stratum) and handed to every decision
and every page alike; no page computes its own.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

from equipoise.access.rating import RATER
from equipoise.capture import binding as capture_binding
from equipoise.capture import evolve as capture
from equipoise.capture import moving
from equipoise.capture.closing import change as closing
from equipoise.capture.closing.database import START as OPEN_DATABASE
from equipoise.capture.closing.database import Database, evolve_database
from equipoise.capture.logs import event_rows
from equipoise.capture.visits import ended
from equipoise.consent import binding as consent_binding
from equipoise.desk.cases import CASE, NOBODY, Case, evolve_case
from equipoise.desk.followers import IN_SCREENING, SITES, SUBJECTS
from equipoise.diary import evolve as diary
from equipoise.eligibility import evolve as eligibility
from equipoise.eligibility.judgement import Judgement, inputs_used, judge
from equipoise.ledger.entries import Recorded, StudyReleased
from equipoise.ledger.facts import Facts
from equipoise.ledger.reader import SNAPSHOT_EVERY, Reader
from equipoise.ledger.store import Head
from equipoise.oversight import evolve as oversight
from equipoise.oversight import versions
from equipoise.protocol.digest import study_from_text
from equipoise.protocol.expressions import Value
from equipoise.protocol.rated import rated_items
from equipoise.protocol.retired import with_retired
from equipoise.protocol.strata import StratumResult, stratum
from equipoise.protocol.study import Study
from equipoise.protocol.windows import day_one
from equipoise.randomization import blind
from equipoise.randomization import evolve as randomization
from equipoise.supply import evolve as supply
from equipoise.words.changed import changed
from equipoise.words.dates import PartialDate
from equipoise.words.text import Text

State = TypeVar("State")
Key = TypeVar("Key")
Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class _Remembered:
    case: Case
    leaf: str
    folded_at: int


_Rests = tuple["Trial", Case, oversight.SiteState]
"""What the facts of a case rest on beside the day; told apart by identity, since each is made anew when it changes."""


@dataclass(frozen=True, slots=True)
class _Light:
    rests: _Rests
    today: dt.date
    found: tuple[Trial, Facts]


class Memory:
    """Cases folded lately in this process, so that a save reads only what was written since.

    The rule that must stay true: a remembered case is used only where the ledger's own chain says that it is the
    state before the tail; in every doubt the stream is folded again. Each hundredth entry is folded through the
    ledger, which renews the stream's snapshot.
    """

    def __init__(self, size: int = 500) -> None:
        self._size = size
        self._small: dict[str, tuple[int, str, Any]] = {}  # Any: the state of that stream's own room
        self._cases: OrderedDict[str, _Remembered] = OrderedDict()
        self._diaries: OrderedDict[str, tuple[int, str, diary.State]] = OrderedDict()
        self._lights: OrderedDict[str | None, _Light] = OrderedDict()
        self._beside: OrderedDict[str | None, tuple[tuple[object, ...], Facts]] = OrderedDict()
        self._versions: dict[str, Version] = {}
        self._lock = threading.Lock()

    def emptied(self) -> Memory:
        """One that remembers the released versions alone: at an earlier moment those are the first of the same."""
        fresh = Memory(self._size)
        fresh._versions = self._versions
        return fresh

    def versions(self, state: oversight.State) -> tuple[Version, ...]:
        """Every released version, oldest first; each definition is read once."""
        found: list[Version] = []
        for one in state.versions:
            if one.digest not in self._versions:
                self._versions[one.digest] = _version(one, found[::-1])
            found.append(self._versions[one.digest])
        return tuple(found)

    def state(
        self, reader: Reader, stream: str, start: State, evolve: Callable[[State, Recorded], State]
    ) -> State:
        """The state of a stream without snapshots (a site's, a person's, the list's), carried on as its head moves."""
        head, known = reader.head(stream), self._small.get(stream)
        if known is not None and known[:2] == (head.seq, head.leaf):
            return cast("State", known[2])
        tail: tuple[Recorded, ...] = ()
        if known is not None and known[0] < head.seq:
            tail = reader.entries(stream, after=known[0])
        if known is not None and tail and (tail[0].header.prev, tail[-1].leaf) == (known[1], head.leaf):
            state = cast("State", known[2])
        else:
            state, tail = start, reader.entries(stream)
        for recorded in tail:
            state = evolve(state, recorded)
        self._small[stream] = (head.seq, head.leaf, state)
        return state

    def site(self, reader: Reader, site: str | None) -> oversight.SiteState:
        """The site's state at the reader's moment; that of no site for None."""
        if site is None:
            return oversight.SITE_START
        return self.state(reader, f"site/{site}", oversight.SITE_START, oversight.evolve_site)

    def case(self, reader: Reader, subject: str) -> Case:
        """The subject's case at the reader's moment."""
        stream = f"subject/{subject}"
        head = reader.head(stream)
        with self._lock:
            known = self._cases.get(subject)
        found = _carried_on(reader, stream, head, known) if known is not None else None
        if found is None:
            found = _Remembered(reader.fold(stream, CASE), head.leaf, head.seq)
        self._keep(self._cases, subject, found)
        return found.case

    def diary(self, reader: Reader, subject: str) -> diary.State:
        """The subject's diary at the reader's moment."""
        stream = f"diary/{subject}"
        head = reader.head(stream)
        with self._lock:
            known = self._diaries.get(subject)
        if known is not None and known[:2] == (head.seq, head.leaf):
            return known[2]
        state = diary.START
        tail: tuple[Recorded, ...] = ()
        if known is not None and known[0] < head.seq:
            tail = reader.entries(stream, after=known[0])
        if known is not None and tail and (tail[0].header.prev, tail[-1].leaf) == (known[1], head.leaf):
            state = known[2]
        else:
            tail = reader.entries(stream)
        for recorded in tail:
            state = diary.evolve(state, recorded)
        self._keep(self._diaries, subject, (head.seq, head.leaf, state))
        return state

    def carry_on(self, recorded: Sequence[Recorded]) -> None:
        """Bring a remembered case up to entries that this process has just written, where they follow on it."""
        for one in recorded:
            kind, _, subject = one.header.stream.partition("/")
            with self._lock:
                known = self._cases.get(subject) if kind == "subject" else None
            if known is not None and (known.case.seq + 1, known.leaf) == (one.header.seq, one.header.prev):
                next_ = _Remembered(evolve_case(known.case, one), one.leaf, known.folded_at)
                self._keep(self._cases, subject, next_)

    def case_at(self, subject: str, leaf: str) -> Case | None:
        """The subject's case after the entry with that leaf, where that is what is remembered."""
        with self._lock:
            known = self._cases.get(subject)
        return known.case if known is not None and known.leaf == leaf else None

    def light(self, subject: str | None, rests: _Rests, today: dt.date) -> tuple[Trial, Facts] | None:
        """The trial and the facts that were found on the day for what they rest on; None where it is something else."""
        with self._lock:
            known = self._lights.get(subject)
        if known is None or known.today != today:
            return None
        return known.found if all(a is b for a, b in zip(known.rests, rests, strict=True)) else None

    def keep_light(
        self, subject: str | None, rests: _Rests, today: dt.date, found: tuple[Trial, Facts]
    ) -> None:
        """Remember what `light` asks for."""
        self._keep(self._lights, subject, _Light(rests, today, found))

    def beside(self, subject: str | None, rests: tuple[object, ...]) -> Facts | None:
        """The facts that were found for the very values that they rest on; None where one is another by now."""
        with self._lock:
            known = self._beside.get(subject)
        if known is None:
            return None
        return known[1] if all(a is b for a, b in zip(known[0], rests, strict=True)) else None

    def keep_beside(self, subject: str | None, rests: tuple[object, ...], facts: Facts) -> None:
        """Remember what `beside` asks for."""
        self._keep(self._beside, subject, (rests, facts))

    def _keep(self, kept: OrderedDict[Key, Kept], key: Key, value: Kept) -> None:
        """Remember something as the latest; the oldest is forgotten."""
        with self._lock:
            kept[key] = value
            kept.move_to_end(key)
            while len(kept) > self._size:
                kept.popitem(last=False)


def _carried_on(reader: Reader, stream: str, head: Head, known: _Remembered) -> _Remembered | None:
    """The known case brought up to the head, or None where it does not lead there."""
    if head.seq == known.case.seq:
        return known if head.leaf == known.leaf else None
    if head.seq < known.case.seq or head.seq - known.folded_at >= SNAPSHOT_EVERY:
        return None
    tail = reader.entries(stream, after=known.case.seq)
    if not tail or tail[0].header.prev != known.leaf or tail[-1].leaf != head.leaf:
        return None
    case = known.case
    for recorded in tail:
        case = evolve_case(case, recorded)
    return _Remembered(case, head.leaf, known.folded_at)


@dataclass(frozen=True, slots=True)
class Version:
    """One released version as it decides: the definition, its digest, and what follows from it.

    `record` is the definition to read by: it also has what only earlier versions had (protocol.retired). `hidden`:
    form -> roles that never see it, by the definition to read by.
    """

    study: Study
    record: Study
    digest: str
    rated: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    hidden: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))

    def hidden_from(self, role: str) -> frozenset[str]:
        """The forms that a role never sees."""
        return frozenset(form for form, roles in self.hidden.items() if role in roles)


@dataclass(frozen=True, slots=True)
class Trial(Version):
    """What holds for the trial, by the version that decides here: at one site, for one participant, or for the whole.

    As `read_trial` gives it, that is the newest version, which decides what concerns the whole study; `at` gives the
    trial by another one. `released`: every released version, oldest first.
    """

    state: oversight.State = oversight.START
    allocation: randomization.State = randomization.START
    released: tuple[Version, ...] = ()
    database: Database = OPEN_DATABASE
    """Whether the database is locked, and what is proposed."""

    @property
    def allocating(self) -> Study:
        """The definition by which somebody is randomized here: how many may be is the newest version's to say."""
        if not self.released or self.released[-1].digest == self.digest:
            return self.study
        return self.study.model_copy(update={"design": self.released[-1].study.design})

    def ever_hidden_from(self, role: str) -> frozenset[str]:
        """The forms that any released version hides from a role: what lists across sites leave out."""
        return frozenset().union(*(one.hidden_from(role) for one in self.released))

    def at(self, digest: str) -> Trial:
        """The trial by a released version; unchanged for a digest that names none."""
        one = next((each for each in self.released if each.digest == digest), None)
        if one is None or digest == self.digest:
            return self
        return replace(
            self, study=one.study, record=one.record, digest=digest, rated=one.rated, hidden=one.hidden
        )


NOTHING = Study.model_validate({"notation": 1, "id": "none", "version": "0", "dated": "1970", "title": "–"})
"""What stands in for the definition while none has been released."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for one subject at one moment. `judgement` and `stratum` are None where they were not asked for."""

    trial: Trial
    case: Case
    site: oversight.SiteState
    now: dt.datetime
    facts: Facts
    inputs: Mapping[str, Value]
    judgement: Judgement | None = None
    stratum: StratumResult | None = None
    diary: diary.State = diary.START
    """Folded for the diary's own commands only."""

    def version_at(self, visit: str, form: str, repeat: int) -> Version:
        """The version that decides on a form: the one it was completed under, else the one that decides here."""
        return self.trial.at(moving.kept_version(self.case.capture, capture.Place(visit, form, repeat)))

    @property
    def today(self) -> dt.date:
        """The calendar day at the subject's site."""
        return self.now.astimezone(ZoneInfo(self.site.zone)).date()


def read_trial(
    reader: Reader, known: Trial | None = None, draft: Study = NOTHING, memory: Memory | None = None
) -> Trial:
    """What holds for the whole trial at the reader's moment; while nothing was released: `draft`, and no digest.

    known: the trial as it was at an earlier moment, with the same stream `study`. memory: what was folded before.
    """
    remembered = memory or Memory()
    allocation = remembered.state(reader, "allocation", randomization.START, randomization.evolve)
    if known is not None:
        return replace(known, allocation=allocation)
    state, database = oversight.START, OPEN_DATABASE
    for recorded in reader.entries("study"):
        state, database = oversight.evolve(state, recorded), evolve_database(database, recorded)
    released = remembered.versions(state)
    if not released:
        return Trial(draft, draft, "", state=state, allocation=allocation)
    newest = released[-1]
    return Trial(
        newest.study,
        newest.record,
        newest.digest,
        newest.rated,
        newest.hidden,
        state,
        allocation,
        released,
        database,
    )


def _version(released: StudyReleased, earlier: Sequence[Version]) -> Version:
    """A released version; `earlier`: those before it, newest first."""
    study = study_from_text(released.definition)
    record = with_retired(study, [one.study for one in earlier])
    hidden = {form.id: frozenset(form.hidden_from) for form in record.forms if form.hidden_from}
    return Version(study, record, released.digest, rated_items(record), MappingProxyType(hidden))


def stand(
    trial: Trial,
    reader: Reader,
    subject: str | None,
    now: dt.datetime,
    *,
    memory: Memory,
    site: str | None = None,
    judged: bool,
) -> Standing:
    """What holds for `subject` (or, for None, for `site`) at `now`. `judged`: also judge and find the stratum.

    `trial` is taken as it stands for the whole study; the standing's own is by the version that decides here.
    """
    case = memory.case(reader, subject) if subject else NOBODY
    place = memory.site(reader, case.screening.site or site)
    light = stand_lightly(trial, case, place, subject, now, memory=memory)
    trial, facts = light.trial, light.facts
    if not judged or subject is None:
        return light
    today = light.today
    inputs = {
        **capture_binding.bind(trial.study, case.capture, PartialDate.of(today)),
        **consent_binding.bind(trial.study, case.consent),
    }
    judgement = judge(trial.study, inputs)
    used = inputs_used(trial.study)
    rested = (
        *capture_binding.rested_on(trial.study, case.capture, used),
        *consent_binding.rested_on(case.consent),
    )
    layer = stratum(trial.study, inputs)
    facts = eligibility.add_facts(facts, case.screening, judgement, rested)
    facts = randomization.add_facts(facts, trial.allocation, subject, layer)
    facts = person_facts(facts, reader, case.screening.person, subject)
    return Standing(trial, case, place, now, facts, inputs, judgement, layer)


def stand_lightly(
    trial: Trial,
    case: Case,
    place: oversight.SiteState,
    subject: str | None,
    now: dt.datetime,
    *,
    memory: Memory,
) -> Standing:
    """What holds for a case at a site at `now`, without judging. The facts depend on the day, not on the moment."""
    today = now.astimezone(ZoneInfo(place.zone)).date()
    known = memory.light(subject, (trial, case, place), today)
    if known is None:
        here = trial.at(deciding_digest(trial, place, today, case))
        beside = _facts_beside(
            _site_facts(here, place, today, memory), here, case, place.zone, subject, memory
        )
        known = here, _light_facts(beside, here, case)
        memory.keep_light(subject, (trial, case, place), today, known)
    return Standing(known[0], case, place, now, known[1], {})


def _site_facts(trial: Trial, place: oversight.SiteState, today: dt.date, memory: Memory) -> Facts:
    """What is the same for everybody at a site on a day."""
    whose = f"site/{place.site}"
    known = memory.light(whose, (trial, NOBODY, place), today)
    if known is None:
        start = Facts(
            rated=trial.rated,
            hidden=trial.hidden,
            today=today.isoformat(),
            training_asked=training_asked(trial.study),
            assessors=frozenset(trial.study.raters.assessors),
            certificates_asked=certificates_asked(trial.study),
        )
        required = trial.study.delegation.required
        known = trial, oversight.add_facts(start, trial.state, place, today, log_required=required)
        memory.keep_light(whose, (trial, NOBODY, place), today, known)
    return known[1]


def _facts_beside(
    facts: Facts, trial: Trial, case: Case, zone: str, subject: str | None, memory: Memory
) -> Facts:
    """The facts of a case beside those that follow from what was captured: the same after most saves.

    facts: those of the site, which are of one day.
    """
    rests = (facts, trial.study, trial.allocation, case.blind, case.supply, case.screening, case.consent)
    known = memory.beside(subject, rests)
    if known is None:
        known = blind.add_facts(facts, case.blind)
        known = supply.add_facts(known, trial.study, case.supply)
        known = eligibility.add_facts(known, case.screening, None)
        known = consent_binding.add_facts(known, trial.study, case.consent, zone)
        known = randomization.add_facts(known, trial.allocation, subject, None)
        known = changed(known, day_one=day_one_of(trial.study, known, zone))
        memory.keep_beside(subject, rests, known)
    return known


def _light_facts(facts: Facts, trial: Trial, case: Case) -> Facts:
    """The facts of a case; `facts` are those beside what was captured."""
    return changed(
        closing.add_facts(facts, trial.database, case.capture),
        saw_infusion=case.presence.saw(form for form, roles in trial.hidden.items() if RATER in roles),
        participation_ended=ended(trial.study, case.capture),
        event_rows=event_rows(trial.study, case.capture),
    )


def deciding_digest(
    trial: Trial, place: oversight.SiteState, today: dt.date, case: Case | None = None
) -> str:
    """The digest of the version that decides at a site on a day, for the participant of `case` where one is concerned.

    Where no site is concerned, the newest decides.
    """
    if place.site is None or len(trial.released) < 2:
        return trial.released[-1].digest if trial.released else ""
    screened = case.screening.screened_at if case is not None else None
    moved = case.versions.moved if case is not None else None
    screened_on = day_at(screened, place.zone) if screened else None
    return versions.deciding(
        tuple(one.digest for one in trial.released),
        place.versions,
        today,
        screened_on=screened_on,
        moved=moved,
    )


def day_one_of(study: Study, facts: Facts, zone: str) -> dt.date | None:
    """Day 1 of the schedule: the study says by which record, and the site's zone on which day that was."""
    dose, drawn = (
        None if moment is None else day_at(moment, zone)
        for moment in (facts.first_infusion_at, facts.randomized_at)
    )
    return day_one(study, dose, drawn)


def training_asked(study: Study) -> Mapping[str, tuple[str, frozenset[str], Text]]:
    """Topic -> version in force, duties that need it, its name."""
    return {
        topic.id: (topic.version, frozenset(topic.duties), topic.label) for topic in study.delegation.training
    }


def certificates_asked(study: Study) -> Mapping[str, tuple[str, frozenset[str]]]:
    """Form -> the instrument to be certified for, and the languages that count."""
    languages = frozenset(study.raters.languages)
    return {
        form.id: (form.instrument, languages)
        for form in study.forms
        if form.instrument is not None and form.instrument in study.raters.certificates
    }


def day_at(moment: str, zone: str) -> dt.date:
    """The calendar day at a place, by its IANA zone, of a moment as headers write it."""
    return dt.datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)).date()


def person_facts(facts: Facts, reader: Reader, person: str | None, subject: str | None) -> Facts:
    """The desk's own facts: what the register's random id says of the same person's other screenings."""
    if person is None:
        return facts
    others = [row for row in reader.rows.find(SUBJECTS, {"person": person}) if row["subject"] != subject]
    failed = [str(row["failed_at"]) for row in others if row["failed_at"] is not None]
    return changed(
        facts,
        person_in_screening=any(row["status"] in IN_SCREENING for row in others),
        person_randomized=any(row["status"] == "RANDOMIZED" for row in others),
        person_screenings=len(others),
        person_failed_at=dt.datetime.fromisoformat(max(failed)) if failed else None,
    )


def zone_of(reader: Reader, site: str | None) -> str | None:
    """The time zone of a site; None where it is not known."""
    row = reader.rows.get(SITES, (site,)) if site else None
    return str(row["zone"]) if row else None

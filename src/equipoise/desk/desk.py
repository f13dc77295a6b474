"""The desk: the only writer of the first door, and the one place that every page, command and job asks.

The rules that must stay true: access is asked before any room decides, by the roles held at that moment; the facts are
folded once and handed round; a decision, its header and its facts have one moment and one definition; an outcome is
given only when the entries are on disk; a replay is the same person's, in the same role, with the same command.
Reads answer None where the reader may not see a thing. Fake clocks and seeded entropy work on rehearsal stores only.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from equipoise.access.commands import SYSTEM, Who
from equipoise.access.decide import may, may_read
from equipoise.access.evolve import START as NOBODY
from equipoise.access.evolve import State as PersonState
from equipoise.access.evolve import evolve as evolve_grants
from equipoise.access.phones import PHONES as PHONE_ROLES
from equipoise.capture.closing.change import shut
from equipoise.capture.evolve import Place
from equipoise.desk.audit_table import OF_SUBJECTS
from equipoise.desk.cases import Case
from equipoise.desk.clock import Clock, system_clock
from equipoise.desk.deviating import with_deviations
from equipoise.desk.diary_tables import PHONES, phone_now
from equipoise.desk.followers import FOLLOWERS, SUBJECTS
from equipoise.desk.identities import IdentityInput, Register
from equipoise.desk.pacing import Pacing
from equipoise.desk.phones import Phones
from equipoise.desk.proofs import Proofs, unproved
from equipoise.desk.routes import ROUTES, Route, kept_by
from equipoise.desk.second_door import SecondDoor
from equipoise.desk.standing import (
    NOTHING,
    Memory,
    Standing,
    Trial,
    deciding_digest,
    person_facts,
    read_trial,
    stand,
    stand_lightly,
    zone_of,
)
from equipoise.desk.views import Outcome
from equipoise.diary.evolve import State as DiaryState
from equipoise.eligibility.commands import ScreenSubject
from equipoise.ledger.checkpoint import make_checkpoint
from equipoise.ledger.commit import Act, Committed, commit
from equipoise.ledger.entries import Recorded
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.ledger.marks import Marker, claimed_moment, command_json, in_normal_form, usable_key
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import StoreFault
from equipoise.oversight.evolve import SiteState
from equipoise.protocol.study import Study
from equipoise.words.canonical import Json
from equipoise.words.changed import changed
from equipoise.words.dates import parse_date
from equipoise.words.ids import Entropy, random_id
from equipoise.words.problem import Problem, problem

_Decide: TypeAlias = Callable[[Reader, Who, dt.datetime], Decision]
"""(what stands, the person with the roles held now, the moment) -> what is written."""


_Circumstances: TypeAlias = tuple[str, str, str | None]
"""What an act says of its place: study, digest of the version that decides, zone."""


class _Released(Exception):
    """Another definition came into force there between the beginning of an act and its decision."""


@dataclass(frozen=True, slots=True)
class ScreenOutcome:
    """What came of taking a person into screening: the outcome and, when accepted, the screening number."""

    outcome: Outcome
    number: str | None = None


class Desk:
    """An open store with its register. Make it with `open_desk`."""

    def __init__(
        self,
        ledger: Ledger,
        register: Register,
        clock: Clock,
        entropy: Entropy,
        draft: Study = NOTHING,
        *,
        timed: bool = True,
    ) -> None:
        self.ledger = ledger
        self._draft = draft
        self.register = register
        self._clock = clock
        self.entropy = entropy
        self._phones: Phones | None = None
        self._trial: tuple[str, str, Trial] | None = None
        self._memory = Memory()
        self._marker = Marker(ledger.keys)
        self.proofs = Proofs(clock, entropy)
        self._lately: dict[str, _Circumstances] = {}
        self._numbers: dict[str, str] = {}
        self._opening = threading.Lock()
        self._pacing = Pacing(self.checkpoint, timed=timed)
        self.noticed: Callable[[Sequence[Recorded]], None] | None = None
        self.second_door: SecondDoor | None = None
        with self.reading() as reader:
            self.trial(reader)  # a store whose definition cannot be read is found out now

    @property
    def study(self) -> Study:
        """The newest definition released: by it the whole study is decided and shown. A site may go by an older one."""
        with self.reading() as reader:
            return self.trial(reader).study

    @property
    def purpose(self) -> str | None:
        """`rehearsal` or `trial`; None for a store that has not been given its purpose."""
        with self.reading() as reader:
            return self.trial(reader).state.purpose

    def now(self) -> dt.datetime:
        """The time, in UTC."""
        return self._clock()

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """One consistent moment to read."""
        with self.ledger.reading() as reader:
            yield reader

    def trial(self, reader: Reader) -> Trial:
        """What holds for the whole trial at the reader's moment; remembered while its streams stand still."""
        heads = reader.head("study").leaf, reader.head("allocation").leaf
        known = self._trial
        if known is None or known[:2] != heads:
            same_study = known[2] if known and known[0] == heads[0] else None
            known = (*heads, read_trial(reader, same_study, self._draft, self._memory))
            self._trial = known
        return known[2]

    @property
    def phones(self) -> Phones:
        """The register of phones; its file is made when it is first asked."""
        with self._opening:
            if self._phones is None:
                places = self.ledger.places
                secret = places.keys.parent / "devices.key"
                self._phones = Phones(places.store.parent / "devices.sqlite", secret, self.entropy)
            return self._phones

    def diary(self, reader: Reader, subject: str) -> DiaryState:
        """A subject's diary at the reader's moment."""
        return self._memory.diary(reader, subject)

    def who(self, actor: str, role: str) -> Who | None:
        """The person, acting in a role that they hold now; None where they do not."""
        with self.reading() as reader:
            state = self._memory.state(reader, f"user/{actor}", NOBODY, evolve_grants)
        held = any(grant.role == role for grant in state.now)
        return state.who(actor, role) if held else None

    def subject_id(self, number: str) -> str | None:
        """The subject that bears a screening number, for good."""
        known = self._numbers.get(number)
        if known is None:
            with self.reading() as reader:
                known = subject_of(reader, number)
            if known is not None:
                self._numbers[number] = known
        return known

    def may_read(self, reader: Reader, who: Who, what: str, number: str) -> str | None:
        """The subject that bears `number`, where `who` may read `what` of it."""
        rows = reader.rows.find(SUBJECTS, {"number": number}, limit=1)
        if not rows or not may_read(who, what, str(rows[0]["site"])):
            return None
        return str(rows[0]["subject"])

    def site(self, reader: Reader, site: str) -> SiteState:
        """A site as it stands."""
        return self._memory.site(reader, site)

    def person(self, reader: Reader, actor: str) -> PersonState:
        """What the ledger says of a person: roles, trainings, certificates."""
        return self._memory.state(reader, f"user/{actor}", NOBODY, evolve_grants)

    def standing_of_site(self, reader: Reader, site: str) -> Standing:
        """What holds for a site now."""
        return stand(
            self.trial(reader), reader, None, self.now(), memory=self._memory, site=site, judged=False
        )

    def standing(self, reader: Reader, subject: str) -> Standing:
        """What holds for a subject now, judged."""
        now = stand(self.trial(reader), reader, subject, self.now(), memory=self._memory, judged=True)
        return self._with_door(now)

    def standing_light(self, reader: Reader, subject: str) -> Standing:
        """What holds for a subject now, without judging."""
        now = stand(self.trial(reader), reader, subject, self.now(), memory=self._memory, judged=False)
        return self._with_door(now)

    def at_large(self, reader: Reader) -> Standing:
        """What holds where no subject is concerned."""
        return self._with_door(
            stand(self.trial(reader), reader, None, self.now(), memory=self._memory, judged=False)
        )

    def _with_door(self, now: Standing) -> Standing:
        """The standing with the desk's own word on the second door."""
        if self.second_door is None:
            return now
        door = self.second_door
        answers, behind = door.answers, door.behind
        if (now.facts.second_door_answers, now.facts.store_behind) == (answers, behind):
            return now
        said = changed(now.facts, second_door_answers=answers, store_behind=behind)
        return dataclasses.replace(now, facts=said)

    def _proved(self, now: Standing, command: object) -> Standing:
        """The standing with the proof of identity that came with the command, where it has one."""
        proof = self.proofs.of(getattr(command, "proof", ""))
        return now if proof is None else dataclasses.replace(now, facts=changed(now.facts, proved=proof))

    def _with_diary(self, reader: Reader, now: Standing, route: Route, subject: str | None) -> Standing:
        """The standing with the subject's diary, where the command is the diary's."""
        if not route.diary or subject is None:
            return now
        return dataclasses.replace(now, diary=self._memory.diary(reader, subject))

    def case(self, reader: Reader, subject: str) -> Case:
        """What is recorded of a subject, without what follows from it."""
        return self._memory.case(reader, subject)

    def form_seq(self, subject: str, visit: str, form: str, repeat: int) -> int:
        """The seq of the last save of a form instance; 0 where there is none."""
        with self.reading() as reader:
            case = self._memory.case(reader, subject)
        return case.capture.form(Place(visit, form, repeat)).seq

    def submit(self, who: Who, command: object, *, key: str, client_at: str | None = None) -> Outcome:
        """Ask access, let the room decide, and write. `key` is the idempotency key that the page made."""
        return self.submit_and_stand(who, command, key=key, client_at=client_at)[0]

    def submit_and_stand(
        self, who: Who, command: object, *, key: str, client_at: str | None = None
    ) -> tuple[Outcome, Standing | None]:
        """As `submit`; and what holds for the subject after it, by the decision's own fold and what it wrote.

        None where that says too little: nothing was written now, or more than the subject's own stream.
        """
        route, command = ROUTES[type(command)], in_normal_form(command)
        subject, site = getattr(command, "subject", None), getattr(command, "site", None)
        judged = route.depth == "judged"
        seen: list[tuple[Trial, Standing]] = []

        def decide(reader: Reader, person: Who, at: dt.datetime) -> Decision:
            trial = self.trial(reader)
            now = stand(trial, reader, subject, at, memory=self._memory, site=site, judged=judged)
            seen[:] = [(trial, now)]
            ready = self._with_diary(reader, self._proved(self._with_door(now), command), route, subject)
            return _judged(reader, route, person, ready, command)

        asked = command_json(unproved(command))  # a proof is given anew when the same is asked again
        done = self._commit(
            who, route.streams(command), asked, key, decide, client_at=client_at, command=command
        )
        after = self._after(subject, done, *seen[0]) if subject is not None and seen else None
        return self._outcome(done), after

    def _after(
        self, subject: str, done: Committed | Refusal, trial: Trial, before: Standing
    ) -> Standing | None:
        """What holds for a subject after what was just written to its stream alone."""
        if isinstance(done, Refusal) or done.replayed or not done.recorded:
            return None
        if any(one.header.stream != f"subject/{subject}" for one in done.recorded):
            return None
        case = self._memory.case_at(subject, done.recorded[-1].leaf)
        if case is None or case.screening.site != before.site.site:
            return None
        return self._with_door(
            stand_lightly(trial, case, before.site, subject, before.now, memory=self._memory)
        )

    def would(self, who: Who, command: object) -> tuple[Problem, ...]:
        """Why a command would be refused now; nothing for one that would be accepted. Nothing is written."""
        route, command = ROUTES[type(command)], in_normal_form(command)
        subject, site = getattr(command, "subject", None), getattr(command, "site", None)
        with self.reading() as reader:
            now = stand(
                self.trial(reader), reader, subject, self.now(),
                memory=self._memory, site=site, judged=route.depth == "judged",
            )  # fmt: skip
            ready = self._with_diary(reader, self._proved(self._with_door(now), command), route, subject)
            decided = _judged(reader, route, self._as_held(reader, who), ready, command)
        return decided.problems if isinstance(decided, Refusal) else ()

    def screen(self, who: Who, site: str, given: IdentityInput, *, key: str) -> ScreenOutcome:
        """Take a person into screening at a site: the register first, then the ledger, which learns no name."""
        with self.reading() as reader:
            here = self.standing_of_site(reader, site)
        early = may(who, ScreenSubject("", site, "", ""), here.facts)
        if early is not None:
            return ScreenOutcome(Outcome(accepted=False, problems=(early,)))
        born = parse_date(
            given.birth_date, six=here.trial.study.entry.six_digit_dates, today=here.today, past=True
        )
        if born is not None and born.earliest > here.today:
            ahead = problem("desk.birth-date-ahead", "birth_date", given=born.iso())
            return ScreenOutcome(Outcome(accepted=False, problems=(ahead,)))
        if born is not None:
            given = dataclasses.replace(given, birth_date=born.iso())
        person = self.register.find_or_add(given)
        if isinstance(person, Problem):
            return ScreenOutcome(Outcome(accepted=False, problems=(person,)))
        subject = self._subject_for(person.person, site, key)
        route = ROUTES[ScreenSubject]

        def decide(reader: Reader, actor: Who, at: dt.datetime) -> Decision:
            number, earlier = next_number(reader, site), latest_of(reader, person.person)
            command = ScreenSubject(subject, site, number, person.person, earlier)
            now = stand(self.trial(reader), reader, None, at, memory=self._memory, site=site, judged=False)
            facts = person_facts(now.facts, reader, person.person, subject)
            facts = changed(facts, number_taken=subject_of(reader, number) is not None)
            return _judged(reader, route, actor, dataclasses.replace(now, facts=facts), command)

        asked: Json = {"command": "ScreenSubject", "site": site, "person": person.person}
        outcome = self._outcome(self._commit(who, (f"subject/{subject}",), asked, key, decide, site=site))
        return ScreenOutcome(outcome, self._number(subject) if outcome.accepted else None)

    def _subject_for(self, person: str, site: str, key: str) -> str:
        """A subject id that a replay of the same request finds again, and that nobody can guess."""
        seed = self.ledger.keys.sign(f"subject\n{person}\n{site}\n{key}".encode())
        return random_id(lambda count: (seed * (count // len(seed) + 1))[:count])

    def _number(self, subject: str) -> str | None:
        with self.reading() as reader:
            row = reader.rows.get(SUBJECTS, (subject,))
        return str(row["number"]) if row else None

    def _commit(
        self,
        who: Who,
        streams: tuple[str, ...],
        asked: Json,
        key: str,
        decide: _Decide,
        *,
        site: str | None = None,
        client_at: str | None = None,
        command: object = None,
    ) -> Committed | Refusal:
        """Write what `decide` says of the command `asked`; `site` is that of a stream that does not exist yet.

        command: as its room is to decide it, where what it is about keeps a version of its own.
        """
        if not usable_key(key):
            return Refusal((problem("desk.key-unfit"),))
        mark, device = self._marker.mark(who, asked), claimed_moment(client_at)
        while True:
            at = self.now()
            study, version, zone = self._circumstances(streams[0], site, at, command)
            act = Act(study, version, who.actor, who.role, at, device, zone, key, mark)

            def now(reader: Reader, version: str = version, at: dt.datetime = at) -> Decision:
                if self._deciding(reader, streams[0], site, at, command).digest != version:
                    raise _Released
                return decide(reader, self._as_held(reader, who), at)

            try:
                done = commit(self.ledger, act, streams, now)
            except _Released:
                self._lately.pop(streams[0], None)
                continue
            if isinstance(done, Committed) and not done.replayed:
                self._memory.carry_on(done.recorded)
                self._pacing.count(len(done.recorded))
                if self.noticed is not None:
                    self.noticed(done.recorded)
            return done

    def _outcome(self, done: Committed | Refusal) -> Outcome:
        if isinstance(done, Refusal):
            return Outcome(accepted=False, problems=done.problems)
        if done.proving is None:
            return Outcome(accepted=True, replayed=done.replayed)
        return Outcome(
            accepted=True,
            receipt=self._receipt(done),
            seq=done.proving[1].header.seq,
            at=done.recorded[-1].header.at,
            replayed=done.replayed,
        )

    def _receipt(self, done: Committed) -> Mapping[str, str]:
        """What the page hands out with a save."""
        return dataclasses.asdict(done.receipt) if done.receipt is not None else {}

    def _as_held(self, reader: Reader, who: Who) -> Who:
        """The person with the roles held at this moment, not with those held when the page was asked for."""
        if who == SYSTEM:
            return who
        if who.role in PHONE_ROLES:
            row = reader.rows.get(PHONES, (who.actor,))
            site = _site_of(reader, f"subject/{row['subject']}") if row else None
            return phone_now(who, row, site)
        return self._memory.state(reader, f"user/{who.actor}", NOBODY, evolve_grants).who(who.actor, who.role)

    def _circumstances(
        self, stream: str, site: str | None, at: dt.datetime, command: object
    ) -> _Circumstances:
        """The study and the version that decides there, and the zone of the site concerned; remembered once known.

        The zone never changes; whether the version still decides is asked again within the commit.
        """
        known = self._lately.get(stream)
        if known is not None:
            return known
        with self.reading() as reader:
            trial = self._deciding(reader, stream, site, at, command)
            zone = zone_of(reader, site or _site_of(reader, stream))
        found = trial.study.id, trial.digest, zone
        if zone is not None:
            self._lately[stream] = found
        return found

    def _deciding(
        self,
        reader: Reader,
        stream: str,
        site: str | None,
        at: dt.datetime,
        command: object = None,
    ) -> Trial:
        """The trial by the version that decides, at a moment, what is written to a stream, by a command."""
        trial = self.trial(reader)
        if len(trial.released) < 2:
            return trial
        kind, _, name = stream.partition("/")
        case = self._memory.case(reader, name) if kind in OF_SUBJECTS else None
        known = case.screening.site if case is not None else None
        where = self._memory.site(reader, known or site or _site_of(reader, stream))
        trial = trial.at(deciding_digest(trial, where, at.astimezone(ZoneInfo(where.zone)).date(), case))
        return trial if case is None else trial.at(kept_by(case, command))

    def trial_at(self, reader: Reader, site: str) -> Trial:
        """The trial by the version that is in force at a site now; those who stay under an older one aside."""
        return self._deciding(reader, f"site/{site}", site, self.now())

    def site_now(self, reader: Reader, site: str) -> tuple[SiteState, str]:
        """A site as it stands, and the day (ISO) there."""
        place = self._memory.site(reader, site)
        return place, self.now().astimezone(ZoneInfo(place.zone)).date().isoformat()

    def trial_of(self, reader: Reader, subject: str) -> Trial:
        """The trial by the version that decides for a subject now."""
        return self._deciding(reader, f"subject/{subject}", None, self.now())

    def study_of(self, number: str) -> Study:
        """The definition that decides for the subject of a screening number now; the newest where there is none."""
        with self.reading() as reader:
            subject = subject_of(reader, number)
            return (self.trial_of(reader, subject) if subject else self.trial(reader)).study

    def checkpoint(self) -> Problem | None:
        """Publish a signed checkpoint over everything written so far, outside the database."""
        made = make_checkpoint(self.ledger, self.now())
        return made if isinstance(made, Problem) else None

    def relax(self) -> Problem | None:
        """Have a rehearsal's files wait for the disk no more (decision 0036); any other store refuses."""
        if self.purpose != "rehearsal":
            return problem("desk.rehearsal-only")
        self.ledger.relax()
        self.register.relax()
        self.phones.relax()
        return None

    def close(self) -> None:
        """Publish a last checkpoint and give everything back."""
        self._pacing.stop()
        if self._phones is not None:
            self._phones.close()
        self.register.close()
        self.ledger.close()


DeskT = TypeVar("DeskT", bound=Desk)


def open_desk(
    folder: Path,
    *,
    kind: type[DeskT] = Desk,  # type: ignore[assignment]  # a TypeVar's default, which 3.11 cannot say
    create: bool = False,
    draft: Study = NOTHING,
    clock: Clock = system_clock,
    entropy: Entropy = secrets.token_bytes,
    timed: bool = True,
) -> DeskT | Problem:
    """The desk on the store in `folder`; with `create`, makes what is missing.

    draft: the definition that a new store will be given; it stands until the first release. timed: whether checkpoints
    are made by the clock on the wall; without it only when they are asked for, so that nothing strikes amid a
    rehearsal. A fake clock, seeded entropy or an untimed desk on a store that is a trial is refused
    (`desk.rehearsal-only`).
    """
    ledger = open_ledger(folder, write=True, create=create, followers=FOLLOWERS, entropy=entropy)
    if isinstance(ledger, Problem):
        return ledger
    keys = ledger.places.keys.parent / "identities.key"
    try:
        register = Register(folder / "identities.sqlite", keys, entropy)
    except StoreFault as reason:
        ledger.close()
        return reason.problem
    desk = kind(ledger, register, clock, entropy, draft, timed=timed)
    fake = clock is not system_clock or entropy is not secrets.token_bytes or not timed
    if fake and desk.purpose == "trial":
        desk.close()
        return problem("desk.rehearsal-only")
    return desk


def subject_of(reader: Reader, number: str) -> str | None:
    """The subject that bears a screening number."""
    rows = reader.rows.find(SUBJECTS, {"number": number}, limit=1)
    return str(rows[0]["subject"]) if rows else None


def next_number(reader: Reader, site: str) -> str:
    """The next screening number of a site: the site's number and a running number of three digits."""
    return f"{site}{reader.rows.count(SUBJECTS, {'site': site}) + 1:03d}"


def latest_of(reader: Reader, person: str) -> str | None:
    """The person's latest earlier subject, to which a rescreening is linked."""
    rows = reader.rows.find(SUBJECTS, {"person": person}, order=("screened_at",), descending=True, limit=1)
    return str(rows[0]["subject"]) if rows else None


def _judged(reader: Reader, route: Route, who: Who, now: Standing, command: object) -> Decision:
    refused = may(who, command, now.facts) or shut(command, now.facts)
    if refused is not None:
        return Refusal((refused,))
    occasion = Occasion(now.now, now.site.zone, by=who.actor, role=who.role)
    return with_deviations(now, route.decide(reader, now, command, occasion), occasion)


def _site_of(reader: Reader, stream: str) -> str | None:
    kind, _, name = stream.partition("/")
    if kind == "site":
        return name
    row = reader.rows.get(SUBJECTS, (name,)) if kind in OF_SUBJECTS else None
    return str(row["site"]) if row else None

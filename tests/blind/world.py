"""One world: both doors in one process, in a folder of their own, with one secret; and what people do in it.

The first door is the real one: the desk on its own store, and the Django application called through its WSGI entry, so
that status, headers and bytes are those that a server would send. The second door is the real vault. What is replaced:
sources of chance and time (`repeatable`), so that a checkpoint is made where the script says so; commitments, and what would
only cost time (`replaced`).
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import logging
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blind.people import Person, people
from blind.repeatable import Clock, Stream, make_repeatable, replace_everywhere, told_statements
from blind.replaced import are_hidden, catch_posted, hidden, pages_of, quicken
from blind.second_door import PASSPHRASE, SecondDoor, opened
from blind.secret import Secret
from blind.tally import Tally
from blind.watch import Log, Watch
from equipoise.desk.courier import Courier
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from equipoise.desk.setup import (
    add_person,
    create_store,
    fill_log,
    give,
    open_site,
    publish_allocation,
)
from equipoise.oversight.commands import EnrolSecondDoor
from equipoise.protocol.check import check_study
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.vault.opening import create_vault, open_vault
from equipoise.words.kept import Kept
from equipoise.words.problem import Problem

ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / "studies" / "nct07197606"
DOOR, VAULT, PUBLIC, LIST = Path("door"), Path("vault"), Path("public"), Path("list")
ORACLE = Path("oracle.json")
SITES = ("01", "02")
SEED = b"a seed that everybody may know, for a world that is played"


_STUDIES = functools.cache(load_study)


def read_study(folder: Path = STUDY) -> Study:
    """The definition, read once before the worlds are forked. folder: another that stands in every world alike."""
    study = _STUDIES(folder)
    assert isinstance(study, Study), [problem.say() for problem in study]
    return study


class WatchedDesk(FrontDesk):
    """The desk, with every answer to a command taken down."""

    world: World

    def submit_and_stand(self, who, command, *, key, client_at=None):  # `submit` and `save` both come by here
        outcome, after = super().submit_and_stand(who, command, key=key, client_at=client_at)
        self.world.decided(who.role, type(command).__name__, outcome)
        return outcome, after

    def screen(self, who, site, given, *, key):
        came = super().screen(who, site, given, key=key)
        self.world.decided(who.role, "ScreenSubject", came.outcome)
        return came


class World:
    """An open world. Made in a process of its own, whose current folder is the world's."""

    def __init__(self, secret: Secret, out: Path, label: str = "script") -> None:
        self.secret = secret
        self.watch = Watch(out)
        self.clock = Clock()
        self.stream = Stream(label)
        self._label = label
        self.tally = Tally()
        self.people: dict[str, Person] = {}
        self.covered: list[tuple[str, str, bool, str]] = []
        self.numbers: list[str] = []
        self.wanted: dict[str, list[str]] = {}
        self.kept: dict[str, list[dict[str, str]]] = {}
        """Part of an address -> parameters of what the script left there to be looked at."""
        self.host = "127.0.0.1:8000"
        self._keys = 0
        self._log = Log(self.watch)
        logging.getLogger().addHandler(self._log)
        logging.getLogger().setLevel(0)
        # Its notes for template writers hold addresses of memory, and no program of ours ever writes them anywhere.
        logging.getLogger("django.template").setLevel(logging.INFO)
        sys.stdout = sys.stderr = self._said = io.StringIO()
        others = (
            told_statements(self.tally.statement),
            (load_study, _STUDIES),
            (check_study, Kept(check_study, 8)),
        )
        are_hidden(*make_repeatable(self.stream, self.clock, (*others, *hidden(secret)))[len(others) :])
        quicken()
        catch_posted(self.watch)

    # --- the scene ---------------------------------------------------------------------------------------------

    def make(self) -> None:
        """The store, its people and the list, from nothing."""
        study = read_study()
        desk = create_store(DOOR, study, "rehearsal", clock=self.clock)
        assert not isinstance(desk, tuple), [problem.say() for problem in desk]
        assert desk.relax() is None  # a world is thrown away: nothing in it waits for the disk
        try:
            for site in SITES:
                settled(open_site(desk, site, f"EC-{site}", "2026-01-01"))
            for person in people():
                settled(add_person(desk, person.actor, person.name, person.role, person.site))
            settled(fill_log(desk))
            self._list(study)
            settled(publish_allocation(desk, PUBLIC))
            vault = opened(
                create_vault(
                    VAULT, study, "rehearsal", desk.ledger.keys.public.hex(), LIST, PASSPHRASE,
                    clock=self.clock, entropy=self.stream, work=4,
                )
            )  # fmt: skip
            settled(give(desk, EnrolSecondDoor(vault.public_key)))
            vault.close()
        finally:
            desk.close()

    def _list(self, study: Study) -> None:
        """The ceremony, held with a known seed and this world's arms: public files, the vault's files, the oracle."""
        from equipoise.vault import lists
        from equipoise.vault.ceremony_record import Step, record_bytes
        from equipoise.vault.holding import Terms, hold

        make, made = lists.make_list, []

        def kept(*given: Any) -> Any:
            made.append(make(*given))
            return made[-1]

        replace_everywhere(make, kept)
        held = hold(study, {"rehearsal": SEED}, Terms(rehearsal=True))
        assert not isinstance(held, Problem), held.say()
        for place, files in ((PUBLIC, held.public), (LIST, held.vault)):
            place.mkdir()
            for name, content in files.items():
                (place / name).write_bytes(content)
        (LIST / "ceremony.json").write_bytes(record_bytes([Step(held.made, "")]))
        arms = {slot.number: slot.content.arm for slots in made[-1].slots.values() for slot in slots}
        ORACLE.write_text(json.dumps(arms), "utf-8")

    def open(self) -> None:
        """Open both doors on a scene that was made."""
        desk = open_desk(DOOR, kind=WatchedDesk, clock=self.clock)
        assert not isinstance(desk, Problem), desk.say()
        assert desk.relax() is None
        desk.world = self
        self.desk = desk
        self.app = pages_of(desk, DOOR)
        self.vault = opened(open_vault(VAULT, PASSPHRASE, clock=self.clock, entropy=self.stream))
        self.vault.ledger.relax()
        self.courier = desk.send(Courier(desk, self._line))
        self.second_door = SecondDoor(self)
        self.arms: dict[str, int] = json.loads(ORACLE.read_text("utf-8"))
        self.people = {person.name: person for person in people()}
        self.numbers = [row.number for row in self._rows()]

    def close(self) -> None:
        """Close the doors, look at every file, and end."""
        from django.db import connections

        connections.close_all()
        self.desk.close()
        self.vault.close()
        self.note_files()
        self.note_sizes()
        self.watch.close()

    def note_sizes(self) -> None:
        """Names and sizes of the second door's own files: who may list its folder learns no more than that."""
        for path in sorted(VAULT.rglob("*")):
            if path.is_file() and not path.name.endswith(("-wal", "-shm")):
                self.watch.note("sizes", "superuser", str(path), path.stat().st_size)

    def exchange(self) -> None:
        """The second door's clock strikes, and the courier goes both ways."""
        self.vault.tick()
        refused = self.courier.exchange()
        assert refused is None, refused.say()
        assert not self.courier.unrecorded, self.courier.unrecorded

    def _line(self, delivery: bytes) -> bytes:
        answer = self.vault.receive(delivery)
        self.watch.note("channel", "doors", "up", delivery)
        self.watch.note("channel", "doors", "down", answer)
        return answer

    # --- the oracle: what only the world knows -------------------------------------------------------------------

    def arm(self, number: str) -> int:
        """The arm of the participant with a screening number; 0 for who was not randomized. Leaks ask this."""
        rows = {row.number: row.randomization_number for row in self._rows()}
        return self.arms.get(rows.get(number) or "", 0)

    def _rows(self) -> tuple[Any, ...]:
        inspector = next(person for person in self.people.values() if person.role == "inspector")
        who = self.desk.who(inspector.actor, "inspector")
        return tuple(sorted(self.desk.subjects(who) or (), key=lambda row: row.number))

    # --- acting --------------------------------------------------------------------------------------------------

    def person(self, role: str, site: str | None = None) -> Person:
        """The person in a role, at a site where the role is bound to one."""
        return next(each for each in self.people.values() if each.role == role and site in (None, each.site))

    def key(self) -> str:
        """A fresh idempotency key."""
        self._keys += 1
        return f"{self._label} {self._keys:08d}"

    def give(self, role: str, command: object, site: str | None = None) -> Any:
        """Give a command at the desk, as a person in a role."""
        person = self.person(role, site)
        who = self.desk.who(person.actor, role)
        assert who is not None, f"nobody holds {role}"
        with self.heard(role, type(command).__name__):
            return self.desk.submit(who, command, key=self.key())

    def done(self, role: str, command: object, site: str | None = None) -> Any:
        """As `give`, for a command that must be accepted."""
        outcome = self.give(role, command, site)
        assert outcome.accepted, (type(command).__name__, [problem.say() for problem in outcome.problems])
        return outcome

    # --- closing -------------------------------------------------------------------------------------------------

    def captured(self, subject: str) -> Any:
        """What is captured of a subject."""
        with self.desk.reading() as reader:
            return self.desk.standing_light(reader, subject).case.capture

    def base(self, subject: str, place: tuple[str, str, int]) -> int:
        """The seq of a form's last save."""
        return int(self.captured(subject).form(_place(place)).seq)

    def recorded_items(self, subject: str, place: tuple[str, str, int]) -> list[str]:
        """The items of a form that hold something."""
        return sorted(self.captured(subject).form(_place(place)).values)

    def open_query(self, subject: str, place: tuple[str, str, int]) -> str:
        """The query on a form that is open."""
        return next(
            each.id for each in self.captured(subject).queries_at(_place(place)) if each.state == "OPEN"
        )

    def settle_queries(self, subject: str, place: tuple[str, str, int]) -> None:
        """Have nothing asked on a form."""
        from equipoise.capture.commands import CancelQuery

        for each in self.captured(subject).queries_at(_place(place)):
            if each.open:
                self.done("data_manager", CancelQuery(subject, each.id, "settled"))

    def shown(self, subject: str, place: tuple[str, str, int]) -> tuple[Any, ...]:
        """A form as a person who signs it was shown it."""
        from equipoise.capture.closing.shown import shown_digest
        from equipoise.ledger.entries import SignedPlace

        study = self.desk.study
        return (SignedPlace(*place, shown_digest(study, self.captured(subject), _place(place))),)

    def proof(self, role: str) -> str:
        """A proof of identity, as the web's door gives one."""
        return self.desk.proofs.give(self.person(role).actor, "DEMO")

    def proposal(self) -> str:
        """What is proposed to be done with the database."""
        with self.desk.reading() as reader:
            return str(self.desk.trial(reader).database.proposed.id)

    @contextlib.contextmanager
    def green(self) -> Iterator[None]:
        """A checklist on which nothing is left: this trial is not played to its end."""
        from equipoise.desk import lock_checklist, routes

        def settled(*given: Any) -> Any:
            return tuple(
                lock_checklist.Line(line.id, 0, line.link) for line in lock_checklist.checklist(*given)
            )

        counted = vars(routes)["checklist"]
        setattr(routes, "checklist", settled)  # noqa: B010
        try:
            yield
        finally:
            setattr(routes, "checklist", counted)  # noqa: B010

    def decided(self, role: str, command: str, outcome: Any) -> None:
        """The desk answered a command."""
        self.watch.note("outcome", role, command, repr(outcome))
        self.covered.append((role, f"desk {command}", outcome.accepted, self.watch.state))

    @contextlib.contextmanager
    def heard(self, role: str, operation: str) -> Iterator[None]:
        """Take down what an operation does beside its answer: log, output, statements, chance, time."""
        self._log.role, self._log.operation = role, operation
        self.tally.begin()
        draws, asked = (self.stream.draws, self.stream.bytes), self.clock.asked
        self._said.seek(0)
        self._said.truncate()
        try:
            yield
        finally:
            note = self.watch.note
            if self.tally.measuring:
                note("work", role, operation, self.tally.calls())
            note("statements", role, operation, self.tally.statements())
            drawn = (self.stream.draws - draws[0], self.stream.bytes - draws[1])
            note("chance", role, operation, drawn)
            note("moments", role, operation, self.clock.asked - asked)
            note("said", role, operation, self._said.getvalue())
            self._log.role, self._log.operation = "program", "-"

    def keeps(self, rule: str, *, kept: bool) -> None:
        """Take down whether a rule was kept in this world."""
        self.watch.note("rules", "program", rule, "kept" if kept else "broken")

    def keep_roles_apart(self) -> None:
        """Nobody bears, or ever bore, a blinded and an unblinded role."""
        from equipoise.access.roles import ROLES
        from equipoise.desk.followers import GRANTS

        with self.desk.reading() as reader:
            rows = reader.rows.find(GRANTS, {})
        held: dict[str, set[str]] = {}
        for row in rows:
            held.setdefault(str(row["user"]), set()).add(ROLES[str(row["role"])].blind)
        self.keeps("roles apart", kept=not any({"blinded", "unblinded"} <= each for each in held.values()))

    # --- looking as a superuser ----------------------------------------------------------------------------------

    def dump(self) -> None:
        """Every table of every database of the first door, in the order in which the rows lie there."""
        for path in sorted(DOOR.rglob("*.sqlite")):
            with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
                tables = base.execute("SELECT name, sql FROM sqlite_schema ORDER BY rowid").fetchall()
                self.watch.note("rows", "superuser", f"{path} schema", repr(tables))
                for name, made in tables:
                    if made and made.upper().startswith("CREATE TABLE"):
                        rows = base.execute(f'SELECT * FROM "{name}"').fetchall()
                        self.watch.note("rows", "superuser", f"{path} {name}", repr(rows))

    def note_files(self) -> None:
        """Every file of the first door."""
        for path in sorted(DOOR.rglob("*")):
            if path.is_file() and not path.name.endswith(("-wal", "-shm")):
                mode = oct(path.stat().st_mode & 0o777)
                self.watch.note("files", "superuser", str(path), mode.encode() + b"\n" + path.read_bytes())


def _place(place: tuple[str, str, int]) -> Any:
    from equipoise.capture.evolve import Place

    return Place(*place)


def settled(problems: tuple[Problem, ...]) -> None:
    """Nothing stood against it."""
    assert problems == (), [problem.say() for problem in problems]


def enter_folder(folder: Path) -> None:
    """Make the world's folder the current one: its own name is nowhere to be seen in what is compared."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)

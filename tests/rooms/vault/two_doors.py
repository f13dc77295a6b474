"""Both doors in one process, for tests: a rehearsal store with its people, a list, and the second door made for it.

The list is made from a known seed by the ceremony's own code; the clock stands at one day; the passphrase costs little.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from equipoise.access.commands import SYSTEM, GrantRole
from equipoise.desk.clock import SetClock
from equipoise.desk.courier import Courier
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from equipoise.ledger.commit import Act, Committed, commit
from equipoise.ledger.entries import Append, ConsentDocumented, SlotTaken, SubjectRandomized, SubjectScreened
from equipoise.oversight.commands import EnrolSecondDoor
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.vault.ceremony_record import Step, record_bytes
from equipoise.vault.commands import EnrolCredential
from equipoise.vault.facts import PROGRAM
from equipoise.vault.holding import Terms, hold
from equipoise.vault.opening import Vault, create_vault, open_vault
from equipoise.words.canonical import digest
from equipoise.words.problem import Problem

ROOT = Path(__file__).resolve().parents[3]
STUDY = ROOT / "studies" / "nct07197606"
PASSPHRASE = "correct horse battery"
TODAY = dt.datetime(2026, 6, 1, 2, tzinfo=dt.UTC)
WORK = 4
PEOPLE = {
    "phar": ("pharmacist", "01"),
    "chk": ("pharmacy_checker", "01"),
    "inv": ("investigator", "01"),
    "crc": ("coordinator", "01"),
    "lab": ("lab_desk", None),
    "dsmb": ("board_statistician", None),
    "keep": ("vault_keeper", None),
    "keep2": ("vault_keeper", None),
    "off": ("backup_officer", None),
}


@dataclass
class Doors:
    """The two doors, the courier between them, and where everything lies."""

    folder: Path
    study: Study
    desk: FrontDesk
    vault: Vault
    courier: Courier
    clock: SetClock
    asked: list[bytes] = field(default_factory=list)
    answered: list[bytes] = field(default_factory=list)

    def line(self, delivery: bytes) -> bytes:
        """The channel, with everything that passes written down."""
        self.asked.append(delivery)
        self.answered.append(self.vault.receive(delivery))
        return self.answered[-1]

    def exchange(self) -> None:
        problem = self.courier.exchange()
        assert problem is None, problem.say()

    def enrol(self, user: str, purpose: str):
        return self.vault.submit(PROGRAM, EnrolCredential(user, purpose), key=f"enrol {user} {purpose}")

    def randomize(
        self, subject: str, stratum: str, number: str | None = None, site: str = "01", layer: str = ""
    ) -> str:
        """What the first door's ledger says once a subject was screened and randomized; no page is asked."""
        number = number or self.next_number(layer or stratum)
        self.write(
            f"randomize {subject}",
            Append(f"subject/{subject}", SubjectScreened(subject, site, f"S-{subject}", f"person {subject}")),
            Append(
                f"subject/{subject}", ConsentDocumented("1.0", "PARTICIPANT", given=True, on="2026-05-30")
            ),
            Append("allocation", SlotTaken(layer or stratum, number, subject)),
            Append(f"subject/{subject}", SubjectRandomized(number, stratum)),
        )
        return number

    def next_number(self, stratum: str) -> str:
        with self.desk.reading() as reader:
            number = self.desk.trial(reader).allocation.next_number(stratum)
        assert number is not None
        return number

    def write(self, key: str, *appends: Append, actor: str = "crc", role: str = "coordinator") -> Committed:
        """Write entries to the first door's ledger with no room asked: what a room would have written."""
        with self.desk.reading() as reader:
            trial = self.desk.trial(reader)
        act = Act(trial.study.id, trial.digest, actor, role, self.desk.now(), None, None, key, digest(key))
        streams = list(dict.fromkeys(append.stream for append in appends))
        done = commit(self.desk.ledger, act, streams, lambda reader: appends)
        assert isinstance(done, Committed), done
        return done

    def reopen_vault(self) -> None:
        self.vault.close()
        self.vault = opened(open_vault(self.folder / "vault", PASSPHRASE, clock=self.clock))

    def close(self) -> None:
        self.desk.close()
        self.vault.close()


def opened(vault: Vault | Problem) -> Vault:
    assert isinstance(vault, Vault), vault.say()
    return vault


def rehearsed_study() -> Study:
    study = load_study(STUDY)
    assert isinstance(study, Study)
    return study


def write_list(study: Study, folder: Path) -> None:
    """A list from a known seed, as a ceremony leaves it: public side and the vault's."""
    held = hold(study, {"rehearsal": b"a seed for tests, known to all"}, Terms(rehearsal=True))
    assert not isinstance(held, Problem), held.say()
    for place, files in (("public", held.public), ("list", held.vault)):
        (folder / place).mkdir(parents=True)
        for name, content in files.items():
            (folder / place / name).write_bytes(content)
    (folder / "list" / "ceremony.json").write_bytes(record_bytes([Step(held.made, "")]))


def make_doors(folder: Path, study: Study | None = None) -> None:
    """Both stores, on disk: people granted, list published, second door made and enrolled."""
    from equipoise.desk.setup import create_store, fill_log, publish_allocation

    study, clock = study or rehearsed_study(), SetClock(TODAY)
    write_list(study, folder)
    desk = create_store(folder / "first", study, "rehearsal", clock=clock)
    assert not isinstance(desk, tuple), [problem.say() for problem in desk]
    for actor, (role, site) in PEOPLE.items():
        assert desk.submit(SYSTEM, GrantRole(actor, role, site), key=f"grant {actor}").accepted
    assert fill_log(desk) == ()
    assert publish_allocation(desk, folder / "public") == ()
    key = desk.ledger.keys.public.hex()
    vault = opened(
        create_vault(
            folder / "vault", study, "rehearsal", key, folder / "list", PASSPHRASE, clock=clock, work=WORK
        )
    )
    assert desk.submit(SYSTEM, EnrolSecondDoor(vault.public_key), key="enrol").accepted
    desk.close()
    vault.close()


def open_doors(folder: Path, line: Callable[[Doors], Callable[[bytes], bytes]] | None = None) -> Doors:
    """Both doors of a folder, opened, with a courier between them."""
    clock = SetClock(TODAY + dt.timedelta(hours=1))
    desk = open_desk(folder / "first", kind=FrontDesk, clock=clock)
    assert isinstance(desk, FrontDesk), desk
    vault = opened(open_vault(folder / "vault", PASSPHRASE, clock=clock))
    doors = Doors(folder, desk.study, desk, vault, None, clock)
    doors.courier = desk.send(Courier(desk, line(doors) if line else doors.line))
    return doors


def copied(source: Path, target: Path) -> Path:
    """A copy of both doors, to be used up by one test."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    return target

"""The identity register: the only place that knows names, kept apart from the ledger and keyed apart.

The rules that must stay true: the ledger never holds a name, a birth date as an identifier, or a telephone
number; the same person, typed differently, is found again; a person is erased by deleting one row, whose bytes
are overwritten. Records are sealed (AES-256-GCM) and found through a keyed digest (HMAC-SHA-256) of the normalized
name and birth date, so that the file without its key says nothing. A register without the key it was made with is
refused: with another key nobody would be found again, and a person could enter the trial twice. Staff names stand
here too, for histories and signatures. Faults of the file are raised as StoreFault, which carries the Problem.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sqlite3
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from equipoise.ledger.store import fault
from equipoise.words.canonical import canonical_bytes, read_canonical
from equipoise.words.dates import PartialDate, whole_date
from equipoise.words.ids import Entropy, random_id
from equipoise.words.problem import Problem, problem

_KEY_BYTES = 64
"""32 bytes to find by, 32 to seal with."""
_SETTINGS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS person (person TEXT PRIMARY KEY, found_by BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS staff (actor TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS other (other TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class IdentityInput:
    """What a coordinator types about a person. `birth_date` as typed; it must be complete to find the person again."""

    name: str
    birth_date: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as registered. `birth_date` is ISO."""

    person: str
    name: str
    birth_date: str
    phone: str


class Register:
    """The register of one store. One connection, one lock: it is asked rarely.

    Raises StoreFault, on making and on use: `desk.register-damaged`, `desk.register-key-missing`,
    `desk.register-key-foreign`, `ledger.disk-full`.
    """

    def __init__(self, path: Path, key_path: Path, entropy: Entropy) -> None:
        self._entropy = entropy
        self._path = path
        self._lock = threading.Lock()
        with self._trusted():
            self._key = _key(key_path, entropy, made=path.exists() and path.stat().st_size > 0)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            os.chmod(path, 0o600)
            self._db.executescript(_SETTINGS + _SCHEMA)
            self._check_key(key_path)

    @contextmanager
    def _trusted(self) -> Iterator[None]:
        """Turn faults of the file into what they mean to a reader."""
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
                rule = "ledger.disk-full" if full else "desk.register-damaged"
                raise fault(rule, str(self._path), path=self._path, reason=error) from error
            except OSError as error:
                raise fault(
                    "desk.register-damaged", str(self._path), path=self._path, reason=error
                ) from error

    def _check_key(self, key_path: Path) -> None:
        """One record of each kind must open."""
        rows = [
            self._db.execute(f"SELECT {name}, sealed FROM {table} LIMIT 1").fetchone()  # noqa: S608 literals
            for table, name in (("person", "person"), ("staff", "actor"))
        ]
        try:
            for row in rows:
                if row is not None:
                    self._unseal(*row)
        except (InvalidTag, ValueError):
            self._db.close()
            raise fault("desk.register-key-foreign", str(key_path), path=key_path) from None

    def find_or_add(self, given: IdentityInput) -> Identity | Problem:
        """The person, registered now or found again. A Problem where name or birth date cannot serve."""
        born = whole_date(given.birth_date, "desk.birth-date-incomplete", "birth_date")
        name = normal_name(given.name)
        if not name:
            return problem("desk.name-missing", "name")
        if isinstance(born, Problem):
            return born
        with self._trusted():
            return self._find(name, born) or self._add(name, born, given)

    def _find(self, name: str, born: PartialDate) -> Identity | None:
        row = self._db.execute(
            "SELECT person, sealed FROM person WHERE found_by = ?", (self._digest(name, born),)
        ).fetchone()
        return None if row is None else self._open(row[0], row[1])

    def _add(self, name: str, born: PartialDate, given: IdentityInput) -> Identity:
        person = random_id(self._entropy)
        record = {
            "name": unicodedata.normalize("NFC", given.name.strip()),
            "birth_date": born.iso(),
            "phone": given.phone.strip(),
        }
        self._db.execute(
            "INSERT INTO person VALUES (?, ?, ?)",
            (person, self._digest(name, born), self._seal(person, record)),
        )
        return Identity(person, record["name"], record["birth_date"], record["phone"])

    def identity(self, person: str) -> Identity | None:
        """The registered person of that random id; None where unknown or erased."""
        with self._trusted():
            row = self._db.execute("SELECT sealed FROM person WHERE person = ?", (person,)).fetchone()
        return None if row is None else self._open(person, row[0])

    def erase(self, person: str) -> bool:
        """Forget a person, in this file. The ledger keeps the random id, which then leads nowhere."""
        with self._trusted():
            erased = self._db.execute("DELETE FROM person WHERE person = ?", (person,)).rowcount > 0
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what was written ahead holds the record too
            return erased

    def add_other(self, other: str, name: str, phone: str = "") -> None:
        """Register somebody beside a participant (a representative, a witness, a caregiver) under a random id."""
        record = {"name": unicodedata.normalize("NFC", name.strip()), "phone": phone.strip()}
        with self._trusted():
            self._db.execute("INSERT OR REPLACE INTO other VALUES (?, ?)", (other, self._seal(other, record)))

    def other_name(self, other: str) -> str:
        """The name of somebody beside a participant; empty where unknown or erased."""
        with self._trusted():
            row = self._db.execute("SELECT sealed FROM other WHERE other = ?", (other,)).fetchone()
        return "" if row is None else str(self._unseal(other, row[0])["name"])

    def other_phone(self, other: str) -> str:
        """The telephone or address of somebody beside a participant; empty where unknown or erased."""
        with self._trusted():
            row = self._db.execute("SELECT sealed FROM other WHERE other = ?", (other,)).fetchone()
        return "" if row is None else str(self._unseal(other, row[0])["phone"])

    def add_staff(self, actor: str, name: str) -> None:
        """Register, or rename, a member of staff."""
        sealed = self._seal(actor, {"name": unicodedata.normalize("NFC", name)})
        with self._trusted():
            self._db.execute("INSERT OR REPLACE INTO staff VALUES (?, ?)", (actor, sealed))

    def staff_name(self, actor: str) -> str:
        """The display name of a member of staff; the random id itself where it is unknown."""
        with self._trusted():
            row = self._db.execute("SELECT sealed FROM staff WHERE actor = ?", (actor,)).fetchone()
        return actor if row is None else str(self._unseal(actor, row[0])["name"])

    def relax(self) -> None:
        """Wait for the disk no more, as `ledger.store.Store.relax`."""
        with self._trusted():
            self._db.execute("PRAGMA synchronous = OFF")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _digest(self, name: str, born: PartialDate) -> bytes:
        return hmac.digest(self._key[:32], canonical_bytes([name, born.iso()]), hashlib.sha256)

    def _seal(self, bound_to: str, record: dict[str, str]) -> bytes:
        nonce = self._entropy(12)
        return nonce + AESGCM(self._key[32:]).encrypt(nonce, canonical_bytes(record), bound_to.encode())

    def _unseal(self, bound_to: str, sealed: bytes) -> dict[str, object]:
        opened = read_canonical(AESGCM(self._key[32:]).decrypt(sealed[:12], sealed[12:], bound_to.encode()))
        if not isinstance(opened, dict):
            raise TypeError("a sealed record of the register is not an object")
        return dict(opened)

    def _open(self, person: str, sealed: bytes) -> Identity:
        record = self._unseal(person, sealed)
        return Identity(person, str(record["name"]), str(record["birth_date"]), str(record["phone"]))


def normal_name(name: str) -> str:
    """A name as it is compared: NFKC, without case, spaces and the dots inside minority names (·, •, .)."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(
        character for character in folded if not character.isspace() and character not in "·•.‧・-'"
    )


def _key(path: Path, entropy: Entropy, *, made: bool) -> bytes:
    """The key of the register, 64 bytes; made new only for a register that is not `made` yet."""
    if not path.exists():
        if made:
            raise fault("desk.register-key-missing", str(path), path=path)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(entropy(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise fault("desk.register-key-foreign", str(path), path=path)
    return key

"""The identity register: the only place that knows names, kept apart from the ledger and keyed apart.

The rules that must stay true: the ledger never holds a name, a birth date as an identifier, or a telephone
number; the same person, typed differently, is found again; a person is erased by deleting one row. Records are
sealed (AES-256-GCM) and found through a keyed digest (HMAC-SHA-256) of the normalized name and birth date, so
that the file without its key says nothing. Staff names stand here too, for histories and signatures.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sqlite3
import threading
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from equipoise.words.canonical import canonical_bytes, read_canonical
from equipoise.words.dates import PartialDate, parse_date
from equipoise.words.ids import Entropy, random_id
from equipoise.words.problem import Problem, problem

_SCHEMA = """
CREATE TABLE IF NOT EXISTS person (person TEXT PRIMARY KEY, found_by BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS staff (actor TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
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
    """The register of one store. One connection, one lock: it is asked rarely."""

    def __init__(self, path: Path, key_path: Path, entropy: Entropy) -> None:
        self._entropy = entropy
        self._key = _key(key_path, entropy)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        os.chmod(path, 0o600)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _SCHEMA)

    def find_or_add(self, given: IdentityInput) -> Identity | Problem:
        """The person, registered now or found again. A Problem where name or birth date cannot serve."""
        born = parse_date(given.birth_date)
        name = normal_name(given.name)
        if not name:
            return problem("desk.name-missing", "name")
        if born is None or not born.complete:
            return problem("desk.birth-date-incomplete", "birth_date", given=given.birth_date)
        with self._lock:
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
        with self._lock:
            row = self._db.execute("SELECT sealed FROM person WHERE person = ?", (person,)).fetchone()
        return None if row is None else self._open(person, row[0])

    def erase(self, person: str) -> bool:
        """Forget a person. The ledger keeps the random id, which then leads nowhere."""
        with self._lock:
            return self._db.execute("DELETE FROM person WHERE person = ?", (person,)).rowcount > 0

    def add_staff(self, actor: str, name: str) -> None:
        """Register, or rename, a member of staff."""
        sealed = self._seal(actor, {"name": unicodedata.normalize("NFC", name)})
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO staff VALUES (?, ?)", (actor, sealed))

    def staff_name(self, actor: str) -> str:
        """The display name of a member of staff; the random id itself where it is unknown."""
        with self._lock:
            row = self._db.execute("SELECT sealed FROM staff WHERE actor = ?", (actor,)).fetchone()
        return actor if row is None else str(self._unseal(actor, row[0])["name"])

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


def _key(path: Path, entropy: Entropy) -> bytes:
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(entropy(64))
    return path.read_bytes()

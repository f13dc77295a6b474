"""The register of phones: whose phone it is, the code and PIN that set it up, and the key it seals with.

The rules that must stay true: no key, code or PIN stands in the ledger, and codes and PINs stand nowhere but as keyed
digests; a code counts for one phone, until a moment, and no more after so many wrong PINs; it may be used again only
until the phone it set up was heard, so that a lost answer locks nobody out. Whether a phone counts is the ledger's to
say, never this file's. Keys are sealed (AES-256-GCM) under a key in a file of its own, beside that of the identities.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from equipoise.diary.packets import KEY_BYTES, NONCE_BYTES, b64
from equipoise.ledger.store import fault
from equipoise.words.ids import Entropy
from equipoise.words.problem import Problem, problem

_CODE_BYTES, _PIN_DIGITS = 16, 6
_SECRETS = 64
"""32 bytes to find codes and PINs by, 32 to seal keys with."""
_SETTINGS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS device (
  device TEXT PRIMARY KEY, subject TEXT NOT NULL, code BLOB UNIQUE, pin BLOB, until TEXT NOT NULL,
  wrong INTEGER NOT NULL DEFAULT 0, key BLOB
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Invited:
    """What is handed over, each apart from the other: the code (base64url) and the PIN (6 digits). Shown once."""

    device: str
    code: str
    pin: str
    until: str


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone as the register knows it."""

    device: str
    subject: str
    key: bytes


class Phones:
    """The register's file. One connection, one lock. Raises StoreFault: `desk.devices-damaged`, `ledger.disk-full`."""

    def __init__(self, path: Path, key_path: Path, entropy: Entropy) -> None:
        self._entropy, self._path = entropy, path
        self._lock = threading.Lock()
        with self._trusted():
            self._secret = _secret(key_path, entropy)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            os.chmod(path, 0o600)
            self._db.executescript(_SETTINGS + _SCHEMA)

    @contextmanager
    def _trusted(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except (sqlite3.Error, OSError) as error:
                full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
                rule = "ledger.disk-full" if full else "desk.devices-damaged"
                raise fault(rule, str(self._path), path=self._path, reason=error, detail=error) from error

    def invite(self, device: str, subject: str, until: str) -> Invited | None:
        """A code and PIN for a phone that is to come; None where it was given one, which is shown once."""
        code = b64(self._entropy(_CODE_BYTES))
        pin = "".join(str(int.from_bytes(self._entropy(8), "big") % 10) for _ in range(_PIN_DIGITS))
        with self._trusted():
            made = self._db.execute(
                "INSERT OR IGNORE INTO device (device, subject, code, pin, until) VALUES (?, ?, ?, ?, ?)",
                (device, subject, self._digest("code", code), self._digest(device, pin), until),
            ).rowcount
        return Invited(device, code, pin, until) if made else None

    def opened_by(self, code: str, pin: str, now: str, wrong_at_most: int) -> tuple[str, str] | Problem:
        """(device, subject) of the invitation that code and PIN open. Problems: `diary.invitation-over`,
        `diary.pin-wrong`, `diary.pin-locked`."""
        with self._trusted():
            row = self._db.execute(
                "SELECT device, subject, pin, until, wrong FROM device WHERE code = ?",
                (self._digest("code", code),),
            ).fetchone()
            if row is None or now > row[3]:
                return problem("diary.invitation-over")
            if row[4] >= wrong_at_most:
                return problem("diary.pin-locked")
            if hmac.compare_digest(row[2], self._digest(row[0], pin)):
                return str(row[0]), str(row[1])
            self._db.execute("UPDATE device SET wrong = wrong + 1 WHERE device = ?", (row[0],))
            left = wrong_at_most - row[4] - 1
            if left > 0:
                return problem("diary.pin-wrong", left=left)
            return problem("diary.pin-locked")

    def locked(self, wrong_at_most: int) -> tuple[tuple[str, str], ...]:
        """(device, subject) of every code that was tried with so many wrong PINs that it counts no more."""
        with self._trusted():
            rows = self._db.execute(
                "SELECT device, subject FROM device WHERE code IS NOT NULL AND wrong >= ?", (wrong_at_most,)
            ).fetchall()
        return tuple((str(device), str(subject)) for device, subject in rows)

    def give_key(self, device: str) -> bytes:
        """The key of a phone; made where it has none."""
        with self._trusted():
            row = self._db.execute("SELECT key FROM device WHERE device = ?", (device,)).fetchone()
            if row[0] is not None:
                return self._unsealed(device, row[0])
            key, nonce = self._entropy(KEY_BYTES), self._entropy(NONCE_BYTES)
            sealed = nonce + AESGCM(self._secret[32:]).encrypt(nonce, key, device.encode())
            self._db.execute("UPDATE device SET key = ? WHERE device = ?", (sealed, device))
            return key

    def phone(self, device: str) -> Phone | None:
        """A phone that was given a key; None for any other."""
        with self._trusted():
            row = self._db.execute("SELECT subject, key FROM device WHERE device = ?", (device,)).fetchone()
            if row is None or row[1] is None:
                return None
            return Phone(device, str(row[0]), self._unsealed(device, row[1]))

    def heard(self, device: str) -> None:
        """The phone has its key: its code counts no more."""
        with self._trusted():
            self._db.execute(
                "UPDATE device SET code = NULL, pin = NULL WHERE device = ? AND code IS NOT NULL", (device,)
            )

    def relax(self) -> None:
        """Wait for the disk no more (decision 0036)."""
        with self._trusted():
            self._db.execute("PRAGMA synchronous = OFF")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _digest(self, of: str, text: str) -> bytes:
        return hmac.digest(self._secret[:32], f"{of}\n{text}".encode(), hashlib.sha256)

    def _unsealed(self, device: str, sealed: bytes) -> bytes:
        try:
            return AESGCM(self._secret[32:]).decrypt(sealed[:12], sealed[12:], device.encode())
        except InvalidTag as error:
            raise sqlite3.DatabaseError("a key of the register does not open") from error


def _secret(path: Path, entropy: Entropy) -> bytes:
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(entropy(_SECRETS))
            file.flush()
            os.fsync(file.fileno())
    found = path.read_bytes()
    if len(found) != _SECRETS:
        raise sqlite3.DatabaseError(f"{path.name} is no key of this register")
    return found

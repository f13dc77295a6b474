"""The key file: what opens the bodies and signs for the store, in a file apart from the store.

The rules that must stay true: the store without this file shows who did what kind of thing when, and no value;
a key that was destroyed is gone from the file's bytes, is never made again under the same name, and leaves the
chain verifiable, with the body reported as erased. A subject's streams share one pair of keys, one for each body
part, so that free text can be erased alone; every other stream has a pair of its own. Whoever copies the store
away must not copy this file beside it. The signing key (Ed25519) is here too; its public half is published.
A key file may be wrapped: every key in it, the signing key too, is then sealed (AES-256-GCM, its name as associated
data) under a key that is not in the file, and a file opened with another wrapping key, or with none, is refused.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from equipoise.ledger.entries import Part
from equipoise.ledger.store import StoreFault, fault
from equipoise.words.ids import Entropy

PARTS: tuple[Part, ...] = ("main", "aside")
KEY_BYTES = 32
_NONCE = 12
_SIGNING = "signing"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS signing (one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS data_keys (name TEXT NOT NULL, part TEXT NOT NULL, key BLOB,"
    " PRIMARY KEY (name, part)) STRICT",  # key NULL: destroyed
)


def key_name(stream: str) -> str:
    """The name under which the keys of `stream` are kept: a subject's diary opens with the subject's keys."""
    return "subject/" + stream.removeprefix("diary/") if stream.startswith("diary/") else stream


class Keys:
    """An open key file. Safe to use from several threads."""

    def __init__(
        self, path: Path, signing: bytes, entropy: Entropy, *, write: bool, wrap: Wrap | None = None
    ) -> None:
        self._path = path
        self._wrap = wrap
        self._write = write
        self._connection: sqlite3.Connection | None = None
        self._entropy = entropy
        self._lock = threading.Lock()
        self._ciphers: dict[tuple[str, Part], AESGCM] = {}
        self._signer = Ed25519PrivateKey.from_private_bytes(signing)
        self.public = self._signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        """The public half of the signing key, 32 bytes."""

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature of `message`, 64 bytes; the same for the same message, always."""
        return self._signer.sign(message)

    def cipher(self, stream: str, part: Part) -> AESGCM | None:
        """What opens a body part of `stream`; None where its key was destroyed or never made."""
        name = key_name(stream)
        with self._lock:
            found = self._ciphers.get((name, part))
            return found if found is not None else self._load(name).get(part)

    def cipher_for_writing(self, stream: str, part: Part) -> AESGCM:
        """As `cipher`, and made where it was never made. Raises StoreFault `ledger.key-destroyed`."""
        name = key_name(stream)
        with self._lock:
            found = self._ciphers.get((name, part)) or self._load(name).get(part)
            if found is None:
                self._make(name)
                found = self._load(name).get(part)
        if found is None:
            raise fault("ledger.key-destroyed", stream, stream=stream)
        return found

    def _load(self, name: str) -> dict[Part, AESGCM]:
        with self._trusted() as connection:
            rows = connection.execute("SELECT part, key FROM data_keys WHERE name = ?", [name]).fetchall()
        found: dict[Part, AESGCM] = {}
        for part, key in rows:
            if key is not None:
                found[part] = AESGCM(_unwrapped(self._wrap, f"{name}\n{part}", key, self._path))
        self._ciphers.update({(name, part): cipher for part, cipher in found.items()})
        return found

    def _make(self, name: str) -> None:
        """Both keys of `name`, on disk before anything is sealed with them; those that exist stay as they are."""
        made = [
            (name, part, _wrapped(self._wrap, f"{name}\n{part}", self._entropy(32), self._entropy))
            for part in PARTS
        ]
        with self._writing() as connection:
            connection.executemany("INSERT OR IGNORE INTO data_keys (name, part, key) VALUES (?, ?, ?)", made)

    def destroy(self, stream: str, parts: Sequence[Part] = PARTS) -> None:
        """Destroy the keys of `stream` (for a subject: of all the subject's streams) for good, in this file.

        Copies of the key file are the owner's to destroy. Read tables and exports made earlier are not touched:
        rebuild the read tables afterwards.
        """
        name = key_name(stream)
        with self._lock:
            with self._writing() as connection:
                connection.executemany(
                    "INSERT INTO data_keys (name, part, key) VALUES (?, ?, NULL)"
                    " ON CONFLICT (name, part) DO UPDATE SET key = NULL",
                    [(name, part) for part in parts],
                )
            for part in parts:
                self._ciphers.pop((name, part), None)

    @contextlib.contextmanager
    def _trusted(self) -> Iterator[sqlite3.Connection]:
        """The connection; one that failed is thrown away and not asked again."""
        try:
            if self._connection is None:
                self._connection = _connect(self._path, write=self._write)
            yield self._connection
        except sqlite3.Error as error:
            self._forget()
            raise _fault_of(error, self._path) from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._trusted() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()  # what was not committed is undone

    def relax(self) -> None:
        """Wait for the disk no more, as `store.Store.relax`."""
        with self._lock, self._trusted() as connection:
            connection.execute("PRAGMA synchronous = OFF")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._forget()


class Wrap:
    """What seals the keys of a wrapped file: 32 bytes that are never printed."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a wrapping key has {KEY_BYTES} bytes")
        self.cipher = AESGCM(key)

    def __repr__(self) -> str:
        return "Wrap(sealed)"


def _wrapped(wrap: Wrap | None, name: str, key: bytes, entropy: Entropy) -> bytes:
    if wrap is None:
        return key
    nonce = entropy(_NONCE)
    return nonce + wrap.cipher.encrypt(nonce, key, name.encode())


def _unwrapped(wrap: Wrap | None, name: str, kept: bytes, path: Path) -> bytes:
    """The key that was kept under `name`. Raises StoreFault `ledger.keys-sealed` for another wrapping than it has."""
    try:
        if wrap is None and len(kept) == KEY_BYTES:
            return bytes(kept)
        if wrap is not None:
            return wrap.cipher.decrypt(kept[:_NONCE], kept[_NONCE:], name.encode())
    except (InvalidTag, ValueError) as error:
        raise fault("ledger.keys-sealed", str(path), path=path) from error
    raise fault("ledger.keys-sealed", str(path), path=path)


def open_keys(path: Path, entropy: Entropy, *, create: bool, write: bool, wrap: bytes | None = None) -> Keys:
    """The key file at `path`; with `create` it is made, readable by its owner alone, where there is none.

    wrap: the 32 bytes under which the keys in the file are sealed; None for a file whose keys lie open.
    Raises StoreFault: `ledger.keys-missing`, `ledger.keys-damaged`, `ledger.keys-sealed`, `ledger.unavailable`,
    `ledger.disk-full`.
    """
    sealing = Wrap(wrap) if wrap is not None else None
    try:
        if not path.exists():
            if not create:
                raise fault("ledger.keys-missing", str(path), path=path)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with contextlib.closing(_connect(path, write=write)) as connection:
            signing = _signing_key(connection, entropy, create=create, wrap=sealing)
            key = _unwrapped(sealing, _SIGNING, signing, path)
            return Keys(path, key, entropy, write=write, wrap=sealing)
    except (sqlite3.Error, ValueError) as error:
        raise _fault_of(error, path) from error
    except OSError as error:
        raise fault("ledger.unavailable", str(path), path=path, detail=error.strerror) from error


def _connect(path: Path, *, write: bool) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={'rw' if write else 'ro'}"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA synchronous = EXTRA")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _signing_key(
    connection: sqlite3.Connection, entropy: Entropy, *, create: bool, wrap: Wrap | None
) -> bytes:
    """The secret half of the signing key as it is kept; with `create`, tables and key are made where they are not."""
    if create:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            connection.execute(statement)
        made = _wrapped(wrap, _SIGNING, entropy(KEY_BYTES), entropy)
        connection.execute("INSERT OR IGNORE INTO signing (one, key) VALUES (1, ?)", [made])
        connection.execute("COMMIT")
    row = connection.execute("SELECT key FROM signing").fetchone()
    if row is None:
        raise ValueError("no signing key")
    return bytes(row[0])


_OUTSIDE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY)


def _fault_of(error: Exception, path: Path) -> StoreFault:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return fault("ledger.disk-full", str(path), path=path, detail=error)
    if code in _OUTSIDE:
        return fault("ledger.unavailable", str(path), path=path, detail=error)
    return fault("ledger.keys-damaged", str(path), path=path, detail=error)

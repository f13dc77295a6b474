"""Opening a ledger: its files in one folder, who may write, and that store and keys belong together.

    FOLDER/ledger.sqlite          the store (with -wal and -shm beside it while it is in use)
    FOLDER/ledger.lock            held by the one process that may write
    FOLDER/checkpoints/           signed checkpoints and the public key; copy this folder away, often
    FOLDER/keys/keys.sqlite       the key file; back it up elsewhere, never beside the store

The rules that must stay true: one process writes, any number read; keys are never made anew for a store that has
entries. This is the one place that chooses which kind of store is behind the interface.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from equipoise.ledger.followers import Follower, prepare
from equipoise.ledger.keys import Keys, open_keys
from equipoise.ledger.notes import origin_of, vkey_of, write_whole
from equipoise.ledger.reader import Reader
from equipoise.ledger.sqlite import open_store
from equipoise.ledger.store import Store, StoreFault, fault
from equipoise.words.ids import Entropy
from equipoise.words.problem import Problem


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of a ledger are."""

    store: Path
    lock: Path
    checkpoints: Path
    public_key: Path
    keys: Path


def places_of(folder: Path, keys: Path | None = None) -> Places:
    """The places of a ledger in `folder`; `keys` is the key file where it is kept elsewhere."""
    checkpoints = folder / "checkpoints"
    return Places(
        folder / "ledger.sqlite",
        folder / "ledger.lock",
        checkpoints,
        checkpoints / "public-key",
        keys or folder / "keys" / "keys.sqlite",
    )


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open ledger: the store, its keys, and the followers that every commit runs."""

    places: Places
    store: Store
    keys: Keys
    followers: tuple[Follower, ...]
    entropy: Entropy
    _lock: BinaryIO | None
    fill: int = 1
    """Bytes to whose multiples bodies are filled up; above 1 every part that a kind may have is written, too."""
    remembered: dict[str, object] = field(default_factory=dict, compare=False)
    """What a rehearsal read before, by name: a trial's ledger is read anew."""

    @property
    def origin(self) -> str:
        """The name under which checkpoints are signed; one key, one store, one name."""
        return origin_of(self.keys.public)

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """One consistent moment to read. Raises StoreFault where the store cannot be read."""
        with self.store.reading() as reading:
            yield Reader(reading, self.keys)

    def relax(self) -> None:
        """Wait for the disk no more: a crash may lose what was written last, never mix it up. For rehearsals only."""
        self.store.relax()
        self.keys.relax()

    def close(self) -> None:
        """Give back the store, the keys and the lock; a second time does nothing."""
        self.store.close()
        self.keys.close()
        if self._lock is not None:
            self._lock.close()


def open_ledger(
    folder: Path,
    *,
    write: bool,
    create: bool = False,
    keys: Path | None = None,
    wrap: bytes | None = None,
    fill: int = 1,
    followers: Sequence[Follower] = (),
    entropy: Entropy = secrets.token_bytes,
) -> Ledger | Problem:
    """The ledger in `folder`.

    write: to append; only one process at a time may (`ledger.locked` names the other). Readers are always let in.
    create: make what is missing. keys: the key file, where it is not in `folder`. wrap: the key under which the key
    file is sealed, if it is. fill: above 1, neither length nor presence of a sealed part tells its content. entropy:
    seeded on rehearsal stores only. Read tables that are new or out of date are filled on opening for writing.
    Problems: `ledger.not-found`, `ledger.locked`, `ledger.store-foreign`, `-damaged`, `-newer`, `-altered`,
    `ledger.keys-missing`, `-damaged`, `-foreign`, `-sealed`, `ledger.unsafe-mode`, `ledger.disk-full`,
    `ledger.unavailable`.
    """
    places = places_of(folder, keys)
    lock: BinaryIO | None = None
    opened: list[Store | Keys] = []
    try:
        if write:
            lock = _take_lock(places, create=create)
        ledger = _open(
            places,
            write=write,
            create=create,
            wrap=wrap,
            followers=followers,
            entropy=entropy,
            opened=opened,
        )
    except StoreFault as reason:
        for one in opened:
            one.close()
        if lock is not None:
            lock.close()
        return reason.problem
    return Ledger(places, *ledger, tuple(followers), entropy, lock, fill)


def _open(
    places: Places,
    *,
    write: bool,
    create: bool,
    wrap: bytes | None,
    followers: Sequence[Follower],
    entropy: Entropy,
    opened: list[Store | Keys],
) -> tuple[Store, Keys]:
    store = open_store(places.store, "write" if write else "read", create=create)
    opened.append(store)
    with store.reading() as reading:
        empty = next(reading.walk(), None) is None
    keys = open_keys(places.keys, entropy, create=create and empty, write=write, wrap=wrap)
    opened.append(keys)
    _check_public_key(places, keys, create=create and empty)
    if write:
        prepare(store, keys, followers)
    return store, keys


def _take_lock(places: Places, *, create: bool) -> BinaryIO:
    """An exclusive lock on the lock file, which names its holder for whoever comes second."""
    try:
        if create:
            places.lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif not places.store.exists():
            raise fault("ledger.not-found", str(places.store), path=places.store)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        lock = os.fdopen(os.open(places.lock, flags, 0o600), "r+b", buffering=0)
    except OSError as error:
        raise fault(
            "ledger.unavailable", str(places.lock), path=places.lock, detail=error.strerror
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = lock.read(32).decode("ascii", "replace").strip() or "?"
        lock.close()
        raise fault("ledger.locked", str(places.lock), path=places.store.parent, process=holder) from error
    with contextlib.suppress(OSError):  # on a full disk the lock holds all the same, only nameless
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n".encode())
    return lock


def _check_public_key(places: Places, keys: Keys, *, create: bool) -> None:
    """The published public key must be that of the key file; it is published when the store is made."""
    wanted = vkey_of(keys.public)
    try:
        if places.public_key.exists():
            if places.public_key.read_text("utf-8").strip() != wanted:
                raise fault("ledger.keys-foreign", str(places.keys), path=places.keys)
        elif create:
            places.checkpoints.mkdir(parents=True, exist_ok=True)
            write_whole(places.public_key, wanted + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise fault(
            "ledger.unavailable", str(places.public_key), path=places.public_key, detail=error
        ) from error

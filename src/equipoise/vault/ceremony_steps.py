"""The steps of a ceremony in a vault folder: begin, commit, reveal, abort, hold. Each is one entry of its record.

The rules that must stay true: nobody's seed is taken before everybody has committed, and none that differs from its
commitment; nobody commits once a seed was revealed; the machine commits to entropy of its own at the beginning, so
that the last to reveal chooses nothing; an aborted ceremony stays in the record and its seeds are gone; the list is
made from every seed that was committed to, or not at all. Seeds lie sealed to the vault's key between the steps.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from equipoise.ledger.entries import Entry
from equipoise.ledger.vault_entries import CeremonyAborted, CeremonyStarted, SeedCommitted, SeedRevealed
from equipoise.protocol.digest import study_digest
from equipoise.protocol.study import Study
from equipoise.randomization.sealing import new_key, public_key
from equipoise.vault.ceremony_names import MACHINE, name_of
from equipoise.vault.ceremony_record import Standing, Step, read_record, standing, write_record
from equipoise.vault.holding import KEY, SEEDS, SLOTS, Held, Terms, hold, read_seeds, seeds_file
from equipoise.vault.keyring import destroy_file
from equipoise.words.ids import Entropy, random_id
from equipoise.words.problem import Problem, problem

SEED_BYTES = 16
"""Fewest bytes of a person's seed."""
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Room:
    """Where a ceremony is held: the vault folder, the time, and where the machine's own randomness comes from."""

    folder: Path
    now: Callable[[], dt.datetime]
    entropy: Entropy

    def stamp(self) -> str:
        """The time, UTC, to the second."""
        return self.now().astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def begin(room: Room, study: Study, public_value: str = "") -> str | Problem:
    """Begin a ceremony; its id. `public_value` names a value that nobody can know yet, to be given when it is held."""
    found = _read(room)
    if isinstance(found, Problem):
        return found
    steps, now = found
    if now.open:
        return problem("vault.ceremony-open", str(room.folder))
    if now.made or any((room.folder / name).exists() for name in (SLOTS, KEY, SEEDS)):
        return problem("vault.ceremony-already-held", str(room.folder), folder=room.folder)
    ceremony, seed = random_id(room.entropy), room.entropy(64)
    key = new_key(room.entropy)
    room.folder.mkdir(parents=True, exist_ok=True)
    room.folder.chmod(0o700)
    put_private(room.folder / KEY, key.hex().encode() + b"\n")
    put_private(room.folder / SEEDS, seeds_file({MACHINE: seed}, public_key(key), room.entropy))
    digest = hashlib.sha256(seed).hexdigest()
    _add(
        room, steps,
        CeremonyStarted(ceremony, study.id, study_digest(study), public_value),
        SeedCommitted(ceremony, MACHINE, digest),
    )  # fmt: skip
    return ceremony


def commit(room: Room, by: str, seed_digest: str) -> Problem | None:
    """Record that a person committed to a seed, by its SHA-256 (hex). The seed itself is not asked for."""
    found = _open(room)
    if isinstance(found, Problem):
        return found
    steps, now = found
    name = name_of(by)
    if name is None or name in now.committed:
        return problem("vault.name-unusable", by, name=by)
    if now.revealed:
        return problem("vault.commit-too-late", by)
    if not _HASH.fullmatch(seed_digest) or seed_digest in now.committed.values():
        return problem("vault.commitment-unusable", by)
    _add(room, steps, SeedCommitted(now.open, name, seed_digest))
    return None


def reveal(room: Room, by: str, seed: bytes) -> Problem | None:
    """Take the seed that a person committed to, once it agrees with the digest."""
    found = _open(room)
    if isinstance(found, Problem):
        return found
    steps, now = found
    name = name_of(by) or by
    if name not in now.committed or name in now.revealed:
        return problem("vault.not-committed", by, name=by)
    if len(now.committed) < 3:
        return problem("vault.too-few-committed", by)
    if len(seed) < SEED_BYTES:
        return problem("vault.seed-unusable", by, least=SEED_BYTES)
    if hashlib.sha256(seed).hexdigest() != now.committed[name]:
        return problem("vault.seed-differs", by, name=name)
    held = _seeds(room)
    if isinstance(held, Problem):
        return held
    key, seeds = held
    content = seeds_file({**seeds, name: seed}, public_key(key), room.entropy)
    put_private(room.folder / SEEDS, content)
    _add(room, steps, SeedRevealed(now.open, name))
    return None


def abort(room: Room, reason: str) -> Problem | None:
    """End the ceremony without a list. The seeds that were brought are removed; the record stays."""
    found = _open(room)
    if isinstance(found, Problem):
        return found
    if not reason.strip():
        return problem("vault.abort-without-reason", str(room.folder))
    steps, now = found
    _add(room, steps, CeremonyAborted(now.open, " ".join(unicodedata.normalize("NFC", reason).split())))
    for name in (SEEDS, KEY):
        if (room.folder / name).exists():
            destroy_file(room.folder / name)
    return None


def hold_open(room: Room, study: Study, terms: Terms) -> tuple[Held, tuple[Step, ...]] | Problem:
    """Make the list of the ceremony that is open, from everybody's seeds; nothing is written yet.

    terms: `public_value` is the value that the ceremony named when it began, now known; its key and id are filled in.
    The record with its last step is given beside what is to be written.
    """
    found = _open(room)
    if isinstance(found, Problem):
        return found
    steps, now = found
    waiting = sorted(set(now.committed) - set(now.revealed) - {MACHINE})
    if waiting or len(now.committed) < 3:
        return problem("vault.seeds-missing", str(room.folder), names=", ".join(waiting) or "–")
    if now.digest != study_digest(study):
        return problem("vault.ceremony-of-another-definition", str(room.folder))
    if bool(now.public_value) != bool(terms.public_value):
        return problem("vault.public-value-missing", str(room.folder), name=now.public_value or "–")
    opened = _seeds(room)
    if isinstance(opened, Problem):
        return opened
    key, seeds = opened
    if {name: hashlib.sha256(seed).hexdigest() for name, seed in seeds.items()} != dict(now.committed):
        return problem("vault.seeds-unreadable", SEEDS)
    held = hold(study, seeds, replace(terms, key=key, ceremony=now.open))
    if isinstance(held, Problem):
        return held
    left = (held.made, held.sealed) if held.sealed is not None else (held.made,)
    return held, (*steps, *(Step(entry, room.stamp()) for entry in left))


def state(room: Room) -> Standing | Problem:
    """What the record says now."""
    found = _read(room)
    return found if isinstance(found, Problem) else found[1]


def _read(room: Room) -> tuple[tuple[Step, ...], Standing] | Problem:
    steps = read_record(room.folder)
    return steps if isinstance(steps, Problem) else (steps, standing(steps))


def _open(room: Room) -> tuple[tuple[Step, ...], Standing] | Problem:
    found = _read(room)
    if not isinstance(found, Problem) and not found[1].open:
        return problem("vault.no-ceremony", str(room.folder))
    return found


def _seeds(room: Room) -> tuple[bytes, Mapping[str, bytes]] | Problem:
    try:
        key = bytes.fromhex((room.folder / KEY).read_text("ascii").strip())
        found = read_seeds((room.folder / SEEDS).read_bytes(), key)
    except (OSError, ValueError):
        return problem("vault.seeds-unreadable", SEEDS)
    return found if isinstance(found, Problem) else (key, found)


def _add(room: Room, steps: tuple[Step, ...], *entries: Entry) -> None:
    write_record(room.folder, (*steps, *(Step(entry, room.stamp()) for entry in entries)))


def put_private(path: Path, content: bytes) -> None:
    """Put a file in its place whole, readable by its owner alone, on disk before this returns. Raises OSError."""
    draft = path.with_name(path.name + ".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)

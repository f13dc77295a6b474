"""The list that lies with the second door: taken in from a ceremony's folder, and read when the door opens.

    FOLDER/list/slots.json         the sealed slots, as the ceremony wrote them
    FOLDER/list/vault.key.sealed   the key that opens them, sealed under the keyring
    FOLDER/list/seeds.json         the seeds, sealed to that key, for the final release

The rule that must stay true: once a list was taken in, its key lies nowhere unsealed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from equipoise.ledger.entries import Entry
from equipoise.ledger.vault_entries import ListMade
from equipoise.vault.ceremony_record import NAME as RECORD
from equipoise.vault.ceremony_record import ceremony_entries
from equipoise.vault.keyring import Keyring, destroy_file, write_private
from equipoise.vault.lists import REHEARSAL_GENERATOR
from equipoise.vault.slots import SlotBook, read_slots
from equipoise.words.ids import Entropy
from equipoise.words.problem import Problem, problem

PLACE = "list"
SLOTS, SEEDS, KEY = "slots.json", "seeds.json", "vault.key"
SEALED_KEY = KEY + ".sealed"
_KEY_BYTES = 32


def of_a_rehearsal(entries: Sequence[Entry]) -> bool:
    """Whether the last list of these ceremonies came from a known seed: everybody could open its slots."""
    made = [entry for entry in entries if isinstance(entry, ListMade)]
    return bool(made) and made[-1].generator == REHEARSAL_GENERATOR


def left_list(source: Path, study: str) -> tuple[Entry, ...] | Problem:
    """The entries of the ceremonies held in `source`, the last of which left a list that can be taken in from there.

    Problems: `vault.list-unreadable`, `vault.record-broken`, `vault.slots-unreadable`.
    """
    key = _left_key(source)
    entries = ceremony_entries(source)
    if isinstance(key, Problem) or isinstance(entries, Problem):
        return key if isinstance(key, Problem) else entries
    made = next((entry for entry in reversed(entries) if isinstance(entry, ListMade)), None)
    book = read_slots(source / SLOTS, study, key)
    if isinstance(book, Problem):
        return book
    if made is None or made.slots != len(book):
        return problem("vault.list-unreadable", str(source), folder=source, detail=RECORD)
    return entries


def _left_key(source: Path) -> bytes | Problem:
    try:
        key = bytes.fromhex((source / KEY).read_text("ascii").strip())
    except (OSError, ValueError) as error:
        detail = error.strerror if isinstance(error, OSError) else KEY
        return problem("vault.list-unreadable", str(source), folder=source, detail=detail)
    if len(key) != _KEY_BYTES:
        return problem("vault.list-unreadable", str(source), folder=source, detail=KEY)
    return key


def take_in_list(folder: Path, source: Path, keyring: Keyring, entropy: Entropy) -> Problem | None:
    """Take slots, seeds and key out of a ceremony's folder; the key is sealed here and, last of all, destroyed there.

    What a taking in that was cut off left here is used again. Problems: `vault.list-already-held`,
    `vault.list-unreadable`.
    """
    place, key = folder / PLACE, _left_key(source)
    if isinstance(key, Problem):
        return key
    if (place / SEALED_KEY).exists() and keyring.open(SEALED_KEY, (place / SEALED_KEY).read_bytes()) != key:
        return problem("vault.list-already-held", str(place), folder=place)
    try:
        for name in (SLOTS, SEEDS):
            if (source / name).exists():
                _keep(place / name, (source / name).read_bytes())
        if not (place / SEALED_KEY).exists():
            write_private(place / SEALED_KEY, keyring.seal(SEALED_KEY, key, entropy))
        destroy_file(source / KEY)
    except OSError as error:
        return problem("vault.list-unreadable", str(source), folder=source, detail=error.strerror)
    return None


def _keep(path: Path, content: bytes) -> None:
    """A private file with this content; one that is there and is the same stays. Raises OSError."""
    if path.exists() and path.read_bytes() != content:
        path.unlink()
    if not path.exists():
        write_private(path, content)


def slot_key(folder: Path, keyring: Keyring) -> bytes | None:
    """The key that opens the slots; None where no list was taken in, or the file is not what was sealed."""
    try:
        return keyring.open(SEALED_KEY, (folder / PLACE / SEALED_KEY).read_bytes())
    except OSError:
        return None


def held_list(folder: Path, keyring: Keyring, study: str) -> SlotBook | Problem | None:
    """The slots that lie here; None before a list was taken in. Problem: `vault.list-unreadable`."""
    if not os.path.lexists(folder / PLACE / SEALED_KEY):
        return None
    key = slot_key(folder, keyring)
    if key is None:
        place = folder / PLACE
        return problem("vault.list-unreadable", str(place), folder=place, detail=SEALED_KEY)
    return read_slots(folder / PLACE / SLOTS, study, key)

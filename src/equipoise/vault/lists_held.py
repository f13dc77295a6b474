"""The list that lies with the second door: taken in from a ceremony's folder, and read when the door opens.

    FOLDER/list/slots.json         the sealed slots, as the ceremony wrote them
    FOLDER/list/vault.key.sealed   the key that opens them, sealed under the keyring
    FOLDER/list/seeds.json         the seeds, sealed to that key, for the final release

The rule that must stay true: once a list was taken in, its key lies nowhere unsealed.
"""

from __future__ import annotations

import os
from pathlib import Path

from equipoise.vault.keyring import Keyring, destroy_file, write_private
from equipoise.vault.slots import SlotBook, read_slots
from equipoise.words.ids import Entropy
from equipoise.words.problem import Problem, problem

PLACE = "list"
SLOTS, SEEDS, KEY = "slots.json", "seeds.json", "vault.key"
SEALED_KEY = KEY + ".sealed"
_KEY_BYTES = 32


def take_in_list(folder: Path, source: Path, keyring: Keyring, entropy: Entropy) -> Problem | None:
    """Take slots, seeds and key out of a ceremony's folder; the key is sealed here and destroyed there.

    Problems: `vault.list-already-held`, `vault.list-unreadable`.
    """
    place = folder / PLACE
    if (place / SEALED_KEY).exists():
        return problem("vault.list-already-held", str(place), folder=place)
    try:
        key = bytes.fromhex((source / KEY).read_text("ascii").strip())
        if len(key) != _KEY_BYTES:
            raise ValueError(KEY)
        for name in (SLOTS, SEEDS):
            if source.resolve() != place.resolve() and (source / name).exists():
                write_private(place / name, (source / name).read_bytes())
        write_private(place / SEALED_KEY, keyring.seal(SEALED_KEY, key, entropy))
        destroy_file(source / KEY)
    except (OSError, ValueError) as error:
        detail = error.strerror if isinstance(error, OSError) else type(error).__name__
        return problem("vault.list-unreadable", str(source), folder=source, detail=detail)
    return None


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

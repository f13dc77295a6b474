"""Making and opening a second door: its folder, its passphrase, its ledger under a wrapped key.

    FOLDER/ledger.sqlite, checkpoints/, keys/keys.sqlite     the ledger; every key in the key file is sealed
    FOLDER/keyring.sealed                                    what opens it, sealed with the passphrase
    FOLDER/list/                                             the list that a ceremony left

The rules that must stay true: a door is made once for one first door, whose key is pinned in its first entry; without
the passphrase nothing of it opens, and lengths tell nothing; that it was opened, and tried in vain, is written down.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Literal

from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.store import StoreFault
from equipoise.ledger.vault_entries import VaultOpened
from equipoise.protocol.digest import canonical_study
from equipoise.protocol.study import Study
from equipoise.vault.keyring import WORK, Keyring, create_keyring, open_keyring
from equipoise.vault.lists_held import left_list, of_a_rehearsal
from equipoise.vault.routes import ROOMS
from equipoise.vault.vault import STREAM, Vault
from equipoise.words.canonical import canonical_bytes
from equipoise.words.clock import Clock, system_clock
from equipoise.words.ids import Entropy
from equipoise.words.problem import Problem, problem

__all__ = ["Vault", "create_vault", "open_vault"]
FILL = 256
"""Bytes to whose multiples bodies are filled up: a product's name is longer than another's."""


def create_vault(
    folder: Path,
    study: Study,
    purpose: Literal["rehearsal", "trial"],
    first_door_key: str,
    list_folder: Path | None,
    passphrase: str,
    *,
    clock: Clock = system_clock,
    entropy: Entropy = secrets.token_bytes,
    work: int = WORK,
) -> Vault | Problem:
    """A new second door in `folder`, which must be empty of one.

    first_door_key: the first door's public key (Ed25519, hex): from now on only what it signs is believed.
    list_folder: where a ceremony left its list and its record; the key in it is taken in and destroyed there.
    work: cost of a try of the passphrase, as a power of two; less than usual in tests only.
    Problems: `vault.already-there`, `vault.key-of-first-door`, `vault.rehearsal-only`, and those of keyring, ledger,
    ceremony and list.
    """
    if (folder / "ledger.sqlite").exists():
        return problem("vault.already-there", str(folder), folder=folder)
    if not _is_key(first_door_key):
        return problem("vault.key-of-first-door")
    if purpose == "trial" and _made_up(clock, entropy):
        return problem("vault.rehearsal-only")
    left = left_list(list_folder, study.id) if list_folder is not None else ()
    if isinstance(left, Problem):
        return left
    if purpose == "trial" and of_a_rehearsal(left):
        return problem("randomization.list-of-a-rehearsal", str(list_folder))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    keyring = create_keyring(folder, passphrase, entropy, work=work)
    if isinstance(keyring, Problem):
        return keyring
    ledger = open_ledger(folder, write=True, create=True, wrap=keyring.wrap, fill=FILL, entropy=entropy)
    if isinstance(ledger, Problem):
        return ledger
    opened = VaultOpened(purpose, study.id, first_door_key, canonical_bytes(canonical_study(study)).decode())
    vault = Vault(folder, ledger, keyring, opened, rooms=ROOMS, clock=clock, entropy=entropy)
    try:
        refused = vault.begin(first=True)
        if refused is None and list_folder is not None:
            refused = vault.take_in_list(list_folder)
    except StoreFault as reason:
        refused = reason.problem
    if refused is not None:
        ledger.close()
        return refused
    return vault


def open_vault(
    folder: Path, passphrase: str, *, clock: Clock = system_clock, entropy: Entropy = secrets.token_bytes
) -> Vault | Problem:
    """The second door in `folder`, unlocked; that it was, and how often it was tried in vain, is written down.

    Problems: `vault.wrong-passphrase` (counted), `vault.keyring-unreadable`, `vault.rehearsal-only`,
    `vault.not-a-vault`, and those of ledger and list.
    """
    if not (folder / "ledger.sqlite").exists():
        return problem("ledger.not-found", str(folder), path=folder)
    keyring = open_keyring(folder, passphrase)
    if isinstance(keyring, Problem):
        return keyring
    ledger = open_ledger(folder, write=True, wrap=keyring.wrap, fill=FILL, entropy=entropy)
    if isinstance(ledger, Problem):
        return ledger
    try:
        vault = _begun(folder, ledger, keyring, clock, entropy)
    except StoreFault as reason:
        vault = reason.problem
    if isinstance(vault, Problem):
        ledger.close()
    return vault


def _begun(folder: Path, ledger: Ledger, keyring: Keyring, clock: Clock, entropy: Entropy) -> Vault | Problem:
    """The vault over a ledger that was opened, or why it is none. Raises StoreFault."""
    with ledger.reading() as reader:
        first = next(iter(reader.entries(STREAM)), None)
    opened = first.entry if first is not None else None
    if not isinstance(opened, VaultOpened):
        return problem("vault.not-a-vault", str(folder), folder=folder)
    if opened.purpose == "trial" and _made_up(clock, entropy):
        return problem("vault.rehearsal-only")
    vault = Vault(folder, ledger, keyring, opened, rooms=ROOMS, clock=clock, entropy=entropy)
    return vault.begin(first=False) or vault.load_list() or vault


def _is_key(text: str) -> bool:
    try:
        return len(bytes.fromhex(text)) == 32
    except ValueError:
        return False


def _made_up(clock: Clock, entropy: Entropy) -> bool:
    return clock is not system_clock or entropy is not secrets.token_bytes

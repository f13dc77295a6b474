"""Who, beside the second door itself, can open slots: unblinded persons alone, backup officers any two together.

The rules that must stay true: a private key is made on its holder's machine and never comes here; a person is the
random id by which both doors know them, and stands for one key and a key for one person, so that "two officers" are
two; the name beside it is for paper; every slot is sealed for everybody in the same lengths. That a holder has a role
which sees arms, and so never gets a blinded one, is asked before the list is published (`desk.setup`).
A key file holds 64 hexadecimal digits: FILE the private key (0600), FILE.pub the public one.
Source: X25519, RFC 7748 (public keys of small order are refused, section 6.1).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Any

from equipoise.access.commands import SYSTEM
from equipoise.ledger.vault_entries import SlotHolder
from equipoise.randomization.public import PublicList
from equipoise.randomization.sealing import (
    SlotContent,
    SlotName,
    new_key,
    public_key,
    seal,
    seal_bytes,
    seal_for_two,
    unseal,
    unseal_by_two,
)
from equipoise.vault.ceremony_names import name_of
from equipoise.words.ids import Entropy
from equipoise.words.problem import Problem, problem

VAULT = "vault"
"""The recipient that every list has: the second door itself."""
_ACTOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Recipients:
    """Public keys (32 bytes) by person (random id): `persons` open alone, `officers` any two together.

    `names`: what each is called on paper.
    """

    persons: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    officers: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def holders(self) -> tuple[SlotHolder, ...]:
        """Everybody, those who open alone first, by person."""
        alone = [SlotHolder(one, self.names[one], "ALONE") for one in sorted(self.persons)]
        return (*alone, *(SlotHolder(one, self.names[one], "WITH_ANOTHER") for one in sorted(self.officers)))


def read_recipients(persons: Sequence[str], officers: Sequence[str]) -> Recipients | Problem:
    """The recipients from texts `ACTOR:NAME=FILE`, where FILE holds a public key; at least two officers, or none."""
    keys: dict[str, bytes] = {}
    names: dict[str, str] = {}
    for text in (*persons, *officers):
        head, _, file = text.partition("=")
        actor, _, called = head.partition(":")
        key, name = _public(Path(file)), name_of(called)
        if isinstance(key, Problem):
            return key
        unfit = not _ACTOR.fullmatch(actor) or actor in {VAULT, SYSTEM.actor} or name is None
        if unfit or actor in keys or key in keys.values():
            return problem("vault.recipient-unusable", text)
        keys[actor], names[actor] = key, name or ""
    if len(officers) == 1:
        return problem("vault.officers-too-few", officers[0])
    alone = {text.partition(":")[0] for text in persons}
    return Recipients(
        {actor: key for actor, key in keys.items() if actor in alone},
        {actor: key for actor, key in sorted(keys.items()) if actor not in alone},
        names,
    )


def _public(file: Path) -> bytes | Problem:
    try:
        text = file.read_text("ascii").strip()
        key = bytes.fromhex(text) if _KEY.fullmatch(text) else b""
        seal_bytes(b"", key, b"", os.urandom)
    except (OSError, ValueError):
        return problem("vault.key-unreadable", str(file))
    return key


def read_private(file: Path) -> bytes | Problem:
    """A private key from its file."""
    try:
        text = file.read_text("ascii").strip()
    except (OSError, ValueError):
        return problem("vault.key-unreadable", str(file))
    return bytes.fromhex(text) if _KEY.fullmatch(text) else problem("vault.key-unreadable", str(file))


def make_key_files(file: Path, entropy: Entropy) -> str:
    """Write a new private key to `file` (0600) and its public half to `file`.pub; the public key (hex).

    Raises OSError, also where one of the files is there already.
    """
    key = new_key(entropy)
    public = public_key(key).hex()
    for path, text, mode in ((file, key.hex(), 0o600), (file.with_name(file.name + ".pub"), public, 0o644)):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w") as out:
            out.write(text + "\n")
    return public


def sealed_for(
    slot: SlotName, content: SlotContent, vault: bytes, recipients: Recipients, entropy: Entropy
) -> Mapping[str, bytes]:
    """The slot sealed for everybody: `vault`, each person by id, and each pair of officers as `one+other`."""
    found = {VAULT: seal(slot, content, vault, entropy)}
    for name, key in recipients.persons.items():
        found[name] = seal(slot, content, key, entropy)
    for (one, first), (other, second) in combinations(recipients.officers.items(), 2):
        found[f"{one}+{other}"] = seal_for_two(slot, content, first, second, entropy)
    return found


def open_sealed(
    sealed_slots: Path, public: PublicList, number: str, keys: Sequence[bytes]
) -> SlotContent | Problem:
    """What a slot holds, opened with one person's private key or those of two officers, once it agrees with `public`.

    sealed_slots: a copy of `slots.json`. Tries every seal of the slot, so that nobody must know under which name.
    """
    try:
        slots: dict[str, Any] = json.loads(sealed_slots.read_bytes())["slots"]  # Any: a file, judged below
        held = slots[number]
        name = SlotName(public.made_for[0], held["stratum"], held["index"])
        seals = [bytes.fromhex(each) for each in held["sealed"].values()]
        committed = public.command.slots[name.stratum][name.index - 1]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return problem("vault.slot-unreadable", number)
    if committed.number != number:
        return problem("vault.slot-not-committed", number)
    found: SlotContent | Problem = problem("vault.slot-unreadable", number)
    for each in seals:
        if len(keys) == 2:
            found = unseal_by_two(name, each, (keys[0], keys[1]), committed.commitment)
        else:
            found = unseal(name, each, keys[0], committed.commitment)
        if not isinstance(found, Problem) or found.rule == "vault.slot-not-committed":
            return found
    return found

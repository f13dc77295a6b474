"""Holding a ceremony in memory: from everybody's seeds to the bytes of every file that it leaves. Nothing is written.

The rules that must stay true: the combined seed exists only in here; every slot is opened again before anything is
given back; a rehearsal is the same, byte for byte, every time; nothing in the public files tells an arm.
`slots.json`: {arms, officers, recipients, slots: number -> {stratum, index, sealed: who -> hex}}; `vault.key`: the
private key (hex) that opens the seals of `vault`; `seeds.json`: a list of {by, seed}, sealed to that key.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from equipoise.ledger.entries import PublicSlot
from equipoise.ledger.vault_entries import Contribution, ListMade, SlotsSealed
from equipoise.protocol.digest import study_digest
from equipoise.protocol.study import Study
from equipoise.randomization.draws import Draws, combined
from equipoise.randomization.program import program_hash
from equipoise.randomization.public import HOLDERS, NAME, public_content
from equipoise.randomization.sealing import new_key, public_key, seal_bytes, unseal, unseal_bytes
from equipoise.randomization.tree import list_root
from equipoise.vault.lists import GENERATOR, REHEARSAL_GENERATOR, AllocationList, make_list, plan_of
from equipoise.vault.recipients import VAULT, Recipients, sealed_for
from equipoise.words.canonical import Json, canonical_bytes
from equipoise.words.ids import Entropy, random_id
from equipoise.words.problem import Problem, problem

SLOTS, KEY, SEEDS = "slots.json", "vault.key", "seeds.json"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a ceremony is held under, beside study and seeds.

    public_value: the value that was named beforehand, now known; ceremony: its id, and key: the vault's private key,
    where both were made when it began.
    """

    over_bar_because: str = ""
    rehearsal: bool = False
    public_value: str = ""
    recipients: Recipients = field(default_factory=Recipients)
    ceremony: str = ""
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class Held:
    """What a ceremony leaves: file name -> bytes for either folder, the root, and its entry."""

    public: Mapping[str, bytes]
    vault: Mapping[str, bytes]
    root: str
    slots: int
    made: ListMade
    sealed: SlotsSealed | None = None


def usable_value(value: str) -> bool:
    """Whether a public value looks the same only when it is the same: ASCII, single spaces, at most 200 signs.

    Signs that nobody sees would let whoever types it choose among lists with one and the same value on the
    certificate.
    """
    return len(value) <= 200 and re.fullmatch(r"[!-~]+( [!-~]+)*", value) is not None


def hold(study: Study, contributions: Mapping[str, bytes], terms: Terms | None = None) -> Held | Problem:
    """The list, made, sealed and checked. `contributions` are the seeds by who brought them."""
    held_under = terms or Terms()
    if held_under.public_value and not usable_value(held_under.public_value):
        return problem("vault.public-value-unfit", "public value")
    seed = combined([contributions[name] for name in sorted(contributions)], held_under.public_value)
    made = make_list(study, study_digest(study), seed)
    if isinstance(made, Problem):
        return made
    # A rehearsal is the same, byte for byte, every time; a trial's keys come from the machine.
    entropy: Entropy = Draws(seed, "rehearsal keys").take if held_under.rehearsal else secrets.token_bytes
    key = held_under.key or new_key(entropy)
    public = made.public()
    sealed = {
        slot.number: sealed_for(slot.name, slot.content, public_key(key), held_under.recipients, entropy)
        for slots in made.slots.values()
        for slot in slots
    }
    _check(made, public, sealed, key)
    facts = public_facts(study, contributions, held_under)
    entry = ListMade(
        held_under.ceremony or random_id(entropy), str(facts["generator"]), str(facts["program"]), list_root(public),
        len(sealed), tuple(contributed(contributions)), held_under.public_value,
    )  # fmt: skip
    files = {
        SLOTS: _slots_file(made, sealed, held_under.recipients),
        KEY: key.hex().encode() + b"\n",
        SEEDS: seeds_file(contributions, public_key(key), entropy),
    }
    holders = held_under.recipients.holders()
    return Held(
        {NAME: public_content(facts, public, entry.root)}, files, entry.root, len(sealed), entry,
        SlotsSealed(entry.ceremony, holders) if holders else None,
    )  # fmt: skip


def contributed(contributions: Mapping[str, bytes]) -> Iterator[Contribution]:
    """Who brought a seed and its SHA-256, by name: what may be known before the release."""
    for name in sorted(contributions):
        yield Contribution(name, hashlib.sha256(contributions[name]).hexdigest())


def public_facts(study: Study, contributions: Mapping[str, bytes], terms: Terms) -> Mapping[str, Json]:
    """What the public file says beside its slots."""
    holders = [
        {"actor": one.actor, "name": one.name, "opens": one.opens} for one in terms.recipients.holders()
    ]
    beside: dict[str, Json] = {HOLDERS: [dict(one) for one in holders]} if holders else {}
    return {
        **beside,
        "generator": REHEARSAL_GENERATOR if terms.rehearsal else GENERATOR,
        "program": program_hash(),
        "study": study.id,
        "version": study.version,
        "digest": study_digest(study),
        "plan": plan_of(study),
        "contributions": [{"by": each.by, "digest": each.digest} for each in contributed(contributions)],
        "public_value": terms.public_value,
        "over_bar_because": terms.over_bar_because,
    }


def _check(
    made: AllocationList,
    public: Mapping[str, tuple[PublicSlot, ...]],
    sealed: Mapping[str, Mapping[str, bytes]],
    key: bytes,
) -> None:
    """Open every slot again before anything is written: a list that cannot be opened is a fault of the program."""
    for code, slots in made.slots.items():
        for slot, told in zip(slots, public[code], strict=True):
            if unseal(slot.name, sealed[slot.number][VAULT], key, told.commitment) != slot.content:
                raise RuntimeError("a slot does not open as it was sealed")


def _slots_file(
    made: AllocationList, sealed: Mapping[str, Mapping[str, bytes]], recipients: Recipients
) -> bytes:
    slots: dict[str, Json] = {
        slot.number: {
            "stratum": code,
            "index": slot.name.index,
            "sealed": {who: each.hex() for who, each in sealed[slot.number].items()},
        }
        for code, listed in made.slots.items()
        for slot in listed
    }
    content: dict[str, Json] = {
        "arms": list(made.arms),
        "slots": slots,
        "recipients": {name: key.hex() for name, key in recipients.persons.items()},
        "officers": {name: key.hex() for name, key in recipients.officers.items()},
    }
    return canonical_bytes(content) + b"\n"


def seeds_file(contributions: Mapping[str, bytes], recipient: bytes, entropy: Entropy) -> bytes:
    """The seeds, each sealed to the vault's public key, for the final release."""
    sealed: list[Json] = [
        {"by": name, "seed": seal_bytes(contributions[name], recipient, _context(name), entropy).hex()}
        for name in sorted(contributions)
    ]
    return canonical_bytes(sealed) + b"\n"


def read_seeds(content: bytes, private: bytes) -> Mapping[str, bytes] | Problem:
    """The seeds by who brought them, from the bytes of `seeds.json` and the vault's private key."""
    try:
        written: Sequence[Mapping[str, str]] = json.loads(content)
        opened = {
            each["by"]: unseal_bytes(bytes.fromhex(each["seed"]), private, _context(each["by"]))
            for each in written
        }
    except (ValueError, KeyError, AttributeError, TypeError):
        return problem("vault.seeds-unreadable", SEEDS)
    found = {name: seed for name, seed in opened.items() if seed is not None}
    return found if len(found) == len(opened) else problem("vault.seeds-unreadable", SEEDS)


def _context(name: str) -> bytes:
    return b"equipoise-seed-1 " + name.encode()

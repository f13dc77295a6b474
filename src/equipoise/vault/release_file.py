"""The file of the final release: `release.json`. From it and the public list anyone makes the whole list again.

The rules that must stay true: it is made only by the gate of the final release, which calls `release_content` once
all conditions hold; it says everything that the list followed from (seeds, arms, nonces, draws) and what was
dispensed, and nothing else; the seeds in it are those that the public file has commitments to, or it is not made at
all. Read by `randomization/verify_allocation.py`, which needs no other file than the two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from equipoise.ledger.entries import PublicSlot
from equipoise.ledger.vault_entries import ListMade
from equipoise.protocol.digest import study_digest
from equipoise.protocol.study import Study
from equipoise.randomization.draws import combined
from equipoise.randomization.program import program_hash
from equipoise.vault.lists import AllocationList, make_list
from equipoise.words.canonical import Json, canonical_bytes
from equipoise.words.problem import Problem, problem

NAME = "release.json"
FORMAT = "equipoise-release-1"
BOTH = "+"


@dataclass(frozen=True, slots=True)
class Dispensed:
    """A slot that went to a subject, in the order of randomization.

    stratum: the subject's own stratum at randomization (its levels), also for minimization; arm: id of the arm whose
    product was in the bags handed over under the number, by the lots that were taken; "" where no bag was, and two ids
    joined by `BOTH` where doses differed, which no slot holds: the check of a release names it.
    """

    number: str
    subject: str
    stratum: str
    arm: str = ""


def release_content(
    study: Study,
    ceremony: ListMade,
    slots: Mapping[str, Sequence[PublicSlot]],
    seeds: Mapping[str, bytes],
    dispensed: Iterable[Dispensed] = (),
) -> bytes | Problem:
    """The bytes of `release.json`: canonical JSON and a line end. Called by the gate of the final release.

    study: the version that the list was made from; ceremony: the entry of the stream `ceremony`; slots: as published;
    seeds: `vault.holding.read_seeds` (name -> bytes); dispensed: every slot taken, in the order of randomization.
    The SHA-256 of the bytes is what ListReleased.release says. An open door gathers all this: `releasing.release_of`.
    Problems: `vault.release-of-another-list` where study, seeds and list do not belong together.
    """
    told = {each.by: each.digest for each in ceremony.contributions}
    if told != {name: hashlib.sha256(seed).hexdigest() for name, seed in seeds.items()}:
        return problem("vault.release-of-another-list", "seeds")
    seed = combined([seeds[name] for name in sorted(seeds)], ceremony.public_value)
    made = make_list(study, study_digest(study), seed)
    if isinstance(made, Problem):
        return made
    if made.public() != {code: tuple(listed) for code, listed in slots.items()}:
        return problem("vault.release-of-another-list", "slots")
    content: dict[str, Json] = {
        "format": FORMAT,
        "study": study.id,
        "digest": study_digest(study),
        "root": ceremony.root,
        "program": program_hash(),
        "public_value": ceremony.public_value,
        "arms": list(made.arms),
        "seeds": [{"by": name, "seed": seeds[name].hex()} for name in sorted(seeds)],
        "slots": _slots(made),
        "dispensed": [
            {"number": each.number, "subject": each.subject, "stratum": each.stratum, "arm": each.arm}
            for each in dispensed
        ],
    }
    checksum = hashlib.sha256(canonical_bytes(content)).hexdigest()
    return canonical_bytes({**content, "checksum": checksum}) + b"\n"


def _slots(made: AllocationList) -> Mapping[str, Json]:
    return {
        code: [
            {
                "number": slot.number,
                "arm": slot.content.arm,
                "draw": slot.content.draw.hex(),
                "nonce": slot.content.nonce.hex(),
            }
            for slot in slots
        ]
        for code, slots in made.slots.items()
    }

"""The public side of an allocation list, as a file: `allocation.json`. Readable by everybody.

The rules that must stay true: the file holds numbers and commitments in order and nothing from which an arm follows;
reading it needs no key; a file of which any byte was changed is not read as a list. The root stands for the slots, the
checksum for everything else that the file says (study, version, who brought seeds, by which method and program the
list was made, so that after the release it can be made again from public files alone); whoever changes a file and
computes both anew has made another list, which the published root shows.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from equipoise.ledger.entries import PublicSlot
from equipoise.randomization.commands import PublishAllocation
from equipoise.randomization.tree import list_root
from equipoise.words.canonical import Json, NotCanonical, canonical_bytes
from equipoise.words.problem import Problem, problem

NAME = "allocation.json"
FORMAT = "equipoise-allocation-1"
HOLDERS = "holders"
"""The one field that a file may lack: who, beside the second door, holds keys to the sealed slots."""
_HASH = re.compile(r"[0-9a-f]{64}")
_FIELDS = {
    "checksum", "contributions", "digest", "format", "generator", "over_bar_because", "plan", "program",
    "public_value", "root", "strata", "study", "version",
}  # fmt: skip


class PublicList:
    """A public list as read: `command` publishes it, `root` stands for it, `content` is the whole file.

    made_for: id of the study, and digest of the version of it, that the list was made from. holders: who can open slots
    beside the second door: (random id, name on paper, `ALONE` or `WITH_ANOTHER`).
    """

    def __init__(self, content: Mapping[str, Any], slots: Mapping[str, tuple[PublicSlot, ...]]) -> None:
        self.content = content
        self.root: str = content["root"]
        self.made_for: tuple[str, str] = content["study"], content["digest"]
        self.holders = tuple((one["actor"], one["name"], one["opens"]) for one in content.get(HOLDERS, ()))
        self.command = PublishAllocation(content["generator"], content["root"], slots)


def public_content(
    facts: Mapping[str, Json], slots: Mapping[str, tuple[PublicSlot, ...]], root: str | None = None
) -> bytes:
    """The bytes of the file. `facts` are its other fields: generator, program, study, version, digest and the like.

    root: of the slots, where it was computed already.
    """
    listed: dict[str, Json] = {
        stratum: [{"commitment": slot.commitment, "number": slot.number} for slot in stratum_slots]
        for stratum, stratum_slots in slots.items()
    }
    content: dict[str, Json] = {**facts, "format": FORMAT, "root": root or list_root(slots), "strata": listed}
    return canonical_bytes({**content, "checksum": _checksum(content)}) + b"\n"


def _checksum(content: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical content without the checksum itself."""
    others = {name: value for name, value in content.items() if name != "checksum"}
    return hashlib.sha256(canonical_bytes(others)).hexdigest()


def _as_written(content: Mapping[str, Any], data: bytes) -> bool:
    try:
        return data == canonical_bytes(content) + b"\n" and content["checksum"] == _checksum(content)
    except NotCanonical:
        return False


def read_public(path: Path) -> PublicList | Problem:
    """The list in a folder or file, once its root is shown to be right; else what is wrong."""
    file = path / NAME if path.is_dir() else path
    if not file.is_file():
        return problem("randomization.public-file-missing", str(path))
    try:
        data = file.read_bytes()
        content = json.loads(data)
    except (OSError, ValueError, RecursionError) as fault:
        return problem("randomization.public-file-unreadable", str(file), fault=" ".join(str(fault).split()))
    fault_found = _shape_fault(content)
    if fault_found is not None:
        return problem("randomization.public-file-unreadable", str(file), fault=fault_found)
    slots = {
        stratum: tuple(PublicSlot(slot["number"], slot["commitment"]) for slot in listed)
        for stratum, listed in content["strata"].items()
    }
    every = [slot for listed in slots.values() for slot in listed]
    for part in ("number", "commitment"):
        if len({getattr(slot, part) for slot in every}) != len(every):
            return problem("randomization.list-repeats", str(file))
    try:
        root = list_root(slots)
    except NotCanonical as fault:
        return problem("randomization.public-file-unreadable", str(file), fault=fault)
    if root != content["root"]:
        return problem("randomization.list-root-differs", str(file))
    if not _as_written(content, data):
        return problem("randomization.public-file-changed", str(file))
    return PublicList(content, slots)


def verify_public(path: Path) -> str | Problem:
    """The root (hex) of the public list at `path`, checked against every slot; needs no other file."""
    found = read_public(path)
    return found if isinstance(found, Problem) else found.root


def _shape_fault(content: object) -> str | None:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return f"format is not {FORMAT}"
    if set(content) - {HOLDERS} != _FIELDS:
        return "fields: " + ", ".join(sorted((set(content) - {HOLDERS}) ^ _FIELDS))
    holders = content.get(HOLDERS, [])
    if not isinstance(holders, list) or not all(_is_holder(each) for each in holders):
        return HOLDERS
    if not isinstance(content["strata"], dict) or not content["strata"]:
        return "strata"
    for stratum, listed in content["strata"].items():
        if not isinstance(listed, list) or not all(_is_slot(slot) for slot in listed):
            return f"slots of {stratum}"
    texts = ("digest", "generator", "program", "public_value", "root", "study", "version")
    if not isinstance(content["plan"], dict) or not isinstance(content["contributions"], list):
        return "plan or contributions"
    return next((name for name in texts if not isinstance(content[name], str)), None)


def _is_holder(holder: object) -> bool:
    if not isinstance(holder, dict) or set(holder) != {"actor", "name", "opens"}:
        return False
    return holder["opens"] in {"ALONE", "WITH_ANOTHER"} and all(
        isinstance(holder[name], str) and holder[name] for name in ("actor", "name")
    )


def _is_slot(slot: object) -> bool:
    if not isinstance(slot, dict) or set(slot) != {"commitment", "number"}:
        return False
    number, committed = slot["number"], slot["commitment"]
    return isinstance(number, str) and isinstance(committed, str) and _HASH.fullmatch(committed) is not None

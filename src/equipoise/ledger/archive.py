"""Archives: the whole ledger as lines of JSON, to be kept, handed on, and verified without this program.

Line 1 says what it is and holds the public key; then every checkpoint; then every entry in the order of the
appends; the last line holds the number of entries and the Merkle root, so that a cut archive is seen to be one.
The rules that must stay true: headers and leaves are always there, so that the chains can be checked; a body is
opened (nonce and content), sealed, or left out, as the caller's rule says, and whichever it is, nothing else
about the archive changes. An archive is written whole or not at all.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from equipoise.ledger.chain import leaf_of, read_body, read_header, unseal
from equipoise.ledger.codec import decode
from equipoise.ledger.entries import Header, Part, Recorded
from equipoise.ledger.merkle import root_of
from equipoise.ledger.opening import Ledger
from equipoise.ledger.store import StoredEntry, StoreFault, fault
from equipoise.ledger.verify import verify_path
from equipoise.words.canonical import Json, canonical_bytes
from equipoise.words.problem import Problem, problem

Showing = Literal["open", "sealed", "withheld"]
Rule = Callable[[Header, Part], Showing]
"""What an archive shows of a body part. A part whose key was destroyed is written sealed where `open` is asked."""


@dataclass(frozen=True, slots=True)
class Archived:
    """What an archive holds; `root` is the Merkle root, hexadecimal."""

    path: Path
    entries: int
    root: str


def everything_open(header: Header, part: Part) -> Showing:
    """The rule of an archive for the owner of all data."""
    return "open"


def write_archive(ledger: Ledger, target: Path, rule: Rule = everything_open) -> Archived | Problem:
    """Write the archive at `target` (lines of canonical JSON, UTF-8). It must not exist yet."""
    draft = target.with_name(target.name + ".draft")
    leaves: list[bytes] = []
    try:
        if target.exists():
            return problem("ledger.archive-exists", str(target), path=target)
        with draft.open("wb") as out:
            for line in _lines(ledger, rule, leaves):
                out.write(canonical_bytes(line) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        draft.rename(target)
    except StoreFault as reason:
        draft.unlink(missing_ok=True)
        return reason.problem
    except (OSError, UnicodeDecodeError) as error:
        draft.unlink(missing_ok=True)
        return problem("ledger.unavailable", str(target), path=target, detail=error)
    return Archived(target, len(leaves), root_of(leaves).hex())


def _lines(ledger: Ledger, rule: Rule, leaves: list[bytes]) -> Iterator[Json]:
    key = ledger.places.public_key
    yield {"archive": 1, "public_key": key.read_text("utf-8").strip() if key.exists() else ""}
    # Checkpoints first, in the file as in time: one made while the entries are read would promise more.
    for path in sorted(ledger.places.checkpoints.glob("*.checkpoint")):
        heads = path.with_suffix(".heads").read_text("utf-8")
        yield {"checkpoint": path.read_text("utf-8"), "heads": heads}
    with ledger.store.reading() as reading:
        for stored in reading.walk():
            leaves.append(bytes.fromhex(stored.leaf))
            yield _entry(ledger, rule, stored)
    yield {"entries": len(leaves), "root": root_of(leaves).hex()}


def _entry(ledger: Ledger, rule: Rule, stored: StoredEntry) -> Json:
    header = read_header(stored.header)
    if header is None or leaf_of(stored.header) != stored.leaf:
        raise fault(
            "ledger.chain-broken", f"{stored.stream} {stored.seq}", stream=stored.stream, seq=stored.seq
        )
    bodies: dict[str, Json] = {}
    for part in header.bodies:
        showing = rule(header, part.part)
        cipher = ledger.keys.cipher(header.stream, part.part) if showing == "open" else None
        sealed = stored.sealed.get(part.part, b"")
        if cipher is not None:
            opened = unseal(cipher, header, part, sealed)
            if isinstance(opened, Problem):
                raise StoreFault(opened)
            bodies[part.part] = {"nonce": opened[0].hex(), "body": read_body(opened[1])}
        elif showing != "withheld":
            bodies[part.part] = {"sealed": base64.b64encode(sealed).decode()}
    return {"header": read_body(stored.header), "leaf": stored.leaf, "bodies": bodies}


def read_archive(path: Path) -> Mapping[str, tuple[Recorded, ...]] | Problem:
    """The entries of every stream of an archive (the file, or the folder that holds it), once it has been verified.

    A part that is sealed or left out is withheld, as in a store whose key is gone. Problems: `ledger.archive-unfit`
    with the first bad position, `ledger.kind-unknown`, `ledger.body-surprising`.
    """
    verdict = verify_path(path)
    if not verdict.ok:
        return problem("ledger.archive-unfit", str(path), reason=verdict.lines()[-1])
    found: dict[str, list[Recorded]] = {}
    with Path(verdict.path).open("rb") as lines:
        for line in lines:
            value = json.loads(line)
            if "header" not in value:
                continue
            recorded = _read(value)
            if isinstance(recorded, Problem):
                return recorded
            found.setdefault(recorded.header.stream, []).append(recorded)
    return {name: tuple(sorted(entries, key=lambda one: one.header.seq)) for name, entries in found.items()}


def _read(value: Mapping[str, Any]) -> Recorded | Problem:  # Any: JSON of a file that was verified
    header = read_header(canonical_bytes(value["header"]))
    if header is None:
        return problem("ledger.header-unreadable", str(value["header"]), stream="", seq=0)
    opened = {part: body["body"] for part, body in value["bodies"].items() if "body" in body}
    withheld = tuple(part.part for part in header.bodies if part.part not in opened)
    if "main" not in opened:
        return Recorded(header, value["leaf"], None, withheld)
    entry = decode(header.kind, opened["main"], opened.get("aside"))
    return entry if isinstance(entry, Problem) else Recorded(header, value["leaf"], entry, withheld)

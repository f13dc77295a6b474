"""Checkpoints: signed statements, outside the database, of everything that stood in the ledger at a moment.

A checkpoint is a signed note (notes.py): the log's name, the number of entries, the Merkle root, and two lines
of our own, `at` (UTC) and `heads` (SHA-256 of the file beside it, which lists the streams that grew since the
checkpoint before, as `stream seq leaf`, so that a lost entry can be named).
The rules that must stay true: a checkpoint is signed only over what was just read back from the store, leaf by
leaf, and only when the last checkpoint is its beginning; a store that is older than its checkpoint, or another
store, gets no signature. Copies belong with the site, the monitoring board and the sponsor.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from equipoise.ledger.chain import leaf_of
from equipoise.ledger.merkle import GrowingTree
from equipoise.ledger.notes import key_id, origin_of, signature_line, write_whole
from equipoise.ledger.opening import Ledger
from equipoise.ledger.store import StoreFault
from equipoise.words.problem import Problem, problem

_TREE = "tree"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint as it was read or made; `note` is the whole signed text, `root` hexadecimal."""

    origin: str
    size: int
    root: str
    at: str
    heads: str
    note: str


@dataclass(slots=True)
class Tree:
    """Every leaf of a store in order, the heads of its streams (stream -> (seq, leaf)), and where each entry stands.

    position: that of the last entry which was read.
    """

    grown: GrowingTree = field(default_factory=GrowingTree)
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    index: dict[tuple[str, int], int] = field(default_factory=dict)
    position: int = 0

    @property
    def leaves(self) -> Sequence[bytes]:
        """The leaf hashes, in order."""
        return self.grown.leaves


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The proof that a leaf is entry `index` of the tree of `size`: hexadecimal hashes, lowest first."""

    leaf: str
    index: int
    size: int
    path: tuple[str, ...]


def read_tree(ledger: Ledger) -> Tree | Problem:
    """The leaves, computed anew from the headers; `ledger.chain-broken` where a stored leaf is another.

    Where the disk is not waited for (a rehearsal), what was read before is remembered, and only read on.
    """
    known = ledger.remembered.pop(_TREE, None)
    tree = known if isinstance(known, Tree) else Tree()
    heads, index = tree.heads, tree.index
    try:
        with ledger.store.reading() as reading:
            for stored in reading.walk(tree.position, bodies=False):
                leaf = leaf_of(stored.header)
                if leaf != stored.leaf or stored.seq != heads.get(stored.stream, (0, ""))[0] + 1:
                    where = f"{stored.stream} {stored.seq}"
                    return problem("ledger.chain-broken", where, stream=stored.stream, seq=stored.seq)
                heads[stored.stream] = (stored.seq, leaf)
                index[stored.stream, stored.seq] = len(tree.grown)
                tree.grown.add(bytes.fromhex(leaf))
                tree.position = stored.position
    except StoreFault as reason:
        return reason.problem
    if not ledger.store.durable:
        ledger.remembered[_TREE] = tree
    return tree


def make_checkpoint(ledger: Ledger, at: dt.datetime) -> Checkpoint | Problem:
    """Sign what stands now and write it to the checkpoints folder; the last one again where nothing was added.

    Problems: `ledger.checkpoint-nothing`, `ledger.checkpoint-contradicted` (the store is not the continuation of
    the last checkpoint), `ledger.checkpoint-unreadable`, `ledger.chain-broken`, and those of reading and writing.
    """
    tree = read_tree(ledger)
    if isinstance(tree, Problem):
        return tree
    if not tree.leaves:
        return problem("ledger.checkpoint-nothing")
    last = last_checkpoint(ledger)
    if isinstance(last, Problem):
        return last
    if last is not None:
        if last.size > len(tree.leaves) or tree.grown.root(last.size).hex() != last.root:
            return problem("ledger.checkpoint-contradicted", str(last.size), size=last.size, at=last.at)
        if last.size == len(tree.leaves):
            return last
    grown = {stream: head for stream, head in tree.heads.items() if _grew(tree, stream, head[0], last)}
    heads = "".join(f"{stream} {seq} {leaf}\n" for stream, (seq, leaf) in sorted(grown.items()))
    made = _sign(ledger, tree, heads, at)
    try:
        ledger.places.checkpoints.mkdir(parents=True, exist_ok=True)
        durable = ledger.store.durable
        write_whole(_file(ledger, made.size, "heads"), heads, durable=durable)
        write_whole(_file(ledger, made.size, "checkpoint"), made.note, durable=durable)
    except OSError as error:
        path = ledger.places.checkpoints
        return problem("ledger.unavailable", str(path), path=path, detail=error.strerror)
    return made


def _grew(tree: Tree, stream: str, seq: int, last: Checkpoint | None) -> bool:
    return last is None or tree.index[stream, seq] >= last.size


def _sign(ledger: Ledger, tree: Tree, heads: str, at: dt.datetime) -> Checkpoint:
    root = tree.grown.root()
    moment = at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    summary = hashlib.sha256(heads.encode()).hexdigest()
    encoded = base64.b64encode(root).decode()
    text = f"{ledger.origin}\n{len(tree.leaves)}\n{encoded}\nat {moment}\nheads {summary}\n"
    note = f"{text}\n{signature_line(ledger.keys.public, ledger.keys.sign(text.encode()))}\n"
    return Checkpoint(ledger.origin, len(tree.leaves), root.hex(), moment, summary, note)


def _file(ledger: Ledger, size: int, kind: str) -> Path:
    return ledger.places.checkpoints / f"{size:012}.{kind}"


def last_checkpoint(ledger: Ledger) -> Checkpoint | Problem | None:
    """The checkpoint of the greatest size in the folder, its signature checked; None where there is none."""
    try:
        files = sorted(ledger.places.checkpoints.glob("*.checkpoint"))
        if not files:
            return None
        note = files[-1].read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        path = ledger.places.checkpoints
        return problem("ledger.unavailable", str(path), path=path, detail=error)
    found = read_note(note, ledger.keys.public)
    return found or problem("ledger.checkpoint-unreadable", str(files[-1]), path=files[-1])


def read_note(note: str, public: bytes) -> Checkpoint | None:
    """The checkpoint of a note signed by this key; None for any other text."""
    text, _, signatures = note.partition("\n\n")
    lines = text.split("\n")
    with contextlib.suppress(ValueError, binascii.Error, InvalidSignature):
        origin, size, root, at, heads = lines
        given = _signature(signatures, public)
        if origin == origin_of(public) and given is not None:
            Ed25519PublicKey.from_public_bytes(public).verify(given, f"{text}\n".encode())
            decoded = base64.b64decode(root, validate=True).hex()
            return Checkpoint(
                origin, int(size), decoded, at.removeprefix("at "), heads.removeprefix("heads "), note
            )
    return None


def _signature(lines: str, public: bytes) -> bytes | None:
    """The signature of this key among the signature lines, if there is one."""
    for line in lines.removesuffix("\n").split("\n"):
        mark, name, encoded = line.split(" ")
        blob = base64.b64decode(encoded, validate=True)
        if mark == "—" and name == origin_of(public) and blob[:4] == key_id(public):
            return blob[4:]
    return None


def prove_inclusion(tree: Tree, stream: str, seq: int, size: int | None = None) -> Inclusion | Problem:
    """The proof that an entry stands in the tree of the first `size` entries (all, where None)."""
    index = tree.index.get((stream, seq))
    upto = len(tree.leaves) if size is None else size
    if index is None or not index < upto <= len(tree.leaves):
        return problem("ledger.entry-not-found", f"{stream} {seq}", stream=stream, seq=seq)
    path = tree.grown.inclusion(index, upto)
    return Inclusion(tree.leaves[index].hex(), index, upto, _hex(path))


def prove_consistency(tree: Tree, older: int, newer: int) -> tuple[str, ...] | Problem:
    """The proof that the tree of `older` entries is the beginning of the tree of `newer` ones."""
    if not 0 < older <= newer <= len(tree.leaves):
        return problem("ledger.checkpoint-contradicted", str(older), size=max(older, newer), at="")
    return _hex(tree.grown.consistency(older, newer))


def _hex(hashes: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(one.hex() for one in hashes)

"""The verifier: checks a ledger and trusts nothing, not even this program. Standard library only, one file.

    python verify.py PATH [--json] [--key FILE] [--checkpoints FOLDER]

PATH is a store, an archive (JSON lines), or a folder that holds one. Without any key it checks every header,
leaf, chain, index column, sealed body, snapshot, the triggers and the database's structure, and every checkpoint
with its signature; in an archive, opened bodies against their commitments. It only reads; garbage is a finding,
no crash. Exit 0 with a last line `ok N entries root HEX`, or exit 1 and the first bad position as last line.
It cannot see that the newest entries are missing when no checkpoint was kept elsewhere (--checkpoints), nor who
owns the public key (--key, from a copy you trust), nor what a body says whose key you do not hold.
Sources: RFC 6962 (tree), RFC 8032 (Ed25519), C2SP signed-note (checkpoints); chain.py says what is hashed.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import re
import shutil
import sqlite3
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

COLUMNS = ("stream", "seq", "key", "part", "leaf")  # what stands beside a header in a store
HEX = re.compile(r"[0-9a-f]{64}")
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
TRIGGERS = {f"{table}_no_{way}" for table in ("entries", "bodies") for way in ("update", "delete", "replace")}
APPLICATION, IDENTITY = 0x45515053, ("application_id", "user_version")
LINES = {"archive public_key", "checkpoint heads", "bodies header leaf", "entries root"}  # names, in order
SCHEMA = {
    1: "cc49ed8e91f70e617b83daa2cce8fb841023c312cef3c1445ae542cfac21587e"
}  # user_version -> SHA-256 of SCHEMA_SQL's rows
SCHEMA_SQL = r"""SELECT type, name, sql FROM sqlite_schema WHERE tbl_name NOT LIKE 'read\_%' ESCAPE '\'
    AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY type, name"""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it must be: where (stream and seq, or a file), and what is wrong there."""

    says: str
    stream: str = ""
    seq: int = 0

    def line(self) -> str:
        """As people read it."""
        whose = " (records of one participant)" if self.stream.startswith(("subject/", "diary/")) else ""
        return f"stream {self.stream} entry {self.seq}{whose}: {self.says}" if self.stream else self.says


@dataclass
class Verdict:
    """What was checked and found. `root` is the Merkle root over all leaves, hexadecimal."""

    path: str
    entries: int = 0
    root: str = hashlib.sha256(b"").hexdigest()
    streams: int = 0
    bodies_sealed: int = 0
    bodies_opened: int = 0
    bodies_withheld: int = 0
    checkpoints: int = 0
    signatures: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything is as it must be."""
        return not self.findings

    def add(self, says: str, stream: object = "", seq: object = 0) -> None:
        """Note a finding; after fifty the rest add nothing."""
        if len(self.findings) < 50:
            self.findings.append(Finding(says, str(stream), seq if isinstance(seq, int) else 0))

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        """For machines; one JSON value."""
        return {"ok": self.ok, **asdict(self)}

    def lines(self) -> list[str]:
        """For people: what was checked, and as the last line the verdict or the first bad position."""
        names = ("streams", "bodies_sealed", "bodies_opened", "bodies_withheld", "checkpoints", "signatures")
        sums = ", ".join(f"{name.replace('_', ' ')} {getattr(self, name)}" for name in names)
        checked = f"checked {self.path}: {sums}"
        if self.ok:
            return [checked, f"ok {self.entries} entries root {self.root}"]
        first, *later = [one.line() for one in self.findings]
        return [checked, *(f"also: {line}" for line in later), f"BAD {first}"]


class Item(NamedTuple):
    """One entry as a source gives it. columns: what a store has beside the header; empty in an archive.
    bodies: part -> ("sealed", bytes) or ("opened", nonce ‖ body); a part that is absent was withheld."""

    header: bytes
    leaf: str
    columns: Mapping[str, object]
    bodies: Mapping[str, tuple[str, bytes]]


class Unreadable(Exception):
    """The source cannot be read any further; the message says why."""


def from64(text: str) -> bytes:
    """The bytes of base64 text; only the one way to write them is taken."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not base64 as it is written here")
    return data


def canonical(value: object) -> bytes:
    """RFC 8785 on the subset that headers and bodies use (no floats, ASCII keys)."""
    return ENCODER.encode(value).encode()


class Chains:
    """Follows every stream, and grows the Merkle tree leaf by leaf."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.heads: dict[str, tuple[int, str, str, str, int]] = {}  # seq, leaf, at, key, part
        self.leaves: dict[tuple[str, int], str] = {}
        self.keys: set[tuple[str, str]] = set()
        self.study, self.size = "", 0
        self._peaks: list[tuple[int, bytes]] = []  # (height, hash) of complete subtrees, left to right
        self.roots: dict[int, str] = {}

    def take(self, item: Item, wanted: Iterable[int]) -> None:
        """Check one entry against its stream and add its leaf to the tree."""
        leaf = hashlib.sha256(b"\x00" + item.header)
        try:
            header = json.loads(item.header.decode())
            fault = header_fault(item.header, header)
        except (ValueError, RecursionError):
            header, fault = {}, "the header is no JSON"
        if fault:
            place = item.columns.get("stream", f"of line {self.size + 1}"), item.columns.get("seq", 0)
            self.verdict.add(fault, *place)
        else:
            self._check(header, item, leaf.hexdigest())
        self._grow(leaf.digest())
        if self.size in wanted:
            self.roots[self.size] = self.root()

    def _check(self, header: dict[str, Any], item: Item, leaf: str) -> None:  # Any: SHAPE has held it
        stream, seq, at = header["stream"], header["seq"], header["at"]
        key, part = header["idempotency_key"], header["part"]
        last, add = self.heads.get(stream, (0, "0" * 64, "", "", -1)), self.verdict.add
        for name, value in item.columns.items():
            if value != (leaf if name == "leaf" else header["idempotency_key" if name == "key" else name]):
                add(f"the {name} beside the header differs from the header", stream, seq)
        if item.leaf != leaf:
            add("the header does not give its leaf: one of them was changed", stream, seq)
        if seq != last[0] + 1:
            add(f"stands where entry {last[0] + 1} was due: entries are missing or repeated", stream, seq)
        elif header["prev"] != last[1]:
            add("does not follow the entry before it: one of the two was changed", stream, seq)
        if at < last[2]:
            add("is dated before the entry that it follows", stream, seq)
        if part != (last[4] + 1 if key == last[3] else 0) or (part == 0 and (stream, key) in self.keys):
            add("its idempotency key was used before", stream, seq)
        if self.study and header["study"] != self.study:
            add("belongs to another study", stream, seq)
        self._bodies(header, item, stream, seq)
        self.study = self.study or header["study"]
        self.keys.add((stream, key))
        self.heads[stream] = (seq, leaf, at, key, part)
        self.leaves[stream, seq] = leaf

    def _bodies(self, header: dict[str, Any], item: Item, stream: str, seq: int) -> None:
        add, verdict = self.verdict.add, self.verdict
        declared = {body["part"]: body for body in header["bodies"]}
        for part in item.bodies.keys() - declared.keys():
            add(f"has a body part {part} that its header does not know", stream, seq)
        for part, body in declared.items():
            how, data = item.bodies.get(part, ("withheld", b""))
            if how == "withheld":
                verdict.bodies_withheld += 1
                if item.columns:
                    add(f"its body part {part} is missing", stream, seq)
                continue
            found = hashlib.sha256(data).hexdigest()
            verdict.bodies_sealed += how == "sealed"
            verdict.bodies_opened += how == "opened"
            if found != body["sealed" if how == "sealed" else "commitment"]:
                add(f"its body part {part} was changed", stream, seq)

    def _grow(self, leaf: bytes) -> None:
        height, node = 0, leaf
        while self._peaks and self._peaks[-1][0] == height:
            node = hashlib.sha256(b"\x01" + self._peaks.pop()[1] + node).digest()
            height += 1
        self._peaks.append((height, node))
        self.size += 1

    def finish(self, wanted: Checkpoints | None) -> None:
        """Put the sums into the verdict, and hold the tree to the checkpoints."""
        self.verdict.entries, self.verdict.root = self.size, self.root()
        self.verdict.streams = len(self.heads)
        if wanted is not None:
            wanted.compare(self)

    def root(self) -> str:
        """The root over the leaves so far."""
        node = self._peaks[-1][1] if self._peaks else hashlib.sha256(b"").digest()
        for _, left in reversed(self._peaks[:-1]):
            node = hashlib.sha256(b"\x01" + left + node).digest()
        return node.hex()


def _is_text(value: object) -> bool:
    return isinstance(value, str) and unicodedata.is_normalized("NFC", value)


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and HEX.fullmatch(value) is not None


def _are_bodies(value: object) -> bool:
    parts = []
    for body in value if isinstance(value, list) else ():
        if not isinstance(body, dict) or body.keys() != {"part", "commitment", "sealed"}:
            return False
        parts.append(body["part"] if _is_hash(body["commitment"]) and _is_hash(body["sealed"]) else None)
    return parts in (["main"], ["main", "aside"])


SHAPE: Mapping[str, Callable[[object], bool]] = {
    **dict.fromkeys(("study", "stream", "kind", "study_digest", "actor", "role"), _is_text),
    **dict.fromkeys(("idempotency_key", "command"), _is_text),
    **dict.fromkeys(("client_at", "zone"), lambda value: value is None or _is_text(value)),
    "v": lambda value: type(value) is int and value == 1,
    "seq": lambda value: type(value) is int and value >= 1,
    "part": lambda value: type(value) is int and value >= 0,
    "prev": _is_hash,
    "at": lambda value: isinstance(value, str) and MOMENT.fullmatch(value) is not None,
    "bodies": _are_bodies,
}


def header_fault(data: bytes, header: object) -> str:
    """What is wrong with a header that stands as `data`; empty where nothing is."""
    if not isinstance(header, dict) or header.keys() != SHAPE.keys():
        return "the header has not the fields of a header"
    wrong = [name for name, fits in SHAPE.items() if not fits(header[name])]
    if wrong:
        return f"the header's {wrong[0]} is not one that can be"
    return "" if canonical(header) == data else "the header is not in canonical form"


@contextlib.contextmanager
def opened_store(path: Path) -> Iterator[sqlite3.Connection]:
    """The store, read only and left as it is, even while a server writes to it or its folder is read only."""
    log = path.with_name(path.name + "-wal")
    live = log.exists()
    # Without a log nobody is writing; immutable then keeps SQLite from leaving files beside the evidence.
    address = f"{path.absolute().as_uri()}?" + ("mode=ro" if live else "immutable=1")
    with contextlib.ExitStack() as stack:
        connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=30)
        stack.callback(connection.close)
        try:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.OperationalError:
            if not live:
                raise
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            for one in (path, log):
                shutil.copyfile(one, folder / one.name)
            connection = sqlite3.connect(folder / path.name, isolation_level=None)
            stack.callback(connection.close)
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        connection.executescript("PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; BEGIN")
        yield connection


def store_items(connection: sqlite3.Connection, verdict: Verdict) -> Iterator[Item]:
    """Every entry by position, with its columns and sealed bodies."""
    place, expected = "at the first entry", 1
    rows = connection.execute(f"SELECT position, header, {', '.join(COLUMNS)} FROM entries ORDER BY position")  # noqa: S608
    while True:
        try:
            row = rows.fetchone()
            if row is None:
                return
            bodies = connection.execute(
                "SELECT part, sealed FROM bodies WHERE (stream, seq) = (?, ?)", row[2:4]
            )
            sealed = {str(part): ("sealed", _bytes(data)) for part, data in bodies}
        except (sqlite3.Error, OverflowError) as error:
            raise Unreadable(f"{place}: {error}") from error
        place = f"after stream {row[2]} entry {row[3]}"
        if row[0] != expected:
            verdict.add(f"position {expected} before it is missing", row[2], row[3])
        expected = int(row[0]) + 1  # an INTEGER PRIMARY KEY is never anything else
        yield Item(_bytes(row[1]), str(row[6]), dict(zip(COLUMNS, row[2:], strict=True)), sealed)


def _bytes(value: object) -> bytes:  # what is in a column instead of bytes becomes bytes that fit nothing
    return value if isinstance(value, bytes) else repr(value).encode("utf-8", "replace")


def check_store(connection: sqlite3.Connection, chains: Chains, verdict: Verdict) -> None:
    """What a store has beside its entries: snapshots, bodies without an entry, triggers, its own structure."""
    rows = connection.execute("SELECT stream, seq, leaf, code, sealed, digest FROM snapshots").fetchall()
    for stream, seq, leaf, code, sealed, digest in rows:
        place = f"{stream}\n{seq}\n{leaf}\n{code}\n".encode("utf-8", "surrogateescape")
        if hashlib.sha256(place + _bytes(sealed)).hexdigest() != digest:
            verdict.add("the snapshot of the stream was changed", stream, seq)
        elif chains.leaves.get((stream, seq)) != leaf:
            verdict.add("the snapshot of the stream is of another ledger", stream, seq)
    (bodies,) = connection.execute("SELECT count(*) FROM bodies NOT INDEXED").fetchone()
    if bodies != verdict.bodies_sealed:
        verdict.add(f"{bodies} sealed bodies in the store, {verdict.bodies_sealed} belong to its entries")
    (application,), (version,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in IDENTITY)
    schema = connection.execute(SCHEMA_SQL).fetchall()
    if application != APPLICATION or hashlib.sha256(repr(schema).encode()).hexdigest() != SCHEMA.get(version):
        missing = sorted(TRIGGERS - {name for _, name, _ in schema})
        says = f"{', '.join(missing) or 'none'} missing, others changed or of a later version"
        verdict.add(f"the tables and triggers that protect the entries are not as they must be: {says}")
    for (says,) in connection.execute("PRAGMA integrity_check(20)").fetchall():
        if says != "ok":
            verdict.add(f"database structure: {says}")


def verify_store(path: Path, verdict: Verdict, kept: Path, key: Path) -> None:
    """Check the store at `path` and the checkpoints that were kept."""
    wanted = Checkpoints(kept_notes(kept, verdict), key_text(key), verdict)
    chains = Chains(verdict)
    try:
        with opened_store(path) as connection:
            for item in store_items(connection, verdict):
                chains.take(item, wanted.sizes)
            chains.finish(wanted)
            check_store(connection, chains, verdict)
    except (sqlite3.Error, OverflowError, UnicodeError, Unreadable) as error:
        chains.finish(None)
        verdict.add(f"the database cannot be read: {error}")


def verify_archive(path: Path, verdict: Verdict, kept: Path | None, key: Path | None) -> None:
    """Check an archive: a line that says what it is, checkpoints, entries, and a last line with the sums."""
    chains = Chains(verdict)
    end: tuple[object, object] | None = None
    wanted: Checkpoints | None = None
    notes: list[tuple[str, str, bytes]] = []
    public = ""
    with path.open("rb") as source:
        for number, line in enumerate(source, 1):
            value = archive_line(line, number)
            if (number == 1) != ("archive" in value) or end is not None:
                raise Unreadable(f"line {number}: does not belong in this place of an archive")
            if value.get("archive") == 1:
                public = str(value.get("public_key"))
            elif "checkpoint" in value and wanted is None:
                heads = str(value.get("heads")).encode("utf-8", "replace")
                notes.append((f"of line {number}", str(value["checkpoint"]), heads))
            elif "header" in value or "entries" in value:
                if wanted is None:
                    given = notes if kept is None else list(kept_notes(kept, verdict))
                    wanted = Checkpoints(given, public if key is None else key_text(key), verdict)
                if "header" in value:
                    chains.take(archive_item(value, number), wanted.sizes)
                else:
                    end = value["entries"], value.get("root")
            else:
                raise Unreadable(f"line {number}: neither an entry nor a checkpoint")
    chains.finish(wanted)
    if end is None:
        verdict.add("the archive ends without its last line: the rest is missing")
    elif end != (chains.size, chains.root()):
        verdict.add(f"the last line counts {end[0]} entries with root {end[1]}; these are others")


def archive_line(line: bytes, number: int) -> dict[str, object]:
    """The JSON object of a line that is exactly as an archive writes it."""
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(line)
        if isinstance(value, dict) and " ".join(sorted(value)) in LINES and canonical(value) + b"\n" == line:
            return value
    raise Unreadable(f"line {number}: not a line of an archive, or changed")


def archive_item(value: Mapping[str, object], number: int) -> Item:
    """The entry of a line."""
    bodies: dict[str, tuple[str, bytes]] = {}
    try:
        given: Any = value["bodies"]
        for part, body in given.items():
            if sorted(body) == ["body", "nonce"] and bytes.fromhex(body["nonce"]).hex() == body["nonce"]:
                bodies[part] = ("opened", bytes.fromhex(body["nonce"]) + canonical(body["body"]))
            else:
                bodies[part] = ("sealed", from64(body["sealed"] if len(body) == 1 else "more"))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreadable(f"line {number}: its bodies cannot be read") from error
    return Item(canonical(value["header"]), str(value.get("leaf")), {}, bodies)


class Note(NamedTuple):
    """A checkpoint that could be read; `heads` are the streams that had grown: (stream, seq, leaf)."""

    size: int
    root: str
    at: str
    heads: tuple[tuple[str, int, str], ...]


def kept_notes(folder: Path, verdict: Verdict) -> Iterator[tuple[str, str, bytes]]:
    """(name, note, list of heads) of every checkpoint in a folder."""
    for path in sorted(folder.glob("*.checkpoint")):
        try:
            yield path.name, path.read_bytes().decode(), path.with_suffix(".heads").read_bytes()
        except (OSError, ValueError) as error:
            verdict.add(f"the checkpoint {path.name} cannot be read: {error}")


def key_text(path: Path) -> str:
    """The public key in a file; empty where there is no file."""
    return path.read_bytes().decode("utf-8", "replace").strip() if path.exists() else ""


class Checkpoints:
    """Checkpoints read, their signatures checked where there is a public key (NAME+KEYID+BASE64)."""

    def __init__(self, notes: Iterable[tuple[str, str, bytes]], key: str, verdict: Verdict) -> None:
        self.verdict = verdict
        self.key: tuple[str, bytes] | None = None  # name, and 0x01 before the 32 bytes
        try:
            if key:
                name, number, encoded = key.split("+", 2)
                self.key = name, from64(encoded)
                if _key_number(*self.key) != number or self.key[1][:1] != b"\x01":
                    raise ValueError("it is no Ed25519 key of this name")
        except ValueError as error:
            verdict.add(f"the public key cannot be read or was changed: {error}")
        self.notes = []
        for name, note, heads in notes:
            try:
                self.notes.append(self._read(note, heads))
            except ValueError as error:
                verdict.add(f"the checkpoint {name} cannot be read or was changed: {error}")
        self.sizes = frozenset(note.size for note in self.notes)

    def _read(self, note: str, heads: bytes) -> Note:
        text, _, signatures = note.partition("\n\n")
        origin, size, root, at, digest = text.split("\n")
        if (
            not signatures.endswith("\n")
            or not re.fullmatch("[1-9][0-9]{0,15}", size)
            or at[:3] != "at "
            or digest[:6] != "heads "
        ):
            raise ValueError("not a checkpoint of a ledger")
        if self.key is not None and not self._signed(origin, f"{text}\n".encode(), signatures):
            raise ValueError("it is not signed with the public key")
        if hashlib.sha256(heads).hexdigest() != digest[6:]:
            raise ValueError("its list of streams is another")
        listed = [line.rsplit(" ", 2) for line in heads.decode().splitlines()]
        rows = tuple((stream, int(seq), leaf) for stream, seq, leaf in listed)
        return Note(int(size), from64(root).hex(), at[3:], rows)

    def _signed(self, origin: str, text: bytes, signatures: str) -> bool:
        name, public = self.key or ("", b"")
        for line in signatures.removesuffix("\n").split("\n"):
            mark, signer, encoded = line.split(" ")
            data = from64(encoded)
            if mark == "—" and origin == signer == name and data[:4].hex() == _key_number(name, public):
                self.verdict.signatures += 1
                return ed25519_holds(public[1:], text, data[4:])
        return False

    def compare(self, chains: Chains) -> None:
        """Every checkpoint must be a beginning of the tree; what differs is named by stream and seq."""
        add = self.verdict.add
        for note in self.notes:
            self.verdict.checkpoints += 1
            other = [head for head in note.heads if chains.leaves.get(head[:2]) != head[2]]
            for stream, seq, _ in other:
                how = "is not what it was at" if (stream, seq) in chains.leaves else "is missing; it stood at"
                add(f"{how} the checkpoint of {note.at}", stream, seq)
            if not other and note.size > chains.size:
                add(f"{note.size} entries at the checkpoint of {note.at}, {chains.size} now: set back")
            elif not other and chains.roots.get(note.size) != note.root:
                add(f"the entries up to the checkpoint of {note.at} give another root than it says")


def _key_number(name: str, data: bytes) -> str:  # the key id of a signed note
    return hashlib.sha256(name.encode() + b"\n" + data).hexdigest()[:8]


# Ed25519, checking only (RFC 8032, 5.1.7).
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = tuple[int, int, int, int]  # extended homogeneous coordinates (RFC 8032, 5.1.4)


def _sum(a: Point, b: Point) -> Point:
    first, second = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    third, fourth = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = second - first, fourth - third, fourth + third, second + first
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    for bit in f"{scalar:b}":
        total = _sum(total, total)
        total = _sum(total, point) if bit == "1" else total
    return total


def _point(data: bytes) -> Point | None:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if len(data) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = _point(b"\x58" + b"\x66" * 31)  # y = 4/5


def ed25519_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `message` by the owner of `public`."""
    a, r = _point(public), _point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if a is None or r is None or BASE is None or len(signature) != 64 or scalar >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = _times(scalar, BASE), _sum(r, _times(challenge, a))
    return all((left[axis] * right[2] - right[axis] * left[2]) % P == 0 for axis in (0, 1))


def find_ledger(path: Path) -> Path | None:
    """The store or archive that `path` is or, as a folder, holds: in itself first, then one folder further."""
    patterns = ("ledger.sqlite", "*/ledger.sqlite", "*.jsonl", "*/*.jsonl")
    found = [[path]] if path.is_file() else [list(path.glob(pattern)) for pattern in patterns]
    return next((paths[0] for paths in found if len(paths) == 1), None)


def verify_path(path: Path, *, key: Path | None = None, checkpoints: Path | None = None) -> Verdict:
    """The verdict on the store or archive at `path` (or in that folder). Raises nothing for what a file holds.
    key, checkpoints: a public key and a folder of checkpoints that somebody kept, instead of those beside it."""
    verdict = Verdict(str(path))
    try:
        target = find_ledger(path)
        if target is None:
            verdict.add(f"there is no ledger at {path}, or more than one: name the file")
            return verdict
        verdict.path = str(target)
        with target.open("rb") as source:
            start = source.read(16)
        beside = target.parent / "checkpoints"
        if start == b"SQLite format 3\x00":
            verify_store(target, verdict, checkpoints or beside, key or beside / "public-key")
        elif start[:1] == b"{":
            verify_archive(target, verdict, checkpoints, key)
        else:
            verdict.add(f"{target} is neither a store nor an archive")
    except Unreadable as reason:
        verdict.add(str(reason))
    except (OSError, MemoryError) as error:
        verdict.add(f"{path} cannot be read: {error}")
    return verdict


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="verify", description="Checks a store, an archive, or a folder.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--json", action="store_true", help="print one JSON value and nothing else")
    parser.add_argument("--key", type=Path, help="a public key that you trust")
    parser.add_argument("--checkpoints", type=Path, help="a folder of checkpoints that you kept")
    options = parser.parse_args(arguments)
    verdict = verify_path(options.path, key=options.key, checkpoints=options.checkpoints)
    lines = [json.dumps(verdict.as_json(), indent=1)] if options.json else verdict.lines()
    print("\n".join(lines).encode("utf-8", "backslashreplace").decode("utf-8"))
    return 0 if verdict.ok else 1


if __name__ == "__main__":
    sys.exit(main())

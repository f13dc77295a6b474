"""Reading the ledger: stored bytes become entries again, checked on the way, and entries become a state.

The rules that must stay true: nothing is handed out whose leaf, place in the chain or body commitment is not what
the ledger holds (a StoreFault names the place instead); a snapshot is only a short cut: it is used when its code
is the caller's, its seal opens and it meets the tail, and snapshot + tail = fold of everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from equipoise.ledger.chain import ZEROS, check_link, leaf_of, read_body, read_header, unseal
from equipoise.ledger.codec import decode
from equipoise.ledger.entries import BodyPart, Header, Part, Recorded
from equipoise.ledger.keys import PARTS, Keys
from equipoise.ledger.store import Head, Reading, Rows, StoredEntry, StoredSnapshot, StoreFault, fault
from equipoise.words.canonical import Json, canonical_bytes
from equipoise.words.ids import Entropy
from equipoise.words.problem import Problem

SNAPSHOT_EVERY = 100
"""Entries of tail after which a commit renews the snapshot. Folding begins to be felt near 300 entries."""
State = TypeVar("State")


@dataclass(frozen=True)
class Folding(Generic[State]):
    """How the entries of a stream become a state.

    code: names the definition and the version of `evolve`; a snapshot made under another code is not used.
    dump, load: the state as canonical JSON and back; load(dump(s)) == s. Pure, all of them.
    """

    code: str
    start: State
    evolve: Callable[[State, Recorded], State]
    dump: Callable[[State], Json]
    load: Callable[[Json], State]


@dataclass(slots=True)
class Folded(Generic[State]):
    """A state that was folded in this reading, and how far its snapshot reached."""

    folding: Folding[State]
    state: State
    seq: int
    snapshot_seq: int


class Reader:
    """What a decision, a page or a report may read. Everything it returns belongs to one moment."""

    def __init__(self, reading: Reading, keys: Keys) -> None:
        self._reading = reading
        self._keys = keys
        self._heads: dict[str, Head] = {}  # one moment has one head of each stream
        self.folded: dict[str, Folded[object]] = {}

    @property
    def rows(self) -> Rows:
        """The read tables."""
        return self._reading

    def head(self, stream: str) -> Head:
        """The last entry of `stream`; seq 0 where there is none."""
        known = self._heads.get(stream)
        if known is None:
            known = self._heads[stream] = self._reading.head(stream)
        return known

    def streams(self) -> tuple[Head, ...]:
        """The last entry of every stream, by stream name."""
        return self._reading.heads()

    def entries(self, stream: str, after: int = 0) -> tuple[Recorded, ...]:
        """The entries of `stream` with seq > `after`, in order. Raises StoreFault where the chain is broken."""
        return self._checked(self._reading.entries(stream, after), after, None if after else ZEROS)

    def keyed(self, stream: str, key: str) -> tuple[Recorded, ...]:
        """The entries of `stream` that one append under an idempotency key made; none where there was none."""
        return tuple(self.open(stored) for stored in self._reading.keyed(stream, key))

    def everything(self, after: int = 0) -> Iterator[tuple[int, Recorded]]:
        """(position, entry) of the whole store in the order of the appends, after a position."""
        for stored in self._reading.walk(after):
            yield stored.position, self.open(stored)

    def of_kind(self, *kinds: str) -> Iterator[Recorded]:
        """Every entry of these kinds in the order of the appends; entries of other kinds stay closed."""
        marks = [f'"kind":"{kind}"'.encode() for kind in kinds]
        for stored in self._reading.walk():
            if any(mark in stored.header for mark in marks):
                yield self.open(stored)

    def fold(self, stream: str, folding: Folding[State]) -> State:
        """The state of `stream` now. In a commit, its snapshot is renewed when its tail has grown long."""
        found = self._from_snapshot(stream, folding)
        if found is None:
            state = folding.start
            entries = self.entries(stream)
            for recorded in entries:
                state = folding.evolve(state, recorded)
            found = Folded(folding, state, len(entries), 0)
        self.folded[stream] = found  # type: ignore[assignment]  # kept beside its own folding, used only with it
        return found.state

    def _from_snapshot(self, stream: str, folding: Folding[State]) -> Folded[State] | None:
        snapshot = self._reading.snapshot(stream)
        if snapshot is None or snapshot.code != folding.code:
            return None
        plain = open_snapshot(self._keys, snapshot)
        if plain is None:
            return None
        stored = self._reading.entries(stream, snapshot.seq)
        if not stored:
            head = self._reading.head(stream)
            if (head.seq, head.leaf) != (snapshot.seq, snapshot.leaf):
                return None
        try:
            tail = self._checked(stored, snapshot.seq, snapshot.leaf)
        except StoreFault:
            return None  # the two do not meet, or the tail is broken: folding everything tells which
        state = folding.load(read_body(plain))
        for recorded in tail:
            state = folding.evolve(state, recorded)
        return Folded(folding, state, snapshot.seq + len(tail), snapshot.seq)

    def _checked(self, stored: tuple[StoredEntry, ...], seq: int, leaf: str | None) -> tuple[Recorded, ...]:
        found = []
        for one in stored:
            recorded = self.open(one)
            broken = check_link(recorded.header, seq, recorded.header.prev if leaf is None else leaf)
            if broken is not None:
                raise StoreFault(broken)
            seq, leaf = one.seq, one.leaf
            found.append(recorded)
        return tuple(found)

    def open(self, stored: StoredEntry) -> Recorded:
        """The entry that stored bytes say. Raises StoreFault where header, leaf or body are not what they were."""
        header = read_header(stored.header)
        if header is None:
            where = f"{stored.stream} {stored.seq}"
            raise fault("ledger.header-unreadable", where, stream=stored.stream, seq=stored.seq)
        if leaf_of(stored.header) != stored.leaf or (header.stream, header.seq) != (
            stored.stream,
            stored.seq,
        ):
            raise fault(
                "ledger.chain-broken", f"{stored.stream} {stored.seq}", stream=stored.stream, seq=stored.seq
            )
        bodies: dict[Part, Json] = {}
        withheld: list[Part] = []
        for part in header.bodies:
            body = self._body(header, part, stored)
            if body is None:
                withheld.append(part.part)
            else:
                bodies[part.part] = read_body(body)
        if "main" not in bodies:
            return Recorded(header, stored.leaf, None, tuple(withheld))
        entry = decode(header.kind, bodies["main"], bodies.get("aside"))
        if isinstance(entry, Problem):
            raise fault(entry.rule, f"{stored.stream} {stored.seq} {entry.where}", **entry.arguments)
        return Recorded(header, stored.leaf, entry, tuple(withheld))

    def _body(self, header: Header, part: BodyPart, stored: StoredEntry) -> bytes | None:
        cipher = self._keys.cipher(header.stream, part.part)
        if cipher is None:
            return None
        opened = unseal(cipher, header, part, stored.sealed.get(part.part, b""))
        if isinstance(opened, Problem):
            raise StoreFault(opened)
        return opened[1]


def _place(stream: str, seq: int, leaf: str, code: str) -> bytes:
    return f"snapshot\n{stream}\n{seq}\n{leaf}\n{code}".encode()


def seal_snapshot(
    keys: Keys, stream: str, seq: int, leaf: str, code: str, state: Json, entropy: Entropy
) -> StoredSnapshot:
    """A snapshot sealed under both keys of the stream, so that it dies with either."""
    data = canonical_bytes(state)
    for part in PARTS:
        nonce = entropy(12)
        cipher = keys.cipher_for_writing(stream, part)
        data = nonce + cipher.encrypt(nonce, data, _place(stream, seq, leaf, code))
    return StoredSnapshot(stream, seq, leaf, code, data)


def open_snapshot(keys: Keys, snapshot: StoredSnapshot) -> bytes | None:
    """The state's bytes; None where a key is gone or the snapshot is not what was sealed."""
    data = snapshot.sealed
    for part in reversed(PARTS):
        cipher: AESGCM | None = keys.cipher(snapshot.stream, part)
        if cipher is None:
            return None
        try:
            place = _place(snapshot.stream, snapshot.seq, snapshot.leaf, snapshot.code)
            data = cipher.decrypt(data[:12], data[12:], place)
        except (InvalidTag, ValueError):
            return None
    return data

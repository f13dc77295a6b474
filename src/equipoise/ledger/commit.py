"""Commit: the one way by which anything comes to stand in the ledger.

How to use it (the desk does; nobody else writes):

    ledger = open_ledger(folder, write=True, create=True, followers=FOLLOWERS)      # Ledger | Problem
    act = Act(study="…", study_digest="…", actor="…", role="investigator", at=clock(), client_at=None,
              zone="Asia/Shanghai", idempotency_key="…", command=digest(command_as_json))

    def decide(reader: Reader) -> Decision:
        casebook = reader.fold("subject/k3…", FOLDING)          # snapshot + tail, one consistent moment
        head = reader.head("allocation").seq                    # or reader.entries(stream, after=seq)
        row = reader.rows.get(SUBJECTS, ("k3…",))               # read tables: get, find, count
        return room_decide(study, casebook, facts, command, occasion)   # tuple[Append, ...] | Refusal

    outcome = commit(ledger, act, ["subject/k3…", "allocation"], decide)            # Committed | Refusal
    outcome.receipt, outcome.recorded, outcome.replayed

`streams` are those that the decision may append to, the one that matters most first; reading others is free.
`decide` runs inside the transaction, may run again when another writer was first, and must therefore be pure.
An empty tuple writes nothing: Committed with no entries and no receipt. Reading without writing:
`with ledger.reading() as reader: …`. Both raise nothing for faults of data or machine: commit returns a Refusal;
a reading raises StoreFault (`.problem`), which the desk catches in one place.

The rules that must stay true:
- The idempotency key is looked up before anything is decided: the same key with the same command gives the same
  entries and receipt again; with another command it is refused (`ledger.key-reused`).
- All entries of one commit bear one moment `at`, never before the last entry of any stream that they extend: a
  clock that went back gives the last moment + 1 µs. So "as of" any moment never shows half a commit.
- `Committed` is returned only when the entries are on disk. A fault while writing leaves nothing half-written,
  but after a failed commit nobody knows whether it was kept: send the same key again and the answer is known.
- Followers run in the same transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from equipoise.ledger.chain import VERSION, header_bytes, leaf_of, read_header, seal
from equipoise.ledger.codec import encode, parts_of
from equipoise.ledger.entries import Append, BodyPart, Header, Part, Recorded
from equipoise.ledger.facts import Decision, Refusal
from equipoise.ledger.keys import Keys
from equipoise.ledger.opening import Ledger
from equipoise.ledger.reader import SNAPSHOT_EVERY, Reader, seal_snapshot
from equipoise.ledger.receipts import Receipt, receipt_for
from equipoise.ledger.store import Head, NewEntry, Stale, StoreFault, Transaction
from equipoise.words.canonical import NotCanonical
from equipoise.words.problem import Problem, problem

TRIES = 5
"""How often a decision is made again when another writer was first; with stream locks it never is."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who does it, as what, when, and under which definition: what every header of the commit says.

    at: aware; written as UTC. client_at: what the device's clock claimed, as it wrote it. zone: IANA name.
    command: SHA-256 of the command's canonical JSON, in hexadecimal.
    """

    study: str
    study_digest: str
    actor: str
    role: str
    at: dt.datetime
    client_at: str | None
    zone: str | None
    idempotency_key: str
    command: str


@dataclass(frozen=True, slots=True)
class Committed:
    """The entries stand, on disk. The receipt is that of the last entry in the first stream that has one.

    replayed: the key was known, so that nothing was written now. receipt: None where nothing was to be written.
    """

    recorded: tuple[Recorded, ...]
    replayed: bool
    proving: tuple[Keys, Recorded] | None = field(default=None, repr=False, compare=False)
    """By which keys, and for which entry, the receipt is given."""

    @property
    def receipt(self) -> Receipt | None:
        """The receipt; signed when it is asked for, the same every time."""
        return None if self.proving is None else receipt_for(*self.proving)


def commit(
    ledger: Ledger, act: Act, streams: Sequence[str], decide: Callable[[Reader], Decision]
) -> Committed | Refusal:
    """Decide, and append what was decided to `streams`, atomically. See the top of this file.

    Refusal: the decision's own; or `ledger.key-reused`, `ledger.other-study`, `ledger.text-not-canonical`,
    `ledger.key-destroyed`, `ledger.busy`, `ledger.disk-full`, `ledger.unavailable`, `ledger.read-only`,
    `ledger.store-damaged`, `ledger.chain-broken`, `ledger.body-damaged`. Raises ValueError for an act without
    a zoned time, no stream, or a decision that appends to a stream not named: faults of the program.
    """
    if act.at.tzinfo is None or not streams or not act.idempotency_key:
        raise ValueError("an act has a time with its zone, a key, and at least one stream")
    for _ in range(TRIES):
        try:
            with ledger.store.writing(streams) as transaction:
                outcome = _attempt(ledger, act, streams, decide, transaction)
        except Stale:
            continue
        except StoreFault as reason:
            return Refusal((reason.problem,))
        return outcome
    return Refusal((problem("ledger.busy", streams[0], path=streams[0], detail=""),))


def _attempt(
    ledger: Ledger,
    act: Act,
    streams: Sequence[str],
    decide: Callable[[Reader], Decision],
    transaction: Transaction,
) -> Committed | Refusal:
    reader = Reader(transaction, ledger.keys)
    known = _known(transaction, reader, ledger, act, streams)
    if known is not None:
        return known
    decision = decide(reader)
    if isinstance(decision, Refusal):
        return decision
    if not decision:
        return Committed((), replayed=False)
    heads = {stream: transaction.head(stream) for stream in streams}
    try:
        made = _seal(ledger, act, heads, decision)
    except NotCanonical as reason:
        return Refusal((problem("ledger.text-not-canonical", "", detail=reason),))
    if isinstance(made, Problem):
        return Refusal((made,))
    transaction.append([new for new, _ in made])
    recorded = tuple(one for _, one in made)
    for one in recorded:
        for follower in ledger.followers:
            follower.follow(transaction, one)
    _renew_snapshots(ledger, reader, transaction, recorded)
    return Committed(recorded, replayed=False, proving=_proving(ledger, streams, recorded))


def _known(
    transaction: Transaction, reader: Reader, ledger: Ledger, act: Act, streams: Sequence[str]
) -> Committed | Refusal | None:
    """What the act's key already made, in the order in which it was made; None for a new key."""
    found = [stored for stream in streams for stored in transaction.keyed(stream, act.idempotency_key)]
    if not found:
        return None
    recorded = tuple(reader.open(stored) for stored in sorted(found, key=lambda stored: stored.position))
    if any(one.header.command != act.command for one in recorded):
        return Refusal((problem("ledger.key-reused", streams[0], key=act.idempotency_key),))
    return Committed(recorded, replayed=True, proving=_proving(ledger, streams, recorded))


def _proving(ledger: Ledger, streams: Sequence[str], recorded: Sequence[Recorded]) -> tuple[Keys, Recorded]:
    last = {one.header.stream: one for one in recorded}
    return ledger.keys, next(last[stream] for stream in streams if stream in last)


def written_at(at: dt.datetime) -> str:
    """A moment as headers have it: UTC, microseconds, always 27 characters, so that texts sort as moments do."""
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _moment(act: Act, before: Sequence[Header]) -> str:
    """The moment of the commit: the act's, or 1 µs after the latest entry that it would otherwise precede."""
    latest = max((dt.datetime.fromisoformat(header.at) for header in before), default=act.at)
    return written_at(act.at if act.at >= latest else latest + dt.timedelta(microseconds=1))


def _seal(
    ledger: Ledger, act: Act, heads: dict[str, Head], decision: Sequence[Append]
) -> list[tuple[NewEntry, Recorded]] | Problem:
    """The decided entries as the store takes them and as they will be read, each following its stream's head."""
    stray = {append.stream for append in decision} - heads.keys()
    if stray:
        raise ValueError(f"the decision appends to {', '.join(sorted(stray))}, which the commit did not name")
    touched = {append.stream for append in decision}
    before = [read_header(head.header) for stream, head in heads.items() if head.header and stream in touched]
    headers = [header for header in before if header is not None]
    if len(headers) != len(before):
        return problem("ledger.header-unreadable", "", stream=", ".join(sorted(touched)), seq="")
    if any(header.study != act.study for header in headers):
        return problem("ledger.other-study", act.study, study=act.study)
    at = _moment(act, headers)
    made: list[tuple[NewEntry, Recorded]] = []
    parts = dict.fromkeys(heads, 0)
    for append in decision:
        head, part = heads[append.stream], parts[append.stream]
        new, recorded = _seal_one(ledger, act, append, head, part, at)
        heads[append.stream] = Head(append.stream, new.seq, new.leaf, new.header)
        parts[append.stream] += 1
        made.append((new, recorded))
    return made


def _seal_one(
    ledger: Ledger, act: Act, append: Append, head: Head, part: int, at: str
) -> tuple[NewEntry, Recorded]:
    stream, seq = append.stream, head.seq + 1
    bodies: list[BodyPart] = []
    sealed: dict[Part, bytes] = {}
    written = encode(append.entry)
    for name in parts_of(type(append.entry)) if ledger.fill > 1 else tuple(written):
        cipher = ledger.keys.cipher_for_writing(stream, name)
        body = written.get(name, {})
        line, sealed[name] = seal(cipher, stream, seq, name, body, ledger.entropy, fill=ledger.fill)
        bodies.append(line)
    header = Header(
        v=VERSION,
        study=act.study,
        stream=stream,
        seq=seq,
        prev=head.leaf,
        kind=append.entry.kind,
        study_digest=act.study_digest,
        actor=act.actor,
        role=act.role,
        at=at,
        client_at=act.client_at,
        zone=act.zone,
        idempotency_key=act.idempotency_key,
        part=part,
        command=act.command,
        bodies=tuple(bodies),
    )
    data = header_bytes(header)
    leaf = leaf_of(data)
    new = NewEntry(stream, seq, head.leaf, act.idempotency_key, part, leaf, data, sealed)
    return new, Recorded(header, leaf, append.entry)


def _renew_snapshots(
    ledger: Ledger, reader: Reader, transaction: Transaction, recorded: Sequence[Recorded]
) -> None:
    """Where the decision folded a stream whose tail has grown long, keep its state as of now."""
    for stream, folded in reader.folded.items():
        state, seq, leaf = folded.state, folded.seq, ""
        for one in recorded:
            if one.header.stream == stream:
                state, seq, leaf = folded.folding.evolve(state, one), one.header.seq, one.leaf
        if leaf and seq - folded.snapshot_seq >= SNAPSHOT_EVERY:
            dumped = folded.folding.dump(state)
            code = folded.folding.code
            transaction.keep_snapshot(
                seal_snapshot(ledger.keys, stream, seq, leaf, code, dumped, ledger.entropy)
            )

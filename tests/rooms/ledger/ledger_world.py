"""A small made-up world for tests of the ledger: acts, entries, a clock that stands still, and a store to fill."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from equipoise.ledger.checkpoint import make_checkpoint
from equipoise.ledger.commit import Act, Committed, commit
from equipoise.ledger.entries import Append, Datum, FormSaved, QueryRaised, Recorded, StoreOpened
from equipoise.ledger.facts import Decision
from equipoise.ledger.followers import Follower
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.reader import Folding, Reader
from equipoise.ledger.store import ReadTable, Transaction
from equipoise.ledger.verify import Verdict
from equipoise.words.canonical import digest
from equipoise.words.problem import Problem

NOON = dt.datetime(2026, 8, 14, 12, 0, tzinfo=dt.UTC)
STUDY = "MADE-UP-1"
SECRET = "left-sided weakness"
"""A free text that must never be seen where bodies are not shown."""


def seeded(seed: int) -> Callable[[int], bytes]:
    """Entropy that is the same for the same seed."""
    return random.Random(seed).randbytes


def act(key: str, at: dt.datetime = NOON, command: str | None = None, study: str = STUDY) -> Act:
    said = digest(key if command is None else command)
    return Act(study, "d" * 64, "n7u2", "coordinator", at, None, "Asia/Shanghai", key, said)


def save(stream: str, number: int, text: str = "") -> Append:
    """One save of a form; `text` goes into the second body part."""
    items = {"NIHSS0101": Datum(str(number % 4)), "NIHSS0102": Datum(missing="UN")}
    texts = {"NOTE": Datum(text)} if text else {}
    whys = {"NIHSS0102": "intubated"} if text else {}
    derived = {"TOTAL": Datum(str(number))}
    return Append(stream, FormSaved("V1", "NIHSS", 1, items, derived, True, "", texts, whys))


def query(stream: str, number: int) -> Append:
    message = {"en": "Please check.", "zh": "请核对。"}
    return Append(stream, QueryRaised(f"q{number}", "V1", "NIHSS", 1, "NIHSS0101", "not-recovered", message))


def fresh(folder: Path, seed: int = 1, followers: Sequence[Follower] = ()) -> Ledger:
    """A new ledger in `folder`, opened for writing."""
    ledger = open_ledger(folder, write=True, create=True, followers=followers, entropy=seeded(seed))
    assert isinstance(ledger, Ledger), ledger
    return ledger


def again(folder: Path, *, write: bool = True, followers: Sequence[Follower] = ()) -> Ledger:
    """The ledger that is in `folder`."""
    ledger = open_ledger(folder, write=write, followers=followers)
    assert isinstance(ledger, Ledger), ledger
    return ledger


def must(ledger: Ledger, key: str, *appends: Append, at: dt.datetime = NOON) -> Committed:
    """Commit what cannot be refused."""
    streams = list(dict.fromkeys(append.stream for append in appends))
    outcome = commit(ledger, act(key, at), streams, lambda reader: appends)
    assert isinstance(outcome, Committed), outcome
    return outcome


def fill(ledger: Ledger, subjects: int = 3, saves: int = 4) -> None:
    """A store with a beginning, some subjects, and queries raised in the same append as a save."""
    must(ledger, "open", Append("study", StoreOpened("trial", STUDY)))
    for number in range(saves):
        for subject in range(subjects):
            stream = f"subject/s{subject}"
            more = (query(stream, number),) if number % 3 == 1 else ()
            text = f"Note {number} 左侧无力" if number % 2 else ""
            must(ledger, f"k{subject}.{number}", save(stream, number, text), *more)


def count(state: dict[str, int], recorded: Recorded) -> dict[str, int]:
    """A fold whose result depends on the order: the last seq of every kind, and a running digest."""
    mixed = (state.get("mixed", 7) * 31 + int(recorded.leaf[:6], 16)) % 1_000_003
    return {**state, recorded.header.kind: recorded.header.seq, "mixed": mixed}


COUNTING = Folding[dict[str, int]]("counting 1", {}, count, dict, dict)  # type: ignore[arg-type]

SAVES = ReadTable(
    "saves", {"stream": "text", "number": "integer", "last": "text"}, ("stream",), (("number",),)
)


def follow_saves(transaction: Transaction, recorded: Recorded) -> None:
    if not recorded.header.stream.startswith("subject/"):
        return
    row = transaction.get(SAVES, (recorded.header.stream,)) or {"number": 0}
    number = int(row["number"] or 0) + 1
    transaction.put(SAVES, {"stream": recorded.header.stream, "number": number, "last": recorded.header.kind})


FOLLOWER = Follower("saves", "1", (SAVES,), follow_saves)


def rules(outcome: object) -> list[str]:
    """The rules of a refusal's problems, or of a Problem."""
    if isinstance(outcome, Problem):
        return [outcome.rule]
    return [found.rule for found in getattr(outcome, "problems", ())]


def furnished(folder: Path) -> Path:
    """A store with read tables, free text, a snapshot of subject/s0 and two checkpoints; 129 entries."""
    ledger = fresh(folder, followers=[FOLLOWER])
    fill(ledger)
    make_checkpoint(ledger, NOON)

    def decide(reader: Reader) -> Decision:
        reader.fold("subject/s0", COUNTING)
        return tuple(save("subject/s0", number, SECRET) for number in range(110))

    commit(ledger, act("many"), ["subject/s0"], decide)
    must(ledger, "both", save("subject/s1", 7, SECRET), save("subject/s2", 8), query("subject/s1", 9))
    make_checkpoint(ledger, NOON)
    ledger.close()
    return folder


def last_line(verdict: Verdict) -> str:
    """The verdict in one line."""
    return verdict.lines()[-1]

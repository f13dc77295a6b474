"""The programs that the fault tests run as processes of their own, and the proof that a folder is theirs.

A test that kills or fills something touches only a folder that it made itself and marked with a random token; each
program refuses to work in a folder without the token it was given.
"""

from __future__ import annotations

import os
import resource
import secrets
import subprocess
import sys
from pathlib import Path

from equipoise.ledger.commit import Committed, commit
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.sqlite import open_store
from equipoise.ledger.store import NewEntry
from rooms.ledger.ledger_world import act, query, save

MARK = "made-by-a-fault-test"


def own_folder(parent: Path) -> tuple[Path, str]:
    """A new folder below `parent`, and the token that proves it is ours."""
    folder = parent / f"own-{secrets.token_hex(4)}"
    folder.mkdir()
    token = secrets.token_hex(16)
    (folder / MARK).write_text(token, "utf-8")
    return folder, token


def prove_own(folder: Path, token: str) -> None:
    """Raise unless `folder` was made by the test that gave the token."""
    if (folder / MARK).read_text("utf-8") != token:
        raise SystemExit("this folder is not the test's own")


def start(program: str, folder: Path, token: str, *arguments: str) -> subprocess.Popen[str]:
    """Run one of the programs below as a process."""
    prove_own(folder, token)
    return subprocess.Popen(
        [sys.executable, __file__, program, str(folder), token, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


def run(program: str, folder: Path, token: str, *arguments: str) -> list[str]:
    """Run a program to its end and give the lines it printed. Raises AssertionError when it failed."""
    process = start(program, folder, token, *arguments)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return output.splitlines()


def say(line: str) -> None:
    print(line, flush=True)


def opened(folder: Path, *, create: bool = False) -> Ledger:
    ledger = open_ledger(folder / "store", write=True, create=create)
    if not isinstance(ledger, Ledger):
        raise SystemExit(f"cannot open: {ledger}")
    return ledger


def save_for_ever(folder: Path, name: str) -> None:
    """Save forms until killed; a line `ack KEY STREAM SEQ LEAF SIGNATURE` after each save, `try KEY` before."""
    ledger = opened(folder, create=True)
    for number in range(1_000_000):
        key = f"{name}.{number}"
        # A new subject now and then, so that keys are being made too; two streams now and then.
        streams = [f"subject/{name}.{number // 7}", *(["allocation"] if number % 5 == 4 else [])]
        appends = tuple(
            part for stream in streams for part in (save(stream, number, "text"), query(stream, number))
        )
        say(f"try {key} {' '.join(streams)}")
        outcome = commit(ledger, act(key), streams, lambda reader, made=appends: made)  # type: ignore[misc]
        if not isinstance(outcome, Committed):
            raise SystemExit(f"refused: {outcome}")
        receipt = outcome.receipt
        assert receipt is not None
        say(f"ack {key} {receipt.stream} {receipt.seq} {receipt.leaf} {receipt.signature}")


def save_until_full(folder: Path, limit: str) -> None:
    """Save until it is refused; prints the rule, then whether everything acknowledged can still be read."""
    if limit != "none":
        ledger = opened(folder, create=True)
        ledger.close()
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    ledger = opened(folder, create=True)
    acknowledged = 0
    refused = []
    for number in range(100_000):
        text = "x" * 4000
        stream = "subject/a"
        outcome = commit(ledger, act(f"k{number}"), [stream], lambda reader: (save(stream, 1, text),))  # noqa: B023
        if not isinstance(outcome, Committed):
            refused.append(outcome.problems[0].rule)
            if (
                len(refused) == 3
            ):  # refused once, refused again: it neither hangs nor lets half of one through
                break
        else:
            acknowledged += 1
    with ledger.reading() as reader:
        readable = len(reader.entries("subject/a"))
    say(f"{acknowledged} {readable} {' '.join(refused)}")
    if limit != "none":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        outcome = commit(ledger, act("after"), ["subject/a"], lambda reader: (save("subject/a", 1),))
        say(type(outcome).__name__)
    ledger.close()


def save_in_turns(folder: Path, name: str, rounds: str) -> None:
    """Open, save three times and close, as often as told, waiting while another process has the store."""
    for turn in range(int(rounds)):
        while not isinstance(ledger := open_ledger(folder / "store", write=True), Ledger):
            if ledger.rule != "ledger.locked":
                raise SystemExit(str(ledger))
        for number in range(3):
            key = f"{name}.{turn}.{number}"
            outcome = commit(ledger, act(key), ["hot"], lambda reader, made=number: (save("hot", made),))  # type: ignore[misc]
            if not isinstance(outcome, Committed):
                raise SystemExit(str(outcome))
        ledger.close()


def append_side_by_side(folder: Path, name: str, times: str) -> None:
    """Append to one stream through the store itself, without the lock that keeps a second process out."""
    store = open_store(folder / "store" / "ledger.sqlite", "write")
    for number in range(int(times)):
        key = f"{name}.{number}"
        with store.writing(["hot"]) as transaction:
            head = transaction.head("hot")
            leaf = f"{head.seq + 1:064x}"
            new = NewEntry("hot", head.seq + 1, head.leaf, key, 0, leaf, key.encode(), {"main": b"body"})
            transaction.append([new])
    store.close()


if __name__ == "__main__":
    _, program, place, token, *rest = sys.argv
    prove_own(Path(place), token)
    programs = (save_for_ever, save_until_full, save_in_turns, append_side_by_side)
    {one.__name__: one for one in programs}[program](Path(place), *rest)

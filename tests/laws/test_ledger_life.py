"""Laws of a ledger's life, against a model that is a dict of lists.

A random walk of saves, replays, reused keys, stale appends, refusals, failures, closings, erasures and checkpoints;
after every step the store reads as the model, snapshot + tail is the fold of everything, and the read tables are
what a rebuild makes; at the end the verifier agrees.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from equipoise.ledger.archive import write_archive
from equipoise.ledger.checkpoint import make_checkpoint
from equipoise.ledger.commit import Committed, commit
from equipoise.ledger.facts import Refusal
from equipoise.ledger.followers import rebuild
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.store import NewEntry, Stale
from equipoise.ledger.verify import verify_path
from equipoise.words.problem import problem
from rooms.ledger.ledger_world import COUNTING, FOLLOWER, NOON, SAVES, act, fresh, query, rules, save

STREAMS = ["subject/a", "subject/b", "diary/a", "study"]
SPREAD = st.lists(st.sampled_from(STREAMS), min_size=1, max_size=3, unique=True)


class LedgerLife(RuleBasedStateMachine):
    """The walk. `model` is what must be read: stream -> the entries in order."""

    saves = Bundle("saves")

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ledger-life-"))
        self.ledger = fresh(self.folder / "store", followers=[FOLLOWER])
        self.model: dict[str, list] = {stream: [] for stream in STREAMS}
        self.erased: set[str] = set()
        self.number = 0
        self.minutes = 0

    def teardown(self):
        if not hasattr(self, "folder"):
            return
        self.ledger.close()
        verdict = verify_path(self.folder / "store")
        assert verdict.ok, verdict.lines()
        assert verdict.entries == sum(len(entries) for entries in self.model.values())
        shutil.rmtree(self.folder)

    def now(self):
        return NOON + dt.timedelta(minutes=self.minutes)

    @rule(target=saves, streams=SPREAD, times=st.sampled_from([1, 1, 2, 60]), text=st.booleans())
    def save(self, streams, times, text):
        self.number += 1
        key = f"k{self.number}"
        appends = tuple(
            part
            for stream in streams
            for number in range(times)
            for part in (save(stream, self.number + number, "text" if text else ""), query(stream, number))
        )

        def decide(reader):
            for stream in streams:
                reader.fold(stream, COUNTING)  # so that snapshots are renewed on the way
            return appends

        outcome = commit(self.ledger, act(key, self.now()), streams, decide)
        if any(stream in self.erased for stream in streams):
            assert rules(outcome) == ["ledger.key-destroyed"]
            return None
        assert isinstance(outcome, Committed)
        assert not outcome.replayed
        assert [one.entry for one in outcome.recorded] == [append.entry for append in appends]
        for one in outcome.recorded:
            self.model[one.header.stream].append(one)
        return key, streams, outcome

    @rule(made=saves, minutes=st.integers(-5, 5))
    def replay(self, made, minutes):
        if made is None:
            return
        key, streams, first = made
        again = commit(
            self.ledger, act(key, self.now() + dt.timedelta(minutes=minutes)), streams, lambda reader: ()
        )
        assert isinstance(again, Committed)
        assert (again.replayed, again.receipt) == (True, first.receipt)
        assert [one.leaf for one in again.recorded] == [one.leaf for one in first.recorded]

    @rule(made=saves)
    def use_a_key_for_something_else(self, made):
        if made is None:
            return
        key, streams, _ = made
        outcome = commit(self.ledger, act(key, self.now(), "another command"), streams, lambda reader: ())
        assert rules(outcome) == ["ledger.key-reused"]

    @rule(streams=SPREAD, fails=st.booleans())
    def decide_against_it(self, streams, fails):
        self.number += 1

        def decide(reader):
            if fails:
                raise ZeroDivisionError
            return Refusal((problem("capture.reason-required"),))

        try:
            outcome = commit(self.ledger, act(f"k{self.number}", self.now()), streams, decide)
        except ZeroDivisionError:
            assert fails
        else:
            assert rules(outcome) == ["capture.reason-required"]

    @rule(stream=st.sampled_from(STREAMS), behind=st.integers(0, 2))
    def append_to_an_older_head(self, stream, behind):
        entries = self.model[stream]
        if len(entries) <= behind:
            return
        old = entries[-1 - behind]
        seq = old.header.seq + (0 if behind == 0 else 1)  # the head itself once more, or after one before it
        prev = old.header.prev if behind == 0 else old.leaf
        new = NewEntry(stream, seq, prev, f"stale{self.number}", 0, "0" * 64, b"{}", {"main": b""})
        try:
            with self.ledger.store.writing([stream]) as transaction:
                transaction.append([new])
        except Stale:
            return
        raise AssertionError("a stale append was taken")

    @rule()
    def open_again(self):
        self.ledger.close()
        ledger = open_ledger(self.folder / "store", write=True, followers=[FOLLOWER])
        assert isinstance(ledger, Ledger)
        self.ledger = ledger

    @rule(minutes=st.integers(-30, 60))
    def time_passes(self, minutes):
        self.minutes += minutes

    @rule()
    def checkpoint(self):
        made = make_checkpoint(self.ledger, self.now())
        expected = [] if any(self.model.values()) else ["ledger.checkpoint-nothing"]
        assert rules(made) == expected

    @rule()
    def archive(self):
        path = self.folder / f"archive{self.number}.jsonl"
        path.unlink(missing_ok=True)
        write_archive(self.ledger, path)
        verdict = verify_path(path)
        assert verdict.ok, verdict.lines()
        assert verdict.root == verify_path(self.folder / "store").root

    @rule(subject=st.sampled_from(["a", "b"]), chance=st.integers(0, 9))
    def erase(self, subject, chance):
        if chance:
            return  # seldom, since little can be done with an erased subject
        self.ledger.keys.destroy(f"subject/{subject}")
        for stream in (f"subject/{subject}", f"diary/{subject}"):
            self.erased.add(stream)
            self.model.setdefault(stream, [])
            self.model[stream] = [
                dataclasses.replace(one, entry=None, withheld=tuple(body.part for body in one.header.bodies))
                for one in self.model[stream]
            ]

    @invariant()
    def reads_as_the_model(self):
        if not hasattr(self, "ledger"):
            return
        with self.ledger.reading() as reader:
            for stream, expected in self.model.items():
                assert list(reader.entries(stream)) == expected
                assert reader.head(stream).seq == len(expected)
                assert [one.header.seq for one in expected] == list(range(1, len(expected) + 1))
                assert [one.header.at for one in expected] == sorted(one.header.at for one in expected)
                state = COUNTING.start
                for one in expected:
                    state = COUNTING.evolve(state, one)
                assert reader.fold(stream, COUNTING) == state  # snapshot + tail = fold of everything

    @invariant()
    def following_is_rebuilding(self):
        if not hasattr(self, "ledger"):
            return
        followed = self.table()
        rebuild(self.ledger.store, self.ledger.keys, self.ledger.followers)
        assert self.table() == followed

    def table(self):
        with self.ledger.reading() as reader:
            return reader.rows.find(SAVES)


TestLedgerLife = LedgerLife.TestCase
TestLedgerLife.settings = settings(max_examples=25, stateful_step_count=18)

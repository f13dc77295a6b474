"""An error while committing does not say whether the save was kept: the same key sent again finds out, exactly once.

The database connection is replaced by one that fails at a chosen statement, before or after carrying it out.
"""

from __future__ import annotations

import sqlite3

import pytest

from equipoise.ledger.commit import Committed, commit
from equipoise.ledger.verify import verify_path
from rooms.ledger.ledger_world import FOLLOWER, SAVES, act, fresh, must, rules, save

A, B = "subject/a", "subject/b"
REAL = sqlite3.connect


class Failing(sqlite3.Connection):
    """Fails once at the first statement that begins with `at`; `after` carries it out first."""

    at = ""
    after = False
    failed: list[sqlite3.Connection] = []
    asked_again: list[str] = []

    def execute(self, sql, *parameters):
        if self in Failing.failed and not sql.startswith(("ROLLBACK", "PRAGMA")):
            Failing.asked_again.append(sql)
        if Failing.at and sql.startswith(Failing.at):
            Failing.at = ""
            Failing.failed.append(self)
            if Failing.after:
                super().execute(sql, *parameters)
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return super().execute(sql, *parameters)


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: REAL(*a, **{**k, "factory": Failing}))
    Failing.at, Failing.failed, Failing.asked_again = "", [], []
    opened = fresh(tmp_path / "store", followers=[FOLLOWER])
    must(opened, "first", save(A, 1), save(B, 1))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("at", "after"),
    [
        ("BEGIN IMMEDIATE", False),
        ("SELECT", False),
        ("INSERT INTO entries", False),
        ("INSERT INTO entries", True),
        ("INSERT OR REPLACE INTO read_saves", True),
        ("COMMIT", False),
        ("COMMIT", True),
    ],
)
def test_the_same_key_again_makes_it_one_save_whatever_failed(ledger, tmp_path, at, after):
    Failing.at, Failing.after = at, after
    appends = (save(A, 2, "text"), save(B, 2))

    def attempt():
        return commit(ledger, act("second"), [A, B], lambda reader: appends)

    assert rules(attempt()) == ["ledger.unavailable"]
    with ledger.reading() as reader:  # reading goes on; both streams or none
        kept = reader.head(A).seq, reader.head(B).seq
        assert kept == ((2, 2) if (at, after) == ("COMMIT", True) else (1, 1))
        assert reader.rows.get(SAVES, (A,))["number"] == kept[0]
    again = attempt()
    assert isinstance(again, Committed)
    assert again.replayed == (kept == (2, 2))
    assert [one.entry for one in again.recorded] == [append.entry for append in appends]
    assert attempt().receipt == again.receipt
    with ledger.reading() as reader:
        assert (reader.head(A).seq, reader.head(B).seq) == (2, 2)
        assert reader.rows.get(SAVES, (A,))["number"] == 2
    assert Failing.asked_again == []  # a connection that failed once is not trusted again
    assert verify_path(tmp_path / "store").ok


@pytest.mark.parametrize("at", ["SELECT part, key", "BEGIN IMMEDIATE", "COMMIT"])
@pytest.mark.parametrize("after", [False, True])
def test_a_key_file_that_fails_leaves_no_entry_without_its_key(ledger, tmp_path, monkeypatch, at, after):
    new = "subject/new"

    def decide(reader):
        Failing.at, Failing.after = at, after  # from here on: the next to say this is the key file
        return (save(new, 1, "text"),)

    assert rules(commit(ledger, act("k"), [new], decide)) == ["ledger.unavailable"]
    Failing.at = ""
    with ledger.reading() as reader:
        assert reader.head(new).seq == 0
    made = must(ledger, "k", save(new, 1, "text"))
    assert not made.replayed
    with ledger.reading() as reader:
        assert reader.entries(new) == made.recorded
    assert Failing.asked_again == []

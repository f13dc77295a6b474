"""Opening: one writer, any readers, and files that are not what they should be."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from equipoise.ledger.followers import Follower, rebuild
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.store import StoreFault
from equipoise.ledger.verify import verify_path
from equipoise.words.problem import catalogue
from rooms.ledger.ledger_world import FOLLOWER, SAVES, again, fill, fresh, must, rules, save


@pytest.fixture
def folder(tmp_path):
    ledger = fresh(tmp_path / "store")
    fill(ledger)
    ledger.close()
    return tmp_path / "store"


def test_a_second_writer_is_refused_by_name_and_readers_are_let_in(folder):
    first = again(folder)
    second = open_ledger(folder, write=True)
    assert rules(second) == ["ledger.locked"]
    assert second.arguments["process"] == str(os.getpid())
    reading = again(folder, write=False)
    must(first, "later", save("subject/s0", 9))
    with reading.reading() as reader:
        assert reader.entries("subject/s0")[-1].header.idempotency_key == "later"
    assert verify_path(folder).ok
    reading.close()
    first.close()
    third = again(folder)
    third.close()


def test_a_second_process_is_refused(folder):
    first = again(folder)
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from equipoise.ledger.opening import open_ledger
        print(open_ledger(Path(sys.argv[1]), write=True).rule)
    """)
    ran = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert (ran.stdout.strip(), ran.returncode) == ("ledger.locked", 0), ran.stderr
    first.close()


def test_nothing_there_is_said_and_nothing_is_made(tmp_path):
    for write in (True, False):
        assert rules(open_ledger(tmp_path / "none", write=write)) == ["ledger.not-found"]
    assert list(tmp_path.iterdir()) == []


def change(folder, sql):
    connection = sqlite3.connect(folder / "ledger.sqlite")
    connection.executescript(sql)
    connection.close()


@pytest.mark.parametrize(
    ("what", "rule"),
    [
        ("text", "ledger.store-foreign"),
        ("another program's database", "ledger.store-foreign"),
        ("half of it", "ledger.store-damaged"),
        ("its first page alone", "ledger.store-damaged"),
        ("garbage after the first page", "ledger.store-damaged"),
        ("a newer version", "ledger.store-newer"),
        ("a trigger dropped", "ledger.store-altered"),
        ("a table added", "ledger.store-altered"),
        ("a table dropped", "ledger.store-altered"),
    ],
)
@pytest.mark.parametrize("write", [True, False])
def test_a_file_that_is_no_sound_store_is_refused_and_left_as_it_is(folder, what, rule, write):
    path = folder / "ledger.sqlite"
    data = path.read_bytes()
    if what == "text":
        path.write_bytes(b"a trial master file, page 1\n" * 100)
    elif what == "another program's database":
        path.unlink()
        change(folder, "CREATE TABLE recipes (id INTEGER PRIMARY KEY)")
    elif what == "half of it":
        path.write_bytes(data[: len(data) // 2])
    elif what == "its first page alone":
        path.write_bytes(data[:4096])
    elif what == "garbage after the first page":
        path.write_bytes(data[:4096] + b"\xa5" * (len(data) - 4096))
    else:
        sql = {
            "a newer version": "PRAGMA user_version = 99",
            "a trigger dropped": "DROP TRIGGER entries_no_update",
            "a table added": "CREATE TABLE extra (id INTEGER)",
            "a table dropped": "DROP TABLE snapshots",
        }[what]
        change(folder, sql)
    before = path.read_bytes()
    found = open_ledger(folder, write=write)
    if isinstance(found, Ledger):
        # A damage behind what opening reads comes to light at the first reading, as a fault with the same rule.
        with pytest.raises(StoreFault) as caught, found.reading() as reader:
            list(reader.everything())
        found.close()
        assert caught.value.problem.rule == rule
    else:
        assert rules(found) == [rule]
    assert path.read_bytes() == before
    assert not verify_path(folder).ok


def test_an_interrupted_beginning_is_finished(tmp_path):
    # What a kill leaves: the lock file and an empty store file, or a store file that has only its header.
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / "ledger.sqlite").touch()
    fresh(folder).close()
    shutil.rmtree(folder)
    folder.mkdir()
    connection = sqlite3.connect(folder / "ledger.sqlite")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    ledger = fresh(folder)
    must(ledger, "k", save("subject/a", 1))
    ledger.close()
    assert verify_path(folder).entries == 1


def test_a_file_left_half_way_through_a_change_is_set_right_by_the_writer(tmp_path):
    # A kill while the store is being made leaves SQLite's rollback journal, which a reader cannot play back.
    connection = sqlite3.connect(tmp_path / "making", isolation_level=None)
    connection.execute("CREATE TABLE first (content)")
    connection.execute("DROP TABLE first")
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE half_made (content)")
    connection.executemany("INSERT INTO half_made VALUES (?)", [("x" * 3000,)] * 60)
    folder = tmp_path / "store"
    folder.mkdir()
    shutil.copyfile(tmp_path / "making", folder / "ledger.sqlite")
    shutil.copyfile(tmp_path / "making-journal", folder / "ledger.sqlite-journal")
    connection.close()
    assert (folder / "ledger.sqlite").stat().st_size > 0
    assert rules(open_ledger(folder, write=False)) == ["ledger.unavailable"]
    ledger = fresh(folder)
    must(ledger, "k", save("subject/a", 1))
    ledger.close()
    assert verify_path(folder).entries == 1


@pytest.mark.parametrize("statement", [
    "UPDATE entries SET leaf = 'x' WHERE position = 1",
    "DELETE FROM entries WHERE position = 1",
    "DELETE FROM entries",
    "INSERT OR REPLACE INTO entries SELECT position, stream, seq, key, part, 'x', header FROM entries WHERE position = 1",
    "REPLACE INTO entries SELECT 999, stream, seq, key, part, 'x', header FROM entries WHERE position = 1",
    "INSERT OR REPLACE INTO entries SELECT 99, 'n', 1, 'n', 0, 'x', x'00' FROM entries WHERE position = 1",
    "INSERT OR REPLACE INTO entries (position, stream, seq, key, part, leaf, header)"
    " SELECT (SELECT max(position) + 1 FROM entries), stream, (SELECT max(seq) + 1 FROM entries AS o WHERE o.stream ="
    " e.stream), key, part, 'x', header FROM entries AS e WHERE position = 2",
    "UPDATE bodies SET sealed = x'00'",
    "DELETE FROM bodies",
    "INSERT OR REPLACE INTO bodies SELECT stream, seq, part, x'00' FROM bodies LIMIT 1",
    "INSERT INTO entries (stream, seq, key, part, leaf, header) VALUES ('subject/s0', 99, 'n', 0, 'x', x'00')",
])  # fmt: skip
@pytest.mark.parametrize("recursive", ["ON", "OFF"])
def test_no_statement_changes_an_entry_on_any_connection(folder, statement, recursive):
    # A plain connection, as any tool would open it: with SQLite's default, REPLACE runs no delete trigger.
    connection = sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)
    connection.execute(f"PRAGMA recursive_triggers = {recursive}")
    before = (
        connection.execute("SELECT * FROM entries").fetchall()
        + connection.execute("SELECT * FROM bodies").fetchall()
    )
    with pytest.raises(sqlite3.IntegrityError, match=r"^ledger: "):
        connection.execute(statement)
    after = (
        connection.execute("SELECT * FROM entries").fetchall()
        + connection.execute("SELECT * FROM bodies").fetchall()
    )
    assert after == before
    connection.close()


def test_the_settings_that_make_a_save_durable_are_on(folder):
    ledger = again(folder)
    with ledger.store.writing(()) as transaction:
        setting = {
            name: transaction._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "recursive_triggers", "foreign_keys")
        }
    assert setting == {"journal_mode": "wal", "synchronous": 2, "recursive_triggers": 1, "foreign_keys": 1}
    ledger.close()


def test_a_file_system_that_does_not_keep_a_setting_is_refused(folder, monkeypatch):
    real = sqlite3.connect

    class Deaf(sqlite3.Connection):
        """A connection whose journal mode stays what it was, as on a network share."""

        def execute(self, sql, *parameters):
            return super().execute(sql.replace("journal_mode = WAL", "journal_mode"), *parameters)

    connection = sqlite3.connect(folder / "ledger.sqlite")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: real(*a, **{**k, "factory": Deaf}))
    assert rules(open_ledger(folder, write=True)) == ["ledger.unsafe-mode"]


# --- read tables over a life -------------------------------------------------------------------------------------


def table_rows(ledger):
    with ledger.reading() as reader:
        return reader.rows.find(SAVES)


def test_read_tables_are_filled_when_they_are_new_and_when_their_meaning_changed(folder):
    ledger = again(folder, followers=[FOLLOWER])
    first = table_rows(ledger)
    assert [row["stream"] for row in first] == ["subject/s0", "subject/s1", "subject/s2"]
    with ledger.store.writing(()) as transaction:
        transaction.clear(SAVES)
    ledger.close()
    kept = again(folder, followers=[FOLLOWER])
    assert table_rows(kept) == ()  # the same meaning: not touched
    rebuild(kept.store, kept.keys, kept.followers)
    assert table_rows(kept) == first
    kept.close()
    newer = again(folder, followers=[Follower("saves", "2", (SAVES,), FOLLOWER.follow)])
    assert table_rows(newer) == first
    newer.close()


def test_every_message_of_the_room_can_be_said(root):
    room = root / "src" / "equipoise" / "ledger"
    text = "".join(path.read_text("utf-8") for path in room.glob("*.py"))
    known = {key for key in catalogue() if key.startswith("ledger.")}
    assert {key for key in known if f'"{key}"' not in text} == set()

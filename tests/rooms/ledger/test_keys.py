"""The key file: readable by its owner alone, never made anew, and what is left when a key is destroyed."""

from __future__ import annotations

import secrets
import shutil
import sqlite3

import pytest

from equipoise.ledger.commit import commit
from equipoise.ledger.keys import key_name, open_keys
from equipoise.ledger.opening import open_ledger
from equipoise.ledger.store import StoreFault
from equipoise.ledger.verify import verify_path
from rooms.ledger.ledger_world import COUNTING, act, again, fresh, must, rules, save

A, B = "subject/a", "subject/b"
SECRET = "left-sided weakness 左侧无力"


@pytest.fixture
def folder(tmp_path):
    ledger = fresh(tmp_path / "store")
    must(ledger, "k1", save(A, 1, SECRET))
    must(ledger, "k2", save(B, 2, SECRET))
    ledger.close()
    return tmp_path / "store"


def secret_keys(folder, name):
    connection = sqlite3.connect(folder / "keys" / "keys.sqlite")
    rows = connection.execute("SELECT part, key FROM data_keys WHERE name = ?", [name]).fetchall()
    connection.close()
    return dict(rows)


def test_only_the_owner_may_read_keys_and_store(folder):
    for path in (folder / "keys" / "keys.sqlite", folder / "ledger.sqlite", folder / "ledger.lock"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert (folder / "keys").stat().st_mode & 0o077 == 0


def test_the_store_without_its_keys_shows_no_value(folder):
    # Canary: the value and the text of the save, as they would stand in JSON.
    for path in [path for path in folder.iterdir() if path.is_file()]:
        data = path.read_bytes()
        for canary in (SECRET.encode(), "左侧无力".encode(), b"NIHSS0101", b"intubated"):
            assert canary not in data, (path, canary)
    assert b"FormSaved" in (folder / "ledger.sqlite").read_bytes()  # the search finds what is there


def test_every_stream_has_keys_of_its_own_and_a_diary_its_subjects(folder):
    assert key_name("diary/a") == key_name("subject/a") == "subject/a"
    assert key_name("site/01") == "site/01"
    pairs = [secret_keys(folder, name) for name in (A, B)]
    values = [key for pair in pairs for key in pair.values()]
    assert len(set(values)) == 4
    assert all(len(key) == 32 for key in values)


def test_a_destroyed_key_leaves_a_chain_that_verifies_and_a_body_that_is_gone(folder):
    keys = secret_keys(folder, A)
    ledger = again(folder)
    ledger.keys.destroy(A)
    with ledger.reading() as reader:
        (erased,) = reader.entries(A)
        assert (erased.entry, erased.withheld) == (None, ("main", "aside"))
        assert erased.header.kind == "FormSaved"
        assert reader.entries(B)[0].entry == save(B, 2, SECRET).entry
    assert rules(commit(ledger, act("k3"), [A], lambda reader: (save(A, 3),))) == ["ledger.key-destroyed"]
    ledger.close()
    assert verify_path(folder).ok
    data = (folder / "keys" / "keys.sqlite").read_bytes()
    assert all(key not in data for key in keys.values())
    assert all(key in data for key in secret_keys(folder, B).values())  # the search finds what is there
    later = again(folder)
    with later.reading() as reader:
        assert reader.entries(A)[0].entry is None
    later.close()


def test_free_text_can_be_erased_alone(folder):
    ledger = again(folder)
    ledger.keys.destroy(A, ["aside"])
    with ledger.reading() as reader:
        (left,) = reader.entries(A)
    assert left.withheld == ("aside",)
    assert left.entry == save(A, 1).entry
    must(ledger, "k3", save(A, 3))  # an entry without free text needs no key for it
    assert rules(commit(ledger, act("k4"), [A], lambda reader: (save(A, 4, "text"),))) == [
        "ledger.key-destroyed"
    ]
    ledger.close()
    assert verify_path(folder).ok


@pytest.mark.parametrize("part", ["main", "aside"])
def test_a_snapshot_dies_with_either_key(folder, part):
    ledger = again(folder)

    def decide(reader):
        reader.fold(A, COUNTING)
        return tuple(save(A, number) for number in range(120))

    commit(ledger, act("many"), [A], decide)
    with ledger.store.reading() as reading:
        assert reading.snapshot(A) is not None
    ledger.keys.destroy(A, [part])
    with ledger.reading() as reader:
        state = reader.fold(A, COUNTING)
        whole = COUNTING.start
        for recorded in reader.entries(A):
            whole = COUNTING.evolve(whole, recorded)
        assert state == whole
        assert reader.folded[A].snapshot_seq == 0
    ledger.close()


def test_a_destroyed_key_that_was_never_made_is_never_made(folder):
    ledger = again(folder)
    ledger.keys.destroy("subject/later")
    outcome = commit(ledger, act("k3"), ["subject/later"], lambda reader: (save("subject/later", 1),))
    assert rules(outcome) == ["ledger.key-destroyed"]
    ledger.close()


def test_a_store_with_entries_gets_no_new_key_file(folder):
    shutil.rmtree(folder / "keys")
    for create in (False, True):
        assert rules(open_ledger(folder, write=True, create=create)) == ["ledger.keys-missing"]
    assert not (folder / "keys").exists()


def test_the_key_file_of_another_store_is_refused(folder, tmp_path):
    fresh(tmp_path / "other", seed=2).close()
    shutil.copyfile(tmp_path / "other" / "keys" / "keys.sqlite", folder / "keys" / "keys.sqlite")
    assert rules(open_ledger(folder, write=True)) == ["ledger.keys-foreign"]


@pytest.mark.parametrize("content", [b"", b"garbage", b"SQLite format 3\x00" + b"x" * 5000])
def test_a_damaged_key_file_is_named(folder, content):
    (folder / "keys" / "keys.sqlite").write_bytes(content)
    assert rules(open_ledger(folder, write=True)) == ["ledger.keys-damaged"]


def test_a_key_file_may_stand_elsewhere(tmp_path):
    elsewhere = tmp_path / "safe" / "k.sqlite"
    ledger = open_ledger(tmp_path / "store", write=True, create=True, keys=elsewhere)
    must(ledger, "k1", save(A, 1))
    ledger.close()
    assert not (tmp_path / "store" / "keys").exists()
    assert rules(open_ledger(tmp_path / "store", write=True)) == ["ledger.keys-missing"]
    found = open_ledger(tmp_path / "store", write=False, keys=elsewhere)
    with found.reading() as reader:
        assert reader.entries(A)[0].entry == save(A, 1).entry
    found.close()


def test_a_key_file_that_cannot_be_written_is_a_fault_of_the_store(tmp_path):
    path = tmp_path / "keys.sqlite"
    open_keys(path, secrets.token_bytes, create=True, write=True).close()
    keys = open_keys(path, secrets.token_bytes, create=False, write=False)
    with pytest.raises(StoreFault) as caught:
        keys.cipher_for_writing(A, "main")
    assert caught.value.problem.rule == "ledger.unavailable"
    keys.close()

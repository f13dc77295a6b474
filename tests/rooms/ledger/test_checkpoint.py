"""Checkpoints: what is signed, what is refused a signature, and proofs that reach them."""

from __future__ import annotations

import base64
import datetime as dt
import shutil
import sqlite3

import pytest

from equipoise.ledger.checkpoint import (
    Checkpoint,
    Tree,
    last_checkpoint,
    make_checkpoint,
    prove_consistency,
    prove_inclusion,
    read_note,
    read_tree,
)
from equipoise.ledger.merkle import consistency_holds, inclusion_holds
from equipoise.ledger.notes import key_id, origin_of, vkey_of
from equipoise.ledger.verify import verify_path
from rooms.ledger.ledger_world import NOON, again, fill, fresh, must, rules, save

LATER = NOON + dt.timedelta(hours=1)


@pytest.fixture
def ledger(tmp_path):
    opened = fresh(tmp_path / "store")
    fill(opened)
    yield opened
    opened.close()


def root(checkpoint):
    return bytes.fromhex(checkpoint.root)


def test_a_checkpoint_is_a_signed_note_of_the_published_form(ledger):
    made = make_checkpoint(ledger, NOON)
    assert isinstance(made, Checkpoint)
    # C2SP tlog-checkpoint: origin, size in decimal, root in base64; signed-note: an empty line, then signatures.
    lines = made.note.split("\n")
    assert lines[:2] == [origin_of(ledger.keys.public), str(made.size)]
    assert base64.b64decode(lines[2]).hex() == made.root
    assert lines[3] == "at 2026-08-14T12:00:00Z"
    assert lines[5] == ""
    mark, name, encoded = lines[6].split(" ")
    assert (mark, name, lines[7:]) == ("—", lines[0], [""])
    blob = base64.b64decode(encoded)
    assert (blob[:4], len(blob)) == (key_id(ledger.keys.public), 68)
    assert read_note(made.note, ledger.keys.public) == made
    vkey = (ledger.places.checkpoints / "public-key").read_text("utf-8").strip()
    assert vkey == vkey_of(ledger.keys.public)


@pytest.mark.parametrize("line", range(7))
def test_a_note_with_anything_changed_is_no_note(ledger, line):
    note = make_checkpoint(ledger, NOON).note
    lines = note.split("\n")
    lines[line] = lines[line][:-1] + ("A" if lines[line][-1:] != "A" else "B")
    assert read_note("\n".join(lines), ledger.keys.public) is None
    assert read_note("", ledger.keys.public) is None


def test_nothing_new_gives_the_last_checkpoint_again(ledger):
    first = make_checkpoint(ledger, NOON)
    assert make_checkpoint(ledger, LATER) == first
    assert last_checkpoint(ledger) == first
    must(ledger, "later", save("subject/s1", 9))
    second = make_checkpoint(ledger, LATER)
    assert (second.size, second.at) == (first.size + 1, "2026-08-14T13:00:00Z")
    # The list beside it names only the stream that grew.
    heads = (ledger.places.checkpoints / f"{second.size:012}.heads").read_text("utf-8").split()
    assert heads[:1] + heads[3:] == ["subject/s1"]


def test_an_empty_ledger_has_nothing_to_sign(tmp_path):
    ledger = fresh(tmp_path / "empty")
    assert rules(make_checkpoint(ledger, NOON)) == ["ledger.checkpoint-nothing"]
    ledger.close()


def test_a_store_set_back_gets_no_signature(ledger, tmp_path):
    ledger.store.close()
    shutil.copyfile(tmp_path / "store" / "ledger.sqlite", tmp_path / "old.sqlite")
    ledger.close()
    newer = again(tmp_path / "store")
    must(newer, "later", save("subject/s1", 9))
    make_checkpoint(newer, NOON)
    newer.close()
    shutil.copyfile(tmp_path / "old.sqlite", tmp_path / "store" / "ledger.sqlite")
    back = again(tmp_path / "store")
    assert rules(make_checkpoint(back, LATER)) == ["ledger.checkpoint-contradicted"]
    must(back, "other", save("subject/s2", 9))  # as long as before, with another entry
    assert rules(make_checkpoint(back, LATER)) == ["ledger.checkpoint-contradicted"]
    must(back, "more", save("subject/s2", 10))
    assert rules(make_checkpoint(back, LATER)) == ["ledger.checkpoint-contradicted"]
    back.close()


def test_a_changed_checkpoint_or_header_gets_no_signature(ledger, tmp_path):
    made = make_checkpoint(ledger, NOON)
    path = ledger.places.checkpoints / f"{made.size:012}.checkpoint"
    path.write_text(made.note.replace("Z\nheads", "Y\nheads"), "utf-8")
    must(ledger, "later", save("subject/s1", 9))
    assert rules(make_checkpoint(ledger, LATER)) == ["ledger.checkpoint-unreadable"]
    path.write_text(made.note, "utf-8")
    connection = sqlite3.connect(tmp_path / "store" / "ledger.sqlite")
    connection.executescript(
        "DROP TRIGGER entries_no_update;"
        "UPDATE entries SET header = CAST(replace(header, 'coordinator', 'coordinatoR') AS BLOB) WHERE position = 3"
    )
    connection.close()
    assert rules(make_checkpoint(ledger, LATER)) == ["ledger.chain-broken"]


def test_any_entry_can_be_proven_to_stand_in_any_later_checkpoint(ledger):
    first = make_checkpoint(ledger, NOON)
    for number in range(5):
        must(ledger, f"later{number}", save("subject/s1", number))
    second = make_checkpoint(ledger, LATER)
    tree = read_tree(ledger)
    assert isinstance(tree, Tree)
    with ledger.reading() as reader:
        for _, recorded in reader.everything():
            header = recorded.header
            for checkpoint in (first, second):
                proof = prove_inclusion(tree, header.stream, header.seq, checkpoint.size)
                if rules(proof) == ["ledger.entry-not-found"]:
                    assert checkpoint == first
                    assert header.idempotency_key.startswith("later")
                    continue
                path = [bytes.fromhex(one) for one in proof.path]
                leaf = bytes.fromhex(recorded.leaf)
                assert inclusion_holds(leaf, proof.index, proof.size, path, root(checkpoint))
    path = [bytes.fromhex(one) for one in prove_consistency(tree, first.size, second.size)]
    assert consistency_holds(first.size, second.size, root(first), root(second), path)
    assert rules(prove_inclusion(tree, "subject/nobody", 1)) == ["ledger.entry-not-found"]
    assert rules(prove_consistency(tree, 5, second.size + 1)) == ["ledger.checkpoint-contradicted"]


def test_the_verifier_computes_the_same_root_and_checks_the_signature(ledger, tmp_path):
    make_checkpoint(ledger, NOON)
    must(ledger, "later", save("subject/s1", 9))
    made = make_checkpoint(ledger, LATER)
    verdict = verify_path(tmp_path / "store")
    assert (verdict.ok, verdict.root, verdict.entries) == (True, made.root, made.size)
    assert (verdict.checkpoints, verdict.signatures) == (2, 2)

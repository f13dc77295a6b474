"""The commit: what is looked up first, what is refused, what stands together, and what a receipt proves."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import threading
import unicodedata

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.ledger.chain import ZEROS, header_bytes, leaf_of
from equipoise.ledger.commit import Committed, commit, written_at
from equipoise.ledger.entries import Append, BodyPart, EnrolmentPaused, FormSaved, Header, SiteActivated
from equipoise.ledger.facts import Refusal
from equipoise.ledger.followers import Follower
from equipoise.ledger.keys import PARTS
from equipoise.ledger.reader import seal_snapshot
from equipoise.ledger.receipts import receipt_for, receipt_holds
from equipoise.words.problem import problem
from rooms.ledger.ledger_world import (
    COUNTING,
    FOLLOWER,
    NOON,
    SAVES,
    act,
    again,
    fresh,
    must,
    query,
    rules,
    save,
)

A, B = "subject/a", "subject/b"
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def ledger(tmp_path):
    opened = fresh(tmp_path / "store", followers=[FOLLOWER])
    yield opened
    opened.close()


def entries(ledger, stream):
    with ledger.reading() as reader:
        return reader.entries(stream)


def test_a_commit_is_read_back_as_it_was_decided(ledger):
    outcome = must(ledger, "k1", save(A, 1, "free text"), query(A, 1))
    assert not outcome.replayed
    assert entries(ledger, A) == outcome.recorded
    first, second = outcome.recorded
    assert first.entry == save(A, 1, "free text").entry
    assert [body.part for body in first.header.bodies] == ["main", "aside"]
    assert [body.part for body in second.header.bodies] == ["main"]
    assert (first.header.seq, first.header.prev, first.header.part) == (1, ZEROS, 0)
    assert (second.header.seq, second.header.prev, second.header.part) == (2, first.leaf, 1)
    said = act("k1")
    for one in outcome.recorded:
        assert one.header.command == said.command
        assert one.header.actor == said.actor
        assert one.header.at == "2026-08-14T12:00:00.000000Z"


def test_the_same_key_gives_the_same_entries_and_receipt_and_decides_nothing(ledger):
    appends = (save(A, 1), Append("study", EnrolmentPaused("why")), save(A, 2))
    first = must(ledger, "k1", *appends)

    def never(reader):
        raise AssertionError("decided again")

    second = commit(ledger, act("k1", NOON + SECOND), [A, "study"], never)
    assert second == dataclasses.replace(first, replayed=True)
    assert len(entries(ledger, A)) == 2


def test_the_same_key_with_another_command_is_refused(ledger):
    must(ledger, "k1", save(A, 1))
    outcome = commit(ledger, act("k1", command="something else"), [A], lambda reader: (save(A, 2),))
    assert rules(outcome) == ["ledger.key-reused"]
    assert len(entries(ledger, A)) == 1


def test_a_refused_decision_writes_nothing_and_leaves_its_key_free(ledger):
    no = Refusal((problem("capture.reason-required"),))
    assert commit(ledger, act("k1"), [A], lambda reader: no) == no
    assert entries(ledger, A) == ()
    assert not must(ledger, "k1", save(A, 1)).replayed


def test_a_decision_that_nothing_changed_writes_nothing(ledger):
    assert commit(ledger, act("k1"), [A], lambda reader: ()) == Committed((), replayed=False)
    assert entries(ledger, A) == ()


def test_all_streams_or_none(ledger):
    def decide(reader):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        commit(ledger, act("k1"), [A, B], decide)
    with pytest.raises(ValueError, match="subject/b"):
        commit(ledger, act("k1"), [A], lambda reader: (save(A, 1), save(B, 1)))
    assert entries(ledger, A) == entries(ledger, B) == ()
    outcome = must(ledger, "k1", save(A, 1), save(B, 1))
    assert [one.header.part for one in outcome.recorded] == [0, 0]
    assert outcome.receipt.stream == A


@pytest.mark.parametrize(
    "wrong", [{"at": dt.datetime(2026, 8, 14, 12)}, {"idempotency_key": ""}]
)  # fmt: skip
def test_an_act_without_a_zoned_time_or_a_key_is_a_fault_of_the_program(ledger, wrong):
    with pytest.raises(ValueError):
        commit(ledger, dataclasses.replace(act("k1"), **wrong), [A], lambda reader: (save(A, 1),))


def test_the_decision_reads_what_stands_inside_the_transaction(ledger):
    must(ledger, "k1", save(A, 1))
    seen: list = []

    def decide(reader):
        seen.append((reader.head(A).seq, len(reader.entries(A)), reader.rows.get(SAVES, (A,))["number"]))
        seen.append([head.stream for head in reader.streams()])
        return (save(A, 2),)

    commit(ledger, act("k2"), [A], decide)
    assert seen == [(1, 1, 1), [A]]


# --- time --------------------------------------------------------------------------------------------------------

MOMENTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1)).map(
    lambda at: at.replace(tzinfo=dt.UTC)
)


@settings(max_examples=40)  # each example makes a store of its own
@given(moments=st.lists(st.tuples(MOMENTS, st.sampled_from(["a", "b", "ab"])), max_size=8))
def test_time_never_runs_back_in_a_stream_and_a_commit_bears_one_moment(tmp_path_factory, moments):
    ledger = fresh(tmp_path_factory.mktemp("clock"))
    last = {"a": "", "b": ""}
    for number, (at, streams) in enumerate(moments):
        outcome = must(ledger, f"k{number}", *(save(f"subject/{name}", number) for name in streams), at=at)
        (written,) = {one.header.at for one in outcome.recorded}
        before = max(last[name] for name in streams)
        if written_at(at) >= before:
            assert written == written_at(at)
        else:
            microsecond = dt.timedelta(microseconds=1)
            assert dt.datetime.fromisoformat(written) == dt.datetime.fromisoformat(before) + microsecond
        last.update(dict.fromkeys(streams, written))
    ledger.close()


def test_a_moment_is_written_in_utc_with_microseconds():
    shanghai = dt.timezone(dt.timedelta(hours=8))
    assert written_at(dt.datetime(2026, 8, 14, 20, tzinfo=shanghai)) == "2026-08-14T12:00:00.000000Z"


# --- what is refused -----------------------------------------------------------------------------------------------


def test_an_entry_of_another_study_is_refused(ledger):
    must(ledger, "k1", save(A, 1))
    assert rules(commit(ledger, act("k2", study="OTHER"), [A], lambda reader: (save(A, 2),))) == [
        "ledger.other-study"
    ]


@pytest.mark.parametrize("text", ["e\u0301", "\ud800"])  # decomposed; half of a surrogate pair
def test_text_that_has_no_canonical_bytes_is_refused(ledger, text):
    assert rules(commit(ledger, act("k1"), [A], lambda reader: (save(A, 1, text),))) == [
        "ledger.text-not-canonical"
    ]
    assert entries(ledger, A) == ()


def test_a_ledger_opened_for_reading_refuses(ledger, tmp_path):
    reading = again(tmp_path / "store", write=False)
    assert rules(commit(reading, act("k1"), [A], lambda reader: (save(A, 1),))) == ["ledger.read-only"]
    reading.close()


# --- followers ---------------------------------------------------------------------------------------------------


def test_followers_change_in_the_same_transaction(ledger):
    must(ledger, "k1", save(A, 1), query(A, 1), save(B, 1))
    with ledger.reading() as reader:
        assert reader.rows.find(SAVES, order=("number",)) == (
            {"stream": B, "number": 1, "last": "FormSaved"},
            {"stream": A, "number": 2, "last": "QueryRaised"},
        )


def test_a_follower_that_fails_undoes_the_append(tmp_path):
    def fails(transaction, recorded):
        raise ZeroDivisionError

    ledger = fresh(tmp_path / "store", followers=[Follower("fails", "1", (), fails)])
    with pytest.raises(ZeroDivisionError):
        commit(ledger, act("k1"), [A], lambda reader: (save(A, 1),))
    assert entries(ledger, A) == ()
    ledger.close()


# --- many at once --------------------------------------------------------------------------------------------------


def test_eight_threads_on_one_subject_are_all_served_and_leave_no_gap(ledger):
    refused = []

    def work(name):
        for number in range(12):
            outcome = commit(
                ledger, act(f"{name}.{number}"), [A], lambda reader: (save(A, reader.head(A).seq),)
            )
            if not isinstance(outcome, Committed):
                refused.append(outcome)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
    found = entries(ledger, A)
    assert [one.header.seq for one in found] == list(range(1, 97))
    # Each decision saw the head that its own entry followed.
    assert all(one.entry.derived["TOTAL"].value == str(one.header.seq - 1) for one in found)


# --- receipts and bytes ------------------------------------------------------------------------------------------


def test_a_receipt_holds_for_its_entry_and_its_store_alone(ledger, tmp_path):
    receipt = must(ledger, "k1", save(A, 1), save(A, 2)).receipt
    public = ledger.keys.public
    assert (receipt.stream, receipt.seq) == (A, 2)
    assert receipt_holds(receipt, public)
    assert receipt == receipt_for(ledger.keys, entries(ledger, A)[1])
    for wrong in (
        dataclasses.replace(receipt, seq=1),
        dataclasses.replace(receipt, stream=B),
        dataclasses.replace(receipt, leaf=ZEROS),
        dataclasses.replace(receipt, signature=ZEROS * 2),
        dataclasses.replace(receipt, signature="no hexadecimal"),
    ):
        assert not receipt_holds(wrong, public)
    other = fresh(tmp_path / "other", seed=2)
    assert not receipt_holds(receipt, other.keys.public)
    other.close()


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8).filter(
    lambda text: text.isascii() or unicodedata.is_normalized("NFC", text)
)
PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=127), max_size=8)
"""Nearly all that stands in headers: printable ASCII, here with what JSON escapes, and DEL, which it does not."""
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(
    texts=st.lists(TEXT, min_size=9, max_size=9) | st.lists(PLAIN, min_size=9, max_size=9),
    seq=st.integers(1, 2**40),
    optional=st.tuples(st.none() | TEXT, st.none() | PLAIN),
    bodies=st.lists(st.tuples(HASHES, HASHES), max_size=2),
)
def test_header_bytes_are_those_of_rfc_8785(texts, seq, optional, bodies):
    parts = tuple(BodyPart(part, *hashes) for part, hashes in zip(PARTS, bodies, strict=False))
    study, stream, prev, kind, study_digest, actor, role, at, key = texts
    client_at, zone = optional
    header = Header(
        1, study, stream, seq, prev, kind, study_digest, actor, role, at, client_at, zone, key, 0, "c", parts
    )
    written = header_bytes(header)
    assert written == rfc8785.dumps(
        {**dataclasses.asdict(header), "bodies": [dataclasses.asdict(p) for p in parts]}
    )
    # SHA-256 over 0x00 and the bytes is the leaf hash of RFC 6962, 2.1.
    assert leaf_of(written) == hashlib.sha256(b"\x00" + written).hexdigest()


# --- folding -------------------------------------------------------------------------------------------------------


def folded(ledger, stream):
    with ledger.reading() as reader:
        return reader.fold(stream, COUNTING)


def test_a_snapshot_is_renewed_by_the_commit_and_changes_nothing_but_speed(ledger):
    def decide(reader):
        reader.fold(A, COUNTING)
        return tuple(save(A, number) for number in range(30))

    for number in range(8):
        commit(ledger, act(f"k{number}"), [A], decide)
        with ledger.reading() as reader:
            whole = COUNTING.start
            for recorded in reader.entries(A):
                whole = COUNTING.evolve(whole, recorded)
        assert folded(ledger, A) == whole
    with ledger.store.reading() as reading:
        snapshot = reading.snapshot(A)
        # 30 entries a commit: the tail passes 100 at 120, and again at 240.
        assert (snapshot.seq, snapshot.code) == (240, COUNTING.code)
        assert b"mixed" not in snapshot.sealed


def test_a_snapshot_of_other_code_or_of_damaged_bytes_is_not_used(ledger):
    for number in range(3):
        must(ledger, f"k{number}", save(A, number))
    right = folded(ledger, A)
    with ledger.store.reading() as reading:
        head = reading.head(A)

    lie = {"mixed": 1}
    true = seal_snapshot(ledger.keys, A, 3, head.leaf, COUNTING.code, lie, ledger.entropy)
    wrong = [
        dataclasses.replace(true, code="counting 0"),
        dataclasses.replace(true, sealed=true.sealed[:-1] + bytes([true.sealed[-1] ^ 1])),
        dataclasses.replace(true, seq=2),
        dataclasses.replace(true, leaf=ZEROS),
        seal_snapshot(ledger.keys, A, 3, ZEROS, COUNTING.code, lie, ledger.entropy),
        seal_snapshot(ledger.keys, A, 2, head.leaf, COUNTING.code, lie, ledger.entropy),
        seal_snapshot(ledger.keys, A, 9, head.leaf, COUNTING.code, lie, ledger.entropy),
    ]
    for snapshot in wrong:
        with ledger.store.writing([A]) as transaction:
            transaction.keep_snapshot(snapshot)
        assert folded(ledger, A) == right
    with ledger.store.writing([A]) as transaction:
        transaction.keep_snapshot(true)
    assert folded(ledger, A) == lie  # the test bites: a snapshot that fits is what is used


def test_kinds_without_an_aside_have_one_body(ledger):
    outcome = must(ledger, "k1", Append("site/01", SiteActivated("01")), Append("study", EnrolmentPaused("")))
    assert [[body.part for body in one.header.bodies] for one in outcome.recorded] == [["main"], ["main"]]
    assert isinstance(must(ledger, "k2", save(A, 1)).recorded[0].entry, FormSaved)

"""The verifier: sound ledgers pass, every change is found and its place named, garbage crashes nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger import verify
from equipoise.ledger.chain import header_bytes, leaf_of
from equipoise.ledger.checkpoint import make_checkpoint
from equipoise.ledger.merkle import root_of
from equipoise.ledger.verify import ed25519_holds, main, verify_path
from rooms.ledger.ledger_world import (
    NOON,
    again,
    fresh,
    furnished,
    last_line,
    must,
    save,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A furnished store; every test below works on a copy."""
    return furnished(tmp_path_factory.mktemp("made") / "store")


@pytest.fixture
def folder(made, tmp_path):
    shutil.copytree(made, tmp_path / "store")
    return tmp_path / "store"


def change(folder, *statements):
    """Change the store as someone with the file and any SQLite tool could: the triggers go first."""
    connection = sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(*statement) if isinstance(statement, tuple) else connection.execute(statement)
    for _, sql in triggers:  # put back, so that nothing but the change itself can be found
        connection.execute(sql)
    connection.close()


# --- what is sound passes ------------------------------------------------------------------------------------------


def test_a_sound_store_passes_with_the_root_over_all_leaves(folder):
    verdict = verify_path(folder)
    ledger = again(folder, write=False)
    with ledger.reading() as reader:
        leaves = [bytes.fromhex(recorded.leaf) for _, recorded in reader.everything()]
        bodies = sum(len(recorded.header.bodies) for _, recorded in reader.everything())
    ledger.close()
    assert last_line(verdict) == f"ok {len(leaves)} entries root {root_of(leaves).hex()}"
    assert (verdict.checkpoints, verdict.signatures, verdict.bodies_sealed) == (2, 2, bodies)


def test_a_store_in_use_passes_and_stays_as_it_is(folder):
    ledger = again(folder)
    must(ledger, "open", save("subject/s1", 1))
    assert (folder / "ledger.sqlite-wal").stat().st_size > 0
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    verdict = verify_path(folder)
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert verdict.ok
    assert verdict.entries == 16 + 110 + 3 + 1  # fill, the long commit, the one over two streams, this one
    # The index of the log (-shm) is scratch memory of SQLite and holds read marks.
    assert {name: data for name, data in after.items() if name != "ledger.sqlite-shm"} == {
        name: data for name, data in before.items() if name != "ledger.sqlite-shm"
    }
    # A copy taken while it is in use, log and all, holds everything that was acknowledged.
    copy = folder.parent / "copy"
    copy.mkdir()
    for name in ("ledger.sqlite", "ledger.sqlite-wal"):
        shutil.copyfile(folder / name, copy / name)
    ledger.close()
    assert verify_path(copy).entries == verdict.entries


def test_it_runs_alone_with_nothing_but_python(folder, tmp_path):
    alone = tmp_path / "verify.py"
    shutil.copyfile(verify.__file__, alone)
    ran = subprocess.run(
        [sys.executable, "-I", str(alone), str(folder)], capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-1] == last_line(verify_path(folder))
    change(
        folder, "UPDATE entries SET leaf = replace(leaf, 'a', 'b') WHERE stream = 'subject/s1' AND seq = 2"
    )
    ran = subprocess.run(
        [sys.executable, "-I", str(alone), str(folder), "--json"], capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 1
    found = json.loads(ran.stdout)
    assert (found["ok"], found["findings"][0]["stream"], found["findings"][0]["seq"]) == (
        False,
        "subject/s1",
        2,
    )


# --- raw changes are found, and named -------------------------------------------------------------------------------

HEADER = "CAST(replace(CAST(header AS TEXT), '{}', '{}') AS BLOB)"
CHANGES = {
    "a header": ("UPDATE entries SET header = " + HEADER.format("coordinator", "investigator"), True),
    "a header and its leaf": None,  # made below: needs the new leaf
    "the leaf": ("UPDATE entries SET leaf = printf('%064d', 1)", True),
    "the key column": ("UPDATE entries SET key = 'other'", True),
    "the part column": ("UPDATE entries SET part = 5", True),
    "a body": ("UPDATE bodies SET sealed = CAST(sealed || x'00' AS BLOB)", True),
    "a body removed": ("DELETE FROM bodies", True),
    "an aside brought in": ("INSERT INTO bodies VALUES ('subject/s1', 3, 'aside', x'00')", False),
}


@pytest.mark.parametrize("what", [what for what, change_of in CHANGES.items() if change_of])
def test_a_change_by_sql_is_found_and_its_place_named(folder, what):
    statement, narrowed = CHANGES[what]
    change(folder, statement + (" WHERE stream = 'subject/s1' AND seq = 3" if narrowed else ""))
    verdict = verify_path(folder)
    assert not verdict.ok
    assert (verdict.findings[0].stream, verdict.findings[0].seq) == ("subject/s1", 3)
    assert "stream subject/s1 entry 3 (records of one participant)" in last_line(verdict)


def rewritten(folder, position, **fields):
    """Rewrite an entry with everything that can be computed without keys: header, leaf, and all later links."""
    connection = sqlite3.connect(folder / "ledger.sqlite")
    sql = "SELECT position, stream, header FROM entries WHERE position >= ? ORDER BY position"
    rows = connection.execute(sql, [position]).fetchall()
    connection.close()
    statements: list = []
    heads: dict[str, str] = {}
    for at, stream, header in rows:
        if at != position and stream not in heads:
            continue
        value = json.loads(header) | (fields if at == position else {"prev": heads[stream]})
        data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        heads[stream] = leaf_of(data)
        statements.append(
            ("UPDATE entries SET header = ?, leaf = ? WHERE position = ?", [data, heads[stream], at])
        )
    change(folder, "DELETE FROM snapshots", *statements)
    return statements


def test_a_chain_rewritten_from_one_entry_on_is_found_by_the_checkpoint(folder):
    rewritten(folder, 2, role="investigator")
    verdict = verify_path(folder)
    assert not verdict.ok
    assert "checkpoint" in last_line(verdict)
    assert verdict.findings[0].stream == "subject/s0"
    shutil.rmtree(folder / "checkpoints")
    # Without any checkpoint the rewritten chain is a chain: hence copies of them belong with others.
    assert verify_path(folder).ok


def test_checkpoints_that_somebody_kept_are_used(folder, tmp_path):
    shutil.copytree(folder / "checkpoints", tmp_path / "kept")
    rewritten(folder, 2, role="investigator")
    shutil.rmtree(folder / "checkpoints")
    kept = tmp_path / "kept"
    assert not verify_path(folder, checkpoints=kept, key=kept / "public-key").ok


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"v": 2}, "the header's v"),
        ({"v": True}, "the header's v"),
        ({"actor": "e\u0301"}, "the header's actor"),
        ({"at": "2026-08-14T12:00:00Z"}, "the header's at"),
        ({"at": "2020-01-01T00:00:00.000000Z"}, "is dated before"),
        ({"study": "OTHER"}, "another study"),
        ({"extra": 1}, "not the fields"),
        ({"bodies": []}, "the header's bodies"),
        ({"prev": "x"}, "the header's prev"),
        ({"idempotency_key": "k0.0", "part": 1}, "beside the header"),
    ],
)
def test_a_header_that_no_program_wrote_is_found(folder, fields, says):
    rewritten(folder, 5, **fields)
    shutil.rmtree(folder / "checkpoints")
    verdict = verify_path(folder)
    assert any(says in finding.says for finding in verdict.findings), verdict.lines()


def test_a_key_used_twice_is_found_though_every_link_fits(folder):
    # The columns and both indexes allow it once the rows are rewritten together: only the verifier sees it.
    rewritten(folder, 5, idempotency_key="k0.0", part=0)
    change(folder, "DROP INDEX IF EXISTS x", "UPDATE entries SET part = 0 WHERE position = 5")
    verdict = verify_path(folder)
    assert not verdict.ok


@pytest.mark.parametrize("how_many", [1, 3])
def test_entries_removed_from_the_end_are_named_by_the_checkpoint(folder, how_many):
    last = ["subject/s1", "subject/s2", "subject/s1"]  # the order of the last commit: s1, s2, s1
    limit = f"(SELECT max(position) - {how_many} FROM entries)"
    change(
        folder,
        f"DELETE FROM bodies WHERE (stream, seq) IN (SELECT stream, seq FROM entries WHERE position > {limit})",
        f"DELETE FROM entries WHERE position > {limit}",
    )
    verdict = verify_path(folder)
    assert not verdict.ok
    assert "is missing; it stood at the checkpoint" in verdict.findings[0].says
    assert {finding.stream for finding in verdict.findings} == set(last[-how_many:])


def test_an_entry_removed_from_the_middle_is_found(folder):
    where = "stream = 'subject/s2' AND seq = 2"
    change(folder, f"DELETE FROM bodies WHERE {where}", f"DELETE FROM entries WHERE {where}")
    verdict = verify_path(folder)
    assert (verdict.findings[0].stream, verdict.ok) != ("", True)
    assert any((one.stream, one.seq) == ("subject/s2", 3) for one in verdict.findings)


def test_a_whole_stream_removed_is_found(folder):
    change(
        folder,
        "DELETE FROM bodies WHERE stream = 'subject/s2'",
        "DELETE FROM entries WHERE stream = 'subject/s2'",
    )
    assert not verify_path(folder).ok


def test_two_entries_swapped_are_found(folder):
    # Two entries of one stream exchange their headers; then two of different streams their positions.
    rows = "(SELECT {} FROM entries WHERE stream = 'subject/s1' AND seq = {})"
    connection = sqlite3.connect(folder / "ledger.sqlite")
    pairs = [
        connection.execute(f"SELECT {rows.format('header', n)}, {rows.format('leaf', n)}").fetchone()
        for n in (2, 3)
    ]
    connection.close()
    copy = folder.parent / "copy"
    shutil.copytree(folder, copy)
    change(folder, *[
        ("UPDATE entries SET header = ?, leaf = ? WHERE stream = 'subject/s1' AND seq = ?", [*pair, seq])
        for pair, seq in zip(pairs, (3, 2), strict=True)
    ])  # fmt: skip
    verdict = verify_path(folder)
    assert (verdict.findings[0].stream, verdict.findings[0].seq) != ("", 0)
    change(
        copy,
        "UPDATE entries SET position = 9999 WHERE position = 2",
        "UPDATE entries SET position = 2 WHERE position = 3",
        "UPDATE entries SET position = 3 WHERE position = 9999",
    )
    verdict = verify_path(copy)  # every chain still holds; only the tree's order is another
    assert not verdict.ok
    assert "give another root" in last_line(verdict)


@pytest.mark.parametrize("name", sorted(verify.TRIGGERS))
def test_a_missing_trigger_is_named(folder, name):
    connection = sqlite3.connect(folder / "ledger.sqlite")
    connection.execute(f"DROP TRIGGER {name}")
    connection.close()
    assert name in last_line(verify_path(folder))


def test_a_snapshot_changed_or_of_another_ledger_is_named(folder):
    copy = folder.parent / "copy"
    shutil.copytree(folder, copy)
    change(folder, "UPDATE snapshots SET seq = seq - 1")
    assert "subject/s0" in last_line(verify_path(folder))
    digest = hashlib.sha256(b"subject/s0\n3\n" + b"0" * 64 + b"\ncode\n" + b"x").hexdigest()
    change(
        copy,
        (
            "INSERT OR REPLACE INTO snapshots VALUES ('subject/s0', 3, ?, 'code', x'78', ?)",
            ["0" * 64, digest],
        ),
    )
    assert "of another ledger" in last_line(verify_path(copy))


def test_the_verifier_knows_the_schema_that_the_store_makes(folder):
    # The verifier stands alone, so it holds a digest of its own; here is where the two must agree.
    connection = sqlite3.connect(folder / "ledger.sqlite")
    rows = connection.execute(verify.SCHEMA_SQL).fetchall()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    assert hashlib.sha256(repr(rows).encode()).hexdigest() == verify.SCHEMA[version]
    assert {row[1] for row in rows} == {"entries", "bodies", "snapshots", "shapes"} | verify.TRIGGERS
    assert len(verify.SCHEMA) == len(list((Path(verify.__file__).parent / "sql").glob("*.sql")))


@pytest.mark.parametrize("setting", ["application_id = 7", "user_version = 2"])
def test_a_file_that_says_it_is_something_else_is_found(folder, setting):
    connection = sqlite3.connect(folder / "ledger.sqlite")
    connection.execute(f"PRAGMA {setting}")
    connection.close()
    assert "not as they must be" in last_line(verify_path(folder))


def test_an_orphan_body_is_found(folder):
    change(
        folder, "PRAGMA foreign_keys = OFF", "INSERT INTO bodies VALUES ('subject/nobody', 1, 'main', x'00')"
    )
    assert not verify_path(folder).ok


# --- checkpoints -------------------------------------------------------------------------------------------------


def checkpoint_files(folder, kind="checkpoint"):
    return sorted((folder / "checkpoints").glob(f"*.{kind}"))


@pytest.mark.parametrize("kind", ["checkpoint", "heads", "public-key"])
def test_a_changed_checkpoint_list_or_key_is_found(folder, kind):
    path = folder / "checkpoints" / kind if kind == "public-key" else checkpoint_files(folder, kind)[0]
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), 7):
        changed = bytearray(data)
        changed[at] ^= 1
        path.write_bytes(changed)
        assert not verify_path(folder).ok, at
    path.write_bytes(data)
    assert verify_path(folder).ok


def test_a_checkpoint_signed_by_another_key_is_found(folder, tmp_path):
    other = fresh(tmp_path / "other", seed=9)
    must(other, "k", save("subject/a", 1))
    made = make_checkpoint(other, NOON)
    (folder / "checkpoints" / "000000000001.checkpoint").write_text(made.note, "utf-8")
    (folder / "checkpoints" / "000000000001.heads").write_text("", "utf-8")
    assert "not signed with the public key" in last_line(verify_path(folder))
    key = other.places.public_key
    other.close()
    assert not verify_path(folder, key=key).ok  # a key that one trusts, and that is not this store's


# --- Ed25519 -------------------------------------------------------------------------------------------------------

# RFC 8032, 7.1, tests 1, 2, 3 and "SHA(abc)": public key, message, signature.
RFC8032 = [
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"),
]  # fmt: skip


@pytest.mark.parametrize(("public", "message", "signature"), RFC8032)
def test_ed25519_agrees_with_the_published_signatures(public, message, signature):
    given_ = [bytes.fromhex(text) for text in (public, message, signature)]
    assert ed25519_holds(*given_)
    assert not ed25519_holds(given_[0], given_[1] + b"x", given_[2])


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=64), data=st.data())
def test_ed25519_agrees_with_a_second_implementation(seed, message, data):
    # Oracle: cryptography (OpenSSL).
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert ed25519_holds(public, message, signature)
    at = data.draw(st.integers(0, 511))
    wrong = bytearray(signature)
    wrong[at // 8] ^= 1 << at % 8
    assert not ed25519_holds(public, message, bytes(wrong))


@pytest.mark.parametrize("length", [0, 31, 63, 65])
def test_ed25519_of_a_wrong_length_does_not_hold(length):
    public, message, signature = (bytes.fromhex(text) for text in RFC8032[0])
    assert not ed25519_holds(public, message, (signature + b"\x00")[:length])
    assert not ed25519_holds(public[:31], message, signature)
    # S must be below the group's order (RFC 8032, 5.1.7): S + order is another form of the same signature.
    high = int.from_bytes(signature[32:], "little") + verify.ORDER
    assert not ed25519_holds(public, message, signature[:32] + high.to_bytes(32, "little"))


# --- garbage -------------------------------------------------------------------------------------------------------


@given(
    data=st.binary(max_size=400),
    begin=st.sampled_from([b"", b"{", b'{"archive":1}\n', b"SQLite format 3\x00"]),
)
def test_garbage_is_a_finding_never_a_crash(tmp_path_factory, data, begin):
    path = tmp_path_factory.getbasetemp() / "garbage"
    path.write_bytes(begin + data)
    verdict = verify_path(path)
    assert not verdict.ok
    assert last_line(verdict).startswith("BAD ")


@pytest.mark.parametrize("line", ['{"archive":[]}', '{"header":1}', '{"header":{},"bodies":7}', '{"entries":{}}',
    '{"checkpoint":5,"heads":5}', '{"header":[[]],"bodies":{"main":3}}', '{"bodies":{"main":{"sealed":1}},"header":{}}',
    '{"bodies":{"x":{"body":{},"nonce":"zz"}},"header":{}}', "[" * 2000, '{"entries":1e999}', '{"a":"\\ud800"}'])  # fmt: skip
def test_an_archive_of_strange_lines_is_a_finding(tmp_path, line):
    path = tmp_path / "strange.jsonl"
    path.write_text(f'{{"archive":1,"public_key":""}}\n{line}\n', "utf-8")
    assert not verify_path(path).ok


def test_a_database_of_strange_values_is_a_finding(folder):
    path = folder / "ledger.sqlite"
    path.unlink()
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE entries (position INTEGER PRIMARY KEY, stream, seq, key, part, leaf, header);"
        "CREATE TABLE bodies (stream, seq, part, sealed); CREATE TABLE snapshots (stream, seq, leaf, code, sealed, digest);"
        "INSERT INTO entries VALUES (1, x'ff', 'one', NULL, 1.5, 7, 'text'), (2, 'a', NULL, 1, 1, 1, NULL),"
        " (3, CAST(x'ff' AS TEXT), 9e99, 1, 1, 1, '[]');"
        "INSERT INTO bodies VALUES ('a', NULL, x'00', 5); INSERT INTO snapshots VALUES (x'ff', 'a', 1, NULL, 'b', 2.5);"
    )
    connection.close()
    assert not verify_path(path).ok
    connection = sqlite3.connect(path)
    connection.executescript("DROP TABLE entries; CREATE VIEW entries AS SELECT 1 AS position")
    connection.close()
    assert not verify_path(path).ok


def test_a_path_to_nothing_or_to_two_ledgers_is_said(tmp_path):
    assert "there is no ledger" in last_line(verify_path(tmp_path / "none"))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ledger.sqlite").touch()
    assert "more than one" in last_line(verify_path(tmp_path))
    assert not verify_path(tmp_path / "a").ok


def test_the_command_prints_one_json_value_or_lines(folder, capsys):
    assert main([str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("ok 129 entries root ")
    assert main([str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert main([str(folder / "none"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False
    with pytest.raises(SystemExit) as wrong:
        main([])
    assert wrong.value.code == 2


def test_the_two_writings_of_a_header_agree(made):
    ledger = again(made, write=False)
    with ledger.reading() as reader:
        for _, recorded in reader.everything():
            data = header_bytes(recorded.header)
            assert verify.canonical(json.loads(data)) == data
            assert verify.header_fault(data, json.loads(data)) == ""
    ledger.close()

"""A key file whose keys are sealed under a key that is not in it. Source: DESIGN 5 (own key unlocked by passphrase)."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path

import pytest

from equipoise.ledger.entries import StoreOpened
from equipoise.ledger.keys import open_keys
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.store import StoreFault
from rooms.ledger.ledger_world import act, rules, save

WRAP = bytes(range(32))


def kept(path: Path) -> dict[str, bytes]:
    with sqlite3.connect(path) as connection:
        rows = dict(connection.execute("SELECT name || ' ' || part, key FROM data_keys").fetchall())
        rows["signing"] = connection.execute("SELECT key FROM signing").fetchone()[0]
    connection.close()
    return rows


def test_every_key_in_a_wrapped_file_is_sealed(tmp_path: Path) -> None:
    drawn: list[bytes] = []

    def entropy(count: int) -> bytes:
        drawn.append(secrets.token_bytes(count))
        return drawn[-1]

    path = tmp_path / "keys.sqlite"
    keys = open_keys(path, entropy, create=True, write=True, wrap=WRAP)
    keys.cipher_for_writing("subject/a", "main")
    keys.close()
    rows = kept(path)
    assert set(rows) == {"signing", "subject/a main", "subject/a aside"}
    whole = path.read_bytes()
    secret = [one for one in drawn if len(one) == 32]
    assert len(secret) == 3
    assert not any(one in whole for one in (*secret, WRAP))
    assert {len(row) for row in rows.values()} == {12 + 32 + 16}  # nonce, key, tag (AES-GCM)


def test_a_wrapped_file_opens_with_its_own_wrapping_only(tmp_path: Path) -> None:
    path = tmp_path / "keys.sqlite"
    public = open_keys(path, secrets.token_bytes, create=True, write=True, wrap=WRAP).public
    assert open_keys(path, secrets.token_bytes, create=False, write=False, wrap=WRAP).public == public
    for wrong in (None, bytes(32)):
        with pytest.raises(StoreFault, match=r"ledger\.keys-sealed"):
            open_keys(path, secrets.token_bytes, create=False, write=True, wrap=wrong)
    plain = tmp_path / "plain.sqlite"
    open_keys(plain, secrets.token_bytes, create=True, write=True).close()
    with pytest.raises(StoreFault, match=r"ledger\.keys-sealed"):
        open_keys(plain, secrets.token_bytes, create=False, write=True, wrap=WRAP)


def test_a_ledger_under_a_wrapping_keeps_what_it_was_given(tmp_path: Path) -> None:
    from equipoise.ledger.commit import Committed, commit
    from equipoise.ledger.entries import Append

    ledger = open_ledger(tmp_path, write=True, create=True, wrap=WRAP)
    assert isinstance(ledger, Ledger)
    given = (Append("study", StoreOpened("trial", "S")), save("subject/a", 1, "free text"))
    assert isinstance(commit(ledger, act("k"), ["study", "subject/a"], lambda _: given), Committed)
    ledger.close()
    for wrong in (None, bytes(32)):
        assert rules(open_ledger(tmp_path, write=True, wrap=wrong)) == ["ledger.keys-sealed"]
    again = open_ledger(tmp_path, write=False, wrap=WRAP)
    assert isinstance(again, Ledger)
    with again.reading() as reader:
        assert [one.entry for one in reader.entries("subject/a")] == [given[1].entry]
    again.close()


def test_a_destroyed_key_of_a_wrapped_file_is_gone(tmp_path: Path) -> None:
    keys = open_keys(tmp_path / "keys.sqlite", secrets.token_bytes, create=True, write=True, wrap=WRAP)
    keys.cipher_for_writing("subject/a", "main")
    keys.destroy("subject/a")
    assert keys.cipher("subject/a", "main") is None
    with pytest.raises(StoreFault, match=r"ledger\.key-destroyed"):
        keys.cipher_for_writing("subject/a", "main")
    keys.close()


def test_a_wrapping_key_has_its_length_and_is_not_printed(tmp_path: Path) -> None:
    from equipoise.ledger.keys import Wrap

    assert repr(Wrap(WRAP)) == "Wrap(sealed)"
    for wrong in (b"", bytes(31), bytes(33)):
        with pytest.raises(ValueError, match="32 bytes"):
            Wrap(wrong)

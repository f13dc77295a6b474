"""The keyring: opened by the passphrase and by nothing else; wrong ones are counted; no key is ever shown.

Sources: the issue's rule on wrong passphrases; DESIGN 5 (second door: own key unlocked by passphrase).
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.vault.keyring import (
    NAME,
    Keyring,
    create_keyring,
    destroy_file,
    open_keyring,
    take_refusals,
)
from equipoise.words.problem import Problem

PHRASE = "a phrase of some words"


def made(folder: Path, phrase: str = PHRASE) -> Keyring:
    keyring = create_keyring(folder, phrase, os.urandom, work=4)
    assert isinstance(keyring, Keyring), keyring
    return keyring


def test_the_passphrase_opens_what_it_sealed(tmp_path: Path) -> None:
    first = made(tmp_path)
    again = open_keyring(tmp_path, PHRASE)
    assert isinstance(again, Keyring)
    assert (again.wrap, again.web_secret) == (first.wrap, first.web_secret)
    assert again.open("a", first.seal("a", b"content", os.urandom)) == b"content"


def test_a_wrong_passphrase_opens_nothing_and_is_counted(tmp_path: Path) -> None:
    made(tmp_path)
    for wrong in ("", PHRASE + " ", PHRASE.upper(), "\ud800"):
        refused = open_keyring(tmp_path, wrong)
        assert isinstance(refused, Problem)
        assert refused.rule == "vault.wrong-passphrase"
    assert isinstance(open_keyring(tmp_path, PHRASE), Keyring)
    assert take_refusals(tmp_path) == 4
    assert take_refusals(tmp_path) == 0


def test_a_passphrase_typed_on_another_keyboard_is_the_same(tmp_path: Path) -> None:
    made(tmp_path, "caf\u00e9 中文口令 long")
    assert isinstance(open_keyring(tmp_path, "cafe\u0301 中文口令 long"), Keyring)


def test_a_short_passphrase_and_a_second_keyring_are_refused(tmp_path: Path) -> None:
    short = create_keyring(tmp_path, "x" * 11, os.urandom, work=4)
    assert isinstance(short, Problem)
    assert short.rule == "vault.passphrase-short"
    made(tmp_path)
    kept = (tmp_path / NAME).read_bytes()
    second = create_keyring(tmp_path, PHRASE, os.urandom, work=4)
    assert isinstance(second, Problem)
    assert second.rule == "vault.keyring-there"
    assert (tmp_path / NAME).read_bytes() == kept


def test_the_file_is_the_owners_alone_and_holds_no_key(tmp_path: Path) -> None:
    keyring = made(tmp_path)
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
    content = (tmp_path / NAME).read_bytes()
    for secret in (keyring.wrap, bytes.fromhex(keyring.web_secret)):
        assert secret not in content
        assert secret.hex().encode() not in content


def test_no_key_is_printed(tmp_path: Path) -> None:
    keyring = made(tmp_path)
    assert repr(keyring) == str(keyring) == "Keyring(sealed)"
    assert not hasattr(keyring, "__dict__")


@settings(max_examples=60)
@given(at=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_changed_file_does_not_open(tmp_path_factory, at: int, bit: int) -> None:
    folder = tmp_path_factory.mktemp("ring")
    made(folder)
    data = bytearray((folder / NAME).read_bytes())
    data[at % (len(data) - 1)] ^= 1 << bit  # the last byte is the line end, which says nothing
    (folder / NAME).write_bytes(bytes(data))
    found = open_keyring(folder, PHRASE)
    if isinstance(found, Keyring):
        assert bit == 5  # the case of a hexadecimal letter says nothing
    else:
        assert found.rule in {"vault.wrong-passphrase", "vault.keyring-unreadable"}


@given(name=st.text(max_size=8), other=st.text(max_size=8), content=st.binary(max_size=40))
@settings(max_examples=50)
def test_what_is_sealed_opens_under_its_own_name_only(name: str, other: str, content: bytes) -> None:
    keyring = Keyring(bytes(range(32)), bytes(32))
    sealed = keyring.seal(name, content, os.urandom)
    assert keyring.open(name, sealed) == content
    assert (keyring.open(other, sealed) == content) == (name == other)
    assert keyring.open(name, sealed[:-1]) is None
    assert Keyring(bytes(32), bytes(32)).open(name, sealed) is None


def test_a_destroyed_file_is_gone(tmp_path: Path) -> None:
    file, link = tmp_path / "key", tmp_path / "other-name"
    file.write_bytes(b"secret")
    link.hardlink_to(file)
    destroy_file(file)
    assert not file.exists()
    assert link.read_bytes() == bytes(6)


def test_a_hardened_process_leaves_no_core() -> None:
    program = (
        "import resource; from equipoise.vault.keyring import harden; harden();"
        "import ctypes; PR_GET_DUMPABLE = 3;"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(PR_GET_DUMPABLE))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "(0, 0) 0", done.stderr

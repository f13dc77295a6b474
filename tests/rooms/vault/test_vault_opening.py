"""Making and opening the second door: the passphrase opens it, nothing else does, and every try leaves its trace.

Sources of the rules: DESIGN 5 (second door); the issue's bad input: wrong passphrase.
"""

from __future__ import annotations

import datetime as dt
import random
import shutil
from pathlib import Path

import pytest

from equipoise.ledger.keys import open_keys
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.store import StoreFault
from equipoise.ledger.vault_entries import ListMade, UnlockingRefused, VaultOpened, VaultUnlocked
from equipoise.ledger.verify import verify_path
from equipoise.vault.facts import PROGRAM
from equipoise.vault.opening import Vault, create_vault, open_vault
from equipoise.words.clock import system_clock
from equipoise.words.problem import Problem
from rooms.vault.two_doors import PASSPHRASE, TODAY, WORK, Doors, opened, rehearsed_study, write_list

KEY = "ab" * 32


def rule(found: object) -> str:
    assert isinstance(found, Problem), found
    return found.rule


def kinds(vault: Vault, stream: str = "vault") -> list[str]:
    with vault.reading() as reader:
        return [recorded.header.kind for recorded in reader.entries(stream)]


def test_a_door_is_born_for_one_first_door_and_one_purpose(doors: Doors) -> None:
    with doors.vault.reading() as reader:
        first = reader.entries("vault")[0].entry
    assert isinstance(first, VaultOpened)
    assert (first.purpose, first.study) == ("rehearsal", doors.study.id)
    assert first.first_door == doors.desk.ledger.keys.public.hex()
    assert doors.vault.study == doors.study


def test_every_opening_and_every_wrong_passphrase_is_an_entry(doors: Doors) -> None:
    doors.vault.close()
    for wrong in ("wrong passphrase", "", PASSPHRASE.title()):
        assert rule(open_vault(doors.folder / "vault", wrong, clock=doors.clock)) == "vault.wrong-passphrase"
    doors.vault = opened(open_vault(doors.folder / "vault", PASSPHRASE, clock=doors.clock))
    assert kinds(doors.vault) == ["VaultOpened", "VaultUnlocked", "VaultUnlocked", "UnlockingRefused"]
    with doors.vault.reading() as reader:
        last = reader.entries("vault")[-1].entry
    assert last == UnlockingRefused(3)
    doors.reopen_vault()
    assert kinds(doors.vault)[-1] == VaultUnlocked.__name__


def test_without_the_keyring_the_key_file_is_of_no_use(doors: Doors, tmp_path: Path) -> None:
    doors.vault.close()
    folder = doors.folder / "vault"
    for wrap in (None, bytes(32)):
        found = open_ledger(folder, write=False, wrap=wrap)
        assert rule(found) == "ledger.keys-sealed"
    with pytest.raises(StoreFault, match=r"ledger\.keys-sealed"):
        open_keys(folder / "keys" / "keys.sqlite", bytes, create=False, write=False)
    doors.vault = opened(open_vault(folder, PASSPHRASE, clock=doors.clock))


def test_a_sealed_key_does_not_serve_under_another_name(doors: Doors) -> None:
    """Whoever may write the key file cannot put one stream's key in the place of another's."""
    import sqlite3

    doors.exchange()
    doors.randomize("s1", "N6-12/D14-45")
    doors.exchange()
    doors.vault.close()
    file = doors.folder / "vault" / "keys" / "keys.sqlite"
    with sqlite3.connect(file) as connection:
        (other,) = connection.execute(
            "SELECT key FROM data_keys WHERE name = 'inbox' AND part = 'main'"
        ).fetchone()
        connection.execute("UPDATE data_keys SET key = ? WHERE name = 'vault' AND part = 'main'", [other])
    connection.close()
    assert rule(open_vault(doors.folder / "vault", PASSPHRASE, clock=doors.clock)) == "ledger.keys-sealed"


def test_no_secret_lies_in_any_file(doors: Doors) -> None:
    doors.randomize("s1", "N6-12/D14-45")
    doors.exchange()
    doors.vault.tick()
    secrets = [doors.vault.slot_key(), doors.vault._keyring.wrap, bytes.fromhex(doors.vault.web_secret)]
    assert all(secret is not None and len(secret) == 32 for secret in secrets)
    searched = 0
    for path in doors.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            searched += len(content)
            for secret in secrets:
                assert secret not in content, path
                assert secret.hex().encode() not in content, path
    assert searched > 100_000
    assert not list(doors.folder.rglob("vault.key"))


def test_the_ledger_of_the_second_door_verifies_like_any_other(doors: Doors) -> None:
    doors.randomize("s1", "N6-12/D14-45")
    doors.exchange()
    doors.vault.tick()
    doors.vault.close()
    verdict = verify_path(doors.folder / "vault")
    assert verdict.ok, verdict.lines()
    doors.vault = opened(open_vault(doors.folder / "vault", PASSPHRASE, clock=doors.clock))


def test_the_ceremony_stands_in_its_ledger(doors: Doors) -> None:
    with doors.vault.reading() as reader:
        made = [recorded.entry for recorded in reader.entries("ceremony")]
    assert len(made) == 1
    assert isinstance(made[0], ListMade)
    with doors.desk.reading() as reader:
        assert doors.desk.trial(reader).allocation.root == made[0].root


def test_what_cannot_become_a_second_door_is_refused(doors: Doors, tmp_path: Path) -> None:
    study = rehearsed_study()

    def made(folder: Path, key: str = KEY, purpose="rehearsal", phrase: str = PASSPHRASE, lists=None, **more):
        return create_vault(folder, study, purpose, key, lists, phrase, work=WORK, **more)

    assert rule(made(doors.folder / "vault")) == "vault.already-there"
    assert rule(made(tmp_path / "a", key="no key")) == "vault.key-of-first-door"
    assert rule(made(tmp_path / "b", phrase="short")) == "vault.passphrase-short"
    assert rule(made(tmp_path / "c", lists=tmp_path / "nothing")) == "vault.list-unreadable"
    assert rule(made(tmp_path / "d", purpose="trial", clock=lambda: TODAY)) == "vault.rehearsal-only"
    seeded = random.Random(1).randbytes
    assert rule(made(tmp_path / "e", purpose="trial", entropy=seeded)) == "vault.rehearsal-only"
    assert rule(open_vault(tmp_path / "none", PASSPHRASE)) == "ledger.not-found"


def test_a_trial_takes_no_list_from_a_known_seed(tmp_path: Path) -> None:
    """Everybody could make its keys: they follow from the seed. Source: reliability notes L31."""
    write_list(rehearsed_study(), tmp_path)
    again = (rehearsed_study(), "trial", KEY)
    left = create_vault(tmp_path / "v", *again, tmp_path / "list", PASSPHRASE, work=WORK)
    assert rule(left) == "randomization.list-of-a-rehearsal"
    vault = opened(create_vault(tmp_path / "v", *again, None, PASSPHRASE, work=WORK))
    assert rule(vault.take_in_list(tmp_path / "list")) == "randomization.list-of-a-rehearsal"
    assert vault.book is None
    vault.close()


def test_a_trial_is_opened_by_the_machines_own_clock_only(tmp_path: Path) -> None:
    vault = opened(create_vault(tmp_path / "v", rehearsed_study(), "trial", KEY, None, PASSPHRASE, work=WORK))
    assert vault.purpose == "trial"
    vault.close()
    refused = open_vault(tmp_path / "v", PASSPHRASE, clock=lambda: dt.datetime(2030, 1, 1, tzinfo=dt.UTC))
    assert rule(refused) == "vault.rehearsal-only"
    opened(open_vault(tmp_path / "v", PASSPHRASE, clock=system_clock)).close()


def test_a_store_of_the_first_door_is_no_second_door(doors: Doors, tmp_path: Path) -> None:
    """A keyring beside the first door's store does not make it one."""
    vault = doors.folder / "vault"
    doors.vault.close()
    doors.desk.close()
    shutil.copy(vault / "keyring.sealed", doors.folder / "first" / "keyring.sealed")
    assert rule(open_vault(doors.folder / "first", PASSPHRASE, clock=doors.clock)) == "ledger.keys-sealed"
    assert isinstance(open_ledger(doors.folder / "first", write=False), Ledger)


def test_two_processes_do_not_serve_one_door(doors: Doors) -> None:
    assert rule(open_vault(doors.folder / "vault", PASSPHRASE, clock=doors.clock)) == "ledger.locked"


def test_a_list_is_taken_in_once_and_may_come_later(tmp_path: Path) -> None:
    study = rehearsed_study()
    write_list(study, tmp_path)
    vault = opened(create_vault(tmp_path / "v", study, "rehearsal", KEY, None, PASSPHRASE, work=WORK))
    assert vault.book is None
    assert vault.take_in_list(tmp_path / "list") is None
    assert vault.book is not None
    assert not (tmp_path / "list" / "vault.key").exists()
    write_list(study, tmp_path / "another")
    assert rule(vault.take_in_list(tmp_path / "another" / "list")) == "vault.list-already-held"
    assert (tmp_path / "another" / "list" / "vault.key").exists()
    vault.close()
    again = opened(open_vault(tmp_path / "v", PASSPHRASE))
    assert again.book is not None
    assert len(again.book) == len(vault.book)
    again.close()


def test_the_same_seed_and_clock_make_the_same_door(tmp_path: Path) -> None:
    """Both worlds of the proof stand on this: nothing but clock and entropy goes into a store."""
    study, roots = rehearsed_study(), set()
    for name in ("one", "two"):
        write_list(study, tmp_path / name)
        vault = opened(
            create_vault(
                tmp_path / name / "v", study, "rehearsal", KEY, tmp_path / name / "list", PASSPHRASE, work=WORK,
                clock=lambda: TODAY, entropy=random.Random(5).randbytes,
            )
        )  # fmt: skip
        vault.tick()
        vault.checkpoint()
        roots.add(
            sorted(
                path.read_text("utf-8") for path in (tmp_path / name / "v").glob("checkpoints/*.checkpoint")
            )[-1]
        )
        vault.close()
    assert len(roots) == 1
    assert PROGRAM.actor == "system"


@pytest.mark.parametrize("lost", ["ceremony.json", "slots.json", "vault.key"])
def test_nothing_is_made_for_half_a_list(tmp_path: Path, lost: str) -> None:
    study = rehearsed_study()
    write_list(study, tmp_path)
    (tmp_path / "list" / lost).unlink()
    refused = create_vault(tmp_path / "v", study, "rehearsal", KEY, tmp_path / "list", PASSPHRASE, work=WORK)
    assert rule(refused) in {"vault.list-unreadable", "vault.slots-unreadable"}
    assert not (tmp_path / "v").exists()


def test_a_taking_in_that_was_cut_off_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from equipoise.vault import lists_held

    def cut_off(path: Path) -> None:
        raise OSError(28, "No space left on device")

    study = rehearsed_study()
    write_list(study, tmp_path)
    vault = opened(create_vault(tmp_path / "v", study, "rehearsal", KEY, None, PASSPHRASE, work=WORK))
    with monkeypatch.context() as patched:
        patched.setattr(lists_held, "destroy_file", cut_off)
        assert rule(vault.take_in_list(tmp_path / "list")) == "vault.list-unreadable"
    assert vault.take_in_list(tmp_path / "list") is None
    assert vault.book is not None
    assert not (tmp_path / "list" / "vault.key").exists()
    assert kinds(vault, "ceremony") == ["ListMade"]
    vault.close()

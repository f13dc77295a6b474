"""The second door from a terminal, and both doors of a demonstration beside each other: started, stopped, killed.

Source of the rules: DESIGN 4 (two doors: another process, another store, another key, other accounts) and 9 (commands).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demonstrated import COMMAND, made_once
from equipoise.ledger.notes import vkey_of
from equipoise.ledger.opening import open_ledger
from equipoise.words.problem import Problem

ROOT = Path(__file__).resolve().parents[3]
STUDY = ROOT / "studies" / "nct07197606"
PASSPHRASE = "four words in a row"


def run(*arguments: object, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], input=typed, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a demonstration in `store` and `vault`."""
    return made_once(tmp_path_factory)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    shutil.copytree(made, tmp_path / "doors")
    return tmp_path / "doors"


@contextlib.contextmanager
def demonstration(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The demonstration served; its process and the two addresses."""
    command = [*COMMAND, "demo", "--study", str(STUDY), "--store", str(folder / "store")]
    process = subprocess.Popen(
        [*command, "--vault", str(folder / "vault"), *(options or ("--port", "0", "--vault-port", "0"))],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, [process.stdout.readline().strip() for _ in range(2)]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=20)


def port_of(address: str) -> int:
    found = re.fullmatch(r"http://(127\.0\.0\.1|localhost):(\d+)/", address)
    assert found, f"no address: {address!r}"
    return int(found[2])


def ask(address: str, path: str = "/") -> tuple[int, str]:
    host = address.removeprefix("http://").split(":")[0]
    line = http.client.HTTPConnection("127.0.0.1", port_of(address), timeout=20)
    with contextlib.closing(line):
        line.request("GET", path, headers={"Host": host})
        answer = line.getresponse()
        return answer.status, answer.read().decode()


def silent(address: str) -> bool:
    """Whether nobody listens there any more, within ten seconds."""
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port_of(address)), timeout=1).close()
        except OSError:
            return True
        time.sleep(0.1)
    return False


def test_both_doors_answer_first_door_first_and_one_ctrl_c_ends_both(folder: Path) -> None:
    with demonstration(folder) as (process, addresses):
        first, second = addresses
        assert port_of(first) != port_of(second)
        assert "Second door" not in ask(first)[1]
        assert "Second door · unblinded" in ask(second)[1]
        process.send_signal(signal.SIGINT)  # to the one process: the other is ended by it
        assert process.wait(30) == 0
        assert silent(first)
        assert silent(second)


def test_a_killed_demonstration_leaves_no_door_open(folder: Path) -> None:
    with demonstration(folder) as (process, addresses):
        process.kill()
        process.wait(10)
        assert all(silent(address) for address in addresses)
    for name in ("store", "vault"):  # nothing holds them any more
        ledger = open_ledger(folder / name, write=True)
        assert not isinstance(ledger, Problem) or ledger.rule != "ledger.locked"
        if not isinstance(ledger, Problem):
            ledger.close()


def test_a_taken_port_is_named_where_it_was_asked_for(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for options in (
            ("--port", str(port), "--vault-port", "0"),
            ("--port", "0", "--vault-port", str(port)),
        ):
            with demonstration(folder, *options) as (process, addresses):
                assert addresses == ["", ""]
                complaint = process.communicate(timeout=30)[1]
                assert process.returncode == 1
                assert str(port) in complaint


def test_the_passphrase_is_shown_once_and_kept_for_its_owner_alone(made: Path, folder: Path) -> None:
    held = made / "vault" / "demo-passphrase"
    passphrase = held.read_text().strip()
    assert stat.S_IMODE(held.stat().st_mode) == 0o600
    assert stat.S_IMODE((made / "vault").stat().st_mode) == 0o700
    assert (made / "said").read_text().count(passphrase) == 1
    with demonstration(folder) as (process, _):
        told = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        told += b"".join(Path(f"/proc/{child}/cmdline").read_bytes() for child in children)
        process.send_signal(signal.SIGINT)
        assert passphrase not in "".join(process.communicate(timeout=30))
    assert b"equipoise.vault.serve" in told
    assert passphrase.encode() not in told


def test_the_first_door_s_folder_holds_nothing_of_the_second_s(made: Path) -> None:
    """Its passphrase, its keyring, the key of the slots: in no file of the first door, by name or by content."""
    secret = [(made / "vault" / name).read_bytes().strip() for name in ("demo-passphrase", "keyring.sealed")]
    store = [path for path in (made / "store").rglob("*") if path.is_file()]
    assert store
    for path in store:
        held = path.read_bytes()
        assert not any(one in held for one in secret), path
    assert not (made / "vault" / "ceremony").exists()
    assert not list((made / "vault").rglob("vault.key"))


def test_a_reset_under_a_served_second_door_is_refused(folder: Path) -> None:
    serving = subprocess.Popen(
        [*COMMAND, "vault", "serve", str(folder / "vault"), "--port", "0", "--passphrase-file",
         str(folder / "vault" / "demo-passphrase")],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert serving.stdout is not None
        assert port_of(serving.stdout.readline().strip())
        refused = run("demo", "--no-serve", "--reset", "--study", STUDY, "--store", folder / "store", "--vault", folder / "vault")  # fmt: skip
        assert refused.returncode == 1
        assert "process" in refused.stderr
    finally:
        serving.send_signal(signal.SIGINT)
        try:
            serving.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(serving.pid, signal.SIGKILL)  # a server that does not end must not outlive its test
            raise
    assert serving.returncode == 0


def test_a_store_without_its_second_door_is_not_thrown_away(folder: Path) -> None:
    shutil.move(folder / "vault", folder / "elsewhere")
    refused = run(
        "demo", "--no-serve", "--study", STUDY, "--store", folder / "store", "--vault", folder / "vault"
    )
    assert refused.returncode == 1
    assert "--reset" in refused.stderr
    assert (folder / "store" / "ledger.sqlite").exists()


def test_a_wrong_passphrase_opens_nothing_and_is_counted(folder: Path) -> None:
    for command in (["status"], ["serve", "--port", "0"]):
        refused = run("vault", command[0], folder / "vault", *command[1:], typed="not the right one\n")
        assert refused.returncode == 1
        assert "passphrase is wrong" in refused.stderr
        assert refused.stdout == ""
        assert "Traceback" not in refused.stderr
    assert (folder / "vault" / "keyring.refused").stat().st_size == 2
    told = run(
        "vault",
        "status",
        folder / "vault",
        "--json",
        "--passphrase-file",
        folder / "vault" / "demo-passphrase",
    )
    assert json.loads(told.stdout)["purpose"] == "rehearsal"


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trial's vault, made by hand, in `vault`; its ceremony and its first door beside it."""
    folder = tmp_path_factory.mktemp("trial")
    (folder / "pass").write_text(PASSPHRASE + "\n")
    (folder / "seed-of-a-person").write_bytes(b"sixteen bytes or more of seed")
    steps = [
        ["store", "new", folder / "store", "--study", STUDY, "--purpose", "trial"],
        ["allocation", "make", STUDY, "--public", folder / "public", "--vault", folder / "ceremony", "--seed", folder / "seed-of-a-person", "--few-seeds-reason", "a test"],
        ["vault", "init", folder / "vault", "--study", STUDY, "--purpose", "trial", "--first-door", folder / "store",
         "--ceremony", folder / "ceremony", "--passphrase-file", folder / "pass"],
    ]  # fmt: skip
    for step in steps:
        done = run(*step)
        assert done.returncode == 0, f"{step[:2]} {done.stderr}"
    key = re.search(r"\b[0-9a-f]{64}\b", done.stdout)
    assert key
    pinned = run("store", "second-door", folder / "store", key[0])
    assert pinned.returncode == 0, pinned.stderr
    return folder


def test_a_trial_s_second_door_has_no_made_up_people_and_no_chooser(trial: Path, tmp_path: Path) -> None:
    staged = subprocess.run(
        [sys.executable, "-m", "equipoise.vault.terminal", "stage", str(trial / "vault"), "--channel",
         str(tmp_path / "c"), "--passphrase-file", str(trial / "pass")],
        input='[{"actor": "a", "name": "A", "purposes": ["KEEPER"]}]\n', capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert staged.returncode == 1
    assert not (trial / "vault" / "accounts.sqlite").exists()
    assert not (trial / "vault" / "demo-passphrase").exists()


def test_the_second_door_of_a_store_is_one_for_good(trial: Path) -> None:
    for key in ("ab" * 32, "no key"):
        refused = run("store", "second-door", trial / "store", key)
        assert refused.returncode == 1
        assert refused.stderr


def test_a_list_is_there_once_and_its_key_lies_nowhere_unsealed(trial: Path) -> None:
    told = run("vault", "lists", trial / "vault", "--json", "--passphrase-file", trial / "pass")
    # 86 participants in each of four strata, as the study says (design.yaml: cap, factors).
    assert json.loads(told.stdout)["slots"] == 4 * 86
    assert not (trial / "ceremony" / "vault.key").exists()
    again = run("vault", "init", trial / "vault", "--study", STUDY, "--purpose", "trial", "--first-door", trial / "store",
                "--passphrase-file", trial / "pass")  # fmt: skip
    assert again.returncode == 1


def test_an_account_needs_the_role_and_a_password_that_is_long_enough(trial: Path) -> None:
    common = ["vault", "account", "add", trial / "vault", "u-1", "--username", "qin", "--name", "Qin", "--passphrase-file", trial / "pass"]  # fmt: skip
    unborne = run(*common, "--purpose", "BENCH", typed="four words in a row\n")
    assert unborne.returncode == 1  # nobody holds the pharmacist's role at the first door
    short = run(*common, "--purpose", "KEEPER", typed="short\n")
    assert short.returncode == 1
    good = run(*common, "--purpose", "KEEPER", typed="four words in a row\n")
    assert good.returncode == 0, good.stderr
    stored = b"".join(path.read_bytes() for path in (trial / "vault").glob("accounts.sqlite*"))
    assert b"four words" not in stored
    assert run("vault", "account", "add", trial / "vault", "u-1", "--purpose", "ROOT", "--username", "q", "--name", "Q").returncode == 2  # fmt: skip


@pytest.mark.parametrize("key", ["ab" * 31, "/nowhere"])
def test_a_vault_is_not_made_without_the_first_door_s_key(tmp_path: Path, key: str) -> None:
    (tmp_path / "pass").write_text(PASSPHRASE)
    refused = run("vault", "init", tmp_path / "v", "--study", STUDY, "--purpose", "rehearsal", "--first-door", key,
                  "--passphrase-file", tmp_path / "pass")  # fmt: skip
    assert refused.returncode == 1
    assert not (tmp_path / "v").exists()


def test_a_public_key_is_read_as_it_is_published_whatever_signs_base64_puts_in_it(tmp_path: Path) -> None:
    """`+` separates the parts of the line (C2SP signed-note) and is a sign of base64, too."""
    from equipoise.vault.terminal import first_door_key

    key = next(bytes([byte]) * 32 for byte in range(256) if vkey_of(bytes([byte]) * 32).count("+") > 2)
    published = tmp_path / "public-key"
    published.write_text(vkey_of(key) + "\n")
    assert first_door_key(str(published)) == first_door_key(key.hex()) == key.hex()

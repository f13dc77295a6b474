"""Two users of the machine: neither reads the other's store, and a third is turned away at the socket.

Two throw-away user ids, which nobody of the machine has, run one door each, as two service users would.
Source: DESIGN 5 (channel: peer uid); the issue, capability 1 (tested with two throw-away user ids).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from equipoise.ledger.vault_entries import DeliveryRefused
from equipoise.vault.opening import open_vault
from rooms.vault.two_doors import PASSPHRASE, ROOT, TODAY, SetClock, copied, opened

FIRST, SECOND, THIRD = 54321, 54322, 54323
SRC = str(ROOT / "src")
SERVE = """
import sys, time, datetime as dt
from pathlib import Path
from equipoise.vault.opening import Vault, open_vault
from equipoise.vault.socket import serve_channel
vault = open_vault(Path(sys.argv[1]), sys.argv[3])
assert isinstance(vault, Vault), vault
stop = serve_channel(vault, Path(sys.argv[2]), {int(sys.argv[4])})
print("serving", flush=True)
sys.stdin.read()
stop()
vault.close()
"""
CARRY = """
import sys
from pathlib import Path
from equipoise.desk.front import FrontDesk
from equipoise.desk.desk import open_desk
from equipoise.desk.courier import Courier
from equipoise.desk.line import SocketLine
desk = open_desk(Path(sys.argv[1]), kind=FrontDesk)
assert isinstance(desk, FrontDesk), desk
problem = Courier(desk, SocketLine(Path(sys.argv[2]))).exchange()
print("carried" if problem is None else problem.rule)
desk.close()
"""
READ = """
import sys
from pathlib import Path
read, shut = 0, 0
folder = Path(sys.argv[1])
try:
    paths = list(folder.rglob("*"))
except PermissionError:
    paths = []
names = [folder / name for name in ("ledger.sqlite", "keys/keys.sqlite", "keyring.sealed", "list/slots.json")]
for path in [*paths, *names]:
    try:
        read += len(path.read_bytes())
    except PermissionError:
        shut += 1
    except (IsADirectoryError, FileNotFoundError):
        pass
print(read, shut > 0)
"""
SHOUT = """
import socket, sys
line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
line.settimeout(10)
try:
    line.connect(sys.argv[1])
    line.sendall(b"\\0\\0\\0\\2{}")
    got = line.recv(100)
except ConnectionResetError:
    got = b""
print(len(got))
"""


NEEDED = (
    "import equipoise.vault.opening, equipoise.vault.socket, equipoise.desk.front, equipoise.words.problem"
)
BECOME = (
    NEEDED + "\nimport os, sys"
    "\nequipoise.words.problem.catalogue()"
    "\nuid = int(sys.argv.pop())"
    "\nos.setgroups([]); os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)"
    "\nassert os.getresuid() == (uid, uid, uid)\n"
)
"""Load the program, then become another user for good: the interpreter itself may lie where only root can read."""


def environment(code: Path) -> dict[str, str]:
    """What a service user's process is given: the program, and nothing of ours."""
    return {
        "PYTHONPATH": str(code), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip


def run(program: str, *arguments: object, uid: int, code: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BECOME + program, *map(str, arguments), str(uid)], cwd="/", capture_output=True, text=True, timeout=120,
        env=environment(code),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def copy_program(code: Path) -> None:
    """The program and what it imports, where any user may read it: a checkout may lie in a closed folder."""
    listed = subprocess.run(
        [sys.executable, "-c", NEEDED + "\nimport sys\nfor one in list(sys.modules.values()):"
         "\n    if getattr(one, '__file__', None): print(one.__file__)"],
        capture_output=True, text=True, check=True, timeout=120, env={**os.environ, "PYTHONPATH": SRC},
    ).stdout  # fmt: skip
    roots: set[Path] = {Path(SRC) / "equipoise"}
    for file in listed.splitlines():
        if "site-packages" in file:
            base = Path(file[: file.index("site-packages")]) / "site-packages"
            roots.add(base / Path(file).relative_to(base).parts[0])
    for root in roots:
        if root.is_dir():
            shutil.copytree(
                root, code / root.name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
            )
        else:
            shutil.copy(root, code / root.name)
    for path in [code, *code.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture(scope="module")
def code() -> Iterator[Path]:
    """The program, readable by everybody."""
    if os.geteuid() != 0:
        pytest.skip("only root can take on two throw-away user ids")
    folder = Path(tempfile.mkdtemp(prefix="two-doors-program-"))
    try:
        copy_program(folder)
        try:
            run("", uid=FIRST, code=folder)
        except (AssertionError, OSError, subprocess.SubprocessError) as reason:
            pytest.skip(f"another user cannot run the program here: {reason!s:.300}")
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def apart(made_doors: Path, code: Path) -> Iterator[Path]:
    """Both stores, each owned by a user of its own; removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="two-doors-"))
    try:
        copied(made_doors, folder)
        folder.chmod(0o755)  # whoever may enter it finds two folders that are closed to him
        (folder / "meeting").mkdir()
        os.chown(folder / "meeting", SECOND, SECOND)
        for name, uid in (("first", FIRST), ("vault", SECOND)):
            for path in [folder / name, *(folder / name).rglob("*")]:
                os.chown(path, uid, uid)
        yield folder
    finally:
        shutil.rmtree(folder)


def test_neither_user_reads_the_others_store(apart: Path, code: Path) -> None:
    for reader, owner, name in ((FIRST, SECOND, "vault"), (SECOND, FIRST, "first"), (THIRD, SECOND, "vault")):
        assert run(READ, apart / name, uid=reader, code=code) == "0 True", (reader, name)
        own, _ = run(READ, apart / name, uid=owner, code=code).split()
        assert int(own) > 10_000  # the owner can, so that the search means something


def test_the_socket_answers_the_first_doors_user_and_nobody_else(apart: Path, code: Path) -> None:
    socket = apart / "meeting" / "door.sock"
    serving = subprocess.Popen(
        [sys.executable, "-c", BECOME + SERVE, str(apart / "vault"), str(socket), PASSPHRASE, str(FIRST), str(SECOND)],
        cwd="/", text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(code),
    )  # fmt: skip
    try:
        assert serving.stdout is not None
        assert serving.stdout.readline() == "serving\n"
        assert run(CARRY, apart / "first", socket, uid=FIRST, code=code) == "carried"
        assert run(SHOUT, socket, uid=THIRD, code=code) == "0"
        assert run(SHOUT, socket, uid=SECOND, code=code) == "0"  # not even its own user, who was not named
    finally:
        _, errors = serving.communicate(timeout=60)
    assert serving.returncode == 0, errors[-2000:]
    vault = opened(open_vault(apart / "vault", PASSPHRASE, clock=SetClock(TODAY)))
    with vault.reading() as reader:
        state = vault.known(reader)
        refused = [one.entry for one in reader.entries("inbox") if isinstance(one.entry, DeliveryRefused)]
    vault.close()
    assert state.told.published is not None
    assert {(one.rule, one.leaf) for one in refused} == {
        ("vault.stranger", f"uid {THIRD}"),
        ("vault.stranger", f"uid {SECOND}"),
    }

"""The demonstration's two stores, made once for all the tests of a run: whoever needs them first makes them by the command,
the others wait for that and copy the folder. Nobody writes into what is shared.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from equipoise.cli.main import main; raise SystemExit(main())"]


def made_once(factory: pytest.TempPathFactory) -> Path:
    """A folder with `store`, `vault` and, in `said`, what the command said; for reading and copying."""
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demonstration"
    with (shared.parent / "demonstration.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the workers of one run share the folder above theirs
        if not (shared / "said").exists():
            _make(shared)
    return shared


def copied(factory: pytest.TempPathFactory) -> Path:
    """A copy of both stores, for whoever asks."""
    return Path(shutil.copytree(made_once(factory), factory.mktemp("demonstration") / "doors"))


def _make(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    made = subprocess.run(
        [*COMMAND, "demo", "--no-serve", "--store", str(folder / "store"), "--vault", str(folder / "vault")],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    (folder / "said").write_text(made.stdout + "\n" + made.stderr)

"""The walls between the rooms (pyproject.toml, import-linter), and that a breach of each is caught.

The breaches are tried on a skeleton: every room of the contracts as an empty package, in a folder of its own, under
this repository's own contracts. One deliberate import is added, and exactly the contract meant for it must break.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from house_files import ROOT, under

CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONTRACTS = {contract["id"]: contract for contract in CONFIG["tool"]["importlinter"]["contracts"]}
LAYERS = CONTRACTS["layers"]["layers"]
ROOMS = [room for layer in LAYERS for room in re.findall(r"\w+", layer)]
PLANNED = [room for layer in LAYERS for room in re.findall(r"\((\w+)\)", layer)]


def lint(folder: Path, source: Path) -> subprocess.CompletedProcess[str]:
    """import-linter in `folder`, reading the package below `source`."""
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as c; c()",
        "--no-cache",
        "--no-logo",
    ]
    environment = {**os.environ, "PYTHONPATH": str(source), "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """A copy of the contracts over empty rooms; the folder that holds pyproject.toml and equipoise/."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"), "utf-8")
    modules = [
        *(f"{room}/__init__" for room in ROOMS),
        "randomization/methods",
        "randomization/minimization",
        "randomization/sealing",
        "randomization/verify_allocation",
        "__init__",
    ]
    for module in modules:
        write(tmp_path, module, "")
    return tmp_path


def write(folder: Path, module: str, source: str) -> None:
    path = folder / "equipoise" / f"{module}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, "utf-8")


def test_the_rooms_keep_their_walls():
    result = lint(ROOT, ROOT / "src")
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_room_stands_in_the_plan_and_planned_ones_are_not_built_yet():
    built = {Path(path).parts[2] for path in under("src/equipoise", ".py") if len(Path(path).parts) > 3}
    assert built == set(ROOMS) - set(PLANNED)


def test_an_empty_house_keeps_every_contract(skeleton):
    result = lint(skeleton, skeleton)
    assert result.returncode == 0, result.stdout + result.stderr


BREACHES = [
    ("a room looks up", "layers", {"words/breach": "import equipoise.ledger\n"}),
    ("a room looks up from inside a function", "layers", {"desk/breach": "def f():\n    import equipoise.web\n"}),
    ("two conduct rooms meet", "layers", {"capture/breach": "import equipoise.consent\n"}),
    ("plan and past meet", "layers", {"ledger/breach": "import equipoise.protocol\n"}),
    ("a room nobody planned", "layers", {"extras/__init__": ""}),
    ("a ring inside a room", "no-rings", {"desk/a": "import equipoise.desk.b\n", "desk/b": "import equipoise.desk.a\n"}),
    ("the desk opens the second door", "second-door", {"desk/breach": "import equipoise.vault\n"}),
    ("the command line opens the second door", "second-door", {"cli/breach": "import equipoise.vault\n"}),
    (
        "the web opens the second door through another room",
        "second-door",
        {"web/breach": "import equipoise.simulation.way\n", "simulation/way": "import equipoise.vault\n"},
    ),
    ("the web reaches the list", "sealed-list", {"web/breach": "from equipoise.randomization import sealing\n"}),
    (
        "the desk reaches the draw through the room",
        "sealed-list",
        {"desk/breach": "import equipoise.randomization.way\n", "randomization/way": "from equipoise.randomization import methods\n"},
    ),
    ("Django in the ledger", "django", {"ledger/breach": "from django.db import connection\n"}),
    ("JAX in the rehearsal", "jax", {"simulation/breach": "import jax.numpy\n"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("contract", "files"), [breach[1:] for breach in BREACHES], ids=[breach[0] for breach in BREACHES]
)
def test_a_breach_is_caught_by_the_contract_meant_for_it(skeleton, contract, files):
    for module, source in files.items():
        write(skeleton, module, source)
    result = lint(skeleton, skeleton)
    assert result.returncode == 1, result.stdout + result.stderr
    # Names are wrapped to the width of a terminal, so the comparison looks past white space.
    assert "".join(f"{CONTRACTS[contract]['name']} BROKEN".split()) in "".join(result.stdout.split()), (
        result.stdout
    )

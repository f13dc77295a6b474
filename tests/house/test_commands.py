"""The scripts behind `make`: where something is missing they say one line, and what READMEs tell a reader to type exists."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from house_files import ROOT, text

TOOLS = (
    "bash",
    "cat",
    "cut",
    "dirname",
    "env",
    "find",
    "id",
    "mktemp",
    "printf",
    "rm",
    "sha256sum",
    "tail",
    "true",
)


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine that has a shell and nothing else: no Python, no apt, no browser."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    return {"PATH": str(folder), "HOME": str(tmp_path)}


def script(name: str, *arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(ROOT / "requirements" / name), *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
    )


def test_without_python_one_line_says_what_to_do(bare):
    result = script("install.sh", "run", environment=bare)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "install Python 3.11 or newer" in result.stderr


def test_an_older_python_is_named_and_not_used(bare, tmp_path):
    """3.9 stands for any older one; the fake answers as `python -c` of the script's first question would."""
    fake = tmp_path / "bin" / "python3"
    fake.write_text("#!/usr/bin/env bash\nprintf '3.9 0\\n'\n")
    fake.chmod(0o755)
    result = script("install.sh", "run", environment=bare)
    assert result.returncode == 1
    assert "python3 is 3.9" in result.stderr


def test_without_a_browser_one_line_says_what_to_install(bare):
    result = script("browser.sh", environment=bare)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "chromium" in result.stderr
    assert "EQUIPOISE_CHROMIUM" in result.stderr


def test_another_browser_may_be_named(bare):
    result = script("browser.sh", environment={**bare, "EQUIPOISE_CHROMIUM": "/opt/browser"})
    assert result.returncode == 0


def test_make_env_is_quiet_when_there_is_nothing_to_do():
    environment = {**os.environ, "PYTHON": os.environ.get("PYTHON", "python3")}
    result = script("install.sh", "test", environment=environment)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def commands_of(page: str) -> list[list[str]]:
    """The words of every `equipoise …` line in the page's code blocks."""
    blocks = re.findall(r"^```\n(.*?)^```", text(page), re.M | re.S)
    return [
        line.split()[1:]
        for block in blocks
        for line in block.splitlines()
        if line.split()[0].endswith("equipoise")
    ]


@pytest.mark.parametrize("words", commands_of("README.md"), ids=" ".join)
def test_the_readme_names_commands_and_options_that_exist(words):
    deep = 3 if words[:2] == ["vault", "account"] else 2  # how many words name the command
    subject = [word for word in words[:deep] if re.fullmatch(r"[a-z-]+", word)]
    if words[0] == "export":
        subject = ["export"]
    command = [str(ROOT / ".venv/bin/equipoise"), *subject, "--help"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    for option in (word for word in words if word.startswith("-")):
        assert option in result.stdout

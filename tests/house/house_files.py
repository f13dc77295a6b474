"""Which files the house checks read: what git tracks, and what would be tracked by the next `git add`."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".in",
    ".yaml",
    ".yml",
    ".json",
    ".html",
    ".css",
    ".js",
    ".sql",
    ".sh",
    ".svg",
    ".csv",
    "",
}


@cache
def tracked() -> tuple[str, ...]:
    """Paths from the root, with slashes; only files that exist."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    return tuple(
        sorted(path for path in listing.stdout.decode().split("\0") if path and (ROOT / path).is_file())
    )


def under(folder: str, *suffixes: str) -> list[str]:
    """The files below `folder` whose names end so."""
    return [path for path in tracked() if path.startswith(folder + "/") and Path(path).suffix in suffixes]


@cache
def text(path: str) -> str:
    """The text of a file of the repository. Vectors of broken input may hold bytes that are no text."""
    return (ROOT / path).read_text("utf-8", errors="strict" if path.endswith(".py") else "replace")


def texts() -> list[str]:
    """Every file a person can read."""
    return [path for path in tracked() if Path(path).suffix in TEXT]


def ratchet() -> dict[str, dict[str, int]]:
    """Known exceptions with the number they must not pass; the numbers may only be lowered and entries only removed."""
    value = json.loads(text("tests/house/ratchet.json"))
    assert isinstance(value, dict)
    return value

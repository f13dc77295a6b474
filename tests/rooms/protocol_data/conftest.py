"""The two studies as data, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study


def _read(folder: Path) -> Study:
    found = load_study(folder)
    assert isinstance(found, Study), [problem.where for problem in found]
    return found


@pytest.fixture(scope="session")
def first(root: Path) -> Study:
    """The trial of the public record."""
    return _read(root / "studies" / "nct07197606")


@pytest.fixture(scope="session")
def second(root: Path) -> Study:
    """The made-up trial."""
    return _read(root / "tests" / "studies" / "second")

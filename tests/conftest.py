"""What every test shares: the hypothesis profiles and the two folders of reference data.

The reference data stand beside a checkout, not in it. A test that needs them says so by asking for a fixture here,
and is skipped with its reason where they are absent; nothing else in the suite may depend on them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

settings.register_profile(
    "fixed",
    derandomize=True,  # the same examples every time: a red run is red again for the next reader
    print_blob=True,
    deadline=None,  # a slow machine is not a fault
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("nightly", print_blob=True, deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of reference data that stands beside a checkout (registry records, schemas of the standards)."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the reference data folder is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """The folder of reference notes that stands beside a checkout."""
    folder = SHARED / "reference"
    if not folder.is_dir():
        pytest.skip("the reference notes are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def domain(shared_reference: Path) -> dict[str, Any]:
    """The facts about the first study and the instruments, as collected from public sources."""
    value = json.loads((shared_reference / "domain.json").read_text("utf-8"))
    assert isinstance(value, dict)
    return value


LONG_FIRST = (
    "browser/test_for_everybody",
    "browser",
    "faults",
    "stories",
    "laws",
    "rooms/cli",
    "rooms/vault",
)
"""Where long files lie. Workers share the files: a long one that begins last would run while the others have nothing."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, the others as they were."""

    def rank(item: pytest.Item) -> int:
        place = (
            item.path.relative_to(ROOT / "tests").as_posix()
            if item.path.is_relative_to(ROOT / "tests")
            else ""
        )
        return next((rank for rank, long in enumerate(LONG_FIRST) if place.startswith(long)), len(LONG_FIRST))

    items.sort(key=rank)

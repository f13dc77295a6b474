"""Both doors, made once and copied for every test that uses them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rooms.vault.two_doors import Doors, copied, make_doors, open_doors


@pytest.fixture(scope="session")
def made_doors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both doors, closed."""
    folder = tmp_path_factory.mktemp("doors")
    make_doors(folder)
    return folder


@pytest.fixture
def doors(made_doors: Path, tmp_path: Path) -> Iterator[Doors]:
    """Both doors, open, in a folder of the test's own."""
    both = open_doors(copied(made_doors, tmp_path / "both"))
    yield both
    both.close()


@pytest.fixture
def pending(doors: Doors) -> Doors:
    """Both doors after an exchange, with something new at the first one."""
    doors.exchange()
    doors.randomize("s1", "N6-12/D14-45")
    return doors

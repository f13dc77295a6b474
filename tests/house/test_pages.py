"""The pages that carry promises: the trace of requirements, the decisions, the change notes, the two READMEs."""

from __future__ import annotations

import ast
import re
from pathlib import Path, PurePosixPath

import pytest
from house_files import ROOT, text, tracked, under

ROW = re.compile(r"^\|\s*(R\d+[a-z]?)\s*\|(.+)\|(.+)\|(.+)\|\s*$", re.M)
TEST_ID = re.compile(r"`(tests/[^`]+)`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
KINDS = {"added", "changed", "fixed", "removed", "security"}


def names_in(path: str) -> set[str]:
    """Test functions of a file, as pytest names them, methods as Class::method."""
    tree = ast.parse(text(path))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):  # a state machine's TestCase
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}::{method.name}" for method in node.body if isinstance(method, ast.FunctionDef)
            }
    return found


def exists(test_id: str) -> bool:
    """True when `tests/…/test_x.py::test_y` names a test that is there; without `::` the file is enough."""
    path, _, name = test_id.partition("::")
    return path in tracked() and (not name or name.split("[")[0] in names_in(path))


def rows() -> list[tuple[str, str, str, str]]:
    return ROW.findall(text("docs/trace.md"))


def test_every_requirement_has_a_mechanism_and_a_test():
    assert rows()
    bare = [
        row[0] for row in rows() if not row[1].strip() or not row[2].strip() or not TEST_ID.findall(row[3])
    ]
    assert not bare, bare


def test_every_test_the_trace_cites_is_there():
    missing = [
        f"{row[0]}: {test_id}" for row in rows() for test_id in TEST_ID.findall(row[3]) if not exists(test_id)
    ]
    assert not missing, "\n" + "\n".join(missing)


def test_every_mechanism_the_trace_cites_is_there():
    cited = [
        (row[0], path)
        for row in rows()
        for path in re.findall(r"`((?:src|studies|requirements|\.ci)/[^`:]+)`", row[2])
    ]
    missing = [f"{name}: {path}" for name, path in cited if not (ROOT / path).exists()]
    assert cited
    assert not missing, "\n" + "\n".join(missing)


def test_the_trace_numbers_each_requirement_once():
    numbers = [row[0] for row in rows()]
    assert len(numbers) == len(set(numbers))


def test_a_test_that_is_not_there_is_found():
    assert exists("tests/house/test_pages.py::test_a_test_that_is_not_there_is_found")
    assert not exists("tests/house/test_pages.py::test_nobody_wrote")
    assert not exists("tests/house/test_nowhere.py")


def test_decisions_are_numbered_without_gaps_and_listed():
    pages = sorted(
        PurePosixPath(path).name for path in under("docs/decisions", ".md") if not path.endswith("README.md")
    )
    numbers = [int(name[:4]) for name in pages]
    assert numbers == list(range(1, len(pages) + 1)), pages
    listed = LINK.findall(text("docs/decisions/README.md"))
    assert sorted(link for link in listed if re.match(r"\d{4}-", link)) == pages


def test_every_decision_says_what_was_decided_and_why():
    for path in under("docs/decisions", ".md"):
        if not path.endswith("README.md"):
            assert re.search(r"^## Decision", text(path), re.M), f"{path} has no section Decision"
            assert re.search(r"^## Why", text(path), re.M), f"{path} has no section Why"


def test_a_change_comes_with_a_note():
    notes = [PurePosixPath(path).name for path in under("changes.d", ".md") if not path.endswith("README.md")]
    assert notes, "changes.d/ is empty: say in one file what this change means for a user"
    assert all(name.split(".")[-2] in KINDS for name in notes), notes


@pytest.mark.parametrize(
    "page", ["README.md", "README.zh.md", "HOUSE.md", "docs/trace.md", "docs/decisions/README.md"]
)
def test_links_between_pages_lead_somewhere(page):
    folder = (ROOT / page).parent
    dead = [
        link
        for link in LINK.findall(text(page))
        if "://" not in link and not (folder / link.split("#")[0]).exists()
    ]
    assert not dead, dead


def test_the_two_readmes_know_each_other_and_say_the_same_commands():
    english, chinese = text("README.md"), text("README.zh.md")
    assert "README.zh.md" in english
    assert "README.md" in chinese
    commands = re.compile(r"^(make \S+|\S*equipoise .+)$", re.M)
    assert commands.findall(english) == commands.findall(chinese) != []


def test_continuous_integration_runs_what_a_person_runs():
    lines = [line for line in text(".ci/run").splitlines() if line and not line.startswith("#")]
    assert lines[-1] == "exec make test </dev/null"
    assert (Path(ROOT) / ".ci/run").stat().st_mode & 0o100

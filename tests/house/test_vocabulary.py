"""The vocabulary of the ledger: entries are past and without logic, commands are orders, and nothing has a place for an arm."""

from __future__ import annotations

import ast
import re
import tomllib

from house_files import ROOT, text, under

ENTRIES = "src/equipoise/ledger/entries.py"
VAULT_ENTRIES = "src/equipoise/ledger/vault_entries.py"
FACTS = "src/equipoise/ledger/facts.py"
PAST = re.compile(
    r"\w+(?:ed|Taken|Withdrawn|Broken|Held|Given|Made|Done|Shown|Back|HandedOver|[Ff]rozen)$"
)  # irregular ones that occur
ARM = re.compile(r"(?:^|_)(?:arm|treatment|intervention|dose)(?:_|s?$)")


def classes(path: str) -> list[ast.ClassDef]:
    return [node for node in ast.parse(text(path)).body if isinstance(node, ast.ClassDef)]


def kinds(path: str = ENTRIES) -> list[ast.ClassDef]:
    return [node for node in classes(path) if any(getattr(base, "id", "") == "Entry" for base in node.bases)]


def commands() -> dict[str, str]:
    """Commands by name, with their file: every frozen request of a room that is not a value inside one."""
    found = {}
    for path in under("src", ".py"):
        if path.endswith("/commands.py"):
            asked = {node.name: path for node in classes(path)}
            used = {name.id for name in ast.walk(ast.parse(text(path))) if isinstance(name, ast.Name)}
            found.update({name: where for name, where in asked.items() if name not in used})
    return found


def fields(node: ast.ClassDef) -> list[tuple[str, ast.AnnAssign]]:
    return [
        (item.target.id, item)
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    ]


def test_entries_are_past():
    wishes = [node.name for node in (*kinds(), *kinds(VAULT_ENTRIES)) if not PAST.match(node.name)]
    assert kinds()
    assert kinds(VAULT_ENTRIES)
    assert not wishes, wishes


def test_no_kind_of_entry_stands_at_both_doors():
    """A ledger is read by the names of its kinds: one name for two kinds makes the second door's ledger unreadable."""
    both = {node.name for node in kinds()} & {node.name for node in kinds(VAULT_ENTRIES)}
    assert not both, both


def test_commands_are_orders():
    facts = [f"{path}: {name}" for name, path in commands().items() if name != "Who" and PAST.match(name)]
    assert commands()
    assert not facts, facts


def test_the_kinds_of_entry_hold_no_logic():
    logic = [
        ast.unparse(node)[:60]
        for path in (ENTRIES, VAULT_ENTRIES)
        for node in ast.walk(ast.parse(text(path)))
        if isinstance(node, ast.If | ast.For | ast.While | ast.Try)
    ]
    assert not logic, logic


def test_no_entry_and_no_fact_of_the_first_door_has_a_place_for_an_arm():
    named = [
        f"{node.name}.{name}"
        for node in [*kinds(), *classes(FACTS)]
        for name, _ in fields(node)
        if ARM.search(name)
    ]
    assert ARM.search("arm")
    assert ARM.search("allocated_arm")
    assert not named, named


def test_every_fact_has_one_owner_and_it_is_a_room():
    rooms = set(
        re.findall(
            r"\w+",
            " ".join(tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"][0]["layers"]),
        )
    )
    facts = next(node for node in classes(FACTS) if node.name == "Facts")
    owners = {}
    for name, item in fields(facts):
        assert isinstance(item.value, ast.Call), f"{name} has no owner"
        owners[name] = getattr(item.value.args[0], "value", "")
    assert owners
    assert set(owners.values()) <= rooms, owners
    assert (ROOT / FACTS).exists()

"""The house rules over the whole repository: sizes, names, docstrings, unsafe calls, foreign words."""

from __future__ import annotations

import sys
from pathlib import PurePosixPath

import house_checks as rules
from house_files import ratchet, text, texts, tracked, under

CODE = (".py", ".js", ".css", ".html", ".sql")
DECLARATIONS = {"src/equipoise/ledger/entries.py", "src/equipoise/ledger/vault_entries.py"}
"""Declaration-only files (test_vocabulary holds them to that): every kind in one place, however many there are."""


def code() -> list[str]:
    return [path for folder in ("src", "tests", "bench") for path in under(folder, *CODE)]


def python() -> list[str]:
    return [path for path in code() if path.endswith(".py")]


def report(findings: list[str]) -> str:
    return "\n" + "\n".join(findings)


def test_files_are_short_enough_to_read_in_one_sitting():
    noted = ratchet()["file_lines"]
    found = [
        f
        for path in code()
        if path not in DECLARATIONS
        for f in rules.long_file(path, text(path), noted.get(path, rules.FILE_LINES_MAX))
    ]
    assert not found, report(found)


def test_functions_are_short_enough_to_see_at_once():
    noted = ratchet()["function_lines"]
    found = []
    for path in python():
        mine = {key.split("::")[1]: number for key, number in noted.items() if key.startswith(path + "::")}
        found += rules.long_functions(path, text(path), mine)
    assert not found, report(found)


def test_ratchet_holds_no_exception_that_is_no_longer_needed():
    numbers = ratchet()
    stale = [path for path, allowed in numbers["file_lines"].items() if text(path).count("\n") < allowed]
    for key, allowed in numbers["function_lines"].items():
        path, name = key.split("::")
        if not rules.long_functions(path, text(path), {name: allowed - 1}):
            stale.append(key)
    assert not stale, (
        f"shorter than noted in tests/house/ratchet.json: lower the number or remove it: {stale}"
    )


def test_nothing_is_named_for_being_a_bin():
    found = [finding for path in tracked() for finding in rules.bin_name(path)]
    assert not found, report(found)


def test_root_is_seen_at_a_glance():
    entries = {PurePosixPath(path).parts[0] for path in tracked()}
    shown = sorted(entry for entry in entries if not entry.startswith("."))
    assert len(shown) <= rules.ROOT_ENTRIES_MAX, shown


def test_the_smallest_room_stays_small():
    lines = sum(text(path).count("\n") for path in under("src/equipoise/words", ".py"))
    assert lines <= rules.WORDS_ROOM_LINES_MAX, (
        f"words has {lines} lines; what is not a shared noun lives elsewhere"
    )


def test_public_names_say_what_they_are():
    found = [
        finding for path in under("src", ".py") for finding in rules.missing_docstrings(path, text(path))
    ]
    assert not found, report(found)


def test_data_never_becomes_code():
    found = [finding for path in under("src", ".py") for finding in rules.unsafe_calls(path, text(path))]
    assert not found, report(found)


def test_the_repository_speaks_of_itself():
    found = [finding for path in texts() for finding in rules.foreign_words(path, text(path))]
    assert not found, report(found)


def test_pages_load_nothing_from_other_hosts():
    found = [
        f
        for path in under("src", ".html", ".css", ".js", ".svg")
        for f in rules.outside_addresses(path, text(path))
    ]
    assert not found, report(found)


def test_no_study_is_named_in_the_program():
    names = sorted({PurePosixPath(path).parts[1] for path in tracked() if path.startswith("studies/")})
    found = [
        finding for path in under("src", ".py") for finding in rules.study_names(path, text(path), names)
    ]
    assert names, "no study under studies/"
    assert not found, report(found)


def test_the_verifier_stands_alone():
    path = "src/equipoise/ledger/verify.py"
    found = rules.non_standard_imports(path, text(path), frozenset(sys.stdlib_module_names))
    assert not found, report(found)


def test_every_test_can_fail():
    found = [f for path in under("tests", ".py") for f in rules.toothless(path, text(path))]
    assert not found, report(found)


def test_test_modules_have_names_of_their_own():
    seen: dict[str, str] = {}
    twice = []
    for path in under("tests", ".py"):
        name = PurePosixPath(path).name
        if name != "conftest.py" and name != "__init__.py" and name in seen:
            twice.append(f"{path} and {seen[name]}")
        seen[name] = path
    assert not twice, report(twice)

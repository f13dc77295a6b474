"""Each house rule is tried on a bad example, so that a green run means the rule looked and found nothing."""

from __future__ import annotations

import sys

import house_checks as rules
import pytest

LONG_FUNCTION = "def f():\n" + "    x = 1\n" * 70
LONG_FILE = "def f():\n    return 1\n" + "x = 1\n" * 600


def test_long_file_is_found_and_a_declaration_is_not():
    assert rules.long_file("a.py", LONG_FILE)
    assert rules.long_file("a.js", "x\n" * 601)
    assert not rules.long_file("a.py", "x = 1\n" * 700)
    assert not rules.long_file("a.py", LONG_FILE, allowed=602)


def test_long_function_is_found_and_a_noted_one_may_not_grow():
    assert rules.long_functions("a.py", LONG_FUNCTION)
    assert not rules.long_functions("a.py", LONG_FUNCTION, {"f": 71})
    assert rules.long_functions("a.py", LONG_FUNCTION, {"f": 70})


@pytest.mark.parametrize(
    "path", ["src/a/utils.py", "src/helpers/a.py", "tests/common.py", "src/a/misc.js", "src/model.py"]
)
def test_bins_are_found_by_file_and_by_folder(path):
    assert rules.bin_name(path)


def test_names_that_only_sound_like_bins_are_left_alone():
    assert not rules.bin_name("src/a/models.py")
    assert not rules.bin_name("src/a/commons_act.py")


@pytest.mark.parametrize(
    "source",
    ["x = 1\n", '"""m"""\ndef f():\n    pass\n', '"""m"""\nclass C:\n    x = 1\n',
     '"""m"""\nclass C:\n    """c"""\n    def f(self):\n' + "        x = 1\n" * 16],
)  # fmt: skip
def test_missing_docstring_is_found(source):
    assert len(rules.missing_docstrings("a.py", source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "eval('1')",
        "exec('1')",
        "import pickle",
        "from pickle import loads",
        "yaml.load(x)",
        "yaml.load(x, Loader=yaml.Loader)",
        "yaml.unsafe_load(x)",
        "from yaml import load",
        "YAML(typ='unsafe').load(x)",
    ],
)
def test_ways_from_data_to_code_are_found(source):
    assert len(rules.unsafe_calls("a.py", source)) == 1


def test_safe_yaml_is_left_alone():
    assert not rules.unsafe_calls("a.py", "from ruamel.yaml import YAML\nYAML(typ='safe').load(x)")
    assert not rules.unsafe_calls("a.py", "import yaml\nyaml.load(x, Loader=yaml.CSafeLoader)")


@pytest.mark.parametrize(
    "line", ["see /wo" + "rk/a", "https://pypi" + ".org/simple", "a sub" + "agent did", "/ro" + "ot/x"]
)
def test_words_that_are_not_about_the_project_are_found(line):
    assert len(rules.foreign_words("docs/a.md", line)) == 1


def test_only_tests_may_point_beside_the_checkout():
    assert rules.foreign_words("src/a.py", "'../sha" + "red/data'")
    assert not rules.foreign_words("tests/a.py", "'../sha" + "red/data'")


@pytest.mark.parametrize(
    "markup",
    [
        '<script src="https://cdn.example/x.js">',
        "<link rel=stylesheet href='//cdn.example/x.css'>",
        "@import 'https://x/y.css'",
        "url(https://x/y.woff)",
    ],
)
def test_files_from_other_hosts_are_found(markup):
    assert len(rules.outside_addresses("a.html", markup)) == 1


def test_a_plain_link_to_another_page_is_allowed():
    assert not rules.outside_addresses("a.html", '<a href="https://clinicaltrials.gov/">registry</a>')


def test_study_name_is_found_in_any_case():
    assert rules.study_names("a.py", "x = 'NcT00000000'", ["nct00000000"])


@pytest.mark.parametrize(
    "source", ["import django", "def f():\n    from equipoise import words", "from . import chain"]
)
def test_imports_from_outside_the_standard_library_are_found(source):
    assert rules.non_standard_imports("a.py", source, frozenset(sys.stdlib_module_names))


def test_a_test_that_cannot_fail_is_found():
    assert rules.toothless("t.py", "def test_a():\n    f()\n")
    assert not rules.toothless("t.py", "def test_a():\n    assert f()\n")
    assert not rules.toothless("t.py", "def test_a():\n    with pytest.raises(E):\n        f()\n")
    assert not rules.toothless("t.py", "def holds(x):\n    assert x\n\ndef test_a():\n    holds(1)\n")

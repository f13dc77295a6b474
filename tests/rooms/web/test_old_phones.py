"""The diary's page on a phone of the end of 2021: nothing in its sources is younger than that, but what is done without.

Source of `since.txt`: browser-compat-data 8.1.9 of MDN (CC0), the versions of Chrome and of Safari on a phone that first
had each of them; the path names the entry. The issue asks for browsers five years old. The floor is put lower for Chrome:
pages inside WeChat ran in 2021 on a kernel that was older than the browser beside it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from equipoise.web.diary.shell import PAGE

CHROME, SAFARI = (86,), (15, 0)
"""Chrome of October 2020; Safari of iOS 15, September 2021."""
DONE_WITHOUT = {
    "persist": r"if \(navigator\.storage && navigator\.storage\.persist\)",
    "overflow-wrap:anywhere": r"overflow-wrap: break-word; overflow-wrap: anywhere;",
    "appearance": r"-webkit-appearance: none; appearance: none;",
    "text-size-adjust": r"-webkit-text-size-adjust: 100%; text-size-adjust: 100%;",
    "focus-visible": r"@supports not selector\(:focus-visible\) \{ :focus \{ outline: 4px",
    "dvh": r"min-height: 100vh; min-height: 100dvh;",
}
"""What is younger, and what stands beside it for a phone that does not know it."""
YOUNGER_SYNTAX = {
    "logical assignment": r"(?:\?\?|\|\||&&)=",
    "private members": r"(?<![\w\"'`/#])#\w+\s*(?:[=(;]|in )",
    "static blocks": r"\bstatic\s*\{",
    "separators in numbers": r"\b\d+_\d",
    "looking behind in a pattern": r"\(\?<[=!]",
    "waiting outside a function": r"(?m)^(?:const .* = )?await ",
    "import attributes": r"from \"[^\"]+\" (?:with|assert) ",
}
"""JavaScript younger than ES2020 (decision 0033), or that Safari 15.0 does not read."""
KEYWORDS = {"if", "for", "while", "switch", "catch", "function", "return", "await", "async", "typeof", "import", "of", "in"}  # fmt: skip
MODULES = "asking carrying drawing entry reading screens telling acts app"
"""What the page's own functions are called by: its modules by name, and the two bundles of acts that it hands on."""


def bare(text: str) -> str:
    """A source without its comments."""
    return re.sub(r"(^|[\s;])//[^\n]*", r"\1", re.sub(r"/\*.*?\*/", "", text, flags=re.S))


SCRIPTS = {path.name: bare(path.read_text("utf-8")) for path in sorted(PAGE.glob("*.js"))}
SHEET = bare((PAGE / "diary.css").read_text("utf-8"))


def declared_in(script: str) -> set[str]:
    """The names that a script itself gives: functions, constants, what is imported or handed to a function."""
    found = set(re.findall(r"function (\w+)|(?:const|let) (\w+)|catch \((\w+)\)", script))
    found |= set(re.findall(r"\(([^()]*)\) =>|function \w+\(([^()]*)\)|(?<![\w.])(\w+) =>", script))
    found |= {(one, "") for one in re.findall(r"(?:import|const|let) [{\[]([^}\]]*)[}\]]", script)}
    names = {word for each in found for part in each for word in re.findall(r"\w+", part)}
    return names | set(MODULES.split()) | {name.removesuffix(".js") for name in SCRIPTS}


def used_in_scripts() -> tuple[set[str], set[str]]:
    """(what is called on something, what is taken from the browser by its own name)."""
    calls: set[str] = set()
    taken: set[str] = set()
    for script in SCRIPTS.values():
        plain = re.sub(rf"\b(?:{MODULES.replace(' ', '|')})\.\w+|place\.redraw", "ours", script)
        plain = re.sub(r"\"[^\"\n]*\"|/diary/[\w.]*", '""', plain)
        calls |= set(re.findall(r"(?<!\.)\.(\w+)\(", plain))
        named = set(re.findall(r"(?<![.\w])([A-Za-z]\w*)(?:\(|\.\w)", plain))
        taken |= named - declared_in(script) - KEYWORDS - {"ours"}
    return calls, taken


def used_in_sheet() -> dict[str, set[str]]:
    """What the style sheet uses, by the kinds of `since.txt`."""
    pairs = {one for one in re.findall(r"[{;]\s*([a-z-]+)\s*:\s*([^;{}]+)", SHEET) if one[0][0] != "-"}
    heads = " ".join(one.strip() for one in re.findall(r"([^{};]*)\{", SHEET) if "@" not in one)
    return {
        "property": {name for name, _ in pairs},
        "value": {f"{name}:{word}" for name, said in pairs for word in re.findall(r"(?<![-\w])[a-z][\w-]*", said)},
        "selector": set(re.findall(r"(?<!:):{1,2}([a-z][a-z-]+)", heads)),
        "at-rule": set(re.findall(r"@([a-z-]+)", SHEET)),
        "function or unit": set(re.findall(r"\d([a-z]+)\b", re.sub(r"#[0-9a-f]+", "", SHEET)))
        | set(re.findall(r"(?<![-\w])([a-z]+)\(", SHEET)) - {"selector", "not"},
    }  # fmt: skip


@pytest.fixture(scope="module")
def known() -> dict[str, dict[str, tuple[tuple[int, ...], tuple[int, ...]]]]:
    """kind -> name -> (since which Chrome, since which Safari on a phone); 999: in none yet."""
    found: dict[str, dict[str, tuple[tuple[int, ...], tuple[int, ...]]]] = {}
    for line in (Path(__file__).parent / "since.txt").read_text("utf-8").splitlines():
        kind, name, chrome, safari, _ = line.split("\t")
        since = (tuple(map(int, one.split("."))) for one in (chrome, safari))
        found.setdefault(kind, {})[name] = (next(since), next(since))
    return found


def test_what_the_page_takes_from_a_browser_was_there_at_the_end_of_2021(known):
    calls, taken = used_in_scripts()
    used = {"calls": calls, "globals": taken, **used_in_sheet()}
    assert len(calls) > 90
    assert len(taken) > 30
    unknown = {
        f"{kind} {name}"
        for kind, names in used.items()
        for name in names - set(known[kind])
        if kind != "value"  # most words are a name of a font or of nothing that has a date
    }
    assert unknown == set(), "look up since when, and write it into since.txt"
    younger = {
        name
        for kind, names in used.items()
        for name in names & set(known[kind])
        if known[kind][name][0] > CHROME or known[kind][name][1] > SAFARI
    }
    assert younger == set(DONE_WITHOUT), "too young, or no longer used"


@pytest.mark.parametrize("name", DONE_WITHOUT)
def test_what_is_younger_has_something_beside_it(name):
    every = "\n".join([*SCRIPTS.values(), SHEET])
    assert re.search(DONE_WITHOUT[name], every)


@pytest.mark.parametrize("name", YOUNGER_SYNTAX)
def test_no_script_is_written_in_a_younger_language(name):
    assert {file for file, script in SCRIPTS.items() if re.search(YOUNGER_SYNTAX[name], script)} == set()


@pytest.mark.parametrize("line", ["const a = structuredClone(b);", "list.at(-1);", "Object.hasOwn(a, b);"])
def test_a_younger_function_would_be_found(monkeypatch, known, line):
    monkeypatch.setitem(SCRIPTS, "main.js", SCRIPTS["main.js"] + line)
    calls, taken = used_in_scripts()
    assert (calls - set(known["calls"])) | (taken - set(known["globals"]))

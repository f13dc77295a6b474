"""One catalogue of messages: complete in both languages, and every message the program asks for is in it.

Source of the rule: DESIGN 3 (words) and docs/decisions/0002-one-catalogue-of-messages.md.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath

import pytest
from house_files import ROOT, text, under
from ruamel.yaml import YAML

FOLDER = "src/equipoise/words/messages"
LANGUAGES = {"en", "zh"}
SLOT = re.compile(r"\{(\w+)\}")
CJK = re.compile(r"[\u4e00-\u9fff]")
HALF_WIDTH = re.compile(
    r"[\u4e00-\u9fff][,;:?!]|[,;:?!][\u4e00-\u9fff]|[\u4e00-\u9fff]\.(?:\s|$)|[\u4e00-\u9fff]\("
)
EXAMPLE = re.compile(r"“[^”]*”|\b[a-z_]+\([^)]*\)")  # quoted notation and calls keep their own punctuation
FILE_NAMES = "css|html|js|json|key|lock|py|sqlite|yaml"
NO_WORDS = re.compile(r"^[\W\dA-Za-z_]*$")


@cache
def catalogue() -> dict[str, tuple[str, dict[str, str]]]:
    """Every message by key, with the file it stands in."""
    return {
        key: (path, languages)
        for path in under(FOLDER, ".yaml")
        for key, languages in (YAML(typ="safe").load(text(path)) or {}).items()
    }


def asked(source: str) -> Iterator[tuple[int, str, set[str] | None]]:
    """(line, key, names of arguments) of every message asked for with a literal key.

    The names are None where they cannot be told from the call: a mapping handed on, or a bare key passed to `say`.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in {"Problem", "problem", "fault"}:
            continue
        words = {word.arg: word.value for word in node.keywords}
        key = words.pop("rule", node.args[0] if node.args else None)
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
            continue
        words.pop("where", None)
        if name == "Problem":
            given = words.get("arguments", node.args[2] if len(node.args) > 2 else ast.Dict([], []))
            slots = given.keys if isinstance(given, ast.Dict) else [None]
            literal = {str(slot.value) for slot in slots if isinstance(slot, ast.Constant)}
            names = literal if len(literal) == len(slots) else None
        else:
            names = None if None in words else {str(word) for word in words}
        yield node.lineno, key.value, names


def keys_named(source: str, rooms: set[str]) -> Iterator[tuple[int, str]]:
    """Every text of a module that has the form of a message key, `<room>.<name>`, wherever it is used."""
    pattern = re.compile(
        rf"(?:{'|'.join(sorted(rooms))})\.(?!(?:{FILE_NAMES})$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
    )
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and pattern.fullmatch(node.value):
            yield node.lineno, node.value


def faults(languages: object) -> list[str]:
    """What is wrong with one message of the catalogue."""
    if not isinstance(languages, dict) or set(languages) != LANGUAGES:
        return ["has to have en and zh and nothing else"]
    texts = {language: str(value or "").strip() for language, value in languages.items()}
    found = [f"{language} is empty" for language, value in texts.items() if not value]
    if set(SLOT.findall(texts["en"])) != set(SLOT.findall(texts["zh"])):
        found.append("en and zh do not have the same {slots}")
    bare = SLOT.sub("", texts["en"])
    if not CJK.search(texts["zh"]) and not NO_WORDS.match(SLOT.sub("", texts["zh"])):
        found.append("zh is not Chinese")
    if not CJK.search(texts["zh"]) and texts["zh"] == texts["en"] and len(bare.split()) > 3:
        found.append("zh repeats the English sentence")
    if CJK.search(texts["en"]):
        found.append("en has Chinese in it")
    if HALF_WIDTH.search(EXAMPLE.sub("", SLOT.sub("x", texts["zh"]))):
        found.append("zh has half-width punctuation between Chinese characters")
    return found


def test_every_message_is_complete_in_english_and_chinese():
    found = [
        f"{path} {key}: {fault}" for key, (path, value) in catalogue().items() for fault in faults(value)
    ]
    assert catalogue(), "no messages at all"
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "languages",
    [
        {"en": "Missing"},
        {"en": "Missing", "zh": ""},
        {"en": "{a} is missing", "zh": "缺少{b}"},
        {"en": "Choose a site first", "zh": "Choose a site first"},
        {"en": "Choose 中心", "zh": "请选择中心"},
        {"en": "Choose, then go on", "zh": "请选择,然后继续"},
        {"en": "Choose.", "zh": "请选择. 然后继续"},
    ],
)
def test_an_incomplete_message_is_found(languages):
    assert faults(languages)


def test_a_good_message_passes():
    assert not faults(
        {"en": "{item} needs a reason (what changed?)", "zh": "请填写{item}的修改原因（改了什么？）。"}
    )
    assert not faults({"en": "NIHSS", "zh": "NIHSS"})


def test_every_key_stands_in_the_file_of_its_room():
    strays = [
        f"{path}: {key}"
        for key, (path, _) in catalogue().items()
        if key.split(".")[0] != PurePosixPath(path).stem
    ]
    assert not strays, strays


def test_every_problem_the_program_raises_has_its_words():
    messages = catalogue()
    found = []
    for path in under("src", ".py"):
        for line, key, names in asked(text(path)):
            if key not in messages:
                found.append(f"{path}:{line} {key} is in no file of {FOLDER}")
            elif names is not None and (lacking := set(SLOT.findall(messages[key][1].get("en", ""))) - names):
                found.append(f"{path}:{line} {key} is not given {', '.join(sorted(lacking))}")
    assert not found, "\n" + "\n".join(found)


def test_every_key_the_program_names_is_in_the_catalogue():
    messages = catalogue()
    rooms = {
        PurePosixPath(path).parts[2] for path in under("src", ".py") if len(PurePosixPath(path).parts) > 3
    }
    found = [
        f"{path}:{line} {key} is in no file of {FOLDER}"
        for path in under("src", ".py")
        for line, key in keys_named(text(path), rooms)
        if key not in messages
        and not (ROOT / "src/equipoise" / key.replace(".", "/", 1)).with_suffix(".py").exists()
    ]
    assert not found, "\n" + "\n".join(found)


def test_every_key_a_page_names_is_in_the_catalogue():
    messages = catalogue()
    pages = under("src/equipoise", ".html", ".js")
    quoted = re.compile(
        rf"""["']((?:{"|".join(sorted({key.split(".")[0] for key in messages}))})\.[a-z][a-z0-9-]*[a-z0-9])["']"""
    )
    found = [f"{path}: {key}" for path in pages for key in quoted.findall(text(path)) if key not in messages]
    assert pages
    assert not found, "\n" + "\n".join(found)


def test_no_message_is_kept_that_nobody_says():
    """A key counts as said where it is named whole, or where its beginning is named to have the end put on."""
    whole = "\n".join(text(path) for path in under("src/equipoise", ".py", ".html", ".js"))
    # Keys are ASCII, and such a text is searched much faster; what is left out leaves a gap, lest two words make a key.
    program = whole.encode("ascii", "replace").decode()
    data = [
        path for path in [*under("src/equipoise", ".yaml"), *under("studies", ".yaml")] if FOLDER not in path
    ]
    orphans = [key for key in catalogue() if not said(key, program, "\n".join(map(text, data)))]
    assert not orphans, orphans


def said(key: str, program: str, data: str) -> bool:
    """Whether the program names `key`: whole, or its beginning to put an end on, or its end after f"room.{…}"."""
    if key in program or key in data:
        return True
    for cut in (place for place, character in enumerate(key) if character in "-."):
        beginning, mark, end = key[:cut], key[cut], key[cut + 1 :]
        if mark == "-" and any(
            f"{beginning}{follows}" in program for follows in ("-{", '-"', "-'", '"', "'")
        ):
            return True
        if f"{beginning}.{{" not in program:
            continue
        hyphens = [place for place, character in enumerate(end) if character == "-"]
        ends = [end, *(end[: place + 1] + "{" for place in hyphens), *(end[place:] for place in hyphens)]
        if any(before + one in program for one in ends for before in "\"'}"):
            return True
    return False


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("problem('web.not-found')", True),
        ("say(f'web.not-{what}')", True),
        ("say(f'web.{rule}'); told('not-found')", True),
        ("say(f'web.{rule}'); told('found')", False),
        ("say(f'web.{rule}-found')", True),
        ("show(key='web.not')", True),
        ("problem('web.found')", False),
    ],
)
def test_a_message_is_said_in_these_ways(program, expected):
    assert said("web.not-found", program, "") is expected


def test_a_key_is_found_wherever_it_is_named():
    source = (
        "RULES = {1: 'ledger.disk-full'}\nx = 'equipoise.ledger'\ny = 'see ledger.busy'\nz = 'ledger.lock'\n"
    )
    assert list(keys_named(source, {"ledger"})) == [(1, "ledger.disk-full")]


def test_asked_reads_both_ways_to_make_a_problem():
    source = "problem('a.b', where, item=1)\nProblem(rule='a.c', arguments={'x': y})\nProblem('a.d', w, given)\nproblem('a.e', **words)\n"
    assert list(asked(source)) == [
        (1, "a.b", {"item"}),
        (2, "a.c", {"x"}),
        (3, "a.d", None),
        (4, "a.e", None),
    ]

"""The house rules as plain functions: text in, findings out.

A finding is one line, `path:line what is wrong and what to do instead`. Keeping the rules free of the file system
lets each be tried on a bad example first (test_rules_bite.py): a rule that cannot fail is no rule.
Reasons for the numbers: HOUSE.md.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
WORDS_ROOM_LINES_MAX = 900
ROOT_ENTRIES_MAX = 15
DOCSTRING_FROM_LINES = 16  # a method shorter than this may speak for itself by its name
BINS = frozenset({"utils", "util", "helpers", "helper", "common", "misc", "model"})

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[FunctionNode]:
    """Every function and method of a module, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, FunctionNode):
            yield node


def declaration_only(source: str) -> bool:
    """True for a file that only declares: imports, constants, classes with fields. Such a file may be long."""
    logic = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.If, ast.For, ast.While, ast.With, ast.Try)
    return not any(isinstance(node, logic) for node in ast.walk(ast.parse(source)))


def long_file(path: str, source: str, allowed: int = FILE_LINES_MAX) -> list[str]:
    """A file over its number of lines; data files and files that only declare are not asked."""
    lines = source.count("\n")
    if lines <= allowed or (path.endswith(".py") and declaration_only(source)):
        return []
    return [f"{path}:1 has {lines} lines, {allowed} allowed: split it by what its parts are about"]


def long_functions(path: str, source: str, allowed: Mapping[str, int] | None = None) -> list[str]:
    """Functions over 70 lines, or over the number noted for them; `allowed` maps a name to its noted number."""
    noted = allowed or {}
    found = []
    for node in functions(ast.parse(source)):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > noted.get(node.name, FUNCTION_LINES_MAX):
            found.append(
                f"{path}:{node.lineno} {node.name} has {lines} lines: name its steps and give each a function"
            )
    return found


def bin_name(path: str) -> list[str]:
    """A file or folder named for being a bin; its content is about something, and that is its name."""
    parts = {PurePosixPath(part).stem for part in PurePosixPath(path).parts}
    return [f"{path}:1 is named {name}: name it for what it holds" for name in sorted(parts & BINS)]


def missing_docstrings(path: str, source: str) -> list[str]:
    """Modules, public classes, public functions and longer public methods without a docstring."""
    tree = ast.parse(source)
    found = []
    if tree.body and ast.get_docstring(tree) is None:
        found.append(
            f"{path}:1 the module says nothing: what it is, the rule that must stay true, the source"
        )
    for node in tree.body:
        if isinstance(node, ast.ClassDef | FunctionNode) and not node.name.startswith("_"):
            if ast.get_docstring(node) is None:
                found.append(f"{path}:{node.lineno} {node.name} has no docstring")
            if isinstance(node, ast.ClassDef):
                found += [
                    f"{path}:{method.lineno} {node.name}.{method.name} has no docstring"
                    for method in node.body
                    if isinstance(method, FunctionNode)
                    and not method.name.startswith("_")
                    and (method.end_lineno or 0) - method.lineno + 1 >= DOCSTRING_FROM_LINES
                    and ast.get_docstring(method) is None
                ]
    return found


def unsafe_calls(path: str, source: str) -> list[str]:
    """eval, exec, pickle and loaders that can build any object: data must never become code."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in {"eval", "exec", "__import__"}:
                found.append(f"{path}:{node.lineno} {node.func.id}: write the interpreter, or import by name")
            kinds = [getattr(word.value, "value", None) for word in node.keywords if word.arg == "typ"]
            if node.func.id == "YAML" and kinds and kinds[0] not in {"safe", "rt", "pure"}:
                found.append(f"{path}:{node.lineno} YAML(typ={kinds[0]!r}): read study files with typ='safe'")
        elif isinstance(node, ast.Call) and re.fullmatch(r"yaml\.\w*load\w*", ast.unparse(node.func)):
            loaders = [ast.unparse(word.value) for word in node.keywords if word.arg == "Loader"]
            if not loaders or loaders[0] not in {"_Core", "yaml.CSafeLoader"}:
                found.append(
                    f"{path}:{node.lineno} {ast.unparse(node.func)}: use yaml_values of words/yaml_text.py"
                )
        if any(name.split(".")[0] in {"pickle", "marshal", "shelve", "dill"} for name in names):
            line = getattr(node, "lineno", 1)
            found.append(
                f"{path}:{line} imports {names[0]}: use canonical JSON, or yaml_values of words/yaml_text.py"
            )
        if isinstance(node, ast.ImportFrom) and node.module == "yaml":
            bare = {alias.name for alias in node.names} - {"events", "YAMLError"}
            found += [f"{path}:{node.lineno} from yaml import {name}: write `yaml.`" for name in sorted(bare)]
    return found


# Written in halves so that this file does not find itself.
_FOREIGN = {
    "/wo" + "rk/": "a folder of one machine",
    "/ro" + "ot/": "a folder of one machine",
    "/tmp/" + "eq": "a folder of one machine",
    "/.lib" + "rary": "a folder of one machine",
    "pypi" + ".org": "a package registry's address",
    "python" + "hosted.org": "a package registry's address",
    "registry." + "npmjs": "a package registry's address",
    "deb." + "debian.org": "a package registry's address",
    "sub" + "agent": "how the project is made",
    "another " + "session": "how the project is made",
    "this " + "session": "how the project is made",
    "language " + "model": "how the project is made",
    "anth" + "ropic": "how the project is made",
    "chat" + "gpt": "how the project is made",
}


def foreign_words(path: str, text: str) -> list[str]:
    """Addresses and words that do not speak of the project itself; beside-the-checkout folders outside tests."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        low = line.lower()
        found += [f"{path}:{number} has {word!r}, {why}" for word, why in _FOREIGN.items() if word in low]
        if "../sha" + "red" in low and not path.startswith("tests/"):
            found.append(
                f"{path}:{number} points outside the repository; only tests may, through tests/conftest.py"
            )
    return found


def outside_addresses(path: str, text: str) -> list[str]:
    """Scripts, styles, fonts and pictures taken from another host: the program has no outbound traffic."""
    pattern = re.compile(
        r"""(?:<(?:script|link|img|iframe|source)\b[^>]*(?:src|href)=|url\(|@import\s+)["'\s]*(?:https?:)?//""",
        re.I,
    )
    return [
        f"{path}:{text.count(chr(10), 0, hit.start()) + 1} loads from another host: ship the file"
        for hit in pattern.finditer(text)
    ]


def study_names(path: str, text: str, names: Iterable[str]) -> list[str]:
    """Names of one study in the program: everything about a trial is data in studies/."""
    low = text.lower()
    return [
        f"{path}:1 names the study {name}: read it from the definition"
        for name in names
        if name.lower() in low
    ]


def non_standard_imports(path: str, source: str, standard: frozenset[str]) -> list[str]:
    """Imports from outside the standard library, inside functions too."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            found.append(f"{path}:{node.lineno} imports from its own package")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            )
            found += [
                f"{path}:{node.lineno} imports {name}" for name in names if name.split(".")[0] not in standard
            ]
    return found


def toothless(path: str, source: str) -> list[str]:
    """A test function with nothing in it that can fail: no assert, no pytest.raises, and no call of a function that has."""
    tree = ast.parse(source)
    bodies = {node.name: node for node in functions(tree)}

    def bites(node: ast.AST, seen: frozenset[str]) -> bool:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Assert | ast.Raise):
                return True
            if isinstance(inner, ast.Call):
                name = (
                    inner.func.attr
                    if isinstance(inner.func, ast.Attribute)
                    else getattr(inner.func, "id", "")
                )
                if name in {"raises", "fail", "run_state_machine_as_test"} or name.startswith(
                    ("assert_", "check", "expect", "must")
                ):
                    return True
                if name in bodies and name not in seen and bites(bodies[name], seen | {name}):
                    return True
        return False

    return [
        f"{path}:{node.lineno} {node.name} cannot fail: state what must hold"
        for node in functions(tree)
        if node.name.startswith("test_") and not bites(node, frozenset({node.name}))
    ]

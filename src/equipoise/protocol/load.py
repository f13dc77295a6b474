"""From a folder of YAML files to a Study, or every fault in it with its place.

A study folder holds `study.yaml` and the files that its `include:` names. Each file is a mapping; the mappings
are joined by top-level key: lists are put one after another, mappings are united, anything else may stand once.
The rule that must stay true: a fault names file, line, path in the definition and what to do, in our own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from equipoise.protocol.faults import faults_of
from equipoise.protocol.notation import MAX_BYTES, Located, Place, Plain, Steps, read_yaml
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem

MAIN = "study.yaml"
MAX_FILES = 100


@dataclass(frozen=True, slots=True)
class Definition:
    """A study as it was read: the value, and the place of each of its parts."""

    study: Study
    places: Places


@dataclass(slots=True)
class Places:
    """Where the parts of a definition stand."""

    values: dict[Steps, Place] = field(default_factory=dict)
    keys: dict[Steps, Place] = field(default_factory=dict)
    content: dict[str, Plain] = field(default_factory=dict)

    def of(self, path: Steps) -> Place:
        """The place of a part, or of the nearest part around it."""
        for length in range(len(path), 0, -1):
            found = self.values.get(path[:length]) or self.keys.get(path[:length])
            if found is not None:
                return found
        return Place(MAIN, 1, 1)

    def of_key(self, path: Steps) -> Place:
        """The place of a part's key, or as `of` where it has none."""
        return self.keys.get(path) or self.of(path)

    def spell(self, path: Steps) -> str:
        """A path in the reader's terms: list elements by their id or name where they have one."""
        words: list[str] = []
        value: Plain = self.content
        for step in path:
            value = _within(value, step)
            if isinstance(step, int):
                named = value.get("id", value.get("name")) if isinstance(value, dict) else None
                words.append(named if isinstance(named, str) else str(step + 1))
            else:
                words.append(step)
        return ".".join(words)

    def where(self, path: Steps, *, key: bool = False) -> str:
        """`forms/screening.yaml:12:5 forms.DM.items.SEX.type`."""
        place = self.of_key(path) if key else self.of(path)
        return f"{place} {self.spell(path)}".rstrip()


def _within(value: Plain, step: str | int) -> Plain:
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return value[step]
    return None


def load_study(folder: Path) -> Study | tuple[Problem, ...]:
    """The study of a folder, or what is wrong with its files. References and rules are judged by `check_study`."""
    found = load_definition(folder)
    return found.study if isinstance(found, Definition) else found


def load_definition(folder: Path) -> Definition | tuple[Problem, ...]:
    """As `load_study`, with the place of every part."""
    places = Places()
    problems = _read_all(folder, places)
    if problems:
        return problems
    try:
        study = Study.model_validate(places.content)
    except ValidationError as fault:
        return faults_of(fault, places.content, places.where)
    return Definition(study, places)


def _read_all(folder: Path, places: Places) -> tuple[Problem, ...]:
    """Read study.yaml and what it includes into `places`; the faults that kept a file from being read."""
    if not folder.is_dir():
        return (problem("protocol.folder-missing", str(folder)),)
    main = _read(folder, MAIN)
    if isinstance(main, Problem):
        return (main,)
    named = main.value.get("include", []) if isinstance(main.value, dict) else []
    problems = list(_add(main, MAIN, places))
    if named is None:
        named = []
    if (
        not isinstance(named, list)
        or len(named) > MAX_FILES
        or not all(isinstance(name, str) for name in named)
    ):
        return (problem("protocol.include-list", str(main.values.get(("include",), Place(MAIN, 1, 1)))),)
    seen = {MAIN}
    for position, name in enumerate(named):
        where = str(main.values.get(("include", position), Place(MAIN, 1, 1)))
        if str(name) in seen:
            problems.append(problem("protocol.include-twice", where, file=name))
            continue
        seen.add(str(name))
        read = _included(folder, str(name), where)
        problems += [read] if isinstance(read, Problem) else _add(read, str(name), places)
    return tuple(problems)


def _included(folder: Path, name: str, where: str) -> Located | Problem:
    try:
        inside = (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a link to itself; a name that no system takes
        inside = False
    if not inside or not name.endswith(".yaml") or Path(name).is_absolute():
        return problem("protocol.include-outside", where, file=name)
    if not (folder / name).is_file():
        return problem("protocol.include-missing", where, file=name)
    return _read(folder, name)


def _read(folder: Path, name: str) -> Located | Problem:
    try:
        with (folder / name).open("rb") as file:
            data = file.read(MAX_BYTES + 1)  # never a device without end
    except FileNotFoundError:
        return problem("protocol.file-missing", name, folder=folder)
    except OSError:
        return problem("protocol.file-unreadable", name)
    return _parsed(data, name)


@lru_cache(maxsize=64)
def _parsed(data: bytes, name: str) -> Located | Problem:
    """`read_yaml`, once for the same bytes: one command often reads a definition for each door. Nobody changes it."""
    return read_yaml(data, name)


def _add(read: Located, name: str, places: Places) -> tuple[Problem, ...]:
    """Join one file to what was read before."""
    if read.value is None:
        return (problem("protocol.file-empty", name),)
    if not isinstance(read.value, dict):
        return (problem("protocol.file-not-mapping", f"{name}:1:1"),)
    problems = []
    for key, value in read.value.items():
        if key == "include":
            if name != MAIN:
                problems.append(problem("protocol.include-nested", str(read.keys[(key,)])))
            continue
        clash = _join(key, value, read, places)
        if clash is not None:
            problems.append(clash)
    return tuple(problems)


def _join(key: str, value: Plain, read: Located, places: Places) -> Problem | None:
    before = places.content.get(key)
    shift = 0
    if key not in places.content:
        places.content[key] = value
    elif isinstance(before, list) and isinstance(value, list):
        shift = len(before)
        places.content[key] = [*before, *value]
    elif isinstance(before, dict) and isinstance(value, dict) and not before.keys() & value.keys():
        places.content[key] = {**before, **value}
    else:
        twice = (
            sorted(before.keys() & value.keys())
            if isinstance(before, dict) and isinstance(value, dict)
            else []
        )
        path: Steps = (key, twice[0]) if twice else (key,)
        return problem(
            "protocol.file-stands-twice",
            str(read.keys[path]),
            path=".".join(map(str, path)),
            first=places.of_key(path),
        )
    _shift(key, shift, read.values, places.values)
    _shift(key, shift, read.keys, places.keys)
    return None


def _shift(key: str, shift: int, found: Mapping[Steps, Place], into: dict[Steps, Place]) -> None:
    """Take over the places under a key, list positions moved on by `shift`."""
    for path, place in found.items():
        if path and path[0] == key:
            second = path[1:2]
            moved = tuple(step + shift if isinstance(step, int) else step for step in second)
            into.setdefault((key, *moved, *path[2:]), place)

"""`Problem`: a fault in data or a refusal, as a value.

A Problem is a key and its arguments; the words are in one catalogue (`messages/*.yaml`, English and Chinese)
for every door, so that the page, the terminal and a file say the same thing. Exceptions are for our own bugs.
A Problem knows no HTTP: the web maps rules to statuses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from equipoise.words.text import Language, Text
from equipoise.words.yaml_text import yaml_values

_SLOT = re.compile(r"\{(\w+)\}")
_PREFIX = re.compile(r"[a-z0-9_]+")
_FOLDER = files("equipoise.words").joinpath("messages")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do next.

    rule: key of the catalogue, `<room>.<name>`, for instance `capture.reason-required`.
    where: the place in the reader's terms: an item id, a file with line and path, a criterion; may be empty.
    arguments: texts put into the message at `{name}`; `name.zh` beside `name` is that argument's Chinese, where
    it is a text of the study (a label, a check's message).
    """

    rule: str
    where: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)

    def say(self, language: Language = "en") -> str:
        """The message in `language`: what is wrong and, after it, what to do next."""
        return say(self.rule, language, self.arguments)

    def __hash__(self) -> int:
        return hash((self.rule, self.where, tuple(sorted(self.arguments.items()))))


def problem(rule: str, where: str = "", **arguments: object) -> Problem:
    """A Problem with its arguments written as text; a `Text` keeps both its languages."""
    written: dict[str, str] = {}
    for name, value in arguments.items():
        if isinstance(value, Text):
            written |= {name: value.en} | ({f"{name}.zh": value.zh} if value.zh is not None else {})
        else:
            written[name] = str(value)
    return Problem(rule, where, written)


@cache
def catalogue() -> Mapping[str, Text]:
    """Every message of the program by key. Raises ValueError for a key that stands in a file of another name."""
    found: dict[str, Text] = {}
    for path in _FOLDER.iterdir():
        if path.name.endswith(".yaml"):
            found |= _messages(path.name.removesuffix(".yaml"))
    return found


@cache
def _messages(prefix: str) -> Mapping[str, Text]:
    """The messages whose keys begin with `prefix`; a process reads only the files whose messages it says."""
    path = _FOLDER.joinpath(f"{prefix}.yaml")
    if not _PREFIX.fullmatch(prefix) or not path.is_file():
        return {}
    written = yaml_values(path.read_text("utf-8")) or {}
    for key in written:
        if not key.startswith(f"{prefix}."):
            raise ValueError(f"message {key} stands in {path.name}, where it is not looked for")
    return {key: Text(languages["en"], languages["zh"]) for key, languages in written.items()}


def say(key: str, language: Language = "en", arguments: Mapping[str, str] | None = None) -> str:
    """The text of `key` in `language` with its arguments put in; the key itself where there is none."""
    text = _messages(key.partition(".")[0]).get(key)
    if text is None:
        return key
    given = arguments or {}
    return _SLOT.sub(
        lambda slot: given.get(f"{slot[1]}.{language}", given.get(slot[1], slot[0])), text.say(language)
    )

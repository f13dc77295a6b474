"""The program's own files as plain values: YAML's core schema, in which `no` stays a word and a day stays a text.

Source: YAML 1.2.2, core schema (https://yaml.org/spec/1.2.2/#103-core-schema), without octal and hexadecimal numbers.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml


class _Core(yaml.CSafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # as libyaml's loader asks

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        """A mapping of keys that stand once. Any: whatever was written."""
        made = super().construct_mapping(node, deep)
        if len(made) != len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key stands twice", node.start_mark)
        return made


for _kind, _pattern, _first in (
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", [*"tTfF"]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)$", [*"-+0123456789"]),
    ("float", r"[-+]?[0-9]+\.[0-9]+$", [*"-+0123456789"]),
):
    _Core.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(_pattern), _first)


def yaml_values(text: str) -> Any:  # Any: whatever was written
    """What stands in a file of the program; raises yaml.YAMLError, which says where it is no YAML."""
    return yaml.load(text, Loader=_Core)  # noqa: S506  # a safe loader with fewer words

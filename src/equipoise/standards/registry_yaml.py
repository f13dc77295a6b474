"""The files of a skeleton: `study.yaml` for people to go on with, `registry.yaml` with the record field by field.

The same import gives the same bytes: order, width and style are fixed, and no clock is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import LiteralScalarString

from equipoise.protocol.study import RegistryField
from equipoise.standards.registry_report import ImportReport
from equipoise.standards.registry_room import ASIDE_FILE
from equipoise.standards.registry_skeleton import Skeleton

_WIDTH = 110
_SHORT = 70
_LINE_ENDS = re.compile(
    " +\n"
)  # where a text is folded the space is the line end's; blocks of lines hold none
REGISTRY_FILE = "registry.yaml"


def skeleton_files(
    made: Skeleton, report: ImportReport, aside: Sequence[RegistryField] = ()
) -> Mapping[str, bytes]:
    """File name -> content, UTF-8. `aside` goes, a field on each line, to a file that the
    definition does not include."""
    main = {key: value for key, value in made.items() if key != "registry"}
    head = [
        f"Skeleton of a study, made from the public record in {report.name}.",
        "Everything here is the record's; what it does not say is not here.",
        "Criteria without a rule await an expression.",
        f"The record itself, field by field with its lines, stands in {REGISTRY_FILE}.",
    ]
    record = [
        "The public record, field by field and as published. `line` is a line of the file it was read from.",
        "Nothing is corrected: what disagrees stands under `contradictions`, what was not understood at the end.",
    ]
    files = {
        "study.yaml": _written({**main, "include": [REGISTRY_FILE]}, head),
        REGISTRY_FILE: _written({"registry": made["registry"]}, record),
    }
    if aside:
        rows = (field.model_dump(exclude_defaults=True) for field in aside)
        lines = (json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)
        files[ASIDE_FILE] = "".join(lines).encode()
    return files


def _written(content: Mapping[str, Any], comment: list[str]) -> bytes:
    writer = YAML()
    writer.width = _WIDTH
    writer.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    stream.writelines(f"# {' '.join(line.split())}\n" for line in comment)
    writer.dump(_styled(content), stream)
    return _LINE_ENDS.sub("\n", stream.getvalue()).encode()


def _styled(value: Any) -> Any:  # Any: a definition in its notation
    if isinstance(value, Mapping):
        made = CommentedMap((key, _styled(inner)) for key, inner in value.items())
        if _short(value):
            made.fa.set_flow_style()
        return made
    if isinstance(value, list | tuple):
        listed = CommentedSeq(_styled(inner) for inner in value)
        if all(not isinstance(inner, Mapping | list | tuple) for inner in value) and len(str(value)) < _SHORT:
            listed.fa.set_flow_style()
        return listed
    return LiteralScalarString(value) if isinstance(value, str) and _block(value) else value


def _short(value: Mapping[str, Any]) -> bool:
    """Whether a mapping reads best on one line: the fields of the record, mostly."""
    plain = all(
        not isinstance(inner, Mapping) and not (isinstance(inner, str) and "\n" in inner)
        for inner in value.values()
    )
    return plain and "path" in value and len(str(value)) < _WIDTH


def _block(text: str) -> bool:
    """Whether a text can stand as a block of lines: it has some, and no sign that a block would lose or spoil."""
    lines = text.split("\n")
    plain = all(line == line.rstrip() and line.isprintable() for line in lines)
    return len(lines) > 1 and plain and bool(lines[0][:1].strip())

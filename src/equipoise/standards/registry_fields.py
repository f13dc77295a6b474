"""The fields of a JSON record, one for each value, with path, line and what of it is unfamiliar.

An object or a list of objects is taken apart; a list of plain values is one field, as the registry describes it.
The rule that must stay true: every value of the file stands in some field, whatever its module, type or code.
"""

from __future__ import annotations

import re
import unicodedata

from equipoise.standards.registry_json import Node, Scalar
from equipoise.standards.registry_record import Record
from equipoise.standards.registry_report import Findings, Understood
from equipoise.standards.registry_vocabulary import CODES, MODULES, SHAPES

_PLACE = re.compile(r"\[\d+\]")
_HALF = re.compile("[\ud800-\udfff]")


def json_fields(root: Node, prefix: str, findings: Findings) -> None:
    """Take `root` apart into `findings`. `prefix` is where the study stands in it; the paths of its fields omit it."""
    _walk(root, "", prefix, findings, set())
    _modules(findings)
    for field in findings.fields:
        _judge(field.path, field.value, field.line or 1, findings)


def _walk(node: Node, path: str, prefix: str, findings: Findings, seen: set[str]) -> None:
    shown = path.removeprefix(prefix) if prefix else path
    if node.members:
        names: set[str] = set()
        for name, inner in node.members:
            name = _whole(name)
            if name in names:
                findings.notice("key-twice", inner.line, path=f"{shown}.{name}".lstrip("."))
            names.add(name)
            _walk(inner, f"{path}.{name}" if path else name, prefix, findings, seen)
    elif node.items and all(item.members is None and item.items is None for item in node.items):
        findings.add(shown, [_clean(item.scalar) for item in node.items], node.line)
    elif node.items:
        for place, item in enumerate(node.items):
            _walk(item, f"{path}[{place}]", prefix, findings, seen)
    else:
        empty: object = {} if node.members is not None else []
        scalar = node.members is None and node.items is None
        findings.add(shown, _clean(node.scalar) if scalar else empty, node.line)


def _clean(value: Scalar) -> Scalar:
    return _whole(value) if isinstance(value, str) else value


def _whole(text: str) -> str:
    """A text in normal form C without half characters, which a JSON escape can make and no file can hold."""
    return unicodedata.normalize("NFC", _HALF.sub("\ufffd", text))


def _modules(findings: Findings) -> None:
    """Count the fields of each module, in the order of the file; name the modules that the API does not describe."""
    found: dict[str, list[int]] = {}
    for field in findings.fields:
        parts = field.path.split(".")
        module = parts[0] if parts[0] == "hasResults" or len(parts) == 1 else ".".join(parts[:2])
        found.setdefault(module, []).append(field.line or 1)
    for module, lines in found.items():
        if module in MODULES:
            findings.understood.append(Understood(module, lines[0], len(lines)))
        else:
            findings.notice("unknown-module", lines[0], path=module, count=len(lines))


def _judge(path: str, value: object, line: int, findings: Findings) -> None:
    general = _PLACE.sub("[]", path)
    codes = CODES.get(general)
    if codes is not None:
        for code in value if isinstance(value, list) else [value]:
            if code not in codes:
                findings.notice("unknown-code", line, path=path, code=code)


def judge_shapes(record: Record, findings: Findings) -> None:
    """Report what stands at a known path and is of another kind than the registry describes; it is kept, not used."""
    for paths, kind in SHAPES:
        for path in paths:
            value = record.get(path)
            fits = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
            if value is not None and not fits:
                findings.notice("wrong-shape", record.line(path) or 1, path=path, text=value)

"""What of a record a definition has room for.

A definition is read, checked and digested whole, so its files are bounded (protocol/notation.py). A record with
results can be far larger. The rule that must stay true: nothing is thrown away; what is set aside stands, field by
field with its lines, in a file beside the definition, and the report says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from equipoise.protocol.study import RegistryField
from equipoise.standards.registry_report import Findings
from equipoise.standards.registry_vocabulary import LOCATIONS
from equipoise.words.problem import Problem, problem

MOST_FIELDS = 12_000
MOST_SIGNS = 1_500_000
"""Fields, and characters of text, of a record that stand in the definition itself: half of what its reader takes."""
MOST_ELEMENTS = 5_000
ASIDE_FILE = "registry-aside.jsonl"
_ASIDE = (
    "resultsSection",
    "documentSection",
    "annotationSection",
    "derivedSection.interventionBrowseModule",
    "derivedSection.conditionBrowseModule",
    LOCATIONS,
    "protocolSection.referencesModule",
)


def set_aside(findings: Findings) -> tuple[RegistryField, ...]:
    """Take out of `findings` what the definition has no room for, largest and least needed first, and return it."""
    aside: list[RegistryField] = []
    for part in _ASIDE:
        if _fits(findings.fields):
            break
        moved = [field for field in findings.fields if _within(field.path, part)]
        if moved:
            findings.fields = [field for field in findings.fields if not _within(field.path, part)]
            findings.notice("set-aside", moved[0].line or 1, path=part, count=len(moved), file=ASIDE_FILE)
            aside += moved
    return tuple(aside)


def too_much(fields: Sequence[RegistryField], made: Mapping[str, Any], name: str) -> Problem | None:
    """A problem where even so the definition would be larger than its reader takes; Any: notation."""
    if not _fits(fields):
        return problem("registry.too-much", name, reason=f"{len(fields)} fields")
    elements = sum(len(value) for value in made.values() if isinstance(value, list))
    if elements > MOST_ELEMENTS or _signs(made[key] for key in made if key != "registry") > MOST_SIGNS:
        return problem("registry.too-much", name, reason=f"{elements} elements")
    return None


def _within(path: str, part: str) -> bool:
    return path.startswith((part + ".", part + "["))


def _fits(fields: Sequence[RegistryField]) -> bool:
    return len(fields) <= MOST_FIELDS and _signs(field.value for field in fields) <= MOST_SIGNS


def _signs(values: Iterable[object]) -> int:
    """Characters of the texts in `values`, at any depth, and a few for each value that is no text."""
    total = 0
    for value in values:
        if isinstance(value, Mapping):
            total += _signs(value.values())
        elif isinstance(value, list | tuple):
            total += _signs(value)
        else:
            total += len(value) if isinstance(value, str) else 8
    return total

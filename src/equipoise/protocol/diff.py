"""What an amendment changes: two versions of a study compared, element by element.

The rule that must stay true: no difference, no change in the digest, and the other way round: whatever changes the
digest is named. Elements are matched by id, so that moving one is no change of its content; expressions are
compared by meaning (their trees), texts by language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from equipoise.protocol.digest import canonical_part
from equipoise.protocol.elements import Part, expression_fields
from equipoise.protocol.expressions.source import decimal_text
from equipoise.protocol.parts import name_of
from equipoise.protocol.rules import tree
from equipoise.protocol.study import Study
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, say
from equipoise.words.text import Language, Text

ChangeKind = Literal["added", "removed", "changed", "moved"]
Area = Literal[
    "captured", "eligibility", "allocation", "schedule", "consent", "analysis", "public", "dosing", "record"
]

_AREAS: Mapping[str, tuple[Area, ...]] = {
    "criteria": ("eligibility",),
    "inputs": ("eligibility", "captured"),
    "eligibility": ("eligibility",),
    "randomization": ("allocation",),
    "arms": ("allocation", "analysis"),
    "interventions": ("allocation", "public"),
    "design": ("allocation", "public"),
    "forms": ("captured",),
    "reference_ranges": ("captured",),
    "codelists": ("captured",),
    "schedule": ("schedule",),
    "consent": ("consent",),
    "objectives": ("analysis",),
    "endpoints": ("analysis",),
    "estimands": ("analysis",),
    "analysis_sets": ("analysis",),
    "supply": ("dosing",),
    "registry": ("public",),
    "title": ("public",),
    "official_title": ("public",),
    "plain_title": ("public",),
    "plain_summary": ("public",),
    "sponsor": ("public",),
}
"""Section of the notation -> what a change there touches; a section not named touches the record only."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `path` is in the reader's terms; `old` and `new` are text, None where there was or is nothing."""

    kind: ChangeKind
    path: str
    old: str | None
    new: str | None
    affects: tuple[Area, ...]

    def as_json(self) -> Json:
        """For a machine."""
        return {
            "kind": self.kind,
            "path": self.path,
            "old": self.old,
            "new": self.new,
            "affects": list(self.affects),
        }

    def say(self, language: Language = "en") -> str:
        """For a reader: what, where, from what to what, and what it touches."""
        touched = ("；" if language == "zh" else "; ").join(
            say(f"protocol.affects-{area}", language) for area in self.affects
        )
        arguments = {"path": self.path, "old": self.old or "–", "new": self.new or "–", "touched": touched}
        return say(f"protocol.change-{self.kind}", language, arguments)


def diff_studies(before: Study, after: Study) -> tuple[Change, ...]:
    """Every difference from `before` to `after`, in the order of the notation."""
    return tuple(_parts((), before, after))


def _change(kind: ChangeKind, path: tuple[str, ...], old: str | None, new: str | None) -> Change:
    return Change(kind, ".".join(path), old, new, _AREAS.get(path[0] if path else "", ("record",)))


def _parts(path: tuple[str, ...], old: Part, new: Part) -> Iterator[Change]:
    rules = expression_fields(type(new))
    for name in type(new).model_fields:
        yield from _field((*path, name), getattr(old, name), getattr(new, name), rule=name in rules)


def _field(path: tuple[str, ...], old: object, new: object, *, rule: bool) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, Part) and isinstance(new, Part):
        yield from _parts(path, old, new)
    elif isinstance(old, tuple) and isinstance(new, tuple):
        yield from _lists(path, old, new)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _mappings(path, old, new)
    elif isinstance(old, Text) and isinstance(new, Text):
        for language in ("en", "zh"):
            yield from _plain((*path, language), getattr(old, language), getattr(new, language))
    elif rule and isinstance(old, str) and isinstance(new, str):
        trees = tree(old), tree(new)
        if trees[0] != trees[1] or isinstance(trees[0], Problem):
            yield _change("changed", path, old, new)
    else:
        yield from _plain(path, old, new)


def _plain(path: tuple[str, ...], old: object, new: object) -> Iterator[Change]:
    if old == new:
        return
    kind: ChangeKind = "added" if old is None else "removed" if new is None else "changed"
    yield _change(kind, path, _spoken(old), _spoken(new))


def _mappings(
    path: tuple[str, ...], old: Mapping[str, object], new: Mapping[str, object]
) -> Iterator[Change]:
    for key in dict.fromkeys((*old, *new)):
        yield from _field((*path, key), old.get(key), new.get(key), rule=False)


def _lists(path: tuple[str, ...], old: Sequence[object], new: Sequence[object]) -> Iterator[Change]:
    earlier, later = _named(old), _named(new)
    if earlier is None or later is None:
        if _json(old) != _json(new):
            yield _change("changed", path, _spoken(old), _spoken(new))
        return
    for name in dict.fromkeys((*earlier, *later)):
        if name not in later:
            yield _change("removed", (*path, name), _spoken(earlier[name]), None)
        elif name not in earlier:
            yield _change("added", (*path, name), None, _spoken(later[name]))
        else:
            yield from _parts((*path, name), earlier[name], later[name])
    kept = [name for name in earlier if name in later]
    order = [name for name in later if name in earlier]
    if kept != order:
        yield _change("moved", path, ", ".join(kept), ", ".join(order))


def _named(parts: Sequence[object]) -> dict[str, Part] | None:
    """The parts by name; None where some have none, or share one."""
    found: dict[str, Part] = {}
    for part in parts:
        name = name_of(part) if isinstance(part, Part) else None
        if name is None or name in found or not isinstance(part, Part):
            return None
        found[name] = part
    return found


def _json(value: object) -> Json:
    match value:
        case Part():
            return canonical_part(value)
        case tuple() | list():
            return [_json(inner) for inner in value]
        case Mapping():
            return {str(key): _json(inner) for key, inner in value.items()}
        case Text():
            return dict(value.as_mapping())
        case Decimal():
            return decimal_text(value)
        case None | bool() | int() | str():
            return value
        case _:
            raise TypeError(f"{type(value).__name__} stands in no definition")


def _spoken(value: object) -> str | None:
    """A value in one line; a part by its label or content."""
    match value:
        case None:
            return None
        case Text():
            return value.en if value.zh is None else f"{value.en} / {value.zh}"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return decimal_text(value)
        case Part():
            return _label(value) or _listed(canonical_part(value))
        case tuple() | list():
            return ", ".join(_spoken(inner) or "–" for inner in value)
        case Mapping():
            return ", ".join(f"{key}: {_spoken(inner)}" for key, inner in value.items())
        case _:
            return str(value)


def _listed(json: Json) -> str:
    match json:
        case Mapping():
            return ", ".join(f"{key}: {_listed(inner)}" for key, inner in json.items())
        case list() | tuple():
            return ", ".join(_listed(inner) for inner in json)
        case _:
            return str(json)


def _label(part: Part) -> str | None:
    for name in ("label", "title", "text", "name"):
        value = getattr(part, name, None)
        if isinstance(value, Text):
            return _spoken(value)
    return None

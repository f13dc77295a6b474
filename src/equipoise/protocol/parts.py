"""Every part of a definition with its path: one walk for all who look at the whole of it."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.protocol.elements import Part
from equipoise.protocol.notation import Steps
from equipoise.protocol.study import Study
from equipoise.words.text import Text


def parts(study: Study) -> Iterator[tuple[Steps, Part]]:
    """The study and everything in it, each before what it holds, in the order of the notation."""
    yield from _parts((), study)


def _parts(path: Steps, part: Part) -> Iterator[tuple[Steps, Part]]:
    yield path, part
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, Part):
            yield from _parts((*path, name), value)
        elif isinstance(value, tuple):
            for position, inner in enumerate(value):
                if isinstance(inner, Part):
                    yield from _parts((*path, name, position), inner)


def texts(study: Study) -> Iterator[tuple[Steps, Text]]:
    """Every text that people read."""
    for path, part in parts(study):
        for name in type(part).model_fields:
            value = getattr(part, name)
            if isinstance(value, Text):
                yield (*path, name), value


def name_of(part: Part) -> str | None:
    """The id, name or code by which people speak of a part; None where it has none."""
    for field in ("id", "name", "code", "path"):
        value = getattr(part, field, None)
        if isinstance(value, str):
            return value
    return None


def spell(study: Study, path: Steps) -> str:
    """A path in the reader's terms: `forms.DM.items.SEX.label`."""
    words: list[str] = []
    value: object = study
    for step in path:
        if isinstance(step, int) and isinstance(value, tuple) and step < len(value):
            value = value[step]
            named = name_of(value) if isinstance(value, Part) else None
            words.append(named or str(step + 1))
        else:
            value = getattr(value, str(step), None)
            words.append(str(step))
    return ".".join(words)

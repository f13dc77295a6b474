"""Upcasts: how an old shape of an entry is read today.

The rule that must stay true: what stands in the ledger is never rewritten. A kind whose shape had to change
is followed by a new kind; the old one stays in the chain under its old name, and one function here says what
it means in today's shape. The table is literal: every shape that ever was can be read off this page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from equipoise.words.canonical import Json

JsonObject = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Shape:
    """An entry as it was written: the name of its kind, and the JSON of its parts (`aside` {} where none)."""

    kind: str
    main: JsonObject
    aside: JsonObject


Upcast = Callable[[Shape], Shape]
"""Old shape -> the shape of a later kind. Pure; never guesses a value that the old entry did not hold."""

UPCASTS: Mapping[str, Upcast] = {}
"""Old kind -> its upcast. Empty as long as no kind has changed its shape."""


def upcast(shape: Shape, table: Mapping[str, Upcast] = UPCASTS) -> Shape:
    """`shape` carried forward until no upcast names its kind. Raises ValueError where the table is a ring."""
    seen = {shape.kind}
    while (step := table.get(shape.kind)) is not None:
        shape = step(shape)
        if shape.kind in seen:
            raise ValueError(f"the upcasts of {shape.kind} run in a ring")
        seen.add(shape.kind)
    return shape

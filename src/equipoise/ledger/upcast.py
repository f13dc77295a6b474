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


def _form_recorded(old: Shape) -> Shape:
    """`FormRecorded` held the reason for a change and the explanations of missing codes in its main part."""
    main = dict(old.main)
    reason, items = main.pop("reason", ""), main.get("items")
    whys: JsonObject = {}
    if isinstance(items, dict):
        whys = {name: one["why"] for name, one in items.items() if isinstance(one, dict) and "why" in one}
        main["items"] = {name: _without_why(one) for name, one in items.items()}
    added: JsonObject = {name: value for name, value in (("reason", reason), ("whys", whys)) if value}
    return Shape("FormSaved", main, {**old.aside, **added})


def _without_why(datum: Json) -> Json:
    if not isinstance(datum, dict):
        return datum
    return {name: value for name, value in datum.items() if name != "why"}


def _query_raised(old: Shape) -> Shape:
    """`QueryRaised` with the rule `manual` held a person's words in its main part."""
    message = old.main.get("message")
    if old.main.get("rule") != "manual" or not isinstance(message, dict):
        return old
    main = {name: value for name, value in old.main.items() if name not in ("rule", "message")}
    return Shape("QueryAsked", main, {**old.aside, "text": message.get("en", "")})


def _consent_recorded(old: Shape) -> Shape:
    """`ConsentRecorded` held the relation, a person's word, in its main part, and neither time nor witness."""
    main: JsonObject = {"at": "", "explained_by": "", "copy_given": False}
    main |= {name: value for name, value in old.main.items() if name != "relation"}
    relation = old.main.get("relation")
    return Shape("ConsentDocumented", main, {**old.aside, **({"relation": relation} if relation else {})})


UPCASTS: Mapping[str, Upcast] = {
    "FormRecorded": _form_recorded,
    "QueryRaised": _query_raised,
    "ConsentRecorded": _consent_recorded,
}
"""Old kind -> its upcast. One whose shape is still written gives back what needs no change."""


def upcast(shape: Shape, table: Mapping[str, Upcast] = UPCASTS) -> Shape:
    """`shape` carried forward until no upcast changes it. Raises ValueError where the table is a ring."""
    seen = {shape.kind}
    while (step := table.get(shape.kind)) is not None:
        following = step(shape)
        if following is shape:
            return shape
        shape = following
        if shape.kind in seen:
            raise ValueError(f"the upcasts of {shape.kind} run in a ring")
        seen.add(shape.kind)
    return shape

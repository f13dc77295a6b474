"""The questions of a form: its own items, then the items of its scale, as one list.

The rule that must stay true: whoever shows, checks or completes a form asks this list, so that no item is known
to one of them and not to another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from equipoise.instruments import Scale, ScaleItem
from equipoise.protocol.assessments import scale_of
from equipoise.protocol.forms import Form, Item
from equipoise.words.codelists import MISSING
from equipoise.words.kept import Kept
from equipoise.words.text import Text


def named(form: Form | None, items: Iterable[str]) -> Text:
    """Items of a form by their labels, in a row; one that the form does not have by its code."""
    asked = {each.id: each.label for each in questions(form)} if form is not None else {}
    labels = [asked.get(item, Text(item)) for item in items]
    return Text(", ".join(one.en for one in labels), "、".join(one.say("zh") for one in labels))


@dataclass(frozen=True, slots=True)
class Question:
    """One question: an item of the form (`own`), or of its scale (`scored`); exactly one of both is given."""

    id: str
    label: Text
    own: Item | None = None
    scored: ScaleItem | None = None

    @property
    def required(self) -> bool:
        """Whether a complete form has an answer here (while it is visible and, in a scale, its gate is open)."""
        return (
            self.own.required
            if self.own is not None
            else self.scored is not None and not self.scored.optional
        )

    @property
    def revealing(self) -> bool:
        """Whether a value could tell the arm."""
        return self.own is not None and self.own.blinding == "revealing"

    @property
    def free_text(self) -> bool:
        """Whether the value stands in the part of an entry that can be withheld alone."""
        return self.own is not None and self.own.type == "text"

    @property
    def missing(self) -> tuple[str, ...]:
        """The codes offered instead of a value. On a scale: every reason, `UN` only where its item allows it."""
        if self.own is not None:
            return self.own.missing
        untestable = self.scored is not None and self.scored.untestable is not None
        return tuple(code for code in MISSING if code != "UN" or untestable)

    @property
    def explained(self) -> tuple[str, ...]:
        """The codes that need a reason beside them."""
        if self.own is not None:
            return tuple(code for code in self.own.missing if code == "UN")
        rule = self.scored.untestable if self.scored is not None else None
        return (rule.code,) if rule is not None and rule.explain else ()


def questions(form: Form) -> tuple[Question, ...]:
    """The questions of a form in their order."""
    return tuple(_asked(form).values())


def _asked(form: Form) -> Mapping[str, Question]:
    """The questions by id; kept, because one save asks for them many times."""
    return _ASKED(form)


def _every(form: Form) -> Mapping[str, Question]:
    used = scale_of(form)
    own = tuple(Question(item.id, item.label, own=item) for item in form.items)
    every = own + (_scored(used) if used is not None else ())
    return MappingProxyType({each.id: each for each in every})


_ASKED = Kept(_every, 2000)


def _scored(used: Scale) -> tuple[Question, ...]:
    return tuple(Question(item.id, item.label, scored=item) for item in used.items)


def question(form: Form, item_id: str) -> Question | None:
    """The question of that id, or None."""
    return _asked(form).get(item_id)

"""The rules of a form that its page evaluates while somebody types: trees, and the data that they need, as JSON.

The rules that must stay true: the page is given no rule that reads a value which could tell the arm, or a form that its
reader never sees, nor any value that no rule on it reads; a rule that asks for the form's scale stays with the server.
What the page works out is shown and never stored: the server decides every save by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from equipoise.capture.binding import bind, source_of
from equipoise.capture.consequences import Now, bind_dose
from equipoise.capture.evolve import Place, State
from equipoise.capture.quantified import measured
from equipoise.protocol.expressions import to_json
from equipoise.protocol.expressions.encoding import value_to_json
from equipoise.protocol.forms import Form, Item
from equipoise.protocol.rules import names_in, tree
from equipoise.protocol.scopes import SCORE, item_type
from equipoise.protocol.study import Input, Study
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, say
from equipoise.words.text import LANGUAGES, Text
from equipoise.words.units import UNITS, linear


def unit_table(codes: Collection[str] | None = None) -> dict[str, Json]:
    """Units as the browser's interpreter takes them: code -> dimension, factor, offset; fractions as two texts."""
    return {
        code: [
            unit.dimension,
            *([str(number.numerator), str(number.denominator)] for number in (unit.factor, unit.offset)),
        ]
        for code, unit in UNITS.items()
        if codes is None or code in codes
    }


def _nothing_covered(place: Place) -> bool:  # the same for every place
    return False


@dataclass(frozen=True, slots=True)
class Reader:
    """What the rules of one page may read: the form's own open items, and inputs of forms that its reader sees."""

    study: Study
    state: State
    form: Form
    hidden: Collection[str]
    covers: Callable[[Place], bool] = _nothing_covered

    def own(self, name: str) -> Item | None:
        """The form's item of that name, if a page may know it."""
        item = self.form.item(name)
        return item if item is not None and item.blinding == "open" else None

    def input(self, name: str) -> Input | None:
        """The study's input of that name, if a page of this reader may know it."""
        found = next((each for each in self.study.inputs if each.name == name), None)
        if found is None or found.origin.form is None:
            return found
        form = self.study.form(found.origin.form)
        if form is None or form.id in self.hidden:
            return None
        source = source_of(self.study, self.state, found)
        if source is not None and form.id != self.form.id and self.covers(source[0]):
            return None  # an earlier score that this reader may not see yet
        item = form.item(found.origin.item or "")
        if form.id == self.form.id and found.origin.item is None:
            return None  # the scale of this very form: the server counts it
        return None if item is not None and item.blinding == "revealing" else found

    def may(self, source: str) -> bool:
        """Whether a page may be given a rule."""
        return all(
            name != SCORE and (self.own(name) if self.form.item(name) else self.input(name)) is not None
            for name in names_in(source)
        )


def page_rules(
    study: Study,
    state: State,
    place: Place,
    now: Now,
    hidden: Collection[str],
    covers: Callable[[Place], bool] = _nothing_covered,
) -> Mapping[str, Json]:
    """Everything the page of a form needs to judge while typing.

    hidden: forms that its reader never sees; covers: whether what stands at a place is covered from the reader now.
    """
    form = study.form(place.form)
    if form is None:
        return {}
    reader = Reader(study, state, form, hidden, covers)
    visible = {each.id: each.visible_when for each in form.items if reader.own(each.id) and each.visible_when}
    shown = {name: source for name, source in visible.items() if reader.may(source)}
    checks = [
        check
        for check in form.checks
        if (not check.visits or place.visit in check.visits) and reader.may(check.holds)
    ]
    derived = [one for one in form.derivations if one.blinding == "open" and reader.may(one.rule)]
    sources = [*shown.values(), *(one.holds for one in checks), *(one.rule for one in derived)]
    used = frozenset().union(*map(names_in, sources)) if sources else frozenset()
    items = {each.id: _item(study, each) for each in form.items if reader.own(each.id)}
    trees = [_tree(source) for source in sources]
    return {
        "today": now.today.iso(),
        "six": study.entry.six_digit_dates,
        "units": {
            **unit_table(_units(trees) | {each.unit for each in form.items if each.unit}),
            **_written_units(form),
        },
        "items": dict(items),
        "inputs": _inputs(reader, state, place, now, used),
        "visible": {name: _tree(source) for name, source in shown.items()},
        "checks": [
            {
                "id": check.id,
                "holds": _tree(check.holds),
                "items": list(check.items),
                "says": _both(check.message),
                "refuses": check.severity == "refuse",
            }
            for check in checks
        ],
        "derived": {one.id: _tree(one.rule) for one in derived},
    }


def _tree(source: str) -> Json:
    node = tree(source)
    return {"name": "?"} if isinstance(node, Problem) else to_json(node)


def _both(text: Text) -> Json:
    return {language: text.say(language) for language in LANGUAGES}


def _item(study: Study, item: Item) -> Json:
    """Type and unit of an item, and what it says of a number that is unlikely or impossible."""
    kind = item_type(study, item)
    found: dict[str, Json] = {"kind": kind.kind, "type": item.type, "label": _both(item.label)}
    if item.past:
        found["past"] = True
    if kind.unit is not None:
        found["unit"] = kind.unit
    if item.type in {"integer", "decimal"}:
        found["digits"] = item.digits
        if measured(item):
            found["measured"] = True
        found["possible"] = _ends(item.minimum, item.maximum)
        if item.expected is not None:
            low, high = (f"{end:f}" for end in item.expected)
            words = {"low": low, "high": high, "unit": item.unit or ""}
            found["expected"] = [low, high]
            found["unlikely"] = {
                language: say(
                    "capture.unexpected-value", language, {**words, "item": item.label.say(language)}
                )
                for language in LANGUAGES
            }
    return found


def _written_units(form: Form) -> dict[str, Json]:
    """Each unit that an item may be written in, as a unit of a dimension that is this item's alone."""
    found: dict[str, Json] = {}
    for item in form.items:
        lines = {unit: linear(unit, item.unit or "", item.analyte) for unit in item.units}
        if lines and item.blinding == "open":
            found[f"{item.id} "] = [item.id, ["1", "1"], ["0", "1"]]
            for unit, line in lines.items():
                if line is not None:
                    ends = [[str(end.numerator), str(end.denominator)] for end in line]
                    found[f"{item.id} {unit}"] = [item.id, *ends]
    return found


def _ends(low: object, high: object) -> Json:
    return [None if end is None else f"{end:f}" for end in (low, high)]


def _units(trees: Collection[Json]) -> set[str]:
    """Every unit and text in some trees: a text may be the unit that `amount` asks for."""
    found: set[str] = set()
    waiting = list(trees)
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found |= {value for key in ("unit", "text") if isinstance(value := node.get(key), str)}
            parts = node.get("of")
            waiting += parts if isinstance(parts, list) else []
    return found


def _inputs(reader: Reader, state: State, place: Place, now: Now, used: Collection[str]) -> Json:
    """Name -> what it is worth without this form, and the item of this form that it follows, where it follows one."""
    names = [name for name in used if reader.form.item(name) is None]
    values = {
        **bind(reader.study, state, now.today, names, now.consent_on),
        **bind_dose(reader.study, now, place.visit, names),
    }
    elsewhere = replace(
        state,
        forms=MappingProxyType({where: each for where, each in state.forms.items() if where != place}),
    )
    found: dict[str, Json] = {}
    for name in sorted(names):
        each = reader.input(name)
        if each is None or name not in values:
            continue
        item = each.origin.item if each.origin.form == reader.form.id else None
        if item is None or not _follows(reader.study, elsewhere, place, each):
            found[name] = {"value": value_to_json(values[name])}
        else:
            beside = bind(reader.study, elsewhere, now.today, [name], now.consent_on)
            found[name] = {"value": value_to_json(beside[name]), "item": item, "as": each.type}
    return found


def _follows(study: Study, elsewhere: State, place: Place, each: Input) -> bool:
    """Whether an input would read this form if its item had a value here: no later form has one."""
    if each.origin.visit not in {None, place.visit}:
        return False
    order = {visit.id: position for position, visit in enumerate(study.schedule.visits)}
    here = (order.get(place.visit, -1), place.repeat)
    return all(
        (order.get(where.visit, -1), where.repeat) < here
        for where, saved in elsewhere.forms.items()
        if where.form == place.form
        and each.origin.visit in {None, where.visit}
        and (each.origin.item or "") in saved.values
    )

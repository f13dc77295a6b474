"""What the names of a rule stand for: the types of a study's inputs, of a form's items, of its scale.

The rule that must stay true: these are the types of the values that rules are later evaluated with. An item
brings its unit, an input the unit of the item it comes from, a coded item its codelist.
"""

from __future__ import annotations

from equipoise.instruments import Scale, scale
from equipoise.protocol.assessments import scale_of
from equipoise.protocol.expressions import DATE, NUMBER, TEXT, TRUTH, Type, Types
from equipoise.protocol.forms import INDICATED, INDICATORS, Form, Item
from equipoise.protocol.study import Input, Study

SCORE = "score"
"""The name under which the rules of a form speak of its scale."""


def input_types(study: Study) -> Types:
    """Name -> type of every input: what criteria and strata may use."""
    return {each.name: input_type(study, each) for each in study.inputs}


def form_types(study: Study, form: Form) -> Types:
    """Name -> type of what the rules of a form may use: the inputs, the form's items, `score`."""
    own = {item.id: item_type(study, item) for item in form.items}
    own |= {item.id + INDICATED: Type("code", codes=frozenset(INDICATORS)) for item in form.tests()}
    used = form_scale(form)
    scored = {SCORE: _scale_type(used)} if used is not None else {}
    return {**input_types(study), **own, **scored}


def item_type(study: Study, item: Item) -> Type:
    """The type of an item's value. A time is a text: it is compared for equality only."""
    match item.type:
        case "integer" | "decimal":
            return Type("number", item.unit)
        case "date":
            return DATE
        case "truth":
            return TRUTH
        case "code":
            return Type("code", codes=_codes(study, item.codelist))
        case "text" | "time":
            return TEXT


def input_type(study: Study, each: Input) -> Type:
    """The type of an input, with the unit or codelist of the item that it comes from."""
    item = origin_item(study, each)
    match each.type:
        case "number":
            measured = item is not None and item.type in {"integer", "decimal"}
            return Type("number", item.unit) if measured and item is not None else NUMBER
        case "date":
            return DATE
        case "truth":
            return TRUTH
        case "code":
            return Type("code", codes=_codes(study, each.codelist or (item.codelist if item else None)))
        case "instrument":
            return _scale_type(input_scale(study, each))


def origin_item(study: Study, each: Input) -> Item | None:
    """The form's own item that an input comes from, or None."""
    form = study.form(each.origin.form) if each.origin.form is not None else None
    return form.item(each.origin.item) if form is not None and each.origin.item is not None else None


def input_scale(study: Study, each: Input) -> Scale | None:
    """The scale of an input of type instrument: the one it names, or that of the form it comes from."""
    form = study.form(each.origin.form) if each.origin.form is not None else None
    if form is not None and form.instrument is not None:
        return form_scale(form)
    return scale(each.instrument) if each.instrument is not None else None


def form_scale(form: Form) -> Scale | None:
    """The scale on a form limited to its parts; None where the form has none, or names a scale or part unheard of."""
    found = scale(form.instrument) if form.instrument is not None else None
    if found is None or not set(form.parts) <= {total.testcd for total in found.totals}:
        return None
    return scale_of(form)


def _scale_type(used: Scale | None) -> Type:
    if used is None:
        return Type("instrument")
    parts = frozenset(total.testcd for total in (*used.totals, *used.derived))
    return Type("instrument", items=frozenset(item.id for item in used.items), parts=parts)


def _codes(study: Study, codelist: str | None) -> frozenset[str] | None:
    found = study.codelist(codelist) if codelist is not None else None
    return None if found is None else frozenset(term.code for term in found.terms)

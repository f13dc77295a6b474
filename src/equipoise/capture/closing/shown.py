"""A form as it is shown to who signs it, in one canonical rendering, and the digest of that.

The rule that must stay true: everything that the page of a signature shows of a form's content stands here and nothing
else: the labels as they are now, in every language, the values with their decodes, the reasons for missing ones,
derived values, the visit's date, and every query with what was said. So the digest says what the signer saw.
Source: 21 CFR 11.50 and 11.70.
"""

from __future__ import annotations

from equipoise.capture.evolve import Place, Query, State
from equipoise.capture.questions import Question, questions
from equipoise.ledger.entries import Datum
from equipoise.protocol.assessments import scale_of
from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study
from equipoise.words.canonical import Json, digest
from equipoise.words.codelists import MISSING
from equipoise.words.kept import Kept
from equipoise.words.text import Text

REVEALING = "behind the second door"
"""What stands in place of a value that this door never holds: the same for everybody."""
_YES_NO = {"Y": Text("Yes", "是"), "N": Text("No", "否")}


def shown_form(study: Study, state: State, place: Place) -> Json:
    """The form as shown. Pure: the same study and state, the same rendering."""
    form, visit = study.form(place.form), study.visit(place.visit)
    instance = state.form(place)
    occurrence = place.repeat if visit is not None and visit.unscheduled else 1
    dated = state.dates.get((place.visit, occurrence))
    return {
        "visit": [place.visit, _words(visit.label) if visit is not None else None],
        "form": [place.form, _words(form.label) if form is not None else None],
        "repeat": place.repeat,
        "dated": dated.on if dated is not None else None,
        "complete": instance.complete,
        **({"omitted": instance.omitted.missing} if instance.omitted is not None else {}),
        "items": [
            [
                each.id,
                _words(each.label),
                REVEALING if each.revealing else _datum(study, each, instance.values.get(each.id)),
            ]
            for each in (questions(form) if form is not None else ())
        ],
        "derived": [
            [name, _words(labels.get(name, Text(name))), datum.value]
            for labels in (_totals(form),)
            for name, datum in sorted(instance.derived.items())
        ],
        "queries": [_query(one) for one in state.queries_at(place)],
    }


def _totals(form: Form | None) -> dict[str, Text]:
    """The labels of what is derived on a form: totals of its scale, and derivations of its own."""
    if form is None:
        return {}
    used = scale_of(form)
    totals = {total.testcd: total.label for total in used.totals} if used is not None else {}
    return {**totals, **{each.id: each.label for each in form.derivations}}


def _none_yet(state: State) -> dict[tuple[int, Place], tuple[Study, str]]:
    return {}


_SHOWN = Kept(_none_yet, 4)
"""The digests of the states that were asked about last: what a page showed, its signature asks for again."""


def shown_digest(study: Study, state: State, place: Place) -> str:
    """SHA-256 (hex) of the form as shown: what a signature is bound to."""
    known = _SHOWN(state)
    found = known.get((id(study), place))
    if found is None or found[0] is not study:
        found = known[id(study), place] = study, digest(shown_form(study, state, place))
    return found[1]


def decoded(study: Study, asked: Question, value: str) -> Text | None:
    """What a coded answer means; None for one that is not coded."""
    if asked.scored is not None:
        return next((one.label for one in asked.scored.options if str(one.score) == value), None)
    if asked.own is None:
        return None
    if asked.own.type == "truth":
        return _YES_NO.get(value)
    codelist = study.codelist(asked.own.codelist or "")
    return (
        next((one.decode for one in codelist.terms if one.code == value), None)
        if codelist is not None
        else None
    )


def _datum(study: Study, asked: Question, datum: Datum | None) -> Json:
    if datum is None:
        return None
    if datum.missing is not None:
        return {
            "missing": datum.missing,
            "means": _words(MISSING.get(datum.missing, Text(datum.missing))),
            "why": datum.why,
        }
    unit = asked.own.unit if asked.own is not None else None
    means = decoded(study, asked, datum.value or "")
    return {"value": datum.value, "unit": unit, "means": _words(means) if means is not None else None}


def _query(one: Query) -> Json:
    said: list[Json] = [[each.act, each.by, each.at, each.text] for each in one.thread]
    return {
        "item": one.item,
        "asked": dict(one.message),
        "at": one.raised_at,
        "state": one.state,
        "said": said,
    }


def _words(label: Text) -> Json:
    return dict(label.as_mapping())

"""Rules: every expression can be read and fits the names it uses. That none tells an arm is checked in `taint`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from equipoise.protocol.checks.finding import Finding, Findings, fault
from equipoise.protocol.expressions import Type, Types, check, type_of
from equipoise.protocol.forms import Form
from equipoise.protocol.notation import Steps
from equipoise.protocol.rules import names_in, tree
from equipoise.protocol.scopes import form_scale, form_types, input_types, origin_item
from equipoise.protocol.study import Input, Study
from equipoise.words.problem import Problem

_CONSENT_TYPES = {"date": "date"}
_ITEM_TYPES = {
    "number": {"integer", "decimal", "code"},
    "date": {"date"},
    "truth": {"truth", "code"},
    "code": {"code", "text", "time"},
    "instrument": set[str](),
}
_RATER = "rater"
"""Who never sees what happens around a dose."""


def rules_hold(study: Study) -> Findings:
    """All rules of this module."""
    inputs = input_types(study)
    for n, criterion in enumerate(study.criteria):
        if criterion.rule is not None:
            yield from _expression(("criteria", n, "rule"), criterion.rule, inputs, "truth")
    factors = study.randomization.factors if study.randomization is not None else ()
    for n, factor in enumerate(factors):
        for k, level in enumerate(factor.levels):
            path: Steps = ("randomization", "factors", n, "levels", k, "rule")
            yield from _expression(path, level.rule, inputs, "truth")
    for n, condition in enumerate(study.supply.gate):
        yield from _expression(("supply", "gate", n, "rule"), condition.rule, inputs, "truth")
    for n, form in enumerate(study.forms):
        if form.instrument is None or form_scale(form) is not None:
            yield from _form(("forms", n), study, form)
    for n, each in enumerate(study.inputs):
        yield from _input(("inputs", n), study, each)


def _expression(path: Steps, source: str, types: Types, wanted: str | None) -> Findings:
    """Faults of one expression; `wanted` is the type that it has to give, None for any but an instrument."""
    node = tree(source)
    if isinstance(node, Problem):
        yield Finding(path, node)
        return
    found = check(node, types)
    yield from (Finding(path, each) for each in found)
    given = type_of(node, types)
    if found or given is None:
        return
    if (wanted is not None and given.kind != wanted) or given.kind == "instrument":
        yield fault("protocol.study-rule-type", path, wanted=wanted or "number", found=given.kind)


def _form(path: Steps, study: Study, form: Form) -> Findings:
    types = form_types(study, form)
    doses = {each.name for each in study.inputs if each.origin.dose is not None}
    for place, source, wanted in _form_rules(path, form):
        yield from _expression(place, source, types, wanted)
        if _RATER not in form.hidden_from and doses & names_in(source):
            yield fault("protocol.study-dose-shown-to-rater", place, form=form.id)
    for n, derivation in enumerate(form.derivations):
        yield from _derived_unit((*path, "derivations", n), derivation.rule, derivation.unit, types)


def _form_rules(path: Steps, form: Form) -> Iterator[tuple[Steps, str, str | None]]:
    """Place, source and wanted type of each rule."""
    for n, item in enumerate(form.items):
        if item.visible_when is not None:
            yield (*path, "items", n, "visible_when"), item.visible_when, "truth"
    if form.deadline is not None:
        yield (*path, "deadline", "when"), form.deadline.when, "truth"
    if form.log is not None and form.log.ongoing is not None:
        yield (*path, "log", "ongoing"), form.log.ongoing, "truth"
    for n, each in enumerate(form.checks):
        yield (*path, "checks", n, "holds"), each.holds, "truth"
    for n, derivation in enumerate(form.derivations):
        yield (*path, "derivations", n, "rule"), derivation.rule, None


def _derived_unit(path: Steps, source: str, unit: str | None, types: Types) -> Findings:
    """A derived number has the unit it is said to have: the rule's own, or a bare number that is given one."""
    node = tree(source)
    given: Type | None = None if isinstance(node, Problem) or check(node, types) else type_of(node, types)
    if given is not None and given.unit is not None and given.unit != unit:
        yield fault("protocol.study-derived-unit", (*path, "unit"), wanted=unit or "–", found=given.unit)


def _input(path: Steps, study: Study, each: Input) -> Findings:
    """An input comes from something of its own type."""
    origin = each.origin
    item = origin_item(study, each)
    if item is not None:
        if item.type not in _ITEM_TYPES[each.type]:
            yield fault("protocol.study-input-type", (*path, "origin"), type=each.type, found=item.type)
    elif origin.consent is not None:
        kind = _CONSENT_TYPES.get(origin.consent, "truth")
        if each.type != kind:
            yield fault("protocol.study-input-type", (*path, "origin"), type=each.type, found=kind)
    elif origin.clock is not None and each.type != "date":
        yield fault("protocol.study-input-type", (*path, "origin"), type=each.type, found="date")
    elif origin.dose is not None and each.type != "number":
        yield fault("protocol.study-input-type", (*path, "origin"), type=each.type, found="number")
    form = study.form(origin.form) if origin.form is not None else None
    if form is not None and each.type == "instrument" and form.instrument is None:
        yield fault("protocol.study-input-scale", (*path, "origin"), form=form.id)
    if form is not None and origin.item is None and each.type != "instrument":
        yield fault("protocol.study-input-item", (*path, "origin"), form=form.id)


def located(finding: Finding, where: str) -> Finding:
    """The finding with its place in the reader's terms."""
    return replace(finding, problem=replace(finding.problem, where=where))

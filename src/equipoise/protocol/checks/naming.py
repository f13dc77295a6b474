"""Names: each stands once among its kind, and whatever is referred to exists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from equipoise.instruments import scale
from equipoise.protocol.checks.finding import Findings, fault
from equipoise.protocol.elements import Element, Part
from equipoise.protocol.expressions.check import nearest
from equipoise.protocol.forms import LOG, Form
from equipoise.protocol.notation import Steps
from equipoise.protocol.parts import name_of, parts
from equipoise.protocol.scopes import SCORE, form_scale
from equipoise.protocol.study import Input, RegistryField, Statement, Study

RESERVED = frozenset({"INCL", "EXCL"})
"""What screening calls all inclusion and all exclusion criteria together."""
_REPEATABLE = frozenset({"fields", "statements", "not_understood", "intercurrent_events", "participants"})
"""Lists whose elements are not known by a name of their own."""


def names_stand_once(study: Study) -> Findings:
    """No two elements of one list bear the same id, name or code."""
    for path, part in parts(study):
        for field in type(part).model_fields:
            value = getattr(part, field)
            if field not in _REPEATABLE and isinstance(value, tuple):
                yield from _once((*path, field), value)
    for position, criterion in enumerate(study.criteria):
        if criterion.id in RESERVED:
            yield fault("protocol.study-name-reserved", ("criteria", position, "id"), name=criterion.id)
    for position, visit in enumerate(study.schedule.visits):
        if visit.id == LOG:
            yield fault(
                "protocol.study-visit-reserved", ("schedule", "visits", position, "id"), name=visit.id
            )
    yield from _inputs_once(study)
    for position, form in enumerate(study.forms):
        yield from _items_once(("forms", position), study, form)


def _once(path: Steps, elements: Sequence[object]) -> Findings:
    seen: set[str] = set()
    for position, element in enumerate(elements):
        name = (
            name_of(element) if isinstance(element, Part) else element if isinstance(element, str) else None
        )
        if name is not None and name in seen:
            yield fault("protocol.study-twice", (*path, position), name=name, kind=path[-1])
        if name is not None:
            seen.add(name)


def _inputs_once(study: Study) -> Findings:
    """Inputs, their aliases and the criteria share one space of names: a screening case may use any of them."""
    seen = {criterion.id for criterion in study.criteria}
    for position, each in enumerate(study.inputs):
        for name in (each.name, *each.alias):
            if name in seen:
                yield fault("protocol.study-input-name", ("inputs", position), name=name)
            seen.add(name)


def _items_once(path: Steps, study: Study, form: Form) -> Findings:
    """Items, derived values, items of the scale and inputs share the names that a form's rules use."""
    used = form_scale(form)
    taken = {item.id for item in used.items} | {SCORE} if used is not None else set()
    inputs = {each.name for each in study.inputs}
    for position, item in enumerate(form.items):
        if item.id in taken or item.id in inputs:
            yield fault("protocol.study-item-name", (*path, "items", position), name=item.id)
    own = {item.id for item in form.items}
    totals = {total.testcd for total in used.totals} if used is not None else set()
    for position, derivation in enumerate(form.derivations):
        if derivation.id in own | taken | totals:
            yield fault("protocol.study-item-name", (*path, "derivations", position), name=derivation.id)


def references_exist(study: Study) -> Findings:
    """Every id that names another element finds it."""
    forms = frozenset(form.id for form in study.forms)
    visits = frozenset(visit.id for visit in study.schedule.visits)
    endpoints = frozenset(endpoint.id for endpoint in study.endpoints)
    epochs = frozenset(epoch.id for epoch in study.schedule.epochs)
    yield from _sources(study)
    for n, arm in enumerate(study.arms):
        known = frozenset(each.id for each in study.interventions)
        yield from _exist(("arms", n, "interventions"), arm.interventions, known, "interventions")
    for n, objective in enumerate(study.objectives):
        yield from _exist(("objectives", n, "endpoints"), objective.endpoints, endpoints, "endpoints")
    for n, endpoint in enumerate(study.endpoints):
        yield from _exists(("endpoints", n, "form"), endpoint.form, forms, "forms")
        yield from _exists(("endpoints", n, "visit"), endpoint.visit, visits, "visits")
        form = study.form(endpoint.form) if endpoint.form is not None else None
        if form is not None:
            yield from _exists(("endpoints", n, "variable"), endpoint.variable, _variables(form), "variables")
    for n, estimand in enumerate(study.estimands):
        yield from _exists(("estimands", n, "endpoint"), estimand.endpoint, endpoints, "endpoints")
    for n, visit in enumerate(study.schedule.visits):
        yield from _exists(("schedule", "visits", n, "epoch"), visit.epoch, epochs, "epochs")
    for n, activity in enumerate(study.schedule.activities):
        path: Steps = ("schedule", "activities", n)
        yield from _exist((*path, "forms"), activity.forms, forms, "forms")
        yield from _exist((*path, "visits"), activity.visits, visits, "visits")
    for n, each in enumerate(study.inputs):
        yield from _input(("inputs", n), study, each, forms, visits)
    yield from _exist(("verification", "critical_forms"), study.verification.critical_forms, forms, "forms")
    yield from _supply(study, visits)
    yield from _end(study, forms)
    for n, rule in enumerate(study.deviations):
        yield from _exist(("deviations", n, "visits"), rule.visits, visits, "visits")
        yield from _exist(("deviations", n, "except_forms"), rule.except_forms, forms, "forms")
    instruments = frozenset(each.name for each in study.inputs if each.type == "instrument")
    yield from _exists(("eligibility", "total_of"), study.eligibility.total_of, instruments, "inputs")
    for n, form in enumerate(study.forms):
        yield from _form(("forms", n), study, form, visits)


def _end(study: Study, forms: frozenset[str]) -> Findings:
    """Where the end of participation and the day of birth are captured."""
    dates = frozenset(each.name for each in study.inputs if each.type == "date")
    yield from _exists(("schedule", "born"), study.schedule.born, dates, "inputs")
    end = study.schedule.end
    if end is not None:
        yield from _exists(("schedule", "end", "form"), end.form, forms, "forms")
        form = study.form(end.form)
        if form is not None:
            yield from _exists(("schedule", "end", "how"), end.how, _items(form), "items")
            yield from _exists(("schedule", "end", "on"), end.on, _items(form), "items")


def _supply(study: Study, visits: frozenset[str]) -> Findings:
    arms = frozenset(arm.id for arm in study.arms)
    doses = frozenset(dose.id for dose in study.supply.doses)
    for n, dose in enumerate(study.supply.doses):
        yield from _exists(("supply", "doses", n, "visit"), dose.visit, visits, "visits")
    for n, product in enumerate(study.supply.products):
        yield from _exists(("supply", "products", n, "arm"), product.arm, arms, "arms")
    for n, condition in enumerate(study.supply.gate):
        yield from _exist(("supply", "gate", n, "doses"), condition.doses, doses, "doses")


def _sources(study: Study) -> Findings:
    known = frozenset(study.sources)
    for path, part in parts(study):
        source = part.source if isinstance(part, Element | RegistryField | Statement) else None
        yield from _exists((*path, "source"), source, known, "sources")


def _input(path: Steps, study: Study, each: Input, forms: frozenset[str], visits: frozenset[str]) -> Findings:
    codelists = frozenset(codelist.id for codelist in study.codelists)
    yield from _exists((*path, "codelist"), each.codelist, codelists, "codelists")
    yield from _exists((*path, "origin", "form"), each.origin.form, forms, "forms")
    yield from _exists((*path, "origin", "visit"), each.origin.visit, visits, "visits")
    if each.instrument is not None and scale(each.instrument) is None:
        yield fault("protocol.study-instrument", (*path, "instrument"), name=each.instrument)
    form = study.form(each.origin.form) if each.origin.form is not None else None
    if form is not None:
        yield from _exists((*path, "origin", "item"), each.origin.item, _items(form), "items")


def _form(path: Steps, study: Study, form: Form, visits: frozenset[str]) -> Findings:
    codelists = frozenset(codelist.id for codelist in study.codelists)
    for n, item in enumerate(form.items):
        yield from _exists((*path, "items", n, "codelist"), item.codelist, codelists, "codelists")
    found = scale(form.instrument) if form.instrument is not None else None
    if form.instrument is not None and found is None:
        yield fault("protocol.study-instrument", (*path, "instrument"), name=form.instrument)
    totals = frozenset(total.testcd for total in found.totals) if found is not None else frozenset()
    if found is not None or form.instrument is None:
        yield from _exist((*path, "parts"), form.parts, totals, "totals")
    if form.log is not None:
        own = frozenset(item.id for item in form.items)
        yield from _exist((*path, "log", "columns"), form.log.columns, own, "items")
        yield from _exist((*path, "log", "sort"), form.log.sort, own, "items")
    if form.deadline is not None:
        own = frozenset(item.id for item in form.items)
        for name in ("day", "time", "met"):
            yield from _exists((*path, "deadline", name), getattr(form.deadline, name), own, "items")
    yield from _exists((*path, "grid"), form.grid, frozenset(item.id for item in form.items), "items")
    if form_scale(form) is not None or form.instrument is None:
        known = _items(form)
        for n, check in enumerate(form.checks):
            yield from _exist((*path, "checks", n, "items"), check.items, known, "items")
    for n, check in enumerate(form.checks):
        yield from _exist((*path, "checks", n, "visits"), check.visits, visits, "visits")


def _items(form: Form) -> frozenset[str]:
    used = form_scale(form)
    scored = {item.id for item in used.items} if used is not None else set()
    return frozenset({item.id for item in form.items} | scored)


def _variables(form: Form) -> frozenset[str]:
    used = form_scale(form)
    totals = {total.testcd for total in (*used.totals, *used.derived)} if used is not None else set()
    return _items(form) | {derivation.id for derivation in form.derivations} | totals


def _exist(path: Steps, names: Iterable[str], known: frozenset[str], kind: str) -> Findings:
    for position, name in enumerate(names):
        yield from _exists((*path, position), name, known, kind)


def _exists(path: Steps, name: str | None, known: frozenset[str], kind: str) -> Findings:
    if name is None or name in known:
        return
    like = nearest(name, known)
    yield fault(
        "protocol.study-reference-like" if like else "protocol.study-reference",
        path,
        name=name,
        kind=kind,
        like=like,
    )

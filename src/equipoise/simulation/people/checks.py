"""Whether a model that was read fits itself and its study: names, visits, forms, items, codes, totals.

The rule that must stay true: a draw asks only for names that stand before it, and answers only what the study's forms
ask; so nothing of a model fails while somebody is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from equipoise.capture.questions import Question, questions
from equipoise.protocol.assessments import scale_of
from equipoise.protocol.forms import Form
from equipoise.protocol.notation import Steps
from equipoise.protocol.study import Study
from equipoise.simulation.people.definition import (
    CLOCK_NAMES,
    COURSE_NAMES,
    Carried,
    FormModel,
    PeopleModel,
    Variable,
)
from equipoise.simulation.people.draws import Draw, Reading

BASE = "base_"
"""Before the name of a variable of a moment: its value at the last visit before treatment."""
ROW_NAMES = frozenset({"row", "start", "end", "ongoing", "known"})
"""What items of a row may ask: which row it is, the days of its begin, end and becoming known, whether it goes on."""
ENDED_NAMES = frozenset({"outcome", "ended", "given"})
"""What any form may ask: how participation ended by that day (a word, empty while it goes on), the day of it, and the
share
(%) of the dose of that visit that is given."""


def check_names(model: PeopleModel, reading: Reading) -> None:
    """Every name in every draw and formula, in the order in which they are drawn."""
    scenario = _words(model.scenarios)
    known = set(scenario) | {"site"}
    known = _in_order(model.person, "person", known, reading)
    moment = known | CLOCK_NAMES | _words(model.arms)
    for name, draw in model.course.items():
        _asked(draw.names, known | {"visit", "dose"} | set(COURSE_NAMES), ("course", name), reading)
    moment |= set(COURSE_NAMES)
    bases = {BASE + variable.name for variable in model.state}
    marks = set(model.events.marks) if model.events is not None else set()
    after = _in_order(model.state, "state", moment | bases | marks, reading)
    _asked(model.screening.eligible.names, after, ("screening", "eligible"), reading)
    for position, failure in enumerate(model.screening.failures):
        path: Steps = ("screening", "failures", position)
        people = {variable.name for variable in model.person}
        for name, draw in failure.set.items():
            _asked({name} | draw.names, people | scenario, (*path, "set", name), reading)
        if failure.accept is not None:
            _asked(failure.accept.names, after, (*path, "accept"), reading)
    _lists(model, after, reading)
    events = set(model.events.names) | ROW_NAMES if model.events is not None else set()
    for position, target in enumerate(model.targets):
        if target.measured == "events":
            _asked(target.of.names, after | events, ("targets", position), reading)
            continue
        names = target.of.names | (target.with_.names if target.with_ is not None else frozenset())
        _asked(names, after, ("targets", position), reading)


def _lists(model: PeopleModel, known: set[str], reading: Reading) -> None:
    everywhere = known | ENDED_NAMES
    for form, answered in model.forms.items():
        own = everywhere | set(answered.items) | {"row"}
        for item, draw in answered.items.items():
            _asked(draw.names, own, ("forms", form, "items", item), reading)
        for shared in answered.shared:
            _asked(shared.draw.names, own, ("forms", form, "totals", shared.total), reading)
    for form, rows in model.logs.items():
        for position, row in enumerate(rows):
            own = everywhere | set(row.names) | ROW_NAMES
            path: Steps = ("logs", form, "rows", position)
            if row.when is not None:
                _asked(row.when.names, everywhere, (*path, "when"), reading)
            for item, draw in {**row.names, **row.items}.items():
                _asked(draw.names, own, (*path, item), reading)
    for form, diary in model.diary.items():
        for item, draw in {"made": diary.made, "reporter": diary.reporter, **diary.items}.items():
            _asked(draw.names, everywhere | set(diary.items), ("diary", form, item), reading)
    if model.events is not None:
        for position, event in enumerate(model.events.rows):
            own = everywhere | set(model.events.names) | set(event.names) | ROW_NAMES
            path = ("events", "rows", position)
            for item, draw in {**model.events.names, **event.names, **model.events.items}.items():
                _asked(draw.names, own, (*path, item), reading)
            _asked(event.rate.names, everywhere, (*path, "rate"), reading)
        own = everywhere | ROW_NAMES | set(model.events.names)
        for mark, formula in model.events.marks.items():
            _asked(formula.names, own, ("events", "marks", mark), reading)


def _words(named: Mapping[str, Mapping[str, float]]) -> set[str]:
    return {word for values in named.values() for word in values}


def _in_order(variables: Iterable[Variable], key: str, known: set[str], reading: Reading) -> set[str]:
    so_far = set(known)
    for position, variable in enumerate(variables):
        if not isinstance(variable.draw, Carried):
            _asked(variable.draw.names, so_far, (key, position, "draw"), reading)
        so_far.add(variable.name)
    return so_far


def _asked(names: Iterable[str], known: Iterable[str], path: Steps, reading: Reading) -> None:
    for name in sorted(set(names) - set(known)):
        reading.fault(path, "virtual.name-unknown", name=name)


def check_forms(model: PeopleModel, study: Study, reading: Reading) -> None:
    """Forms, items, codes and totals against the study."""
    for form_id, answered in model.forms.items():
        form = _form(study, form_id, ("forms", form_id), reading)
        if form is not None:
            _items(study, form, answered.items, ("forms", form_id, "items"), reading)
            _totals(form, answered, ("forms", form_id, "totals"), reading)
            if answered.rows is not None and form.item(answered.rows) is None:
                reading.fault(
                    ("forms", form_id, "rows"), "virtual.item-unknown", item=answered.rows, form=form_id
                )
    for form_id, rows in model.logs.items():
        form = _form(study, form_id, ("logs", form_id), reading)
        for position, row in enumerate(rows if form is not None else ()):
            if form is not None:
                _items(study, form, row.items, ("logs", form_id, "rows", position, "items"), reading)
    if model.events is not None:
        form = _form(study, model.events.form, ("events", "form"), reading)
        if form is not None:
            _items(study, form, model.events.items, ("events", "items"), reading)
    _diary(model, study, reading)
    visits = {visit.id for visit in study.schedule.visits}
    asked = [
        *(("screening", visit) for visit in model.screening.visits),
        *(
            ("state", visit)
            for each in model.state
            if isinstance(each.draw, Carried)
            for visit in each.draw.visits
        ),
        *(("targets", visit) for each in model.targets for visit in (each.at, each.since or each.at)),
    ]
    for section, visit in asked:
        if visit not in visits:
            reading.fault((section,), "virtual.visit-unknown", visit=visit, known=", ".join(sorted(visits)))


def _diary(model: PeopleModel, study: Study, reading: Reading) -> None:
    """Forms, items and options of the diary, and the events that begin an entry."""
    rows = model.events.rows if model.events is not None else ()
    for form_id, answered in model.diary.items():
        form = study.diary.form(form_id)
        if form is None:
            reading.fault(("diary", form_id), "virtual.form-unknown", form=form_id)
            continue
        asked = {item.id: item for item in study.diary.items(form)}
        for name, draw in answered.items.items():
            item = asked.get(name)
            if item is None and not name.startswith("_"):
                reading.fault(
                    ("diary", form_id, "items", name), "virtual.item-unknown", item=name, form=form_id
                )
            known = {option.id for option in item.options} if item is not None else set()
            said = {word for code in draw.codes for word in code.split(" ")} if known else set()
            for code in sorted(said - known):
                path: Steps = ("diary", form_id, "items", name)
                reading.fault(
                    path, "virtual.code-unknown", code=code, item=name, known=", ".join(sorted(known))
                )
        for event in sorted(set(answered.after) - {row.id for row in rows}):
            reading.fault(("diary", form_id, "after"), "virtual.name-unknown", name=event)


def _form(study: Study, form_id: str, path: Steps, reading: Reading) -> Form | None:
    form = study.form(form_id)
    if form is None:
        reading.fault(path, "virtual.form-unknown", form=form_id)
    return form


def _items(study: Study, form: Form, items: Mapping[str, Draw], path: Steps, reading: Reading) -> None:
    asked = {each.id: each for each in questions(form)}
    for item, draw in items.items():
        if item.startswith("_"):  # a step of the form's own, which no question asks for
            continue
        found = asked.get(item)
        if found is None:
            reading.fault((*path, item), "virtual.item-unknown", item=item, form=form.id)
        else:
            _codes(study, found, draw, (*path, item), reading)


def _codes(study: Study, asked: Question, draw: Draw, path: Steps, reading: Reading) -> None:
    own = asked.own
    if own is None or own.type != "code":
        return
    codelist = study.codelist(own.codelist or "")
    known = {term.code for term in codelist.terms} if codelist is not None else set()
    for code in sorted(draw.codes - known):
        reading.fault(path, "virtual.code-unknown", code=code, item=asked.id, known=", ".join(sorted(known)))


def _totals(form: Form, answered: FormModel, path: Steps, reading: Reading) -> None:
    used = scale_of(form)
    for shared in answered.shared:
        if used is None or used.total(shared.total) is None:
            reading.fault((*path, shared.total), "virtual.total-unknown", total=shared.total, form=form.id)

"""From `people.yaml` beside a study to a model of its people, or every fault in it with its place.

The rules that must stay true: what cannot be (a negative spread, a rate over 1, an unknown form, item, code, visit,
arm or name) is found here and named with its place; a study without a model is told which file to write.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from equipoise.protocol.notation import MAX_BYTES, Located, Plain, Steps, read_yaml
from equipoise.protocol.study import Study
from equipoise.simulation.people.checks import check_forms, check_names
from equipoise.simulation.people.definition import (
    COURSE_NAMES,
    MODEL_FILE,
    Accrual,
    Carried,
    PeopleModel,
    Screening,
    Variable,
)
from equipoise.simulation.people.draws import Draw, Reading, read_draw
from equipoise.simulation.people.sections import (
    formula_or_none,
    mapping,
    names_of,
    number,
    read_diary,
    read_events,
    read_failures,
    read_forms,
    read_logs,
    read_targets,
    reason_of,
    sequence,
    text,
)
from equipoise.words.problem import Problem, problem

_SECTIONS = (
    "study", "sources", "scenarios", "default", "arms", "accrual", "person", "state", "screening", "course",
    "forms", "logs", "events", "diary", "targets",
)  # fmt: skip


def load_people(folder: Path, study: Study) -> PeopleModel | tuple[Problem, ...]:
    """The model of the people of a study from its folder, or what is wrong with it."""
    path = folder / MODEL_FILE
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return (problem("virtual.no-model", str(path), file=MODEL_FILE, folder=folder),)
    except OSError:
        return (problem("protocol.file-unreadable", MODEL_FILE),)
    read = read_yaml(data, MODEL_FILE)
    if isinstance(read, Problem):
        return (read,)
    return read_people(read, study)


def read_people(read: Located, study: Study) -> PeopleModel | tuple[Problem, ...]:
    """The model of a file that was read, or its faults."""

    def where(path: Steps) -> str:
        at = next((read.values[path[:n]] for n in range(len(path), -1, -1) if path[:n] in read.values), None)
        return f"{at or MODEL_FILE} {'.'.join(str(step) for step in path)}".rstrip()

    reading = Reading(where)
    if not isinstance(read.value, dict):
        return (problem("virtual.not-a-mapping", where(()), known=", ".join(_SECTIONS)),)
    written = read.value
    for key in written.keys() - set(_SECTIONS):
        reading.fault((key,), "virtual.key-unknown", key=key, known=", ".join(_SECTIONS))
    if written.get("study") != study.id:
        reading.fault(("study",), "virtual.other-study", found=written.get("study"), study=study.id)
    model = _model(written, study, reading)
    check_names(model, reading)
    check_forms(model, study, reading)
    return tuple(dict.fromkeys(reading.problems)) if reading.problems else model


def _model(written: Mapping[str, Plain], study: Study, reading: Reading) -> PeopleModel:
    sources = {
        key: text(value, ("sources", key), reading)
        for key, value in mapping(written.get("sources"), ("sources",), reading).items()
    }
    return PeopleModel(
        study=study.id,
        sources=sources,
        scenarios=_values(written, "scenarios", reading),
        default=_default(written, reading),
        arms=_arms(written, study, reading),
        accrual=_accrual(written, sources, reading),
        person=_variables(written, "person", sources, reading),
        state=_variables(written, "state", sources, reading),
        screening=_screening(written, study, sources, reading),
        course=_course(written, sources, reading),
        forms=read_forms(written.get("forms"), study, sources, reading),
        logs=read_logs(written.get("logs"), study, sources, reading),
        events=read_events(written.get("events"), study, sources, reading),
        diary=read_diary(written.get("diary"), sources, reading),
        targets=read_targets(written.get("targets"), sources, reading),
    )


def _values(written: Mapping[str, Plain], key: str, reading: Reading) -> dict[str, dict[str, float]]:
    """Names with numbers, by a name: scenarios, arms."""
    return {
        name: {
            word: number(value, (key, name, word), reading)
            for word, value in mapping(inner, (key, name), reading).items()
            if word not in {"source", "because"}
        }
        for name, inner in mapping(written.get(key), (key,), reading).items()
    }


def _default(written: Mapping[str, Plain], reading: Reading) -> str:
    default = text(written.get("default"), ("default",), reading)
    known = mapping(written.get("scenarios"), ("scenarios",), reading)
    if default not in known:
        reading.fault(("default",), "virtual.scenario", scenario=default, known=", ".join(known))
    return default


def _arms(written: Mapping[str, Plain], study: Study, reading: Reading) -> dict[str, dict[str, float]]:
    arms = _values(written, "arms", reading)
    _same(("arms",), arms, [arm.id for arm in study.arms], "virtual.arms", reading)
    return arms


def _same(path: Steps, found: Collection[str], wanted: Collection[str], rule: str, reading: Reading) -> None:
    if set(found) != set(wanted):
        reading.fault(path, rule, found=", ".join(found) or "–", known=", ".join(wanted))


def _accrual(written: Mapping[str, Plain], sources: Mapping[str, str], reading: Reading) -> Accrual:
    path: Steps = ("accrual",)
    given = mapping(written.get("accrual"), path, reading)
    reason_of(given, path, sources, reading)
    names = ("per_month", "ramp_days", "opens_every_days")
    values = [number(given.get(name), (*path, name), reading, least=0) for name in names]
    if values[0] <= 0:
        reading.fault((*path, "per_month"), "virtual.nobody-comes", found=values[0])
    return Accrual(*values)


def _variables(
    written: Mapping[str, Plain], key: str, sources: Mapping[str, str], reading: Reading
) -> tuple[Variable, ...]:
    found: list[Variable] = []
    for position, one in enumerate(sequence(written.get(key), (key,), reading)):
        path: Steps = (key, position)
        given = mapping(one, path, reading)
        name = text(given.get("name"), (*path, "name"), reading)
        if any(other.name == name for other in found):
            reading.fault((*path, "name"), "virtual.name-twice", name=name)
        draw: Draw | Carried = (
            _carried(given["carried"], (*path, "carried"), reading)
            if "carried" in given
            else read_draw(given.get("draw"), (*path, "draw"), reading)
        )
        found.append(Variable(name, draw, reason_of(given, path, sources, reading)))
    return tuple(found)


def _carried(written: Plain, path: Steps, reading: Reading) -> Carried:
    given = mapping(written, path, reading)
    sd = number(given.get("sd"), (*path, "sd"), reading)
    rho = number(given.get("rho"), (*path, "rho"), reading)
    if sd < 0:
        reading.fault((*path, "sd"), "virtual.spread", found=given.get("sd"))
    if not -1 <= rho <= 1:
        reading.fault((*path, "rho"), "virtual.correlation", found=given.get("rho"))
    visits = tuple(
        text(visit, (*path, "visits", position), reading)
        for position, visit in enumerate(sequence(given.get("visits"), (*path, "visits"), reading))
    )
    return Carried(sd, rho, visits)


def _screening(
    written: Mapping[str, Plain], study: Study, sources: Mapping[str, str], reading: Reading
) -> Screening:
    path: Steps = ("screening",)
    given = mapping(written.get("screening"), path, reading)
    eligible = formula_or_none(given.get("eligible"), (*path, "eligible"), reading)
    if eligible is None:
        eligible = formula_or_none("1", path, reading)
    if eligible is None:
        raise ValueError("the formula 1 is a formula")
    visits = tuple(str(one) for one in sequence(given.get("visits"), (*path, "visits"), reading))
    fails = number(given.get("fails"), (*path, "fails"), reading)
    if not 0 <= fails < 1:
        reading.fault((*path, "fails"), "virtual.rate", found=given.get("fails"))
    reason_of(given, path, sources, reading)
    failures = read_failures(given.get("failures"), study, sources, reading)
    if fails > 0 and not failures:
        reading.fault(path, "virtual.no-failures")
    return Screening(eligible, visits, fails, failures)


def _course(written: Mapping[str, Plain], sources: Mapping[str, str], reading: Reading) -> dict[str, Draw]:
    path: Steps = ("course",)
    given = mapping(written.get("course"), path, reading)
    _same(path, given, COURSE_NAMES, "virtual.course", reading)
    found = {}
    for name, one in given.items():
        inner = mapping(one, (*path, name), reading)
        reason_of(inner, (*path, name), sources, reading)
        found[name] = read_draw(inner.get("draw"), (*path, name, "draw"), reading)
    return {name: found[name] for name in names_of(given) if name in found}

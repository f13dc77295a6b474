"""`equipoise study people`: who the model of a study draws, what one of them brings, and what the model implies."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.cli.answer import Answer, done, refused, told
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem

if TYPE_CHECKING:
    from equipoise.protocol.study import Study
    from equipoise.simulation.people import Forms, Lived, PeopleModel, VirtualParticipant

FEWEST, MOST = 2, 200_000


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Declare the command."""
    people = commands.add_parser(
        "people", help="draw virtual participants from a study's model of its people"
    )
    people.add_argument("folder", type=Path)
    people.add_argument("--participants", type=int, default=20, metavar="N", help="list so many (20)")
    people.add_argument("--participant", type=int, metavar="K", help="show everything about one, from 0")
    people.add_argument("--implied", type=int, metavar="N", help="the moments that N eligible people have")
    people.add_argument(
        "--scenario", metavar="NAME", help="the effect of the treatment; else the model's own"
    )
    people.add_argument(
        "--arm", metavar="ARM", help="the arm of the one who is shown; else the study's first"
    )
    people.add_argument("--seed", type=int, default=1, metavar="S")
    people.add_argument("--opens", type=dt.date.fromisoformat, default=dt.date(2026, 3, 2), metavar="DATE")
    people.set_defaults(run=run)
    return people


def run(options: argparse.Namespace) -> Answer:
    """What the command answers."""
    from equipoise.protocol.load import load_study
    from equipoise.simulation.people import load_people

    study = load_study(options.folder)
    if isinstance(study, tuple):
        return refused(study)
    model = load_people(options.folder, study)
    if isinstance(model, tuple):
        return refused(model)
    if options.implied is not None:
        return _implied(model, study, options)
    if options.participant is not None:
        return _one(model, study, options)
    return _list(model, study, options)


def _implied(model: PeopleModel, study: Study, options: argparse.Namespace) -> Answer:
    from equipoise.simulation.people.implied import implied

    if not FEWEST <= options.implied <= MOST:
        return refused((problem("virtual.how-many", "--implied", least=FEWEST, most=MOST),))
    found = implied(model, study, options.implied, options.seed)
    if isinstance(found, Problem):
        return refused((found,))
    value = [
        {
            "id": one.target.id, "measured": one.target.measured, "of": one.target.of.source.strip(),
            "at": one.target.at, "since": one.target.since, "scenario": one.target.scenario,
            "target": f"{one.target.value:g}", "within": f"{one.target.within:g}", "found": f"{one.found:.3f}",
            "error": f"{one.error:.3f}", "holds": one.holds(), "source": one.target.reason.source,
        }
        for one in found
    ]  # fmt: skip
    head = f"{'':24}{told('virtual.told-target'):>10}{told('virtual.told-found'):>10}{'±':>8}"
    lines = [
        f"{one.target.id:24}{one.target.value:10.3f}{one.found:10.3f}{one.error:8.3f}"
        f"{'' if one.holds() else '  ' + told('virtual.told-off')}"
        for one in found
    ]
    off = sum(not one.holds() for one in found)
    last = told("virtual.told-implied", people=options.implied, targets=len(found), off=off)
    return Answer(1 if off else 0, value, (head, *lines, last))


def _list(model: PeopleModel, study: Study, options: argparse.Namespace) -> Answer:
    if not 1 <= options.participants <= MOST:
        return refused((problem("virtual.how-many", "--participants", least=1, most=MOST),))
    people = list(_drawn(model, study, options, range(options.participants)))
    faults = [one for one in people if isinstance(one, Problem)]
    if faults:
        return refused(faults[:1])
    shown = [one for one in people if not isinstance(one, Problem)]
    lines = [
        f"{one.index:4}  {one.site}  {one.screened_on}  {one.sex or '–'}  {one.birth or '–'}  "
        f"{one.fails or '':5}{one.course.end[0] if one.course.end else ''}"
        for one in shown
    ]
    failed = sum(one.fails is not None for one in shown)
    return done(
        [_brief(one) for one in shown], *lines, told("virtual.told-list", people=len(shown), failed=failed)
    )


def _drawn(
    model: PeopleModel, study: Study, options: argparse.Namespace, which: range
) -> Iterator[VirtualParticipant | Problem]:
    from equipoise.simulation.people import draw_participant

    for index in which:
        scenario = options.scenario or model.default
        yield draw_participant(model, study, scenario, options.seed, index, options.opens)


def _brief(one: VirtualParticipant) -> dict[str, Json]:
    course = one.course
    return {
        "index": one.index, "site": one.site, "screened_on": one.screened_on.isoformat(), "fails": one.fails,
        "sex": one.sex, "birth": one.birth, "onset": one.onset.isoformat(), "caregiver": one.caregiver,
        "course": {
            "day_one": one.day_one.isoformat(), "never_infused": course.never_infused, "doses": dict(course.doses),
            "missed_visits": sorted(course.missed), "shift": dict(course.shift),
            "end": list(course.end) if course.end is not None else None,
        },
    }  # fmt: skip


def _one(model: PeopleModel, study: Study, options: argparse.Namespace) -> Answer:
    from equipoise.simulation.people import Lived

    arm = options.arm or study.arms[0].id
    if arm not in model.arms:
        return refused((problem("virtual.arm-unknown", "--arm", arm=arm, known=", ".join(model.arms)),))
    if not 0 <= options.participant < MOST:
        return refused((problem("virtual.how-many", "--participant", least=0, most=MOST - 1),))
    person = next(_drawn(model, study, options, range(options.participant, options.participant + 1)))
    if isinstance(person, Problem):
        return refused((person,))
    doses = [
        person.day_one + dt.timedelta(days=(found.day or 1) - 1)
        for dose in (study.supply.doses if study.supply is not None else ())
        if person.course.doses.get(dose.id) and (found := study.visit(dose.visit)) is not None
    ]
    lived = Lived(arm, tuple(doses))
    forms = dict(_visits(person, study, lived))
    last = person.day_one + dt.timedelta(days=365)
    value: dict[str, Any] = {
        **_brief(person),
        "scenario": options.scenario or model.default,
        "arm": arm,
        "forms": {visit: _as_json(found) for visit, found in forms.items()},
        "logs": _as_json(person.logs(last, lived)),
    }
    lines = [
        f"{visit}  {form}  {_said(rows)}" for visit, found in forms.items() for form, rows in found.items()
    ]
    rows = [f"LOG  {form}  {_said(listed)}" for form, listed in person.logs(last, lived).items()]
    return done(value, *lines, *rows, told("virtual.told-one", index=person.index, arm=arm, forms=len(lines)))


def _visits(person: VirtualParticipant, study: Study, lived: Lived) -> Iterator[tuple[str, Forms]]:
    """The forms of every planned visit on its day until participation ends; of who fails, of the first alone."""
    first = study.schedule.visits[0].id
    yield first, person.screening
    for visit in study.schedule.visits if person.fails is None else ():
        if visit.id == first or visit.day is None or visit.id in person.course.missed:
            continue
        day = visit.day + person.course.shift.get(visit.id, 0)
        if person.course.end is not None and person.course.end[1] <= day:
            return
        yield visit.id, person.visit(visit.id, person.day_one + dt.timedelta(days=day - 1), lived)


def _as_json(forms: Forms) -> dict[str, Json]:
    return {
        form: [
            {
                item: datum.value if datum.missing is None else {"missing": datum.missing}
                for item, datum in row.items()
            }
            for row in rows
        ]
        for form, rows in forms.items()
    }


def _said(rows: tuple[Any, ...]) -> str:
    return " | ".join(
        ", ".join(
            f"{item} {datum.value if datum.missing is None else datum.missing}" for item, datum in row.items()
        )
        for row in rows
    )

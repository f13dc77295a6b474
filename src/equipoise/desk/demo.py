"""A rehearsal store from a study's `demo.yaml`: made-up people, whose past goes through the desk like any other.

The rules that must stay true: every step is a command given to the desk by a person who may give it; a step that
is refused stops the loading and says why; nothing here knows what the study asks. Each day's steps are given by a
clock put to nine o'clock of that day, which works on rehearsal stores only.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from yaml import YAMLError

from equipoise.capture.commands import DateVisit, RecordForm
from equipoise.capture.double.commands import RecordEntry
from equipoise.consent.commands import RecordCapacity, RecordCaregiver, RecordConsent
from equipoise.desk.clock import SetClock
from equipoise.desk.consent_page import Beside, record_consent
from equipoise.desk.desk import Desk
from equipoise.desk.identities import IdentityInput
from equipoise.desk.setup import add_person, fill_log, open_site
from equipoise.eligibility.commands import ConfirmEligibility, FailScreening
from equipoise.ledger.entries import Datum
from equipoise.randomization.commands import Randomize
from equipoise.words.ids import random_id
from equipoise.words.problem import Problem, problem
from equipoise.words.yaml_text import yaml_values

_DAY = re.compile(r"@(-?\d+)(m?)")
Step = Mapping[str, Any]  # Any: as written in demo.yaml


@dataclass(frozen=True, slots=True)
class Demo:
    """What `demo.yaml` holds. A member of staff also has an `actor`: the random id that headers bear, not a name."""

    approved: Mapping[str, str]
    staff: tuple[Mapping[str, Any], ...]  # Any: as written
    templates: Mapping[str, Sequence[Step]]
    participants: tuple[Mapping[str, Any], ...]  # Any: as written


def read_demo(study_folder: Path) -> Demo | Problem:
    """The made-up people of a study; a Problem where the study has none, or the file cannot be read."""
    path = study_folder / "demo.yaml"
    try:
        written = yaml_values(path.read_text("utf-8"))
        staff = tuple({**one, "actor": random_id(secrets.token_bytes)} for one in written["staff"])
        return Demo(written["approved"], staff, written["templates"], tuple(written["participants"]))
    except FileNotFoundError:
        return problem("desk.demo-missing", str(path))
    except (OSError, UnicodeDecodeError, YAMLError, KeyError, TypeError) as fault:
        return problem("desk.demo-unreadable", str(path), reason=fault)


def load_staff(desk: Desk, demo: Demo, today: dt.date) -> tuple[Problem, ...]:
    """Open the study's sites and register the staff."""
    approved = str(_date(demo.approved["on"], today))
    for site in desk.study.sites:
        problems = open_site(desk, site.id, demo.approved["approval"], approved)
        if problems:
            return problems
    for one in demo.staff:
        if "role" not in one:  # somebody of the second door alone
            continue
        problems = add_person(
            desk, one["actor"], f"{one['name']['en']} {one['name']['zh']}", one["role"], one.get("site")
        )
        if problems:
            return problems
    return fill_log(desk)


def load_participants(desk: Desk, demo: Demo, clock: SetClock, today: dt.date) -> tuple[Problem, ...]:
    """Take every participant through the steps, in the order in which the days came."""
    staff = {one["id"]: (one["actor"], one["role"]) for one in demo.staff if "role" in one}
    loader = _Loader(desk, clock, today, staff)
    planned = [step for person in demo.participants for step in _unfold(demo, person)]
    for step in sorted(planned, key=lambda one: one.day):
        refused = loader.take(step)
        if refused:
            return refused
    return ()


@dataclass(frozen=True, slots=True)
class _Planned:
    person: Mapping[str, Any]  # Any: as written
    day: int
    by: str
    step: Step
    place: str


def _unfold(demo: Demo, person: Mapping[str, Any]) -> list[_Planned]:  # Any: as written
    """The person's steps with templates put in; day and actor carry on from the step before."""
    found: list[_Planned] = []
    day, by = 0, ""
    for number, written in enumerate(person["steps"], start=1):
        inner = demo.templates[written["use"]] if "use" in written else [written]
        for part, step in enumerate(inner):
            day = step.get("day", written.get("day", day))
            by = written.get("as", step.get("as", by)) if "use" not in written else by or step.get("as", by)
            found.append(_Planned(person, day, by, step, f"{person['id']} {number}.{part}"))
    return found


class _Loader:
    def __init__(
        self, desk: Desk, clock: SetClock, today: dt.date, staff: Mapping[str, tuple[str, str]]
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._today = today
        self._staff = staff
        self._numbers: dict[str, str] = {}

    def take(self, planned: _Planned) -> tuple[Problem, ...]:
        """Give one step to the desk; the problems of a refusal, with the step's place."""
        desk, person = self._desk, planned.person
        known = self._staff.get(planned.by)
        who = desk.who(*known) if known is not None else None
        if who is None:
            return (problem("desk.demo-unknown-person", planned.place, person=planned.by),)
        day = self._today + dt.timedelta(days=planned.day)
        nine = dt.datetime.combine(day, dt.time(9), ZoneInfo(_zone(desk, person["site"]))).astimezone(dt.UTC)
        self._clock.at = max(self._clock.at, nine)
        key = f"demo {planned.place}"
        if planned.step["do"] == "screen":
            given = IdentityInput(person["name"], person["birth_date"], person["phone"])
            screened = desk.screen(who, person["site"], given, key=key)
            self._numbers[person["id"]] = screened.number or ""
            outcome = screened.outcome
        else:
            subject = desk.subject_id(self._numbers[person["id"]]) or ""
            beside = Beside(planned.step.get("name", ""))
            outcome = record_consent(desk, who, self._command(planned.step, subject, day), beside, key=key)
        return tuple(
            Problem(one.rule, f"{planned.place} {one.where}", one.arguments) for one in outcome.problems
        )

    def _command(self, step: Step, subject: str, day: dt.date) -> object:
        match step["do"]:
            case "capacity":
                return RecordCapacity(subject, step["capacity"], day.isoformat())
            case "consent":
                on, relation = day.isoformat(), step.get("relation")
                return RecordConsent(subject, step["version"], step["by"], step["given"], on, relation)
            case "caregiver":
                return RecordCaregiver(subject, "", given=True, on=day.isoformat(), relation=step["relation"])
            case "visit":
                return DateVisit(subject, step["visit"], day.isoformat())
            case "form":
                return self._form(step, subject, day)
            case "entry":
                typed = {name: _datum(value, self._today, day) for name, value in step["items"].items()}
                return RecordEntry(subject, step["visit"], step["form"], step.get("repeat", 1), typed)
            case "confirm":
                return ConfirmEligibility(subject)
            case "fail":
                return FailScreening(subject, step.get("reason", ""))
            case "randomize":
                return Randomize(subject)
        raise ValueError(f"demo.yaml: there is no step {step['do']}")

    def _form(self, step: Step, subject: str, day: dt.date) -> RecordForm:
        items = {name: _datum(value, self._today, day) for name, value in step["items"].items()}
        visit, form, repeat = step["visit"], step["form"], step.get("repeat", 1)
        base = self._desk.form_seq(subject, visit, form, repeat)
        return RecordForm(subject, visit, form, repeat, items, base, step.get("complete"), step.get("reason"))


def _datum(value: Any, today: dt.date, day: dt.date) -> Datum:  # Any: as written
    if isinstance(value, Mapping):
        return Datum(missing=value["missing"], why=value.get("why"))
    return Datum(_date(value, day if value == "@0" else today))


def _date(value: str, today: dt.date) -> str:
    """`@-40` as the ISO date 40 days before today, `@-40m` as its month; any other text as it is."""
    found = _DAY.fullmatch(value)
    if found is None:
        return value
    day = (today + dt.timedelta(days=int(found[1]))).isoformat()
    return day[:7] if found[2] else day


def _zone(desk: Desk, site: str) -> str:
    return next(one.zone for one in desk.study.sites if one.id == site)

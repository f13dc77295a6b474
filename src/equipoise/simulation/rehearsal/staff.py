"""The virtual staff of a study, as data: people, rates of errors, rounds, and minutes that tasks take.

The rules that must stay true: every rate is data of the study's folder, none is written here; a file that cannot be
read is a Problem that names the file to write. Shares lie from 0 to 1; days are whole and counted from the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from equipoise.protocol.elements import Part
from equipoise.words.problem import Problem, problem

FILE = "staff.yaml"
Share = Annotated[float, Field(ge=0, le=1)]
Days = tuple[Annotated[int, Field(ge=0, le=400)], Annotated[int, Field(ge=0, le=400)]]


class Person(Part):
    """Somebody of the staff. `second_door`: what the person is enrolled for there; `site` empty: of the whole study."""

    id: str
    name: Mapping[str, str]
    role: str
    site: str | None = None
    second_door: tuple[str, ...] = ()


class Late(Part):
    """A share of forms, and after how many days (from, to) they are typed."""

    share: Share
    days: Days


class Answered(Part):
    """After how many days (from, to) a question is answered, and the share that takes long."""

    days: Days
    slow_share: Share
    slow_days: Days


class Rater(Part):
    """Share of scored items that come out a step too high, and what a year adds to it."""

    bias: Share
    drift_per_year: Share


class Bench(Part):
    """What goes wrong behind the second door; viability: mean and spread, in percent."""

    spilled: Share
    thaw_failed: Share
    viability: tuple[float, float]


class Fraud(Part):
    """A site at which a share of visits is copied from the visit before; no site: nowhere."""

    site: str = ""
    share: Share = 0.0


class Guess(Part):
    """How people are asked what they think was given: the codelist, which code names which arm, and “do not know”."""

    codelist: str
    arms: Mapping[str, str]
    unknown: str


class Rates(Part):
    """How often something goes wrong; the file says what each is a share of."""

    late: Late
    mistyped: Share
    blank: Share
    wrong_day: Share
    answered: Answered
    rater: Rater
    found: Share
    doubted: Share
    code_broken: Share
    bag_rejected: Share
    bench: Bench
    fraud: Fraud = Fraud()


class Rounds(Part):
    """How many days lie between two rounds."""

    queries: Annotated[int, Field(ge=1, le=90)]
    data_management: Annotated[int, Field(ge=1, le=90)]
    monitoring: Annotated[int, Field(ge=1, le=180)]
    signing: Annotated[int, Field(ge=1, le=180)]


class StaffModel(Part):
    """Everything that `staff.yaml` says. `minutes`: task -> minutes, `other` for those not named.

    A save costs `form` and an `item` for each answer.
    """

    people: tuple[Person, ...]
    rates: Rates
    rounds_days: Rounds
    guess: Guess | None = None
    minutes: Mapping[str, Annotated[float, Field(ge=0)]]


def load_staff(study_folder: Path) -> StaffModel | Problem:
    """The virtual staff of a study. Problems: `rehearsal.staff-missing`, `rehearsal.staff-unreadable`."""
    path = study_folder / FILE
    try:
        written: Any = YAML(typ="safe").load(path.read_text("utf-8"))  # Any: as written
        return StaffModel.model_validate(written)
    except FileNotFoundError:
        return problem("rehearsal.staff-missing", str(path), path=path)
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(str(each) for each in first["loc"])
        return problem("rehearsal.staff-unreadable", str(path), path=path, reason=f"{place}: {first['msg']}")
    except (OSError, UnicodeDecodeError, YAMLError) as fault:
        return problem("rehearsal.staff-unreadable", str(path), path=path, reason=fault)

"""The virtual staff of a study, as data: people, rates of errors, rounds, and minutes that tasks take.

The rules that must stay true: every rate is data of the study's folder, none is written here; a file that cannot be
read is a Problem that names the file to write; whatever would end a rehearsal for want of
somebody is found before it begins. Shares lie from 0 to 1; days are whole and counted from the event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from pydantic import Field, ValidationError
from yaml import YAMLError

from equipoise.access.roles import ROLES
from equipoise.diary.site_commands import Because
from equipoise.ledger.vault_entries import CredentialEnrolled
from equipoise.protocol.elements import Part
from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem
from equipoise.words.yaml_text import yaml_values

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


class Phones(Part):
    """What happens to the phones of the diary. none: participants who take none. late: entries that go with the next.

    offline: entries after which the phone is out of reach for so many days (from, to). lost: phones that lose all that
    they hold. clock_off: phones whose clock is wrong, by so many minutes (from, to).
    """

    none: Share = 0.0
    late: Share = 0.0
    offline: Share = 0.0
    offline_days: Days = (0, 0)
    lost: Share = 0.0
    clock_off: Share = 0.0
    clock_minutes: tuple[int, int] = (0, 0)


class DiaryContacts(Part):
    """What coordinators do with the diary. handled: of the red flags that wait, at a round.

    sent_to_care, not_reached: of the calls about red flags; the others find nothing that needs care. explained: of the
    gaps that are asked about, at a visit or on a call to who is silent; because: reason -> its share of them.
    """

    handled: Share = 1.0
    sent_to_care: Share = 0.0
    not_reached: Share = 0.0
    explained: Share = 0.0
    because: Mapping[Because, Share] = Field(default_factory=dict)


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
    phones: Phones = Phones()
    diary: DiaryContacts = DiaryContacts()


class Rounds(Part):
    """How many days lie between two rounds."""

    queries: Annotated[int, Field(ge=1, le=90)]
    data_management: Annotated[int, Field(ge=1, le=90)]
    monitoring: Annotated[int, Field(ge=1, le=180)]
    signing: Annotated[int, Field(ge=1, le=180)]
    diary: Annotated[int, Field(ge=1, le=90)] = 7


class StaffModel(Part):
    """Everything that `staff.yaml` says. `minutes`: task -> minutes, `other` for those not named.

    A save costs `form` and an `item` for each answer.
    """

    people: tuple[Person, ...]
    rates: Rates
    rounds_days: Rounds
    guess: Guess | None = None
    minutes: Mapping[str, Annotated[float, Field(ge=0)]]


RATER = "rater"
AT_EVERY_SITE = ("coordinator", "investigator", RATER)
OF_THE_STUDY = ("monitor", "data_manager", "sponsor", "statistician", "safety_desk")
SITE_PURPOSES, PURPOSES = ("BENCH", "BREAK"), ("CHECK", "LAB", "OFFICER", "KEEPER")
"""What somebody has to be enrolled for behind the second door, at every site and at all."""
_KNOWN_PURPOSES = get_args(get_type_hints(CredentialEnrolled)["purpose"])


def rated(form: Form) -> bool:
    """Whether a form is typed by a rater; a coordinator types every other."""
    return form.instrument is not None or form.evaluator == "INDEPENDENT ASSESSOR"


def load_staff(study_folder: Path, study: Study) -> StaffModel | tuple[Problem, ...]:
    """The virtual staff of a study, held against it; or everything that is wrong with the file.

    Problems: `rehearsal.staff-missing`, `rehearsal.staff-unreadable`, and the faults that `_faults` names.
    """
    path = study_folder / FILE
    try:
        written: Any = yaml_values(path.read_text("utf-8"))  # Any: as written
        found = StaffModel.model_validate(written)
    except FileNotFoundError:
        return (problem("rehearsal.staff-missing", str(path), path=path),)
    except ValidationError as fault:
        reasons = [f"{'.'.join(str(each) for each in one['loc'])}: {one['msg']}" for one in fault.errors()]
        return tuple(
            problem("rehearsal.staff-unreadable", str(path), path=path, reason=reason) for reason in reasons
        )
    except (OSError, UnicodeDecodeError, YAMLError) as fault:
        return (problem("rehearsal.staff-unreadable", str(path), path=path, reason=fault),)
    faults = tuple(
        problem(rule, f"{path} {place}", **told)
        for rule, place, told in (*_unknown(found, study), *_lacking(found, study), *_guess(found, study))
    )
    return faults or found


_Fault = tuple[str, str, dict[str, object]]
"""Message, place in the file, and arguments."""


def _unknown(found: StaffModel, study: Study) -> Iterator[_Fault]:
    """Names that nobody knows, and people who stand there twice."""
    sites = [one.id for one in study.sites]
    asked = [(f"people.{one.id}.site", one.site, sites) for one in found.people if one.site is not None]
    asked += [(f"people.{one.id}.role", one.role, list(ROLES)) for one in found.people]
    asked += [
        (f"people.{one.id}.second_door", purpose, list(_KNOWN_PURPOSES))
        for one in found.people
        for purpose in one.second_door
    ]
    if found.rates.fraud.site:
        asked.append(("rates.fraud.site", found.rates.fraud.site, sites))
    for place, name, known in asked:
        if name not in known:
            yield "rehearsal.staff-unknown", place, {"name": name, "known": ", ".join(known)}
    for name, count in Counter(one.id for one in found.people).items():
        if count > 1:
            yield "rehearsal.staff-twice", "people", {"name": name}


def _lacking(found: StaffModel, study: Study) -> Iterator[_Fault]:
    """Roles and purposes without which a rehearsal cannot go on."""
    at_sites = [role for role in AT_EVERY_SITE if role != RATER or any(rated(form) for form in study.forms)]
    for site in (one.id for one in study.sites):
        here = [one for one in found.people if one.site in (site, None)]
        for role in at_sites:
            if not any(one.role == role for one in here):
                yield "rehearsal.staff-lacks-role", "people", {"role": role, "site": site}
        for purpose in SITE_PURPOSES:
            if not any(purpose in one.second_door for one in here):
                yield "rehearsal.staff-lacks-purpose", "people", {"purpose": purpose, "site": site}
    for role in OF_THE_STUDY:
        if not any(one.role == role and one.site is None for one in found.people):
            yield "rehearsal.staff-lacks-role", "people", {"role": role, "site": "–"}
    for purpose in PURPOSES:
        if not any(purpose in one.second_door for one in found.people):
            yield "rehearsal.staff-lacks-purpose", "people", {"purpose": purpose, "site": "–"}


def _guess(found: StaffModel, study: Study) -> Iterator[_Fault]:
    """The question about the arm: its codelist, the codes, and the arms that they name."""
    guess = found.guess
    if guess is None:
        return
    codelist = study.codelist(guess.codelist)
    if codelist is None:
        known = ", ".join(one.id for one in study.codelists)
        yield "rehearsal.staff-unknown", "guess.codelist", {"name": guess.codelist, "known": known}
    codes = [term.code for term in codelist.terms] if codelist is not None else []
    arms = [one.id for one in study.arms]
    asked = [("guess.arms", arm, arms) for arm in guess.arms.values()]
    if codelist is not None:
        asked += [("guess.arms", code, codes) for code in guess.arms]
        asked.append(("guess.unknown", guess.unknown, codes))
    for place, name, listed in asked:
        if name not in listed:
            yield "rehearsal.staff-unknown", place, {"name": name, "known": ", ".join(listed)}

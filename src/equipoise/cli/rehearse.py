"""`equipoise rehearse DIR`: the whole trial with virtual people, through both doors, before the first participant.

    OUT/store/        the first door's store            OUT/vault/       the second door's
    OUT/allocation/   the public side of the list       OUT/report/      the analysis, once the trial was released
    OUT/account.json  what the trial cost, and how the blind fared

The rules that must stay true: the same study, numbers and seed give the same entries, byte for byte; what was not
finished leaves nothing under the name that was asked for; the progress goes to standard error.
"""

from __future__ import annotations

import argparse
import calendar
import dataclasses
import datetime as dt
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.cli.answer import Answer, done, occupied, refused, told
from equipoise.cli.two_doors import PASSPHRASE
from equipoise.ledger.notes import write_whole
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

if TYPE_CHECKING:
    from equipoise.protocol.study import Study
    from equipoise.simulation.rehearsal.rehearse import Plan

_WHEN = re.compile(r"(day|week|month) (\d{1,4})")
_PARTIAL = ".unfinished"
ACCOUNT, REPORT = "account.json", "report"
_WIDTH = 30
_PARTS = {
    "flow": "rehearsal.told-participants",
    "staff_minutes": "rehearsal.told-staff-minutes",
    "queries": "rehearsal.told-queries",
    "bags": "rehearsal.told-bags",
    "diary": "rehearsal.told-diary",
    "deviations": "rehearsal.told-deviations",
}
"""Parts of the account that are said in a line, and the message that begins it."""
When = Callable[[dt.date], dt.date]


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    command = subjects.add_parser("rehearse", help="run the whole trial with virtual people")
    command.add_argument("study", type=Path, metavar="DIR")
    command.add_argument("--participants", type=count, default=86, metavar="N", help="to be randomized")
    command.add_argument("--seed", type=_seed, default=1, metavar="S")
    command.add_argument(
        "--scenario", default=None, metavar="NAME", help="of the study's model of people; its own default"
    )
    command.add_argument(
        "--until", type=when, metavar="WHEN", help="stop half-way: “month 9”, “week 30”, “day 200” or a date"
    )
    command.add_argument("--begin", type=_date, metavar="DATE", help="the day on which the first site opens")
    command.add_argument("--without-pdf", action="store_true", help="typeset no documents")
    command.add_argument("--out", type=Path, required=True, metavar="OUT", help="a new folder")
    command.add_argument("--json", action="store_true", help="print one JSON value")
    command.set_defaults(run=_rehearse)


def count(text: str) -> int:
    """A number of participants as it is typed. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 100_000):
        raise argparse.ArgumentTypeError(f"a number of participants, not {text!r}")
    return int(text)


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise argparse.ArgumentTypeError(f"a seed is a whole number, not {text!r}")
    return int(text)


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a date is YYYY-MM-DD, not {text!r}") from None


def when(text: str) -> When:
    """When a rehearsal stops, counted from its first day. Raises ArgumentTypeError."""
    found = _WHEN.fullmatch(text.strip().lower())
    if found is None:
        fixed = _date(text.strip())
        return lambda begins: fixed
    unit, number = found[1], int(found[2])
    if unit == "month":
        return lambda begins: _months_later(begins, number)
    return lambda begins: begins + dt.timedelta(days=number * (7 if unit == "week" else 1))


def _months_later(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def first_day(study: Study) -> dt.date:
    """The Monday after the definition's date: the day on which the first site of a rehearsal opens."""
    dated = dt.date.fromisoformat(study.dated)
    return dated + dt.timedelta(days=7 - dated.weekday())


# --- the command -----------------------------------------------------------------------------------------------------


def _rehearse(options: argparse.Namespace) -> Answer:
    if occupied(options.out):
        return refused((problem("cli.folder-not-empty", str(options.out)),))
    made = plan_of(options, options.out)
    if isinstance(made, tuple):
        return refused(made)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    # A folder of this run's own: nothing that stands here already is touched.
    partial = Path(tempfile.mkdtemp(_PARTIAL, f"{options.out.name}.", options.out.parent))
    try:
        answer = _play(dataclasses.replace(made, folder=partial), pdf=not options.without_pdf)
        if not answer.status:
            if options.out.exists():
                options.out.rmdir()
            partial.rename(options.out)
        return answer
    except KeyboardInterrupt:
        return refused((problem("rehearsal.interrupted", str(options.out)),))
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def plan_of(options: argparse.Namespace, folder: Path) -> Plan | tuple[Problem, ...]:
    """What was asked for, or every reason why it cannot be rehearsed."""
    from equipoise.cli.study import read_study
    from equipoise.simulation.people import load_people
    from equipoise.simulation.rehearsal.drawn import drawing
    from equipoise.simulation.rehearsal.rehearse import Plan
    from equipoise.simulation.rehearsal.staff import load_staff

    study = read_study(options.study)
    if isinstance(study, tuple):
        return study
    people, staff = load_people(options.study, study), load_staff(options.study, study)
    if isinstance(people, tuple) or isinstance(staff, tuple):
        lacking = staff if isinstance(staff, tuple) else ()
        return (*(people if isinstance(people, tuple) else ()), *lacking)
    cap = study.design.cap
    if cap is not None and options.participants > cap:
        return (problem("rehearsal.over-the-cap", "--participants", asked=options.participants, cap=cap),)
    scenario = options.scenario or people.default
    if scenario not in people.scenarios:
        known = ", ".join(people.scenarios)
        return (problem("rehearsal.scenario-unknown", "--scenario", scenario=scenario, known=known),)
    begins = options.begin or first_day(study)
    until = options.until(begins) if options.until is not None else None
    consent = min((version.dated for version in study.consent.versions), default="")
    if begins.isoformat()[: len(consent)] < consent:
        return (problem("rehearsal.begins-before-consent", "--begin", begins=begins, dated=consent),)
    if until is not None and until < begins:
        return (problem("rehearsal.until-before", "--until", until=until, begins=begins),)
    return Plan(
        folder, options.study, study, staff, drawing(people, study, scenario, options.seed, begins),
        options.participants, options.seed, begins, f"rehearsal-{options.seed:06d}-passphrase", until, scenario,
    )  # fmt: skip


def _play(plan: Plan, *, pdf: bool) -> Answer:
    from equipoise.simulation.rehearsal.drawn import NobodyDrawn
    from equipoise.simulation.rehearsal.rehearse import open_stage, play
    from equipoise.simulation.rehearsal.second_door import DoorFault
    from equipoise.simulation.rehearsal.stage import Stopped

    held = hold_ceremony(plan)
    if held is not None:
        return refused((held,))
    bar = Bar(plan.participants)
    try:
        with open_stage(plan) as stage:
            keep_secret(plan.vault / PASSPHRASE, plan.passphrase)
            ended = play(stage, plan, bar.show)
        shutil.rmtree(plan.ceremony)
        value: dict[str, Json] = {
            "study": plan.study.id, "participants": plan.participants, "seed": plan.seed,
            "scenario": plan.scenario, "began": plan.begins.isoformat(), "ended": ended.on.isoformat(),
            "released": bool(ended.release), **ended.account,
        }  # fmt: skip
        faults = _after_release(plan, ended.on, value, pdf=pdf) if ended.release else None
        if faults is not None:
            return faults
    except (NobodyDrawn, DoorFault) as fault:
        return refused((fault.problem,))
    except Stopped as stopped:
        return refused((stopped_at(stopped),))
    finally:
        bar.close()
    write_whole(plan.folder / ACCOUNT, json.dumps(value, ensure_ascii=False, indent=1) + "\n")
    return done(value, *_lines(value))


def keep_secret(path: Path, passphrase: str) -> None:
    """Write a passphrase into a new file that nobody else could read at any moment."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(passphrase + "\n")


def stopped_at(stopped: Exception) -> Problem:
    """Why the rehearsal could not go on, with the first reason in both languages."""
    problems: tuple[Problem, ...] = getattr(stopped, "problems", ())
    why = Text(problems[0].say("en"), problems[0].say("zh")) if problems else Text("–", "–")
    return problem("rehearsal.refused", step=getattr(stopped, "step", ""), why=why)


def hold_ceremony(plan: Plan) -> Problem | None:
    """Have the list made behind the second door, from the seed that everybody may know."""
    from equipoise.cli.allocation import make_process

    places = ["--public", str(plan.public), "--vault", str(plan.ceremony)]
    made = make_process([str(plan.study_folder), *places, "--rehearsal-seed", f"rehearsal {plan.seed}"])
    return problem("cli.allocation-failed", reason=" ".join(made.lines)) if made.status else None


def _after_release(plan: Plan, on: dt.date, value: dict[str, Json], *, pdf: bool) -> Answer | None:
    """The analysis in the released arms, and the verification of the list; None where both went well."""
    verified = report_release(plan, on, pdf=pdf)
    if isinstance(verified, Answer):
        return verified
    value["verified"], value["report"] = verified, REPORT
    return None


def report_release(plan: Plan, on: dt.date, *, pdf: bool) -> str | Answer:
    """Verify the list that was published and analyse in its arms, into the plan's folder; what the verification said.

    The answer of whichever of the two failed.
    """
    from equipoise.cli.allocation import verify_list
    from equipoise.cli.analyse import analyse_store

    release = plan.vault / "release" / "release.json"
    shutil.copy(release, plan.folder / "release.json")
    verified = verify_list(plan.public, release, plan.store)
    if verified.status:
        return verified
    analysed = analyse_store(plan.store, on.isoformat(), release, plan.folder / REPORT, pdf=pdf)
    return analysed if analysed.status else verified.lines[-1]


def _lines(value: dict[str, Json]) -> list[str]:
    """The account in words."""
    lines = [told("rehearsal.told-ended" if value["released"] else "rehearsal.told-half-way", **value)]
    for name, key in _PARTS.items():
        part = value[name]
        if isinstance(part, dict):
            said = ", ".join(f"{what} {count}" for what, count in part.items())
            lines.append(f"  {told(key)}: {said}")
    lines.append(f"  {told('rehearsal.told-code-breaks')}: {value['code_breaks']}")
    blind = value["blind"] if isinstance(value["blind"], dict) else {}
    for asked, one in blind.items():
        if isinstance(one, dict) and isinstance(one.get("bang"), dict):
            bang = ", ".join(f"{arm} {index}" for arm, index in dict(one["bang"]).items())
            lines.append(f"  {told('rehearsal.told-blind', asked=asked, bang=bang, james=one['james'])}")
    if "verified" in value:
        lines.append(str(value["verified"]))
    return lines


class Bar:
    """Progress on standard error where somebody watches: the day, and how much of a whole is done."""

    def __init__(self, whole: int) -> None:
        self._all, self._shown = max(whole, 1), ""
        self._on = sys.stderr is not None and sys.stderr.isatty()

    def show(self, day: dt.date, done: int) -> None:
        """Draw it anew where it looks different."""
        part = min(done, self._all) * _WIDTH // self._all
        text = f"{'#' * part}{'.' * (_WIDTH - part)} {day:%Y-%m}"
        if self._on and text != self._shown:
            self._shown = text
            sys.stderr.write(f"\r{text}")
            sys.stderr.flush()

    def close(self) -> None:
        """Leave the line to what comes next."""
        if self._on and self._shown:
            sys.stderr.write("\r" + " " * len(self._shown) + "\r")
            sys.stderr.flush()

"""`equipoise knowledge STORE`: who could know which participant's arm, since when. No arm is in it or can be."""

from __future__ import annotations

import argparse
from pathlib import Path

from equipoise.cli.answer import Answer, done, language, refused
from equipoise.desk.desk import open_desk
from equipoise.desk.knowledge import EVERYBODY, Knowing, report, report_json
from equipoise.words.problem import Problem, say

_HOW = {
    "ROLE": "blind.how-role",
    "CODE_SHOWN": "blind.how-code-shown",
    "CODE_ASKED": "blind.how-code-asked",
    "CODE_HELD": "blind.how-code-held",
    "THIRD_PERSON": "blind.how-third-person",
    "CARD_OPENED": "blind.how-card-opened",
    "CARD_WITNESSED": "blind.how-card-witnessed",
    "RELEASE": "blind.how-release",
}


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    command = subjects.add_parser("knowledge", help="who could know whose arm, since when")
    command.add_argument("store", type=Path)
    command.add_argument("--json", action="store_true", help="print one JSON value")
    command.set_defaults(run=_knowledge)


def _knowledge(options: argparse.Namespace) -> Answer:
    desk = open_desk(options.store)
    if isinstance(desk, Problem):
        return refused((desk,))
    try:
        lines = report(desk)
    finally:
        desk.close()
    return done(report_json(lines), *(_line(one) for one in lines))


def _line(one: Knowing) -> str:
    """Moment (UTC), person, whose arm, by what."""
    spoken = language()
    whose = one.subject
    if one.subject == EVERYBODY:
        key = "blind.all-of-site" if one.site else "blind.all"
        whose = say(key, spoken, {"site": one.site or ""})
    person = say("blind.everybody", spoken) if one.name == EVERYBODY else one.name
    return f"{one.since[:16]}Z  {person}  {whose}  {say(_HOW[one.how], spoken)}"

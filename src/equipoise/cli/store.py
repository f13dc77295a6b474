"""`equipoise store …`: make a store, bring a definition into force, and open sites and roles, from a terminal."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable
from pathlib import Path

from equipoise.access.commands import SYSTEM
from equipoise.access.roles import label_of
from equipoise.cli.answer import Answer, done, occupied, refused, told
from equipoise.cli.study import read_study
from equipoise.desk.desk import Desk, open_desk
from equipoise.desk.moving import move, moves_page
from equipoise.desk.setup import add_person, adopt, create_store, give, open_site, release
from equipoise.oversight.commands import EnrolSecondDoor, PauseEnrolment, ResumeEnrolment
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommands."""
    commands = subjects.add_parser("store", help="make and set up a store").add_subparsers(required=True)
    new = commands.add_parser("new", help="make a store for a study")
    new.add_argument("store", type=Path)
    new.add_argument("--study", type=Path, required=True, metavar="DIR")
    new.add_argument("--purpose", choices=("rehearsal", "trial"), required=True)
    new.set_defaults(run=_new)
    bring = commands.add_parser("release", help="release a changed definition, which each site then adopts")
    bring.add_argument("store", type=Path)
    bring.add_argument("--study", type=Path, required=True, metavar="DIR")
    bring.set_defaults(run=_release)
    site = commands.add_parser("open-site", help="record a site's ethics approval and open it for enrolment")
    site.add_argument("store", type=Path)
    site.add_argument("site")
    site.add_argument("--approval", required=True)
    site.add_argument("--on", required=True, metavar="DATE")
    site.set_defaults(run=_site)
    version = commands.add_parser("adopt", help="let a released version count at a site from a day on")
    version.add_argument("store", type=Path)
    version.add_argument("site")
    version.add_argument("version")
    version.add_argument("--approval", required=True, help="the number on the ethics committee's letter")
    version.add_argument("--approved-on", required=True, metavar="DATE")
    version.add_argument("--on", required=True, metavar="DATE", help="the first day on which it counts")
    version.add_argument(
        "--staying", action="store_true", help="who is in already stays under the version before until moved"
    )
    version.set_defaults(run=_adopt)
    mover = commands.add_parser(
        "move", help="move participants, or forms, to the version in force; dry until --do"
    )
    mover.add_argument("store", type=Path)
    mover.add_argument("participant", nargs="*", help="numbers; all of the site where none is named")
    mover.add_argument("--site", default="", metavar="ID")
    mover.add_argument(
        "--forms", action="store_true", help="move the complete forms that keep an earlier version"
    )
    mover.add_argument("--reason", required=True)
    mover.add_argument("--do", action="store_true", help="move what a dry run lists")
    mover.add_argument("--key", default="", help="of an interrupted move, to take it up again")
    mover.set_defaults(run=_move)
    person = commands.add_parser("grant", help="register a member of staff and grant a role")
    person.add_argument("store", type=Path)
    person.add_argument("user")
    person.add_argument("role")
    person.add_argument("--name", required=True)
    person.add_argument("--site")
    person.set_defaults(run=_grant)
    door = commands.add_parser("second-door", help="record the second door's public key, for good")
    door.add_argument("store", type=Path)
    door.add_argument("key", help="as `equipoise vault init` printed it")
    door.set_defaults(run=_second_door)
    for name, help_text in (("pause", "pause enrolment"), ("resume", "resume enrolment")):
        hold = commands.add_parser(name, help=help_text)
        hold.add_argument("store", type=Path)
        hold.add_argument("--reason", required=True)
        hold.set_defaults(run=_hold, hold=name)
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="print one JSON value")


def _new(options: argparse.Namespace) -> Answer:
    study = read_study(options.study)
    if isinstance(study, tuple):
        return refused(study)
    if occupied(options.store):
        return refused((problem("cli.folder-not-empty", str(options.store)),))
    desk = create_store(options.store, study, options.purpose)
    if isinstance(desk, tuple):
        return refused(desk)
    desk.close()
    says = told(f"cli.made-{options.purpose}", path=options.store, study=study.id)
    return done({"store": str(options.store)}, says)


def _with_desk(store: Path, act: Callable[[Desk], tuple[Problem, ...]], said: str) -> Answer:
    desk = open_desk(store)
    if isinstance(desk, Problem):
        return refused((desk,))
    try:
        problems = act(desk)
    finally:
        desk.close()
    return refused(problems) if problems else done({"done": said}, said)


def _release(options: argparse.Namespace) -> Answer:
    study = read_study(options.study)
    if isinstance(study, tuple):
        return refused(study)
    return _with_desk(
        options.store,
        lambda desk: release(desk, study),
        told("amendments.version-released", version=study.version),
    )


def _site(options: argparse.Namespace) -> Answer:
    def act(desk: Desk) -> tuple[Problem, ...]:
        return open_site(desk, options.site, options.approval, options.on)

    return _with_desk(options.store, act, told("cli.site-open", site=options.site))


def _adopt(options: argparse.Namespace) -> Answer:
    def act(desk: Desk) -> tuple[Problem, ...]:
        return adopt(
            desk, options.site, options.version, options.approval, options.approved_on, options.on,
            staying=options.staying,
        )  # fmt: skip

    says = told("amendments.version-adopted", version=options.version, site=options.site, on=options.on)
    return _with_desk(options.store, act, says)


def _move(options: argparse.Namespace) -> Answer:
    desk = open_desk(options.store)
    if isinstance(desk, Problem):
        return refused((desk,))
    try:
        view = moves_page(desk, SYSTEM, options.site)
        lines: list[tuple[str, str, str]] = []
        if view is not None and options.forms:
            lines = [
                (one.name, f"{one.name}  {one.kept} -> {one.to}", one.number)
                for one in view.forms
                if not one.signed
            ]
        elif view is not None:
            lines = [
                (one.number, f"{one.number}  {one.now} -> {one.to}", one.number) for one in view.participants
            ]
        if options.participant:
            lines = [line for line in lines if line[2] in options.participant]
        key = options.key or secrets.token_urlsafe(12)
        names = [name for name, _, _ in lines]
        came = move(desk, SYSTEM, names, options.reason, key=key, dry=not options.do)
    finally:
        desk.close()
    if came is None or came.problems:
        return refused(came.problems if came is not None else ())
    said = told(
        f"amendments.moves-{'done' if options.do else 'dry'}",
        participants=came.participants,
        forms=came.forms,
    )
    value: Json = {"lines": list(names), "moved": bool(options.do)}
    return done(value, *(line for _, line, _ in lines), said)


def _grant(options: argparse.Namespace) -> Answer:
    if not options.name.strip():
        return refused((problem("cli.name-missing", "name"),))

    def act(desk: Desk) -> tuple[Problem, ...]:
        return add_person(desk, options.user, options.name, options.role, options.site)

    says = told("cli.granted", user=options.user, role=label_of(options.role))
    return _with_desk(options.store, act, says)


def _second_door(options: argparse.Namespace) -> Answer:
    command = EnrolSecondDoor(options.key.strip().lower())
    return _with_desk(options.store, lambda desk: give(desk, command), told("cli.second-door-known"))


def _hold(options: argparse.Namespace) -> Answer:
    command = (PauseEnrolment if options.hold == "pause" else ResumeEnrolment)(options.reason)
    return _with_desk(options.store, lambda desk: give(desk, command), told(f"cli.enrolment-{options.hold}"))

"""`equipoise allocation …`: design, make, publish and verify an allocation list.

`make`, and every step of a ceremony, run as a process of its own behind the second door, started by module name: this
program never holds an arm in its memory before the final release, and no file that it reads does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from equipoise.cli.answer import Answer, done, language, refused, told
from equipoise.cli.study import read_study
from equipoise.words.problem import Problem, problem

CEREMONY = "equipoise.vault.ceremony"
STEPS = {
    "begin": "begin a ceremony in steps",
    "commit": "commit to a seed",
    "reveal": "bring the seed that was committed to",
    "hold": "make the list from everybody's seeds",
    "abort": "end a ceremony without a list",
    "status": "say who committed and who brought a seed",
    "key": "make a pair of keys for a recipient of sealed slots",
    "open": "open one slot with a key of one's own, or two officers' keys",
}
"""Steps that are passed on to the ceremony as they were typed; `equipoise allocation STEP --help` asks it."""


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommands."""
    commands = subjects.add_parser("allocation", help="the allocation list").add_subparsers(required=True)
    design = commands.add_parser("design", help="say how easily the study's allocation could be guessed")
    design.add_argument("folder", type=Path)
    design.add_argument(
        "--over-bar-reason", metavar="TEXT", help="why a design is used that is easily guessed"
    )
    design.set_defaults(run=_design)
    make = commands.add_parser("make", help="make the list, in a process of its own behind the second door")
    _declare_make(make)
    verify = commands.add_parser(
        "verify", help="check the public files of a list, and after the release all of it"
    )
    verify.add_argument("public", type=Path)
    verify.add_argument("--release", type=Path, metavar="FILE", help="release.json of the final release")
    verify.add_argument(
        "--store", "--ledger", type=Path, metavar="PATH", dest="ledger",
        help="a store or archive of the first door: what was taken must be what was released",
    )  # fmt: skip
    verify.set_defaults(run=_verify)
    publish = commands.add_parser("publish", help="record the public side of a list in a store")
    publish.add_argument("store", type=Path)
    publish.add_argument("public", type=Path)
    publish.set_defaults(run=_publish)
    for command in (design, make, verify, publish):
        command.add_argument("--json", action="store_true", help="print one JSON value")
    for name, says in STEPS.items():
        step = commands.add_parser(name, help=says, add_help=False, prefix_chars="\0")
        step.add_argument("rest", nargs=argparse.REMAINDER)
        step.set_defaults(run=_step, step=name, json=False)


def _declare_make(make: argparse.ArgumentParser) -> None:
    make.add_argument("folder", type=Path)
    make.add_argument("--public", type=Path, required=True, metavar="DIR")
    make.add_argument("--vault", type=Path, required=True, metavar="DIR")
    make.add_argument(
        "--seed",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a person's seed, in a file named as the person",
    )
    make.add_argument("--interactive", action="store_true", help="ask each person for name and seed, unseen")
    make.add_argument(
        "--public-value",
        metavar="NAME",
        help="with --interactive: which public value is mixed in, asked for last",
    )
    make.add_argument("--few-seeds-reason", metavar="TEXT", help="why fewer than two persons bring a seed")
    make.add_argument(
        "--recipient", action="append", default=[], metavar="ACTOR:NAME=FILE", help="opens slots alone"
    )
    make.add_argument(
        "--officer", action="append", default=[], metavar="ACTOR:NAME=FILE", help="any two open slots"
    )
    make.add_argument("--over-bar-reason", metavar="TEXT", help="why a design is used that is easily guessed")
    make.add_argument("--rehearsal-seed", metavar="TEXT", help="a known seed; for rehearsals only")
    make.set_defaults(run=_make)


def _design(options: argparse.Namespace) -> Answer:
    study = read_study(options.folder)
    if isinstance(study, tuple):
        return refused(study)
    return make_process([str(options.folder), "--design", *_named(options, "over-bar-reason")])


def _make(options: argparse.Namespace) -> Answer:
    study = read_study(options.folder)
    if isinstance(study, tuple):
        return refused(study)
    if options.interactive and (
        options.seed or options.rehearsal_seed is not None or options.few_seeds_reason
    ):
        return Answer(2, None, (told("cli.seeds-typed-or-given"),))
    if options.public_value is not None and not options.interactive:
        return Answer(2, None, (told("cli.public-value-at-once"),))
    places = [str(options.folder), "--public", str(options.public), "--vault", str(options.vault)]
    arguments = [*places, *_named(options, "over-bar-reason", "public-value", "few-seeds-reason")]
    for name in ("seed", "recipient", "officer"):
        for value in getattr(options, name):
            arguments += [f"--{name}", str(value)]
    if options.interactive:
        return make_process(["together", *arguments], attended=True)
    return make_process([*arguments, *_named(options, "rehearsal-seed")])


def _named(options: argparse.Namespace, *names: str) -> list[str]:
    """The options that were given, as they are passed on."""
    given = [(name, getattr(options, name.replace("-", "_"))) for name in names]
    return [part for name, text in given if text is not None for part in (f"--{name}", text)]


def _step(options: argparse.Namespace) -> Answer:
    return make_process([options.step, *options.rest], attended=True)


def make_process(arguments: list[str], *, attended: bool = False) -> Answer:
    """Run the ceremony as a process of its own and pass on what it says in public.

    attended: it may ask the person at the terminal; what it asks and refuses goes there at once.
    """
    command = [sys.executable, "-m", CEREMONY, *arguments, "--language", language()]
    ran = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=None if attended else subprocess.PIPE,
        check=False, encoding="utf-8", errors="surrogateescape",
        env={**os.environ, "PYTHONIOENCODING": "utf-8:surrogateescape"},  # whatever letters our terminal knows
    )  # fmt: skip
    said = tuple(line for line in (ran.stdout + (ran.stderr or "")).splitlines() if line)
    return Answer(min(ran.returncode, 2), {"said": list(said)}, said)


def verify_list(public: Path, release: Path | None, ledger: Path | None) -> Answer:
    """Check the public side of a list, and where they are given the release and what a store took."""
    return _verify(argparse.Namespace(public=public, release=release, ledger=ledger))


def _verify(options: argparse.Namespace) -> Answer:
    from equipoise.randomization.program import program_hash
    from equipoise.randomization.public import read_public

    found = read_public(options.public)
    if isinstance(found, Problem):
        return refused((found,))
    other = found.content["program"] != program_hash()
    notes = [told("cli.list-of-another-program", program=found.content["program"])] if other else []
    problems = _release_faults(options) or _ledger_faults(options, found.root)
    if problems:
        return refused(problems)
    said = _said(options, found.root)
    return done({"root": found.root, "same_program": not other, "said": said}, *notes, said)


def _public_file(options: argparse.Namespace) -> Path:
    from equipoise.randomization.public import NAME

    folder: Path = options.public
    return folder / NAME if folder.is_dir() else folder


def _release_faults(options: argparse.Namespace) -> tuple[Problem, ...]:
    """What the stand-alone verifier finds, if a release was given."""
    from equipoise.randomization.verify_allocation import Disagrees, verify

    if options.release is None:
        return ()
    try:
        verify(_public_file(options).read_bytes(), options.release.read_bytes())
    except OSError as fault:
        return (problem("cli.cannot-read", str(fault.filename or ""), reason=fault.strerror or str(fault)),)
    except Disagrees as fault:
        return (problem("cli.release-disagrees", str(options.release), finding=fault),)
    return ()


def _said(options: argparse.Namespace, root: str) -> str:
    from equipoise.randomization.verify_allocation import verify

    if options.release is None:
        return f"ok root {root}"
    return verify(_public_file(options).read_bytes(), options.release.read_bytes())


def _ledger_faults(options: argparse.Namespace, root: str) -> tuple[Problem, ...]:
    """What the first door's ledger says otherwise than list and release."""
    from equipoise.cli.allocation_ledger import read_taken
    from equipoise.randomization.dispensing import release_faults, taken_faults

    if options.ledger is None:
        return ()
    ledger = read_taken(options.ledger)
    if isinstance(ledger, Problem):
        return (ledger,)
    if ledger.root != root:
        return (problem("randomization.release-of-another-ledger", "root"),)
    faults = taken_faults(ledger.slots, ledger.taken)
    if faults or options.release is None:
        return faults
    dispensed = json.loads(options.release.read_bytes())["dispensed"]
    return release_faults(
        root, [(each["number"], each["subject"], each["stratum"]) for each in dispensed], ledger
    )


def _publish(options: argparse.Namespace) -> Answer:
    from equipoise.desk.desk import open_desk
    from equipoise.desk.setup import publish_allocation

    desk = open_desk(options.store)
    if isinstance(desk, Problem):
        return refused((desk,))
    try:
        problems = publish_allocation(desk, options.public)
    finally:
        desk.close()
    if problems:
        return refused(problems)
    return done({"published": str(options.public)}, told("cli.allocation-published", path=options.public))

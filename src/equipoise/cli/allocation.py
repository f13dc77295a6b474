"""`equipoise allocation …`: design, make, publish and verify an allocation list.

`make` runs as a process of its own behind the second door, started by module name: this program never holds an
arm in its memory, and no file that it reads does.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from equipoise.cli.answer import Answer, done, language, refused, told
from equipoise.cli.study import read_study
from equipoise.words.problem import Problem

CEREMONY = "equipoise.vault.ceremony"


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommands."""
    commands = subjects.add_parser("allocation", help="the allocation list").add_subparsers(required=True)
    design = commands.add_parser("design", help="say how easily the study's allocation could be guessed")
    design.add_argument("folder", type=Path)
    design.set_defaults(run=_design)
    make = commands.add_parser("make", help="make the list, in a process of its own behind the second door")
    make.add_argument("folder", type=Path)
    make.add_argument("--public", type=Path, required=True, metavar="DIR")
    make.add_argument("--vault", type=Path, required=True, metavar="DIR")
    make.add_argument(
        "--seed", type=Path, action="append", default=[], metavar="FILE", help="a person's seed"
    )
    make.add_argument("--over-bar-reason", metavar="TEXT", help="why a design is used that is easily guessed")
    make.add_argument("--rehearsal-seed", metavar="TEXT", help="a known seed; for rehearsals only")
    make.set_defaults(run=_make)
    verify = commands.add_parser("verify", help="check the public files of a list")
    verify.add_argument("public", type=Path)
    verify.set_defaults(run=_verify)
    publish = commands.add_parser("publish", help="record the public side of a list in a store")
    publish.add_argument("store", type=Path)
    publish.add_argument("public", type=Path)
    publish.set_defaults(run=_publish)
    for command in (design, make, verify, publish):
        command.add_argument("--json", action="store_true", help="print one JSON value")


def _design(options: argparse.Namespace) -> Answer:
    study = read_study(options.folder)
    if isinstance(study, tuple):
        return refused(study)
    return make_process([str(options.folder), "--design"])


def _make(options: argparse.Namespace) -> Answer:
    study = read_study(options.folder)
    if isinstance(study, tuple):
        return refused(study)
    arguments = [str(options.folder), "--public", str(options.public), "--vault", str(options.vault)]
    for seed in options.seed:
        arguments += ["--seed", str(seed)]
    for name, text in (
        ("over-bar-reason", options.over_bar_reason),
        ("rehearsal-seed", options.rehearsal_seed),
    ):
        arguments += [f"--{name}", text] if text is not None else []
    return make_process(arguments)


def make_process(arguments: list[str]) -> Answer:
    """Run the ceremony as a process of its own and pass on what it says in public."""
    command = [sys.executable, "-m", CEREMONY, *arguments, "--language", language()]
    ran = subprocess.run(
        command, capture_output=True, check=False, encoding="utf-8", errors="surrogateescape",
        env={**os.environ, "PYTHONIOENCODING": "utf-8:surrogateescape"},  # whatever letters our terminal knows
    )  # fmt: skip
    said = tuple(line for line in (ran.stdout + ran.stderr).splitlines() if line)
    return Answer(min(ran.returncode, 2), {"said": list(said)}, said)


def _verify(options: argparse.Namespace) -> Answer:
    from equipoise.randomization.public import verify_public

    found = verify_public(options.public)
    if isinstance(found, Problem):
        return refused((found,))
    return done({"root": found}, f"ok root {found}")


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

"""Plays the terminal's commands in a world, after its doors were closed, and takes down what they print and write."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import sys
from pathlib import Path

from blind.people import PASSWORD, people
from blind.rights import TERMINAL
from blind.world import STUDY, World


def accounts(world: World) -> None:
    """Everybody has a password, made at the terminal before the door opens; its answers are not compared here."""
    for person in people():
        if person.first or person.role == "rater":
            run(world, ("account", "add", "door", person.actor, "--user", person.actor, "--role", person.role,
                        "--name", person.name), PASSWORD + "\n")  # fmt: skip


def run(world: World, words: tuple[str, ...], typed: str = "") -> tuple[int, str, str]:
    """One command in this process: exit status, standard output, standard error."""
    from equipoise.cli.main import main

    out, err, before = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.StringIO(typed)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = main(list(words))
            except SystemExit as ended:
                status = int(ended.code or 0)
    finally:
        sys.stdin = before
    return status, out.getvalue(), err.getvalue()


def play_terminal(world: World) -> None:
    """Every command of the table: three times with success, once refused."""
    from django.db import connections

    connections.close_all()
    world.desk.close()
    world.watch.state = "terminal"
    definitions()
    for name, row in TERMINAL.items():
        for words in (*row.succeed, *row.refuse):
            status = _played(world, name, words, row.typed)
            world.covered.append(("terminal", f"terminal {name}", status == 0, "terminal"))
    note_written(world)


def play_one(world: World, words: tuple[str, ...]) -> None:
    """One command, with what it writes."""
    _played(world, words[0], words[1:])
    note_written(world)


def _played(world: World, name: str, words: tuple[str, ...], typed: str = "") -> int:
    with world.heard("terminal", name):
        status, out, err = run(world, (*name.split(), *words), typed)
    world.watch.note("terminal", "terminal", name, f"{status}\n{out}\n{err}")
    return status


def note_written(world: World) -> None:
    """Every file that stands beside the doors."""
    kept = ("door", "oracle.json", "vault", "list", "public", "study", "changed")
    for path in sorted(Path().rglob("*")):
        if path.is_file() and path.parts[0] not in kept and not path.name.endswith(("-wal", "-shm")):
            world.watch.note("files", "terminal", str(path), path.read_bytes())


def definitions() -> tuple[Path, ...]:
    """The definition, and the same with another version, in folders beside the doors."""
    shutil.copytree(STUDY, "study")
    shutil.copytree(STUDY, "changed")
    file = Path("changed/study.yaml")
    text = file.read_text("utf-8")
    changed = re.sub(r"^version: .*$", 'version: "9.9"', text, count=1, flags=re.MULTILINE)
    assert changed != text
    file.write_text(changed, "utf-8")
    return Path("study"), Path("changed")

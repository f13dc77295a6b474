"""`equipoise ledger verify PATH`: check a store, an archive, or a folder holding one, trusting nothing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, cast

from equipoise.cli.answer import Answer
from equipoise.words.canonical import Json

if TYPE_CHECKING:
    from equipoise.desk.source_files import Checked


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommands."""
    commands = subjects.add_parser("ledger", help="check the ledger").add_subparsers(required=True)
    verify = commands.add_parser("verify", help="check every entry, chain, seal and checkpoint")
    verify.add_argument("path", type=Path, nargs="?", default=Path(".equipoise"))
    verify.add_argument("--json", action="store_true", help="print one JSON value")
    verify.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> Answer:
    from equipoise.ledger.verify import verify_path

    verdict = verify_path(options.path)
    files = _files(options.path)
    said = cast("dict[str, Json]", verdict.as_json())
    said |= {"files": files.named, "files_wrong": [one.say() for one in files.problems]}
    if not files.problems:
        return Answer(0 if verdict.ok else 1, said, tuple(verdict.lines()))
    said["ok"] = False
    wrong = tuple(one.say() for one in files.problems)
    return Answer(1, said, (*verdict.lines(), *wrong))


def _files(path: Path) -> Checked:
    """The scans beside a store, or beside an archive: there each is named by the digest of its content."""
    from equipoise.desk.source_files import check_files

    return check_files(path if path.is_dir() else path.parent)

"""`equipoise ledger verify PATH`: check a store, an archive, or a folder holding one, trusting nothing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import cast

from equipoise.cli.answer import Answer
from equipoise.words.canonical import Json


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
    return Answer(0 if verdict.ok else 1, cast("Json", verdict.as_json()), tuple(verdict.lines()))

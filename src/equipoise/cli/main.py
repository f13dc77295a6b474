"""`equipoise`: the table of commands. Each command lives in the file of its subject and is imported when called."""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Callable, Sequence

from equipoise.cli.answer import Answer, refused, show, unheard
from equipoise.ledger.store import StoreFault
from equipoise.words.problem import problem

_HALF = re.compile("[\ud800-\udfff]")
"""What is left of bytes that are no text."""
Command = Callable[[argparse.Namespace], Answer]

_SUBJECTS = (
    "study",
    "screen",
    "simulate",
    "fit",
    "store",
    "account",
    "ledger",
    "export",
    "analyse",
    "rehearse",
    "allocation",
    "knowledge",
    "queries",
    "serve",
    "vault",
    "demo",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit status; wrong usage ends with status 2, as argparse does."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="equipoise", description="Run a randomized, blinded clinical trial from one definition."
    )
    subjects = parser.add_subparsers(dest="subject", metavar="command", required=True)
    for name in _SUBJECTS:
        if not given or given[0] in (name, "-h", "--help"):
            importlib.import_module(f"equipoise.cli.{name}").declare(subjects)
        else:
            subjects.add_parser(name)
    options = parser.parse_args(given)
    for name, value in vars(options).items():
        if isinstance(value, str) and _HALF.search(value):
            parser.error(f"{name}: this holds bytes that are no text in UTF-8")
    answer = _answer(options)
    try:
        return show(answer, as_json=getattr(options, "json", False))
    except OSError as fault:
        return unheard(fault)


def _answer(options: argparse.Namespace) -> Answer:
    """What the command answers; a path that cannot be used, or a store that gives way, is an answer too."""
    run: Command = options.run
    try:
        return run(options)
    except StoreFault as fault:
        return refused((fault.problem,))
    except OSError as fault:
        return refused(
            (problem("cli.no-access", str(fault.filename or ""), reason=fault.strerror or str(fault)),)
        )
    except KeyboardInterrupt:
        return refused((problem("cli.interrupted"),))


if __name__ == "__main__":
    sys.exit(main())

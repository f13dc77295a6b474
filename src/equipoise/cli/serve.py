"""`equipoise serve [STORE]`: the first door's web pages on this machine; prints one URL."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from equipoise.cli.answer import Answer, done, refused
from equipoise.words.problem import Problem


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    command = subjects.add_parser("serve", help="serve a store's pages on this machine")
    command.add_argument("store", type=Path, nargs="?", default=Path(".equipoise"))
    command.add_argument("--port", type=port_number, default=8000, help="0 for any free port")
    command.add_argument("--channel", type=Path, metavar="SOCKET", help="where the second door listens")
    command.add_argument("--second-door", default="", metavar="URL", help="where people reach its pages")
    command.set_defaults(run=_serve)


def port_number(text: str) -> int:
    """A port as it is typed, 0 to 65535; anything else is wrong usage."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def _serve(options: argparse.Namespace) -> Answer:
    return serve_store(options.store, options.port, channel=options.channel, second_door=options.second_door)


def serve_store(
    store: Path,
    port: int,
    *,
    channel: Path | None = None,
    second_door: str = "",
    ready: Callable[[str], None] | None = None,
) -> Answer:
    """Serve until Ctrl-C. Exit 1 where the store or the port cannot be had.

    ready: what is done with the address once it answers; it is printed where None.
    """
    from equipoise.pages.serving import announce
    from equipoise.web.serve import serve

    refusal = serve(store, port=port, channel=channel, second_door=second_door, ready=ready or announce)
    return refused((refusal,)) if isinstance(refusal, Problem) else done(None)

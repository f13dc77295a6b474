"""Serving the second door: `python -m equipoise.vault.serve FOLDER`, a process of its own; Ctrl-C stops it.

It asks for the passphrase, opens the vault, listens on the channel, does what is due by the clock, and prints one
address once pages are answered. The rules that must stay true: the passphrase comes from a file, the keyboard or
standard input, never from an argument that `ps` would show; no core dump is written; a door that does not open says
why in one line. Exit: 0 stopped, 1 the answer is no, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import getpass
import pwd
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from equipoise.pages.serving import Opened, end_with_parent, serve_door
from equipoise.vault.keyring import harden
from equipoise.vault.opening import open_vault
from equipoise.vault.socket import serve_channel
from equipoise.vault.ticking import watch_clock
from equipoise.vault.web.settings import OWN_HOST, application
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Language


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a vault until Ctrl-C. The exit status."""
    options = _parser().parse_args(arguments)
    if options.end_with_parent:
        end_with_parent()
    harden()
    passphrase = read_passphrase(options.passphrase_file)
    if isinstance(passphrase, Problem):
        return refuse((passphrase,), options.language)
    hosts = tuple(options.answer_as)
    try:
        callers = {_uid(name) for name in options.caller} or None
    except KeyError as fault:
        return refuse((problem("vault.user-unknown", user=fault.args[0]),), options.language)

    def opening() -> Opened | Problem:
        harden()  # again: a lock of the memory is not handed on to the serving process
        return open_door(
            options.folder, passphrase, options.channel, callers=callers, hosts=hosts,
            second_factor=options.second_factor,
        )  # fmt: skip

    refused = serve_door(opening, options.host, options.port, name=OWN_HOST)
    return refuse((refused,) if refused is not None else (), options.language)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vault serve", description="Serve the second door's pages.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8001, help="0 for any free port")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument(
        "--answer-as", action="append", default=[], metavar="NAME", help="a further host name"
    )
    parser.add_argument("--channel", type=Path, metavar="SOCKET", help="where the first door is listened to")
    parser.add_argument(
        "--caller",
        action="append",
        default=[],
        metavar="USER",
        help="whom the channel answers: the first door's user",
    )
    parser.add_argument(
        "--second-factor",
        action="store_true",
        help="everybody gives one-time codes, but for opening one code",
    )
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE")
    parser.add_argument(
        "--end-with-parent", action="store_true", help="stop when the starting process is gone"
    )
    parser.add_argument("--language", choices=("en", "zh"), default="en", help="of what is refused")
    return parser


def open_door(
    folder: Path,
    passphrase: str,
    channel: Path | None,
    *,
    callers: Collection[int] | None = None,
    hosts: tuple[str, ...] = (),
    second_factor: bool = False,
) -> Opened | Problem:
    """Unlock the vault, listen on the channel, watch the clock, and make the application over it.

    callers: ids of the users whose processes are answered on the channel; this process's own where None.
    second_factor: whether everybody has to have one.
    """
    vault = open_vault(folder, passphrase)
    if isinstance(vault, Problem):
        return vault
    closing: list[Callable[[], None]] = [vault.close]
    if channel is not None:
        try:
            closing.insert(0, serve_channel(vault, channel, callers))
        except OSError as fault:
            vault.close()
            return problem("vault.no-channel", str(channel), detail=fault.strerror or fault)
    closing.insert(0, watch_clock(vault))
    made = application(vault, folder, vault.web_secret, hosts=hosts, second_factor=second_factor)

    def close() -> None:
        for each in closing:
            each()

    return Opened(made, close)


def _uid(name: str) -> int:
    """The id of a user. Raises KeyError where there is none."""
    return int(name) if name.isdigit() else pwd.getpwnam(name).pw_uid


def read_passphrase(file: Path | None) -> str | Problem:
    """From the file, unseen from the keyboard, or the first line of standard input where that is no terminal."""
    if file is not None:
        try:
            return file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as fault:
            detail = fault.strerror if isinstance(fault, OSError) else type(fault).__name__
            return problem("vault.passphrase-unreadable", str(file), detail=detail)
    if sys.stdin is not None and sys.stdin.isatty():
        return getpass.getpass("passphrase of the second door: ")
    return sys.stdin.readline().rstrip("\r\n") if sys.stdin is not None else ""


def refuse(problems: Sequence[Problem], language: Language) -> int:
    """Say what stands against it, if anything does; the exit status."""
    for each in problems:
        sys.stderr.write(f"{each.where + ': ' if each.where else ''}{each.say(language)}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

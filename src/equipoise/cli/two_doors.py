"""Both doors of a demonstration beside each other: the second as a process of its own, the first in this one.

The rules that must stay true: this program never reads the second door's store or key, it only starts the process that
does; whatever ends the demonstration ends both doors; two addresses are printed, the first door's first, once both
answer; the socket between them lies in a folder that nobody else may enter.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from equipoise.cli.answer import Answer, language, refused
from equipoise.cli.serve import serve_store
from equipoise.cli.vault import SERVE, TERMINAL, environment, module
from equipoise.desk.courier import Courier
from equipoise.desk.desk import Desk
from equipoise.desk.line import SocketLine
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem

PORT, VAULT_PORT = 8000, 8001
PASSPHRASE = "demo-passphrase"
"""The file in a demonstration's vault that holds its passphrase, so that it can be served again: a rehearsal's only."""
PATIENCE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports asked for; None: the usual one, or any free one where that is taken."""

    first: int | None = None
    second: int | None = None


def serve_both(store: Path, vault: Path, ports: Ports) -> Answer:
    """Serve both doors until Ctrl-C, or say why one of them cannot be."""
    first_port, second_port = chosen_port(ports.first, PORT), chosen_port(ports.second, VAULT_PORT)
    if isinstance(first_port, Problem):
        return refused((first_port,))
    if isinstance(second_port, Problem):
        return refused((second_port,))
    with _socket_place() as socket:
        arguments = [str(vault), "--port", str(second_port), "--channel", str(socket)]
        with _process(SERVE, [*arguments, "--end-with-parent"], vault) as second:
            address = _first_line(second)
            if not address:
                return _gave_up(second)

            def ready(first: str) -> None:
                sys.stdout.write(f"{first}\n{address}\n")
                sys.stdout.flush()

            return serve_store(store, first_port, channel=socket, second_door=address, ready=ready)


def introduce(desk: Desk, vault: Path, people: Sequence[Json]) -> tuple[Problem, ...]:
    """Tell the second door what stands at the first, then enrol the made-up people there.

    people: objects with `actor`, `name`, `name_zh`, `purposes`. The vault must be a rehearsal's.
    """
    with _socket_place() as socket:
        arguments = ["stage", str(vault), "--channel", str(socket)]
        with _process(TERMINAL, arguments, vault, typed=True) as second:
            if _first_line(second) != "ready":
                return _gave_up(second).problems
            stopped = Courier(desk, SocketLine(socket)).exchange()
            complaint = second.communicate("" if stopped else json.dumps(list(people)) + "\n")[1]
            if stopped is not None:
                return (stopped,)
            if second.returncode:
                return (problem("cli.second-door-failed", reason=_one_line(complaint)),)
    return ()


@contextmanager
def _socket_place() -> Iterator[Path]:
    """The path of a socket in a folder of our own: short, since the name of a socket may not be long."""
    with tempfile.TemporaryDirectory(prefix="equipoise-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "channel"


@contextmanager
def _process(
    name: str, arguments: Sequence[str], vault: Path, *, typed: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """A process of the second door, ended when this is left."""
    process = subprocess.Popen(
        [*module(name), *arguments, "--passphrase-file", str(vault / PASSPHRASE), "--language", language()],
        stdin=subprocess.PIPE if typed else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8", errors="surrogateescape", env=environment(),
    )  # fmt: skip
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Ask the process to stop, wait, and make it stop where it does not."""
    if process.poll() is None:
        process.terminate()
    while True:
        try:
            process.communicate(timeout=PATIENCE_SECONDS)
            return
        except subprocess.TimeoutExpired:
            process.kill()
        except KeyboardInterrupt:
            continue
        except ValueError:  # its pipes were closed before
            process.wait(PATIENCE_SECONDS)
            return


def _first_line(process: subprocess.Popen[str]) -> str:
    return process.stdout.readline().strip() if process.stdout is not None else ""


def _gave_up(process: subprocess.Popen[str]) -> Answer:
    """Why the second door did not open, in its own words."""
    complaint = ""
    with contextlib.suppress(subprocess.TimeoutExpired):
        complaint = process.communicate(timeout=PATIENCE_SECONDS)[1]
    found = problem("cli.second-door-failed", reason=_one_line(complaint))
    return Answer(1, {"problems": [found.say(language())]}, (found.say(language()),), (found,))


def _one_line(said: str) -> str:
    return " ".join(said.split()) or "–"


def chosen_port(asked: int | None, usual: int) -> int | Problem:
    """The port asked for, or why it cannot be had; otherwise the usual one, or 0 where that is taken."""
    from equipoise.pages.serving import free_port

    found = free_port("127.0.0.1", usual if asked is None else asked)
    if isinstance(found, Problem):
        return 0 if asked is None else found
    return usual if asked is None else asked

"""Serving one door: one process, two threads, on one address; Ctrl-C stops it.

The rules that must stay true: exactly one process writes to a store (SQLite has one writer, and the store is locked),
so there is one worker; one line is printed, the address, and only once a request would be answered; a store or a port
that cannot be had is a Problem, never a traceback; no process outlives the one that started it.
"""

from __future__ import annotations

import ctypes
import errno
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.util import Finalize
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.server import Server

from equipoise.ledger.store import StoreFault
from equipoise.words.problem import Problem, problem

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]  # Any: WSGI's own
THREADS = 2
"""One for a save, one for the page somebody else opens meanwhile; more would only wait for the one writer."""
GRACE_SECONDS = 2
"""After Ctrl-C, requests under way have this long; a browser's idle connection would otherwise hold the server up."""
_PARENT_DEATH_SIGNAL = 1  # Linux prctl(2): PR_SET_PDEATHSIG


@dataclass(frozen=True, slots=True)
class Opened:
    """What is served, and what is to be done when the serving process ends."""

    application: Application
    close: Callable[[], None]


def announce(address: str) -> None:
    """Print the address."""
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()


def serve_door(
    opening: Callable[[], Opened | Problem],
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    name: str = "",
    ready: Callable[[str], None] = announce,
) -> Problem | None:
    """Serve until Ctrl-C. Port 0 takes any free one. Returns why it could not, or None.

    opening: called in the serving process; opens the store and makes the application. name: the host as the address
    says it, when that is another than `host`. ready: called in the serving process with the address, when it answers.
    """
    chosen = free_port(host, port)
    if isinstance(chosen, Problem):
        return chosen
    address = f"http://{name or host}:{chosen}/"
    report, tell = multiprocessing.Pipe(duplex=False)
    server = Server(
        "equipoise.pages.serving",
        address=host,
        port=chosen,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        http=HTTPModes.http1,
        workers_kill_timeout=GRACE_SECONDS,
        log_enabled=False,
    )

    def load(target: str) -> Application:
        return _load(opening, tell, lambda: _when_open(host, chosen, lambda: ready(address)))

    try:
        server.serve(target_loader=load)
    except SystemExit:
        if not report.poll():
            raise
    found = report.recv() if report.poll() else None
    return found if isinstance(found, Problem) else None


def _load(
    opening: Callable[[], Opened | Problem], tell: Connection, opened: Callable[[], None]
) -> Application:
    """Runs in the serving process: open what is served; end the process where that fails."""
    end_with_parent()
    try:
        made = opening()
    except StoreFault as fault:
        made = fault.problem
    if isinstance(made, Problem):
        tell.send(made)
        raise SystemExit(1) from None
    Finalize(None, made.close, exitpriority=1)  # at the end of a worker, where atexit does not run
    threading.Thread(target=opened, daemon=True).start()
    return made.application


def free_port(host: str, port: int) -> int | Problem:
    """The port, or a free one for 0. Bound once and let go: the server binds it again a moment later."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            rule = "pages.port-in-use" if taken else "pages.address-not-ours"
            return problem(rule, f"{host}:{port}", host=host, port=port, reason=error.strerror or error)
        return int(probe.getsockname()[1])


def _when_open(host: str, port: int, then: Callable[[], None]) -> None:
    for _ in range(600):
        try:
            with socket.create_connection((host, port), timeout=1):
                break
        except OSError:
            time.sleep(0.05)
    then()


def end_with_parent() -> None:
    """A server must not outlive a killed parent: it would keep the store's lock and the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() == 1:
            raise SystemExit(1)

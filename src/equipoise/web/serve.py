"""Serving one store: one process, two threads, on one address; Ctrl-C stops it.

The rules that must stay true: exactly one process writes to a store (SQLite has one writer, and the desk holds a
lock), so there is one worker; one line is printed, the address, and only once a request would be answered; a
store or a port that cannot be had is a Problem, never a traceback.
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
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.util import Finalize
from pathlib import Path

from granian.constants import HTTPModes, Interfaces
from granian.server import Server

from equipoise.desk.front import open_front
from equipoise.ledger.store import StoreFault
from equipoise.web.wsgi import Application, application
from equipoise.words.problem import Problem, problem

THREADS = 2
"""One for a save, one for the page somebody else opens meanwhile; more would only wait for the one writer."""
GRACE_SECONDS = 2
"""After Ctrl-C, requests under way have this long; a browser's idle connection would otherwise hold the server up."""
_PARENT_DEATH_SIGNAL = 1  # Linux prctl(2): PR_SET_PDEATHSIG


def announce(address: str) -> None:
    """Print the address."""
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()


def serve(
    store: Path, host: str = "127.0.0.1", port: int = 0, *, ready: Callable[[str], None] = announce
) -> Problem | None:
    """Serve the store's pages until Ctrl-C. Port 0 takes any free one. Returns why it could not, or None.

    ready: called in the serving process with the address, when it answers.
    """
    chosen = _free_port(host, port)
    if isinstance(chosen, Problem):
        return chosen
    address = f"http://{host}:{chosen}/"
    report, tell = multiprocessing.Pipe(duplex=False)
    server = Server(
        "equipoise.web.wsgi",
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
        return _load(store, host, tell, lambda: _when_open(host, chosen, lambda: ready(address)))

    try:
        server.serve(target_loader=load)
    except SystemExit:
        if not report.poll():
            raise
    found = report.recv() if report.poll() else None
    return found if isinstance(found, Problem) else None


def _load(store: Path, host: str, tell: Connection, opened: Callable[[], None]) -> Application:
    """Runs in the serving process: open the desk, make the application; end the process where that fails."""
    _end_with_parent()
    try:
        desk = open_front(store)
        if isinstance(desk, Problem):
            raise StoreFault(desk)
        Finalize(desk, desk.close, exitpriority=1)  # at the end of a worker, where atexit does not run
        made = application(desk, store, (host,))
    except StoreFault as fault:
        tell.send(fault.problem)
        raise SystemExit(1) from None
    threading.Thread(target=opened, daemon=True).start()
    return made


def _free_port(host: str, port: int) -> int | Problem:
    """The port, or a free one for 0. Bound once and let go: the server binds it again a moment later."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            rule = "web.port-in-use" if taken else "web.address-not-ours"
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


def _end_with_parent() -> None:
    """The worker must not outlive a killed parent: it would keep the store's lock and the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() == 1:
            raise SystemExit(1)

"""A server process of our own and what tests do with it: start, kill, restart, come in, wait until all is saved."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from demonstrated import COMMAND

MOVING = Path(__file__).with_name("moving.py")
WAIT = 30_000  # milliseconds; a slow machine is not a fault
VIEW = {"width": 1200, "height": 770}


class Served:
    """One server process on one store."""

    def __init__(self, store: Path, port: int = 0, clock: Path | None = None) -> None:
        self.store = store
        self.clock = clock
        self.process: subprocess.Popen[str] | None = None
        self.address = ""
        self.start(port)

    @property
    def port(self) -> int:
        return int(re.search(r":(\d+)/", self.address)[1])

    def start(self, port: int) -> None:
        """Start and wait for the one line that says where."""
        command = [*COMMAND, "serve", str(self.store), "--port", str(port)]
        if self.clock is not None:
            command = [sys.executable, str(MOVING), str(self.store), str(self.clock), str(port)]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.address = self.process.stdout.readline().strip()
        if not self.address.startswith("http"):
            pytest.fail(f"the server did not start: {self.process.communicate(timeout=10)[1]}")

    def kill(self) -> None:
        """As a power cut ends it: no chance to finish anything."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def restart(self) -> None:
        """Again, where it was."""
        self.start(self.port)

    def stop(self) -> int:
        """As Ctrl-C ends it; the exit status."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.communicate(timeout=15)
        return self.process.returncode


class SlowLine:
    """A line to a server on which each question takes its time, as over a bad connection."""

    def __init__(self, port: int, seconds: float) -> None:
        self._target, self._seconds = port, seconds
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                inner, _ = self._listener.accept()
            except OSError:
                return
            outer = socket.create_connection(("127.0.0.1", self._target))
            for source, sink, wait in ((inner, outer, self._seconds), (outer, inner, 0.0)):
                threading.Thread(target=self._pump, args=(source, sink, wait), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, wait: float) -> None:
        try:
            while data := source.recv(65536):
                time.sleep(wait)
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                end.close()

    def close(self) -> None:
        self._listener.close()


def enter(page: Page, address: str, role: str = "coordinator") -> None:
    """Come in through the role chooser, as the first person in a role."""
    page.goto(address)
    page.locator(f"form:has(input[value={role}]) button").first.click()
    page.wait_for_url("**/reads" if role == "reader" else "**/today")


def saved(page: Page) -> None:
    """Wait until nothing typed on the form page is unsaved."""
    expect(page.locator("#save-state")).to_have_text(
        re.compile(r"^\s*(Saved|Complete|已保存|已完成) ?[\d,，]"), timeout=20_000
    )


def serve_copy(store: Path, folder: Path) -> Iterator[Served]:
    """A server on a copy of the store, stopped afterwards."""
    shutil.copytree(store, folder / "store")
    served = Served(folder / "store")
    yield served
    served.kill()  # quick, and the store is thrown away


def held_back(page: Page) -> Callable[[], None]:
    """Let the interpreter of the checks not arrive, as over a bad connection, until what this returns is called."""
    held: list[Route] = []
    page.route("**/expressions.js*", lambda route: held.append(route))  # noqa: PLW0108  # it wants a function

    def release() -> None:
        assert held, "the page asked for no interpreter"
        for route in held:
            route.continue_()
        page.unroute("**/expressions.js*")

    return release

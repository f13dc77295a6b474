"""The second door of a rehearsal, seen from its stage: a process of its own, told line by line what its people do.

The rules that must stay true: this program never reads that door's store or key; clock and chance go there with every
line; whatever ends the rehearsal ends that process. The deliveries of the first door go over the channel's socket.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

PROGRAM = "equipoise.vault.rehearsing"
PATIENCE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class DoorPages:
    """Pages of the second door beside its line: their port, and the first door's address, where time is moved."""

    port: int
    first_door: str


class DoorFault(Exception):
    """The second door refused what the rehearsal asked of it, or went away."""

    def __init__(self, found: Problem) -> None:
        super().__init__(found.say("en"))
        self.problem = found


class SecondDoor:
    """One process of the second door. Use as a context manager; `ask` once it was begun."""

    def __init__(self, folder: Path, pages: DoorPages | None = None) -> None:
        self._folder = folder
        self._place = tempfile.TemporaryDirectory(prefix="equipoise-", ignore_cleanup_errors=True)
        self.socket = Path(self._place.name) / "channel"
        self._process = subprocess.Popen(
            [sys.executable, "-m", PROGRAM, str(folder), *_pages(pages)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8:surrogateescape"},
        )  # fmt: skip

    def __enter__(self) -> SecondDoor:
        """The door itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process: first by ending what it reads, then by force."""
        process = self._process
        try:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(PATIENCE_SECONDS)
        except (subprocess.TimeoutExpired, OSError):
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        self._place.cleanup()

    def ask(self, do: str, at: dt.datetime, **given: Any) -> dict[str, Any]:  # Any: JSON
        """What the door answers to one line. Raises DoorFault where it refuses or is gone."""
        process = self._process
        asking, answering = process.stdin, process.stdout
        line = ""
        if asking is not None and answering is not None:
            with contextlib.suppress(OSError):
                asking.write(json.dumps({"do": do, "at": at.isoformat(), **given}) + "\n")
                asking.flush()
                line = answering.readline()
        if not line:
            said = process.stderr.read() if process.stderr is not None else ""
            last = next(reversed([each for each in said.splitlines() if each.strip()]), "–")
            raise DoorFault(problem("rehearsal.second-door-gone", str(self._folder), reason=last))
        came: dict[str, Any] = json.loads(line)
        if "problems" in came:
            first = next(iter(came["problems"]), {"en": "–", "zh": "–"})
            why = Text(str(first["en"]), str(first["zh"]))
            raise DoorFault(problem("rehearsal.second-door-refused", do, asked=do, why=why))
        return came


def _pages(pages: DoorPages | None) -> list[str]:
    return [] if pages is None else ["--port", str(pages.port), "--first-door", pages.first_door]

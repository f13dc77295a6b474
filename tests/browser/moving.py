"""`python moving.py STORE CLOCK [PORT]`: the pages of a rehearsal store whose time is what a file says, and goes on from there.

The file holds a moment (UTC, ISO). Writing another moves the time, so that twelve months pass in a browser test. It is a
way into a rehearsal's clock that the program itself has for rehearsals only: a trial's store refuses it.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]


class FileClock:
    """What the file says, plus the time since it last said something else."""

    def __init__(self, file: Path) -> None:
        self._file, self._said, self._since = file, "", time.monotonic()

    def __call__(self) -> dt.datetime:
        said = self._file.read_text("utf-8").strip()
        if said != self._said:
            self._said, self._since = said, time.monotonic()
        return dt.datetime.fromisoformat(said) + dt.timedelta(seconds=time.monotonic() - self._since)


def main(store: Path, clock: Path, port: int = 0) -> int:
    """Serve until the process is ended."""
    from equipoise.desk.front import open_front
    from equipoise.pages.serving import Opened, serve_door
    from equipoise.web.wsgi import application
    from equipoise.words.problem import Problem

    def opening() -> Opened | Problem:
        desk = open_front(store, clock=FileClock(clock))
        if isinstance(desk, Problem):
            return desk
        return Opened(application(desk, store, ("127.0.0.1",)), desk.close)

    refusal = serve_door(opening, port=port)
    if refusal is not None:
        print(refusal.say())
    return 0 if refusal is None else 1


if __name__ == "__main__":
    sys.path.insert(0, str(HERE / "src"))
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0))

"""When a desk makes its checkpoints: beside the work, at once after many entries, otherwise within a minute.

The rule that must stay true: a checkpoint reads the whole ledger back, so after one the desk rests a hundred times as
long as it took; untimed nothing strikes by itself (decision 0036).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

CHECKPOINT_EVERY = 256
"""Entries after which a checkpoint is made at once."""
CHECKPOINT_WITHIN = 60.0
"""Seconds after which what was written stands in a checkpoint."""


class Pacing:
    """Counts what was written, and has `publish` called in a thread of its own. `timed`: whether it goes by a timer."""

    def __init__(self, publish: Callable[[], object], *, timed: bool) -> None:
        self._publish, self._timed = publish, timed
        self._unchecked, self._rested_at = 0, 0.0
        self._counting = threading.Lock()
        self._timer: threading.Timer | None = None

    def count(self, entries: int) -> None:
        """So many entries were written: at once when enough was since the last checkpoint, else soon."""
        with self._counting:
            self._unchecked += entries
            enough, waiting = self._unchecked >= CHECKPOINT_EVERY, self._timer
            if not self._timed or (
                waiting is not None
                and waiting.is_alive()
                and not (enough and waiting.interval == CHECKPOINT_WITHIN)
            ):
                return
            if waiting is not None:
                waiting.cancel()
            rest = max(self._rested_at - time.monotonic(), 0.0)
            self._timer = threading.Timer(rest if enough else CHECKPOINT_WITHIN, self._strike)
            self._timer.daemon = True
            self._timer.start()

    def _strike(self) -> None:
        with self._counting:
            self._unchecked = 0
        begun = time.monotonic()
        self._publish()
        self._rested_at = time.monotonic() + 100 * (time.monotonic() - begun)

    def stop(self) -> None:
        """Call the timer off, and publish what is not in a checkpoint yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        if self._unchecked:
            self._publish()

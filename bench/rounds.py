"""Bounded rounds of work by many at once: n workers repeat one action until a time or a count is reached.

Latencies are taken around the action alone. The load comes from this machine and goes to this machine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

Action = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Round:
    """What one round gave: milliseconds of every action in ascending order, wall seconds, and what went wrong."""

    taken_ms: tuple[float, ...]
    wall_s: float
    faults: tuple[str, ...]

    @property
    def rate(self) -> float:
        """Actions per second of wall time, all workers together."""
        return len(self.taken_ms) / self.wall_s if self.wall_s else 0.0

    def percentile(self, percent: float) -> float:
        """The nearest-rank percentile in milliseconds; NaN for an empty round."""
        if not self.taken_ms:
            return float("nan")
        rank = max(1, -(-len(self.taken_ms) * percent // 100))
        return self.taken_ms[int(rank) - 1]


def run_round(
    make: Callable[[int], Action], *, workers: int, seconds: float, actions_max: int = 1_000_000
) -> Round:
    """Run `workers` threads, each with the action that `make(worker)` gives it, for at most `seconds`.

    `make` prepares (opens connections, signs in) outside the measured time. A worker stops at its first fault, so a
    broken server cannot be taken for a fast one.
    """
    ready = threading.Barrier(workers + 1)
    taken: list[float] = []
    faults: list[str] = []
    stop_at = [0.0]

    def work(worker: int) -> None:
        try:
            action = make(worker)
        except Exception as fault:  # noqa: BLE001 - reported in the round; the barrier must still open
            faults.append(f"worker {worker}: {fault!r}")
            ready.wait()
            ready.wait()
            return
        mine: list[float] = []
        ready.wait()
        ready.wait()
        try:
            while time.perf_counter() < stop_at[0] and len(mine) < actions_max:
                start = time.perf_counter()
                action()
                mine.append((time.perf_counter() - start) * 1000)
        except Exception as fault:  # noqa: BLE001 - reported in the round
            faults.append(f"worker {worker}: {fault!r}")
        taken.extend(mine)

    threads = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in range(workers)]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    stop_at[0] = start + seconds
    ready.wait()
    for thread in threads:
        thread.join()
    return Round(tuple(sorted(taken)), time.perf_counter() - start, tuple(faults))

"""How fast the machine is at this moment: one fixed loop of pure Python, timed before and after the measurements.

A processor shared with others changes its speed from minute to minute; two tables may be compared only where their
loops agree, and differences below a fifth mean nothing.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from pathlib import Path

LOOPS = 20_000


def speed_loop() -> float:
    """Milliseconds for a fixed piece of work (hashing and dictionary writes); the best of five, so as to miss noise."""
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        seen: dict[bytes, int] = {}
        digest = b"equipoise"
        for number in range(LOOPS):
            digest = hashlib.sha256(digest).digest()
            seen[digest[:2]] = number
        best = min(best, time.perf_counter() - start)
    return best * 1000


def durable_write(folder: Path) -> float:
    """Milliseconds for one write of 4 KiB that is on disk when it returns (median of 50): what every save waits for."""
    path = folder / "durable"
    handle = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    taken = []
    try:
        for _ in range(50):
            start = time.perf_counter()
            os.pwrite(handle, b"x" * 4096, 0)
            os.fdatasync(handle)
            taken.append(time.perf_counter() - start)
    finally:
        os.close(handle)
        path.unlink()
    return sorted(taken)[25] * 1000


def description() -> str:
    """One line: processor cores this process may use, Python, system."""
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, Python {platform.python_version()}, {platform.system()} {platform.machine()}"

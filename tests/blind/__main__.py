"""`python -m tests.blind`: see `proof.main`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets must be the same in every world
        given = [sys.executable, "-m", "tests.blind", *sys.argv[1:]]
        os.execve(sys.executable, given, {**os.environ, "PYTHONHASHSEED": "0", "LANG": "C.UTF-8"})
    sys.path[:0] = [str(HERE), str(HERE.parent / "src")]
    from blind.proof import main

    raise SystemExit(main())

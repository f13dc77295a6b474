"""The same trial in R, where R is installed: one table written once, one program that prints its median seconds.

The rule that must stay true: R is timed inside R, after one fit that is not counted; what is not there, does not end or
gives no answer is a row that says so.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.table import Row

SECONDS = 120


def beside_r(
    folder: Path,
    table: Mapping[str, Sequence[Any]],
    size: str,
    script: str,
    asked: Mapping[str, tuple[str, ...]],
    *,
    times: int,
    compared: Callable[[float], str],
) -> Iterator[Row]:
    """A row for each kind of `asked` (kind -> packages it needs). script: reads file, kind and times from its words.

    compared: what is said of R's median in seconds.
    """
    program = shutil.which("Rscript")
    if program is None:
        yield Row("in R", size, note="R is not installed")
        return
    path, text = folder / "trial.csv", folder / "fit.R"
    text.write_text(script, "utf-8")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    for kind, needs in asked.items():
        name = f"R {'/'.join(needs)}"
        there = f"cat(all(sapply(c({','.join(map(json.dumps, needs))}), requireNamespace, quietly = TRUE)))"
        try:
            if _said(program, "-e", there) != "TRUE":
                yield Row(name, size, note="not installed")
                continue
            theirs = float(_said(program, str(text), str(path), kind, str(times)))
            yield Row(name, size, f"{1 / theirs:,.1f} fits/s", f"{1000 * theirs:.1f}", note=compared(theirs))
        except subprocess.TimeoutExpired:
            yield Row(name, size, note=f"not ended in {SECONDS} s, {times + 1} fits")
        except ValueError:
            yield Row(name, size, note="gave no answer")


def _said(*words: str) -> str:
    found = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
    return found.stdout.strip()

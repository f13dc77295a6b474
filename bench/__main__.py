"""`make bench`: every measurement as one table. About six minutes; `--seconds` sets the length of a round.

`--large` measures the lists of twenty thousand participants, too: some minutes more, and a gigabyte of disk.
`python -m bench PART …` measures only the parts named.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from bench.analysis_rounds import analysis_rows
from bench.blind_rounds import blind_rows
from bench.diary_rounds import diary_rows
from bench.ledger_rounds import ledger_rows
from bench.list_rounds import list_rows
from bench.machine import description, durable_write, speed_loop
from bench.ordinal_rounds import ordinal_rows
from bench.page_rounds import LARGE, SIZES, page_rows
from bench.phone_rounds import phone_rows
from bench.randomize_rounds import randomize_rows
from bench.report_rounds import LARGE as LARGE_REPORT
from bench.report_rounds import SIZES as REPORTS
from bench.report_rounds import report_rows
from bench.supply_rounds import supply_rows
from bench.table import Row, render
from bench.timing_rounds import timing_rows
from bench.web_rounds import web_rows

PARTS: Mapping[str, Callable[[Path, argparse.Namespace], Iterable[Row]]] = {
    "ledger": lambda folder, asked: ledger_rows(folder, seconds=asked.seconds),
    "randomize": lambda folder, asked: randomize_rows(folder, seconds=asked.seconds),
    "blind": lambda folder, asked: blind_rows(folder, seconds=asked.seconds),
    "list": lambda folder, _: list_rows(folder),
    "supply": lambda _, __: supply_rows(),
    "analysis": lambda folder, _: analysis_rows(folder),
    "ordinal": lambda folder, _: ordinal_rows(folder),
    "report": lambda folder, asked: report_rows(folder, (*REPORTS, LARGE_REPORT) if asked.large else REPORTS),
    "web": lambda folder, asked: web_rows(folder, seconds=asked.seconds),
    "pages": lambda folder, asked: page_rows(
        folder, seconds=asked.seconds, sizes=(*SIZES, LARGE) if asked.large else SIZES
    ),
    "diary": lambda folder, asked: diary_rows(folder, seconds=asked.seconds),
    "phone": lambda folder, _: phone_rows(folder),
    "timing": lambda folder, _: timing_rows(folder),
}
"""Part -> its rows, measured in a folder, as it was asked for."""


def main() -> None:
    """Measure in a folder beside the checkout's files, so that the disk is the one that a store would be on."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--seconds", type=float, default=5.0, help="the length of one round")
    parser.add_argument("--large", action="store_true", help="the lists of 20,000 participants, too")
    options = parser.parse_args()
    unknown = [name for name in options.part if name not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]}: {', '.join(PARTS)}")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as scratch:
        before, disk = speed_loop(), durable_write(Path(scratch))
        for name in options.part or PARTS:
            rows += PARTS[name](Path(scratch) / name, options)
        after = speed_loop()
    print(f"{description()}; rounds of {options.seconds:g} s; load and server share the cores")
    print(f"speed loop {before:.0f} ms before, {after:.0f} ms after; one durable write {disk:.2f} ms")
    print(render(rows))


if __name__ == "__main__":
    main()

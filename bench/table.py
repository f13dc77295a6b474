"""One table of measurements as plain text, one row for each thing measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.rounds import Round

HEADINGS = ("measured", "with", "rate", "p50 ms", "p95 ms", "p99 ms", "note")


@dataclass(frozen=True, slots=True)
class Row:
    """One line; numbers are already text, an empty cell is an empty text."""

    measured: str
    circumstances: str
    rate: str = ""
    p50: str = ""
    p95: str = ""
    p99: str = ""
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """The cells in the order of the headings."""
        return (self.measured, self.circumstances, self.rate, self.p50, self.p95, self.p99, self.note)


def row_of(measured: str, circumstances: str, unit: str, result: Round) -> Row:
    """The row of a round; faults are shown in it and never hidden."""
    note = (
        f"{len(result.faults)} faults, first: {result.faults[0]}"
        if result.faults
        else f"n={len(result.taken_ms)}"
    )
    p50, p95, p99 = (f"{result.percentile(percent):.1f}" for percent in (50, 95, 99))
    return Row(measured, circumstances, f"{result.rate:,.0f} {unit}/s", p50, p95, p99, note)


def render(rows: Iterable[Row]) -> str:
    """The table, columns aligned: numbers to the right."""
    lines: list[Sequence[str]] = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    right = {2, 3, 4, 5}

    def line_of(cells: Sequence[str]) -> str:
        parts = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(parts).rstrip()

    return "\n".join(
        [line_of(lines[0]), "  ".join("-" * width for width in widths), *map(line_of, lines[1:])]
    )

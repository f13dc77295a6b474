"""The answers of a simulation as files: tidy tables (CSV and JSON), one row a scenario and measure.

The rule that must stay true: no time of day, speed or path of this machine is in them, so that the same order gives
the same bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import cast

from equipoise.ledger.notes import write_whole
from equipoise.simulation.batch.characteristics import Figure
from equipoise.simulation.batch.run import Simulated
from equipoise.simulation.batch.scenario import Ready
from equipoise.words.canonical import Json
from equipoise.words.csv_text import csv_text

HEAD = (
    "scenario", "people", "participants", "leaving", "death", "trials", "measure", "value", "error", "low", "high",
)  # fmt: skip


def value_of(found: Simulated, ready: Ready) -> Json:
    """A scenario with its measures, as JSON; a number that there is not is null."""
    its = found.found[ready.scenario.id]
    value = {
        "id": ready.scenario.id,
        "digest": ready.digest,
        "people": ready.scenario.people,
        "participants": ready.participants,
        "leaving": ready.scenario.leaving,
        "death": ready.scenario.death,
        "trials": its.trials,
        "given_up": _given_up(found, ready),
        "measures": {
            name: dict(zip(HEAD[-4:], map(_number, (one.value, one.error, *_bounds(one))), strict=True))
            for name, one in its.figures.items()
        },
    }
    return cast(Json, value)


def _given_up(found: Simulated, ready: Ready) -> dict[str, float | int] | None:
    """Why a point of the grid has fewer trials; None where it has all."""
    why = found.given_up.get(ready.scenario.id)
    if why is None:
        return None
    return {"trials": why.trials, "power_at_most": float(f"{why.bound:.6g}"), "power_wanted": why.wanted}


def _number(value: float | None) -> float | None:
    return float(f"{value:.10g}") if value is not None and math.isfinite(value) else None


def write_tables(found: Simulated) -> Iterator[Path]:
    """characteristics.csv and characteristics.json in the folder of the order."""
    folder = found.order.folder
    if folder is None:
        return
    told = json.dumps([value_of(found, one) for one in found.scenarios], indent=1) + "\n"
    for name, text in (
        ("characteristics.csv", csv_text(HEAD, _rows(found))),
        ("characteristics.json", told),
    ):
        write_whole(folder / name, text)
        yield folder / name


def _rows(found: Simulated) -> Iterator[tuple[object, ...]]:
    for ready in found.scenarios:
        one, its = ready.scenario, found.found[ready.scenario.id]
        for name, figure in its.figures.items():
            numbers = (figure.value, figure.error, *_bounds(figure))
            yield (
                one.id, one.people, ready.participants, f"{one.leaving:g}", one.death, its.trials, name,
                *("" if number is None else _written(number) for number in numbers),
            )  # fmt: skip


def _bounds(figure: Figure) -> tuple[float | None, float | None]:
    return (None, None) if figure.interval is None else (figure.interval.low, figure.interval.high)


def _written(number: float) -> str:
    """Ten digits, never with an exponent: a spreadsheet program would take that for a text."""
    return f"{Decimal(f'{number:.10g}'):f}" if math.isfinite(number) else ""

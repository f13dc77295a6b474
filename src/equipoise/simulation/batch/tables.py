"""The answers of a simulation as files: tidy tables (CSV and JSON), one row a scenario and measure.

The rule that must stay true: no time of day, speed or path of this machine is in them, so that the same order gives
the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from equipoise.simulation.batch.run import Simulated
from equipoise.simulation.batch.scenario import Ready
from equipoise.words.canonical import Json

HEAD = ("scenario", "people", "participants", "leaving", "death", "trials", "measure", "value", "error")


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
        "measures": {
            name: {"value": _number(one.value), "error": None if one.error is None else _number(one.error)}
            for name, one in its.figures.items()
        },
    }
    return cast(Json, value)


def _number(value: float) -> float | None:
    return float(f"{value:.10g}") if math.isfinite(value) else None


def write_tables(found: Simulated) -> Iterator[Path]:
    """characteristics.csv and characteristics.json in the folder of the order."""
    folder = found.order.folder
    if folder is None:
        return
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    for ready in found.scenarios:
        one, its = ready.scenario, found.found[ready.scenario.id]
        for name, figure in its.figures.items():
            error = "" if figure.error is None else f"{figure.error:.10g}"
            writer.writerow(
                [
                    one.id,
                    one.people,
                    ready.participants,
                    f"{one.leaving:g}",
                    one.death,
                    its.trials,
                    name,
                    f"{figure.value:.10g}",
                    error,
                ]
            )
    for name, text in (
        ("characteristics.csv", out.getvalue()),
        (
            "characteristics.json",
            json.dumps([value_of(found, one) for one in found.scenarios], indent=1) + "\n",
        ),
    ):
        (folder / name).write_text(text, "utf-8")
        yield folder / name

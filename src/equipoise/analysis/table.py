"""A table that somebody gives, as columns of numbers, texts and None; and how values and rows are named in a message.

The rule that must stay true: nothing is guessed. A value that is not a number stays a text, and what is done with it
is decided by who asks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from equipoise.words.problem import Problem, problem

Value = float | str | None
Table = Mapping[str, Sequence[Value]]
_PARTS = re.compile(r"(\d+)")
_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:inf|infinity))")


def natural(label: str) -> tuple[tuple[int, float, str], ...]:
    """The order of labels in which VIS10 stands after VIS2."""
    return tuple(
        (0, float(part), "") if part.isdigit() else (1, 0.0, part) for part in _PARTS.split(label) if part
    )


def columns(data: Any) -> Mapping[str, list[Value]] | Problem:
    """Any data frame (pandas, polars, pyarrow) or mapping of columns as lists of numbers, texts and None."""
    if isinstance(data, Mapping):
        found = {str(name): list(values) for name, values in data.items()}
    else:
        import narwhals as nw

        try:
            frame = nw.from_native(data, eager_only=True)
        except TypeError:
            return problem("analysis.no-table", kind=type(data).__name__)
        found = {str(name): frame[name].to_list() for name in frame.columns}
    lengths = {len(values) for values in found.values()}
    if len(lengths) > 1:
        return problem("analysis.ragged")
    if not lengths or not max(lengths):
        return problem("analysis.no-rows")
    return {name: [_value(value) for value in values] for name, values in found.items()}


def _value(value: object) -> Value:
    if value is None or isinstance(value, str):
        return value if value is None or value.strip() else None
    if isinstance(value, bool | np.bool_):
        return float(value)
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        text = str(value)
        return None if text in ("nan", "NaT", "<NA>") else text
    return None if math.isnan(number) else number


def number(text: Value) -> float | None:
    """The number that a text writes, infinity included; None where it is no number."""
    return float(text) if isinstance(text, str) and _NUMBER.fullmatch(text) else None


def numeric(value: Value) -> bool:
    """Whether a text writes a finite number."""
    found = number(value)
    return found is not None and math.isfinite(found)


def label(value: Value) -> str:
    """A value as a level's name: 3.0 is "3"."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def row_numbers(rows: Sequence[int]) -> str:
    """Row numbers counted from 1 (the heading is not counted), at most ten."""
    shown = ", ".join(str(row + 1) for row in rows[:10])
    return shown + (f" … ({len(rows)})" if len(rows) > 10 else "")

"""Reference values of analyses other than MMRM (tests/vectors/analysis.json), and small doings with tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "analysis.json"


def references() -> dict[str, Any]:
    return json.loads(VECTORS.read_text("utf-8"))


def shuffled(table: dict[str, list[Any]], seed: int = 1) -> dict[str, list[Any]]:
    order = np.random.default_rng(seed).permutation(len(next(iter(table.values()))))
    return {name: [values[row] for row in order] for name, values in table.items()}


def without(table: dict[str, list[Any]], name: str, value: Any) -> dict[str, list[Any]]:
    """The rows in which the column has another value."""
    kept = [row for row, its in enumerate(table[name]) if its != value]
    return {column: [values[row] for row in kept] for column, values in table.items()}


def told(found: Any) -> set[tuple[str, str]]:
    """The problems of an answer that is none: their rules and places, their words complete in both languages."""
    assert isinstance(found, tuple), found
    for its in found:
        assert "{" not in its.say("en") + its.say("zh")
        assert its.rule not in (its.say("en"), its.say("zh"))
    return {(its.rule.removeprefix("analysis."), its.where) for its in found}

"""The expression language: criteria, edit checks, derivations, strata and skip logic.

CEL-like to read, FHIRPath-like in meaning: Kleene unknowns that carry their reasons, decimals as intervals,
partial dates, units. Small and total: no loops, no definitions, bounded trees, no exceptions at run time.
How it is written: docs/expressions.md.
"""

from __future__ import annotations

from equipoise.protocol.expressions.check import DATE, NUMBER, TEXT, TRUTH, Type, Types, check, type_of
from equipoise.protocol.expressions.evaluate import Explanation, evaluate, explain
from equipoise.protocol.expressions.nodes import Node, names
from equipoise.protocol.expressions.parser import parse
from equipoise.protocol.expressions.source import unparse
from equipoise.protocol.expressions.tree_json import from_json, to_json
from equipoise.protocol.expressions.values import (
    Code,
    DateValue,
    InstrumentValue,
    Logical,
    Number,
    Reason,
    Scope,
    Unknown,
    Value,
    as_date,
    as_logical,
    as_number,
    is_known,
    known_number,
    reasons_of,
)

__all__ = [
    "DATE",
    "NUMBER",
    "TEXT",
    "TRUTH",
    "Code",
    "DateValue",
    "Explanation",
    "InstrumentValue",
    "Logical",
    "Node",
    "Number",
    "Reason",
    "Scope",
    "Type",
    "Types",
    "Unknown",
    "Value",
    "as_date",
    "as_logical",
    "as_number",
    "check",
    "evaluate",
    "explain",
    "from_json",
    "is_known",
    "known_number",
    "names",
    "parse",
    "reasons_of",
    "to_json",
    "type_of",
    "unparse",
]

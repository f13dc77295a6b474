"""Expressions of a study by their source text: each is read once, then evaluated in as many scopes as needed.

The rule that must stay true: a source that cannot be read is an unknown of reason `type`, never an exception;
`equipoise study check` has named it before any participant exists.
"""

from __future__ import annotations

from functools import lru_cache

from equipoise.protocol.expressions import (
    Explanation,
    Node,
    Reason,
    Scope,
    Unknown,
    Value,
    evaluate,
    explain,
    names,
    parse,
)
from equipoise.words.problem import Problem


@lru_cache(maxsize=8192)
def tree(source: str) -> Node | Problem:
    """The tree of an expression, or what is wrong with it; kept, because sources are few and used often."""
    return parse(source)


def value_of(source: str, scope: Scope) -> Value:
    """What the expression is worth in a scope. Never raises."""
    node = tree(source)
    return Unknown((Reason("type"),)) if isinstance(node, Problem) else evaluate(node, scope)


def explanation_of(source: str, scope: Scope) -> Explanation:
    """The value of the expression and of each of its parts. Never raises."""
    node = tree(source)
    return (
        Explanation(source, Unknown((Reason("type"),))) if isinstance(node, Problem) else explain(node, scope)
    )


@lru_cache(maxsize=8192)
def names_in(source: str) -> frozenset[str]:
    """The names that an expression uses; none where it cannot be read."""
    node = tree(source)
    return frozenset() if isinstance(node, Problem) else names(node)

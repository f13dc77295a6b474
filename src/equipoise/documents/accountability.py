"""The accountability log: every unit of the product, from its receipt to its end, as the pharmacy's file wants it.

It is unblinded and is printed behind the second door only. Source: ICH E6(R3) 3.15.3 and 2.10 (accountability of the
investigational product).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.documents.sheet import Fact, Sheet, Table, sheet_pdf
from equipoise.documents.typeset import Issue, both

_COLUMNS = ("at", "what", "lot", "units", "subject", "bag", "by", "second", "left")
_WIDTHS = (14, 20, 12, 6, 10, 12, 12, 12, 7)


@dataclass(frozen=True, slots=True)
class AccountedUnit:
    """One line: when (as it is to be printed), what became of how many units of a lot, and what is left after it.

    `subject` is a screening number, `by` and `second` are persons as they are to be named. Empty where it has none.
    """

    at: str
    what: str
    lot: str
    units: str
    subject: str = ""
    bag: str = ""
    by: str = ""
    second: str = ""
    left: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """One lot at one place at the end: what came, was used, destroyed, is left, and was counted."""

    lot: str
    site: str
    received: str
    used: str
    destroyed: str
    left: str
    counted: str = ""


def accountability_pdf(
    site: str, lines: Sequence[AccountedUnit], balances: Sequence[Balance], issue: Issue
) -> bytes:
    """The log of one site (its name as printed) and the reconciliation of its lots."""
    log = Table(
        both("documents.accountability-lines"),
        tuple(both(f"documents.accountability-{name}") for name in _COLUMNS),
        _WIDTHS,
        tuple(tuple(getattr(line, name) for name in _COLUMNS) for line in lines),
    )
    names = ("lot", "received", "used", "destroyed", "left", "counted")
    reconciled = Table(
        both("documents.accountability-balance"),
        tuple(both(f"documents.accountability-{name}") for name in names),
        (3, 2, 2, 2, 2, 2),
        tuple(tuple(getattr(balance, name) for name in names) for balance in balances),
    )
    return sheet_pdf(
        Sheet(
            both("documents.accountability-title"),
            both("documents.accountability-lead"),
            (Fact(both("documents.accountability-site"), site),),
            (log, reconciled),
            signatures=(
                both("documents.accountability-pharmacist"),
                both("documents.accountability-witness"),
            ),
        ),
        issue,
    )

"""The accountability log: every unit of the product, from its receipt to its end, as the pharmacy's file wants it.

It is unblinded and is printed behind the second door only. Source: ICH E6(R3) 3.15.3 and 2.10 (accountability of the
investigational product).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from equipoise.documents.balance import LotBalance
from equipoise.documents.sheet import Fact, Sheet, Table, sheet_pdf
from equipoise.documents.typeset import Issue, both
from equipoise.words.text import Text

_COLUMNS = ("at", "what", "lot", "units", "subject", "bag", "by", "second", "note")
_WIDTHS = (16, 20, 12, 10, 9, 11, 12, 12, 18)
_BALANCE = (
    "lot",
    "product",
    "state",
    "expiry",
    "received",
    "in_stock",
    "quarantine",
    "used",
    "destroyed",
    "lost",
)
_BALANCE_WIDTHS = (12, 13, 12, 11, 9, 8, 10, 7, 10, 7)
ACTS: Mapping[str, str] = {
    "LotReceived": "documents.act-lot-received",
    "LotTested": "documents.act-lot-tested",
    "ShipmentReceived": "documents.act-shipment-received",
    "ExcursionRecorded": "documents.act-excursion-recorded",
    "ExcursionDecided": "documents.act-excursion-decided",
    "LotReleased": "documents.act-lot-released",
    "LotRejected": "documents.act-lot-rejected",
    "LotRecalled": "documents.act-lot-recalled",
    "BagsCalledBack": "documents.act-bags-called-back",
    "UnitsDestroyed": "documents.act-units-destroyed",
    "StockCounted": "documents.act-stock-counted",
    "UnitTaken": "documents.act-unit-taken",
    "PreparationFailed": "documents.act-preparation-failed",
    "BagPrepared": "documents.act-bag-prepared",
    "BagVerified": "documents.act-bag-verified",
    "BagHandedOver": "documents.act-bag-handed-over",
    "BagTakenBack": "documents.act-bag-taken-back",
    "BagDestroyed": "documents.act-bag-destroyed",
}
"""Kind of an entry of the stock -> message key of what became of the product."""


@dataclass(frozen=True, slots=True)
class AccountedUnit:
    """One line: when (as it is to be printed), what became of which units of a lot.

    `subject` is a screening number, `by` and `second` are persons as they are to be named. Empty where it has none.
    """

    at: str
    what: str
    lot: str = ""
    units: str = ""
    subject: str = ""
    bag: str = ""
    by: str = ""
    second: str = ""
    note: str = ""


def act(kind: str) -> str:
    """What became of the product, in both languages; the kind itself where it has no words."""
    words = both(ACTS[kind]) if kind in ACTS else Text(kind)
    return f"{words.en} {words.zh or ''}".strip()


def accountability_pdf(
    place: str, lines: Sequence[AccountedUnit], balances: Sequence[LotBalance], issue: Issue
) -> bytes:
    """The log of a place (its name as printed) and the reconciliation of its lots."""
    log = Table(
        both("documents.accountability-lines"),
        tuple(both(f"documents.accountability-{name}") for name in _COLUMNS),
        _WIDTHS,
        tuple(tuple(getattr(line, name) for name in _COLUMNS) for line in lines),
    )
    reconciled = Table(
        both("documents.accountability-balance"),
        tuple(both(f"documents.accountability-{name.replace('_', '-')}") for name in _BALANCE),
        _BALANCE_WIDTHS,
        tuple(tuple(str(getattr(balance, name)) for name in _BALANCE) for balance in balances),
    )
    settled = all(balance.adds_up for balance in balances)
    verdict = both("documents.accountability-settled" if settled else "documents.accountability-unsettled")
    return sheet_pdf(
        Sheet(
            both("documents.accountability-title"),
            both("documents.accountability-lead"),
            (Fact(both("documents.accountability-site"), place),),
            (log, reconciled),
            (verdict,),
            (both("documents.accountability-pharmacist"), both("documents.accountability-witness")),
            wide=True,
        ),
        issue,
    )

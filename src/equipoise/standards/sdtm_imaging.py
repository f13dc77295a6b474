"""Imaging in SDTM: each imaging as a procedure (PR), and what two blinded readers say of it as findings.

The rules that must stay true: an order that was neither done nor cancelled is no row, because nothing happened yet; a
central result that its form did not take over is a row of its own, told apart by --EVALID, and never replaces a value.
Source: CDISC SDTMIG 3.4, PR and the findings class (--EVAL, --EVALID).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from equipoise.capture.evolve import Place
from equipoise.capture.imaging.evolve import START, Order, evolve
from equipoise.ledger.entries import Datum, ImagingCancelled, ImagingPerformed, ReadingConcluded
from equipoise.protocol.forms import Item
from equipoise.protocol.study import Study
from equipoise.standards.sdtm_casebook import Casebook
from equipoise.standards.sdtm_rows import Row

PROCEDURES = "PR"
IMAGING_VARIABLES = ("PROCCUR", "PRREASOC", "PRSTDTC")
"""Variables of PR that imaging fills in beside term, category and identifier."""
CENTRAL = "CENTRAL READ"
"""--EVALID of what two blinded readers, and a third where they differ, say together. Not a CDISC term."""


@dataclass(frozen=True, slots=True)
class CentralResult:
    """One item of a central read: at which visit, of which day (ISO), and the entry that concluded it.

    held: the form at the visit holds the very same, so that its row is this result's.
    """

    visit: str
    on: str
    item: Item
    datum: Datum
    seq: int
    adjudicated: bool
    held: bool


def images_anything(study: Study) -> bool:
    """Whether the study plans imaging."""
    return bool(study.imaging.procedures)


def imaging_rows(book: Casebook) -> Iterator[Row]:
    """The PR rows of a subject's imaging, in the order in which it was ordered."""
    seqs = _last(book, (ImagingPerformed, ImagingCancelled))
    for order in _orders(book):
        if order.order not in seqs:
            continue
        planned = book.study.imaging.procedure(order.procedure)
        yield {
            "USUBJID": book.usubjid,
            "PRSPID": order.order,
            "PRTRT": planned.label.en.upper() if planned is not None else order.procedure,
            "PRCAT": "IMAGING",
            "PRPRESP": "Y",
            "PROCCUR": "N" if order.cancelled else "Y",
            "PRREASOC": order.cancelled or None,
            "PRSTDTC": None if order.cancelled else order.on,
            "EQLEDGER": book.reference(seqs[order.order]),
        }


def central_results(book: Casebook) -> Iterator[CentralResult]:
    """What the central reads concluded, by order and item; items marked revealing are not this door's."""
    seqs = _last(book, (ReadingConcluded,))
    for order in _orders(book):
        planned = book.study.imaging.procedure(order.procedure)
        form = book.study.form(planned.form) if planned is not None else None
        if form is None or order.order not in seqs:
            continue
        for name, datum in order.result.items():
            item = form.item(name)
            if item is not None and item.blinding == "open":
                adjudicated = name in order.adjudicated
                place = Place(order.visit, form.id, 1)
                held = book.capture.form(place).values.get(name) == datum
                yield CentralResult(order.visit, order.on, item, datum, seqs[order.order], adjudicated, held)


def _orders(book: Casebook) -> tuple[Order, ...]:
    return tuple(reduce(evolve, book.entries, START).orders.values())


def _last(book: Casebook, kinds: tuple[type, ...]) -> dict[str, int]:
    """The seq of the last entry of those kinds, by order."""
    return {
        str(getattr(recorded.entry, "order", "")): recorded.header.seq
        for recorded in book.entries
        if isinstance(recorded.entry, kinds)
    }

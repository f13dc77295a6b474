"""The recall of a lot: how long it takes to list everybody who got a unit of it.

Folded from entries as the second door folds them, then listed once; no store, no page, one process.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.table import Row
from equipoise.ledger import vault_entries as kinds
from equipoise.ledger.entries import Entry, Header, Recorded
from equipoise.vault.facts import Wanted
from equipoise.vault.stock.evolve import START, Stock, evolve
from equipoise.vault.stock.recall import affected

DOSES = 1000


def _entries(doses: int) -> Iterator[Entry]:
    serials = tuple(f"{number:06d}" for number in range(doses))
    yield kinds.LotReceived(
        "L", "cells", serials, "2030-01-01", "0" * 64, "P5", "2e7", "8", "90", "PASS", "PASS"
    )
    yield kinds.ShipmentReceived("S", "01", {"L": serials}, "0" * 64, "-170")
    for number, serial in enumerate(serials):
        request, subject, bag = f"r{number}", f"s{number}", f"{number:06d}"
        yield kinds.UnitTaken(request, subject, serial, "L")
        yield kinds.BagPrepared(request, subject, bag, "100", "2026-01-01T00:00:00Z", "3", "1")
        yield kinds.BagVerified(request, bag, "second", "2026-01-01T00:00:00Z")
        yield kinds.BagHandedOver(request, subject, bag, "2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z")


def _folded(doses: int) -> Stock:
    state = START
    for seq, entry in enumerate(_entries(doses), 1):
        header = Header(
            1, "bench", "stock", seq, "", entry.kind, "", "a", "BENCH", "2026-01-01T00:00:00Z", None, None, "k", 0,
            "", (),
        )  # fmt: skip
        state = evolve(state, Recorded(header, "", entry))
    return state


def supply_rows(doses: int = DOSES) -> Iterator[Row]:
    """The recall list of a lot with that many doses given."""
    state = _folded(doses)
    hung = {f"r{number}": f"{number:06d}" for number in range(doses)}
    wanted = {
        f"r{number}": Wanted(f"r{number}", f"s{number}", "D1", "", "70", "01") for number in range(doses)
    }
    start = time.perf_counter()
    listed = affected(state, "L", hung, wanted)
    passed = time.perf_counter() - start
    if len(listed) != doses:
        raise RuntimeError("the recall list is not whole")
    yield Row(
        "recall of a lot",
        f"{doses} doses given of it",
        f"{passed * 1000:.1f} ms",
        note="every participant listed",
    )

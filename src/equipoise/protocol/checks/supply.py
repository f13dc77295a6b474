"""How the product is handled: every dose can be asked for, judged, prepared and told from no other arm's.

The rules that must stay true: an arm has one product and a product one arm; the bench has the same steps for all, each
with a sham where a product has no cells to do it with, so that work and time are the same; limits are numbers that
can be reached. Source: reliability-security 2.2 (preparation and dispensing tell nothing), domain 5.3.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal, InvalidOperation

from equipoise.protocol.checks.finding import Findings, fault
from equipoise.protocol.exposure import EXPOSURE, RECORDED
from equipoise.protocol.study import Study, Supply

SENTINEL = "sentinel"
"""The condition that the program itself adds to the gate: the spacing of the first participants."""
_CELLS = frozenset({"scan_unit", "thaw", "viability"})
"""Steps that touch what only a cellular product has."""
_HUNDRED = Decimal(100)


def supply_can_be_handled(study: Study) -> Findings:
    """All rules of this module; a study that gives nothing has nothing to keep."""
    supply = study.supply
    if not supply.doses:
        if supply.gate or supply.products or supply.bench:
            yield fault("protocol.study-supply-no-dose", ("supply", "doses"))
        return
    yield from _products(study)
    yield from _gate(supply)
    yield from _bench(supply)
    yield from _limits(supply)
    yield from _asked_twice(study)


def _asked_twice(study: Study) -> Findings:
    """No form asks for what is recorded where a dose is given (docs/decisions/0025)."""
    for n, form in enumerate(study.forms):
        for place, item in enumerate(form.items):
            target = item.sdtm
            if target is not None and target.domain == EXPOSURE and target.variable in RECORDED:
                where = ("forms", n, "items", place, "sdtm")
                yield fault("protocol.study-exposure-twice", where, variable=target.variable)


def _products(study: Study) -> Findings:
    given = Counter(product.arm for product in study.supply.products)
    for arm in study.arms:
        if given[arm.id] != 1:
            yield fault(
                "protocol.study-supply-product", ("supply", "products"), arm=arm.id, count=given[arm.id]
            )


def _gate(supply: Supply) -> Findings:
    for n, condition in enumerate(supply.gate):
        if condition.id == SENTINEL:
            yield fault("protocol.study-name-reserved", ("supply", "gate", n, "id"), name=condition.id)
        if not condition.at:
            yield fault("protocol.study-gate-nowhere", ("supply", "gate", n, "at"), name=condition.id)


def _bench(supply: Supply) -> Findings:
    kinds = Counter(step.kind for step in supply.bench)
    if kinds["fill"] != 1:
        yield fault("protocol.study-bench-fill", ("supply", "bench"), count=kinds["fill"])
    cellular = {product.cellular for product in supply.products}
    if True in cellular:
        for kind in ("thaw", "viability"):
            if not kinds[kind]:
                yield fault("protocol.study-bench-lacks", ("supply", "bench"), kind=kind)
    if cellular == {True, False}:
        for n, step in enumerate(supply.bench):
            if step.kind in _CELLS and step.sham is None:
                yield fault("protocol.study-bench-sham", ("supply", "bench", n), step=step.id)


def _limits(supply: Supply) -> Findings:
    cellular = any(product.cellular for product in supply.products)
    wanted = {"cells_per_kg", "cells_at_most", "viability_at_least", "volume"} if cellular else set[str]()
    for name in ("volume", "cells_per_kg", "cells_at_most", "viability_at_least"):
        text = getattr(supply, name)
        if (text or name in wanted) and not _fits(name, text):
            yield fault("protocol.study-supply-number", ("supply", name), name=name, found=text or "–")
    if supply.use_within < 1:
        yield fault("protocol.study-supply-minutes", ("supply", "use_within"), name="use_within", least=1)
    for name in ("release_before", "sentinel_first", "sentinel_hours"):
        if getattr(supply, name) < 0:
            yield fault("protocol.study-supply-minutes", ("supply", name), name=name, least=0)
    if bool(supply.sentinel_first) != bool(supply.sentinel_hours):
        yield fault("protocol.study-supply-sentinel", ("supply", "sentinel_first"))


def _fits(name: str, text: str) -> bool:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    return number.is_finite() and number > 0 and (name != "viability_at_least" or number <= _HUNDRED)

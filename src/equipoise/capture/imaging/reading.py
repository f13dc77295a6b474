"""Two reads of the same images: where they differ by more than the study allows, and what they say together.

The rules that must stay true: the order of the readers changes nothing; a number within the tolerance is the mean of
both, to the item's digits; what is no number must be the same; where a third decided, the third's word counts for what
was different, and for nothing else. A read's number tells neither order, visit, site nor person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal

from equipoise.ledger.entries import Datum
from equipoise.protocol.forms import Form
from equipoise.protocol.imaging import Procedure, ReadItem
from equipoise.words.ids import random_id

EMPTY = Datum()


def differences(
    procedure: Procedure, one: Mapping[str, Datum], other: Mapping[str, Datum]
) -> tuple[str, ...]:
    """The items in which two reads differ by more than the study allows."""
    return tuple(
        rule.item
        for rule in procedure.read
        if not _agree(rule, one.get(rule.item, EMPTY), other.get(rule.item, EMPTY))
    )


def _agree(rule: ReadItem, one: Datum, other: Datum) -> bool:
    if rule.absolute is None and rule.relative is None:
        return (one.value, one.missing) == (other.value, other.missing)
    if one.value is None or other.value is None:
        return (one.value, one.missing) == (other.value, other.missing)
    first, second = Decimal(one.value), Decimal(other.value)
    wide = max(rule.absolute or Decimal(0), (rule.relative or Decimal(0)) * max(abs(first), abs(second)))
    return abs(first - second) <= wide


def together(
    procedure: Procedure,
    form: Form,
    one: Mapping[str, Datum],
    other: Mapping[str, Datum],
    third: Mapping[str, Datum] | None = None,
) -> Mapping[str, Datum]:
    """What two reads, and a third where they differ, say of each item."""
    differ = set(differences(procedure, one, other))
    found: dict[str, Datum] = {}
    for rule in procedure.read:
        first, second = one.get(rule.item, EMPTY), other.get(rule.item, EMPTY)
        if rule.item in differ:
            found[rule.item] = (third or {}).get(rule.item, EMPTY)
        else:
            found[rule.item] = _mean(form, rule.item, first, second)
    return {name: datum for name, datum in found.items() if datum != EMPTY}


def _mean(form: Form, name: str, first: Datum, second: Datum) -> Datum:
    if first == second or first.value is None or second.value is None:
        return first
    item = form.item(name)
    digits = item.digits if item is not None and item.type == "decimal" else 0
    mean = (Decimal(first.value) + Decimal(second.value)) / 2
    return Datum(f"{mean.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN):f}")


def order_id(subject: str, procedure: str, visit: str, count: int) -> str:
    """The id of an order: drawn from the subject's own random id, so that it tells nothing and needs no new draw."""
    return _drawn(f"imaging\n{subject}\n{procedure}\n{visit}\n{count}", 16)


def read_number(subject: str, order: str, part: int) -> str:
    """The number of a read: of each reader another one, so that nobody can tell two reads of the same images."""
    return _drawn(f"read\n{subject}\n{order}\n{part}", 10)


def _drawn(text: str, length: int) -> str:
    seed = hashlib.shake_128(text.encode())
    return random_id(lambda wanted: seed.digest(4 * wanted), length)

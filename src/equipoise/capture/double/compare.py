"""Two entries beside each other, item by item.

The rules that must stay true: an item is compared where at least one of the two filled it in, as it is stored (dates
and units as understood, text as cleaned), with its missing code, the words beside it, and the unit that it was written
in: the paper says but one of them; what both left empty is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.capture.questions import questions
from equipoise.ledger.entries import Datum
from equipoise.protocol.forms import Form

Items = Mapping[str, Datum]


def compared(form: Form, first: Items, second: Items) -> tuple[str, ...]:
    """The items that at least one entry filled in, in the order of the form."""
    return tuple(each.id for each in questions(form) if each.id in first or each.id in second)


def differing(form: Form, first: Items, second: Items) -> tuple[str, ...]:
    """Those of them that are not alike."""
    return tuple(name for name in compared(form, first, second) if first.get(name) != second.get(name))

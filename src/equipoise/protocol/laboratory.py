"""Reference ranges of a laboratory, by sex and age: what a study takes where a site's laboratory gave none.

The rule that must stay true: a range is of one numeric item of a panel and in that item's own unit; which one counts is
settled by the day of the sample (capture.laboratory), never by the day of entry.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from equipoise.protocol.elements import Element, Name, Part


class ReferenceRange(Element):
    """One range of a test: from `low` to `high`, both inside it; None where there is no such end.

    `sex` is a code of the study's input of sex; ages are completed years on the day of the sample, both inside.
    """

    test: Name
    unit: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    sex: str | None = None
    age_from: int | None = Field(default=None, ge=0)
    age_until: int | None = Field(default=None, ge=0)


class EventRow(Part):
    """Where a significant value becomes an event: a log, its item for the term, its item for the day it began."""

    form: Name
    term: Name
    start: Name


class ReferenceRanges(Element):
    """`sex` and `birth` are the inputs that ranges ask for; `rows` hold where a site's laboratory gave none."""

    sex: Name | None = None
    birth: Name | None = None
    event: EventRow | None = None
    rows: tuple[ReferenceRange, ...] = ()

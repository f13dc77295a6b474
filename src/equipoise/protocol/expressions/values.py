"""What an expression works on and what it answers: values that may be unknown, and say why.

The rules that must stay true: every number is the interval of what it can be; a known value carries no reasons,
and an unknown answer carries at least one. A reason has a kind (a key of the catalogue, `protocol.reason-<kind>`)
and names what it is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from equipoise.words.dates import PartialDate
from equipoise.words.interval import ANYTHING, Interval
from equipoise.words.problem import say
from equipoise.words.text import Language
from equipoise.words.truth import Truth

REASON_OF_MISSING: Mapping[str, str] = {
    "ND": "not-done",
    "UK": "not-known",
    "NA": "not-applicable",
    "RF": "refused",
    "UN": "untestable",
}
"""Code of words.codelists.MISSING -> kind of reason."""

REASONS = (
    "missing",  # nothing was recorded
    *REASON_OF_MISSING.values(),
    "partial-date",  # the day, or day and month, of a date is not known
    "conflicting",  # two sources contradict each other
    "awaiting",  # a reading or judgement is still to come
    "range",  # only a range of the number is known
    "type",  # a value is not of the kind that the expression works on
    "unit",  # units do not agree
    "division",  # the divisor may be zero
    "beyond-limits",  # a number outgrew the arithmetic
)
"""Every kind of reason."""


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """Why something is unknown. `about` is the name concerned, `nihss["5a"]` for an item of an instrument."""

    kind: str
    about: str = ""

    def say(self, language: Language = "en") -> str:
        """`onset: the date is not complete`."""
        text = say(f"protocol.reason-{self.kind}", language)
        if not self.about:
            return text
        return f"{self.about}：{text}" if language == "zh" else f"{self.about}: {text}"


Reasons: TypeAlias = tuple[Reason, ...]


def merge(*reasons: Reasons) -> Reasons:
    """All reasons, each once, in a fixed order."""
    return tuple(sorted({reason for group in reasons for reason in group}))


def about(reasons: Reasons, name: str) -> Reasons:
    """The reasons, those that name nothing made to name `name`."""
    return tuple(reason if reason.about else Reason(reason.kind, name) for reason in reasons)


@dataclass(frozen=True, slots=True)
class Unknown:
    """An unknown of which not even the kind is known: a name without a value, or a mistake in an expression."""

    reasons: Reasons


@dataclass(frozen=True, slots=True)
class Logical:
    """A yes, a no, or unknown."""

    truth: Truth
    reasons: Reasons = ()


@dataclass(frozen=True, slots=True)
class Number:
    """A number: the interval it lies in, and its unit in UCUM (None: a bare number)."""

    interval: Interval
    unit: str | None = None
    reasons: Reasons = ()

    @staticmethod
    def of(value: Decimal | int | str, unit: str | None = None) -> Number:
        """A known number."""
        return Number(Interval.point(Decimal(value)), unit)

    @staticmethod
    def unknown(*reasons: Reason, unit: str | None = None) -> Number:
        """A number of which nothing is known."""
        return Number(ANYTHING, unit, merge(reasons))


@dataclass(frozen=True, slots=True)
class DateValue:
    """A date, possibly partial; None is unknown."""

    date: PartialDate | None
    reasons: Reasons = ()


@dataclass(frozen=True, slots=True)
class Code:
    """A code or text; None is unknown."""

    code: str | None
    reasons: Reasons = ()


@dataclass(frozen=True, slots=True)
class InstrumentValue:
    """What is known of one assessment with a scale.

    total: the official total (an untestable item counts as its instrument says), unknown while an item is missing.
    range: [sum, sum + maxima of the untestable or missing items], with their reasons.
    items: score of each item; an untestable or missing one is the interval of its allowed scores with its reason.
    parts: totals of subscales by id, as `total`.
    """

    total: Number
    range: Number
    items: Mapping[str, Number]
    parts: Mapping[str, Number] = field(default_factory=dict)


Value: TypeAlias = Logical | Number | DateValue | Code | InstrumentValue | Unknown
Scope: TypeAlias = Mapping[str, Value]
"""Name -> what is known of it. A name that is absent is missing."""


def is_known(value: Value) -> bool:
    """Whether nothing is open about a value: a point, a complete date, a yes or no, a code, a total."""
    match value:
        case Logical(truth=truth):
            return truth is not Truth.UNKNOWN
        case Number(interval=interval):
            return interval.known
        case DateValue(date=date):
            return date is not None and date.complete
        case Code(code=code):
            return code is not None
        case InstrumentValue(total=total):
            return is_known(total)
        case _:
            return False


def reasons_of(value: Value) -> Reasons:
    """Why a value is not fully known: empty exactly when it is known."""
    if is_known(value):
        return ()
    match value:
        case InstrumentValue(total=total):
            return reasons_of(total)
        case DateValue(date=date, reasons=reasons):
            return reasons or (Reason("missing" if date is None else "partial-date"),)
        case Number(interval=interval, reasons=reasons):
            return reasons or (Reason("missing" if interval == ANYTHING else "range"),)
        case _:
            return value.reasons or (Reason("missing"),)


def as_logical(value: Value) -> Logical:
    """A value where a yes or no is wanted; anything else is an unknown of reason `type`."""
    if isinstance(value, Logical):
        return value
    reasons = reasons_of(value) if isinstance(value, Unknown) else (Reason("type"),)
    return Logical(Truth.UNKNOWN, reasons)


def as_number(value: Value) -> Number:
    """A value where a number is wanted; anything else is an unknown of reason `type`."""
    if isinstance(value, Number):
        return value
    return Number(ANYTHING, None, reasons_of(value) if isinstance(value, Unknown) else (Reason("type"),))


def as_date(value: Value) -> DateValue:
    """A value where a date is wanted; anything else is an unknown of reason `type`."""
    if isinstance(value, DateValue):
        return value
    return DateValue(None, reasons_of(value) if isinstance(value, Unknown) else (Reason("type"),))


def known_number(value: Value) -> Decimal | None:
    """The number that a value is, where it is known."""
    return value.interval.low if isinstance(value, Number) and value.interval.known else None

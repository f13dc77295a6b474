"""Trees and scopes for the laws of the expression language."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache

from hypothesis import strategies as st

from equipoise.protocol.expressions import (
    Code,
    DateValue,
    InstrumentValue,
    Logical,
    Number,
    Reason,
    Type,
    Unknown,
)
from equipoise.protocol.expressions.functions import FUNCTIONS
from equipoise.protocol.expressions.nodes import (
    Arithmetic,
    Call,
    Choice,
    Compare,
    DateLiteral,
    InList,
    InRange,
    ItemOf,
    Logic,
    Member,
    Name,
    Negative,
    Not,
    NumberLiteral,
    TextLiteral,
    TruthLiteral,
)
from equipoise.protocol.expressions.values import REASONS
from equipoise.words.dates import PartialDate
from equipoise.words.interval import ANYTHING, Interval
from equipoise.words.truth import Truth

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
UNITS = (None, "kg", "g", "Cel", "[degF]", "x'y")
NAMES = ("a", "b", "flag", "birth", "code", "nihss", "Total_2", "odd-name", "not", "In", "null")

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=6).filter(
    lambda text: text.isascii()
)
decimals = st.decimals(min_value=0, max_value=10**6, places=3).map(lambda value: value.normalize() + 0)
days = st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31))
dates = st.one_of(
    days.map(PartialDate.of),
    days.map(lambda day: PartialDate(day.year, day.month)),
    days.map(lambda day: PartialDate(day.year)),
)
leaves = st.one_of(
    st.builds(NumberLiteral, decimals, st.sampled_from(UNITS)),
    st.builds(TextLiteral, texts),
    st.builds(DateLiteral, dates),
    st.builds(TruthLiteral, st.booleans()),
    st.builds(Name, st.sampled_from(NAMES)),
    st.builds(Member, st.sampled_from(NAMES), st.sampled_from(("total", "range", "motor", "in"))),
    st.builds(ItemOf, st.sampled_from(NAMES), texts),
)


def _grown(inner: st.SearchStrategy) -> st.SearchStrategy:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    functions = st.sampled_from((*sorted(FUNCTIONS), "unheard_of"))
    return st.one_of(
        st.builds(Not, inner),
        st.builds(Negative, inner),
        st.builds(Logic, st.sampled_from(("and", "or")), several),
        st.builds(Compare, st.sampled_from(COMPARISONS), inner, inner),
        st.builds(Arithmetic, st.sampled_from(("+", "-", "*", "/")), inner, inner),
        st.builds(InRange, inner, inner, inner),
        st.builds(InList, inner, several),
        st.builds(Choice, inner, inner, inner),
        st.builds(Call, functions, st.lists(inner, max_size=3).map(tuple)),
    )


trees = st.recursive(leaves, _grown, max_leaves=12)
"""Any tree, sensible or not."""

reasons = st.lists(
    st.builds(Reason, st.sampled_from(REASONS), st.sampled_from(("", "a", "b"))), max_size=2
).map(tuple)
ends = st.one_of(
    st.none(),
    st.decimals(min_value=-1000, max_value=1000, places=2),
    st.decimals(allow_nan=False, allow_infinity=True),
)


def _interval(pair: tuple[Decimal | None, Decimal | None]) -> Interval:
    low, high = pair
    return Interval(high, low) if low is not None and high is not None and low > high else Interval(low, high)


intervals = st.one_of(
    st.tuples(ends, ends).map(_interval),
    ends.map(lambda end: ANYTHING if end is None else Interval(end, end)),
)
numbers = st.builds(Number, intervals, st.sampled_from(UNITS), reasons)
values = st.one_of(
    st.builds(Logical, st.sampled_from(Truth), reasons),
    numbers,
    st.builds(DateValue, st.none() | dates, reasons),
    st.builds(Code, st.none() | texts, reasons),
    st.builds(Unknown, reasons),
    st.builds(
        InstrumentValue,
        numbers,
        numbers,
        st.dictionaries(texts, numbers, max_size=2),
        st.dictionaries(st.just("motor"), numbers, max_size=1),
    ),
)
scopes = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)
"""Any scope: values need not be of the kind that an expression wants."""

# --- trees that make sense: names whose first letters say their type --------------------------------------------

TYPES = {
    "t1": Type("truth"),
    "t2": Type("truth"),
    "n1": Type("number"),
    "n2": Type("number"),
    "kg1": Type("number", "kg"),
    "g1": Type("number", "g"),
    "d1": Type("date"),
    "d2": Type("date"),
    "c1": Type("code", codes=frozenset("AB")),
    "s1": Type("instrument", items=frozenset({"x", "y"}), parts=frozenset({"part"})),
}
_small = st.integers(0, 12).map(Decimal)


def _names(*prefixes: str) -> st.SearchStrategy:
    return st.builds(Name, st.sampled_from([name for name in TYPES if name.rstrip("12") in prefixes]))


@cache
def sensible(kind: str, depth: int = 3, *, monotone: bool = False) -> st.SearchStrategy:
    """Trees of a kind: `truth`, `bare`, `mass`, `date`, `code`; with `monotone`, without the functions that are not."""
    if depth == 0:
        return _simple(kind)

    def of(other: str) -> st.SearchStrategy:
        return st.deferred(lambda: sensible(other, depth - 1, monotone=monotone))

    choice = st.builds(Choice, of("truth"), of(kind), of(kind))
    same = (
        st.nothing()
        if monotone
        else st.builds(Call, st.sampled_from(("coalesce", "reconcile")), pairs(of(kind)))
    )
    match kind:
        case "truth":
            found = _truths(of, monotone=monotone)
        case "bare" | "mass":
            found = _measures(of, kind, monotone=monotone)
        case _:
            found = st.nothing()
    return st.one_of(_simple(kind), choice, same, found)


def pairs(of: st.SearchStrategy) -> st.SearchStrategy:
    """Two of a kind, as arguments."""
    return st.tuples(of, of)


def _simple(kind: str) -> st.SearchStrategy:
    masses = st.builds(NumberLiteral, _small, st.sampled_from(("kg", "g")))
    totals = st.builds(Member, st.just("s1"), st.sampled_from(("total", "range", "part")))
    items = st.builds(ItemOf, st.just("s1"), st.sampled_from("xy"))
    return {
        "truth": st.one_of(st.builds(TruthLiteral, st.booleans()), _names("t")),
        "bare": st.one_of(st.builds(NumberLiteral, _small), _names("n"), totals, items),
        "mass": st.one_of(masses, _names("kg", "g")),
        "date": st.one_of(st.builds(DateLiteral, dates), _names("d")),
        "code": st.one_of(st.builds(TextLiteral, st.sampled_from("AB")), _names("c")),
    }[kind]


def _truths(of, *, monotone):
    compared = st.sampled_from(COMPARISONS)
    equal = st.sampled_from(("==", "!="))
    measured = st.sampled_from(("bare", "mass", "date"))
    known = st.nothing() if monotone else st.builds(Call, st.just("known"), st.tuples(of("bare")))
    return st.one_of(
        st.builds(Not, of("truth")),
        st.builds(Logic, st.sampled_from(("and", "or")), pairs(of("truth"))),
        st.builds(Call, st.sampled_from(("any", "all")), pairs(of("truth"))),
        measured.flatmap(lambda kind: st.builds(Compare, compared, of(kind), of(kind))),
        measured.flatmap(lambda kind: st.builds(InRange, of(kind), of(kind), of(kind))),
        measured.flatmap(
            lambda kind: st.builds(Call, st.just("between"), st.tuples(of(kind), of(kind), of(kind)))
        ),
        st.builds(Compare, equal, of("code"), of("code")),
        st.builds(Compare, equal, of("truth"), of("truth")),
        st.builds(InList, of("code"), pairs(of("code"))),
        known,
    )


def _measures(of, kind, *, monotone):
    same = of(kind)
    found = [
        st.builds(Negative, same),
        st.builds(Arithmetic, st.sampled_from("+-"), same, same),
        st.builds(Arithmetic, st.sampled_from("*/"), same, of("bare")),
        st.builds(Call, st.sampled_from(("min", "max", "sum")), pairs(same)),
        st.builds(Call, st.just("abs"), st.tuples(same)),
        st.builds(
            Call, st.just("round"), st.tuples(same, st.builds(NumberLiteral, st.integers(0, 3).map(Decimal)))
        ),
    ]
    if kind == "bare":
        found += [
            st.builds(Call, st.sampled_from(("days", "age_completed")), pairs(of("date"))),
            st.builds(Arithmetic, st.just("/"), of("mass"), of("mass")),
            st.builds(Call, st.just("amount"), st.tuples(of("mass"), st.builds(TextLiteral, st.just("kg")))),
        ]
        if not monotone:
            found.append(st.builds(Call, st.just("count_known"), pairs(of("date"))))
    return st.one_of(*found)


_point = st.integers(-30, 30).map(Decimal)
_ranges = st.tuples(_point, _point).map(sorted)


@st.composite
def refinements(draw):
    """Two scopes of TYPES: the second knows at least as much of everything as the first."""
    coarse, fine = {}, {}
    for name, kind in TYPES.items():
        if kind.kind == "instrument":
            pairs_ = {key: draw(_numbers(kind)) for key in ("total", "range", "x", "y", "part")}
            coarse[name], fine[name] = (
                InstrumentValue(
                    *(pairs_[key][side] for key in ("total", "range")),
                    {key: pairs_[key][side] for key in "xy"},
                    {"part": pairs_["part"][side]},
                )
                for side in (0, 1)
            )
        else:
            coarse[name], fine[name] = draw(_PAIRS[kind.kind](kind))
    return coarse, fine


@st.composite
def _numbers(draw, kind):
    (low, high), (first, second) = draw(_ranges), draw(_ranges)
    outer = Interval(min(low, first), max(high, second)) if draw(st.booleans()) else ANYTHING
    inner = Interval.point(low) if draw(st.booleans()) else Interval(low, high)
    if draw(st.booleans()):
        outer = inner
    return Number(outer, kind.unit), Number(inner, kind.unit)


@st.composite
def _dates(draw, kind):
    day = draw(days)
    steps = [None, PartialDate(day.year), PartialDate(day.year, day.month), PartialDate.of(day)]
    first, second = sorted((draw(st.integers(0, 3)), draw(st.integers(0, 3))))
    return DateValue(steps[first]), DateValue(steps[second])


def _either(make, unknown, known):
    def pairs_of(kind):
        return st.tuples(st.booleans(), st.booleans(), st.sampled_from(known)).map(
            lambda drawn: (
                make(drawn[2] if drawn[0] else unknown),
                make(drawn[2] if drawn[0] or drawn[1] else unknown),
            )
        )

    return pairs_of


_PAIRS = {
    "truth": _either(Logical, Truth.UNKNOWN, (Truth.TRUE, Truth.FALSE)),
    "number": _numbers,
    "date": _dates,
    "code": _either(Code, None, ("A", "B")),
}

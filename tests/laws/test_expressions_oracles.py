"""Two other engines as witnesses, where their languages and ours mean the same.

CEL (cel-expr-python): arithmetic on whole numbers, comparison, lists, choice, and logic in which an error is
absorbed as our unknown is. FHIRPath (fhirpathpy): three-valued logic, and comparison of dates of different precision.

Where we differ on purpose, and the generators stay away: CEL divides whole numbers without a remainder, we divide
exactly; an unknown condition of a choice is an error in CEL, for us what holds either way; FHIRPath takes two
equal partial dates for the same date, we know only that they overlap; and it leaves `@2026-01 < @2026-01-01` open,
which no day of January can make true.
"""

from __future__ import annotations

import operator

import fhirpathpy
from cel_expr_python import cel
from expression_strategies import dates
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from equipoise.protocol.expressions import Code, Logical, Number, evaluate, known_number, parse
from equipoise.words.dates import PartialDate
from equipoise.words.truth import Truth

UNKNOWN = "unknown"
WORLD = {"a": True, "b": False, "n": 4, "m": -3, "s": "A"}
OURS = {
    "a": Logical(Truth.TRUE),
    "b": Logical(Truth.FALSE),
    "n": Number.of(4),
    "m": Number.of(-3),
    "s": Code("A"),
}
ENVIRONMENT = cel.NewEnv(
    variables={
        "a": cel.Type.BOOL,
        "b": cel.Type.BOOL,
        "n": cel.Type.INT,
        "m": cel.Type.INT,
        "s": cel.Type.STRING,
    }
)

# Each strategy draws a pair: the same expression in our spelling and in CEL's.
leaves = st.sampled_from(("a", "b", "true", "false")).map(lambda text: (text, text))
unknown = st.just((UNKNOWN, "1 / 0 > 0"))
whole = st.recursive(
    st.one_of(st.integers(0, 20).map(str), st.sampled_from(("n", "m"))).map(lambda text: (text, text)),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(
            lambda p: tuple(f"({p[0][i]} {p[1]} {p[2][i]})" for i in (0, 1))
        ),
        inner.map(lambda p: (f"-({p[0]})", f"-({p[1]})")),
    ),
    max_leaves=6,
)
texts = st.sampled_from(("s", '"A"', '"B"')).map(lambda text: (text, text))


def _compared(sides):
    return st.tuples(sides, st.sampled_from(("==", "!=", "<", "<=", ">", ">=")), sides).map(
        lambda p: tuple(f"{p[0][i]} {p[1]} {p[2][i]}" for i in (0, 1))
    )


def _listed(sides):
    return st.tuples(sides, st.lists(sides, min_size=1, max_size=3)).map(
        lambda p: tuple(f"{p[0][i]} in [{', '.join(element[i] for element in p[1])}]" for i in (0, 1))
    )


def _grown(inner):
    two = st.tuples(inner, inner)
    return st.one_of(
        inner.map(lambda p: (f"not ({p[0]})", f"!({p[1]})")),
        two.map(lambda p: (f"({p[0][0]}) and ({p[1][0]})", f"({p[0][1]}) && ({p[1][1]})")),
        two.map(lambda p: (f"({p[0][0]}) or ({p[1][0]})", f"({p[0][1]}) || ({p[1][1]})")),
    )


facts = st.one_of(leaves, unknown, _compared(whole), _listed(whole), _listed(texts))
logic = st.recursive(facts, _grown, max_leaves=8)


def _by_cel(source: str) -> bool | int | None:
    value = ENVIRONMENT.compile(source).eval(data=WORLD)
    return None if value.type() == cel.Type.ERROR else value.value()


def _ours(source: str) -> Truth:
    value = evaluate(parse(source), OURS)
    return value.truth if isinstance(value, Logical) else Truth.UNKNOWN


@given(logic)
@settings(max_examples=300)
def test_logic_agrees_with_cel(pair):
    ours, theirs = pair
    assert _ours(ours) is Truth.of(_by_cel(theirs))


@given(whole)
def test_arithmetic_agrees_with_cel(pair):
    ours, theirs = pair
    assert known_number(evaluate(parse(ours), OURS)) == _by_cel(theirs)


@given(logic, whole, whole)
def test_a_decided_choice_agrees_with_cel(condition, then, otherwise):
    ours, theirs = (f"({condition[i]}) ? ({then[i]}) : ({otherwise[i]})" for i in (0, 1))
    decided = _by_cel(condition[1]) is not None
    value = evaluate(parse(ours), OURS)
    if decided:
        assert known_number(value) == _by_cel(theirs)
    else:
        # CEL has no answer; ours covers both
        for branch in (then, otherwise):
            point = _by_cel(branch[1])
            assert value.interval.low <= point <= value.interval.high


three = st.recursive(
    st.sampled_from((("true", "true"), ("false", "false"), (UNKNOWN, "{}"))),
    lambda inner: st.one_of(
        inner.map(lambda p: (f"not ({p[0]})", f"({p[1]}).not()")),
        st.tuples(inner, st.sampled_from(("and", "or")), inner).map(
            lambda p: tuple(f"({p[0][i]}) {p[1]} ({p[2][i]})" for i in (0, 1))
        ),
        st.tuples(inner, inner).map(
            lambda p: (f"not ({p[0][0]}) or ({p[1][0]})", f"({p[0][1]}) implies ({p[1][1]})")
        ),
    ),
    max_leaves=5,
)


def _by_fhirpath(source: str) -> Truth:
    found = fhirpathpy.evaluate({}, source)
    return Truth.of(found[0] if found else None)


@given(three)
@settings(max_examples=150)
def test_three_valued_logic_agrees_with_fhirpath(pair):
    ours, theirs = pair
    assert _ours(ours) is _by_fhirpath(theirs)


@given(dates, dates, st.sampled_from(("<", "<=", ">", ">=")), st.booleans())
@settings(max_examples=200)
def test_partial_dates_compare_as_in_fhirpath(first, second, sign, near):
    if near and second.day:  # dates that agree in their year and month are where precision matters
        second = PartialDate(first.year, first.month, 1 if first.month else None)
    assume(first != second or first.complete)
    source = f"@{first.iso()} {sign} @{second.iso()}"
    ours, theirs = _ours(source), _by_fhirpath(source)
    assert theirs in (Truth.UNKNOWN, ours)
    # Where FHIRPath leaves it open we may still know: no day of January lies before 1 January.
    compare = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}[sign]
    possible = {
        compare(a, b) for a in (first.earliest, first.latest) for b in (second.earliest, second.latest)
    }
    assert ours is Truth.of(possible.pop() if len(possible) == 1 else None)


def test_two_equal_partial_dates_are_where_we_differ():
    assert _by_fhirpath("@2026-02 = @2026-02") is Truth.TRUE
    assert _ours("@2026-02 == @2026-02") is Truth.UNKNOWN

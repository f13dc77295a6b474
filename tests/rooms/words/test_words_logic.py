"""Truth is strong Kleene logic; an interval answers only what all its points agree on."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from equipoise.words.interval import ANYTHING, Interval
from equipoise.words.truth import Truth, all_of, any_of, negate

T, U, F = Truth.TRUE, Truth.UNKNOWN, Truth.FALSE


@pytest.mark.parametrize(
    ("a", "b", "both", "either"),
    # Source: S. C. Kleene, Introduction to Metamathematics (1952), section 64
    [
        (T, T, T, T),
        (T, U, U, T),
        (T, F, F, T),
        (U, T, U, T),
        (U, U, U, U),
        (U, F, F, U),
        (F, T, F, T),
        (F, U, F, U),
        (F, F, F, F),
    ],
)
def test_truth_tables(a, b, both, either):
    assert all_of((a, b)) is both
    assert any_of((a, b)) is either


def test_not():
    assert [negate(value) for value in (T, U, F)] == [F, U, T]


@given(st.lists(st.sampled_from(Truth), max_size=5))
def test_de_morgan_and_the_empty_case(values):
    assert negate(all_of(values)) is any_of(negate(value) for value in values)
    assert all_of(()) is T
    assert any_of(()) is F


def test_a_truth_is_no_bool():
    with pytest.raises(TypeError):
        bool(Truth.UNKNOWN)
    with pytest.raises(TypeError):
        bool(Truth.TRUE)


def test_truth_of_a_bool():
    assert [Truth.of(value) for value in (True, False, None)] == [T, F, U]


points = st.integers(-6, 6).map(Decimal)


@st.composite
def intervals(draw):
    low, high = sorted((draw(points), draw(points)))
    return Interval(draw(st.sampled_from([low, None])), draw(st.sampled_from([high, None])))


def inside(interval: Interval) -> list[Decimal]:
    """Whole points of an interval near the ones that these tests use, with one beyond an open end."""
    return [
        Decimal(value)
        for value in range(-8, 9)
        if (interval.low is None or value >= interval.low)
        and (interval.high is None or value <= interval.high)
    ]


RELATIONS = {
    "at_least": lambda a, b: a >= b,
    "above": lambda a, b: a > b,
    "equals": lambda a, b: a == b,
}


@given(intervals(), intervals(), st.sampled_from(sorted(RELATIONS)))
def test_a_comparison_is_decided_exactly_when_all_points_agree(a, b, name):
    answers = {RELATIONS[name](x, y) for x, y in product(inside(a), inside(b))}
    assert getattr(a, name)(b) is Truth.of(answers.pop() if len(answers) == 1 else None)


@given(intervals(), points, points)
def test_between_includes_both_ends(a, low, high):
    answers = {low <= x <= high for x in inside(a)}
    found = a.between(Interval.point(low), Interval.point(high))
    if found is not Truth.UNKNOWN:
        assert answers == {found is Truth.TRUE}
    elif low <= high:
        assert len(answers) == 2


@given(intervals(), intervals())
def test_meet_is_what_both_allow(a, b):
    both = [x for x in inside(a) if x in inside(b)]
    met = a.meet(b)
    assert (met is None) == (not both)
    if met is not None:
        assert inside(met) == both
    assert a.meet(ANYTHING) == a


@given(points, points)
def test_an_interval_upside_down_cannot_be_made(low, high):
    assume(low > high)
    with pytest.raises(ValueError):
        Interval(low, high)


def test_known_is_a_single_value():
    assert Interval.point(3).known
    assert not Interval(Decimal(3), Decimal(4)).known
    assert not ANYTHING.known
    assert not Interval(None, Decimal(3)).known

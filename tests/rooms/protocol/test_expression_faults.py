"""What is wrong with an expression is said with its column and what to do, while it is read and while it is checked."""

from __future__ import annotations

import pytest

from equipoise.protocol.expressions import DATE, NUMBER, TEXT, TRUTH, Type, check, from_json, parse, type_of
from equipoise.words.problem import Problem

# Columns are counted by hand in the source beside them.
UNREADABLE = [
    ("", "empty", None),
    ("   ", "empty", None),
    ("a && b", "spelling", 3),
    ("a || b", "spelling", 3),
    ("!a", "spelling", 1),
    ("a = 1", "spelling", 3),
    ("a <> 1", "spelling", 3),
    ("a AND b", "spelling", 3),
    ("True", "spelling", 1),
    ("a ≥ 1", "spelling", 3),
    ("days（a, b）", "spelling", 5),
    ("a == null", "null", 6),
    ("a # b", "character", 3),
    ("a == \u00e9", "character", 6),
    ('a == "open', "quote", 6),
    ("a == 'open", "quote", 6),
    ("`1a` > 2", "quote", 1),
    ("12abc > 1", "number", 1),
    ("1e5", "number", 1),
    ("a > " + "1" * 35, "number-long", 5),
    ("a > @2026-02-30", "date", 5),
    ("a > @26", "date", 5),
    ("a > @2026-2-3", "date", 5),
    ("(a", "ends", 3),
    ("days(a, b", "ends", 10),
    ("(a]", "wants", 3),
    ("a ? b", "ends", 6),
    ("a ? b ; c", "character", 7),
    ("a in 2", "ends", 7),
    ("a in 2, 3", "wants", 7),
    ("a in []", "no-value", 7),
    ("a in [1, ]", "no-value", 10),
    ("a > > 1", "no-value", 5),
    ("a and", "no-value-end", 6),
    ("(", "no-value-end", 2),
    ("a +", "no-value-end", 4),
    ("38 ''", "no-unit", 4),
    ("a b", "rest", 3),
    ("1.", "rest", 2),
    ("1.5.2", "rest", 4),
    ("2..4", "range", 2),
    ("a > [1]", "list", 5),
    ("18 <= a <= 70", "chain", 9),
    ("a in 1..2 in 3..4", "chain", 11),
    ("a.", "member", 3),
    ("a.5", "member", 3),
    ("a[1]", "item", 3),
    ("a[b]", "item", 3),
    ('a["1"', "ends", 6),
    ("a" * 2001, "too-long", None),
    ("(" * 60 + "a" + ")" * 60, "too-large", None),
    ("+".join("a" * 60), "too-large", None),
]


@pytest.mark.parametrize(
    ("source", "rule", "column"), UNREADABLE, ids=[source[:20] for source, *_ in UNREADABLE]
)
def test_what_cannot_be_read_is_named(source, rule, column):
    found = parse(source)
    assert isinstance(found, Problem)
    assert found.rule == f"protocol.expression-{rule}"
    assert found.arguments.get("column") == (None if column is None else str(column))
    for language in ("en", "zh"):
        assert found.say(language) != found.rule


TYPES = {
    "flag": TRUTH,
    "age": NUMBER,
    "weight": Type("number", "kg"),
    "height": Type("number", "cm"),
    "birth": DATE,
    "name": TEXT,
    "sex": Type("code", codes=frozenset({"M", "F"})),
    "nihss": Type("instrument", items=frozenset({"1a", "5a"}), parts=frozenset({"motor"})),
}
UNFIT = [
    ("agee > 1", "name-like", 1),
    ("weather > 1", "name", 1),
    ("flag and weather", "name", 10),
    ("dayz(birth, birth)", "function-like", 1),
    ("squareroot(age)", "function", 1),
    ("days(birth)", "arity", 1),
    ("between(age, 1)", "arity", 1),
    ("max()", "arity-least", 1),
    ("coalesce(age)", "arity-least", 1),
    ("round(age, 1, 2)", "arity-between", 1),
    ("age and flag", "type", 1),
    ("not age", "type", 5),
    ("flag + 1 > 2", "type", 1),
    ("days(age, birth)", "type", 6),
    ("age ? 1 : 2", "type", 1),
    ("-birth == birth", "type", 2),
    ("any(flag, age)", "type", 11),
    ("age == birth", "kinds", 8),
    ("age in [1, birth]", "kinds", 12),
    ("between(age, birth, 3)", "kinds", 14),
    ("flag ? 1 : birth", "kinds", 12),
    ("coalesce(age, birth) > 1", "kinds", 15),
    ('sex < "M"', "order", 1),
    ("flag > true", "order", 1),
    ("between(sex, sex, sex)", "order", 9),
    ("nihss > 5", "instrument", 1),
    ("max(nihss) > 5", "instrument", 5),
    ("reconcile(nihss, nihss)", "instrument", 11),
    ("age.total > 1", "no-instrument", 1),
    ('birth["1a"] > 1', "no-instrument", 1),
    ('nihss["9z"] > 1', "item-unknown", 1),
    ("nihss.sum > 1", "member-unknown", 1),
    ('sex == "X"', "code-unknown", 8),
    ('"X" == sex', "code-unknown", 1),
    ('sex in ["M", "W"]', "code-unknown", 14),
    ("weight > 50", "unit-missing", 10),
    ("weight + 1 > 50 'kg'", "unit-missing", 10),
    ("weight in 40..90", "unit-missing", 11),
    ("weight > 50 'cm'", "unit-differs", 10),
    ("max(weight, height) > 1 'kg'", "unit-differs", 13),
    ("weight * height > 1", "unit-product", 10),
    ("1 / weight > 1", "unit-product", 5),
    ("amount(weight, height) > 1", "unit-argument", 16),
    ('amount(age, "a") > 1', "unit-none", 8),
    ('amount(weight, "cm") > 1', "unit-differs", 16),
    ("round(age, 1.5) > 1", "digits", 12),
    ("round(age, 13) > 1", "digits", 12),
    ("round(age, age) > 1", "digits", 12),
]


@pytest.mark.parametrize(("source", "rule", "column"), UNFIT, ids=[source for source, *_ in UNFIT])
def test_what_does_not_fit_is_named(source, rule, column):
    found = check(parse(source), TYPES)
    assert (f"protocol.expression-{rule}", str(column)) in [
        (each.rule, each.arguments["column"]) for each in found
    ]
    for each in found:
        for language in ("en", "zh"):
            assert "{" not in each.say(language)
            assert each.say(language) != each.rule


FITTING = [
    ("between(age_completed(birth, @2026), 18, 70)", "truth", None),
    ("18 <= age and age <= 70", "truth", None),
    ("weight > 50 'kg'", "truth", None),
    ("weight > 50000 'g'", "truth", None),
    ("weight / 2", "number", "kg"),
    ("2 * weight", "number", "kg"),
    ("weight / 500 'g'", "number", None),
    ('amount(weight, "kg") / (amount(height, "m") * amount(height, "m"))', "number", None),
    ("max(weight, 70 'kg')", "number", "kg"),
    ('max(nihss["5a"], nihss["1a"]) in 2..4', "truth", None),
    ("nihss.total + nihss.range + nihss.motor", "number", None),
    ('sex == "M" or sex in ["F"]', "truth", None),
    ('flag ? sex : "M"', "code", None),
    ('name == "anything"', "truth", None),
    ("coalesce(birth, @2026-01-01)", "date", None),
    ("known(nihss) and count_known(age, birth, sex) > 1", "truth", None),
    ("round(age * 1.5, 2)", "number", None),
]


@pytest.mark.parametrize(("source", "kind", "unit"), FITTING, ids=[source for source, *_ in FITTING])
def test_what_fits_has_a_type(source, kind, unit):
    node = parse(source)
    assert check(node, TYPES) == ()
    found = type_of(node, TYPES)
    assert (found.kind, found.unit) == (kind, unit)


@pytest.mark.parametrize(
    "json",
    [
        None,
        3,
        [],
        {},
        {"op": "xor", "of": [{"name": "a"}, {"name": "b"}]},
        {"op": "and", "of": [{"name": "a"}]},
        {"op": "-", "of": []},
        {"op": "not", "of": {"name": "a"}},
        {"number": "1.50"},  # not the one spelling of 1.5
        {"number": "-1"},  # a sign is an operator
        {"number": 1},
        {"number": "1", "unit": ""},
        {"number": "1" * 35},
        {"date": "2026-13"},
        {"truth": "T"},
        {"name": "a b"},
        {"text": "a\nb"},
        {"text": "e\u0301"},  # not in normal form C
        {"name": "a", "item": "1", "member": "x"},
        {"call": "f", "of": [{}]},
    ],
)
def test_a_stored_tree_that_is_none_is_refused(json):
    found = from_json(json)
    assert isinstance(found, Problem)
    assert found.rule == "protocol.expression-tree"

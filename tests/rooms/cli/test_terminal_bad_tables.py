"""Every `equipoise fit …` on tables that cannot answer: status 1, no number, and a message that a person can act on.

Each case names the rule, the column (or participant, or combination) and, where rows are at fault, those rows.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from equipoise.cli import main as terminal
from rooms.analysis.mmrm_cases import long, trials

Columns = dict[str, list[Any]]
MODELS: Mapping[str, tuple[str, ...]] = {
    "mmrm": ("--formula", "chg ~ base * visit + strat + arm * visit", "--subject", "id", "--visit", "visit", "--categorical", "visit"),
    "ordinal": ("--formula", "grade ~ base + arm"),
    "ancova": ("--formula", "chg ~ base + arm * strat"),
    "winratio": ("--arm", "arm", "--outcome", "days,event=died", "--outcome", "chg"),
}  # fmt: skip
FORMULAS = ("mmrm", "ordinal", "ancova")


def repeated() -> Columns:
    """86 made-up participants at five visits, in text and number as a file has them."""
    return {
        name: [f"s{its}" if name == "strat" else its for its in values]
        for name, values in long(trials()["syn2"]["data"]).items()
    }


def single() -> Columns:
    """The same people once each, with a grade of 0 to 4, days and whether somebody died."""
    table = only(repeated(), lambda row: row["visit"] == "4" and row["chg"] is not None)
    size = len(table["id"])
    more = {
        "grade": [at % 5 for at in range(size)],
        "days": [30 + at for at in range(size)],
        "died": [int(at % 5 == 0) for at in range(size)],
    }
    return {**table, **more}


def only(table: Columns, wanted: Callable[[dict[str, Any]], bool]) -> Columns:
    rows = [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
    return {name: [row[name] for row in rows if wanted(row)] for name in table}


def of(kind: str) -> Columns:
    return repeated() if kind == "mmrm" else single()


def with_value(table: Columns, column: str, place: int, value: object) -> Columns:
    values = list(table[column])
    values[place] = value
    return {**table, column: values}


@pytest.fixture
def refused(tmp_path, capsys):
    def run(
        kind: str, table: Columns, *more: str, model: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        path = tmp_path / "table.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(table)
            out.writerows(
                ["" if its is None else its for its in row] for row in zip(*table.values(), strict=True)
            )
        status = terminal.main(["fit", kind, str(path), *(model or MODELS[kind]), *more, "--json"])
        said = capsys.readouterr()
        assert status == 1, said.out
        found = json.loads(said.out)
        assert set(found) == {"problems"}
        for one in found["problems"]:
            assert len(one["says"]) > 20
            assert "{" not in one["says"]
            assert one["says"] in said.err
        return found["problems"]

    return run


def told(problems: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(one["rule"].removeprefix("analysis."), one["where"]) for one in problems}


def extended(kind: str, term: str) -> list[str]:
    its = list(MODELS[kind])
    its[1] += f" + {term}"
    return its


@pytest.mark.parametrize("kind", FORMULAS)
def test_a_covariate_that_says_what_another_says(refused, kind):
    table = of(kind)
    table["twice"] = [2 * value + 1 for value in table["base"]]
    found = refused(kind, table, model=extended(kind, "twice"))
    assert told(found) == {("collinear", "twice")}
    assert "Intercept, base" in found[0]["says"]


@pytest.mark.parametrize("kind", FORMULAS)
def test_a_constant_covariate(refused, kind):
    table = of(kind)
    table["site"] = [7] * len(table["id"])
    assert told(refused(kind, table, model=extended(kind, "site"))) == {("constant", "site")}


@pytest.mark.parametrize("kind", MODELS)
def test_an_arm_that_nobody_is_in(refused, kind):
    assert told(refused(kind, only(of(kind), lambda row: row["arm"] == "MSC"))) == {("constant", "arm")}


@pytest.mark.parametrize(
    ("kind", "level", "where", "said"),
    [("mmrm", ("visit", "4"), "arm × visit", "arm MSC, visit 4"), ("ancova", ("strat", "s1"), "arm × strat", "arm MSC, strat s1")],
)  # fmt: skip
def test_a_combination_that_nobody_has_is_named_as_that(refused, kind, level, where, said):
    name, value = level
    found = refused(kind, only(of(kind), lambda row: not (row["arm"] == "MSC" and row[name] == value)))
    assert told(found) == {("nobody-there", where)}
    assert said in found[0]["says"]


@pytest.mark.parametrize(("kind", "column"), [("mmrm", "chg"), ("ordinal", "base"), ("ancova", "chg"), ("winratio", "chg"), ("winratio", "days"), ("winratio", "died")])  # fmt: skip
@pytest.mark.parametrize(
    ("value", "rule"), [("inf", "infinite"), ("-inf", "infinite"), ("n.d.", "text"), ("<20", "text")]
)
def test_an_infinite_or_unreadable_value_is_named_with_its_row(refused, kind, column, value, rule):
    found = refused(kind, with_value(of(kind), column, 9, value))
    assert (rule, column) in told(found)
    said = next(one["says"] for one in found if one["where"] == column and one["rule"].endswith(rule))
    assert "rows 10 (" in said
    assert rule == "infinite" or value in said


@pytest.mark.parametrize("kind", FORMULAS)
def test_more_parameters_than_rows(refused, kind):
    table = of(kind)
    few = {name: [*values[:5], *values[-5:]] for name, values in table.items()} if kind == "mmrm" else table
    few = few if kind == "mmrm" else {name: [*values[:3], *values[-3:]] for name, values in table.items()}
    few["arm"] = ["MSC", "PBO"] * (len(few["id"]) // 2)
    few["other"] = [at**2 % 11 for at in range(len(few["id"]))]
    few["third"] = [at**3 % 7 for at in range(len(few["id"]))]
    model = extended(kind, "other + third")
    if kind == "ancova":
        model[1] = "chg ~ base + arm + other + third + I(base ** 2)"
    found = refused(kind, few, model=model)
    assert {one["rule"].removeprefix("analysis.") for one in found} <= {"too-few", "too-few-rows"}


def test_one_visit_only(refused):
    assert told(refused("mmrm", only(repeated(), lambda row: row["visit"] == "2"))) == {("one-visit", "")}


def test_a_participant_twice_at_a_visit(refused):
    table = {name: [*values, values[7]] for name, values in repeated().items()}
    found = refused("mmrm", table)
    assert told(found) == {("twice", table["id"][7])}
    assert f"rows 8, {len(table['id'])} (" in found[0]["says"]


def test_a_grade_that_nobody_has(refused):
    found = refused("ordinal", single(), "--categories", "0,1,2,3,4,5")
    assert [one["where"] for one in found] == ["grade"]
    assert "Nobody has: 5" in found[0]["says"]


def test_arms_that_share_no_grade(refused):
    table = single()
    table["grade"] = [at % 2 + 2 * (arm == "MSC") for at, arm in enumerate(table["arm"])]
    found = refused("ordinal", table)
    assert {rule for rule, _ in told(found)} == {"separation"}
    assert "no number is given" in found[0]["says"]


def test_everybody_alike(refused):
    assert told(refused("ordinal", {**single(), "grade": [2] * len(single()["id"])})) == {
        ("one-category", "grade")
    }


@pytest.mark.parametrize("kind", FORMULAS)
def test_a_number_so_large_that_sums_of_squares_have_none(refused, kind):
    found = refused(kind, with_value(of(kind), "base", 3, 1e200))
    assert told(found) == {("too-large", "base")}
    assert "rows 4 " in found[0]["says"]


@pytest.mark.parametrize("kind", FORMULAS)
def test_a_function_of_the_formula_that_has_no_number_in_a_row(refused, kind):
    table = with_value({**of(kind), "crp": [2.0] * len(of(kind)["id"])}, "crp", 6, 0.0)
    found = refused(kind, table, model=extended(kind, "log(crp)"))
    assert told(found) == {("undefined", "log(crp)")}
    assert "rows 7 " in found[0]["says"]


def test_a_response_whose_function_has_no_number_in_a_row(refused):
    table = with_value({**single(), "crp": [2.0] * len(single()["id"])}, "crp", 6, -1.0)
    found = refused("ancova", table, model=("--formula", "log(crp) ~ arm"))
    assert told(found) == {("undefined", "log(crp)")}
    assert "rows 7 " in found[0]["says"]


@pytest.mark.parametrize("kind", FORMULAS)
def test_one_row(refused, kind):
    table = {name: values[:1] for name, values in of(kind).items()}
    assert told(refused(kind, table)) == {("one-row", "")}


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("option", [("--reference", "amr=PLACEBO"), ("--categorical", "amr")])
def test_a_column_whose_name_is_mistyped_in_an_option(refused, kind, option):
    assert told(refused(kind, of(kind), *option)) == {("no-column", "amr")}


def test_a_reference_of_another_column_than_the_arm_in_a_win_ratio(refused):
    found = refused("winratio", single(), "--reference", "strat=s0")
    assert told(found) == {("reference-of-arm", "strat")}


def test_a_time_below_zero_in_a_win_ratio(refused):
    found = refused("winratio", with_value(single(), "days", 4, -3))
    assert told(found) == {("before-zero", "days")}
    assert "Rows 5 " in found[0]["says"]

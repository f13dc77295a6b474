"""What the data cannot answer is said, with rows or columns and what to do, and no number is given."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.analysis import MmrmFit, fit_mmrm
from equipoise.analysis.table_file import read_table
from equipoise.words.problem import Problem
from rooms.analysis.mmrm_cases import MODEL, long, trials


@pytest.fixture
def table():
    return long(trials()["syn2"]["data"])


def refused(table, formula=MODEL, **options):
    told = {"subject": "id", "visit": "visit"} | options
    found = fit_mmrm(table, formula, **told)
    assert not isinstance(found, MmrmFit)
    for its in found:
        assert "{" not in its.say("en") + its.say("zh")
    return {(its.rule.removeprefix("analysis."), its.where) for its in found}, found


def test_a_constant_covariate_and_one_that_says_the_same(table):
    table["site"] = [1.0] * len(table["id"])
    table["twice"] = [2 * value + 1 for value in table["base"]]
    found, problems = refused(table, MODEL + " + site + twice")
    assert found == {("constant", "site"), ("collinear", "twice")}
    said = {its.where: its.arguments for its in problems}
    assert (said["site"]["level"], said["twice"]["others"]) == ("1", "Intercept, base")


def test_an_arm_without_anybody_at_a_visit(table):
    kept = [r for r in range(len(table["id"])) if not (table["arm"][r] == "MSC" and table["visit"][r] == "4")]
    found, problems = refused({name: [values[r] for r in kept] for name, values in table.items()})
    assert found == {("nobody-there", "arm × visit")}
    assert problems[0].arguments["cell"] == "arm MSC, visit 4"


def test_one_arm_alone(table):
    kept = [row for row, arm in enumerate(table["arm"]) if arm == "MSC"]
    found, _ = refused({name: [values[row] for row in kept] for name, values in table.items()})
    assert found == {("constant", "arm")}


def test_one_visit_only(table):
    kept = [row for row, visit in enumerate(table["visit"]) if visit == "2"]
    found, _ = refused({n: [v[r] for r in kept] for n, v in table.items()}, "chg ~ base + arm")
    assert found == {("one-visit", "")}


def test_a_participant_twice_at_a_visit(table):
    for values in table.values():
        values.append(values[7])
    found, problems = refused(table)
    assert found == {("twice", table["id"][7])}
    assert problems[0].arguments["rows"] == f"8, {len(table['id'])}"


@pytest.mark.parametrize(("column", "value"), [("chg", float("inf")), ("base", float("-inf"))])
def test_infinite_values(table, column, value):
    table[column][9] = value
    found, problems = refused(table)
    assert found == {("infinite", column)}
    assert problems[0].arguments["rows"] == "10"


@pytest.mark.parametrize("column", ["chg", "base"])
def test_text_among_numbers(table, column):
    table[column][3] = "n.d."
    found, problems = refused(table)
    assert found == {("text", column)}
    assert (problems[0].arguments["rows"], problems[0].arguments["value"]) == ("4", "n.d.")


def test_of_a_column_that_a_file_made_text_only_the_strays_are_named(table):
    """One entry of a file that is no number leaves the whole column as text."""
    table["chg"] = [None if value is None else str(value) for value in table["chg"]]
    table["chg"][3] = "<20"
    _, problems = refused(table)
    assert (problems[0].arguments["rows"], problems[0].arguments["value"]) == ("4", "<20")


def test_more_parameters_than_data(table):
    people = [
        next(i for i, a in zip(table["id"], table["arm"], strict=True) if a == arm) for arm in ("MSC", "PBO")
    ]
    people.append(next(its for its in table["id"] if its not in people))
    kept = [row for row, its in enumerate(table["id"]) if its in people]
    found, _ = refused({name: [values[row] for row in kept] for name, values in table.items()})
    assert found == {("too-few-rows", "")}


def test_a_response_without_variance(table):
    table["chg"] = [None if value is None else 3.0 for value in table["chg"]]
    found, _ = refused(table)
    assert found == {("no-variance", "")}


def test_two_visits_that_say_the_same_end_in_no_number_unless_a_fallback_is_listed(table):
    first = {i: c for i, v, c in zip(table["id"], table["visit"], table["chg"], strict=True) if v == "1"}
    table["chg"] = [
        first[i] if v == "2" and c is not None else c
        for i, v, c in zip(table["id"], table["visit"], table["chg"], strict=True)
    ]
    found, _ = refused(table)
    assert found == {("singular", "us")}
    fallen = fit_mmrm(table, MODEL, subject="id", visit="visit", covariance=("us", "cs"))
    assert isinstance(fallen, MmrmFit)
    assert (fallen.convergence.structure, fallen.convergence.passed) == ("cs", ("us",))


def test_visits_at_which_nobody_was_seen_together(table):
    kept = [r for r, i in enumerate(table["id"]) if table["visit"][r] != ("1" if int(i[1:]) % 2 else "2")]
    found, problems = refused({n: [v[r] for r in kept] for n, v in table.items()})
    assert found == {("pair-unseen", "")}
    assert (problems[0].arguments["first"], problems[0].arguments["second"]) == ("1", "2")


@pytest.mark.parametrize(
    ("formula", "rule"),
    [
        ("chg ~ base +* visit", "formula"),
        ("chg", "one-response"),
        ("chg ~ nobody", "no-column"),
        ("chg ~ open('x') + visit", "formula-function"),
        ("chg ~ {base.__class__} + visit", "formula-function"),
        ("chg ~ np.log(base) + visit", "formula-function"),
    ],
)
def test_formulas_that_cannot_be_read_and_such_as_would_run_something(table, formula, rule):
    found, _ = refused(table, formula)
    assert {its for its, _ in found} == {rule}


def test_wrong_words(table):
    assert refused(table, covariance="star")[0] == {("structure", "star")}
    assert refused(table, df="between")[0] == {("df", "between")}
    assert refused(table, reml=False)[0] == {("kr-needs-reml", "")}
    assert refused(table, reference={"arm": "XYZ"})[0] == {("no-level", "arm")}
    assert refused(table, subject="nobody")[0] == {("no-column", "nobody")}
    assert refused(42)[0] == {("no-table", "")}
    assert refused({"id": []})[0] == {("no-rows", "")}


def test_a_row_without_participant_or_visit(table):
    table["id"][2] = None
    assert refused(table)[0] == {("no-place", "id")}


@pytest.mark.parametrize("seed", range(12))
def test_sparse_and_unbalanced_data_give_finite_numbers_or_a_problem(seed):
    """Twelve to thirty participants, up to half of the visits missing at random."""
    rng = np.random.default_rng(seed)
    n, v = int(rng.integers(12, 31)), int(rng.integers(3, 6))
    y = rng.normal(size=(n, v)) + rng.normal(size=(n, 1)) * 5
    i, t = np.nonzero(rng.random((n, v)) > 0.1 + 0.4 * rng.random())
    table = {
        "id": [str(each) for each in i],
        "visit": [f"V{each}" for each in t],
        "arm": [("A", "B")[each % 2] for each in i],
        "y": [float(each) for each in y[i, t]],
    }
    found = fit_mmrm(table, "y ~ arm * visit", subject="id", visit="visit")
    if isinstance(found, MmrmFit):
        values = [(its.se, its.df, its.p) for its in found.coefficients.values()]
        assert np.isfinite(values).all()
        assert found.convergence.converged
        assert np.linalg.eigvalsh(found.sigma[""])[0] > 0
    else:
        assert all(isinstance(its, Problem) and its.say() != its.rule for its in found)


@pytest.mark.parametrize(
    ("content", "rule", "arguments"),
    [
        (b"", "csv-empty", {}),
        (b"\n\n", "csv-empty", {}),
        (b"a,a\n1,2\n", "csv-twice", {"column": "a"}),
        (b"a,b\n1\n", "csv-ragged", {"row": 1, "values": 1, "columns": 2}),
        (b"a,b\n1,2\n\n1\n", "csv-ragged", {"row": 3, "values": 1, "columns": 2}),
        (b"\xff\xfe\n", "csv-encoding", {}),
        ("组别,值\n一,1\n".encode("gbk"), "csv-encoding", {}),
        (b"a;b\n1,5;2\n", "csv-separator", {"mark": "“;”"}),
        (b"a\tb\n1\t2\n", "csv-separator", {"mark": "TAB"}),
        (b'a,b\n1,"2\n', "csv", {"reason": "unexpected end of data"}),
    ],
)
def test_files_that_are_no_table(content, rule, arguments):
    found = read_table(content, "x.csv")
    assert isinstance(found, Problem)
    assert found.rule == f"analysis.{rule}"
    assert {name: str(its) for name, its in found.arguments.items()} == {
        name: str(its) for name, its in arguments.items()
    }


def test_rows_keep_their_numbers_below_an_empty_line():
    found = read_table(b"\na,b\n1,2\n\n3,x\n\n", "x.csv")
    assert found == {"a": [1.0, None, 3.0], "b": ["2", None, "x"]}


def test_a_column_of_a_file_is_numbers_only_when_all_of_it_is():
    found = read_table("\ufeffa,b,c,d\n1,1,01,x\n2.5e1,?,NA,\n-inf,3,2,\n".encode(), "x.csv", texts={"c"})
    assert found == {
        "a": [1.0, 25.0, float("-inf")],
        "b": ["1", "?", "3"],
        "c": ["01", None, "2"],
        "d": ["x", None, None],
    }


@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), "heavy", None])
def test_a_weight_that_is_no_positive_number(table, value):
    table["w"] = [1.0] * len(table["id"])
    table["w"][4] = value
    found, problems = refused(table, weights="w")
    assert found == {("weight", "w")}
    assert problems[0].arguments["rows"] == "5"


def test_a_covariance_of_the_coefficients_that_is_not_known_or_does_not_go_with_the_degrees_of_freedom(table):
    assert refused(table, vcov="robust")[0] == {("vcov", "robust")}
    assert refused(table, vcov="empirical")[0] == {("kr-with-sandwich", "empirical")}

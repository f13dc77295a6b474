"""`equipoise fit ordinal`, `fit ancova`, `fit winratio`: JSON of the agreed form, tables for a reader, problems and status 1."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from equipoise.cli import main as terminal
from rooms.analysis.reference_cases import references

REFERENCES = references()


@pytest.fixture
def run(tmp_path, capsys):
    def run(kind, table, *more):
        path = tmp_path / "trial.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(table)
            out.writerows(
                [["" if v is None else v for v in row] for row in zip(*table.values(), strict=True)]
            )
        status = terminal.main(["fit", kind, str(path), *more])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_ordinal(run):
    trial = REFERENCES["mrs"]
    more = ("--formula", "mrs ~ arm + strat + nihss", "--reference", "arm=0", "--categories", "0,1,2,3,4,5,6")
    status, out, _ = run("ordinal", trial["data"], *more, "--json")
    found = json.loads(out, parse_constant=pytest.fail)
    expected = trial["polr"]
    assert status == 0
    assert {"coefficients", "vcov", "loglik", "converged", "n_obs", "categories", "proportional_odds"} <= set(
        found
    )
    names = [its["term"] for its in found["coefficients"]]
    assert names == [*expected["names"][:6], "arm[T.1]", "strat", "nihss"]
    np.testing.assert_allclose([its["estimate"] for its in found["coefficients"]], expected["est"], rtol=1e-6)
    np.testing.assert_allclose([its["p"] for its in found["coefficients"]], expected["p"], rtol=1e-5)
    (arm,) = (its for its in found["odds_ratios"] if its["term"] == "arm[T.1]")
    bounds = [arm["profile"]["low"], arm["profile"]["high"]]
    np.testing.assert_allclose(np.log(bounds), trial["profile_arm"], atol=1e-8)
    tests = {its["term"]: its for its in found["proportional_odds"]}
    assert set(tests) == {"all", "arm", "strat", "nihss"}
    assert tests["all"]["score"]["df"] == 15
    assert "not_computed" in tests["arm"]["likelihood_ratio"]


def test_ancova(run):
    trial = REFERENCES["ancova"]["syn1"]
    more = ("--formula", "chg ~ arm + base + strat", "--categorical", "arm", "--categorical", "strat")
    status, out, _ = run("ancova", trial["data"], *more, "--errors", "HC3", "--json")
    found = json.loads(out, parse_constant=pytest.fail)
    assert status == 0
    assert (found["errors"], found["df"], found["n_obs"]) == ("HC3", 70, 74)
    (arm,) = (its for its in found["coefficients"] if its["term"] == "arm[T.1]")
    assert arm["se"] == pytest.approx(trial["expected"]["HC3_se_arm"], rel=1e-9)
    means = [its["estimate"] for its in found["lsmeans"]["arm"]]
    np.testing.assert_allclose(means, trial["expected"]["lsmeans"], rtol=1e-9)
    assert found["differences"]["arm"][0]["levels"] == {"arm": "1 - 0"}


def wins(data):
    """Death within 365 days: the time and whether it came."""
    return data | {
        "days": [365.0 if day is None else day for day in data["death"]],
        "died": [int(day is not None) for day in data["death"]],
    }


OUTCOMES = ("--outcome", "days,event=died", "--outcome", "mrs,lower", "--outcome", "fma,margin=5")


def test_winratio(run):
    trial = REFERENCES["win_ratio"]
    more = ("--arm", "arm", "--reference", "arm=0", *OUTCOMES, "--json")
    status, out, _ = run("winratio", wins(trial["data"]), *more)
    found = json.loads(out, parse_constant=pytest.fail)
    expected = trial["expected"]
    assert status == 0
    assert (found["wins"], found["losses"], found["ties"]) == (
        expected["wins"],
        expected["losses"],
        expected["ties"],
    )
    assert found["win_ratio"]["ratio"] == pytest.approx(expected["win_ratio"], rel=1e-9)
    assert found["net_benefit"]["se"] == pytest.approx(expected["nb_se"], rel=1e-9)
    assert [its["outcome"] for its in found["tallies"]] == ["days", "mrs", "fma"]


def test_for_a_reader_they_are_tables(run):
    status, out, _ = run("ordinal", REFERENCES["mrs"]["data"], "--formula", "mrs ~ arm", "--level", "0.9")
    assert status == 0
    assert "odds ratio" in out
    assert "log odds ratio of a higher category" in out
    status, out, _ = run(
        "ancova", REFERENCES["ancova"]["syn1"]["data"], "--formula", "chg ~ base", "--reference", "arm=0"
    )
    assert status == 0
    assert "residual standard deviation" in out
    status, out, _ = run("winratio", wins(REFERENCES["win_ratio"]["data"]), "--arm", "arm", *OUTCOMES)
    assert status == 0
    assert "1 against 0: 1165 pairs won, 641 lost, 43 tied." in out


def test_faults_of_the_data_are_said_and_are_status_one(run):
    data = REFERENCES["mrs"]["data"]
    gap = {name: [v for v, m in zip(its, data["mrs"], strict=True) if m != 5] for name, its in data.items()}
    status, out, err = run("ordinal", gap, "--formula", "mrs ~ arm", "--json")
    assert (status, json.loads(out)["problems"][0]["rule"]) == (1, "analysis.empty-category")
    assert "--join-empty" in err
    assert run("ordinal", gap, "--formula", "mrs ~ arm", "--join-empty")[0] == 0
    assert run("ancova", data, "--formula", "mrs ~ nobody")[0] == 1
    assert run("winratio", data, "--arm", "arm", "--outcome", "nobody")[0] == 1


def test_an_outcome_that_is_asked_for_twice_has_two_lines(run):
    """First by a margin of five points, then what is left by any difference."""
    data = {"arm": [*"AAABBB"], "fma": [10, 20, 33, 12, 24, 41]}
    status, out, _ = run("winratio", data, "--arm", "arm", "--outcome", "fma,margin=5", "--outcome", "fma")
    assert status == 0
    lines = {its.rsplit(maxsplit=3)[0].strip(): its.split()[-3:] for its in out.splitlines() if "fma" in its}
    # by hand, B against A: gaps over five 24-10, 41-10, 41-20, 41-33 won; 12-20, 12-33, 24-33 lost; 12-10, 24-20 left
    assert lines == {"1. fma": ["4", "3", "2"], "2. fma": ["2", "0", "0"]}


@pytest.mark.parametrize("outcome", ["mrs,worse", "mrs,margin=-1", "mrs,margin=x", ",lower", "mrs,event="])
def test_an_outcome_that_cannot_be_read_is_wrong_usage(run, outcome):
    with pytest.raises(SystemExit) as ended:
        run("winratio", REFERENCES["mrs"]["data"], "--arm", "arm", "--outcome", outcome)
    assert ended.value.code == 2


def test_a_level_is_between_nought_and_one(run):
    with pytest.raises(SystemExit) as ended:
        run("ancova", REFERENCES["mrs"]["data"], "--formula", "mrs ~ arm", "--level", "95")
    assert ended.value.code == 2

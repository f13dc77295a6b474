"""`equipoise fit mmrm`: one JSON value of the agreed form, or problems and status 1."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from equipoise.cli import main as terminal
from rooms.analysis.mmrm_cases import MODEL, long, trials


@pytest.fixture
def fit(tmp_path, capsys):
    trial = trials()["syn2"]
    table = long(trial["data"])
    path = tmp_path / "trial.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(table)
        out.writerows([["NA" if v is None else v for v in row] for row in zip(*table.values(), strict=True)])

    def run(*more, formula=MODEL):
        told = ["fit", "mmrm", str(path), "--formula", formula, "--subject", "id", "--visit", "visit"]
        status = terminal.main([*told, *more])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_the_form_of_the_answer_and_its_numbers(fit):
    more = (
        "--categorical",
        "visit",
        "--categorical",
        "strat",
        "--reference",
        "arm=PBO",
        "--covariance",
        "us",
    )
    status, out, _ = fit(*more, "--df", "kenward-roger", "--json")
    found = json.loads(out, parse_constant=pytest.fail)
    expected = trials()["syn2"]["expected"]
    assert status == 0
    assert {
        "coefficients",
        "covariance",
        "vcov",
        "loglik",
        "reml",
        "converged",
        "n_obs",
        "n_subjects",
    } <= set(found)
    assert all(set(its) == {"term", "estimate", "se", "df", "t", "p"} for its in found["coefficients"])
    assert {"arm[T.MSC]", "visit[T.2]"} <= {its["term"] for its in found["coefficients"]}
    assert (found["reml"], found["converged"], found["n_obs"]) == (True, True, expected["n_obs"])
    assert found["loglik"] == pytest.approx(-expected["neg_log_lik"], abs=1e-7)
    np.testing.assert_allclose(found["covariance"], expected["varcor"], rtol=1e-5)
    se = {its["term"]: its["se"] for its in found["coefficients"]}
    np.testing.assert_allclose(np.sqrt(np.diag(found["vcov"])), list(se.values()), rtol=1e-9)


def test_for_a_reader_it_is_a_table(fit):
    status, out, _ = fit("--categorical", "visit", "--ml", "--df", "satterthwaite", "--covariance", "us,cs")
    assert status == 0
    assert "arm[T.PBO]" in out
    assert "ML log-likelihood" in out


def test_a_fault_of_the_data_is_said_and_is_status_one(fit):
    status, out, err = fit("--categorical", "visit", "--json", formula="chg ~ arm * visit + nobody")
    assert (status, json.loads(out)["problems"][0]["rule"]) == (1, "analysis.no-column")
    assert "nobody" in err


def test_a_reference_needs_a_column_and_a_level(fit):
    with pytest.raises(SystemExit) as ended:
        fit("--reference", "arm")
    assert ended.value.code == 2

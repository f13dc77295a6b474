"""The command of docs/mmrm.md as it stands there, on R's public example, beside what is published for it.

Sources: README of R's package mmrm (openpharma/mmrm), `summary(fit)` as printed there, Satterthwaite's degrees of
freedom; SAS PROC MIXED as printed in the package's comparison. The README's search stops early, up to 3e-4 in standard
errors and 8e-4 in degrees of freedom as measured in the reference notes, which are the bounds here; SAS's are its print.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from equipoise.cli import main as terminal

PAGE = Path(__file__).resolve().parents[3] / "docs" / "mmrm.md"
README = {
    "Intercept": (30.77748, 0.88656, 218.80, 34.715, None),
    "RACE[T.Black or African American]": (1.53050, 0.62448, 168.67, 2.451, 0.015272),
    "RACE[T.White]": (5.64357, 0.66561, 157.14, 8.479, 1.56e-14),
    "SEX[T.Female]": (0.32606, 0.53195, 166.13, 0.613, 0.540744),
    "ARMCD[T.TRT]": (3.77423, 1.07415, 145.55, 3.514, 0.000589),
    "AVISIT[T.VIS2]": (4.83959, 0.80172, 143.88, 6.037, 1.27e-08),
    "AVISIT[T.VIS3]": (10.34211, 0.82269, 155.56, 12.571, None),
    "AVISIT[T.VIS4]": (15.05390, 1.31281, 138.47, 11.467, None),
    "ARMCD[T.TRT]:AVISIT[T.VIS2]": (-0.04193, 1.12932, 138.56, -0.037, 0.970439),
    "ARMCD[T.TRT]:AVISIT[T.VIS3]": (-0.69369, 1.18765, 158.17, -0.584, 0.559996),
    "ARMCD[T.TRT]:AVISIT[T.VIS4]": (0.62423, 1.85085, 129.72, 0.337, 0.736463),
}
"""Estimate, standard error, df, t, p; None: printed only as < 2e-16."""
SIGMA = [
    [40.5537, 14.3960, 4.9747, 13.3867],
    [14.3960, 26.5715, 2.7855, 7.4745],
    [4.9747, 2.7855, 14.8979, 0.9082],
    [13.3867, 7.4745, 0.9082, 95.5568],
]


@pytest.fixture
def command(shared_data, tmp_path, monkeypatch, capsys):
    shutil.copy(shared_data / "fev_data.csv", tmp_path / "DATA.csv")
    monkeypatch.chdir(tmp_path)
    block = re.search(r"^equipoise (fit mmrm .*?)\n```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert block is not None
    written = shlex.split(block.group(1).replace("\\\n", " "))

    def run(*more):
        status = terminal.main([*written, *more])
        said = capsys.readouterr()
        assert status == 0, said.err
        return json.loads(said.out, parse_constant=pytest.fail)

    return run


def test_the_command_of_the_page_prints_the_published_numbers(command):
    found = command("--reference", "SEX=Male", "--df", "satterthwaite")
    mine = {its["term"]: its for its in found["coefficients"]}
    assert list(mine) == list(README)
    for term, (estimate, se, df, t, p) in README.items():
        assert mine[term]["estimate"] == pytest.approx(estimate, abs=3e-4 * se + 5e-6)
        assert mine[term]["se"] == pytest.approx(se, rel=3e-4)
        assert mine[term]["df"] == pytest.approx(df, rel=8e-4)
        assert mine[term]["t"] == pytest.approx(t, abs=3e-4 * (1.0 + abs(t)) + 5e-4)
        assert mine[term]["p"] < 2e-16 if p is None else mine[term]["p"] == pytest.approx(p, rel=5e-3)
    sd = np.sqrt(np.diag(SIGMA))
    assert np.max(np.abs(np.array(found["covariance"]) - SIGMA) / np.outer(sd, sd)) < 3e-4
    assert (found["n_obs"], found["n_subjects"], round(found["loglik"], 1)) == (537, 197, -1693.2)
    assert -2.0 * found["loglik"] == pytest.approx(
        3386.44987722, abs=1e-5
    )  # PROC MIXED's -2 REML log-likelihood


def test_as_it_stands_on_the_page_it_is_kenward_and_roger_s_linear_form(command, shared_reference):
    """R mmrm 0.3.18 at a tight optimum (the reference notes); female is the first level of SEX by alphabet."""
    found = command()
    references = json.loads((shared_reference / "stat-references.json").read_text("utf-8"))["mmrm"]["fev_m1"]
    expected = dict(zip(references["coef_names"], references["Kenward-Roger-Linear"]["se"], strict=True))
    mine = {its["term"]: its for its in found["coefficients"]}
    assert mine["ARMCD[T.TRT]"]["se"] == pytest.approx(expected["ARMCDTRT"], rel=1e-6)
    assert mine["SEX[T.Male]"]["se"] == pytest.approx(expected["SEXFemale"], rel=1e-6)
    assert found["df"] == "kenward-roger (linear)"

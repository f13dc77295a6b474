"""`equipoise fit mmrm DATA.csv …`: an analysis of a table that somebody gives, without a store."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, cast

from equipoise.cli import fit_one
from equipoise.cli.answer import Answer, done, refused, told
from equipoise.cli.fit_table import add_table, table_of
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem

if TYPE_CHECKING:
    from equipoise.analysis import MmrmFit


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the commands."""
    kinds = subjects.add_parser("fit", help="fit a statistical model to a table").add_subparsers(
        dest="kind", metavar="model", required=True
    )
    command = kinds.add_parser("mmrm", help="a mixed model for repeated measures")
    add_table(command)
    command.add_argument("--formula", required=True, help="for instance “CHG ~ BASE * AVISIT + ARM * AVISIT”")
    command.add_argument("--subject", required=True, metavar="COLUMN")
    command.add_argument("--visit", required=True, metavar="COLUMN")
    command.add_argument("--group", metavar="COLUMN", help="a covariance for each level of this column")
    command.add_argument(
        "--covariance", default="us", metavar="NAME[,NAME…]", help="later ones are fitted when one fails"
    )
    command.add_argument("--df", choices=("satterthwaite", "kenward-roger"), default="kenward-roger")
    command.add_argument(
        "--vcov",
        choices=("model", "empirical", "empirical-bias-reduced", "empirical-jackknife"),
        default="model",
        help="covariance of the coefficients",
    )
    command.add_argument("--weights", metavar="COLUMN", help="a row of weight w has 1/w of the variance")
    command.add_argument("--ml", action="store_true", help="maximum likelihood in place of REML")
    command.set_defaults(run=_mmrm)
    fit_one.declare(kinds)


def _mmrm(options: argparse.Namespace) -> Answer:
    from equipoise.analysis import fit_mmrm

    # in the formula a visit's number is a number unless it is told otherwise
    table = table_of(options, texts={options.subject, options.group} - {None, options.visit})
    if isinstance(table, Problem):
        return refused((table,))
    found = fit_mmrm(
        table,
        options.formula,
        subject=options.subject,
        visit=options.visit,
        group=options.group,
        covariance=tuple(name.strip() for name in options.covariance.split(",")),
        weights=options.weights,
        df=options.df,
        vcov=options.vcov,
        reml=not options.ml,
        categorical=options.categorical,
        reference=dict(options.reference),
    )
    return refused(found) if isinstance(found, tuple) else done(_json(found), *_lines(found))


def _json(found: MmrmFit) -> Json:
    coefficients = [
        {"term": term, "estimate": its.estimate, "se": its.se, "df": its.df, "t": its.t, "p": its.p}
        for term, its in found.coefficients.items()
    ]
    matrices = {name: sigma.tolist() for name, sigma in found.sigma.items()}
    value = {
        "coefficients": coefficients,
        "covariance": matrices.get("", matrices),
        "vcov": found.vcov.tolist(),
        "loglik": found.loglik,
        "reml": found.reml,
        "converged": found.convergence.converged,
        "n_obs": found.n_obs,
        "n_subjects": found.n_subjects,
        "visits": list(found.visits),
        "structure": found.convergence.structure,
        "df": _df(found),
    }
    return cast(Json, value)  # numbers of an analysis are floats, which a ledger's JSON may not hold


def _lines(found: MmrmFit) -> tuple[str, ...]:
    wide = max(len(term) for term in found.terms)
    head = f"{'':<{wide}} {'estimate':>12} {'se':>11} {'df':>8} {'t':>8} {'p':>9}"
    rows = [
        f"{term:<{wide}} {its.estimate:>12.6g} {its.se:>11.6g} {its.df:>8.2f} {its.t:>8.3f} {its.p:>9.3g}"
        for term, its in found.coefficients.items()
    ]
    ended = found.convergence
    counts = {"rows": found.n_obs, "subjects": found.n_subjects, "loglik": f"{found.loglik:.6f}"}
    return (
        head,
        *rows,
        told("analysis.told-fit", method="REML" if found.reml else "ML", **counts),
        told("analysis.told-covariance", structure=ended.structure, steps=ended.steps, df=_df(found)),
        *((told("analysis.told-passed", passed=", ".join(ended.passed)),) if ended.passed else ()),
    )


def _df(found: MmrmFit) -> str:
    return "kenward-roger (linear)" if found.df_method == "kenward-roger" else found.df_method

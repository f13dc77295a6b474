"""`equipoise fit ordinal`, `fit ancova` and `fit winratio`: analyses of a table with one value a participant."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Literal, cast

from equipoise.cli.answer import Answer, done, refused, told
from equipoise.cli.fit_table import add_level, add_table, printed, table_of
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem

if TYPE_CHECKING:
    from equipoise.analysis import AncovaFit, OrdinalFit, Outcome, WinFit


def declare(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the commands."""
    ordinal = kinds.add_parser("ordinal", help="proportional odds, all or some of them")
    ordinal.add_argument("--formula", required=True, help="for instance “MRS ~ ARM + NIHSS”")
    ordinal.add_argument("--categories", metavar="A,B,…", help="their order, lowest first")
    ordinal.add_argument(
        "--nominal", action="append", default=[], metavar="TERM", help="a coefficient at every cut"
    )
    ordinal.add_argument("--frequency", metavar="COLUMN", help="how often a row stands")
    ordinal.add_argument("--join-empty", action="store_true", help="join a category that nobody has")
    ordinal.add_argument("--information", choices=("observed", "expected"), default="observed")
    ancova = kinds.add_parser("ancova", help="analysis of covariance")
    ancova.add_argument("--formula", required=True, help="for instance “CHG ~ BASE + ARM”")
    ancova.add_argument("--errors", choices=("model", "HC0", "HC1", "HC2", "HC3"), default="model")
    wins = kinds.add_parser("winratio", help="wins, losses and ties of all pairs across two arms")
    wins.add_argument("--arm", required=True, metavar="COLUMN")
    wins.add_argument(
        "--outcome",
        required=True,
        action="append",
        type=_outcome,
        metavar="COLUMN[,lower][,margin=N][,event=COLUMN]",
        help="most important first; higher is better where not told; event: 1 where the event came at that time",
    )
    wins.add_argument("--stratum", action="append", default=[], metavar="COLUMN")
    for command, run in ((ordinal, _ordinal), (ancova, _ancova), (wins, _winratio)):
        add_table(command)
        add_level(command)
        command.set_defaults(run=run)


def _outcome(text: str) -> Outcome:
    from equipoise.analysis import Outcome

    column, *parts = (part.strip() for part in text.split(","))
    better: Literal["higher", "lower"] = "higher"
    margin, event = 0.0, None
    for part in parts:
        name, _, value = part.partition("=")
        if part in ("higher", "lower"):
            better = cast(Literal["higher", "lower"], part)
        elif name == "event" and value:
            event = value
        elif name == "margin":
            margin = _margin(value)
        else:
            raise argparse.ArgumentTypeError(f"“{part}” is not higher, lower, margin=N or event=COLUMN")
    if not column:
        raise argparse.ArgumentTypeError("a column is wanted")
    return Outcome(column, better, margin, event)


def _margin(text: str) -> float:
    try:
        margin = float(text)
    except ValueError:
        margin = -1.0
    if not 0.0 <= margin < float("inf"):
        raise argparse.ArgumentTypeError("a margin is a number, zero or more")
    return margin


def _ordinal(options: argparse.Namespace) -> Answer:
    from equipoise.analysis import fit_ordinal

    table = table_of(options)
    if isinstance(table, Problem):
        return refused((table,))
    categories = options.categories
    found = fit_ordinal(
        table,
        options.formula,
        categories=[name.strip() for name in categories.split(",")] if categories else None,
        nominal=options.nominal,
        frequency=options.frequency,
        categorical=options.categorical,
        reference=dict(options.reference),
        join_empty=options.join_empty,
        information=options.information,
        level=options.level,
    )
    if isinstance(found, tuple):
        return refused(found)
    value = found.to_json()
    return done(cast(Json, value), *_ordinal_lines(found, value))


def _ordinal_lines(found: OrdinalFit, value: dict[str, Any]) -> tuple[str, ...]:
    coefficients = {term: (its.estimate, its.se, its.z, its.p) for term, its in found.coefficients.items()}
    ratios = {
        its["term"]: (
            its["ratio"],
            its["low"],
            its["high"],
            *(its["profile"] or {"low": None, "high": None}).values(),
        )
        for its in value["odds_ratios"]
    }
    tests = {
        f"{its['term']}: {name}": (test["chi2"], test["df"], test["p"])
        for its in value["proportional_odds"]
        for name, test in its.items()
        if isinstance(test, dict) and "chi2" in test
    }
    counts = {"rows": found.n_obs, "loglik": f"{found.loglik:.6f}", "steps": found.steps}
    return (
        *printed(("estimate", "se", "z", "p"), coefficients),
        *(("", *printed(("odds ratio", "low", "high", "profile low", "high"), ratios)) if ratios else ()),
        *(("", *printed(("chi2", "df", "p"), tests)) if tests else ()),
        told("analysis.told-ordinal", categories=", ".join(found.categories), **counts),
    )


def _ancova(options: argparse.Namespace) -> Answer:
    from equipoise.analysis import fit_ancova

    table = table_of(options)
    if isinstance(table, Problem):
        return refused((table,))
    found = fit_ancova(
        table,
        options.formula,
        errors=options.errors,
        categorical=options.categorical,
        reference=dict(options.reference),
        level=options.level,
    )
    if isinstance(found, tuple):
        return refused(found)
    return done(cast(Json, found.to_json()), *_ancova_lines(found))


def _ancova_lines(found: AncovaFit) -> tuple[str, ...]:
    heads = ("estimate", "se", "df", "t", "p", "low", "high")

    def row(its: Any) -> tuple[float, ...]:
        return tuple(getattr(its, name) for name in heads)

    means = {
        f"{name} {next(iter(its.levels.values()))}": row(its.estimate)
        for name in found.frame.levels
        for its in (*found.lsmeans(name), *found.differences(name))
    }
    return (
        *printed(heads, {term: row(its) for term, its in found.coefficients.items()}),
        *(("", *printed(heads, means)) if means else ()),
        told("analysis.told-ancova", rows=found.n_obs, errors=found.errors, sigma=f"{found.sigma:.6g}"),
    )


def _winratio(options: argparse.Namespace) -> Answer:
    from equipoise.analysis import fit_winratio

    table = table_of(options, texts={options.arm, *options.stratum})
    if isinstance(table, Problem):
        return refused((table,))
    if other := [column for column, _ in options.reference if column != options.arm]:
        return refused((problem("analysis.reference-of-arm", other[0], arm=options.arm),))
    found = fit_winratio(
        table,
        options.outcome,
        options.arm,
        strata=options.stratum,
        reference=dict(options.reference).get(options.arm),
        level=options.level,
    )
    if isinstance(found, tuple):
        return refused(found)
    return done(cast(Json, found.to_json()), *_win_lines(found))


def _win_lines(found: WinFit) -> tuple[str, ...]:
    names = [its.outcome for its in found.tallies]
    tallies = {
        its.outcome if names.count(its.outcome) == 1 else f"{at}. {its.outcome}": (
            its.wins,
            its.losses,
            its.ties,
        )
        for at, its in enumerate(found.tallies, 1)
    }
    ratio, odds, benefit = found.win_ratio, found.win_odds, found.net_benefit
    rows = {
        "win ratio": (ratio.ratio, ratio.low, ratio.high, ratio.p) if ratio else (None,) * 4,
        "win odds": (odds.ratio, odds.low, odds.high, odds.p),
        "net benefit": (benefit.estimate, benefit.low, benefit.high, benefit.p),
    }
    reference, active = found.arms
    return (
        *printed(("wins", "losses", "left"), tallies),
        "",
        *printed(("estimate", "low", "high", "p"), rows),
        told(
            "analysis.told-wins",
            active=active,
            reference=reference,
            wins=found.wins,
            losses=found.losses,
            ties=found.ties,
        ),
    )

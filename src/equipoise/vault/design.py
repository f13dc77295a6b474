"""Whether a study's design of allocation may be used, and the table that compares it with others.

The rules that must stay true: a design over a bar needs a recorded reason; one in which opening one code opens another
whole (blocks of two) is never made. The bars and figures: `randomization.predictability`.
"""

from __future__ import annotations

from collections.abc import Iterable

from equipoise.protocol.strata import is_mode_b
from equipoise.protocol.study import Study
from equipoise.randomization.predictability import (
    GUESS_BAR,
    ONE_BREAK_BAR,
    OWN_SITE_BAR,
    Predictability,
    design_table,
    own_figures,
)
from equipoise.vault.lists import chosen_method
from equipoise.words.problem import Problem, problem, say
from equipoise.words.text import Language

CERTAIN = 0.999


def gate(study: Study, reason: str) -> Predictability | tuple[Problem, ...]:
    """The figures of a design that may be used, or why it may not. `reason`: why one over a bar is used, or blank."""
    usable = chosen_method(study)
    if isinstance(usable, Problem):
        return (usable,)
    figures = own_figures(study)
    return (figures,) if isinstance(figures, Problem) else judged(figures, reason) or figures


def judged(figures: Predictability, reason: str) -> tuple[Problem, ...]:
    """What stands against a design with these figures."""
    if figures.one_break > CERTAIN or figures.smallest_block == 2:
        return (problem("vault.block-opens-another", "randomization", method=figures.label),)
    if figures.over and not reason.strip():
        return (
            problem(
                "vault.design-guessable", "randomization", method=figures.label, guess=f"{figures.guess:.3f}",
                bar=GUESS_BAR, own_site=f"{figures.own_site:.3f}", own_site_bar=OWN_SITE_BAR,
                one_break=f"{figures.one_break:.3f}", one_break_bar=ONE_BREAK_BAR,
            ),
        )  # fmt: skip
    return ()


def design_lines(
    study: Study, reason: str = "", language: Language = "en"
) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """The table as lines of text, the study's own design first, and what stands against that one."""
    usable = chosen_method(study)
    if isinstance(usable, Problem):
        return (), (usable,)
    table = design_table(study)
    if isinstance(table, Problem):
        return (), (table,)
    faults = judged(table[0], reason)
    lines = [*_rows(table)]
    if is_mode_b(study):
        lines.append(say("randomization.mode-b-weaker", language))
    if not faults:
        own = table[0]
        lines.append(
            f"ok {own.label} guess {own.guess:.3f} of at most {GUESS_BAR}, own site {own.own_site:.3f} of at most "
            f"{OWN_SITE_BAR}, one break {own.one_break:.3f} of at most {ONE_BREAK_BAR}"
        )
    return tuple(lines), faults


def _rows(table: Iterable[Predictability]) -> Iterable[str]:
    yield (
        f"{'method':44} {'knows all':>9} {'own site':>9} {'one break':>10} {'certain':>8} {'imbalance':>10} {'p95':>4}"
    )
    for row in table:
        mark = "  over the bar" if row.over else ""
        yield (
            f"{row.label:44} {row.guess:9.3f} {row.own_site:9.3f} {row.one_break:10.3f} {row.certain:8.2f} "
            f"{row.imbalance:10.2f} {row.imbalance_p95:4.0f}{mark}"
        )

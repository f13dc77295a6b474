"""The report of a code break for the trial file: who asked, why, when. Never the arm.

The rule that must stay true: the report has the same words in the same places for every arm, and no place for one.
Source: ICH E6(R3) 2.11 (premature unblinding is documented and explained, promptly).
"""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.documents.sheet import Fact, Sheet, sheet_pdf
from equipoise.documents.typeset import Issue, both


@dataclass(frozen=True, slots=True)
class CodeBreak:
    """One opened code. Persons as they are to be named, moments as they are to be printed.

    `route`: `door`, `third_person` or `card`. `reader`: who learnt the arm. `rater`: who rates from now on.
    """

    subject: str
    randomization_number: str
    site: str
    asked_by: str
    asked_at: str
    category: str
    reason: str
    route: str
    reader: str
    shown_at: str
    rater: str = ""
    drill: bool = False
    receipt: str = ""


def code_break_pdf(found: CodeBreak, issue: Issue) -> bytes:
    """The report."""
    names = ("subject", "randomization_number", "site", "asked_by", "asked_at", "category", "reason")
    facts = [Fact(both(f"documents.break-{name.replace('_', '-')}"), getattr(found, name)) for name in names]
    route = {
        "door": "documents.break-by-door",
        "third_person": "documents.break-by-third-person",
        "card": "documents.break-by-card",
    }[found.route]
    facts.append(Fact(both("documents.break-route"), _line(route)))
    facts += [
        Fact(both("documents.break-reader"), found.reader),
        Fact(both("documents.break-shown-at"), found.shown_at),
        Fact(both("documents.break-rater"), found.rater or "–"),
    ]
    if found.receipt:
        facts.append(Fact(both("documents.break-receipt"), found.receipt, exact=True))
    lead = both("documents.break-drill") if found.drill else both("documents.break-lead")
    signatures = (both("documents.break-investigator"), both("documents.break-monitor"))
    sheet = Sheet(
        both("documents.break-title"), lead, tuple(facts), (), (both("documents.break-note"),), signatures
    )
    return sheet_pdf(sheet, issue)


def _line(key: str) -> str:
    words = both(key)
    return f"{words.en} {words.zh}"

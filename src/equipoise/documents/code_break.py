"""The report of a participant's opened codes for the trial file: who asked, why, when, who learnt it. Never the arm.

The rule that must stay true: the report has the same words in the same places for every arm, and no place for one.
Source: ICH E6(R3) 2.11 (premature unblinding is documented and explained, promptly).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.documents.sheet import Fact, Sheet, Table, sheet_pdf
from equipoise.documents.typeset import Issue, both


@dataclass(frozen=True, slots=True)
class CodeBreak:
    """One opened code. Persons as they are to be named, moments as they are to be printed.

    `route`: `door`, `third_person` or `card`. `reader`: who learnt the arm, empty where nobody did. `review`: what the
    safety desk found, empty before it did. A card has been opened, not asked for: its witness stands in `asked_by`.
    """

    asked_at: str
    asked_by: str
    category: str
    reason: str
    route: str
    reader: str
    shown_at: str
    review: str = ""


_ROUTES = {
    "door": "documents.break-by-door",
    "third_person": "documents.break-by-third-person",
    "card": "documents.break-by-card",
}
_COLUMNS = ("asked-at", "asked-by", "category", "reason", "route", "reader", "shown-at", "review")
_WIDTHS = (11, 11, 11, 18, 14, 11, 11, 13)


@dataclass(frozen=True, slots=True)
class BreakReport:
    """Every opened code of one participant, and who rates the participant from now on."""

    subject: str
    randomization_number: str
    site: str
    rater: str
    breaks: Sequence[CodeBreak]


def code_break_pdf(report: BreakReport, issue: Issue) -> bytes:
    """The report."""
    facts = (
        Fact(both("documents.break-subject"), report.subject),
        Fact(both("documents.break-randomization-number"), report.randomization_number or "–"),
        Fact(both("documents.break-site"), report.site),
        Fact(both("documents.break-rater"), report.rater or "–"),
    )
    rows = tuple(_cells(one) for one in report.breaks)
    table = Table(
        both("documents.break-breaks"),
        tuple(both(f"documents.break-{name}") for name in _COLUMNS),
        _WIDTHS,
        rows,
    )
    signatures = (both("documents.break-investigator"), both("documents.break-monitor"))
    notes = (both("documents.break-note"),)
    sheet = Sheet(
        both("documents.break-title"),
        both("documents.break-lead"),
        facts,
        (table,),
        notes,
        signatures,
    )
    return sheet_pdf(sheet, issue)


def _cells(one: CodeBreak) -> tuple[str, ...]:
    route = both(_ROUTES[one.route])
    how = f"{route.en} {route.zh or ''}".strip()
    return (one.asked_at, one.asked_by, one.category, one.reason, how, one.reader, one.shown_at, one.review)

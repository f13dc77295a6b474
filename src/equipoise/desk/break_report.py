"""The report of a participant's opened codes, from the first door's own record. No view of this door holds an arm.

The rule that must stay true: whoever may not read code breaks has no report; what it says follows from entries of the
participant's stream, and from nothing that the second door keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from equipoise.access.commands import Who
from equipoise.desk.code_breaks import BlindView, BreakLine, CardLine, blind_page
from equipoise.desk.desk import Desk
from equipoise.documents.code_break import BreakReport, CodeBreak, code_break_pdf
from equipoise.documents.typeset import both, issue_of
from equipoise.ledger.entries import CodeBreakRequested
from equipoise.words.clock import local
from equipoise.words.text import Text


def break_report(desk: Desk, who: Who, number: str) -> bytes | None:
    """The report as PDF; None where the reader may not read it, or nobody bears the number."""
    view, subject = blind_page(desk, who, number), desk.subject_id(number)
    if view is None or subject is None:
        return None
    study, rehearsal = desk.study, desk.purpose == "rehearsal"
    with desk.reading() as reader:
        entries = [one.entry for one in reader.entries(f"subject/{subject}")]
    reasons = {one.request: one.reason for one in entries if isinstance(one, CodeBreakRequested)}
    breaks = [
        *(_break(view, line, reasons) for line in reversed(view.breaks)),
        *(_card(view, one) for one in view.cards),
    ]
    site = f"{view.site} {view.site_name.en}"
    report = BreakReport(number, view.randomization_number or "", site, view.rater or "", breaks)
    today = desk.now().astimezone(ZoneInfo(view.zone)).date()
    return code_break_pdf(report, issue_of(study, today, rehearsal=rehearsal))


def _break(view: BlindView, line: BreakLine, reasons: Mapping[str, str]) -> CodeBreak:
    return CodeBreak(
        local(line.asked_at, view.zone),
        line.asked_by,
        _in_both(both(f"blind.category-{line.category.lower().replace('_', '-')}")),
        reasons.get(line.request, ""),
        "door" if line.to == "SELF" else "third_person",
        line.reader or "",
        local(line.shown_at, view.zone),
        _review(view, line),
    )


def _card(view: BlindView, card: CardLine) -> CodeBreak:
    opened = local(card.opened_at, view.zone)
    return CodeBreak(opened, card.witnessed_by, "", "", "card", card.opened_by, opened)


def _review(view: BlindView, line: BreakLine) -> str:
    if line.justified is None:
        return ""
    found = both("blind.justified") if line.justified else both("blind.not-justified")
    return f"{_in_both(found)} {line.reviewed_by or ''} {local(line.reviewed_at, view.zone)}".strip()


def _in_both(words: Text) -> str:
    return f"{words.en} {words.zh or ''}".strip()

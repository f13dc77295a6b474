"""The report of opened codes at the first door: for who may read code breaks, from the record alone, without an arm.

Source of the rules: DESIGN 5 (three openings), ICH E6(R3) 2.11.
"""

from __future__ import annotations

import pytest

from equipoise.desk.break_report import break_report
from equipoise.documents.code_break import BreakReport
from equipoise.randomization.commands import RequestCodeBreak
from rooms.vault.two_doors import Doors

REASON = "Anaphylaxis suspected; 疑似过敏性休克"


@pytest.fixture
def reports(monkeypatch) -> list[BreakReport]:
    """What was printed."""
    found: list[BreakReport] = []

    def look(report, issue):
        found.append(report)
        return b"%PDF"

    monkeypatch.setattr("equipoise.desk.break_report.code_break_pdf", look)
    return found


def asked(doors: Doors) -> None:
    """One participant, and an investigator who asks for the code."""
    doors.randomize("s1", "N6-12/D14-45")
    doors.exchange()
    who = doors.desk.who("inv", "investigator")
    assert who is not None
    command = RequestCodeBreak("s1", "abcdefgh23456789", "EMERGENCY", urgent=True, to="SELF", reason=REASON)
    answer = doors.desk.submit(who, command, key="ask")
    assert answer.accepted, [problem.say() for problem in answer.problems]


def test_the_report_says_who_asked_why_and_when(doors: Doors, reports) -> None:
    asked(doors)
    who = doors.desk.who("inv", "investigator")
    assert who is not None
    assert break_report(doors.desk, who, "S-s1") == b"%PDF"
    (line,) = reports[0].breaks
    assert line.reason == REASON
    assert line.category.startswith("Emergency")
    assert line.route == "door"
    assert line.reader == line.shown_at == line.review == ""
    # 03:00 UTC on 1 June 2026 (the doors' clock) is 11:00 in Shanghai, the zone of site 01
    assert line.asked_at == "2026-06-01 11:00"


def test_a_real_report_is_a_document_of_the_rehearsal(doors: Doors) -> None:
    asked(doors)
    who = doors.desk.who("inv", "investigator")
    assert who is not None
    made = break_report(doors.desk, who, "S-s1")
    assert made is not None
    assert made.startswith(b"%PDF-1.7")


@pytest.mark.parametrize(("actor", "role"), [("lab", "lab_desk"), ("phar", "pharmacist")])
def test_who_may_not_read_code_breaks_has_no_report(doors: Doors, actor, role) -> None:
    asked(doors)
    who = doors.desk.who(actor, role)
    assert who is not None
    assert break_report(doors.desk, who, "S-s1") is None


def test_of_nobody_there_is_no_report(doors: Doors) -> None:
    who = doors.desk.who("inv", "investigator")
    assert who is not None
    assert break_report(doors.desk, who, "nobody") is None

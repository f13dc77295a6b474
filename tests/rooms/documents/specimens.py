"""One made-up document of each kind, for tests. Nobody in them is real."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping

from equipoise.documents.accountability import AccountedUnit, accountability_pdf, act
from equipoise.documents.balance import LotBalance
from equipoise.documents.card import EmergencyCard, cards_pdf
from equipoise.documents.certificate import Certificate, certificate_pdf
from equipoise.documents.code_break import BreakReport, CodeBreak, code_break_pdf
from equipoise.documents.label import BagLabel, RequestSlip, labels_pdf
from equipoise.documents.phone_card import PhoneCard, phone_card_pdf
from equipoise.documents.typeset import Issue
from equipoise.words.text import Text

ISSUE = Issue("DEMO-0001", dt.date(2026, 8, 14), rehearsal=True)
ARMS = (Text("The product", "细胞制剂"), Text("Placebo", "安慰剂"))
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def card(seed: int) -> EmergencyCard:
    """A card whose texts are as long as those of every other, and random."""
    draw = random.Random(seed)
    typed = "".join(draw.choice(_LETTERS) for _ in range(132))
    code = "-".join("".join(draw.choice(_LETTERS) for _ in range(4)) for _ in range(4))
    number = f"R{draw.randrange(100_000):05d}"
    return EmergencyCard(number, f"EQC1/DEMO-0001/{number}/{typed}", typed, code)


def certificate() -> Certificate:
    return Certificate(
        version="1.0",
        digest="ab" * 32,
        method="big stick, 3",
        ratio="1 : 1",
        generator="equipoise-list-1",
        root="cd" * 32,
        strata=(("L-E", 86), ("H-D", 86)),
        contributions=(("machine", "ef" * 32), ("Li Wei 李伟", "01" * 32)),
        program="23" * 32,
        public_value="a value nobody knows yet",
        guess=("0.580", "0.512", "0.660"),
        over_bar_because="a reason",
        held_at="2026-08-14 09:00 UTC",
    )


def report(*breaks: CodeBreak) -> BreakReport:
    return BreakReport("01001", "R12345", "01 Shanghai 上海", "Dr Wu", breaks)


BREAK = CodeBreak(
    "2026-08-14 03:12", "Dr Chen", "emergency 紧急", "过敏性休克", "door", "Dr Chen", "2026-08-14 03:13"
)


LINES = [
    AccountedUnit(
        "2026-08-14 10:30",
        act("UnitTaken"),
        "LOT-A17",
        "LOT-A17-04",
        "01001",
        "B48213907",
        "Li Wei 李伟",
        "Zhou Min",
    )
] * 40
BALANCES = [LotBalance("LOT-A17", "CELLS", "RELEASED", "2027-01-31", 40, 17, 0, 20, 3, 0)]

ALL: Mapping[str, Callable[[], bytes]] = {
    "cards": lambda: cards_pdf([card(1), card(2)], ARMS, ISSUE),
    "labels": lambda: labels_pdf(
        [
            BagLabel("482139", "2026-08-14 13:45 +08:00", "01001", Text("Infusion 1", "第1次输注")),
            RequestSlip("abcdefgh23456789", "EQ.REQ.abcdefgh23456789", "2026-08-14 11:00 +08:00", "01001"),
        ],
        ISSUE,
    ),
    "certificate": lambda: certificate_pdf(certificate(), ISSUE),
    "accountability": lambda: accountability_pdf("01 Shanghai 上海", LINES, BALANCES, ISSUE),
    "code-break": lambda: code_break_pdf(report(BREAK), ISSUE),
    "phone": lambda: phone_card_pdf(
        PhoneCard("https://diary.example/diary/#AAECAw", "01001", "2026-08-28"), ISSUE
    ),
    "undated": lambda: code_break_pdf(report(), Issue("DEMO-0001")),
}

"""Paper cards of the diary: what the phone asks of the same person, and nothing that only the participant can answer."""

from __future__ import annotations

import datetime as dt

import pytest

from equipoise.documents import diary_paper
from equipoise.documents.typeset import Issue, chinese_font
from equipoise.protocol.diary import DiaryPlan
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from house.house_files import ROOT

ISSUE = Issue("DEMO-0001", dt.date(2026, 8, 14), rehearsal=True)


@pytest.fixture(scope="module")
def plan() -> DiaryPlan:
    found = load_study(ROOT / "studies" / "nct07197606")
    assert isinstance(found, Study)
    return found.diary


@pytest.mark.parametrize("caregiver", [False, True])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_card_asks_what_the_phone_asks(plan, monkeypatch, caregiver, language):
    seen: list[dict] = []
    monkeypatch.setattr(diary_paper, "pdf", lambda name, title, issue, values: seen.append(values) or b"%PDF")
    diary_paper.diary_pdf(plan, plan.forms, "01001", ISSUE, caregiver=caregiver, language=language)
    reporter, spoken = ("CAREGIVER" if caregiver else "PARTICIPANT"), (language if chinese_font() else "en")
    for form, printed in zip(plan.forms, seen[0]["forms"], strict=True):
        asked = [item["question"] for section in printed["sections"] for item in section["items"]]
        items = plan.asked(form, reporter)
        assert asked == [item.asks(reporter, form.period).say(spoken) for item in items]
        assert not caregiver or all(item.proxy for item in items)


def test_the_same_card_has_the_same_bytes(plan):
    first, second = (diary_paper.diary_pdf(plan, plan.forms[:1], "01001", ISSUE) for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF")

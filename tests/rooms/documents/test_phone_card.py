"""The card for a phone. Sources: the diary's contract (code in the fragment, PIN told apart); ISO/IEC 18004 for the code."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import typst

from equipoise.documents.phone_card import PhoneCard, phone_card_pdf, said_on
from equipoise.documents.squares import drawing
from equipoise.documents.typeset import Issue

LINK = "https://diary.example/diary/#AAECAwQFBgcICQoLDA0ODw"
CARD = PhoneCard(LINK, "01001", "2026-03-16")
ISSUE = Issue("DEMO-0001", dt.date(2026, 3, 2), rehearsal=True)


def handed_to_typst(monkeypatch):
    """The values of every document that is set from now on."""
    handed = []
    real = typst.compile

    def look(*places, **names):
        handed.append(json.loads(names["sys_inputs"]["data"]))
        return real(*places, **names)

    monkeypatch.setattr(typst, "compile", look)
    return handed


def test_a_card_bears_its_code_and_nothing_of_a_person(monkeypatch):
    handed = handed_to_typst(monkeypatch)
    made = phone_card_pdf(CARD, ISSUE)
    assert made.startswith(b"%PDF-")
    assert made == phone_card_pdf(CARD, ISSUE), "the same values give the same bytes"
    said = handed[0]
    assert said["qr"] == drawing(LINK)
    assert (said["link"], said["number"], said["until"]) == (LINK, "01001", "2026-03-16")
    words = json.dumps(
        [said["steps"], said["title"], said["words"], said["holder"]], ensure_ascii=False
    ).lower()
    assert not any(word in words for word in ("stroke", "trial", "脑", "卒中", "pin", "study"))


def test_everything_stands_on_one_small_page_and_says_what_to_do_when_it_is_lost(monkeypatch):
    real: Any = typst.compile  # Any: its types know one page only
    drawn = []

    def look(*places, **names):
        plain = {name: value for name, value in names.items() if name != "pdf_standards"}
        drawn.append(real(*places, format="svg", **plain))
        return real(*places, **names)

    monkeypatch.setattr(typst, "compile", look)
    long = "https://a-long-name-of-a-hospital.example.org:8443/diary/#AAECAwQFBgcICQoLDA0ODw"
    phone_card_pdf(PhoneCard(long, "01001", "2026-03-16", caregiver=True), ISSUE)
    assert all(isinstance(one, bytes) for one in drawn), "a second page would make a list"
    said = said_on(CARD)["words"]
    assert "lost" in said["lost"].en
    assert "丢" in said["lost"].say("zh")


def test_a_caregivers_card_says_whose_it_is(monkeypatch):
    handed = handed_to_typst(monkeypatch)
    phone_card_pdf(CARD, ISSUE)
    phone_card_pdf(PhoneCard(LINK, "01001", "2026-03-16", caregiver=True), ISSUE)
    own, theirs = (json.dumps(said["holder"], ensure_ascii=False).lower() for said in handed)
    assert "participant" in own
    assert "受试者" in own
    assert "caregiver" in theirs
    assert "照护者" in theirs

"""The infusion page over a real desk: what a coordinator, an investigator and a rater see and may do of a dose.

Sources: the list of pages that a first door needs (DESIGN 5), ux.md (wrong kit = full-screen stop), and the rule that
whoever rates sees nothing of what happens around a dose (reliability notes, L18).
"""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.conf import settings

from equipoise.access.commands import SYSTEM
from equipoise.supply.commands import RecordBagRelease
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


@pytest.fixture
def ward(pages, story: Story) -> Story:
    """A story with one randomized participant, whose desk the pages ask."""
    from equipoise.pages.accounts.models import Account, Login

    Login.objects.all().delete()
    Account.objects.all().delete()
    settings.DESK = story.desk
    story.number = story.eligible()  # type: ignore[attr-defined]  # carried along for the tests of this file
    assert story.randomize(story.number).accepted
    return story


def enter(actor: str, role: str, language: str = "en"):
    from django.test import Client

    browser = Client(HTTP_HOST="127.0.0.1", HTTP_ACCEPT_LANGUAGE=language)
    assert browser.post("/enter", {"user": actor, "role": role}).status_code == 302
    return browser


def check(ward: Story, form: str, **items: str) -> None:
    assert ward.record("crc", ward.number, form, items, "V2").accepted


def before_release(ward: Story, **changes: str) -> None:
    check(
        ward,
        "DOSREL",
        **{
            "RELDAT": "2026-06-01",
            "RELTEMP": "36.8",
            "RELINF": "N",
            "RELICH": "N",
            "RELPREG": "N",
            **changes,
        },
    )


def at_the_bedside(ward: Story) -> None:
    check(ward, "DOSBED", BEDDAT="2026-06-01", BEDTIM="10:00", BEDTEMP="36.9", BEDINF="N", BEDNEURO="N")


def request_of(page: str) -> str:
    return re.search(r'name="request" value="([^"]+)"', page)[1]


def post(browser, ward: Story, **fields: str):
    return browser.post(f"/subjects/{ward.number}/infusion", fields)


def page_of(browser, ward: Story) -> str:
    return browser.get(f"/subjects/{ward.number}/infusion").content.decode()


def released(ward: Story, browser, bag: str = "4711-2290") -> str:
    """A dose asked for on the page, and its bag, as the second door says it."""
    before_release(ward)
    assert post(browser, ward, do="ask", dose="D1", at="2026-06-01T11:00", weight="70.5").status_code == 302
    request = request_of(page_of(browser, ward))
    until = (ward.clock.at + dt.timedelta(minutes=110)).isoformat()
    command = RecordBagRelease(ward.subject(ward.number), request, bag, until, 1, "00")
    assert ward.desk.submit(SYSTEM, command, key=f"s{bag}").accepted
    return request


def test_from_request_to_return_on_the_page(ward: Story) -> None:
    coordinator = enter("crc", "coordinator")
    request = released(ward, coordinator)
    shown = page_of(coordinator, ward)
    assert "4711-2290" in shown
    assert re.search("(109|110) minutes left", shown)  # the story's clock moves on while it is looked at
    at_the_bedside(ward)
    assert post(coordinator, ward, do="judge", request=request, place="BEDSIDE").status_code == 302
    scan = {"do": "check", "request": request, "scanned_subject": ward.number, "second": "pi"}
    assert post(coordinator, ward, **scan, scanned_bag="4711-2290").status_code == 302
    # 10:00 at the site is 02:00 UTC: what is typed there is the site's time
    assert (
        post(
            coordinator, ward, do="start", request=request, bag="4711-2290", at="2026-06-01T10:00"
        ).status_code
        == 302
    )
    ward.clock.at += dt.timedelta(minutes=45)
    assert post(coordinator, ward, do="interrupt", request=request, at="2026-06-01T10:20").status_code == 302
    assert post(coordinator, ward, do="resume", request=request, at="2026-06-01T10:25").status_code == 302
    assert "40 min" in page_of(coordinator, ward)  # 45 minutes less a pause of 5
    end = {"do": "end", "request": request, "at": "2026-06-01T10:45"}
    assert post(coordinator, ward, **end, outcome="COMPLETE").status_code == 302
    assert (
        post(coordinator, ward, do="return", request=request, bag="4711-2290", remaining="2").status_code
        == 302
    )
    shown = page_of(coordinator, ward)
    assert "Ended" in shown
    assert "2026-06-01 10:45" in shown
    assert "Went back with 2 mL" in shown


def test_a_wrong_bag_fills_the_screen_and_is_kept(ward: Story) -> None:
    coordinator = enter("crc", "coordinator")
    request = released(ward, coordinator)
    scan = {"do": "check", "request": request, "scanned_subject": ward.number, "second": "pi"}
    answer = post(coordinator, ward, **scan, scanned_bag="9999-1111")
    said = answer.content.decode()
    assert answer.status_code == 422
    assert "stop-screen" in said
    assert "STOP" in said
    assert "9999-1111" in said
    assert "4711-2290" in said
    with ward.desk.reading() as reader:
        last = reader.entries(f"subject/{ward.subject(ward.number)}")[-1]
    assert last.header.kind == "BagMismatched"
    assert "Scans that did not agree: 1" in page_of(coordinator, ward)
    chinese = enter("crc", "coordinator", "zh")
    said = post(
        chinese, ward, **{**scan, "scanned_subject": "01099"}, scanned_bag="4711-2290"
    ).content.decode()
    assert "停止" in said
    assert "01099" in said


def test_what_is_typed_wrong_comes_back_beside_its_reason(ward: Story) -> None:
    coordinator = enter("crc", "coordinator")
    answer = post(coordinator, ward, do="ask", dose="D1", at="soon", weight="much")
    said = answer.content.decode()
    assert answer.status_code == 422
    assert "is not a weight" in said
    assert "is not a moment" in said
    assert 'value="much"' in said
    for fields in ({"do": "nonsense"}, {"do": "decide"}, {"do": "reject"}, {}):
        assert post(coordinator, ward, **fields).status_code == 422


def test_a_held_dose_is_decided_by_an_investigator(ward: Story) -> None:
    coordinator, investigator = enter("crc", "coordinator"), enter("pi", "investigator")
    before_release(ward, RELTEMP="38.4")
    post(coordinator, ward, do="ask", dose="D1", at="2026-06-01T11:00", weight="70.5")
    said = page_of(coordinator, ward)
    assert "This dose is held" in said
    assert "No fever before release" in said
    assert "Temperature before release = 38.4 Cel" in said
    assert 'value="decide"' not in said
    request = request_of(page_of(investigator, ward))
    assert (
        post(coordinator, ward, do="decide", request=request, decision="OMIT", reason="x").status_code == 403
    )
    decided = post(
        investigator,
        ward,
        do="decide",
        request=request,
        decision="POSTPONE",
        reason="fever, look again tomorrow",
    )
    assert decided.status_code == 302
    said = page_of(coordinator, ward)
    assert "Postponed" in said
    assert "fever, look again tomorrow" in said


def test_a_late_bag_says_what_can_be_done(ward: Story) -> None:
    coordinator = enter("crc", "coordinator")
    request = released(ward, coordinator)
    ward.clock.at += dt.timedelta(minutes=111)
    assert "too late" in page_of(coordinator, ward)
    scan = {"do": "check", "request": request, "scanned_subject": ward.number, "second": "pi"}
    said = post(coordinator, ward, **scan, scanned_bag="4711-2290").content.decode()
    assert "reject it as too late" in said
    assert (
        post(coordinator, ward, do="reject", request=request, bag="4711-2290", because="LATE").status_code
        == 302
    )
    assert "Asked for" in page_of(coordinator, ward)


def test_what_is_due_is_listed_with_totals_only(ward: Story) -> None:
    coordinator = enter("crc", "coordinator")
    said = coordinator.get("/due").content.decode()
    assert "Infusion 1" in said
    released(ward, coordinator)
    said = coordinator.get("/due").content.decode()
    assert "Bag released" in said
    assert ward.number in said
    assert enter("crc2", "coordinator").get("/due").content.decode().count(ward.number) == 0  # another site
    for word in ("placebo", "Placebo", "hUC", "carrier", "cells", "MSC", "lot"):
        assert word not in said.replace("slots", "")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nobody_who_rates_is_shown_any_of_it(ward: Story, language: str) -> None:
    rater = enter("rater", "rater", language)
    before = rater.get(f"/subjects/{ward.number}").content
    released(ward, enter("crc", "coordinator"))
    assert rater.get(f"/subjects/{ward.number}/infusion").status_code == 404
    assert rater.get("/due").status_code == 404
    assert rater.get(f"/subjects/{ward.number}/forms/V2/INFVS").status_code == 404
    after = rater.get(f"/subjects/{ward.number}").content
    token = re.compile(rb'name="(csrfmiddlewaretoken|key)" value="[^"]*"')
    assert token.sub(b"", after) == token.sub(b"", before)
    assert b"/due" not in after
    assert b"/infusion" not in after


def test_another_site_finds_nothing(ward: Story) -> None:
    assert enter("crc2", "coordinator").get(f"/subjects/{ward.number}/infusion").status_code == 404
    assert enter("cra", "monitor").get(f"/subjects/{ward.number}/infusion").status_code == 200
    assert enter("spo", "sponsor").get("/due").status_code == 404


def test_in_a_trial_the_second_person_types_their_own_password(
    ward: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    from equipoise.pages.accounts.models import Account
    from equipoise.web.views import supply

    coordinator = enter("crc", "coordinator")
    request = released(ward, coordinator)
    account = Account(username="dr.pi", actor="pi", name="PI", role="investigator")
    account.set_password("a long word for the bedside")
    account.save()
    monkeypatch.setattr(supply, "rehearsal", lambda: False)
    scan = {
        "do": "check",
        "request": request,
        "scanned_subject": ward.number,
        "scanned_bag": "4711-2290",
        "second": "pi",
    }
    for fields in (
        scan,
        {**scan, "second_password": "wrong"},
        {**scan, "second": "nobody", "second_password": "x"},
    ):
        answer = post(coordinator, ward, **fields)
        assert answer.status_code == 422
        assert "password is not right" in answer.content.decode()
    assert "Checked by" not in page_of(coordinator, ward)
    assert post(coordinator, ward, **scan, second_password="a long word for the bedside").status_code == 302
    assert "Checked by CRC and PI" in page_of(coordinator, ward)

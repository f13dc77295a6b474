"""Serial measurements as one table, the ranges' page, and a row's clock: over a real desk, without script."""

from __future__ import annotations

import pytest
from django.conf import settings

from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]


@pytest.fixture
def ward(pages, story: Story) -> Story:
    """A story whose desk the pages ask, with one participant in screening."""
    from equipoise.pages.accounts.models import Account, Login

    Login.objects.all().delete()
    Account.objects.all().delete()
    settings.DESK = story.desk
    story.number = story.eligible()  # type: ignore[attr-defined]  # carried along for the tests of this file
    return story


def enter(actor: str, role: str):
    from django.test import Client

    browser = Client(HTTP_HOST="127.0.0.1", HTTP_ACCEPT_LANGUAGE="en")
    assert browser.post("/enter", {"user": actor, "role": role}).status_code == 302
    return browser


def test_the_table_saves_each_row_and_a_refused_one_keeps_what_was_typed(ward: Story) -> None:
    browser, page = enter("crc", "coordinator"), f"/subjects/{ward.number}/grids/V2/INFVS"  # type: ignore[attr-defined]
    assert browser.get(f"/subjects/{ward.number}/forms/V2/INFVS").headers["Location"] == page  # type: ignore[attr-defined]
    given = {"v.1.SYSBP": "120", "v.1.DIABP": "80", "v.2.SYSBP": "nd", "v.3.SYSBP": "9999", "key": "k" * 12}
    answer = browser.post(page, {**given, "do": "save"})
    assert answer.status_code == 422
    said = answer.content.decode()
    assert 'value="9999"' in said
    assert "30 minutes" in said
    number = ward.number  # type: ignore[attr-defined]
    first = ward.desk.form(ward.who("crc"), number, "V2", "INFVS", 1)
    second = ward.desk.form(ward.who("crc"), number, "V2", "INFVS", 2)
    third = ward.desk.form(ward.who("crc"), number, "V2", "INFVS", 3)
    assert first is not None
    assert second is not None
    assert third is not None
    values = {item.id: item.value for item in first.items}
    assert (values["VSTPT"].value, values["SYSBP"].value, values["DIABP"].value) == ("PRE", "120", "80")
    assert {item.id: item.value for item in second.items}["SYSBP"].missing == "ND"
    assert third.base == 0
    assert browser.post(page, {"v.3.SYSBP": "125", "key": "m" * 12}).status_code == 302


def test_nobody_who_rates_sees_the_table(ward: Story) -> None:
    assert enter("rater", "rater").get(f"/subjects/{ward.number}/grids/V2/INFVS").status_code == 404  # type: ignore[attr-defined]


def test_a_serious_event_shows_its_clock_until_it_is_reported(ward: Story) -> None:
    number, browser = ward.number, enter("crc", "coordinator")  # type: ignore[attr-defined]
    event = {"AETERM": "Stroke", "AESER": "Y", "AEAWDAT": "2026-05-01", "AEAWTIM": "10:20"}
    assert ward.record("crc", number, "AE", event, "LOG").accepted
    said = browser.get(f"/subjects/{number}/forms/LOG/AE/1").content.decode()
    assert "2026-05-02 10:20" in said
    assert "is late" in said
    assert ward.record("crc", number, "AE", {"AERPDAT": "2026-05-01"}, "LOG").accepted
    assert 'id="deadline"' not in browser.get(f"/subjects/{number}/forms/LOG/AE/1").content.decode()


def test_a_file_of_ranges_is_refused_whole_with_what_was_sent_on_the_page(ward: Story) -> None:
    browser, page = enter("crc", "coordinator"), "/sites/01/ranges"
    bad = "test,unit,low,high,valid_from\nHGB,g/L,130,175,2026-01-01\nWBC,pound,1,2,2026-01-01\n"
    answer = browser.post(page, {"laboratory": "Lab", "text": bad, "key": "k" * 12})
    assert answer.status_code == 422
    said = answer.content.decode()
    assert "Line 3" in said
    assert "pound" in said.split("<textarea")[1]
    assert "No range of the site" in browser.get(page).content.decode()
    good = "test,unit,low,high,valid_from\nHGB,g/L,130,175,2026-01-01\n"
    assert browser.post(page, {"laboratory": "Lab", "text": good, "key": "m" * 12}).status_code == 302
    assert "130" in browser.get(page).content.decode()
    rater = enter("rater", "rater").post(page, {"laboratory": "Lab", "text": good, "key": "n" * 12})
    assert rater.status_code >= 400

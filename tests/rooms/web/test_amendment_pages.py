"""Pages of versions, listings, the audit trail, and a subject's past: as forms and addresses, over the real desk.

Sources of the rules: decision 0019; ux notes 1.5, 1.6 and 1.13 (batch queries from a listing, audit search).
"""

from __future__ import annotations

import pytest
from django.conf import settings

from equipoise.capture.evolve import Place
from equipoise.desk.setup import release
from rooms.desk.test_impact_and_batches import with_check
from rooms.desk.test_versions_at_sites import with_item
from rooms.web.test_infusion_pages import enter
from stories.conftest import STAFF, Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories

TODAY = "2026-06-01"


@pytest.fixture
def site(pages, story: Story) -> Story:
    """A participant with hypertension, recorded before a version asks about it."""
    from equipoise.pages.accounts.models import Account, Login

    Login.objects.all().delete()
    Account.objects.all().delete()
    settings.DESK = story.desk
    story.number = story.screen("An Example")  # type: ignore[attr-defined]  # carried along for the tests of this file
    assert story.record("crc", story.number, "RISK", {"HTN": "Y"}).accepted  # type: ignore[attr-defined]
    assert release(story.desk, with_check(story.desk.study, "2.0", "RISK", "not HTN")) == ()
    return story


def _as(actor: str):
    return enter(actor, STAFF[actor][0])


def _adopted(browser) -> None:
    approval = {
        "do": "approve",
        "site": "01",
        "version": "2.0",
        "approval": "EC-01-2",
        "on": TODAY,
        "key": "a",
    }
    assert browser.post("/amendments", approval).status_code == 302
    adoption = {"do": "adopt", "site": "01", "version": "2.0", "on": TODAY, "existing": "MOVE", "key": "b"}
    assert browser.post("/amendments", adoption).status_code == 302


def test_a_version_goes_from_its_release_to_queries_on_old_data(site):
    browser = _as("dm")
    shown = browser.get("/amendments").content.decode()
    assert "not the newest" in shown
    assert "1 of 1 participants are touched" in shown
    early = {"do": "adopt", "site": "01", "version": "2.0", "on": TODAY, "key": "early"}
    refused = browser.post("/amendments", early)
    assert refused.status_code == 422
    assert "has not approved version 2.0" in refused.content.decode()
    adopting = refused.content.decode().split("Adopt a version at a site")[1]
    assert f'name="on" value="{TODAY}"' in adopting, "what was typed stays"
    assert "Not run yet at sites that still work by an earlier version: 01" in refused.content.decode()
    _adopted(browser)
    shown = browser.get("/amendments").content.decode()
    assert 'value="01 RISK NEWCHK"' in shown
    assert browser.post("/amendments", {"do": "open", "key": "c"}).status_code == 422  # nothing chosen
    assert site.desk.subjects(site.who("dm"))[0].open_queries == 0
    opened = browser.post("/amendments", {"do": "open", "group": "01 RISK NEWCHK", "key": "c"}, follow=True)
    assert "1 queries were opened, for 1 participants" in opened.content.decode()
    assert site.desk.subjects(site.who("dm"))[0].open_queries == 1
    assert 'value="01 RISK NEWCHK"' not in browser.get("/amendments").content.decode()


def test_who_may_not_see_versions_finds_no_page(site):
    browser = _as("crc")
    assert [browser.get(page).status_code for page in ("/amendments", "/listing", "/audit")] == [404] * 3


def test_a_listing_is_asked_about_after_a_dry_run(site):
    browser = _as("cra")
    asked = {"form": "RISK", "item": "HTN", "text": "Please look again.", "key": "k"}
    shown = browser.get("/listing?form=RISK&item=HTN").content.decode()
    assert site.number in shown
    assert "Screening · Risk factors · Hypertension" in shown
    dry = browser.post("/listing", {**asked, "do": "look"}).content.decode()
    assert "1 queries would be opened. Nothing was written." in dry
    assert site.desk.subjects(site.who("dm"))[0].open_queries == 0
    assert "1 queries were opened" in browser.post("/listing", {**asked, "do": "ask"}).content.decode()
    again = browser.post("/listing", {**asked, "do": "look", "key": "l"}).content.decode()
    assert "0 queries would be opened" in again
    assert browser.post("/listing", {**asked, "text": " ", "do": "ask"}).status_code == 422


def test_what_was_verified_is_told_on_the_next_page(site):
    """With how many items do not agree; the query says on the form which item it is about."""
    browser, page = _as("cra"), f"/verification/{site.number}/V1/RISK/1"
    base = str(site.desk.verify(site.who("cra"), site.number, Place("V1", "RISK", 1)).base)
    sent = {"base": base, "key": "v", "do": "all", "x.HTN": "The letter says no."}
    answer = browser.post(page, sent, follow=True).content.decode()
    assert f"{site.number}, Risk factors: items that agree: 0; queries opened: 1." in answer
    assert "<strong>Hypertension</strong>: The letter says no." in browser.get(page).content.decode()
    assert 'class="message good"' not in browser.get("/verification?did=x&form=NONE").content.decode()
    assert "0 (100 %)" not in browser.get("/verification").content.decode(), "of no form there is no share"


def test_a_past_page_is_marked_and_offers_nothing_to_do(site):
    browser, casebook = _as("crc"), f"/subjects/{site.number}"
    for page in ("", "/forms/V1/RISK", "/eligibility"):
        shown = browser.get(f"{casebook}{page}?asof=2026-06-01T23:00").content.decode()
        assert "As it stood on 2026-06-01" in shown
        assert shown.count('method="post"') <= 2  # language and sign-out of the frame alone
    assert (
        f"{casebook}/forms/V1/RISK?asof=2026-06-01T23:00"
        in browser.get(f"{casebook}?asof=2026-06-01T23:00").content.decode()
    )
    assert browser.get(f"{casebook}?asof=2026-05-01T23:00").status_code == 404
    unfit = browser.get(f"{casebook}?asof=yesterday")
    assert unfit.status_code == 422
    assert "is no date with a time" in unfit.content.decode()


def test_the_trail_is_searched_and_marked(site):
    browser = _as("dm")
    shown = browser.get(f"/audit?number={site.number}&kind=FormSaved").content.decode()
    assert "HTN" in shown
    assert "No entry fits" in browser.get("/audit?number=99999").content.decode()
    assert browser.get("/audit?since=then").status_code == 422
    mark = {
        "number": site.number,
        "since": "2026-05-01T00:00",
        "until": "2026-06-01T10:00",
        "note": "read",
        "key": "m",
    }
    assert browser.post("/audit", mark).status_code == 302
    assert "reviewed from 2026-05-01 00:00 to 2026-06-01 10:00" in browser.get("/audit").content.decode()
    assert browser.post("/audit", {**mark, "until": "2027-01-01T00:00", "key": "n"}).status_code == 422


def test_a_page_of_an_older_version_loses_nothing(site):
    """The page asked SLEEP; the version of today does not. What else was typed stays on the page, and goes in then."""
    number = site.number
    study = site.desk.study
    browser = _as("crc")
    assert release(site.desk, with_item(study, "3.0", "RISK", id="SLEEP")) == ()
    assert release(site.desk, study.model_copy(update={"version": "4.0"})) == ()
    page = f"/subjects/{number}/forms/V1/RISK"
    typed = {
        "whole": "1",
        "base": "0",
        "key": "s",
        "v.SLEEP": "badly",
        "v.DIAB": "Y",
        "v.HTN": "Y",
        "do": "save",
    }
    refused = browser.post(page, typed)
    assert refused.status_code == 409
    shown = refused.content.decode()
    assert "SLEEP = badly" in shown
    again = browser.post(
        page, {name: value for name, value in typed.items() if name != "v.SLEEP"} | {"key": "t"}
    )
    assert again.status_code == 302
    view = site.desk.form(site.who("crc"), number, "V1", "RISK")
    assert next(item.value.value for item in view.items if item.id == "DIAB") == "Y"

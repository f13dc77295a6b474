"""The diary as a coordinator and an investigator work with it: a card handed over, a flag dealt with, a change signed.

Source: issue 6, items 6 to 9. The participant's side is a phone in Python (simulation.phone); that of a real browser is
test_phone.py's.
"""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from filled import fill
from playwright.sync_api import Page, expect
from served import Served, enter

pytestmark = pytest.mark.browser
DIARY = "subjects/01001/diary"


@pytest.fixture(scope="module")
def site(rehearsal_store, tmp_path_factory):
    """A server over the demonstration, in which a phone has sent a fall and the wish that it be changed."""
    store = tmp_path_factory.mktemp("site") / "store"
    names = fill(rehearsal_store, store)
    server = Served(store)
    yield server, names
    server.stop()


def quiet(page: Page) -> None:
    """No axe violation, nothing wider than the window."""
    found = Axe().run(page).response["violations"]
    assert not found, [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_card_is_handed_over_once_and_a_lost_phone_is_shut_out(page, site):
    server, _ = site
    page.set_viewport_size({"width": 380, "height": 800})
    enter(page, server.address)
    page.goto(f"{server.address}{DIARY}/phones")
    page.get_by_role("button", name="Invite a phone").first.click()
    expect(page.locator("#pin")).to_have_text(re.compile(r"^\d{3} \d{3}$"))
    assert "/diary/#" in page.locator("#link").inner_text()
    quiet(page)
    page.goto(f"{server.address}{DIARY}/phones")
    expect(page.locator("#pin")).to_have_count(0)
    invited = page.locator(".tasks > li").first
    invited.get_by_text("Take out of use").first.click()
    invited.get_by_role("button", name="Take out of use").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why")
    invited = page.locator(".tasks > li").first
    invited.get_by_text("Take out of use").first.click()
    invited.get_by_label("Why?").fill("lost on the bus")
    invited.get_by_role("button", name="Take out of use").click()
    expect(page.locator(".tasks > li").first).to_contain_text("lost on the bus")


def test_a_flag_is_dealt_with_and_a_change_is_signed(page, site):
    server, names = site
    enter(page, server.address, "investigator")
    expect(page.get_by_text("01001: red flag in the diary")).to_be_visible()
    page.get_by_text("01001: red flag in the diary").click()
    expect(page).to_have_url(f"{server.address}{DIARY}/entries/{names['diary_entry']}")
    quiet(page)
    page.locator("#outcome").select_option(label="Called; no event")
    page.get_by_role("button", name="Dealt with").click()
    expect(page.get_by_role("alert")).to_contain_text("Write what was done")
    page.locator("#outcome").select_option(label="Called; no event")
    page.locator("#note").fill("A bruise on the knee, seen by the family doctor.")
    page.get_by_role("button", name="Dealt with").click()
    expect(page.get_by_text("A bruise on the knee")).to_be_visible()
    # the change: an answer, a reason, and the signature; what was chosen stays after a wrong password
    change = page.locator("#decide")
    change.locator("#item-EVWHEN").get_by_role("radio", name="Yesterday").check()
    change.locator("textarea").fill("Said again by telephone.")
    change.locator("#username").fill("demo")
    change.locator("#password").fill("wrong")
    page.get_by_role("button", name="Grant and sign").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert change.locator("input[value=YDAY]").is_checked()
    change.locator("#username").fill("demo")
    change.locator("#password").fill("demo")
    page.get_by_role("button", name="Grant and sign").click()
    expect(page.locator(".shown")).to_contain_text("Originally")
    expect(page.locator(".shown s")).to_have_text("Just now")


def test_the_questions_are_read_out_and_the_record_says_so(page, site):
    server, _ = site
    enter(page, server.address)
    page.goto(f"{server.address}{DIARY}/interviews/FALL")
    page.locator("#item-EVWHEN").get_by_role("radio", name="Yesterday").check()
    page.get_by_role("button", name="Record these answers").click()
    expect(page.get_by_text("Asked by staff")).to_be_visible()
    expect(page.locator(".shown")).to_contain_text("Yesterday")

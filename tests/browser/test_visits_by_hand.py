"""Visits as a coordinator records them: one late, one missed and held after all, an unscheduled one; on a phone too."""

from __future__ import annotations

import datetime as dt

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from served import enter

pytestmark = pytest.mark.browser
NUMBER = "01001"
"""Randomized before the demonstration begins: site 01, the first who was screened."""


def state(page: Page, address: str, visit: str) -> str:
    """The state of a visit as its own page says it, after the list and the matrix were seen to say the same."""
    page.goto(f"{address}subjects/{NUMBER}/visits/{visit}")
    said = page.locator("#state").inner_text()
    page.goto(f"{address}subjects/{NUMBER}/visits")
    expect(page.locator(".visits-list tr", has=page.locator(f"a[href$='/visits/{visit}']"))).to_contain_text(
        said
    )
    page.goto(f"{address}subjects/{NUMBER}")
    expect(page.locator("#matrix th", has=page.locator(f"a[href$='/visits/{visit}']"))).to_contain_text(said)
    page.goto(f"{address}subjects/{NUMBER}/visits/{visit}")
    return said


def quiet(page: Page) -> None:
    """No axe violation, nothing wider than the window."""
    found = Axe().run(page).response["violations"]
    assert not found, [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("width", [1200, 380])
def test_a_visit_missed_one_late_and_an_unscheduled_one(page, server, tmp_path, width):
    page.set_viewport_size({"width": width, "height": 800})
    enter(page, server.address)
    today = dt.datetime.now(dt.UTC).date()
    assert state(page, server.address, "V7") == "not due"
    page.get_by_role("button", name="Record as missed").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose why")
    page.locator("#missed-because").select_option(label="Was travelling")
    page.locator("#missed-reason").fill("With her son in the south until autumn.")
    page.get_by_role("button", name="Record as missed").click()
    expect(page.locator(".strip")).to_contain_text("With her son")
    assert state(page, server.address, "V7") == "missed"
    quiet(page)

    # it took place after all; a day that is still to come is refused, and what was typed stays
    page.locator("#on").fill((today + dt.timedelta(days=400)).isoformat())
    page.get_by_role("button", name="Record the date").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.locator("#on").input_value() == (today + dt.timedelta(days=400)).isoformat()
    page.locator("#on").fill((today - dt.timedelta(days=1)).isoformat())
    page.get_by_role("button", name="Record the date").click()
    assert state(page, server.address, "V7") == "early"

    # screening, dated after its window: late, and taken
    page.goto(f"{server.address}subjects/{NUMBER}/visits/V1")
    page.locator("#on").fill((today - dt.timedelta(days=1)).isoformat())
    page.get_by_role("button", name="Record the date").click()
    expect(page.get_by_role("alert")).to_contain_text("Write why the date changes")
    page.locator("#reason").fill("The date of the call was typed.")
    page.get_by_role("button", name="Record the date").click()
    assert state(page, server.address, "V1") == "late"
    page.screenshot(path=str(tmp_path / f"late-{width}.png"), full_page=True)

    page.goto(f"{server.address}subjects/{NUMBER}/visits")
    quiet(page)
    page.screenshot(path=str(tmp_path / f"visits-{width}.png"), full_page=True)
    extra = page.locator("section", has=page.locator("#extra-UNS"))
    extra.get_by_label("Date").fill(today.isoformat())
    extra.get_by_label("How").select_option(label="by phone")
    extra.get_by_label("Why").select_option(label="For safety")
    extra.get_by_label("In your words").fill("Fell at home.")
    extra.get_by_role("button").click()
    expect(page.locator("#state")).to_have_text("held")
    expect(page.locator(".strip")).to_contain_text("by phone")
    page.locator(".visit-forms a", has_text="Adverse event").click()
    page.wait_for_url("**/logs/AE?at=UNS")
    page.goto(f"{server.address}subjects/{NUMBER}")
    page.screenshot(path=str(tmp_path / f"matrix-{width}.png"))
    quiet(page)

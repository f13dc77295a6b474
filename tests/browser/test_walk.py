"""The walk a newcomer takes: choose a role, screen, be refused, randomize, score by keyboard, see it everywhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from served import enter, saved

pytestmark = pytest.mark.browser
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "img"

SCORES = ["0", "1", "0", "1", "0", "1", "2", "0", "2", "0", "1", "1", "1", "0", "0"]
"""One digit for each of the 15 items, in the form's order; by hand: 1+1+1+2+2+1+1+1 = 10."""
TOTAL = "10"


def subject_of(page: Page, address: str, message: str) -> str:
    """The number of the subject that Today names with a message."""
    page.goto(f"{address}today")
    link = page.locator(".tasks a", has_text=message).first
    return re.search(r"/subjects/([^/]+)", link.get_attribute("href"))[1]


def test_a_coordinator_screens_a_person_whose_name_stays_in_the_register(page, server):
    enter(page, server.address)
    page.get_by_role("link", name="New participant").click()
    page.get_by_label("Name").fill("赵测试")
    page.get_by_label("Date of birth").fill("1961-04-02")
    page.get_by_role("button", name="Start screening").click()
    number = page.locator("h1").inner_text().split()[0]
    assert re.fullmatch(r"01\d{3}", number), "site and running number, ux.md 1.16"
    assert "赵测试" not in page.content()
    page.get_by_role("link", name="Consent", exact=True).click()
    page.get_by_label("Date of the signature").fill("2026-02-30")
    page.get_by_role("button", name="Record a signature").click()
    expect(page.get_by_role("alert")).to_contain_text("not a complete date")
    page.get_by_label("Date of the signature").fill(page.evaluate("new Date().toISOString().slice(0, 10)"))
    page.get_by_role("button", name="Record a signature").click()
    expect(page.locator("h1")).to_contain_text(re.compile("in force", re.I))
    page.goto(f"{server.address}subjects/new")
    page.get_by_label("Name").fill("赵测试")
    page.get_by_label("Date of birth").fill("1961年4月2日")
    page.get_by_role("button", name="Start screening").click()
    expect(page.get_by_role("alert")).to_be_visible()  # the same person, typed differently, is found


def test_an_ineligible_person_is_refused_by_the_name_of_the_criterion(page, server):
    enter(page, server.address)
    number = subject_of(page, server.address, "does not meet")
    page.goto(f"{server.address}subjects/{number}/eligibility")
    failing = page.locator(".criterion.fails strong").all_inner_texts()
    assert failing
    for name in failing:
        expect(page.locator(".message.bad")).to_contain_text(name)
    page.locator(".criterion.fails summary").first.click()
    expect(page.locator(".criterion.fails details li").first).to_be_visible()
    page.goto(f"{server.address}subjects/{number}/randomize")
    expect(page.locator(".step.blocked").first).to_contain_text(failing[0])
    expect(page.get_by_role("button", name="Randomize now")).to_be_disabled()


def test_from_randomizing_to_the_history_of_a_score(page, server, tmp_path):
    enter(page, server.address)
    number = subject_of(page, server.address, "ready to randomize")
    page.goto(f"{server.address}subjects/{number}/randomize")
    page.get_by_role("button", name="Randomize now").click()
    expect(page.get_by_role("alert")).to_contain_text("Tick the first step")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Randomize now").click()
    given = page.locator("#number").inner_text()
    assert re.fullmatch(r"[A-Z]+-?\d+", given)
    assert not re.search(r"hUC|MSC|placebo|vehicle|arm [AB12]\b", page.locator("main").inner_text(), re.I)

    page.get_by_role("link", name="To the casebook").click()
    expect(page.locator(".strip")).to_contain_text(given)
    cell = page.locator("a.cell[href$='/forms/V2/NIHSS']")
    before = cell.get_attribute("aria-label")
    assert "Complete" not in before
    cell.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/forms/V2/NIHSS")
    presses = ["t", "ArrowDown", *SCORES, "Control+Enter"]
    assert len(presses) <= 20
    for key in presses:
        page.keyboard.press(key)
    saved(page)
    expect(page.locator("#state")).to_have_text("Complete")
    expect(page.locator("#totals .figure").first).to_contain_text(f"{TOTAL} of 42")
    keep(page, tmp_path, "nihss.png")

    page.get_by_role("link", name=number).click()
    cell = page.locator("a.cell[href$='/forms/V2/NIHSS']")
    assert "Complete" in cell.get_attribute("aria-label")
    assert cell.get_attribute("aria-label") != before
    cell.click()
    item = page.locator(".item[data-item='1b']")
    item.get_by_role("radio", name="2 ").check()
    item.locator("[data-reason]").select_option("transcription-error")
    saved(page)
    item.locator("[data-tool=history]").click()
    panel = page.locator("#history")
    expect(panel).to_contain_text("Transcription error")
    expect(panel).to_contain_text("Liu Yan")
    expect(panel).to_contain_text("UTC")
    expect(panel.locator("s").first).to_contain_text("1")
    expect(page.locator("#history-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert item.evaluate("(item) => item.contains(document.activeElement)"), (
        "focus goes back to where it came from"
    )


def test_the_casebook_of_a_randomized_participant_is_worth_a_picture(page, server, tmp_path):
    enter(page, server.address)
    page.goto(f"{server.address}subjects")
    page.locator("tr", has_text="Randomized").locator("a").first.click()
    expect(page.locator("#matrix a.cell.done").first).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 860})
    keep(page, tmp_path, "casebook.png")


def keep(page: Page, folder: Path, name: str) -> None:
    """A picture: into docs/img where asked for by EQUIPOISE_PICTURES=1, else into the test's own folder."""
    asked = os.environ.get("EQUIPOISE_PICTURES") == "1"
    page.evaluate("window.scrollTo(0, 0)")
    page.evaluate("document.activeElement.blur()")
    picture = page.screenshot(path=str((PICTURES if asked else folder) / name))
    assert len(picture) > 20_000, "a page with something on it"


def test_the_matrix_is_walked_with_the_arrow_keys(page, server):
    enter(page, server.address)
    page.goto(f"{server.address}subjects")
    page.locator("tbody a").first.click()
    first = page.locator("#matrix a.cell").first
    first.focus()
    page.keyboard.press("ArrowDown")
    below = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert below != first.get_attribute("aria-label")
    page.keyboard.press("ArrowUp")
    expect(first).to_be_focused()
    assert page.locator("#matrix a.cell[tabindex='0']").count() == 1


def test_a_query_travels_from_the_monitor_to_the_coordinator_and_back(browser, server):
    monitor, coordinator = (browser.new_context(locale="en-GB").new_page() for _ in range(2))
    enter(monitor, server.address, "monitor")
    enter(coordinator, server.address)
    coordinator.goto(f"{server.address}subjects")
    number = coordinator.locator("tbody a").first.inner_text()
    form = f"{server.address}subjects/{number}/forms/V1/NIHSS"
    monitor.goto(form)
    monitor.locator(".item[data-item='4'] [data-tool=query]").click()
    monitor.keyboard.type("Is the facial palsy new?")
    monitor.keyboard.press("Enter")
    expect(monitor.locator(".item[data-item='4'] .query")).to_contain_text("facial palsy new")
    coordinator.goto(f"{server.address}queries")
    box = coordinator.locator("section", has_text="Is the facial palsy new?")
    box.get_by_label("Your words").fill("It is from the index stroke.")
    box.get_by_role("button", name="Answer").click()
    expect(coordinator.get_by_text("Is the facial palsy new?")).to_have_count(0)
    monitor.goto(form)
    query = monitor.locator(".item[data-item='4'] .query")
    expect(query).to_contain_text("index stroke")
    query.get_by_role("button", name="Accept and close").click()
    expect(query).to_have_count(0)
    for window in (monitor, coordinator):
        window.context.close()

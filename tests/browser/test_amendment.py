"""An amendment in the middle of a participant's course, in a real browser: approved, adopted, its new check run over old
data and opened, a question about a listing, the past looked at, the trail marked; in both languages, light and dark.

Sources: WCAG 2.2 AA (axe); ux notes 1.5, 1.6, 1.13; decision 0019.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from served import WAIT, Served, enter

from equipoise.desk.clock import SetClock
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from equipoise.desk.setup import release
from equipoise.words.problem import Problem
from rooms.desk.test_impact_and_batches import with_check
from stories.conftest import Story, first_study, make_store

pytestmark = pytest.mark.browser
SHANGHAI = dt.timezone(dt.timedelta(hours=8))
NUMBER = "01001"


@pytest.fixture(scope="module")
def amended(tmp_path_factory) -> Iterator[Served]:
    """A server whose store holds two participants with hypertension from yesterday, and a version that asks about it."""
    folder = tmp_path_factory.mktemp("amended") / "store"
    make_store(folder, first_study())
    clock = SetClock(dt.datetime.now(dt.UTC) - dt.timedelta(days=1))
    desk = open_desk(folder, kind=FrontDesk, clock=clock)
    assert not isinstance(desk, Problem)
    story = Story(desk, clock, folder)
    for name in ("甲", "乙"):
        number = story.screen(name)
        assert story.record("crc", number, "RISK", {"HTN": "Y"}).accepted
    clock.at = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=10)
    assert story.record("crc", NUMBER, "RISK", {"DIAB": "N"}).accepted
    assert release(desk, with_check(desk.study, "2.0", "RISK", "not HTN")) == ()
    desk.close()
    served = Served(folder)
    yield served
    served.kill()


def _window(browser: Browser, served: Served, role: str, **given: object) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **{"locale": "en-GB", **given})
    context.set_default_timeout(WAIT)
    page = context.new_page()
    enter(page, served.address, role)
    return page


def test_an_amendment_goes_from_its_impact_to_queries_on_old_data(browser: Browser, amended: Served) -> None:
    page, today = _window(browser, amended, "data_manager"), dt.datetime.now(SHANGHAI).date().isoformat()
    page.goto(f"{amended.address}amendments")
    expect(page.locator("tbody").first).to_contain_text("2 of 2 participants are touched")
    approve, adopt = (
        page.locator("form:has(button[value=approve])"),
        page.locator("form:has(button[value=adopt])"),
    )
    adopt.locator("[name=on]").fill(today)
    adopt.locator("button[value=adopt]").click()
    expect(page.locator(".message.bad")).to_contain_text("has not approved version 2.0")
    approve.locator("[name=approval]").fill("EC-01-2")
    approve.locator("[name=on]").fill(today)
    approve.locator("button[value=approve]").click()
    adopt.locator("[name=on]").fill(today)
    adopt.locator("button[value=adopt]").click()
    group = page.locator("label.option:has-text('NEWCHK')")
    expect(group).to_contain_text("2")
    _picture(page, "dry-run")
    group.click()
    page.locator("button[value=open]").click()
    expect(page.locator("body")).to_contain_text("No new check finds anything")
    page.goto(f"{amended.address}listing?form=RISK&item=HTN")
    page.locator("#text").fill("Please attach the source.")
    page.locator("button[value=look]").click()
    expect(page.locator("body")).to_contain_text("2 queries would be opened. Nothing was written.")
    page.locator("button[value=ask]").click()
    expect(page.locator(".message.good")).to_contain_text("2 queries were opened, for 2 participants")
    page.goto(f"{amended.address}queries")
    expect(page.locator("h1")).to_contain_text("4")
    page.context.close()


def test_the_past_is_looked_at_from_the_casebook(browser: Browser, amended: Served) -> None:
    page = _window(browser, amended, "coordinator")
    page.goto(f"{amended.address}subjects/{NUMBER}")
    then = dt.datetime.now(SHANGHAI) - dt.timedelta(hours=12)
    page.locator(".asof input").fill(then.strftime("%Y-%m-%dT%H:%M"))
    page.locator(".asof button").click()
    expect(page.locator(".message.warn")).to_contain_text("As it stood on")
    _picture(page, "past-casebook")
    page.locator("a.cell[href*='/V1/RISK?asof=']").click()
    expect(page.locator("tr:has-text('Hypertension')")).to_contain_text("Yes")
    expect(page.locator("tr:has-text('Diabetes') td").first).to_have_text("")
    assert page.locator("main form[method=post]").count() == 0
    page.get_by_role("link", name="Back to now").click()
    expect(page.locator("#sheet")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_versions_or_of_the_past_has_an_accessibility_fault(
    browser: Browser, amended: Served, language: str, scheme: str
) -> None:
    page = _window(browser, amended, "data_manager", locale=language, color_scheme=scheme)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    moment = (dt.datetime.now(SHANGHAI) - dt.timedelta(hours=12)).strftime("%Y-%m-%dT%H:%M")
    casebook = f"subjects/{NUMBER}"
    pages = {
        "amendments": "amendments",
        "listing": "listing?form=RISK&item=HTN",
        "audit": "audit",
        "past": f"{casebook}?asof={moment}",
        "past-form": f"{casebook}/forms/V1/RISK?asof={moment}",
        "past-checklist": f"{casebook}/eligibility?asof={moment}",
    }
    for name, address in pages.items():
        page.goto(f"{amended.address}{address}")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}\n{found.generate_report()}"
        assert page.locator("h1").count() == 1
        if scheme == "light":
            _picture(page, f"{name}-{language[:2]}")
    page.set_viewport_size({"width": 380, "height": 800})
    for name, address in pages.items():
        page.goto(f"{amended.address}{address}")
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, name
    assert said == []
    page.context.close()


def _picture(page: Page, name: str) -> None:
    """A picture to look at, where EQUIPOISE_PICTURES names a folder."""
    folder = os.environ.get("EQUIPOISE_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"amendment-{name}.png", full_page=True)

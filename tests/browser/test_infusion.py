"""The infusion page in a real browser: a scanner that types, a wrong bag, both languages, light and dark, a tablet.

Sources: WCAG 2.2 AA (axe), ux.md 2.2 (scanner as keyboard; wrong kit = full-screen stop with words).
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

from equipoise.access.commands import SYSTEM
from equipoise.desk.clock import SetClock
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from equipoise.eligibility.commands import ConfirmEligibility
from equipoise.supply.commands import (
    CheckBag,
    JudgeDosing,
    RecordBagRelease,
    RequestPreparation,
    StartInfusion,
)
from equipoise.words.problem import Problem
from stories.conftest import Story, first_study, make_store

pytestmark = pytest.mark.browser
TABLET = {"width": 820, "height": 1180}
SHANGHAI = dt.timedelta(hours=8)
NUMBERS = {"asked": "01001", "held": "01002", "released": "01003", "running": "01004"}
"""Participants in the order of their screening, each with a first dose at another step."""
BAG = "4711-2290"


def _dose(story: Story, name: str, temperature: str) -> tuple[str, str]:
    """A randomized participant whose first dose has been asked for; number and request."""
    now = story.clock.at
    day = (now + SHANGHAI).date()
    number = story.screen(name)
    story.consent(number)
    story.assess(number, onset=(day - dt.timedelta(days=42)).isoformat())
    story.done("pi", ConfirmEligibility(story.subject(number)))
    assert story.randomize(number).accepted
    before = {"RELDAT": day.isoformat(), "RELTEMP": temperature, "RELINF": "N", "RELICH": "N", "RELPREG": "N"}
    assert story.record("crc", number, "DOSREL", dict(before), "V2").accepted
    bedside = {
        "BEDDAT": day.isoformat(),
        "BEDTIM": "10:00",
        "BEDTEMP": "36.9",
        "BEDINF": "N",
        "BEDNEURO": "N",
    }
    assert story.record("crc", number, "DOSBED", dict(bedside), "V2").accepted
    ask = RequestPreparation(
        story.subject(number), "D1", (now + dt.timedelta(minutes=60)).isoformat(), "70.5"
    )
    story.done("crc", ask)
    page = story.desk.infusions(story.who("crc"), number)
    assert page is not None
    return number, page.doses[0].requests[0].request


def _released(story: Story, number: str, request: str, bag: str) -> None:
    until = (story.clock.at + dt.timedelta(minutes=110)).isoformat()
    command = RecordBagRelease(story.subject(number), request, bag, until, 1, "00")
    assert story.desk.submit(SYSTEM, command, key=bag).accepted


@pytest.fixture(scope="module")
def ward(tmp_path_factory) -> Iterator[Served]:
    """A server whose store holds four participants with a dose at four steps, today."""
    folder = tmp_path_factory.mktemp("ward") / "store"
    make_store(folder, first_study())
    clock = SetClock(dt.datetime.now(dt.UTC) - dt.timedelta(minutes=10))
    desk = open_desk(folder, kind=FrontDesk, clock=clock)
    assert not isinstance(desk, Problem)
    story = Story(desk, clock, folder)
    made = {
        step: _dose(story, name, "38.6" if step == "held" else "36.8")
        for step, name in zip(NUMBERS, "甲乙丙丁", strict=True)
    }
    assert {step: number for step, (number, _) in made.items()} == NUMBERS
    _released(story, *made["released"], BAG)
    number, request = made["running"]
    _released(story, number, request, "8805-1177")
    subject = story.subject(number)
    story.done("crc", JudgeDosing(subject, request, "BEDSIDE"))
    story.done("crc", CheckBag(subject, request, "8805-1177", number, "pi"))
    story.done("crc", StartInfusion(subject, request, "8805-1177", clock.at.isoformat()))
    desk.close()
    served = Served(folder)
    yield served
    served.kill()


@pytest.fixture
def tablet(browser: Browser, ward: Served) -> Iterator[Page]:
    context = browser.new_context(viewport=TABLET, locale="en-GB", has_touch=True)
    context.set_default_timeout(WAIT)
    page = context.new_page()
    enter(page, ward.address)
    yield page
    context.close()


def infusion(ward: Served, step: str) -> str:
    return f"{ward.address}subjects/{NUMBERS[step]}/infusion"


def scan(page: Page, code: str) -> None:
    """As a scanner does: it types where the focus is, and ends with Enter."""
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def test_a_scanner_goes_from_bag_to_participant_to_the_second_person(tablet: Page, ward: Served) -> None:
    tablet.goto(infusion(ward, "released"))
    expect(tablet.locator("#scanned-bag")).to_be_focused()
    scan(tablet, "1234-5678")
    expect(tablet.locator("#scanned-subject")).to_be_focused()
    scan(tablet, NUMBERS["released"])
    expect(tablet.locator("#second")).to_be_focused()
    tablet.keyboard.type("PI")
    tablet.keyboard.press("Tab")
    tablet.keyboard.press("Enter")
    stop = tablet.locator(".stop-screen")
    expect(stop).to_contain_text("1234-5678")
    expect(stop).to_contain_text(BAG)
    box = stop.bounding_box()
    assert (box["width"], box["height"]) == (TABLET["width"], TABLET["height"])
    found = Axe().run(tablet)
    assert found.violations_count == 0, found.generate_report()
    _picture(tablet, "stop")
    tablet.locator(".stop-screen a").click()
    expect(tablet.locator("#scanned-bag")).to_be_focused()
    expect(tablet.locator("body")).to_contain_text("Scans that did not agree: 1")
    scan(tablet, BAG)
    scan(tablet, NUMBERS["released"])
    tablet.locator("#second").select_option(label="PI")
    tablet.get_by_role("button", name="Both agree").click()
    expect(tablet.locator("body")).to_contain_text("Checked by CRC and PI")
    tablet.locator(
        "button[value=BEDSIDE]"
    ).click()  # another participant began today: the first three are a day apart
    expect(tablet.locator(".message.bad")).to_contain_text("Time since the first participants were treated")


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_a_dose_has_an_accessibility_fault(
    browser: Browser, ward: Served, language: str, scheme: str
) -> None:
    context = browser.new_context(viewport=TABLET, locale=language, color_scheme=scheme)
    context.set_default_timeout(WAIT)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    enter(page, ward.address)
    for name in ("asked", "held", "running", "due"):
        page.goto(f"{ward.address}due" if name == "due" else infusion(ward, name))
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}\n{found.generate_report()}"
        assert page.locator("h1").count() == 1
        if scheme == "light":
            _picture(page, f"{name}-{language[:2]}")
    page.set_viewport_size({"width": 320, "height": 640})
    for name in ("held", "running"):
        page.goto(infusion(ward, name))
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, name
    assert said == []
    context.close()


def test_an_investigator_decides_without_a_mouse(browser: Browser, ward: Served) -> None:
    context = browser.new_context(viewport=TABLET, locale="en-GB", java_script_enabled=False)
    context.set_default_timeout(WAIT)
    page = context.new_page()
    enter(page, ward.address, "investigator")
    page.goto(infusion(ward, "held"))
    page.get_by_label("Postpone it, and ask anew later").focus()
    page.keyboard.press("Space")
    page.locator("input[id^=why-]").focus()
    page.keyboard.type("fever")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text("Postponed")
    context.close()


def _picture(page: Page, name: str) -> None:
    """A picture to look at, where EQUIPOISE_PICTURES names a folder."""
    folder = os.environ.get("EQUIPOISE_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"infusion-{name}.png", full_page=name != "stop")

"""The bar that moves a rehearsal's time: a day, a week, both doors, both languages; and what a store without one answers.

Source: issue 6, capability 3; the sizes and axe as in looking.py.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from looking import axe_faults, size_faults
from playwright.sync_api import Browser, Page, expect
from served import COMMAND, VIEW, WAIT, enter
from test_for_everybody import ALLOWED, LATIN

pytestmark = pytest.mark.browser

STAFF = frozenset(["Liu", "Yan", "Ma", "Hui", "Dr", "Zhao", "Min"])


class Doors:
    """Both doors over one rehearsal of two participants, as `make run` serves them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        """Make or open the stores, and wait for the two addresses."""
        places = ["--store", str(self.folder / "store"), "--vault", str(self.folder / "vault")]
        ports = ["--port", "0", "--vault-port", "0"]
        self.process = subprocess.Popen(
            [*COMMAND, "demo", "--rehearsed", "--participants", "2", *places, *ports],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        self.first, self.second = (self.process.stdout.readline().strip() for _ in range(2))
        if not self.second.startswith("http"):
            pytest.fail(f"it did not open: {self.process.communicate(timeout=10)[1]}")

    def stop(self, how: signal.Signals) -> None:
        """End every process of it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, how)
        self.process.communicate(timeout=30)


@pytest.fixture(scope="module")
def doors(tmp_path_factory) -> Iterator[Doors]:
    """A rehearsal in play."""
    made = Doors(tmp_path_factory.mktemp("played"))
    yield made
    made.stop(signal.SIGKILL)


@pytest.fixture
def played(doors) -> tuple[str, str]:
    """The addresses of both doors."""
    return doors.first, doors.second


def day(page: Page) -> str:
    """The day that the bar shows."""
    return page.locator(".travel time").inner_text()


def moved(page: Page, step: str) -> None:
    """Press a button of the bar and come back to where one was."""
    was, address = day(page), page.url
    page.locator(f".travel button[value={step}]").click()
    expect(page.locator(".travel time")).not_to_have_text(was, timeout=60_000)
    page.wait_for_url(address, timeout=60_000)


def test_a_day_and_a_week_pass_and_one_comes_back_to_the_page(browser: Browser, page: Page, played):
    first, second = played
    enter(page, first)
    page.goto(f"{first}visits")
    began = day(page)
    moved(page, "day")
    moved(page, "week")
    gone = page.evaluate("([a, b]) => (Date.parse(b) - Date.parse(a)) / 86400000", [began, day(page)])
    assert gone == 8
    assert page.url == f"{first}visits"
    now = day(page)
    page.goto(second)
    assert day(page) == now


def test_without_script_it_works_too(browser: Browser, played):
    context = browser.new_context(viewport=VIEW, locale="en-GB", java_script_enabled=False)
    context.set_default_timeout(WAIT)
    page = context.new_page()
    page.goto(played[0])
    was = day(page)
    page.locator(".travel button[value=day]").click()
    expect(page.locator(".travel time")).not_to_have_text(was, timeout=60_000)
    assert day(page) > was
    context.close()


def test_a_story_leads_to_its_page_as_somebody_who_may_look(page: Page, played):
    page.goto(f"{played[0]}rehearsal")
    told = page.locator(".story")
    assert told.count() > 0
    for number in range(told.count()):
        page.goto(f"{played[0]}rehearsal")
        wanted = told.nth(number).locator("input[name=next]").input_value()
        with page.expect_response(lambda one, wanted=wanted: one.url.endswith(wanted)) as answered:
            told.nth(number).locator("button").click()
        assert answered.value.status == 200, wanted


@pytest.mark.parametrize("language", ["en", "zh"])
def test_its_pages_are_for_everybody(browser: Browser, played, language):
    first, second = played
    context = browser.new_context(viewport=VIEW, locale={"en": "en-GB", "zh": "zh-CN"}[language])
    context.set_default_timeout(WAIT)
    page = context.new_page()
    for address in (f"{first}rehearsal", f"{first}rehearsal/time?back=/&lost=1", second):
        page.goto(address)
        assert axe_faults(page) == [], address
        assert size_faults(page) == [], address
        if language == "zh" and address != second:
            words = set(LATIN.findall(page.locator("body").inner_text())) - ALLOWED - STAFF
            assert words <= {"English", "DEMO"}, address
    context.close()


@pytest.mark.parametrize(
    "back", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"]
)
def test_the_way_back_leads_to_no_other_site(page: Page, played, back):
    page.goto(f"{played[0]}rehearsal/time?lost=1&back={back}")
    assert page.locator("main a.button").get_attribute("href") == "/"


def test_a_store_that_nobody_plays_has_no_bar_and_no_such_pages(page: Page, shared_server):
    enter(page, shared_server.address)
    assert page.locator(".travel").count() == 0
    for address in ("rehearsal", "rehearsal/time", "rehearsal/report/report.en.html"):
        assert page.goto(f"{shared_server.address}{address}").status == 404
    refused = page.evaluate("fetch('/rehearsal/on', {method: 'POST'}).then(one => one.status)")
    assert refused in (403, 404)  # no token of a form, or no such page


def test_a_program_that_was_ended_serves_what_stands_and_says_so(page: Page, doors):
    enter(page, doors.first)
    moved(page, "week")
    stood = day(page)
    doors.stop(signal.SIGINT)
    doors.start()
    enter(page, doors.first)
    assert day(page) == stood
    assert page.locator(".travel button").count() == 0
    page.goto(f"{doors.first}rehearsal")
    expect(page.locator("main [role=status]")).to_contain_text("make reset")
    page.goto(doors.second)
    assert day(page) == stood

"""A phone that is without a line for a month: every entry arrives as it was made, and none is lost.

Source: reliability notes 5 (made inside its window, received whenever: accepted; nothing acknowledged is lost).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator

import pytest
from phoning import PHONE, ZONE, Hospital, answer_all, enrol, event, new_phone, pin, send, window, worked
from playwright.sync_api import Error, expect

pytestmark = [pytest.mark.browser, pytest.mark.nightly]

DAYS = 30


@pytest.fixture(scope="module")
def hospital(rehearsal_store, tmp_path_factory) -> Iterator[Hospital]:
    made = Hospital(rehearsal_store, tmp_path_factory.mktemp("far"))
    yield made
    made.served.kill()


def test_thirty_days_without_a_line_arrive_as_they_were_made(browser, hospital):
    context = window(browser, hospital)
    page = new_phone(context, hospital)
    link, digits = hospital.card()
    enrol(page, link, digits)
    worked(page)
    page.locator(".keys .key").first.click()
    page.locator("[data-set='pages=section']").click()
    page.locator(".keys .primary").click()
    page.locator("main.home").wait_for()
    context.set_offline(True)
    made = 0
    for _ in range(DAYS):
        if page.locator("[data-slot]").count():
            page.locator("[data-slot]").first.click()
            page.locator("[data-who=PARTICIPANT]").click()
            answer_all(page)
            send(page)
            made += 1
        page.clock.fast_forward(86400 * 1000)
        page.reload()
        pin(page, digits)
        page.locator("main.home").wait_for()
    assert made >= 4  # what is left of 28 daily entries by the demonstration's calendar, then one a week
    expect(page.locator(".notice.warn").last).to_contain_text(str(made))
    hospital.later(days=DAYS)
    context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_function(
        """(count) => new Promise((done) => { indexedDB.open("equipoise-diary").onsuccess = ({ target: { result: db } }) => {
          db.transaction("queue").objectStore("queue").getAll().onsuccess = (event) => { db.close(); done(event.target.result.filter((one) => one.kind === "entry" && one.state === "HOSPITAL").length === count); };
        }; })""",
        arg=made,
    )
    assert json.loads(page.evaluate("navigator.serviceWorker.controller ? '1' : '0'")) == 1
    context.close()


def test_what_was_tapped_survives_a_killed_browser(playwright, hospital, tmp_path):
    """Ten times, 300 ms after a tap: reliability notes 5 ask for a draft that is kept within a second."""
    path = os.environ.get("EQUIPOISE_CHROMIUM") or shutil.which("chromium")
    link, digits = hospital.card()
    for turn in range(10):
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=path, args=["--no-sandbox"], viewport=PHONE, locale="zh-CN", timezone_id=ZONE
        )  # fmt: skip
        page = context.new_page()
        if turn == 0:
            enrol(page, link, digits)
        else:
            page.goto(link.split("#")[0])
            pin(page, digits)
        event(page)
        if turn:
            expect(page.locator(".item .choice").nth((turn - 1) % 4)).to_have_attribute(
                "aria-pressed", "true"
            )
        page.locator(".item .choice").nth(turn % 4).click()
        page.wait_for_timeout(300)
        session = context.new_cdp_session(page)
        with contextlib.suppress(Error):
            session.send("Browser.crash")
        with contextlib.suppress(Error):
            context.close()

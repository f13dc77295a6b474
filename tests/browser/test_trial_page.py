"""The public page in a real browser: no sign-in, no script, nothing sent, readable by everyone, printable."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from served import WAIT

pytestmark = pytest.mark.browser


@pytest.fixture
def still(browser, shared_server):
    """The page without script, as a telephone shows it, and every request it makes."""

    def opened(language: str, width: int = 360):
        context = browser.new_context(
            viewport={"width": width, "height": 780}, locale=language, java_script_enabled=False
        )
        context.set_default_timeout(WAIT)
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{shared_server.address}trial")
        contexts.append(context)
        return page, asked

    contexts: list = []
    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_no_faults_of_access_and_no_sideways_scroll(browser, shared_server, language):
    for width in (360, 1200):
        context = browser.new_context(viewport={"width": width, "height": 780}, locale=language)
        page = context.new_page()
        page.goto(f"{shared_server.address}trial")
        page.locator("details.fields summary").click()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        context.close()


def test_the_self_check_answers_without_script_and_sends_nothing(still):
    page, asked = still("en-GB")
    results = page.locator("#selfcheck .results > li")
    expect(results).to_have_count(3)
    assert [results.nth(n).is_visible() for n in range(3)] == [False, False, False]
    answers = page.locator("#selfcheck fieldset")
    expect(answers).to_have_count(5)  # ux.md 2.7: a five-question self-check
    for number in range(5):
        answers.nth(number).get_by_label("Yes").check()
        open_yet = number < 4
        assert [results.nth(n).is_visible() for n in range(3)] == [False, open_yet, not open_yet]
    answers.nth(2).get_by_label("Not sure").check()
    assert [results.nth(n).is_visible() for n in range(3)] == [False, True, False]
    answers.nth(0).get_by_label("No", exact=True).check()
    assert [results.nth(n).is_visible() for n in range(3)] == [True, False, False]
    assert [url for url in asked if "/static/" not in url] == [page.url], "an answer was sent"
    page.reload()
    assert page.locator("#selfcheck input:checked").count() == 0


def test_the_other_language_is_one_press_away_without_script(still):
    page, _ = still("en-GB")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.locator("#h-record")).to_have_text("研究概况")


def test_it_prints_whole_and_in_black(browser, shared_server):
    context = browser.new_context(viewport={"width": 680, "height": 960})
    page = context.new_page()
    page.goto(f"{shared_server.address}trial")
    page.emulate_media(media="print")
    expect(page.locator("#selfcheck .when-no")).to_be_visible()
    expect(page.locator(".topbar-end")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    assert page.pdf(format="A4").startswith(b"%PDF")
    context.close()

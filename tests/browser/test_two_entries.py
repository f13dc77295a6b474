"""A questionnaire on paper, by keyboard: typed by two people who see nothing of each other, settled by a third, used.

Sources: GCDMP, data entry processes (independent double entry); the accessibility bar of the house (WCAG 2.2 AA).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import date

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from served import VIEW, WAIT, Served, enter, held_back

pytestmark = pytest.mark.browser

ADDRESS = "subjects/01001/double/V4/BGP/1"
FORM = "subjects/01001/forms/V4/BGP"


class People:
    """A window for each role, and what the consoles said."""

    def __init__(self, browser: Browser, server: Served) -> None:
        self.browser, self.server, self.said = browser, server, []
        self.pages: dict[tuple[str, str, str], Page] = {}

    def __call__(self, role: str, language: str = "en", scheme: str = "light") -> Page:
        key = (role, language, scheme)
        if key not in self.pages:
            locale = {"en": "en-GB", "zh": "zh-CN"}[language]
            context = self.browser.new_context(viewport=VIEW, locale=locale, color_scheme=scheme)
            context.set_default_timeout(WAIT)
            page = self.pages[key] = context.new_page()
            page.on("console", lambda message: self.said.append(message.text))
            page.on("pageerror", lambda error: self.said.append(str(error)))
            page.on("dialog", lambda dialog: dialog.accept())
            enter(page, self.server.address, role)
        return self.pages[key]

    def open(self, role: str, address: str = ADDRESS) -> Page:
        page = self(role)
        page.goto(self.server.address + address)
        return page


@pytest.fixture
def people(browser, server) -> Iterator[People]:
    made = People(browser, server)
    yield made
    for page in made.pages.values():
        page.context.close()


def typed(page: Page, guess: str, words: str) -> None:
    """The questionnaire by keyboard: today, a guess, fairly sure, by look; then words."""
    expect(page.locator("[name='v.BGPDAT']")).to_be_focused()
    page.keyboard.press("t")
    for name, key in (("BGPGS", guess), ("BGPSU", "2"), ("BGPWH", "3")):
        expect(page.locator(f"#item-{name}")).to_be_visible()
        expect(page.locator(f"#item-{name} input").first).to_be_focused()
        page.keyboard.press(key)
    expect(page.locator("[name='v.BGPTX']")).to_be_focused()
    page.keyboard.type(words)


def looked_over(people: People, name: str, role: str, address: str) -> None:
    """No axe violation in both languages, light and dark; nothing runs over the edge of a telephone."""
    for language, scheme in itertools.product(("en", "zh"), ("light", "dark")):
        page = people(role, language, scheme)
        page.goto(people.server.address + address)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name} {language} {scheme}\n{found.generate_report()}"
        if scheme == "light":
            page.set_viewport_size({"width": 320, "height": 640})
            wide = page.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
            page.set_viewport_size(VIEW)
            assert not wide, f"{name} {language}"


def test_a_form_on_paper_goes_through_two_hands_and_a_third(people):
    looked_over(people, "an entry", "coordinator", ADDRESS)
    page = people.open("coordinator")
    typed(page, "1", "the bag was milky")
    page.locator("#enter").click()
    expect(page.locator("#waits")).to_be_visible()
    looked_over(people, "waiting", "coordinator", ADDRESS)

    page = people.open("investigator", "today")
    page.locator("a", has_text="participant” of").filter(has_text="as the second person").click()
    assert "milky" not in page.content()
    assert page.locator("input:checked").count() == 0
    typed(page, "2", "the bag was milky")
    page.locator("#enter").click()
    expect(page.locator("#state")).to_have_text(re.compile("To be settled"))
    assert page.locator("#settling").count() == 0, "who typed does not settle"
    expect(people.open("coordinator", FORM).locator("#twice")).to_contain_text("A third person settles them.")
    looked_over(people, "to be settled", "data_manager", ADDRESS)

    page = people.open("data_manager", "today")
    page.locator("a", has_text="Settle them").click()
    assert page.locator(".differs").count() == 1, "only what differs is asked"
    expect(page.locator("[name='c.BGPGS']").first).to_be_focused()
    page.keyboard.press("3")
    expect(page.locator("[name='v.BGPGS']").first).to_be_focused()
    page.locator("#settle").click()
    expect(page.locator(".differs .error").first).to_be_visible()
    expect(page.locator("[name='c.BGPGS']").nth(2)).to_be_checked()
    page.locator("[name='c.BGPGS']").first.focus()
    page.keyboard.press("2")
    expect(page.locator("#settle")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/forms/V4/BGP"))
    expect(page.locator("#state")).to_have_text(re.compile("Complete"))
    assert page.locator("[name='v.BGPGS'][value=PLACEBO]").is_checked()
    assert page.locator("[name='v.BGPDAT']").input_value() == date.today().isoformat()

    looked_over(people, "the list", "monitor", "double?state=settled")
    looked_over(people, "settled", "monitor", ADDRESS)
    page = people.open("monitor", "double?state=settled")
    expect(page.locator("tfoot")).to_contain_text("20.00")  # one item of five
    assert [text for text in people.said if "422" not in text] == []


def test_what_was_typed_before_the_interpreter_came_is_judged_when_it_comes(people):
    page = people("coordinator")
    release = held_back(page)
    people.open("coordinator")
    page.keyboard.press("t")
    page.keyboard.press("1")
    expect(page.locator("[name='v.BGPGS']").first).to_be_checked()
    expect(page.locator("#item-BGPSU")).to_be_hidden()
    release()
    expect(page.locator("#item-BGPSU input").first).to_be_focused()
    expect(page.locator(".item[data-item='BGPDAT'] .live")).to_contain_text(date.today().isoformat())
    page.keyboard.press("2")
    expect(page.locator("#item-BGPWH input").first).to_be_focused()
    assert people.said == []


def test_without_script_it_is_a_plain_form(browser, server):
    context = browser.new_context(viewport=VIEW, locale="en-GB", java_script_enabled=False)
    context.set_default_timeout(WAIT)
    page = context.new_page()
    page.goto(server.address)
    page.locator("form:has(input[value=coordinator]) button").first.click()
    page.goto(server.address + ADDRESS)
    page.locator("[name='v.BGPDAT']").fill("not a day")
    page.locator("[name='v.BGPGS'][value='DO NOT KNOW']").check(force=True)
    page.locator("#enter").click()
    assert page.locator("[name='v.BGPDAT']").input_value() == "not a day"
    assert page.locator("[name='v.BGPGS'][value='DO NOT KNOW']").is_checked()
    page.locator("[name='v.BGPDAT']").fill("2026-01-05")
    page.locator("#enter").click()
    expect(page.locator("#waits")).to_be_visible()
    context.close()

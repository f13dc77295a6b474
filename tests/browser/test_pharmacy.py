"""A pharmacist prepares a dose with a keyboard and a scanner that types like one: no mouse, from request to a ready bag.

Sources: the issue (scanners act as keyboards, two-person check), ux notes 1.16 (a wrong kit is a full-screen stop),
WCAG 2.2 AA through axe.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from filled_second import REQUEST, fill_second
from playwright.sync_api import Browser, Page, expect
from served import VIEW, WAIT
from test_second_door import vault_server

from equipoise.vault.bench.scan import unit_payload
from rooms.vault.test_bench_doors import EXPIRY, LOTS

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pharmacy(tmp_path_factory) -> Iterator[tuple[str, str, bool]]:
    """A served second door with shelves and one request: its address, the lot of the product, whether it has cells."""
    vault, names = fill_second(tmp_path_factory.mktemp("bench"))
    with vault_server(vault) as address:
        product = names["product"]
        lot = next(name for name, each in LOTS.items() if each == product)
        yield address, lot, product == "hUC-MSC"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=VIEW, locale="en-GB")
    context.set_default_timeout(WAIT)
    yield context.new_page()
    context.close()


def enter(page: Page) -> None:
    """Press Enter once the page has given something the focus, and wait for the page that comes."""
    page.wait_for_function("document.activeElement !== document.body")
    with page.expect_navigation():
        page.keyboard.press("Enter")


def typed(page: Page, text: str) -> None:
    """What a scanner does: the text, then Enter."""
    page.keyboard.type(text)
    enter(page)


def second_person(page: Page) -> None:
    """The focus is on the choice of the second person; the button follows it."""
    expect(page.locator("select[name=second]").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("select[name=second]").first).to_have_value("chk")
    page.keyboard.press("Tab")
    enter(page)


def no_violations(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert not found, [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]


def test_a_dose_from_request_to_a_ready_bag_without_a_mouse(pharmacy, page):
    address, lot, cells = pharmacy
    page.goto(address)
    page.get_by_role("button", name="Shen Jia").or_(
        page.locator("form:has(input[value=phar]) button")
    ).first.focus()
    enter(page)
    page.goto(f"{address.rstrip('/')}/bench/{REQUEST}")
    no_violations(page)
    enter(page)  # open the slot: the button has the focus
    second_person(page)

    expect(page.locator("#scan")).to_be_focused()
    other = next(name for name in LOTS if name != lot)
    typed(page, unit_payload(other, "01", EXPIRY))
    expect(page.get_by_role("heading", name="STOP")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("is not the product of this request")
    no_violations(page)
    page.keyboard.type(unit_payload(other, "01", EXPIRY))  # the same scan again does not wave the stop away
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="STOP")).to_be_visible()
    page.keyboard.press("Tab")
    enter(page)
    expect(page.locator("#scan")).to_be_focused()
    typed(page, unit_payload(lot, "01", EXPIRY))

    enter(page)  # the thaw takes 2 minutes, in a rehearsal 2 seconds: too soon is said, in words
    refused = page.locator("#problems")
    if refused.count():
        expect(refused).to_contain_text("This step takes its time")
        page.wait_for_timeout(2500)
        page.goto(f"{address.rstrip('/')}/bench/{REQUEST}")
        enter(page)
    enter(page)  # diluted
    page.wait_for_timeout(10_500)  # 10 minutes, in a rehearsal 10 seconds
    if cells:
        typed(page, "91")
    else:
        enter(page)
    # 62.5 kg x 1e6 / (2e7 x 0.91 or, matched, 0.92) = 3.4 mL to a tenth, of 100 mL
    expect(page.locator(".dose")).to_contain_text("3.4 mL")
    enter(page)  # filled
    second_person(page)  # covered
    second_person(page)  # labelled
    bag = page.locator("dl.strip .mono").first.inner_text().split()[0]
    assert len(bag) == 6
    expect(page.locator("#scan")).to_be_focused()
    page.keyboard.type(bag)
    page.keyboard.press("Enter")
    expect(page.locator("#scan-request")).to_be_focused()
    page.keyboard.type(f"EQ.REQ.{REQUEST}")
    page.keyboard.press("Enter")
    second_person(page)
    expect(page.get_by_role("status")).to_contain_text("handed over by itself")
    no_violations(page)

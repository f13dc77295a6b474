"""The laboratory desk enters values that could tell the arm with the keyboard alone, is told what is wrong, and keeps it.

Sources: the issue (revealing values behind the second door), WCAG 2.2 AA through axe; 380 px: ux notes 1.17.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from served import VIEW, WAIT
from test_second_door import vault_server

from rooms.vault.test_values_doors import place_of, ready
from rooms.vault.two_doors import PASSPHRASE, make_doors, open_doors

pytestmark = pytest.mark.browser

PEOPLE = [{"actor": "lab", "name": "Wu Ting", "name_zh": "吴婷", "purposes": ["LAB"]}]


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory) -> Iterator[tuple[str, str]]:
    """A served second door that was told of one participant: its address, and the path of the immunology form."""
    folder = tmp_path_factory.mktemp("values")
    make_doors(folder)
    doors = open_doors(folder)
    ready(doors)
    visit, form, _ = place_of(doors)
    doors.close()
    vault = folder / "vault"
    (vault / "demo-passphrase").write_text(PASSPHRASE + "\n")
    staged = subprocess.run(
        [sys.executable, "-m", "equipoise.vault.terminal", "stage", str(vault), "--channel", str(folder / "c"),
         "--passphrase-file", str(vault / "demo-passphrase")],
        input=json.dumps(PEOPLE) + "\n", capture_output=True, text=True,
    )  # fmt: skip
    assert staged.returncode == 0, staged.stderr
    with vault_server(vault) as address:
        yield address, f"values/S-s1/{visit}/{form}"


@pytest.fixture
def page(browser: Browser, laboratory) -> Iterator[Page]:
    context = browser.new_context(viewport=VIEW, locale="en-GB")
    context.set_default_timeout(WAIT)
    made = context.new_page()
    made.goto(laboratory[0])
    made.locator("form:has(input[value=LAB]) button").first.click()
    made.wait_for_url(lambda url: "/values" in url or "/work" in url)
    yield made
    context.close()


def faults(page: Page) -> list[str]:
    return [each["id"] for each in Axe().run(page).response["violations"]]


def test_a_form_is_filled_in_without_a_mouse(page, laboratory):
    address, form = laboratory
    page.goto(address + form)
    assert faults(page) == []
    page.locator("input[name='v.CD4']").focus()
    page.keyboard.type("444")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    expect(page.locator("input[name='v.CD4']")).to_have_value("444")
    assert faults(page) == []
    page.locator("input[name='v.CD4']").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("44.5")
    page.locator("input[name='v.HLA1']").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.locator("input[name='v.CD4']")).to_have_value("44.5")
    expect(page.locator("input[name='v.HLA1']").first).to_be_checked()


@pytest.mark.parametrize("path", ["values", "values/S-s1", "form", "history"])
def test_pages_of_values_have_no_accessibility_fault_and_do_not_scroll_sideways(page, laboratory, path):
    address, form = laboratory
    page.set_viewport_size({"width": 380, "height": 800})
    page.goto(address + {"form": form, "history": f"{form}/history"}.get(path, path))
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 380

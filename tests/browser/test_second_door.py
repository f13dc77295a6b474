"""The second door as a person meets it: its frame, its sign-in, its pages in both languages, light and dark, on a telephone.

Sources: WCAG 2.2 AA through axe; 380 px is the telephone of reference/ux.md 1.17; 320 px is WCAG 2.2 1.4.10 (reflow).
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from served import COMMAND, VIEW, WAIT

pytestmark = pytest.mark.browser

BAND = {"en": "Second door · unblinded", "zh": "第二道门 · 非盲区"}
PLACES = {
    "chooser": ("", None),
    "sign-in": ("login", None),
    "work of the keeper": ("work", "KEEPER"),
    "who may sign in": ("people", "KEEPER"),
    "code breaks": ("breaks", "KEEPER"),
    "definition and backups": ("definition", "KEEPER"),
    "work of an officer": ("work", "OFFICER"),
    "work of the board's statistician": ("work", "BOARD"),
    "open one code": ("break", "BREAK"),
    "one-time code": ("third", None),
    "doses to prepare": ("bench", "BENCH"),
    "stock": ("stock", "BENCH"),
    "doses to check": ("bench", "CHECK"),
    "final release": ("release", "OFFICER"),
    "revealing values": ("values", "LAB"),
    "not found": ("nowhere", "KEEPER"),
}


@contextlib.contextmanager
def vault_server(vault: Path) -> Iterator[str]:
    """The second door on a free port; its address."""
    process = subprocess.Popen(
        [*COMMAND, "vault", "serve", str(vault), "--port", "0", "--passphrase-file", str(vault / "demo-passphrase")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        address = process.stdout.readline().strip()
        if not address.startswith("http"):
            pytest.fail(f"the second door did not open: {process.communicate(timeout=10)[1]}")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture(scope="module")
def second_door(rehearsal_store, tmp_path_factory) -> Iterator[str]:
    """A copy of the demonstration's second door, served."""
    folder = tmp_path_factory.mktemp("second") / "vault"
    shutil.copytree(rehearsal_store.parent / "vault", folder)
    with vault_server(folder) as address:
        yield address


@pytest.fixture(scope="module")
def windows(browser: Browser) -> Iterator[dict[tuple[str, str], Page]]:
    """A window for each language and colour scheme."""
    made: dict[tuple[str, str], Page] = {}
    for language, locale in (("en", "en-GB"), ("zh", "zh-CN")):
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport=VIEW, locale=locale, color_scheme=scheme)
            context.set_default_timeout(WAIT)
            made[language, scheme] = context.new_page()
    yield made
    for page in made.values():
        page.context.close()


def step_in(page: Page, address: str, purpose: str) -> None:
    """Come in through the chooser, as the first person with a purpose."""
    page.goto(address)
    page.locator(f"form:has(input[value={purpose}]) button").first.click()
    page.wait_for_url(lambda url: not url.endswith("/") and "/enter" not in url)


def visit(page: Page, address: str, name: str) -> None:
    path, purpose = PLACES[name]
    if purpose is not None:
        step_in(page, address, purpose)
    answer = page.goto(address + path)
    assert answer.status == (404 if name == "not found" else 200), name


@pytest.mark.parametrize("name", PLACES)
def test_every_page_bears_the_band_and_has_no_accessibility_fault(windows, second_door, name):
    for (language, scheme), page in windows.items():
        said: list[str] = []
        listen = lambda message, said=said: said.append(message.text)  # noqa: E731
        page.on("console", listen)
        visit(page, second_door, name)
        page.remove_listener("console", listen)
        assert [text for text in said if "404" not in text] == [], f"{language} {scheme}"
        expect(page.locator(".second-band")).to_contain_text(BAND[language])
        expect(page.locator(".pill.demo")).to_be_visible()
        assert page.locator("html").get_attribute("lang") == {"en": "en", "zh": "zh-Hans"}[language]
        assert page.locator("h1").count() == 1, f"{language} {scheme}"
        found = Axe().run(page, options=None if scheme == "light" else {"runOnly": ["color-contrast"]})
        assert found.violations_count == 0, f"{language} {scheme}\n{found.generate_report()}"


@pytest.mark.parametrize("width", [380, 320])
def test_no_page_scrolls_sideways_on_a_telephone_and_the_band_stays(windows, second_door, width):
    page = windows["zh", "light"]
    page.set_viewport_size({"width": width, "height": 740})
    wide = []
    for name in PLACES:
        visit(page, second_door, name)
        room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        if room[0] > room[1]:
            wide.append((name, room))
        expect(page.locator(".second-band strong")).to_be_visible()
    page.set_viewport_size(VIEW)
    assert wide == []


def colour_of(page: Page, selector: str, what: str) -> tuple[int, ...]:
    found = page.locator(selector).first.evaluate(f"(one) => getComputedStyle(one).{what}")
    return tuple(int(part) for part in re.findall(r"\d+", found)[:3])


def test_nobody_takes_one_door_for_the_other(windows, second_door, shared_server):
    """Without reading a word: another ground, a band that the first door has not, buttons of another colour."""
    page = windows["en", "light"]
    page.goto(shared_server.address)
    first = colour_of(page, "body", "backgroundColor"), colour_of(page, ".button.primary", "backgroundColor")
    assert page.locator(".second-band").count() == 0
    page.goto(second_door)
    second = colour_of(page, "body", "backgroundColor"), colour_of(page, ".button.primary", "backgroundColor")
    assert all(one != other for one, other in zip(first, second, strict=True))
    red, green, blue = colour_of(page, ".second-band", "backgroundColor")
    assert red > 2 * green
    assert red > 2 * blue


def test_a_browser_gives_neither_door_the_other_s_cookies(browser, second_door, shared_server):
    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(WAIT)
    page = context.new_page()
    sent: dict[str, set[str]] = {"127.0.0.1": set(), "localhost": set()}

    def listen(request) -> None:
        host = request.url.split("/")[2].split(":")[0]
        cookies = request.all_headers().get("cookie", "")
        sent[host] |= {one.split("=")[0].strip() for one in cookies.split(";") if one}

    step_in(page, second_door, "KEEPER")
    page.goto(shared_server.address)
    page.locator("form:has(input[value=coordinator]) button").first.click()
    page.wait_for_url("**/today")
    page.on("requestfinished", listen)
    page.reload()
    page.goto(second_door + "work")
    page.wait_for_load_state("networkidle")
    context.close()
    assert "equipoise_login" in sent["127.0.0.1"]
    assert "equipoise_second_login" in sent["localhost"]
    assert not any("second" in name for name in sent["127.0.0.1"])
    assert all("second" in name for name in sent["localhost"])

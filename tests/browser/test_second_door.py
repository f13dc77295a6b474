"""The second door as a person meets it: its frame, its sign-in, its pages in both languages, light and dark, on a telephone.

Sources: as in looking.py.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from addresses import SECOND
from filled_second import fill_second
from looking import NARROWEST, Told, axe_faults, size_faults
from playwright.sync_api import Browser, Page, expect
from served import COMMAND, VIEW, WAIT

pytestmark = pytest.mark.browser

BAND = {"en": "Second door · unblinded", "zh": "第二道门 · 非盲区"}


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
def second_door(tmp_path_factory) -> Iterator[tuple[str, dict[str, str]]]:
    """A second door with something on every page, served: its address, and what stands in addresses of its pages."""
    vault, names = fill_second(tmp_path_factory.mktemp("second"))
    with vault_server(vault) as address:
        yield address, names


@pytest.fixture(scope="module")
def windows(browser: Browser) -> Iterator[dict[str, Told]]:
    """A window for each language."""
    made: dict[str, Told] = {}
    for language, locale in (("en", "en-GB"), ("zh", "zh-CN")):
        context = browser.new_context(viewport=VIEW, locale=locale)
        context.set_default_timeout(WAIT)
        made[language] = Told(context.new_page())
    yield made
    for told in made.values():
        told.page.context.close()


def step_in(page: Page, address: str, purpose: str) -> None:
    """Come in through the chooser, as the first person with a purpose."""
    page.goto(address)
    page.locator(f"form:has(input[value={purpose}]) button").first.click()
    page.wait_for_url(lambda url: not url.endswith("/") and "/enter" not in url)


@pytest.mark.parametrize("name", SECOND)
def test_every_page_bears_the_band_and_is_for_everybody(windows, second_door, name):
    address, names = second_door
    purpose, path = SECOND[name]
    faults = []
    for language, told in windows.items():
        page = told.page
        if purpose:
            step_in(page, address, purpose)
        found = told.open(address + path.format_map(names), status=404 if name == "not found" else 200)
        expect(page.locator(".second-band")).to_contain_text(BAND[language])
        expect(page.locator(".pill.demo")).to_be_visible()
        assert page.locator("html").get_attribute("lang") == {"en": "en", "zh": "zh-Hans"}[language]
        assert page.locator("h1").count() == 1
        found += axe_faults(page) + size_faults(page)
        page.set_viewport_size(NARROWEST)
        expect(page.locator(".second-band strong")).to_be_visible()
        page.set_viewport_size(VIEW)
        faults += [f"{language}: {one}" for one in found]
    assert not faults, "\n".join(faults)


def colour_of(page: Page, selector: str, what: str) -> tuple[int, ...]:
    found = page.locator(selector).first.evaluate(f"(one) => getComputedStyle(one).{what}")
    return tuple(int(part) for part in re.findall(r"\d+", found)[:3])


def test_nobody_takes_one_door_for_the_other(windows, second_door, shared_server):
    """Without reading a word: another ground, a band that the first door has not, buttons of another colour."""
    page, second_door = windows["en"].page, second_door[0]
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
    second_door = second_door[0]
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

"""The second factor of the second door, as somebody with a telephone meets it; its pages are for everybody.

A demonstration has no passwords, so these pages are of trials only (asking_twice.py). Sources: as in looking.py; RFC 6238
for the codes.
"""

from __future__ import annotations

import base64
import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from looking import Told, axe_faults, size_faults
from playwright.sync_api import Browser, Page
from served import VIEW, WAIT

pytestmark = pytest.mark.browser
AT = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
"""Where the stand-in's clock stands."""


@pytest.fixture(scope="module")
def trial(tmp_path_factory) -> Iterator[str]:
    """The address of a second door that lets nobody in with a password alone."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("asking_twice.py")), str(tmp_path_factory.mktemp("factor"))],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def log_in(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}login")
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill("correct horse 1")
    page.locator("[name=password]").press("Enter")
    page.wait_for_url("**/factor**")


def give(page: Page, text: str) -> None:
    page.locator("#code").fill(text)
    page.locator("form:has(#code) button.primary").click()


@pytest.mark.parametrize(("name", "locale"), [("u-both", "en-GB"), ("u-key", "zh-CN")])
def test_it_is_set_up_and_asked_for_on_pages_for_everybody(
    browser: Browser, trial: str, name: str, locale: str
):
    context = browser.new_context(viewport=VIEW, locale=locale)
    context.set_default_timeout(WAIT)
    page, faults = context.new_page(), list[str]()
    seen = Told(page)

    def look(at: str) -> None:
        faults.extend(f"{at}: {one}" for one in axe_faults(page) + size_faults(page))

    log_in(page, trial, name)
    assert page.url.endswith("/factor/set-up")
    look("set-up")
    give(page, "000000")
    assert page.locator("[role=alert]").is_visible()
    look("set-up, wrong code")
    secret = base64.b32decode(page.locator(".factor-secret").inner_text().replace(" ", ""))
    give(page, TOTP(secret, 6, SHA1(), 30).generate(int(AT.timestamp())).decode())
    assert page.locator(".factor-codes li").count() == 8
    look("codes")
    spare = page.locator(".factor-codes li").first.inner_text()
    context.clear_cookies()
    log_in(page, trial, name)
    assert page.locator("#code").evaluate("(one) => one === document.activeElement")
    look("asked for")
    give(page, "123123")
    assert page.locator("[role=alert]").is_visible()
    look("asked for, wrong code")
    give(page, spare)
    page.wait_for_url(lambda url: "/factor" not in url)
    seen.said = [line for line in seen.said if "422" not in line]
    faults += seen.said
    if name == "u-both":
        page.locator(
            "main form button"
        ).first.click()  # one of two purposes; the stand-in has no bench behind it
    page.goto(f"{trial}factor/set-up")
    assert page.locator("#code").count() == 0, "what is set up is not set up again"
    look("held")
    context.close()
    assert not faults, "\n".join(faults)

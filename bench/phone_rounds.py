"""The phone page over a bad line: from following the card's link to the digits on the screen, and again from the phone.

The line is Chromium's own emulation, with the figures of WebPageTest's profiles "3G" (1.6 Mbit/s down, 768 kbit/s up,
300 ms a round) and "3G slow" (400 kbit/s both ways, 400 ms). Where Chromium or Playwright is lacking, the row says so.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any  # Playwright is a package of the tests, not of the program

from bench.rounds import Round
from bench.table import Row, row_of
from bench.web_rounds import make_store, serving

LINES = (("3G, 1.6 Mbit/s, 300 ms", 1600, 768, 300), ("3G slow, 400 kbit/s, 400 ms", 400, 400, 400))
"""What it is called, kbit/s down and up, ms a round."""
TIMES = 5
CODE = "AAAAAAAAAAAAAAAAAAAAAA"


def phone_rows(folder: Path) -> Iterator[Row]:
    """Cold and warm opening of the phone page."""
    chromium = os.environ.get("EQUIPOISE_CHROMIUM") or shutil.which("chromium")
    if chromium is None or importlib.util.find_spec("playwright") is None:
        yield Row("phone page, cold", "no browser on this machine", note="make test-env")
        return
    from playwright.sync_api import sync_playwright

    make_store(folder, 1)
    with serving(folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, down, up, latency in LINES:
            cold, warm, size = [], [], 0
            for _ in range(TIMES):
                context = browser.new_context(viewport={"width": 380, "height": 740}, locale="zh-CN")
                page = context.new_page()
                sizes = _slow(context, page, down, up, latency)
                cold.append(_opened(page, f"{url}diary/#{CODE}"))
                size = sum(sizes)
                page.evaluate("navigator.serviceWorker.ready")
                warm.append(_opened(page, f"{url}diary/?again"))
                context.close()
            yield row_of("phone page, cold", f"{name}; {size / 1024:.0f} KB", "pages", _round(cold))
            yield row_of("phone page, from the phone", name, "pages", _round(warm))
        browser.close()


def _slow(context: Any, page: Any, down: int, up: int, latency: int) -> list[float]:
    """Make the page's line slow; the list of what then crosses it, in bytes."""
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": latency,
            "downloadThroughput": down * 125,
            "uploadThroughput": up * 125,
        },
    )
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda one: sizes.append(one["encodedDataLength"]))
    return sizes


def _opened(page: Any, address: str) -> float:
    """Milliseconds until the first screen that a person can use stands."""
    page.goto(address, wait_until="commit")
    page.wait_for_selector(".pad, main.lost")
    return float(page.evaluate("() => performance.now()"))


def _round(taken: list[float]) -> Round:
    return Round(tuple(sorted(taken)), sum(taken) / 1000, ())

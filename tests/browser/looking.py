"""What is wrong with an open page, as sentences: for axe, for the console, in another language, at other sizes.

A page is loaded once for a language and looked at in the light and in the dark, at a desk, on a telephone and with text
of twice its size; only what a reader could choose is changed in between. Sources: WCAG 2.2 AA through axe, 1.4.4 (text
at 200 %), 1.4.10 (reflow at 320 px); 380 px is the telephone of reference/ux.md 1.17.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from served import VIEW

AXE = Axe().axe_script
SIZES = Path(__file__).with_name("sizes.js").read_text("utf-8")
COLOURS = Path(__file__).with_name("colours.js").read_text("utf-8")
CONTRAST = "color-contrast"
_PASSED: set[str] = set()
"""What stood on what, on pages of this run whose contrast axe found enough."""
PHONE = {"width": 380, "height": 740}
NARROWEST = {"width": 320, "height": 640}


def axe_faults(page: Page) -> list[str]:
    """Every rule of axe; that on contrast in the light and in the dark, where a page shows a pair of colours for the first time.

    Contrast is a matter of a text's colour, its size and what it stands on. Pairs that axe has passed on one page it
    passes on every other; the ninety pages share a few dozen. Where axe could not tell of some text, nothing has passed.
    """
    page.evaluate(AXE)
    page.emulate_media(color_scheme="light")
    found = _run(page, {"resultTypes": ["violations"], "rules": {CONTRAST: {"enabled": False}}}, "page")
    found += _colour_faults(page, "light")
    page.emulate_media(color_scheme="dark")
    found += _colour_faults(page, "dark")
    page.emulate_media(color_scheme="light")
    return found


def _colour_faults(page: Page, scheme: str) -> list[str]:
    pairs = set(page.evaluate(COLOURS))
    if pairs <= _PASSED:
        return []
    looked = _axe(page, {"resultTypes": ["violations", "incomplete"], "runOnly": [CONTRAST]})
    if not looked["violations"] and not looked["incomplete"]:
        _PASSED.update(pairs)
    return _said(looked, scheme)


def _run(page: Page, options: dict[str, object], scheme: str) -> list[str]:
    return _said(_axe(page, options), scheme)


def _axe(page: Page, options: dict[str, object]) -> dict[str, list[dict[str, Any]]]:
    asked = "(options) => axe.run(document, options).then(({ violations, incomplete }) => ({ violations, incomplete }))"
    return page.evaluate(asked, options)


def _said(looked: dict[str, list[dict[str, Any]]], scheme: str) -> list[str]:
    return [
        f"{scheme}: {one['id']}: {one['help']}: {[node['target'] for node in one['nodes']]}"
        for one in looked["violations"]
    ]


def size_faults(page: Page) -> list[str]:
    """Nothing scrolls sideways at any size; with text of twice its size nothing is cut off or lies on something else."""
    faults = []
    for name, view, text in (
        ("320 px", NARROWEST, 100),
        ("380 px", PHONE, 100),
        ("200 % text", VIEW, 200),
        ("380 px, 200 % text", PHONE, 200),
    ):
        page.set_viewport_size(view)
        found = page.evaluate(SIZES, {"percent": text, "whole": text != 100 or view == PHONE})
        faults += [f"{name}: {one}" for one in found]
    page.set_viewport_size(VIEW)
    page.evaluate("document.documentElement.style.removeProperty('font-size')")
    return faults


class Told:
    """What the console of a window says while a page is opened."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said: list[str] = []
        page.on("console", lambda message: self.said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"console: {error}"))

    def open(self, address: str, status: int = 200) -> list[str]:
        """Open a page; what the console said, but for the status that was expected, and another status."""
        self.said.clear()
        answer = self.page.goto(address)
        assert answer is not None
        if answer.status != status:
            return [f"{address} answered {answer.status}"]
        return [line for line in self.said if status == 200 or str(status) not in line]

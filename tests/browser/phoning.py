"""The diary's phone page in tests: a hospital of our own, cards for phones, and what a person does with the page."""

from __future__ import annotations

import contextlib
import datetime as dt
import html
import re
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Page, expect
from served import WAIT, Served

PHONE = {"width": 380, "height": 740}
ZONE = "Asia/Shanghai"


class Hospital:
    """A server on a copy of the rehearsal's store, whose time is what a file says."""

    def __init__(self, store: Path, folder: Path) -> None:
        shutil.copytree(store, folder / "store")
        self._clock = folder / "clock"
        self.at = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=2)
        self._clock.write_text(self.at.isoformat(), "utf-8")
        self.served = Served(folder / "store", clock=self._clock)

    @property
    def address(self) -> str:
        return self.served.address

    def later(self, **how: float) -> dt.datetime:
        """Let time pass at the hospital; the time that it then is."""
        self.at += dt.timedelta(**how)
        coming = self._clock.with_suffix(".coming")
        coming.write_text(self.at.isoformat(), "utf-8")
        coming.replace(self._clock)  # whole at every moment: the server may be reading it
        return self.at

    def card(self, side: str = "PARTICIPANT") -> tuple[str, str]:
        """A card from the role chooser: its link and its PIN."""
        opener = self._opener()
        page = self._post(opener, "diary/card", "", side=side)
        link = html.unescape(re.search(r'id="diary-link" href="([^"]+)"', page)[1])
        return link, re.search(r'id="diary-pin">(\d{6})<', page)[1]

    def revoke(self, number: str, device: str) -> None:
        """A coordinator of the participant's own site takes a phone out of use: the others' coordinators do not see it."""
        chooser = self._opener().open(self.address).read().decode()
        users = re.findall(
            r'name="user" value="([^"]+)"><input type="hidden" name="role" value="coordinator"', chooser
        )
        phones = f"subjects/{number}/diary/phones"
        for user in users:
            opener = self._opener()
            self._post(opener, "enter", "", user=user, role="coordinator")
            with contextlib.suppress(urllib.error.HTTPError):
                self._post(
                    opener, phones, phones, do="revoke", device=device, reason="lost", key=f"revoke {device}"
                )
                return
        raise AssertionError(f"no coordinator reads the diary of {number}")

    @staticmethod
    def _opener() -> urllib.request.OpenerDirector:
        return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def _post(self, opener: urllib.request.OpenerDirector, to: str, page: str, **fields: str) -> str:
        """A form of a page, sent as a browser would."""
        shown = opener.open(self.address + page).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown)[1]
        asked = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
        headers = {"Referer": self.address + page, "Origin": self.address.rstrip("/")}
        return opener.open(urllib.request.Request(self.address + to, asked, headers)).read().decode()


def window(browser: Browser, hospital: Hospital, language: str = "zh-CN", **more: object) -> BrowserContext:
    """A phone of its own, in the participant's zone."""
    context = browser.new_context(viewport=PHONE, locale=language, timezone_id=ZONE, **more)
    context.set_default_timeout(WAIT)
    return context


def new_phone(context: BrowserContext, hospital: Hospital) -> Page:
    """A page of the phone, whose clock is the hospital's."""
    page = context.new_page()
    page.clock.install(time=hospital.at)
    return page


def pin(page: Page, digits: str) -> None:
    """Enter the digits by the keys on the screen."""
    for digit in digits:
        page.locator(".digit", has_text=digit).first.click()
    page.locator(".digit.go").click()


def enrol(page: Page, link: str, digits: str) -> None:
    """Follow the card's link and enter the PIN; the home screen then stands."""
    page.goto(link)
    pin(page, digits)
    expect(page.locator("main.home")).to_be_visible()


def worked(page: Page) -> None:
    """Wait until the page can work without a line."""
    page.evaluate("navigator.serviceWorker.ready")


def until(page: Page, asked: str, arg: object = None) -> None:
    """Wait until a page answers a question with yes. Playwright's own `wait_for_function` takes a promise for a yes."""
    end = time.monotonic() + WAIT / 1000
    while True:
        with contextlib.suppress(Error):  # the page is just being loaded anew
            if page.evaluate(asked, arg):
                return
        assert time.monotonic() < end, f"never: {asked}"
        time.sleep(0.05)


def event(page: Page, form: str = "NEWDEVICE", reporter: str = "PARTICIPANT") -> None:
    """Begin an entry for an event."""
    page.locator("main.home .key", has=page.locator("use[href$='#event']")).click()
    page.locator(f"[data-form={form}]").click()
    page.locator(f"[data-who={reporter}]").click()
    expect(page.locator("main.entry")).to_be_visible()


def onward(page: Page) -> None:
    """The key under the thumb."""
    page.locator(".keys .primary").click()


def answer_all(page: Page) -> list[str]:
    """Answer every question that comes until the review: the first answer, `no` to yes or no. The items asked."""
    return page.evaluate(FILL)


def send(page: Page) -> None:
    """Send what was reviewed."""
    page.locator("#send").click()
    expect(page.locator("main.sent")).to_be_visible()


def home(page: Page) -> None:
    """Back to the home screen."""
    onward(page)
    expect(page.locator("main.home")).to_be_visible()


FILL = """async () => {
  const seen = new Set();
  const until = (test) => new Promise((done, fail) => {
    let tries = 0;
    const look = () => { const found = test(); if (found) done(found); else if (tries++ > 500) fail(new Error(document.body.innerText)); else setTimeout(look, 10); };
    look();
  });
  for (;;) {
    const main = await until(() => document.querySelector("main.entry, main.review"));
    if (main.classList.contains("review")) return [...seen];
    for (const item of main.querySelectorAll(".item")) {
      const id = item.dataset.item;
      seen.add(id);
      if (!item.querySelector(".choice[aria-pressed=true]")) {
        const offered = [...item.querySelectorAll(".choice")];
        (item.querySelector(".side") ? offered[offered.length - 1] : offered[0]).click();
        await new Promise((done) => setTimeout(done, 20));
      }
    }
    document.querySelector(".keys .primary").click();
    await until(() => document.querySelector("main") !== main);
  }
}"""
"""Runs in the page. Numbers by steps have no pressed key: a tap on the first gives the lowest."""

"""A course of a participant at one served site whose time moves: who works there, and how forms are filled in.

With EQUIPOISE_PICTURES its pictures are written to docs/img/guide, where the user's guide shows them (`make guide`).
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pictures import ASKED, keep
from playwright.sync_api import Browser, Page, expect
from served import VIEW, WAIT, Served, enter, saved

from stories.conftest import TODAY

FRAME = {"width": 900, "height": 560}
DAY_ONE = TODAY.date()
TO_THE_TOP = """(one) => {
  if (one === document.body) return scrollTo(0, 0);
  document.documentElement.style.scrollPadding = '1rem';  // no half of what stands above it
  one.scrollIntoView();
}"""


class Course:
    """The site's people, each in a window of their own, at one server whose time moves."""

    def __init__(self, server: Served, clock: Path, browser: Browser) -> None:
        self.server, self.clock, self.browser = server, clock, browser
        self.pages: dict[str, Page] = {}
        self.number = ""
        self.said: list[str] = []

    def on_day(self, study_day: int) -> str:
        """Move to ten in the morning of a study day; the day in ISO."""
        day = DAY_ONE + dt.timedelta(days=study_day - 1 if study_day > 0 else study_day)
        moment = dt.datetime(day.year, day.month, day.day, 2, tzinfo=dt.UTC)
        self.clock.write_text(moment.isoformat(), "utf-8")
        return day.isoformat()

    def as_(self, role: str) -> Page:
        """The window of the first person in a role."""
        if role not in self.pages:
            context = self.browser.new_context(viewport=VIEW, locale="en-GB")
            context.set_default_timeout(WAIT)
            page = context.new_page()
            page.on("console", lambda message: self.said.append(message.text))
            page.on("pageerror", lambda error: self.said.append(str(error)))
            enter(page, self.server.address, role)
            self.pages[role] = page
        return self.pages[role]

    def go(self, role: str, *parts: str) -> Page:
        """A page of the participant, or of the study where the first part begins with a stroke."""
        page = self.as_(role)
        path = (
            "/".join(parts)
            if parts and parts[0].startswith("/")
            else "/".join(["/subjects", self.number, *parts])
        )
        page.goto(self.server.address.rstrip("/") + path)
        return page

    def picture(self, page: Page, name: str, at: str = "body") -> None:
        """A picture of a page, from the part `at` on, in each language of the guide, when pictures are asked for."""
        if not ASKED:
            return
        page.set_viewport_size(FRAME)
        for language in ("zh", "en"):
            cookie: Any = {  # Any: the type of it is not exported
                "name": "equipoise_language",
                "value": language,
                "url": self.server.address,
            }
            page.context.add_cookies([cookie])
            page.reload()
            page.locator(at).first.evaluate(TO_THE_TOP)
            keep(f"{name}.{language}", page.screenshot())
        page.set_viewport_size(VIEW)

    def form(
        self, role: str, visit: str, form: str, items: Mapping[str, str], *, complete: bool = True
    ) -> Page:
        """Fill in a form by its fields and mark it complete; what is required and not given is marked as not done."""
        page = self.go(role, "forms", visit, form)
        for item, value in items.items():
            field = page.locator(f'[name="v.{item}"]')
            if field.first.get_attribute("type") == "radio":
                # By the keyboard: a message that comes in meanwhile moves what a pointer aims at.
                radio = page.locator(f'[name="v.{item}"][value="{value}"]')
                radio.press(" ")
                expect(radio).to_be_checked()
            else:
                field.fill(value)
                field.press("Tab")
        saved(page)
        if complete:
            page.locator("#complete").click()
            expect(page.locator("#state")).to_have_text(re.compile("Complete"))
        return page

    def held(self, visit: str, on: str) -> Page:
        """The coordinator records the day of a visit."""
        page = self.go("coordinator", "visits", visit)
        page.locator("#on").fill(on)
        page.get_by_role("button", name="Record the date").click()
        return page


def sign(course: Course) -> None:
    """The investigator signs everything that waits."""
    page = course.go("investigator", "/signatures")
    page.locator("#username").fill("demo")
    page.locator("#password").fill("demo")
    page.locator(".sign-box button.primary").click()
    expect(page.locator("main")).to_contain_text(re.compile("signed", re.I))


@contextmanager
def playing(made: Path, folder: Path, browser: Browser) -> Iterator[Course]:
    """A course at a server on a copy of a store; the clock stands at the store's own day."""
    shutil.copytree(made, folder / "store")
    clock = folder / "clock"
    clock.write_text(TODAY.isoformat(), "utf-8")
    server = Served(folder / "store", clock=clock)
    made_course = Course(server, clock, browser)
    yield made_course
    for page in made_course.pages.values():
        page.context.close()
    server.kill()

"""How much work a page asks for, counted by the browser itself: clicks to answer a query, actions to sign ten forms.

The third measure, a whole NIHSS in at most 20 key presses, stands in test_walk.py. Sources: the bars of the issue; times
of a person's actions from the keystroke-level model (Card, Moran and Newell 1983): a key 0.28 s (average typist),
pointing 1.1 s with a press of 0.2 s, a hand moved between mouse and keyboard 0.4 s, a thought before an action 1.35 s.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator

import pytest
from played import Course, playing
from playwright.sync_api import Page, expect

from equipoise.capture.commands import RaiseQuery
from equipoise.desk.clock import SetClock
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from stories.conftest import NIHSS, TODAY, Story, made_store

__all__ = ["made_store"]
pytestmark = pytest.mark.browser
KEY, POINT, HAND, THOUGHT = 0.28, 1.1 + 0.2, 0.4, 1.35  # seconds
NAME_AND_PASSWORD = 8 + 20
"""Keys of a user name and of a long password; made-up people type less."""
COUNTING = """() => {
  for (const kind of ['click', 'keydown']) addEventListener(kind, (event) => {
    if (event.isTrusted && event.detail !== 0 || kind === 'keydown' && event.isTrusted)
      sessionStorage.setItem(kind, Number(sessionStorage.getItem(kind) ?? 0) + 1);
  }, true);
}"""


@pytest.fixture
def course(made_store, tmp_path, browser) -> Iterator[Course]:
    """Ten participants of whom one scale is complete and unsigned; a query on one of them."""
    shutil.copytree(made_store, tmp_path / "made")
    desk = open_desk(tmp_path / "made", kind=FrontDesk, clock=SetClock(TODAY))
    assert isinstance(desk, FrontDesk), desk
    story = Story(desk, SetClock(TODAY), tmp_path / "made")
    for name in "甲乙丙丁戊己庚辛壬癸":
        number = story.screen(f"{name}测试")
        story.consent(number)
        outcome = story.record("rater", number, "NIHSS", {**NIHSS, "NIHSSDAT": "2026-05-30"}, complete=True)
        assert outcome.accepted
    assert story.record("crc", number, "DM", {"SEX": "M"}).accepted
    story.done("cra", RaiseQuery(story.subject(number), "V1", "DM", 1, "SEX", "Is this the source's answer?"))
    desk.close()
    with playing(tmp_path / "made", tmp_path / "served", browser) as made:
        yield made


def counted(page: Page, kind: str) -> int:
    return int(page.evaluate(f"Number(sessionStorage.getItem('{kind}') ?? 0)"))


def begin(course: Course, role: str) -> Page:
    """Today of a person, from which every click is counted."""
    page = course.as_(role)
    page.add_init_script(f"({COUNTING})()")
    page.goto(f"{course.server.address}today")
    assert counted(page, "click") == 0
    return page


def test_a_query_is_answered_in_at_most_three_clicks_from_today(course: Course) -> None:
    page = begin(course, "coordinator")
    page.get_by_role("link", name=re.compile("Is this the source's answer")).click()
    page.locator("[name=text]").click()
    page.keyboard.type("Yes, seen in the notes")
    page.get_by_role("button", name="Answer", exact=True).click()
    expect(page.get_by_role("button", name="Answer", exact=True)).to_have_count(0)
    assert 0 < counted(page, "click") <= 3
    page = course.go("monitor", "/queries?state=ANSWERED")
    expect(page.locator("main")).to_contain_text("Yes, seen in the notes")


def test_a_query_is_answered_in_at_most_three_clicks_from_the_inbox(course: Course) -> None:
    page = begin(course, "coordinator")
    page.goto(f"{course.server.address}queries")
    page.get_by_role("link", name=re.compile("Is this the source's answer|Sex", re.I)).first.click()
    page.locator("[name=text]").click()
    page.keyboard.type("Yes, seen in the notes")
    page.get_by_role("button", name="Answer", exact=True).click()
    expect(page.get_by_role("button", name="Answer", exact=True)).to_have_count(0)
    assert 0 < counted(page, "click") <= 3


def test_ten_forms_are_signed_within_thirty_seconds_of_work(course: Course) -> None:
    """Reading them is not counted: it is what a signature is for."""
    page = begin(course, "investigator")
    started = time.monotonic()
    page.locator("main").get_by_role(
        "link", name=re.compile("Signatures|wait for your signature", re.I)
    ).first.click()
    expect(page.locator("input[name=sign]:checked")).to_have_count(10)
    page.locator("#username").click()
    page.keyboard.type("demo")
    page.keyboard.press("Tab")
    page.keyboard.type("demo")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("10")
    waited = time.monotonic() - started
    expect(page.locator("input[name=sign]")).to_have_count(0)
    clicks, keys = counted(page, "click"), counted(page, "keydown")
    assert (clicks, keys) == (2, 4 + 1 + 4 + 1)
    work = clicks * (POINT + THOUGHT) + (keys - 8 + NAME_AND_PASSWORD) * KEY + HAND + 2 * THOUGHT
    assert work + waited <= 30, f"{work:.1f} s of a person's actions, {waited:.1f} s of waiting"

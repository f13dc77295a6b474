"""The database is locked in a browser: a checklist that turns green line by line, two persons, and opened again by two.

Sources: the issue (database lock with a checklist that must be green, unlock with two persons); 21 CFR 11.200(a)(1).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from played import Course, playing, sign
from playwright.sync_api import Page, expect

from equipoise.desk.clock import SetClock
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from stories.conftest import NIHSS, TODAY, Story, made_store

__all__ = ["made_store"]
pytestmark = pytest.mark.browser


@pytest.fixture
def course(made_store, tmp_path, browser) -> Iterator[Course]:
    """A study with one participant in screening, of whom one scale is complete: what is left to do is little."""
    shutil.copytree(made_store, tmp_path / "made")
    clock = SetClock(TODAY)
    desk = open_desk(tmp_path / "made", kind=FrontDesk, clock=clock)
    assert isinstance(desk, FrontDesk), desk
    story = Story(desk, clock, tmp_path / "made")
    number = story.screen()
    story.consent(number)
    outcome = story.record("rater", number, "NIHSS", {**NIHSS, "NIHSSDAT": "2026-05-30"}, complete=True)
    assert outcome.accepted
    desk.close()
    with playing(tmp_path / "made", tmp_path / "served", browser) as made:
        made.number = number
        yield made


def line(page: Page, words: str):
    """A line of the checklist."""
    return page.locator("ol.steps .step", has_text=words)


def give(page: Page, act: str) -> None:
    """Sign an act of the lock with both components."""
    page.locator("#username").fill("demo")
    page.locator("#password").fill("demo")
    page.locator(f"button[value={act}]").click()


def test_two_persons_lock_what_is_green_and_two_open_it_again(course: Course) -> None:
    page = course.go("data_manager", "/lock")
    expect(page.locator("ol.steps .step.blocked").first).to_be_visible()
    course.picture(page, "12-what-the-lock-waits-for")
    expect(page.locator("button[value=propose]")).to_have_count(0)  # while a line is red nobody can propose
    settled(course)
    page = course.go("data_manager", "/lock")
    expect(page.locator("ol.steps .step.blocked")).to_have_count(0)
    give(page, "propose")
    expect(page.locator(".message.warn", has_text="DM").first).to_be_visible()
    expect(page.locator("button[value=lock]")).to_have_count(0)  # not by the one who proposed
    page = course.go("statistician", "/lock")
    course.picture(page, "13-the-second-person", at=".message.warn")
    give(page, "lock")
    expect(page.locator("h1")).to_contain_text(re.compile("locked", re.I))
    course.picture(page, "14-the-database-is-locked")
    page = course.go("rater", "forms", "V1", "NIHSS")
    assert page.locator("#sheet[data-editable]").count() == 0
    opened_again(course)
    refused = [said for said in course.said if "status of 422" in said]
    assert course.said == refused
    assert len(refused) == 1, "what was refused on purpose: an opening without a reason"


def settled(course: Course) -> None:
    """Signed, compared with its source, and said to be settled by who may say so."""
    sign(course)
    page = course.go("monitor", "/verification")
    page.locator(".tasks a").first.click()
    page.locator("button[value=all]").click()
    page = course.go("data_manager", "/lock")
    for condition in ("REVEALING_SETTLED", "NOTHING_UNSENT"):
        box = page.locator(f"#{condition}")
        box.locator("[name=reference]").fill("Letter of 2026-06-01")
        box.get_by_role("button").click()
        expect(page.locator(f"#{condition} .pill.good")).to_be_visible()


def opened_again(course: Course) -> None:
    """Opening asks for a reason and for two persons; then values can be changed again."""
    page = course.go("data_manager", "/lock")
    give(page, "propose-unlock")
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("#reason").fill("A late value of the laboratory")
    give(page, "propose-unlock")
    expect(page.locator(".message.warn", has_text="A late value")).to_be_visible()
    expect(page.locator("button[value=unlock]")).to_have_count(0)
    page = course.go("statistician", "/lock")
    give(page, "unlock")
    expect(page.locator("h1")).not_to_contain_text(re.compile("locked", re.I))
    page = course.go("rater", "forms", "V1", "NIHSS")
    assert page.locator("#sheet[data-editable]").count() == 1

"""One participant from consent to month twelve, as a site lives it: a visit missed, one late, a query that travels, an
amendment in the middle, a signature broken and renewed, and the lock. With EQUIPOISE_PICTURES its pictures are written
to docs/img/guide, which is the user's guide's.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import pytest
from played import Course, playing, sign
from playwright.sync_api import expect
from served import saved

from equipoise.desk.clock import SetClock
from equipoise.desk.desk import open_desk
from equipoise.desk.setup import release
from equipoise.words.problem import Problem
from equipoise.words.text import Text
from stories.conftest import NIHSS, ONSET, first_study, made_store

__all__ = ["made_store"]
pytestmark = pytest.mark.browser
NEVER = ["EPILEPSY", "DEMENTIA", "PARKINSN", "DEPRSEV", "OTHNEURO", "ICHCUR", "ICHHIST", "SEVCV", "SEVPULM"]


@pytest.fixture
def course(made_store, tmp_path, browser) -> Iterator[Course]:
    with playing(made_store, tmp_path, browser) as made:
        yield made


def test_from_consent_to_the_lock(course: Course) -> None:
    screened(course)
    randomized(course)
    followed(course)
    amended(course)
    ended(course)
    signed_and_locked(course)
    refused = [line for line in course.said if "status of 422" in line]
    assert course.said == refused
    assert len(refused) == 1, "the one thing that was refused on purpose: a lock before its time"


def screened(course: Course) -> None:
    """Consent by the participant, the criteria, and the investigator's confirmation."""
    today = course.on_day(1)
    page = course.as_("coordinator")
    page.goto(f"{course.server.address}subjects/new")
    page.get_by_label("Name").fill("赵测试")
    page.get_by_label("Date of birth").fill("1962-03-07")
    page.get_by_role("button", name="Start screening").click()
    course.number = page.locator("h1").inner_text().split()[0]
    page = course.go("coordinator", "consent")
    page.locator("#on").fill(today)
    page.locator("#time").fill("09:15")
    page.get_by_role("button", name="Record a signature").click()
    expect(page.locator("h1")).to_contain_text(re.compile("in force", re.I))
    course.picture(page, "01-consent")
    course.held("V1", today)
    course.form("coordinator", "V1", "DM", {"BRTHDAT": "1962-03-07", "SEX": "M"}, complete=False)
    course.form(
        "coordinator",
        "V1",
        "STROKE",
        {"ONSETDAT": ONSET, "STRKTYPE": "ISCHEMIC", "CIRCUL": "ANTERIOR"},
        complete=False,
    )
    course.form("coordinator", "V1", "PSMRS", {"PSMRS": "0"}, complete=False)
    course.form("coordinator", "V1", "EXCHK", dict.fromkeys(NEVER, "N"), complete=False)
    page = course.form("rater", "V1", "NIHSS", {"NIHSSDAT": today, **NIHSS})
    expect(page.locator("#totals")).to_contain_text("9")
    course.picture(page, "02-scores")


def randomized(course: Course) -> None:
    """The investigator confirms; the coordinator randomizes; a number and never an arm."""
    page = course.go("investigator", "eligibility")
    course.picture(page, "03-criteria")
    page.get_by_role("button", name=re.compile("Confirm")).click()
    page = course.go("coordinator", "randomize")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Randomize now").click()
    assert re.fullmatch(r"[A-Z]+-?\d+", page.locator("#number").inner_text())
    course.picture(page, "04-randomized")


def followed(course: Course) -> None:
    """Visits as they come: one in time, one missed, one late; what was missed and late raises its own deviation."""
    course.held("V2", course.on_day(1))
    today = course.on_day(29)
    page = course.held("V6", today)
    expect(page.locator("#state")).to_contain_text("in window")
    asked_and_answered(course, today)
    late = course.on_day(104)  # the window of month 3 ends on day 97
    page = course.held("V8", late)
    expect(page.locator("#state")).to_contain_text("late")
    course.picture(page, "06-a-visit-that-was-late")
    page = course.go("coordinator", "visits", "V7")
    page.locator("#missed-because").select_option(index=1)
    page.locator("#missed-reason").fill("Nobody answered the phone")
    page.locator("section[aria-labelledby=missed] button").click()
    expect(page.locator("#state")).to_contain_text("missed")
    page = course.go("coordinator", "deviations")
    expect(page.locator("main")).to_contain_text("V7")
    expect(page.locator("main")).to_contain_text("V8")
    course.picture(page, "07-deviations")


def asked_and_answered(course: Course, today: str) -> None:
    """A query from the monitor to the coordinator and back, answered where it stands."""
    course.form("coordinator", "V6", "VS", {"SYSBP": "142", "DIABP": "88"}, complete=False)
    page = course.go("monitor", "forms", "V6", "VS")
    page.locator("#item-SYSBP [data-tool=query]").click()
    page.locator("[data-bar=query] [data-text]").fill("Which arm was the cuff on?")
    page.locator("[data-bar=query] [data-send]").click()
    saved_query = page.locator("#n-SYSBP")
    expect(saved_query).to_contain_text("Which arm")
    page = course.go("coordinator", "/today")
    page.get_by_role("link", name=re.compile("Which arm")).click()
    course.picture(page, "05-a-query-to-answer")
    page.locator("[name=text]").fill("右臂")
    page.get_by_role("button", name="Answer", exact=True).click()
    page = course.go("monitor", "/queries?state=ANSWERED")
    expect(page.locator("main")).to_contain_text("右臂")
    page.get_by_role("button", name="Close", exact=True).first.click()
    page = course.go("monitor", "/queries?state=ANSWERED")
    expect(page.locator("main")).not_to_contain_text("右臂")


def amended(course: Course) -> None:
    """A new version of the definition counts at the site from the day on which it was adopted; old forms stay as they were."""
    course.server.stop()
    folder = course.server.store
    study = first_study()
    changed = [
        form.model_copy(update={"label": Text("Vital signs, seated", "生命体征（坐位）")})
        if form.id == "VS"
        else form
        for form in study.forms
    ]
    newer = study.model_copy(update={"version": "1.1", "dated": "2026-09-14", "forms": tuple(changed)})
    desk = open_desk(folder, clock=SetClock(dt.datetime.fromisoformat(course.clock.read_text("utf-8"))))
    assert not isinstance(desk, Problem)
    assert release(desk, newer) == ()
    desk.close()
    course.server.restart()
    today = course.on_day(110)
    page = course.go("data_manager", "/amendments")
    adopting = page.locator("form", has=page.locator("[name=approval]"))
    adopting.locator("[name=site]").select_option("01")
    adopting.locator("[name=version]").select_option("1.1")
    adopting.locator("[name=approval]").fill("EC-2")
    adopting.locator("[name=on]").fill(today)
    adopting.locator("button").click()
    adopting = page.locator("form", has=page.locator("[value=adopt]"))
    adopting.locator("[name=site]").select_option("01")
    adopting.locator("[name=version]").select_option("1.1")
    adopting.locator("[name=on]").fill(today)
    adopting.locator("button").click()
    expect(page.locator("tr", has_text="01").first).to_contain_text("1.1")
    course.picture(page, "08-an-amendment")
    page = course.go("coordinator", "forms", "V9", "VS")
    expect(page.locator("h1")).to_contain_text("seated")
    page = course.go("coordinator", "forms", "V1", "NIHSS")  # complete under 1.0, and as it was
    expect(page.locator("#totals")).to_contain_text("9")


def ended(course: Course) -> None:
    """Month twelve: the last visit, and how participation ended."""
    today = course.on_day(365)
    page = course.held("V11", today)
    expect(page.locator("#state")).to_contain_text("in window")
    course.form("rater", "V11", "NIHSS", {"NIHSSDAT": today, **NIHSS})
    course.form("coordinator", "V11", "DS", {"DSDECOD": "COMPLETED", "DSSTDAT": today})
    page = course.go("coordinator", "visits")
    expect(page.locator("main")).to_contain_text("Completed")
    course.picture(page, "09-the-course-of-a-participant")


def signed_and_locked(course: Course) -> None:
    """Signed in one sitting; a change breaks the signature, which is given again over what changed; then the lock."""
    sign(course)
    page = course.go("coordinator", "forms", "V11", "DS")
    page.locator('[name="v.DSREAS"]').fill("In person")
    page.locator('[name="v.DSREAS"]').press("Tab")
    page.locator("#item-DSREAS [data-reason]").select_option(index=1)
    saved(page)
    page = course.go("investigator", "/signatures")
    expect(page.locator("main")).to_contain_text("In person")
    expect(page.locator(".pill.warn").first).to_be_visible()
    course.picture(page, "10-a-broken-signature")
    sign(course)
    page = course.go("data_manager", "closing")
    page.locator("li.depth-0 button[value=lock], li.depth-0 button[value=freeze]").first.click()
    expect(page.locator("li.depth-0").first).to_contain_text(re.compile("frozen", re.I))
    page.locator("li.depth-0 button[value=lock]").click()
    expect(
        page.get_by_role("alert")
    ).to_be_visible()  # what is not complete and signed is not locked, and is named
    page.locator("li.depth-0 input[name=reason]").fill("Visits are still to be entered")
    page.locator("li.depth-0 button[value=unfreeze]").click()
    for act in ("freeze", "lock"):
        page.locator("li", has_text="End of participation").locator(f"button[value={act}]").click()
    expect(page.locator("li", has_text="End of participation")).to_contain_text(re.compile("locked", re.I))
    course.picture(page, "11-locked", at=".scopes > li:nth-last-child(5)")
    page = course.go("coordinator", "forms", "V11", "DS")
    expect(page.locator("#complete")).to_have_count(0)
    assert page.locator("#sheet[data-editable]").count() == 0

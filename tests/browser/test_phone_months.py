"""A phone that is without a line for a month: every entry arrives as it was made, and none is lost.

Source: reliability notes 5 (made inside its window, received whenever: accepted; nothing acknowledged is lost).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator

import pytest
from phoning import (
    PHONE,
    ZONE,
    Hospital,
    answer_all,
    enrol,
    event,
    new_phone,
    pin,
    send,
    until,
    window,
    worked,
)
from playwright.sync_api import Error, expect

from equipoise.diary.packets import open_sealed, read_sealed, unb64
from equipoise.ledger.entries import DiaryEntryRecorded
from equipoise.ledger.opening import open_ledger
from equipoise.words.problem import Problem

pytestmark = [pytest.mark.browser, pytest.mark.nightly]

DAYS = 30


@pytest.fixture(scope="module")
def hospital(rehearsal_store, tmp_path_factory) -> Iterator[Hospital]:
    made = Hospital(rehearsal_store, tmp_path_factory.mktemp("far"))
    yield made
    made.served.kill()


QUEUED = """() => new Promise((done) => { indexedDB.open("equipoise-diary").onsuccess = ({ target: { result: db } }) => {
  db.transaction("queue").objectStore("queue").getAll().onsuccess = (event) => { db.close(); done(event.target.result.filter((one) => one.kind === "entry").map((one) => one.packet)); };
}; })"""


def entries_at(hospital: Hospital, packets: set[str]) -> list[DiaryEntryRecorded]:
    """The entries of those packets in the hospital's ledger."""
    ledger = open_ledger(hospital.served.store, write=False)
    assert not isinstance(ledger, Problem)
    with ledger.reading() as reader:
        streams = [one.stream for one in reader.streams() if one.stream.startswith("diary/")]
        held = [one.entry for stream in streams for one in reader.entries(stream)]
    ledger.close()
    return [one for one in held if isinstance(one, DiaryEntryRecorded) and one.packet in packets]


def test_thirty_days_without_a_line_arrive_as_they_were_made(browser, hospital):
    context = window(browser, hospital)
    page = new_phone(context, hospital)
    link, digits = hospital.card()
    with page.expect_response("**/diary/enrol") as answered:
        enrol(page, link, digits)
    key = unb64(answered.value.json()["key"])
    worked(page)
    page.locator(".keys .key").first.click()
    page.locator("[data-set='pages=section']").click()
    page.locator(".keys .primary").click()
    page.locator("main.home").wait_for()
    context.set_offline(True)
    made: list[list[str]] = []
    for _ in range(DAYS):
        if page.locator("[data-slot]").count():
            page.locator("[data-slot]").first.click()
            page.locator("[data-who=PARTICIPANT]").click()
            made.append(answer_all(page))
            send(page)
        page.clock.fast_forward(86400 * 1000)
        page.reload()
        pin(page, digits)
        page.locator("main.home").wait_for()
    assert len(made) >= 4  # what is left of 28 daily entries by the demonstration's calendar, then one a week
    expect(page.locator(".notice.warn").last).to_contain_text(str(len(made)))
    queued = [read_sealed(json.dumps(one).encode()) for one in page.evaluate(QUEUED)]
    contents = {one.id: open_sealed(key, one) for one in queued}
    assert sorted(sorted(one["answers"]) for one in contents.values()) == sorted(map(sorted, made))
    hospital.later(days=DAYS)
    context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    until(
        page,
        """(count) => new Promise((done) => { indexedDB.open("equipoise-diary").onsuccess = ({ target: { result: db } }) => {
          db.transaction("queue").objectStore("queue").getAll().onsuccess = (event) => { db.close(); done(event.target.result.filter((one) => one.kind === "entry" && one.state === "HOSPITAL").length === count); };
        }; })""",
        len(made),
    )
    arrived = entries_at(hospital, set(contents))
    assert len(arrived) == len(made), "each once, and none as evidence only"
    for one in arrived:
        said = contents[one.packet]
        assert (one.form, one.period) == (said["form"], said["period"])
        assert {item: (held.value, held.missing) for item, held in one.answers.items()} == {
            item: (held.get("value"), held.get("missing")) for item, held in said["answers"].items()
        }
    assert json.loads(page.evaluate("navigator.serviceWorker.controller ? '1' : '0'")) == 1
    context.close()


def test_what_was_tapped_survives_a_killed_browser(playwright, hospital, tmp_path):
    """Ten times, 300 ms after a tap: reliability notes 5 ask for a draft that is kept within a second."""
    path = os.environ.get("EQUIPOISE_CHROMIUM") or shutil.which("chromium")
    link, digits = hospital.card()
    for turn in range(10):
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=path, args=["--no-sandbox"], viewport=PHONE, locale="zh-CN", timezone_id=ZONE
        )  # fmt: skip
        page = context.new_page()
        if turn == 0:
            enrol(page, link, digits)
        else:
            page.goto(link.split("#")[0])
            pin(page, digits)
        event(page)
        if turn:
            expect(page.locator(".item .choice").nth((turn - 1) % 4)).to_have_attribute(
                "aria-pressed", "true"
            )
        page.locator(".item .choice").nth(turn % 4).click()
        page.wait_for_timeout(300)
        session = context.new_cdp_session(page)
        with pytest.raises(
            Error, match="closed"
        ):  # the browser's end is its only answer; a refusal says something else
            session.send("Browser.crash")
        with contextlib.suppress(Error):
            context.close()

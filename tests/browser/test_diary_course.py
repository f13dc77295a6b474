"""The diary as three people live a day of it: who hands a phone over, who keeps the diary, and who saw the same day.

With EQUIPOISE_PICTURES its pictures are written to docs/img/guide, once in each language, where the user's guide shows
them. Source: issue 6, "Shows".
"""

from __future__ import annotations

import re

import pytest
from phoning import (
    Hospital,
    answer_all,
    enrol,
    event,
    home,
    new_phone,
    onward,
    send,
    window,
    worked,
)
from pictures import ASKED, keep
from playwright.sync_api import Browser, Page, expect
from served import WAIT

pytestmark = pytest.mark.browser
FRAME = {"width": 900, "height": 640}
LANGUAGES = {"zh": "zh-CN", "en": "en-GB"} if ASKED else {"zh": "zh-CN"}


def picture(page: Page, name: str, language: str, at: str = "body") -> None:
    """A picture of the page from the part `at` on, when pictures are asked for."""
    if ASKED:
        page.locator(at).first.evaluate(
            "(one) => one === document.body ? scrollTo(0, 0) : one.scrollIntoView()"
        )
        keep(f"{name}.{language}", page.screenshot(animations="disabled"))


def coordinator_of(browser: Browser, hospital: Hospital, number: str, language: str) -> Page:
    """The page of the diary of a participant, as the coordinator of that site sees it."""
    chooser = browser.new_page()
    chooser.goto(hospital.address)
    forms = chooser.locator("form:has(input[name=role][value=coordinator]) input[name=user]")
    users = [one.get_attribute("value") for one in forms.all()]
    chooser.context.close()
    for user in users:
        context = browser.new_context(viewport=FRAME, locale=LANGUAGES[language])
        context.set_default_timeout(WAIT)
        page = context.new_page()
        page.goto(hospital.address)
        page.locator(f"form:has(input[value='{user}']):has(input[value=coordinator]) button").first.click()
        page.wait_for_url("**/today")
        answer = page.goto(f"{hospital.address}subjects/{number}/diary")
        if answer.status == 200:
            return page
        context.close()
    raise AssertionError(f"no coordinator reads the diary of {number}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_day_of_the_diary(browser, rehearsal_store, tmp_path, language):
    hospital = Hospital(rehearsal_store, tmp_path)
    try:
        caregiver = new_phone(window(browser, hospital, LANGUAGES[language]), hospital)
        with caregiver.expect_response("**/diary/enrol") as answered:
            enrol(caregiver, *hospital.card("CAREGIVER"))
        number = answered.value.json()["number"]
        staff = coordinator_of(browser, hospital, number, language)
        participant = handed_over(browser, hospital, staff, language)
        period = a_day_with_the_left_hand(participant, language)
        two_without_a_line(participant, language)
        the_same_day_as_a_caregiver(caregiver, period, language)
        staff.goto(f"{hospital.address}subjects/{number}/diary")
        for side in ("PARTICIPANT", "CAREGIVER"):
            cell = staff.locator(f"#{side} a[href$='/{period}'] .cell")
            expect(cell).to_have_class(re.compile("done"))
        picture(staff, "21-both-apart", language, ".sides")
        for page in (caregiver, participant, staff):
            page.context.close()
    finally:
        hospital.served.kill()


def handed_over(browser: Browser, hospital: Hospital, staff: Page, language: str) -> Page:
    """The coordinator invites the participant's phone; the phone is set up by the card and the PIN."""
    staff.goto(f"{staff.url}/phones")
    staff.locator(".person-box .primary").first.click()
    link, digits = staff.locator("#link").inner_text(), staff.locator("#pin").inner_text().replace(" ", "")
    picture(staff, "15-a-card-for-a-phone", language, ".sign-box")
    phone = new_phone(window(browser, hospital, LANGUAGES[language]), hospital)
    enrol(phone, link, digits)
    worked(phone)
    return phone


def a_day_with_the_left_hand(phone: Page, language: str) -> str:
    """The participant's own day; the period that it was filled in for."""
    phone.locator(".keys .key").first.click()
    phone.locator("[data-set='hand=left']").click()
    onward(phone)
    due = phone.locator("[data-slot]").first
    period = due.get_attribute("data-slot")
    due.click()
    expect(phone.locator("[data-who]")).to_have_count(3)
    picture(phone, "16-who-answers", language)
    phone.locator("[data-who=PARTICIPANT]").click()
    expect(phone.locator("main.entry")).to_be_visible()
    picture(phone, "17-one-question", language)
    answer_all(phone)
    send(phone)
    expect(phone.locator(".state.hospital")).to_be_visible()
    home(phone)
    return period


def two_without_a_line(phone: Page, language: str) -> None:
    """Two entries without a connection: on the phone, then at the hospital."""
    phone.context.set_offline(True)
    for _ in range(2):
        event(phone)
        answer_all(phone)
        send(phone)
        home(phone)
    expect(phone.locator(".sent-row[data-state=PHONE]")).to_have_count(2)
    picture(phone, "18-on-the-phone", language, "#sent-list")
    phone.context.set_offline(False)
    expect(phone.locator(".sent-row[data-state=HOSPITAL]")).to_have_count(3)
    expect(phone.locator("#waiting")).to_have_count(0)
    picture(phone, "19-at-the-hospital", language, "#sent-list")


def the_same_day_as_a_caregiver(phone: Page, period: str, language: str) -> None:
    """What the caregiver saw of the same day, on the caregiver's own phone."""
    phone.locator(f"[data-slot='{period}']").click()
    phone.locator("[data-who=CAREGIVER]").click()
    expect(phone.locator("main.entry")).to_be_visible()
    picture(phone, "20-what-a-caregiver-saw", language)
    answer_all(phone)
    send(phone)
    expect(phone.locator(".state.hospital")).to_be_visible()

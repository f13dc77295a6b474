"""Entering data: what is said while typing, skip logic that asks first, repetitions, reopening, two people without script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect
from served import VIEW, WAIT, enter, held_back, saved

pytestmark = pytest.mark.browser


def participant(page: Page, address: str, place: int = 0) -> str:
    """The number of somebody whose forms are still open."""
    page.goto(f"{address}subjects")
    rows = page.locator("tr", has_text="In screening").or_(page.locator("tr", has_text="Eligible"))
    return rows.locator("a").nth(place).inner_text()


def opened(page: Page, server, visit: str, form: str, place: int = 0) -> str:
    """Open a form as the coordinator, ready to judge while typing; its address."""
    enter(page, server.address)
    address = f"{server.address}subjects/{participant(page, server.address, place)}/forms/{visit}/{form}"
    page.goto(address)
    expect(page.locator("#sheet[data-live]")).to_have_count(1)
    return address


def live(page: Page, item: str):
    return page.locator(f".item[data-item='{item}'] .live")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        # docs/decisions/0018: the study reads year, month, day; weekdays by the calendar
        ("UN-AUG-2026", "2026-08, day unknown"),
        ("２０２６年８月１４日", "2026-08-14, Friday"),
        ("260814", "2026-08-14, Friday"),
        ("140826", "2014-08-26, Tuesday"),
        ("2026-08", "2026-08, day unknown"),
        ("08/14/2026", "Not understood as a date yet"),
    ],
)
def test_a_date_says_what_it_is_understood_as_while_it_is_typed(page, shared_server, typed, said):
    opened(page, shared_server, "V2", "VS")
    field = page.locator("[name='v.VSDAT']")
    field.focus()
    page.keyboard.insert_text(typed)
    expect(live(page, "VSDAT")).to_contain_text(said)
    expect(field).to_be_focused()
    assert field.input_value() == typed
    field.fill("")  # nothing stays waiting for the next page


def test_checks_ranges_and_derived_values_speak_before_anything_is_saved(page, shared_server):
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    opened(page, shared_server, "V3", "VS")
    page.route(
        "**/forms/V3/VS", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    page.locator("[name='v.SYSBP']").fill("75")
    expect(live(page, "SYSBP")).to_contain_text("A query will ask: Systolic pressure is outside 80 to 220")
    page.locator("[name='v.SYSBP']").fill("30")
    expect(live(page, "SYSBP")).to_contain_text("Will not be taken: “30” is not possible")
    page.locator("[name='v.SYSBP']").fill("120")
    expect(live(page, "SYSBP")).to_be_empty()
    page.locator("[name='v.DIABP']").fill("125")
    expect(page.locator(".live .ask", has_text="should be higher than diastolic")).to_be_visible()
    page.locator("[name='v.HEIGHT']").fill("170")
    page.locator("[name='v.WEIGHT']").fill("65")
    expect(page.locator("[data-derived=BMI]")).to_have_text("22.5")  # 65 / 1.7^2 = 22.49
    assert [line for line in told if "ERR_FAILED" not in line] == []
    page.unroute("**/forms/V3/VS")


def test_what_was_typed_before_the_interpreter_came_is_judged_when_it_comes(page, shared_server):
    enter(page, shared_server.address)
    release = held_back(page)
    page.goto(f"{shared_server.address}subjects/{participant(page, shared_server.address, 1)}/forms/V3/EG")
    page.route("**/forms/V3/EG", lambda route: None)  # nor does the server answer
    page.locator("[name='v.EGINTP'][value='ABNORMAL CS']").check()
    page.locator("[name='v.EGDAT']").focus()
    page.keyboard.insert_text("260814")
    assert page.locator("#sheet[data-live]").count() == 0
    expect(page.locator(".item[data-item='EGFIND']")).to_be_hidden()
    release()
    expect(page.locator(".item[data-item='EGFIND']")).to_be_visible()
    expect(live(page, "EGDAT")).to_contain_text("2026-08-14, Friday")


def test_a_key_that_answers_goes_on_to_the_item_that_it_opens(page, shared_server):
    opened(page, shared_server, "V3", "EG", 2)
    expect(page.locator("[name='v.EGFIND']")).to_be_hidden()
    page.locator("[name='v.EGINTP']").first.focus()
    page.keyboard.press("3")  # abnormal, clinically significant
    expect(page.locator("[name='v.EGFIND']")).to_be_focused()
    saved(page)


def test_closing_answered_items_asks_first(page, shared_server):
    address = opened(page, shared_server, "V3", "EG")
    abnormal = page.locator("[name='v.EGINTP'][value='ABNORMAL NCS']")
    finding = page.locator(".item[data-item='EGFIND']")
    expect(finding).to_be_hidden()
    abnormal.check()
    expect(finding).to_be_visible()
    finding.locator("textarea").fill("Q waves 𠮷")
    page.keyboard.press("Enter")
    saved(page)
    page.locator("[name='v.EGINTP'][value='NORMAL']").check()
    bar = page.locator("[data-bar=hide]")
    expect(bar).to_contain_text("1 answered items no longer apply: Findings")
    expect(finding).to_be_visible()
    bar.get_by_role("button", name="Keep the answer").click()
    expect(abnormal).to_be_checked()
    page.locator("[name='v.EGINTP'][value='NORMAL']").check()
    page.locator("[data-bar=hide]").get_by_role("button", name="Empty them").click()
    expect(finding).to_be_hidden()
    saved(page)
    page.goto(f"{address}/history?item=EGFIND")
    expect(page.locator(".changes li")).to_have_count(2)
    expect(page.locator(".changes li").first).to_contain_text("𠮷")


def test_a_log_goes_on_to_its_next_line(page, shared_server):
    address = opened(page, shared_server, "V2", "INFVS/1")  # a line of the table of serial measurements
    expect(page.get_by_role("link", name="Add another")).to_have_count(0)  # the first line comes first
    page.locator("[name='v.PULSE']").fill("72")
    page.keyboard.press("Enter")
    saved(page)
    page.goto(address)
    page.get_by_role("link", name="Add another").click()
    page.wait_for_url(f"{address[:-2]}/2")
    expect(page.locator("[name='v.PULSE']")).to_be_empty()


def without_script(browser: Browser, server) -> Page:
    context = browser.new_context(viewport=VIEW, locale="en-GB", java_script_enabled=False)
    context.set_default_timeout(WAIT)
    page = context.new_page()
    enter(page, server.address)
    return page


def test_two_people_without_script_see_both_values_and_choose(browser, shared_server):
    one, two = (without_script(browser, shared_server) for _ in range(2))
    number = participant(one, shared_server.address, 1)
    address = f"{shared_server.address}subjects/{number}/forms/V2/VS"
    for page in (one, two):
        page.goto(address)
    one.locator("[name='v.PULSE']").fill("70")
    one.get_by_role("button", name="Save", exact=True).click()
    two.locator("[name='v.PULSE']").fill("77")
    two.locator("[name='v.RESP']").fill("16")
    two.get_by_role("button", name="Save", exact=True).click()
    conflict = two.locator(".conflict")
    expect(conflict).to_contain_text("Yours: 77")
    expect(conflict).to_contain_text("Recorded: 70")
    expect(conflict).to_contain_text("Liu Yan")
    two.get_by_role("button", name="Save", exact=True).click()
    expect(two.locator(".conflict")).to_have_count(1)  # nothing is overwritten while nobody has chosen
    two.get_by_label("Recorded: 70").check()
    two.get_by_role("button", name="Save", exact=True).click()
    assert two.locator("[name='v.PULSE']").input_value() == "70"
    assert two.locator("[name='v.RESP']").input_value() == "16"
    for page in (one, two):
        page.context.close()


def test_a_completed_form_is_reopened_with_a_reason(browser, shared_server):
    page = without_script(browser, shared_server)
    number = participant(page, shared_server.address)
    page.goto(f"{shared_server.address}subjects/{number}/forms/V1/RISK")
    expect(page.locator("#state")).to_contain_text("Complete")
    page.locator("#reopen summary").click()
    page.get_by_role("button", name="Reopen the form").click()
    expect(page.get_by_role("alert")).to_contain_text("Write why")
    page.locator("#reopen summary").click()
    page.locator("#reopen-why").select_option("new-information")
    page.get_by_role("button", name="Reopen the form").click()
    expect(page.locator("#state")).to_contain_text("In progress")
    page.context.close()


def test_a_whole_form_is_marked_as_not_done_and_taken_back_without_script(browser, shared_server):
    page = without_script(browser, shared_server)
    number = participant(page, shared_server.address)
    page.goto(f"{shared_server.address}subjects/{number}/forms/V5/VS")
    page.locator("#omit summary").click()
    page.get_by_role("button", name="Mark the whole form").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("#omit summary").click()
    page.locator("#omit-code").select_option("RF")
    page.locator("#omit-reason").fill('=HYPERLINK("x") 病人拒绝')
    page.get_by_role("button", name="Mark the whole form").click()
    expect(page.locator("#omitted")).to_contain_text("病人拒绝")
    expect(page.locator("#state")).to_contain_text("Not done")
    expect(page.locator("[name='v.PULSE']")).to_be_disabled()
    page.locator("#reinstate").fill("measured at home")
    page.get_by_role("button", name="Take that back").click()
    expect(page.locator("#omitted")).to_have_count(0)
    expect(page.locator("[name='v.PULSE']")).to_be_enabled()
    page.context.close()


def test_an_answer_of_the_visit_before_is_taken_over_marked_and_confirmed(page, shared_server):
    address = opened(page, shared_server, "V1", "VS", 1)
    page.locator("[name='v.HEIGHT']").fill("171")
    page.keyboard.press("Enter")
    saved(page)
    page.goto(address.replace("/V1/", "/V2/"))
    height = page.locator(".item[data-item='HEIGHT']")
    height.get_by_role("button", name="Take over 171 cm from V1").click()
    saved(page)
    expect(height.locator(".copied")).to_contain_text("not confirmed yet")
    assert page.locator("[name='v.HEIGHT']").input_value() == "171"
    height.get_by_role("button", name="Confirm").click()
    expect(height.locator(".copied")).to_have_count(0)

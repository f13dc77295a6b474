"""What was typed is never lost: slow lines, a killed server, two people at once, no script, input methods."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from served import VIEW, WAIT, SlowLine, enter, saved

pytestmark = pytest.mark.browser

SCORES = ["1", "2", "1", "1", "2", "3", "1", "2", "1", "2", "1", "1", "2", "1", "2"]
ORDER = ["1a", "1b", "1c", "2", "3", "4", "5a", "5b", "6a", "6b", "7", "8", "9", "10", "11"]
"""The items of the NIHSS in the order of the scale (domain.md 3.2)."""


FRESH = iter([(who, visit) for who in range(3) for visit in ("V2", "V3", "V6", "V8", "V9", "V11")])
"""Forms that no test has used yet: participants in screening by visits that ask for the NIHSS (domain.md 5.1)."""


def open_form(page: Page, address: str) -> str:
    """Sign in and open an NIHSS that nobody has touched; its address."""
    enter(page, address)
    page.goto(f"{address}subjects")
    who, visit = next(FRESH)
    number = (
        page.locator("tr", has_text="In screening")
        .or_(page.locator("tr", has_text="Eligible"))
        .locator("a")
        .nth(who)
        .inner_text()
    )
    form = f"{address}subjects/{number}/forms/{visit}/NIHSS"
    page.goto(form)
    return form


def held(page: Page) -> list[str]:
    """What the page shows as chosen, item by item."""
    return [page.locator(f".item[data-item='{item}'] input:checked").get_attribute("value") for item in ORDER]


def focused_item(page: Page) -> str:
    return page.evaluate("document.activeElement.closest('.item')?.dataset.item ?? ''")


def test_typing_through_a_whole_form_on_a_slow_line_loses_nothing_and_keeps_the_focus(page, shared_server):
    line = SlowLine(shared_server.port, 0.5)
    form = open_form(page, f"{line.address}/")
    first = page.locator(".item[data-item='1a'] input").first
    first.focus()
    for item, key in zip(ORDER, SCORES, strict=True):
        assert focused_item(page) == item
        page.keyboard.press(key)
    assert focused_item(page) == "11"
    assert held(page) == SCORES
    saved(page)
    assert focused_item(page) == "11", "the answers came, the focus stayed"
    page.goto(form)
    assert held(page) == SCORES
    line.close()


def test_typing_while_a_save_is_under_way_is_not_overwritten_by_its_answer(page, shared_server):
    line = SlowLine(shared_server.port, 0.5)
    form = open_form(page, f"{line.address}/")
    time = page.locator("[name='v.NIHSSTIM']")
    time.fill("0935")
    page.locator(".item[data-item='1a'] input").first.focus()
    page.wait_for_timeout(100)
    time.focus()
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    page.keyboard.type("7")
    page.wait_for_timeout(1500)
    assert time.input_value() == "0937", "the answer to 0935 does not touch the field that is being typed in"
    page.keyboard.press("Enter")
    saved(page)
    page.goto(form)
    assert page.locator("[name='v.NIHSSTIM']").input_value() == "09:37"
    line.close()


def test_a_killed_server_loses_nothing_that_was_typed(page, server):
    form = open_form(page, server.address)
    page.locator(".item[data-item='1a'] input").first.focus()
    for key in SCORES[:5]:
        page.keyboard.press(key)
    saved(page)
    server.kill()
    for key in SCORES[5:]:
        page.keyboard.press(key)
    expect(page.locator("#trouble")).to_be_visible()
    expect(page.locator("#save-state")).to_contain_text("not saved yet")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("setTimeout(() => location.assign('/today'), 0)")
    page.wait_for_timeout(800)
    assert asked == ["beforeunload"], "leaving is warned of while something is unsaved"
    assert held(page) == SCORES
    server.restart()
    page.locator("#retry").click()
    saved(page)
    expect(page.locator("#trouble")).to_be_hidden()
    page.goto(form)
    assert held(page) == SCORES


def test_a_lost_answer_is_replayed_and_not_saved_twice(page, shared_server):
    form = open_form(page, shared_server.address)
    cut = {"left": 1}

    def lose_the_answer(route):
        if route.request.method == "POST" and cut["left"]:
            cut["left"] -= 1
            route.fetch()  # the server saves; the answer never arrives
            route.abort()
        else:
            route.continue_()

    page.route("**/forms/**", lose_the_answer)
    page.locator(".item[data-item='1a'] input").first.focus()
    page.keyboard.press("2")
    saved(page)
    page.goto(f"{form}/history?item=1a")
    assert page.locator(".changes li").count() == 1


def test_signed_out_in_between_nothing_is_lost(page, shared_server):
    form = open_form(page, shared_server.address)
    kept = page.context.cookies()
    page.context.clear_cookies(name="equipoise_login")
    page.locator(".item[data-item='1a'] input").first.focus()
    page.keyboard.press("1")
    expect(page.locator("#trouble-says")).to_contain_text("signed out")
    page.context.add_cookies(kept)
    page.locator("#retry").click()
    saved(page)
    page.goto(form)
    assert page.locator(".item[data-item='1a'] input:checked").get_attribute("value") == "1"


def test_two_people_at_one_item_see_both_answers_and_one_decides(browser, shared_server):
    mine, theirs = (browser.new_context(viewport=VIEW, locale="en-GB").new_page() for _ in range(2))
    form = open_form(mine, shared_server.address)
    enter(theirs, shared_server.address, "investigator")
    theirs.goto(form)
    theirs.locator(".item[data-item='1b'] input").first.focus()
    theirs.keyboard.press("2")
    saved(theirs)
    mine.locator(".item[data-item='1c'] input").first.focus()
    mine.keyboard.press("1")
    saved(mine)
    seen = mine.locator(".item[data-item='1b'] input:checked")
    assert seen.get_attribute("value") == "2", "what the other one saved is shown where I typed nothing"
    theirs.locator(".item[data-item='2'] input").first.focus()
    theirs.keyboard.press("1")
    saved(theirs)
    item = mine.locator(".item[data-item='2']")
    item.locator("input").first.focus()
    mine.keyboard.press("0")
    asked = item.locator("[data-bar=conflict]")
    expect(asked).to_contain_text("1 Partial gaze palsy")
    expect(asked).to_contain_text("0 Normal")
    assert item.locator("input:checked").get_attribute("value") == "0", "what I typed stays until I decide"
    asked.get_by_role("button", name="Keep mine").click()
    saved(mine)
    theirs.reload()
    assert theirs.locator(".item[data-item='2'] input:checked").get_attribute("value") == "0"
    for window in (mine, theirs):
        window.context.close()


def test_a_refused_value_stays_in_its_field_with_the_reason_beside_it(page, shared_server):
    open_form(page, shared_server.address)
    date = page.locator("[name='v.NIHSSDAT']")
    date.fill("14/08/2026")
    page.keyboard.press("Enter")
    item = page.locator(".item[data-item='NIHSSDAT']")
    expect(item.locator(".error")).to_be_visible()
    assert date.input_value() == "14/08/2026"
    assert date.get_attribute("aria-invalid") == "true"
    expect(page.locator("#save-state")).to_contain_text("1 not saved yet")
    page.locator(".item[data-item='1a'] input").first.focus()
    page.keyboard.press("1")
    expect(page.locator("#totals .figure").first).to_contain_text(
        "1 of 42"
    )  # one bad value holds up no good one
    date.fill("260814")
    page.keyboard.press("Enter")
    saved(page)
    expect(item.locator(".error")).to_have_count(0)
    assert date.input_value() == "2026-08-14"


def press_slowly(page: Page, option: Locator, until: Callable[[], object]) -> None:
    """A press by the mouse as a hand makes it: down, and up again only after something else has come."""
    box = option.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    until()
    page.mouse.up()


def test_a_press_is_not_lost_when_a_correction_takes_a_message_away_above_it(page, shared_server):
    """The field is left when the next option is pressed: what goes or comes above it moves nothing before it is let go."""
    open_form(page, shared_server.address)
    date = page.locator("[name='v.NIHSSDAT']")
    date.fill("14/08/2026")
    page.keyboard.press("Enter")
    error = page.locator(".item[data-item='NIHSSDAT'] .bars .error")
    expect(error).to_be_visible()
    date.fill("260814")
    page.wait_for_timeout(300)  # what is understood of it stands below it
    option = page.locator(".item[data-item='1a'] .option", has=page.locator("[value='1']"))
    press_slowly(page, option, lambda: page.wait_for_timeout(400))
    expect(option.locator("input")).to_be_checked()
    expect(error).to_have_count(0)
    saved(page)
    assert date.input_value() == "2026-08-14"


def test_a_press_is_not_lost_when_an_answer_comes_meanwhile(page, shared_server):
    open_form(page, shared_server.address)
    page.locator("[name='v.NIHSSDAT']").fill("14/08/2026")
    page.wait_for_timeout(300)
    option = page.locator(".item[data-item='1a'] .option", has=page.locator("[value='2']"))
    press_slowly(page, option, lambda: page.wait_for_timeout(700))
    expect(option.locator("input")).to_be_checked()
    expect(page.locator(".item[data-item='NIHSSDAT'] .bars .error")).to_be_visible()
    expect(page.locator("#save-state")).to_contain_text("1 not saved yet")


def test_untestable_asks_why_in_place_and_waits_for_it(page, shared_server):
    form = open_form(page, shared_server.address)
    page.locator(".item[data-item='7'] input").first.focus()
    page.keyboard.press("U")
    why = page.locator("[name='w.7']")
    expect(why).to_be_focused()
    expect(page.locator("#save-state")).to_contain_text("Waiting")
    page.keyboard.type("amputated")
    page.keyboard.press("Enter")
    assert focused_item(page) == "8"
    saved(page)
    page.goto(form)
    assert page.locator("[name='w.7']").input_value() == "amputated"


def test_a_link_pressed_right_after_typing_waits_for_the_save(page, shared_server):
    line = SlowLine(shared_server.port, 0.5)
    form = open_form(page, f"{line.address}/")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.locator("[name='v.NIHSSTIM']").fill("1015")
    page.locator("#after").click()
    page.wait_for_url(lambda url: url != form)
    page.goto(form)
    assert page.locator("[name='v.NIHSSTIM']").input_value() == "10:15"
    assert asked == [], "nobody is asked about a value that was only on its way"
    page.locator("[name='v.NIHSSTIM']").fill("25:99")
    page.locator("#after").click()
    expect(page.locator(".item[data-item='NIHSSTIM'] .error")).to_be_visible()
    assert page.url == form, "a refused value keeps the person on the page"
    line.close()


def test_full_width_digits_count_and_an_input_method_is_left_alone(page, shared_server):
    open_form(page, shared_server.address)
    press = "([key, composing]) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, isComposing: composing, bubbles: true, cancelable: true}))"
    page.locator(".item[data-item='1a'] input").first.focus()
    page.evaluate(press, ["2", True])
    assert page.locator(".item[data-item='1a'] input:checked").count() == 0
    page.evaluate(press, ["２", False])
    assert page.locator(".item[data-item='1a'] input:checked").get_attribute("value") == "2"
    assert focused_item(page) == "1b"


def test_arrows_between_options_choose_nothing(page, shared_server):
    open_form(page, shared_server.address)
    page.locator(".item[data-item='1a'] input").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator(".item[data-item='1a'] input:checked").count() == 0
    page.keyboard.press("Space")
    assert page.locator(".item[data-item='1a'] input:checked").get_attribute("value") == "2"


def test_the_inputs_of_the_page_are_never_replaced(page, shared_server):
    open_form(page, shared_server.address)
    page.evaluate(
        "document.querySelectorAll('#sheet input[name^=\"v.\"]').forEach((field) => { field.mark = true; })"
    )
    page.locator(".item[data-item='1a'] input").first.focus()
    for key in SCORES:
        page.keyboard.press(key)
    saved(page)
    every = page.evaluate(
        "[...document.querySelectorAll('#sheet input[name^=\"v.\"]')].every((field) => field.mark)"
    )
    assert every


def test_the_only_word_of_saving_is_in_one_status_line(page, shared_server):
    open_form(page, shared_server.address)
    assert page.locator("[role=status]").count() == 1
    page.locator(".item[data-item='1a'] input").first.focus()
    page.keyboard.press("1")
    saved(page)
    assert re.search(r"Saved \d\d:\d\d:\d\d", page.locator("[role=status]").inner_text())


def test_without_script_the_form_is_saved_and_completed_as_a_plain_form(browser, shared_server):
    context = browser.new_context(java_script_enabled=False, locale="en-GB", viewport=VIEW)
    context.set_default_timeout(WAIT)
    page = context.new_page()
    form = open_form(page, shared_server.address)
    page.get_by_role("button", name="Mark complete").click()
    assert page.locator(".item .error").count() >= 15, "every lacking item is named beside it"
    for item, score in zip(ORDER, SCORES, strict=True):
        page.locator(f"label:has([name='v.{item}'][value='{score}'])").click()
    page.locator("[name='v.NIHSSDAT']").fill("2026-08-14")
    page.get_by_role("button", name="Mark complete").click()
    assert page.url.startswith(form)
    expect(page.locator("#state")).to_have_text("Complete")
    assert held(page) == SCORES
    page.locator("label:has([name='v.1a'][value='0'])").click()
    page.locator("#reason").select_option("transcription-error")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator(".item[data-item='1a'] [data-tool=history]").click()
    expect(page.locator("main")).to_contain_text("Transcription error")
    context.close()


def test_ctrl_c_stops_the_server_cleanly_and_it_starts_again(server, page):
    page.goto(server.address)
    assert server.stop() == 0
    server.restart()
    page.goto(server.address)
    expect(page.locator("h1")).to_be_visible()

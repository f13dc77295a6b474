"""Double entry on its pages: typed by two, compared, settled; said on the form, the visit, Today and the list."""

from __future__ import annotations

import html
import re

import pytest
from django.conf import settings

from equipoise.capture.evolve import Place
from equipoise.desk.audit import Search
from equipoise.desk.setup import adopt, release
from rooms.desk.test_versions_at_sites import with_item
from rooms.web.test_infusion_pages import enter
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories

PLACE = Place("V4", "BGP", 1)
SAID = {
    "BGPDAT": "1 Jun 2026",
    "BGPGS": "ACTIVE",
    "BGPSU": "LIKELY",
    "BGPWH": "LOOK",
    "BGPTX": "the bag was milky",
}


@pytest.fixture
def site(pages, story: Story) -> Story:
    from equipoise.pages.accounts.models import Account, Login

    Login.objects.all().delete()
    Account.objects.all().delete()
    settings.DESK = story.desk
    story.number = story.screen("An Example")  # type: ignore[attr-defined]  # carried along for the tests of this file
    return story


def page(site: Story) -> str:
    return f"/subjects/{site.number}/double/V4/BGP/1"


def form_page(site: Story) -> str:
    return f"/subjects/{site.number}/forms/V4/BGP"


def hand_in(site: Story, actor: str, role: str, key: str = "", **more: str):
    fields = {f"v.{name}": value for name, value in {**SAID, **more}.items()}
    sent = {"do": "enter", "key": key or f"key-of-{actor}", **fields}
    return enter(actor, role).post(page(site), sent)


def shown(answer) -> str:
    return html.unescape(re.sub(r"\s+", " ", answer.content.decode()))


def base(site: Story) -> str:
    pair = site.captured(site.number).pairs[PLACE]
    return str((pair.second or pair.first).seq)


def test_two_type_alike_and_the_form_is_there(site):
    assert hand_in(site, "crc", "coordinator").headers["Location"] == page(site)
    assert "Entered once" in shown(enter("cra", "monitor").get(form_page(site)))
    assert hand_in(site, "pi", "investigator").headers["Location"] == f"{form_page(site)}?saved=1"
    assert site.captured(site.number).form(PLACE).complete
    compared = shown(enter("cra", "monitor").get(page(site)))
    assert "the bag was milky" in compared
    assert "became the form by themselves" in compared


def test_the_second_person_is_shown_nothing_of_the_first_entry(site):
    hand_in(site, "crc", "coordinator")
    for actor, role in (
        ("pi", "investigator"),
        ("cra", "monitor"),
        ("dm", "data_manager"),
        ("crc", "coordinator"),
    ):
        browser = enter(actor, role)
        for address in (page(site), form_page(site), f"{form_page(site)}/history", f"/subjects/{site.number}",
                        f"/subjects/{site.number}/visits/V4", "/double", "/today", "/audit"):  # fmt: skip
            answer = browser.get(address)
            if answer.status_code == 404:
                continue  # a page that the role does not have
            assert "milky" not in shown(answer), (actor, address)
    trail = site.desk.audit(site.who("cra"), Search(kind="FirstEntryRecorded"))
    assert [(line.items, line.reason) for line in trail.lines] == [((), "")]
    assert site.desk.audit(site.who("cra"), Search(item="BGPTX")).lines == ()
    assert 'name="v.BGPGS" value="ACTIVE" checked' not in shown(enter("pi", "investigator").get(page(site)))


def test_what_was_typed_comes_back_with_what_is_wrong(site):
    answer = hand_in(site, "crc", "coordinator", BGPDAT="30 Feb 2026")
    assert answer.status_code == 422
    text = shown(answer)
    assert "30 Feb 2026" in text
    assert "the bag was milky" in text
    assert site.captured(site.number).pairs == {}
    later = hand_in(
        site, "crc", "coordinator", key="another", BGPDAT="2026-07-01"
    )  # after the day of the story
    assert later.status_code == 422
    assert "The date lies in the future." in shown(later)


def test_a_double_click_is_one_entry_and_a_second_try_loses_nothing(site):
    assert hand_in(site, "crc", "coordinator").status_code == 302
    assert hand_in(site, "crc", "coordinator").status_code == 302, "the same key is a replay"
    again = hand_in(site, "crc", "coordinator", key="a stale tab")
    assert again.status_code in {403, 409, 422}
    text = shown(again)
    assert "You typed the first entry" in text
    assert "the bag was milky" in text, "what was typed is shown once more"


def test_differences_are_settled_by_a_third_person(site):
    hand_in(site, "crc", "coordinator")
    hand_in(site, "pi", "investigator", BGPGS="PLACEBO", BGPTX="")
    assert "A third person settles them." in shown(enter("pi", "investigator").get(page(site)))
    browser = enter("dm", "data_manager")
    asked = shown(browser.get(page(site)))
    assert "c.BGPGS" in asked
    assert "c.BGPTX" in asked
    assert "c.BGPSU" not in asked, "what was typed alike is not asked about"
    sent = {"do": "settle", "key": "k", "base": base(site), "c.BGPGS": "SECOND"}
    half = browser.post(page(site), sent)
    assert half.status_code == 422
    assert "Choose what the paper says for “In your own words”" in shown(half)
    assert re.search(r'name="c\.BGPGS" value="SECOND"[^>]* checked', shown(half)), "the choice stands"
    neither = {**sent, "c.BGPTX": "NEITHER", "v.BGPTX": "the bag looked milky", "key": "k2"}
    unsaid = browser.post(page(site), neither)
    assert "Say why neither entry is right" in shown(unsaid)
    assert "the bag looked milky" in shown(unsaid)
    done = browser.post(page(site), {**neither, "r.BGPTX": "hard to read", "key": "k3"})
    assert done.status_code == 302
    values = site.captured(site.number).form(PLACE).values
    assert (values["BGPGS"].value, values["BGPTX"].value) == ("PLACEBO", "the bag looked milky")
    read = shown(enter("cra", "monitor").get(page(site)))
    assert "hard to read" in read
    assert "the bag was milky" in read, "both entries are shown afterwards"


def test_a_settlement_on_a_page_that_is_out_of_date_is_refused(site):
    hand_in(site, "crc", "coordinator")
    hand_in(site, "pi", "investigator", BGPGS="PLACEBO")
    browser, old = enter("dm", "data_manager"), base(site)
    sent = {"do": "withdraw", "key": "w", "base": old, "reason": "wrong participant"}
    assert browser.post(page(site), sent).status_code == 302
    hand_in(site, "crc", "coordinator", key="again")
    hand_in(site, "pi", "investigator", key="anew", BGPGS="PLACEBO")
    late = browser.post(page(site), {"do": "settle", "key": "s", "base": old, "c.BGPGS": "FIRST"})
    assert "have changed since this page was opened" in shown(late)


def test_the_form_is_not_saved_in_the_usual_way(site):
    browser = enter("crc", "coordinator")
    usual = shown(browser.get(form_page(site)))
    assert "Open double entry" in usual
    assert 'id="complete"' not in usual
    sent = {"whole": "1", "base": "0", "key": "usual", "do": "save", "v.BGPGS": "ACTIVE"}
    assert "entered from paper by two persons" in shown(browser.post(form_page(site), sent))


def test_today_the_list_and_the_visit_say_where_it_stands(site):
    hand_in(site, "crc", "coordinator")
    assert "as the second person" in shown(enter("pi", "investigator").get("/today"))
    assert "as the second person" not in shown(enter("crc", "coordinator").get("/today"))
    assert "One of two entries is in" in shown(
        enter("crc", "coordinator").get(f"/subjects/{site.number}/visits/V4")
    )
    hand_in(site, "pi", "investigator", BGPGS="PLACEBO")
    assert "differ. Settle them." in shown(enter("dm", "data_manager").get("/today"))
    assert "differ. Settle them." not in shown(enter("pi", "investigator").get("/today"))
    listed = shown(enter("dm", "data_manager").get("/double?state=differs"))
    assert f"/subjects/{site.number}/double/V4/BGP/1" in listed
    assert "Nothing is settled yet." in listed


def test_the_rate_is_items_that_differed_over_items_compared(site):
    hand_in(site, "crc", "coordinator")
    hand_in(site, "pi", "investigator", BGPGS="PLACEBO")
    sent = {"do": "settle", "key": "k", "base": base(site), "c.BGPGS": "FIRST"}
    assert enter("dm", "data_manager").post(page(site), sent).status_code == 302
    view = site.desk.doubles(site.who("dm"))
    assert view is not None
    # Five items were filled in by at least one of the two, and one differed: 1/5 = 20 %. The second person's entry was
    # not taken: one error in ten items typed, 1000 per 10,000.
    assert (view.total.compared, view.total.differing) == (5, 1)
    assert (view.total.per_cent, view.total.per_ten_thousand) == ("20.00", "1000")
    guess = next(rate for rate in view.rates if rate.item == "BGPGS")
    assert (guess.compared, guess.differing, guess.first_wrong, guess.second_wrong) == (1, 1, 0, 1)
    assert "20.00" in shown(enter("cra", "monitor").get("/double?state=settled"))
    assert site.desk.doubles(site.who("rater")).rates == (), "who never sees the form is told no rate of it"


def test_a_rater_has_no_such_page(site):
    assert enter("rater", "rater").get(page(site)).status_code == 404
    assert enter("rater", "rater").get("/double").status_code == 200


def test_the_second_types_under_the_version_of_the_first(site):
    hand_in(site, "crc", "coordinator")
    today = site.clock.at.date().isoformat()
    assert release(site.desk, with_item(site.desk.study, "2.0", "BGP", id="BGPNEW")) == ()
    assert adopt(site.desk, "01", "2.0", "EC-01-2", today, today) == ()
    assert "BGPNEW" not in shown(enter("pi", "investigator").get(page(site)))
    assert hand_in(site, "pi", "investigator").status_code == 302
    assert site.captured(site.number).form(PLACE).complete
    other = site.desk.double(site.who("crc"), site.number, Place("V9", "BGP", 1))
    assert "BGPNEW" in {item.id for item in other.sheet.items}


def test_a_scan_of_the_paper_can_be_attached_before_anything_counts(site):
    view = site.desk.sources(site.who("crc"), site.number, PLACE)
    assert view.may_attach

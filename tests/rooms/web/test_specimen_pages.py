"""Tubes, shipments and a laboratory's files over a real desk: what people of a site and of data management do with them.

Sources: the requirement's capability 2 (specimens) and its bad input; decision 0012 (what the first door never shows).
"""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from equipoise.desk.specimen_tables import SPECIMENS
from rooms.web.test_infusion_pages import enter
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories
NUMBER = re.compile(r"\d{3} \d{3} \d{4}")
HEAD = "accession,test,value,unit,flag\n"


@pytest.fixture
def site(pages, story: Story) -> Story:
    from equipoise.pages.accounts.models import Account, Login

    Login.objects.all().delete()
    Account.objects.all().delete()
    settings.DESK = story.desk
    story.number = story.screen("An Example")  # type: ignore[attr-defined]  # carried along for the tests of this file
    return story


def page(site: Story) -> str:
    return f"/subjects/{site.number}/specimens"


def step(browser, site: Story, do: str, expect: int = 302, **fields: str):
    answer = browser.post(page(site), {"do": do, "key": f"{do} {sorted(fields.items())}"[:120], **fields})
    assert answer.status_code == expect, answer.content.decode()
    return answer.content.decode()


def collect(browser, site: Story, kit: str = "TUM", visit: str = "V1", **fields: str) -> str:
    given = {"kit": kit, "visit": visit, "at": "2026-06-01T08:30", "fasting": "Y", **fields}
    step(browser, site, "collect", **given)
    with site.desk.reading() as reader:
        rows = reader.rows.find(SPECIMENS, {"kit": kit, "visit": visit, "state": "COLLECTED"})
    return str(rows[-1]["specimen"])


def test_a_tube_is_drawn_spun_divided_labelled_and_fills_in_its_form(site):
    browser = enter("crc", "coordinator")
    tube = collect(browser, site)
    step(
        browser,
        site,
        "process",
        specimen=tube,
        spun_at="2026-06-01T09:00",
        frozen_at="2026-06-01T09:30",
        haemolysis="NONE",
    )
    step(browser, site, "divide", specimen=tube, count="2", volume="0.5", storage="M80", place="Box 7")
    step(browser, site, "move", aliquot=f"{tube}-02", storage="M20", place="Box 8", thawed="yes")
    step(browser, site, "end", aliquot=f"{tube}-02", because="BROKEN")
    shown = browser.get(page(site)).content.decode()
    assert NUMBER.search(shown)[0].replace(" ", "") == tube
    for words in ("Box 7", f"{tube}-01", "Broken"):
        assert words in shown
    labels = browser.get(f"{page(site)}/{tube}.pdf")
    assert (labels["Content-Type"], labels.content[:5]) == ("application/pdf", b"%PDF-")
    form = site.desk.form(site.who("crc"), site.number, "V1", "LBTM")
    assert {item.id: item.value.value for item in form.items if item.value.value} == {
        "TMDAT": "2026-06-01",
        "TMTIM": "08:30",
    }


def test_what_was_typed_wrongly_stays_on_the_page_with_a_word_beside_it(site):
    browser = enter("crc", "coordinator")
    given = {
        "kit": "TUM",
        "visit": "V1",
        "at": "2027-01-01T08:30",
        "fasting": "Y",
        "note": "left arm",
        "row": "TUM-V1",
    }
    shown = step(browser, site, "collect", 422, **given)
    assert "ahead of the clock" in shown
    assert "left arm" in shown


def test_what_a_participant_refused_is_recorded_and_a_voided_tube_leaves_room_for_another(site):
    browser = enter("crc", "coordinator")
    step(browser, site, "miss", kit="BIO", visit="V2", because="REFUSED")
    assert "Refused" in browser.get(page(site)).content.decode()
    first = collect(browser, site)
    step(browser, site, "void", specimen=first, reason="wrong tube")
    assert collect(browser, site, at="2026-06-01T08:40") != first
    assert "wrong tube" in browser.get(page(site)).content.decode()


def test_aliquots_are_sent_with_a_manifest_and_arrive_with_differences(site):
    browser, data = enter("crc", "coordinator"), enter("dm", "data_manager")
    tube = collect(browser, site)
    step(browser, site, "divide", specimen=tube, count="2", volume="0.5", storage="M80")
    given = {"shipment": "abcdefgh23", "laboratory": "CENTRAL", "at": "2026-06-01T08:45", "condition": "M80",
             "carrier": "=HYPERLINK(1)", "key": "s"}  # fmt: skip
    assert browser.post("/shipments", {**given, "aliquots": []}).status_code == 422
    sent = browser.post("/shipments", {**given, "aliquots": [f"{tube}-01", f"{tube}-02"], "key": "s2"})
    assert sent.status_code == 302
    manifest = browser.get("/shipments/abcdefgh23/manifest.csv").content.decode("utf-8-sig")
    assert manifest.splitlines()[1].startswith(f"abcdefgh23,{tube}-01,{tube},")
    assert "HYPERLINK" not in manifest
    assert browser.get("/shipments/abcdefgh23/manifest.pdf").content[:5] == b"%PDF-"
    arrived = {"at": "2026-06-01T08:50", "condition": "PARTLY_THAWED", f"d.{tube}-02": "MISSING", "key": "r"}
    assert browser.post("/shipments/abcdefgh23", arrived).status_code == 403  # the site does not receive
    assert data.post("/shipments/abcdefgh23", {**arrived, "unexpected": "12"}).status_code == 422
    assert data.post("/shipments/abcdefgh23", arrived).status_code == 302
    shown = data.get("/shipments/abcdefgh23").content.decode()
    assert "Missing" in shown
    assert "Partly thawed" in shown
    assert enter("crc2", "coordinator").get("/shipments/abcdefgh23").status_code == 404


def check(browser, text: str, **more: str):
    file = SimpleUploadedFile("results.csv", text.encode())
    return browser.post("/results", {"do": "check", "laboratory": "CENTRAL", "file": file, **more})


def take_in(browser, text: str, key: str, **more: str):
    return browser.post(
        "/results", {"do": "import", "laboratory": "CENTRAL", "text": text, "key": key, **more}
    )


def value(site: Story, item: str = "CEA"):
    form = site.desk.form(site.who("crc"), site.number, "V1", "LBTM")
    return next(one.value.value for one in form.items if one.id == item)


def test_a_file_is_looked_through_and_taken_in_whole(site):
    tube = collect(enter("crc", "coordinator"), site)
    data = enter("dm", "data_manager")
    text = HEAD + f"{tube},CEA,2.31,ug/L,\n{tube},AFP,0.5,ug/L,BLQ\n"
    looked = check(data, text)
    assert looked.status_code == 200
    assert "Nothing stands in the way" in looked.content.decode()
    assert value(site) is None  # a dry run writes nothing
    assert take_in(data, text, "t1").status_code == 302
    assert take_in(data, text, "t1").status_code == 302  # a double click
    assert value(site) == "2.31"
    assert "&lt;0.5" in enter("crc", "coordinator").get(page(site)).content.decode()
    assert "CENTRAL-0001" in data.get("/results").content.decode()


def test_a_value_above_its_limit_is_shown_as_it_was_reported(site):
    crc, data = enter("crc", "coordinator"), enter("dm", "data_manager")
    tube = collect(crc, site)
    assert take_in(data, HEAD + f"{tube},CEA,>90,ug/L,\n{tube},AFP,50,ug/L,ALQ\n", "t1").status_code == 302
    shown = crc.get(f"/subjects/{site.number}/forms/V1/LBTM")
    held = {row.item.id: row for row in shown.context["rows"]}
    assert (held["CEA"].typed, held["AFP"].typed, held["AFP"].missing) == (">90", ">50", "")
    assert "Above the limit of quantification: more than 50" in shown.content.decode()
    assert "&gt;50 ug/L (Above the limit of quantification)" in crc.get(page(site)).content.decode()


def test_a_value_below_its_limit_stays_when_its_form_is_saved_without_script(site):
    """What a report gave is in the field as it may be typed: a save of something else does not empty it."""
    crc, data = enter("crc", "coordinator"), enter("dm", "data_manager")
    tube = collect(crc, site)
    assert take_in(data, HEAD + f"{tube},CEA,<2,ug/L,\n{tube},AFP,0.5,ug/L,BLQ\n", "t1").status_code == 302
    address = f"/subjects/{site.number}/forms/V1/LBTM"
    shown = crc.get(address)
    held = {row.item.id: row for row in shown.context["rows"]}
    assert (held["AFP"].typed, held["AFP"].missing, held["CEA"].typed) == ("<0.5", "", "<2")
    assert "Below the limit of quantification: less than 0.5" in shown.content.decode()
    fields = {"whole": "1", "base": str(shown.context["view"].base), "key": "k1", "do": "save"}
    for row in held.values():
        fields |= {f"v.{row.item.id}": row.typed, f"m.{row.item.id}": row.missing}
    assert crc.post(address, fields | {"v.CEA": "3", "reason": "x"}).status_code == 302
    view = site.desk.form(site.who("crc"), site.number, "V1", "LBTM")
    now = {item.id: item.value for item in view.items}
    assert (now["AFP"].missing, now["AFP"].why, now["CEA"].value) == ("BLQ", "<0.5 ug/L", "3")
    said = next(item.shown for item in view.items if item.id == "AFP")
    assert said is not None
    assert "低于定量限" in said.say("zh"), (
        "the casebook on paper and the past say it in their reader's language"
    )


def test_one_bad_line_keeps_the_file_out_and_is_named_in_the_readers_language(site):
    tube = collect(enter("crc", "coordinator"), site)
    data = enter("dm", "data_manager", "zh")
    data.post("/language", {"language": "zh"})
    text = HEAD + f"{tube},CEA,2.31,ug/L,\n{tube},AFP,7,ng/mL,\n1234567890,CEA,2,ug/L,\n"
    looked = check(data, text)
    assert looked.status_code == 422
    assert "第3行：AFP的单位为ng/mL，方案规定为ug/L" in looked.content.decode()
    assert take_in(data, text, "t1").status_code == 422
    assert value(site) is None


def test_a_corrected_file_is_taken_in_only_when_it_says_so_and_both_stay(site):
    tube = collect(enter("crc", "coordinator"), site)
    data = enter("dm", "data_manager")
    assert take_in(data, HEAD + f"{tube},CEA,2,ug/L,\n", "t1").status_code == 302
    again = HEAD + f"{tube},CEA,3,ug/L,\n"
    assert take_in(data, again, "t2").status_code == 422
    assert take_in(data, again, "t3", corrects="yes").status_code == 302
    assert value(site) == "3"
    rows = site.desk.history(site.who("crc"), site.number, "V1", "LBTM", 1, "CEA")
    assert [(row.new.en, row.reason) for row in rows] == [
        ("3 ug/L", "CENTRAL-0002"),
        ("2 ug/L", "CENTRAL-0001"),
    ]


def test_values_that_could_tell_the_arm_are_neither_taken_in_nor_shown_again_here(site):
    crc, data = enter("crc", "coordinator"), enter("dm", "data_manager")
    before = crc.get(page(site)).content.decode().count("Kept behind the second door")
    tube = collect(crc, site, "BIO", "V2")
    after = crc.get(page(site)).content.decode().count("Kept behind the second door")
    looked = check(data, HEAD + f"{tube},INTLK6,73.31,pg/mL,\n")
    assert looked.status_code == 422
    assert "73.31" not in looked.content.decode()
    assert before == after > 0  # the same words for everybody, whatever was drawn or reported


def test_who_may_do_what(site):
    for actor, role, status in (("cra", "monitor", 200), ("rater", "rater", 404), ("spo", "sponsor", 404)):
        assert enter(actor, role).get(page(site)).status_code == status
    assert enter("crc", "coordinator").get("/results").status_code == 404
    assert enter("crc2", "coordinator").get(page(site)).status_code == 404
    step(
        enter("cra", "monitor"),
        site,
        "collect",
        403,
        kit="TUM",
        visit="V1",
        at="2026-06-01T08:30",
        fasting="Y",
    )

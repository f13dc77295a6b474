"""Imaging over a real desk: from the order to the form, with headers looked at and two readers who know nothing else.

Sources: the requirement's capability 2 (imaging); domain 6.6 (a reading must not see arm or date order).
"""

from __future__ import annotations

import datetime as dt
import itertools
import re

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from equipoise.access.commands import SYSTEM, GrantRole
from equipoise.capture.imaging.commands import ScoreReading
from equipoise.desk.setup import add_person, certify_readers
from rooms.capture.test_imaging import PIXELS, dicom
from rooms.web.test_infusion_pages import enter
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories
KEYS = itertools.count()
READERS = {"anna": "Anna Reader", "bo": "Bo Reader", "cai": "Cai Reader"}


@pytest.fixture
def site(pages, story: Story) -> Story:
    from equipoise.pages.accounts.models import Account, Login

    Login.objects.all().delete()
    Account.objects.all().delete()
    settings.DESK = story.desk
    for actor, name in READERS.items():
        assert add_person(story.desk, actor, name, "reader", None) == ()
    assert certify_readers(story.desk) == ()
    story.number = story.screen("An Example")  # type: ignore[attr-defined]  # carried along for the tests of this file
    return story


def page(site: Story) -> str:
    return f"/subjects/{site.number}/imaging"


def step(browser, site: Story, do: str, expect: int = 302, **fields):
    given = {"do": do, "key": f"key {next(KEYS)}", **fields}
    answer = browser.post(page(site), given)
    assert answer.status_code == expect, re.sub(r"<[^>]+>", " ", answer.content.decode())[:3000]
    return answer.content.decode()


def order(site: Story) -> str:
    with site.desk.reading() as reader:
        state = site.desk.standing_light(reader, site.subject(site.number)).case.imaging
    return next(iter(state.orders))


def performed(browser, site: Story, on: str = "2026-06-01") -> str:
    step(browser, site, "order", procedure="BRAIN", visit="V1", due_from="2026-05-20", due_by="2026-06-05")
    step(browser, site, "record", order=order(site), on=on, quality="GOOD", device="3 T")
    return order(site)


def upload(browser, site: Story, *files: bytes, expect: int = 302) -> str:
    sent = [SimpleUploadedFile(f"{n}.dcm", data) for n, data in enumerate(files)]
    return step(browser, site, "upload", expect, order=order(site), file=sent)


def mine(actor: str) -> list[str]:
    return re.findall(r'href="/reads/(\w+)"', enter(actor, "reader").get("/reads").content.decode())


def score(actor: str, read: str, volume: str, grade: str = "1") -> int:
    given = {"v.INFVOL": volume, "v.FAZEKAS": grade, "v.MRIHEM": "N", "key": f"{actor} {read} {volume}"}
    return enter(actor, "reader").post(f"/reads/{read}", given).status_code


def given_to_readers(site: Story) -> None:
    browser = enter("crc", "coordinator")
    name = performed(browser, site)
    upload(browser, site, dicom(StudyDate="20260601"))
    step(enter("dm", "data_manager"), site, "open", order=name, first="anna", second="bo")


def test_files_are_known_by_their_headers_and_nothing_of_them_is_kept(site):
    browser = enter("crc", "coordinator")
    performed(browser, site)
    upload(
        browser,
        site,
        dicom(StudyDate="20260601"),
        dicom(StudyDate="20260601", SOPInstanceUID="1.2.826.0.1.99.3.2"),
    )
    shown = browser.get(page(site)).content.decode()
    assert "1.2.826.0.1.99.1" in shown
    assert "headers of 2 files checked" in shown
    for path in site.folder.rglob("*"):
        assert not path.is_file() or PIXELS not in path.read_bytes()


def test_files_that_identify_are_refused_by_their_tags_and_the_refusal_is_kept(site):
    browser = enter("crc", "coordinator")
    performed(browser, site)
    shown = upload(
        browser, site, dicom(StudyDate="20260601", PatientName="Zhang^San", PatientID="77"), expect=422
    )
    assert "PatientName" in shown
    assert "PatientID is not the participant" in shown
    assert "Zhang" not in shown
    assert "PatientName" in browser.get(page(site)).content.decode()
    for path in site.folder.rglob("*"):
        assert not path.is_file() or b"Zhang" not in path.read_bytes()
    assert upload(browser, site, b"%PDF-1.7", expect=422)
    assert step(browser, site, "upload", 422, order=order(site))


def test_what_two_readers_agree_on_goes_to_the_form(site):
    given_to_readers(site)
    (one,), (other,) = mine("anna"), mine("bo")
    assert one != other
    assert score("anna", one, "10.0") == 302
    browser = enter("crc", "coordinator")
    assert "10.0" not in browser.get(page(site)).content.decode()  # nothing before it is concluded
    assert score("bo", other, "12.0") == 302
    form = site.desk.form(site.who("crc"), site.number, "V1", "MRI")
    assert {item.id: item.value.value for item in form.items if item.value.value} == {
        "INFVOL": "11.0",
        "FAZEKAS": "1",
        "MRIHEM": "N",
    }
    assert "11.0 mL" in browser.get(page(site)).content.decode()


def test_a_third_decides_where_two_differ(site):
    given_to_readers(site)
    score("anna", mine("anna")[0], "10.0")
    score("bo", mine("bo")[0], "40.0")
    data = enter("dm", "data_manager")
    assert "differ by more than the study allows" in data.get(page(site)).content.decode()
    step(data, site, "third", 422, order=order(site), third="bo")
    step(data, site, "third", order=order(site), third="cai")
    assert score("cai", mine("cai")[0], "38.0", grade="3") == 302
    form = site.desk.form(site.who("crc"), site.number, "V1", "MRI")
    assert {item.id: item.value.value for item in form.items if item.value.value}["INFVOL"] == "38.0"


def test_a_reader_sees_a_number_and_nothing_of_whose_images_they_are(site):
    given_to_readers(site)
    browser = enter("anna", "reader")
    (read,) = mine("anna")
    shown = browser.get("/reads").content.decode() + browser.get(f"/reads/{read}").content.decode()
    subject = site.subject(site.number)
    for word in (site.number, subject, "V1", "2026-05", "2026-06", "99.1", "anna's", "bo", order(site)):
        assert not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", shown), word
    for address in (f"/reads/{mine('bo')[0]}", page(site), f"/subjects/{site.number}", "/subjects"):
        assert browser.get(address).status_code == 404, address
    assert score("anna", mine("bo")[0], "1.0") == 404


def test_what_was_typed_stays_beside_what_is_wrong_with_it(site):
    given_to_readers(site)
    (read,) = mine("anna")
    answer = enter("anna", "reader").post(
        f"/reads/{read}", {"v.INFVOL": "much", "v.FAZEKAS": "2", "key": "k"}
    )
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert 'value="much"' in shown
    assert "or say why there is none" in shown


def test_who_knows_the_arm_reads_no_more_of_that_participant(site):
    from equipoise.access.decide import may

    given_to_readers(site)
    who = site.desk.who("anna", "reader")
    with site.desk.reading() as reader:
        facts = site.desk.standing_light(reader, site.subject(site.number)).facts
    import dataclasses

    command = ScoreReading(site.subject(site.number), "x", "MRI", {})
    assert may(who, command, facts) is None
    knows = dataclasses.replace(facts, code_broken_for=frozenset({"anna"}))
    assert may(who, command, knows).rule == "access.knows-the-arm"


def test_an_identifier_that_is_typed_is_judged_as_typed(site):
    browser = enter("crc", "coordinator", "zh")
    browser.post("/language", {"language": "zh"})
    name = performed(browser, site)
    step(browser, site, "reference", 422, order=name, study_uid="1.02", series="1.2.3 MR 12")
    assert "图像数" in step(
        browser, site, "reference", 422, order=name, study_uid="1.2.3", series="MR twelve"
    )
    step(browser, site, "reference", order=name, study_uid="1.2.3", series="1.2.3.4, MR, 12\n1.2.3.5 MR 3")
    assert "1.2.3.5" in browser.get(page(site)).content.decode()
    step(browser, site, "cancel", order=name, reason="wrong visit")
    assert "wrong visit" in browser.get(page(site)).content.decode()


def test_who_holds_a_readers_role_holds_no_unblinded_one(site):
    refused = site.desk.submit(SYSTEM, GrantRole("anna", "pharmacist", "01"), key="g")
    assert {one.rule for one in refused.problems} == {"access.roles-exclude"}


def test_a_reader_without_a_certificate_is_told_so_and_reads_once_it_is_recorded(site):
    given_to_readers(site)
    (read,), sponsor = mine("anna"), enter("spo", "sponsor")
    gone = {"do": "withdraw", "user": "anna", "certificate": "MR", "reason": "not renewed"}
    assert sponsor.post("/readers", {**gone, "key": "w"}).status_code == 302
    shown = sponsor.get("/readers").content.decode()
    assert shown.count("no certificate for MR") == 1
    reader = enter("anna", "reader")
    assert "no certificate for MR" in reader.get("/reads").content.decode()
    given = {"v.INFVOL": "12.5", "v.FAZEKAS": "1", "v.MRIHEM": "N", "key": "k"}
    answer = reader.post(f"/reads/{read}", given)
    assert answer.status_code == 422
    assert "You hold no certificate for MR images. Nothing was recorded." in answer.content.decode()
    assert 'value="12.5"' in answer.content.decode()
    data = enter("dm", "data_manager")
    assert "no certificate for MR" in data.get("/readers").content.decode()
    had = {"do": "certify", "user": "anna", "instrument": "MR", "on": "2026-05-01", "number": "R-7"}
    assert sponsor.post("/readers", {**had, "until": "2026-04-30", "key": "c1"}).status_code == 422
    assert data.post("/readers", {**had, "until": "2028-04-30", "key": "c2"}).status_code != 302
    assert sponsor.post("/readers", {**had, "until": "2028-04-30", "key": "c3"}).status_code == 302
    assert score("anna", read, "12.5") == 302


def test_a_certificate_that_lapsed_is_said_with_its_day_before_images_are_given(site):
    browser = enter("crc", "coordinator")
    name = performed(browser, site)
    upload(browser, site, dicom(StudyDate="20260601"))
    ended = (site.clock.at - dt.timedelta(days=1)).date().isoformat()
    had = {"do": "certify", "user": "bo", "instrument": "MR", "on": "2024-05-01", "until": ended, "key": "c"}
    assert enter("spo", "sponsor").post("/readers", had).status_code == 302
    data = enter("dm", "data_manager")
    assert "Bo Reader · no certificate for MR" in data.get(page(site)).content.decode()
    said = step(data, site, "open", 422, order=name, first="anna", second="bo")
    assert f"The second reader&#x27;s certificate for MR images ran out on {ended}." in said
    step(data, site, "open", order=name, first="anna", second="cai")

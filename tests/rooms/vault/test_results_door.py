"""A laboratory's file behind the second door: whose tube a number is comes over the channel, values never go back.

Sources: decision 0012; DESIGN 5 (channel).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from doors import pages_of
from equipoise.capture.specimens.accession import candidates
from equipoise.ledger.entries import Append, SpecimenCollected, SpecimenVoided
from equipoise.vault.results import ImportValues, asked
from equipoise.vault.web.settings import second_door
from rooms.vault.test_values_doors import ready
from rooms.vault.two_doors import Doors

HEAD = "accession,test,value,unit,flag\n"
TUBE = next(candidates("s1", "BIO", "V2"))
VOID = next(candidates("s1", "BIO", "V3"))
TEXT = HEAD + f"{TUBE},INTLK6,73.31,pg/mL,\n{TUBE},NFLP,95.5,pg/mL,\n"


@pytest.fixture
def laboratory(doors: Doors) -> Doors:
    """One participant with a tube, and one that was voided, of both of which the second door was told."""
    ready(doors)
    at = "2026-06-01T00:30:00Z"
    tubes = [SpecimenCollected(TUBE, "BIO", "V2", at, "Y"), SpecimenCollected(VOID, "BIO", "V3", at, "Y")]
    doors.write("tubes", *(Append("subject/s1", one) for one in (*tubes, SpecimenVoided(VOID, "wrong tube"))))
    doors.exchange()
    return doors


def take_in(doors: Doors, text: str, key: str, corrects: bool = False):
    keeper = doors.vault.who("lab", "LAB")
    with doors.vault.reading() as reader:
        facts = doors.vault.facts(reader, keeper, ImportValues("CENTRAL", "", ()))
    return doors.vault.submit(keeper, asked(facts, "CENTRAL", text, corrects=corrects), key=key)


def rules(outcome):
    return {one.rule for one in outcome.problems}


def test_a_file_is_taken_in_whole_and_again_as_a_correction(laboratory: Doors):
    assert take_in(laboratory, TEXT, "k1").accepted
    assert take_in(laboratory, TEXT, "k1").replayed
    assert rules(take_in(laboratory, TEXT.replace("95.5", "96"), "k2")) == {"specimens.line-reported"}
    assert take_in(laboratory, TEXT.replace("95.5", "96"), "k3", corrects=True).accepted
    with laboratory.vault.reading() as reader:
        kinds = [one.header.kind for one in reader.entries("subject/s1")]
        assert [one.header.kind for one in reader.entries("laboratory/CENTRAL")] == ["ResultsImported"] * 2
    assert kinds.count("ResultsReported") == 2


def test_numbers_that_are_not_known_here_keep_the_file_out(laboratory: Doors):
    for number in (VOID, next(candidates("s2", "BIO", "V2"))):
        wrong = TEXT + f"{number},INTLK6,5,pg/mL,\n"
        assert rules(take_in(laboratory, wrong, f"k {number}")) == {"specimens.line-unknown"}
    with laboratory.vault.reading() as reader:
        assert reader.entries("laboratory/CENTRAL") == ()


def test_nothing_of_it_is_at_the_first_door(laboratory: Doors, tmp_path: Path):
    answers = len(laboratory.answered)
    assert take_in(laboratory, TEXT, "k1").accepted
    laboratory.exchange()
    assert {len(one) for one in laboratory.answered} == {len(laboratory.answered[0])}
    assert all(b"73.31" not in one for one in laboratory.answered[answers:])
    for path in (laboratory.folder / "first").rglob("*"):
        assert not path.is_file() or b"73.31" not in path.read_bytes()


def test_the_page_looks_a_file_through_and_takes_it_in(laboratory: Doors, tmp_path_factory):
    with pages_of(second_door(laboratory.vault, tmp_path_factory.mktemp("pages"), "s" * 64)):
        from django.test import Client

        from equipoise.pages.accounts.logins import persona_account
        from equipoise.pages.accounts.models import Account, Login

        Login.objects.all().delete()
        Account.objects.all().delete()
        persona_account("lab", "Wu Ting", "吴婷", "")
        settings.VAULT = laboratory.vault
        browser = Client(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE="en")
        assert browser.post("/enter", {"user": "lab", "purpose": "LAB"}).status_code == 302
        given = {"do": "check", "laboratory": "CENTRAL"}
        looked = browser.post(
            "/values/results", {**given, "file": SimpleUploadedFile("r.csv", TEXT.encode())}
        )
        assert looked.status_code == 200
        assert "Nothing stands in the way" in looked.content.decode()
        key = re.search(r'name="key" value="([^"]+)"', looked.content.decode())[1]
        wrong = SimpleUploadedFile("r.csv", TEXT.replace("pg/mL", "ng/mL").encode())
        assert browser.post("/values/results", {**given, "file": wrong}).status_code == 422
        done = browser.post("/values/results", {**given, "do": "import", "text": TEXT, "key": key})
        assert done.status_code == 302
        assert "The file was taken in" in browser.get(done["Location"]).content.decode()

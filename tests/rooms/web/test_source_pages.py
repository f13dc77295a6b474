"""Scans over the whole way: posted on a page, judged, sealed beside the store, handed out, verified, archived, erased.

Sources: the requirement's bad input (a 30 MB scan, a virus test string in a file name); ICH E6(R3) 4.2 (source records).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from equipoise.desk.archive import export_archive
from equipoise.desk.source_files import check_files
from equipoise.ledger.files import files_of
from rooms.capture.test_attachments import TEST_STRING, WHOLE
from rooms.web.test_infusion_pages import enter
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


@pytest.fixture
def site(pages, story: Story) -> Story:
    from equipoise.pages.accounts.models import Account, Login

    Login.objects.all().delete()
    Account.objects.all().delete()
    settings.DESK = story.desk
    story.number = story.screen("An Example")  # type: ignore[attr-defined]  # carried along for the tests of this file
    return story


def page(site: Story, form: str = "STROKE", visit: str = "V1") -> str:
    return f"/subjects/{site.number}/sources/{visit}/{form}/1"


def post(
    browser, address: str, data: bytes = WHOLE["PDF"], name: str = "discharge letter.pdf", key: str = "k1"
):
    file = SimpleUploadedFile(name, data)
    file.name = name  # as it came: the class cuts what looks like a path
    return browser.post(address, {"key": key, "do": "attach", "file": file})


def sealed_files(site: Story) -> list[Path]:
    folder = files_of(site.desk.ledger.places.store.parent)
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_scan_is_attached_seen_on_the_form_and_handed_out_as_it_was(site):
    browser = enter("crc", "coordinator")
    assert post(browser, page(site)).status_code == 302
    shown = browser.get(page(site)).content.decode()
    assert "discharge letter.pdf" in shown
    assert "Scans (1)" in browser.get(f"/subjects/{site.number}/forms/V1/STROKE").content.decode()
    (kept,) = sealed_files(site)
    address = page(site) + "/" + kept.name[:24]
    answer = browser.get(address)
    assert answer.content == WHOLE["PDF"]
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == "attachment; filename*=UTF-8''discharge%20letter.pdf"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store"
    assert WHOLE["PDF"] not in kept.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_what_is_refused_is_said_on_the_page_and_leaves_nothing(site):
    browser = enter("crc", "coordinator")
    for data, name, says in (
        (b"<html>", "scan.pdf", "none of PDF, PNG, JPEG, TIFF"),
        (WHOLE["PDF"], TEST_STRING + ".pdf", "virus test string"),
        (WHOLE["PDF"][:-6] + TEST_STRING.encode() + b"%%EOF\n", "a.pdf", "virus test string"),
        (b"", "a.pdf", "empty"),
        (WHOLE["PNG"][:20], "a.png", "not whole"),
        (b"%PDF-1.7" + b"0" * 45_000_000 + b"%%EOF", "a.pdf", "at most 40 MB"),
        (b"%PDF-1.7" + b"0" * 70_000_000 + b"%%EOF", "a.pdf", "at most 40 MB"),
    ):
        answer = post(browser, page(site), data, name)
        assert answer.status_code == 422, name
        assert says in answer.content.decode()
    assert browser.post(page(site), {"do": "attach"}).status_code == 422
    assert sealed_files(site) == []


def test_a_scan_of_thirty_megabytes_is_taken(site):
    scan = b"%PDF-1.7\n" + os.urandom(30_000_000 - 15) + b"%%EOF\n"
    browser = enter("crc", "coordinator")
    assert post(browser, page(site), scan).status_code == 302
    (kept,) = sealed_files(site)
    assert browser.get(f"{page(site)}/{kept.name[:24]}").content == scan


def test_a_double_click_attaches_once_and_the_same_file_again_is_named(site):
    browser = enter("crc", "coordinator")
    assert [post(browser, page(site)).status_code for _ in range(2)] == [302, 422]
    assert "attached already" in post(browser, page(site), key="k2").content.decode()
    assert len(sealed_files(site)) == 1


def test_it_is_taken_back_with_a_reason_and_stays(site):
    browser = enter("crc", "coordinator", "zh")
    browser.post("/language", {"language": "zh"})
    post(browser, page(site))
    (kept,) = sealed_files(site)
    given = {"do": "withdraw", "source": kept.name[:24], "key": "w"}
    assert browser.post(page(site), {**given, "reason": ""}).status_code == 422
    assert browser.post(page(site), {**given, "reason": "属于他人"}).status_code == 302
    shown = browser.get(page(site)).content.decode()
    assert "已撤回" in shown
    assert "属于他人" in shown


def test_who_does_not_see_the_form_sees_no_scan_of_it(site):
    coordinator, rater = enter("crc", "coordinator"), enter("rater", "rater")
    hidden = page(site, "DOSREL", "V2")  # what happens around a dose is hidden from who rates
    assert post(coordinator, hidden).status_code == 302
    (kept,) = sealed_files(site)
    for address in (hidden, f"{hidden}/{kept.name[:24]}"):
        assert coordinator.get(address).status_code == 200
        assert rater.get(address).status_code == 404
    assert post(rater, hidden, key="r").status_code == 404
    assert post(enter("cra", "monitor"), page(site), key="m").status_code == 403


def test_a_scan_that_is_gone_or_altered_is_found_and_not_handed_out(site):
    browser = enter("crc", "coordinator")
    post(browser, page(site))
    (kept,) = sealed_files(site)
    store = site.desk.ledger.places.store.parent
    assert (check_files(store).named, check_files(store).problems) == (1, ())
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert [one.rule for one in check_files(store).problems] == ["attachments.altered", "attachments.lost"]
    assert browser.get(f"{page(site)}/{kept.name[:24]}").status_code == 503
    kept.unlink()
    assert [one.rule for one in check_files(store).problems] == ["attachments.lost"]


def test_an_archive_brings_the_scans_and_their_loss_is_seen(site, tmp_path):
    post(enter("crc", "coordinator"), page(site))
    store = site.desk.ledger.places.store.parent
    written = export_archive(store, tmp_path / "archive")
    assert isinstance(written, tuple)
    scan = next(path for path, _ in written if path.parent.name == "files")
    assert scan.read_bytes() == WHOLE["PDF"]
    assert check_files(tmp_path / "archive").problems == ()
    scan.unlink()
    assert [one.rule for one in check_files(tmp_path / "archive").problems] == ["attachments.lost"]


def test_when_the_key_is_destroyed_the_scan_is_gone_and_the_rest_stands(site, tmp_path):
    browser = enter("crc", "coordinator")
    post(browser, page(site))
    subject = site.subject(site.number)
    site.desk.ledger.keys.destroy(f"subject/{subject}", ("aside",))
    store = site.desk.ledger.places.store.parent
    written = export_archive(store, tmp_path / "archive")
    assert [path.name for path, _ in written] == ["entries.jsonl"]


@pytest.mark.parametrize(("ends", "says"), [(0, None), (1, "scanner found something"), (2, "gave no answer")])
def test_the_operators_own_scanner_is_asked_before_anything_is_kept(site, monkeypatch, ends, says):
    script = f"import sys; sys.stdin.buffer.read(); sys.exit({ends})"
    monkeypatch.setenv("EQUIPOISE_SCANNER", f"{sys.executable} -c '{script}'")
    answer = post(enter("crc", "coordinator"), page(site))
    assert answer.status_code == (302 if says is None else 422)
    assert says is None or says in answer.content.decode()
    assert len(sealed_files(site)) == (1 if says is None else 0)


def test_a_scanner_that_is_not_there_lets_nothing_through(site, monkeypatch):
    monkeypatch.setenv("EQUIPOISE_SCANNER", "/nowhere/scanner -")
    assert post(enter("crc", "coordinator"), page(site)).status_code == 422
    assert sealed_files(site) == []


def test_the_terminal_says_that_a_scan_is_gone(site, capsys):
    from equipoise.cli.main import main

    post(enter("crc", "coordinator"), page(site))
    store = site.desk.ledger.places.store.parent
    assert main(["ledger", "verify", str(store), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == 1
    sealed_files(site)[0].unlink()
    assert main(["ledger", "verify", str(store), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False

"""The pages of bench and stock over a real second door: what a pharmacist sees, scans and is stopped by.

Source of the rules: ux notes 1.16 (a wrong kit is a full-screen stop, in words), the issue (scanners act as keyboards).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from doors import pages_of
from equipoise.vault.bench.scan import unit_payload
from equipoise.vault.stock import commands as stock
from equipoise.vault.web.settings import second_door
from rooms.vault.test_bench_doors import COLD, EXPIRY, LOTS, Bench
from rooms.vault.two_doors import Doors

REQUEST = "abcdefgh23456789"


@pytest.fixture
def pharmacy(doors: Doors) -> Bench:
    made = Bench(doors)
    made.supply()
    made.ask("subject1", REQUEST)
    return made


@pytest.fixture
def anybody(pharmacy: Bench, tmp_path: Path) -> Iterator[object]:
    with pages_of(second_door(pharmacy.vault, tmp_path, "s" * 64)):
        from django.test import Client

        from equipoise.pages.accounts.logins import persona_account
        from equipoise.pages.accounts.models import Account, Login

        Login.objects.all().delete()
        Account.objects.all().delete()
        for actor, name in (("phar", "Shen Jia"), ("chk", "Bai Lu")):
            persona_account(actor, name, "", "")
        settings.VAULT = pharmacy.vault
        yield Client(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE="en")


@pytest.fixture
def client(anybody):
    assert anybody.post("/enter", {"user": "phar", "purpose": "BENCH"}).status_code == 302
    return anybody


def lot_for(pharmacy: Bench) -> tuple[str, str]:
    """The lot of the request's product, and the other one."""
    mine = next(name for name, each in LOTS.items() if each == pharmacy.product(REQUEST))
    return mine, next(name for name in LOTS if name != mine)


def post(client, what: str, status: int = 302, **fields: str):
    answer = client.post(f"/bench/{REQUEST}/{what}", fields)
    assert answer.status_code == status, answer.text
    return answer


def until_taken(client, pharmacy: Bench) -> None:
    post(client, "open")
    post(client, "do", step="open-request", second="chk")
    post(client, "take", scanned=unit_payload(lot_for(pharmacy)[0], "01", EXPIRY))


def test_the_work_list_names_hour_participant_and_state(client):
    page = client.get("/bench").text
    assert "S-subject1" in page
    assert "Not begun" in page
    assert "Infusion 1" in page
    assert f"/bench/{REQUEST}" in page


def test_the_product_is_sealed_until_the_work_begins(client, pharmacy):
    label = "hUC-MSC in carrier fluid" if pharmacy.product(REQUEST) == "hUC-MSC" else "Carrier fluid without"
    assert label not in client.get(f"/bench/{REQUEST}").text
    post(client, "open")
    assert label in client.get(f"/bench/{REQUEST}").text


def test_the_scan_field_has_the_focus_and_a_wrong_scan_stops_everything_in_words(client, pharmacy):
    post(client, "open")
    post(client, "do", step="open-request", second="chk")
    page = client.get(f"/bench/{REQUEST}").text
    assert re.search(r'<input class="input scan" id="scan" name="scanned" autofocus', page)
    wrong = post(client, "take", 422, scanned=unit_payload(lot_for(pharmacy)[1], "01", EXPIRY))
    assert "STOP" in wrong.text
    assert "is not the product of this request" in wrong.text
    assert 'role="alert"' in wrong.text
    assert "stop-page" in wrong.text
    assert pharmacy.state(REQUEST).preparation.current.unit == ""


def test_the_whole_course_from_the_keyboard(client, pharmacy):
    until_taken(client, pharmacy)
    clock = pharmacy.doors.clock
    clock.at += dt.timedelta(minutes=11)
    post(client, "do", step="thaw")
    post(client, "do", step="dilute")
    clock.at += dt.timedelta(minutes=11)
    cells = pharmacy.product(REQUEST) == "hUC-MSC"
    post(client, "viability", percent="91" if cells else "")
    # 62.5 kg x 1e6 = 6.25e7; at 2e7 per mL and 91 % (cells) or the certificate's 92 % (matched fluid): 3.4 mL each
    assert "Take 3.4 mL of the unit and 96.6 mL of carrier." in client.get(f"/bench/{REQUEST}").text
    post(client, "fill")
    bag = pharmacy.state(REQUEST).preparation.current.bag
    post(client, "do", step="mask", second="chk")
    post(client, "do", step="label", second="chk")
    half = post(client, "verify", 200, scanned_bag=bag)  # the scanner's Enter after the first of two scans
    assert f'value="{bag}"' in half.text
    assert re.search(r'name="scanned_request" value="" autofocus', half.text)
    stopped = post(client, "verify", 422, scanned_bag="000000" if bag != "000000" else "000001")
    assert "This is another bag" in stopped.text
    post(client, "verify", scanned_bag=bag, scanned_request=f"EQ.REQ.{REQUEST}", second="chk")
    assert "waits for its hour" in client.get(f"/bench/{REQUEST}").text
    clock.at += dt.timedelta(hours=1)
    pharmacy.vault.tick()
    assert "Handed over" in client.get("/bench").text
    assert "mL" in client.get(f"/bench/{REQUEST}").text
    post(client, "receive", bag=bag, remaining="0")
    post(client, "destroy", bag=bag, reason="end of use", second="chk")
    assert pharmacy.state(REQUEST).stock.bags[bag].state == "DESTROYED"


def test_nobody_is_their_own_second_person(client):
    post(client, "open")
    answer = post(client, "do", 422, step="open-request", second="phar")
    assert "Two persons are two" in answer.text
    assert "Shen Jia</option>" not in client.get(f"/bench/{REQUEST}").text


def test_in_a_trial_the_second_person_needs_a_password(client, monkeypatch):
    from equipoise.pages.accounts.models import Account

    account = Account(username="bai", actor="chk", name="Bai Lu", role="")
    account.set_password("a long enough one")
    account.save()
    post(client, "open")
    monkeypatch.setattr("equipoise.vault.web.second_person.rehearsal", lambda: False)
    for given in ({"second": "chk"}, {"second_name": "bai", "second_password": "xq-not-it-9"}):
        answer = post(client, "do", 422, step="open-request", **given)
        assert "password" in answer.text.split('id="problems"')[1]
        assert "xq-not-it-9" not in answer.text  # the password is not shown again
    post(client, "do", step="open-request", second_name="bai", second_password="a long enough one")


def test_a_failure_is_recorded_and_a_replacement_begun(client, pharmacy):
    until_taken(client, pharmacy)
    post(client, "fail", because="SPILLED", again="yes")
    page = client.get(f"/bench/{REQUEST}").text
    assert "Prepare a replacement" in page
    assert "Spilled" in page
    post(client, "open")
    assert len(pharmacy.state(REQUEST).preparation.attempts) == 2


def test_stock_pages(client, pharmacy):
    index = client.get("/stock").text
    assert all(lot in index for lot in LOTS)
    assert "S1" in index
    certificate = SimpleUploadedFile("c.pdf", b"certificate")
    fields = {
        "lot": "LOT-C", "product": "hUC-MSC", "units": "01-03", "expiry": "2027-06-30", "passage": "P5", "count": "2e7",
        "volume": "8", "viability": "92", "sterility": "PASS", "identity": "PASS", "certificate": certificate,
    }  # fmt: skip
    assert client.post("/stock/receive-lot", fields).status_code == 302
    page = client.get("/stock/lots/LOT-C").text
    assert "In quarantine" in page
    refused = client.post("/stock/lots/LOT-C/release", {})
    assert "Whoever received a lot does not release it" in refused.text
    log = SimpleUploadedFile("log.csv", (COLD + "2026-05-30T09:00:00Z,-100\n").encode())
    sent = {"shipment": "S9", "site": "01", "units-LOT-C": "01, 02", "log": log}
    assert client.post("/stock/receive-shipment", sent).status_code == 302
    assert "Waits for a decision" in client.get("/stock/shipments/S9").text
    assert client.post("/stock/shipments/S9/destroy", {"reason": "too warm"}).status_code == 302
    assert client.post("/stock/lots/LOT-C/count", {"site": "01", "units": "01"}).status_code == 302
    assert "missing" in client.get("/stock/lots/LOT-C").text
    destroyed = {"site": "01", "units": "01", "reason": "too warm", "second": "chk"}
    assert client.post("/stock/lots/LOT-C/destroy", destroyed).status_code == 302
    accounts = client.get("/stock/accountability").text
    assert "Units destroyed" in accounts
    assert "Shen Jia + Bai Lu" in accounts


def test_a_recalled_lot_lists_who_got_it(client, pharmacy):
    until_taken(client, pharmacy)
    lot = lot_for(pharmacy)[0]
    assert client.post(f"/stock/lots/{lot}/recall", {"reason": "contamination"}).status_code == 302
    page = client.get(f"/stock/lots/{lot}").text
    assert "Recalled" in page
    assert "S-subject1" in page
    stopped = client.get(f"/bench/{REQUEST}")
    assert stopped.status_code == 200
    answer = post(client, "do", 422, step="thaw")
    assert "was recalled" in answer.text


def test_every_page_is_complete_in_chinese(client, pharmacy):
    until_taken(client, pharmacy)
    client.post("/language", {"language": "zh"})
    for address in ("/bench", f"/bench/{REQUEST}", "/stock", "/stock/lots/LOT-A", "/stock/receive-lot",
                    "/stock/receive-shipment", "/stock/shipments/S1", "/stock/accountability"):  # fmt: skip
        page = client.get(address)
        assert page.status_code == 200, address
        assert "vault_bench." not in page.text, address
        assert "vault_stock." not in page.text, address
        assert 'lang="zh-Hans"' in page.text


def test_pages_are_of_the_pharmacy_alone(anybody, pharmacy):
    for address in ("/bench", f"/bench/{REQUEST}", "/stock", "/stock/accountability"):
        assert anybody.get(address).status_code == 302  # to sign in
    pharmacy.doors.enrol("lab", "LAB")
    from equipoise.pages.accounts.logins import persona_account

    persona_account("lab", "Lab", "", "")
    anybody.post("/enter", {"user": "lab", "purpose": "LAB"})
    for address in ("/bench", f"/bench/{REQUEST}", "/stock", "/stock/accountability", "/stock/lots/LOT-A"):
        assert anybody.get(address).status_code == 404


def test_a_checker_decides_on_lots_and_prepares_nothing(anybody, pharmacy):
    pharmacy.must(
        stock.ReceiveLot("LOT-C", "carrier", ("1",), "2027-06-30", "0" * 64, "P5", "2e7", "8", "92", "PASS", "PASS")
    )  # fmt: skip
    anybody.post("/enter", {"user": "chk", "purpose": "CHECK"})
    assert anybody.post("/stock/lots/LOT-C/release", {}).status_code == 302
    assert anybody.get(f"/bench/{REQUEST}").status_code == 200
    assert anybody.post(f"/bench/{REQUEST}/open", {}).status_code == 404


def test_a_pharmacist_of_another_site_sees_no_request_and_no_participant(anybody, pharmacy):
    """Opening a slot tells an arm: who works at site 02 learns none of site 01."""
    from equipoise.access.commands import SYSTEM, GrantRole
    from equipoise.pages.accounts.logins import persona_account

    until_used = pharmacy.prepare(REQUEST, "01")
    lot = lot_for(pharmacy)[0]
    assert pharmacy.doors.desk.submit(SYSTEM, GrantRole("far", "pharmacist", "02"), key="far").accepted
    pharmacy.doors.exchange()
    assert pharmacy.doors.enrol("far", "BENCH").accepted
    persona_account("far", "Far Away", "", "")
    assert anybody.post("/enter", {"user": "far", "purpose": "BENCH"}).status_code == 302
    assert "S-subject1" not in anybody.get("/bench").text
    assert anybody.get(f"/bench/{REQUEST}").status_code == 404
    assert anybody.post(f"/bench/{REQUEST}/open", {}).status_code == 404
    for address in (f"/stock/lots/{lot}", "/stock/accountability"):
        page = anybody.get(address).text
        assert "S-subject1" not in page
        assert until_used not in page
    assert "and 1 at other sites" in anybody.get(f"/stock/lots/{lot}").text


def test_labels_slips_and_values_of_another_site_are_not_there(anybody, pharmacy):
    """Values tell an arm (a cell count, a viability): who works at site 02 reads and enters none of site 01."""
    from equipoise.access.commands import SYSTEM, GrantRole
    from equipoise.pages.accounts.logins import persona_account
    from equipoise.vault.values import RecordValues

    bag = pharmacy.prepare(REQUEST, "01")
    # A role that sees no arm is for the whole study: it does not widen what the pharmacist of one site sees.
    for key, role, site in (("far", "pharmacist", "02"), ("adm", "administrator", None)):
        assert pharmacy.doors.desk.submit(SYSTEM, GrantRole("far", role, site), key=key).accepted
    pharmacy.doors.exchange()
    assert pharmacy.doors.enrol("far", "BENCH").accepted
    persona_account("far", "Far Away", "", "")
    addresses = (f"/print/label/{bag}.pdf", f"/print/request/{REQUEST}.pdf", "/values/S-subject1")
    assert anybody.post("/enter", {"user": "phar", "purpose": "BENCH"}).status_code == 302
    assert [anybody.get(address).status_code for address in addresses] == [200, 200, 200]
    assert "S-subject1" in anybody.get("/values").text
    assert anybody.post("/enter", {"user": "far", "purpose": "BENCH"}).status_code == 302
    assert [anybody.get(address).status_code for address in addresses] == [404, 404, 404]
    assert "S-subject1" not in anybody.get("/values").text + anybody.get("/bench").text
    assert anybody.post("/values/S-subject1/query", {"query": "q", "text": "t"}).status_code == 404
    keeper = pharmacy.vault.who("far", "BENCH")
    assert keeper is not None
    refused = pharmacy.vault.submit(keeper, RecordValues("subject1", "V1", "X", 1, {}, 0), key="values")
    assert [one.rule for one in refused.problems] == ["vault.values-subject-unknown"]


def test_a_code_that_the_keeper_handed_over_is_no_second_person(client, monkeypatch):
    """Who enrols somebody knows the code until it is replaced: it opens the page that replaces it, and nothing else."""
    from equipoise.pages.accounts.models import Account
    from equipoise.vault.web.purposes import INVITED

    account = Account(username="bai", actor="chk", name="Bai Lu", role=INVITED)
    account.set_password("the code of the keeper")
    account.save()
    post(client, "open")
    monkeypatch.setattr("equipoise.vault.web.second_person.rehearsal", lambda: False)
    given = {"second_name": "bai", "second_password": "the code of the keeper"}
    assert "password" in post(client, "do", 422, step="open-request", **given).text.split('id="problems"')[1]

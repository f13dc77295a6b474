"""Documents from the pharmacy's pages: a label tells nothing of its bag, the log is the record's, others find nothing.

Source of the rules: DESIGN 5 (pharmacy: the same shape for both arms), the issue (GS1/QR labels as PDF, log as PDF).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from doors import pages_of
from equipoise.documents.label import BagLabel, RequestSlip
from equipoise.vault.bench.scan import read_scan
from equipoise.vault.prints import accountability_document, label_document, slip_document
from equipoise.vault.web.settings import second_door
from rooms.vault.test_bench_doors import Bench
from rooms.vault.two_doors import Doors

REQUESTS = {"subject1": "abcdefgh23456789", "subject2": "abcdefgh2345678a"}


@pytest.fixture
def pharmacy(doors: Doors) -> Bench:
    """Two participants, whose products differ with these seeds or not: a label must not show which."""
    made = Bench(doors)
    made.supply()
    for subject, request in REQUESTS.items():
        made.ask(subject, request, minutes=600)
    return made


@pytest.fixture
def labels(monkeypatch) -> list[BagLabel | RequestSlip]:
    """What was drawn."""
    found: list[BagLabel | RequestSlip] = []

    def look(drawn, issue):
        found.extend(drawn)
        return b"%PDF"

    monkeypatch.setattr("equipoise.vault.prints.labels_pdf", look)
    return found


def test_a_label_has_number_use_by_and_participant_and_its_scan_reads_as_the_bag(
    pharmacy: Bench, labels
) -> None:
    bag = pharmacy.prepare(REQUESTS["subject1"], "01")
    use_by = pharmacy.state(REQUESTS["subject1"]).preparation.current.use_by
    assert label_document(pharmacy.vault, [bag]) == b"%PDF"
    (label,) = labels
    assert (label.bag, label.subject) == (bag, "S-subject1")
    assert label.dose is not None
    assert label.use_by.endswith("+08:00")  # site 01 is in Shanghai
    assert use_by  # the door keeps it in UTC
    scan = read_scan(label.bag)
    assert (scan.what, scan.code) == ("bag", bag)


def test_a_slip_is_read_as_its_request(pharmacy: Bench, labels) -> None:
    assert slip_document(pharmacy.vault, REQUESTS["subject2"]) == b"%PDF"
    (slip,) = labels
    scan = read_scan(slip.code)
    assert (scan.what, scan.code) == ("request", REQUESTS["subject2"])
    assert slip.subject == "S-subject2"


def test_nothing_on_a_label_or_slip_names_product_lot_or_unit(pharmacy: Bench, labels) -> None:
    for count, request in enumerate(REQUESTS.values(), 1):
        bag = pharmacy.prepare(
            request, f"{count:02d}"
        )  # a unit each, whether or not the products are the same
        label_document(pharmacy.vault, [bag])
        slip_document(pharmacy.vault, request)
    said = " ".join(str(label) for label in labels)
    study = pharmacy.doors.study
    telling = [each.id for each in study.supply.products] + [each.label.en for each in study.supply.products]
    assert not [word for word in (*telling, "LOT-A", "LOT-B") if word in said]


def test_the_log_names_what_was_done_with_every_unit(pharmacy: Bench, monkeypatch) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(
        "equipoise.vault.prints.accountability_pdf", lambda *given: (drawn.append(given), b"%PDF")[1]
    )
    pharmacy.prepare(REQUESTS["subject1"], "01")
    assert accountability_document(pharmacy.vault, "01", {"phar": "Shen Jia"}) == b"%PDF"
    ((place, lines, held, issue),) = drawn
    assert place.startswith("01 ")
    assert issue.rehearsal
    assert {line.by for line in lines} == {"Shen Jia", "chk"}
    assert any(line.subject == "S-subject1" and line.units for line in lines)
    assert all(balance.adds_up for balance in held)
    assert sum(balance.used for balance in held) == 1


@pytest.fixture
def client(pharmacy: Bench, tmp_path: Path) -> Iterator[object]:
    with pages_of(second_door(pharmacy.vault, tmp_path, "s" * 64)):
        from django.test import Client

        from equipoise.pages.accounts.logins import persona_account
        from equipoise.pages.accounts.models import Account, Login

        Login.objects.all().delete()
        Account.objects.all().delete()
        for actor in ("phar", "inv"):
            persona_account(actor, actor, "", "")
        assert pharmacy.doors.enrol("inv", "BREAK").accepted
        settings.VAULT = pharmacy.vault
        yield Client(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE="en")


def addresses(pharmacy: Bench) -> list[str]:
    bag = pharmacy.prepare(REQUESTS["subject1"], "01")
    request = REQUESTS["subject1"]
    return ["/print/accountability.pdf", f"/print/label/{bag}.pdf", f"/print/request/{request}.pdf"]


def test_the_pharmacy_gets_documents_that_no_browser_keeps(client, pharmacy: Bench) -> None:
    client.post("/enter", {"user": "phar", "purpose": "BENCH"})
    for address in addresses(pharmacy):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert answer.headers["Content-Type"] == "application/pdf"
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.content.startswith(b"%PDF-1.7")


def test_for_another_purpose_there_is_no_document(client, pharmacy: Bench) -> None:
    wanted = addresses(pharmacy)
    client.post("/enter", {"user": "inv", "purpose": "BREAK"})
    assert [client.get(address).status_code for address in wanted] == [404, 404, 404]


def test_what_is_not_there_has_no_document(client) -> None:
    client.post("/enter", {"user": "phar", "purpose": "BENCH"})
    missing = ["/print/accountability.pdf?site=77", "/print/label/999999.pdf", "/print/request/nothing.pdf"]
    assert [client.get(address).status_code for address in missing] == [404, 404, 404]

"""Printing behind the second door: cards that open as the list says, written down before they are made; the rest."""

from __future__ import annotations

import json
import random
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from equipoise.documents import card as drawn
from equipoise.ledger.vault_entries import CardsPrinted
from equipoise.randomization.public import NAME, read_public
from equipoise.vault import open_card as opener
from equipoise.vault.prints import (
    accountability_document,
    cards_document,
    certificate_document,
    drill_card,
    issue,
    label_document,
    local,
    slip_document,
)
from equipoise.vault.stock.commands import ReceiveLot
from rooms.vault.two_doors import PASSPHRASE, Doors


def numbers_of(doors: Doors, count: int) -> list[str]:
    with doors.vault.reading() as reader:
        published = doors.vault.known(reader).told.published
    assert published is not None
    return [slot.number for slots in published.slots.values() for slot in slots][:count]


@pytest.fixture
def told(doors: Doors) -> Doors:
    doors.exchange()
    return doors


@pytest.fixture
def seen(monkeypatch) -> list[drawn.EmergencyCard]:
    """The cards that were drawn."""
    found: list[drawn.EmergencyCard] = []
    real = drawn.cards_pdf

    def look(cards, arms, label):
        found.extend(cards)
        return real(cards, arms, label)

    monkeypatch.setattr("equipoise.vault.prints.cards_pdf", look)
    return found


def test_a_card_opens_to_the_arm_and_nonce_of_its_slot(told: Doors, seen) -> None:
    wanted = numbers_of(told, 4)
    made = cards_document(told.vault, wanted, None)
    assert isinstance(made, bytes)
    assert [card.number for card in seen] == wanted
    public = (
        json.loads((told.folder / "public" / NAME).read_bytes())
        if (told.folder / "public").exists()
        else None
    )
    with told.vault.reading() as reader:
        known = told.vault.known(reader)
    book = told.vault.book
    assert book is not None
    for card in seen:
        opened = opener.open_card(opener.read_text(card.text), card.code)
        content = book.open(card.number, known.told.published, known.root)
        assert (opened.arm, opened.nonce) == (content.arm + 1, content.nonce)
        if public is not None:
            assert opener.agrees(opened, card.number, public)


def test_a_print_is_written_down_without_a_code_and_a_second_needs_a_reason(told: Doors, seen) -> None:
    wanted = numbers_of(told, 2)
    assert isinstance(cards_document(told.vault, wanted, None), bytes)
    again = cards_document(told.vault, wanted[:1], None)
    assert isinstance(again, tuple)
    assert [problem.rule for problem in again] == ["vault.card-printed-before"]
    assert isinstance(cards_document(told.vault, wanted[:1], None, reason="the first was torn"), bytes)
    with told.vault.reading() as reader:
        entries = [one.entry for one in reader.entries("cards")]
    assert entries == [CardsPrinted(tuple(wanted)), CardsPrinted((wanted[0],), "the first was torn")]
    codes = {card.code for card in seen}
    stored = b"".join(path.read_bytes() for path in (told.folder / "vault").rglob("*") if path.is_file())
    assert not any(code.encode() in stored for code in codes)


def test_cards_are_as_long_and_take_as_much_chance_whatever_they_hold(told: Doors) -> None:
    """Every number of the list in its turn, whichever arm it has: one length, the same draws."""
    lengths, draws = set(), set()
    for number in numbers_of(told, 8):
        taken: list[int] = []
        source = random.Random(number)
        made = cards_document(
            told.vault, [number], None,
            entropy=lambda count, taken=taken, source=source: (taken.append(count), source.randbytes(count))[1],
        )  # fmt: skip
        assert isinstance(made, bytes)
        lengths.add(len(made))
        draws.add(tuple(taken))
    assert len(lengths) == len(draws) == 1


def test_the_drill_card_is_of_nobody_and_opens_like_any_other(told: Doors, seen) -> None:
    assert len(drill_card(told.vault)) == drawn.FIRST + drawn.EACH
    (card,) = seen
    opened = opener.open_card(opener.read_text(card.text), card.code)
    assert card.number == "DRILL"
    assert opened.names is not None
    assert "drill" in opened.names[0]
    with told.vault.reading() as reader:
        assert reader.head("cards").seq == 0


def test_a_number_of_another_list_has_no_card(told: Doors) -> None:
    refused = cards_document(told.vault, ["R0"], None)
    assert isinstance(refused, tuple)
    assert refused[0].rule == "vault.slot-unknown"


def test_before_a_list_is_published_there_is_no_card(doors: Doors) -> None:
    refused = cards_document(doors.vault, [], None)
    assert isinstance(refused, tuple)
    assert refused[0].rule == "vault.list-missing"


def test_the_log_of_the_pharmacy_is_printed_from_its_record(told: Doors) -> None:
    assert told.enrol("phar", "BENCH").accepted
    keeper = told.vault.who("phar", "BENCH")
    assert keeper is not None
    lot = ReceiveLot(
        "LOT-A",
        told.study.supply.products[0].id,
        ("01", "02"),
        "2027-06-30",
        "ab" * 32,
        "P5",
        "2e7",
        "8",
        "92",
        "PASS",
        "PASS",
    )
    answer = told.vault.submit(keeper, lot, key="lot")
    assert answer.accepted, [problem.say() for problem in answer.problems]
    made = accountability_document(told.vault, "01", {"phar": "Shen Jia"})
    assert isinstance(made, bytes)
    unknown = accountability_document(told.vault, "77", {})
    assert not isinstance(unknown, bytes)
    assert unknown.rule == "vault.site-unknown"


def test_what_is_not_there_has_no_label(told: Doors) -> None:
    for found in (label_document(told.vault, ["000000"]), slip_document(told.vault, "nothing")):
        assert not isinstance(found, bytes)


def test_a_rehearsal_never_bears_the_registry_number(told: Doors) -> None:
    assert issue(told.study, "rehearsal", told.clock()).study == told.study.demo_id
    assert issue(told.study, "rehearsal", told.clock()).rehearsal
    assert not issue(told.study, "trial", told.clock()).rehearsal


@pytest.mark.parametrize(
    ("moment", "zone", "said"),
    [
        ("2026-08-14T02:30:00Z", "Asia/Shanghai", "2026-08-14 10:30 +08:00"),  # UTC+8, no summer time
        ("2026-08-14T23:59:59.999999Z", "UTC", "2026-08-14 23:59 +00:00"),
        ("no moment", "UTC", "no moment"),
    ],
)
def test_moments_are_printed_in_the_sites_own_time(moment, zone, said):
    assert local(moment, zone) == said


def printing(doors: Doors, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The printing process over a vault that nobody serves."""
    secret = doors.folder / "passphrase"
    secret.write_text(PASSPHRASE, "utf-8")
    command = [sys.executable, "-m", "equipoise.vault.printing", *arguments, "--passphrase-file", str(secret)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_process_prints_cards_and_says_no_code(told: Doors) -> None:
    number = numbers_of(told, 1)[0]
    told.vault.close()
    out = told.folder / "cards.pdf"
    done = printing(told, "cards", str(told.folder / "vault"), "--number", number, "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"bytes": out.stat().st_size, "file": str(out)}
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert out.read_bytes().startswith(b"%PDF-1.7")
    assert (told.folder / "open_card.py").read_bytes() == Path(opener.__file__).read_bytes()
    assert not re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}", done.stdout + done.stderr)
    again = printing(
        told, "cards", str(told.folder / "vault"), "--number", number, "--out", str(out), "--language", "zh"
    )
    assert again.returncode == 1
    assert "已存在" in again.stderr
    told.reopen_vault()


def test_the_program_prints_from_its_own_command_line(told: Doors) -> None:
    told.vault.close()
    secret, out = told.folder / "passphrase", told.folder / "log.pdf"
    secret.write_text(PASSPHRASE, "utf-8")
    place, vault = [sys.executable, "-m", "equipoise.cli.main"], str(told.folder / "vault")
    wanted = ["vault", "print", "accountability", vault, "--site", "01", "--out", str(out)]
    done = subprocess.run(
        [*place, *wanted, "--passphrase-file", str(secret)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert out.read_bytes().startswith(b"%PDF-1.7")
    told.reopen_vault()


def test_the_certificate_is_made_of_the_public_list(doors: Doors, made_doors: Path) -> None:
    public = read_public(made_doors / "public")
    made = certificate_document(doors.study, public, issue(doors.study, "rehearsal", doors.clock()))
    assert made.startswith(b"%PDF-1.7")

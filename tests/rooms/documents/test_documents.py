"""Documents: the same bytes for the same values, no word more than was given, the same length whatever they hide."""

from __future__ import annotations

import dataclasses
import getpass
import hashlib
import json
import platform
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.documents import typeset
from equipoise.documents.accountability import ACTS, accountability_pdf
from equipoise.documents.card import EACH, FIRST, cards_pdf, padded
from equipoise.documents.certificate import certificate_pdf
from equipoise.documents.code_break import BreakReport, CodeBreak, code_break_pdf
from equipoise.documents.label import BagLabel, labels_pdf
from equipoise.documents.sheet import Fact, Sheet, Table, grouped, sheet_pdf
from equipoise.documents.squares import drawing
from equipoise.words.text import Text
from house.house_files import ROOT
from rooms.documents.specimens import ALL, ARMS, BALANCES, BREAK, ISSUE, LINES, card, certificate, report

INFO = re.compile(rb"/(Title|Author|Creator|Producer|Subject|Keywords|CreationDate|ModDate)\s*\(([^)]*)\)")
MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|D:\d{14}")


def pages(document: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", document))


def inside(document: bytes) -> Iterator[bytes]:
    """The file as it lies there, and every packed stream of it unpacked."""
    yield document
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", document, re.S):
        try:
            yield zlib.decompress(packed)
        except zlib.error:
            yield packed


@pytest.fixture
def handed(monkeypatch) -> Iterator[list[dict]]:
    """What was handed to the typesetter, as it reads it."""
    found: list[dict] = []
    real = typst.compile

    def look(*places, **names):
        found.append(json.loads(names["sys_inputs"]["data"]))
        return real(*places, **names)

    monkeypatch.setattr(typst, "compile", look)
    return found


def texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from texts(one)
        case list():
            for one in value:
                yield from texts(one)


@pytest.mark.parametrize("name", ALL)
def test_another_process_sets_the_same_bytes(name):
    program = f"import sys, hashlib; sys.path[:0] = {[str(ROOT / 'src'), str(ROOT / 'tests')]!r}; "
    program += (
        f"from rooms.documents.specimens import ALL; print(hashlib.sha256(ALL[{name!r}]()).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd="/", timeout=60, check=True
    )
    assert other.stdout.strip() == hashlib.sha256(ALL[name]()).hexdigest()


@pytest.mark.parametrize("name", ALL)
def test_a_document_names_its_title_the_program_and_the_given_day_only(name):
    document = ALL[name]()
    info = dict(INFO.findall(document))
    assert set(info) <= {b"Title", b"Author", b"Creator", b"CreationDate", b"ModDate"}
    assert info[b"Author"] == b"Equipoise"
    assert info[b"Creator"].startswith(b"Typst ")
    day = b"20000101" if name == "undated" else b"20260814"  # UNDATED of typeset; the day of ISSUE
    moments = {
        found.replace(b"-", b"").removeprefix(b"D:")[:8]
        for part in inside(document)
        for found in MOMENT.findall(part)
    }
    assert moments == {day}


@pytest.mark.parametrize("name", ALL)
def test_a_document_holds_nothing_of_the_machine(name):
    strangers = [str(ROOT), str(typeset.TEMPLATES), "/usr/share", str(Path.home()), "/tmp/", ".typ"]
    names = [name for name in (getpass.getuser(), platform.node()) if len(name) > 4]
    for stranger in [*strangers, *names]:
        held = [part for part in inside(ALL[name]()) if stranger.encode() in part]
        assert not held, stranger


@pytest.mark.parametrize("name", ALL)
def test_a_document_is_fit_for_the_archive_and_to_be_read_aloud(name):
    document = ALL[name]()
    assert (
        b"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in document
    )  # ISO 19005-2
    assert b"<pdfuaid:part>1</pdfuaid:part>" in document  # ISO 14289-1


@settings(max_examples=8)
@given(st.lists(st.integers(0, 2**32), min_size=1, max_size=3))
def test_a_file_of_cards_is_as_long_whatever_the_cards_hold(seeds):
    document = cards_pdf([card(seed) for seed in seeds], ARMS, ISSUE)
    assert len(document) == FIRST + EACH * len(seeds)
    assert pages(document) == len(seeds)


def test_a_document_longer_than_its_place_is_not_cut():
    with pytest.raises(ValueError, match="does not fit"):
        padded(b"%PDF startxref 0", 10)


def test_a_card_carries_its_code_once_and_names_every_arm_alike(handed):
    cards_pdf([card(5)], ARMS, ISSUE)
    said = [one for one in texts(handed[0]) if card(5).code in one]
    assert said == [card(5).code]
    for arm in ARMS:
        assert sum(arm.en in one for one in texts(handed[0])) == 1
        assert sum((arm.zh or "") in one for one in texts(handed[0])) == 1


def test_the_scanner_reads_the_number_of_the_bag_and_nothing_else(handed):
    labels_pdf([BagLabel("B48213907", "2026-08-14 13:45", "01001")], ISSUE)
    assert handed[0]["labels"][0]["qr"] == drawing("B48213907")


def test_the_report_of_a_code_break_has_no_place_for_an_arm():
    named = {field.name for kind in (CodeBreak, BreakReport) for field in dataclasses.fields(kind)}
    assert not {
        name for name in named if any(word in name for word in ("arm", "product", "treatment", "group"))
    }


def test_a_participant_whose_code_nobody_opened_has_a_report_that_says_so():
    assert pages(code_break_pdf(report(), ISSUE)) == 1
    assert code_break_pdf(report(), ISSUE) != code_break_pdf(report(BREAK), ISSUE)


@settings(max_examples=25)
@given(st.text(max_size=40))
def test_what_a_person_wrote_is_printed_and_never_obeyed(words):
    """Markup, code and control characters of Typst in a value set a document as any other text does."""
    hostile = f'#panic("x") *b* $a$ = `r` @x <y> \\ // {words}'
    values = Sheet(Text("Title"), None, (Fact(Text("Fact"), hostile),))
    assert pages(sheet_pdf(values, ISSUE)) == 1


def test_without_a_chinese_font_the_english_stands_alone_and_says_why(monkeypatch, handed):
    monkeypatch.setattr(typeset, "chinese_font", lambda: None)
    document = certificate_pdf(certificate(), ISSUE)
    assert pages(document) >= 1
    assert handed[0]["heading"] == ["Certificate of the allocation list"]
    assert "fonts-noto-cjk" in handed[0]["note"][0]
    assert not re.search("[\u4e00-\u9fff]", "".join(texts(handed[0])))
    assert "Li Wei □□" in list(texts(handed[0]))


def test_every_kind_of_document_can_be_set_without_a_chinese_font(monkeypatch):
    monkeypatch.setattr(typeset, "chinese_font", lambda: None)
    for made in ALL.values():
        assert made().startswith(b"%PDF")


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60))
def test_a_drawing_has_the_squares_of_its_code(text):
    """The path, filled in again by hand, is the matrix that segno computes for the same text (ISO/IEC 18004)."""
    import segno

    matrix = [
        [bool(square) for square in row] for row in segno.make_qr(text, error="m", boost_error=False).matrix
    ]
    side = int(re.search(r'viewBox="0 0 (\d+)', drawing(text)).group(1))
    filled = [[False] * side for _ in range(side)]
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)", drawing(text)):
        for step in range(int(length)):
            filled[int(y)][int(x) + step] = True
    assert [row[4:-4] for row in filled[4:-4]] == matrix
    assert not any(any(row) for row in filled[:4] + filled[-4:])


@given(st.text("0123456789abcdef", max_size=80), st.integers(1, 9))
def test_grouping_changes_no_digit(digits, size):
    assert grouped(digits, size).replace(" ", "") == digits


def test_a_log_that_does_not_add_up_says_so(handed):
    unsettled = dataclasses.replace(BALANCES[0], used=19)
    for balances in (BALANCES, [unsettled]):
        accountability_pdf("01", LINES[:1], balances, ISSUE)
    assert "is accounted for" in handed[0]["notes"][0][0]
    assert "Not every unit" in handed[1]["notes"][0][0]


def test_every_entry_that_moves_a_product_has_words():
    """The stock's own table of what changes it (vault.stock.evolve) is the list of kinds that a log may hold."""
    from equipoise.vault.stock.evolve import _APPLY

    assert set(ACTS) == set(_APPLY)


def test_a_row_without_a_cell_is_a_fault_of_the_program():
    with pytest.raises(ValueError, match="cell"):
        Table(Text("t"), (Text("a"), Text("b")), (1, 1), (("only",),))

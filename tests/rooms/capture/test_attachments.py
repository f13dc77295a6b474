"""Scans: what a file is by its content, names that can do nothing, and what may be attached and taken back.

Sources: ISO 32000-1 7.5, RFC 2083, ITU-T T.81 and TIFF 6.0 for the first bytes; EICAR for the test string.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.capture.attachments.commands import AttachSource, WithdrawSource
from equipoise.capture.attachments.content import faults, kind_of, plain_name
from equipoise.capture.attachments.decide import decide
from equipoise.capture.attachments.evolve import START, evolve, state_from_json, state_to_json
from rooms.capture.conduct_study import KNOWN, OCCASION, folded, made_study, rules, written

STUDY = made_study()
KINDS = ("PDF", "PNG", "JPEG", "TIFF")
WHOLE = {
    "PDF": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n",
    "PNG": b"\x89PNG\r\n\x1a\n" + b"x" * 40 + b"\x00\x00\x00\x00IEND\xaeB`\x82",
    "JPEG": b"\xff\xd8\xff\xe0" + b"x" * 40 + b"\xff\xd9",
    "TIFF": b"II*\x00\x08\x00\x00\x00" + b"x" * 40,
}
TEST_STRING = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def said(name, data, largest_mb=40, kinds=KINDS):
    return {one.rule.split(".")[1] for one in faults(name, data, largest_mb=largest_mb, kinds=kinds)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_what_its_content_says_whatever_it_is_called(kind):
    assert kind_of(WHOLE[kind]) == kind
    assert said("anything.exe", WHOLE[kind]) == set()


@pytest.mark.parametrize("data", [b"<html><script>", b"PK\x03\x04", b"MZ", b"GIF89a", b" %PDF-1.7 %%EOF"])
def test_what_is_no_scan_is_refused_under_any_name(data):
    assert said("scan.pdf", data) == {"kind"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_lacks_its_end_is_named_as_cut(kind):
    assert said("scan", WHOLE[kind][:8]) == {"cut"}


def test_a_kind_that_the_study_does_not_take_is_refused():
    assert said("scan.tif", WHOLE["TIFF"], kinds=("PDF",)) == {"kind"}


def test_thirty_megabytes_are_taken_or_the_limit_is_said_with_both_sizes():
    """30 MB is the size the requirement names; a megabyte is a million bytes (IEC 80000-13)."""
    scan = b"%PDF-1.7\n" + b"0" * (30_000_000 - 15) + b"%%EOF\n"
    assert len(scan) == 30_000_000
    assert said("scan.pdf", scan) == set()
    (one,) = faults("scan.pdf", scan, largest_mb=20, kinds=KINDS)
    assert (one.rule, one.arguments["size"], one.arguments["limit"]) == (
        "attachments.too-large",
        "30.0",
        "20",
    )


def test_the_virus_test_string_is_found_in_content_and_in_a_name():
    assert said("scan.pdf", WHOLE["PDF"][:-6] + TEST_STRING.encode() + b"%%EOF\n") == {"virus-test"}
    assert said(f"{TEST_STRING}.pdf", WHOLE["PDF"]) == {"virus-test"}


def test_all_reasons_are_given_at_once():
    assert said("x", b"MZ" + TEST_STRING.encode() + b"0" * 2_000_000, largest_mb=1) == {
        "too-large",
        "virus-test",
        "kind",
    }


@given(st.text(max_size=300))
def test_a_name_is_one_line_of_text_and_never_a_path(name):
    shown = plain_name(name)
    assert 0 < len(shown) <= 120
    assert not set(shown) & set('/\\:*?"<>|\r\n\x00\u202e')
    assert shown not in {".", ".."}
    assert plain_name(shown) == shown


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("../../etc/passwd", "etc_passwd"),
        ("化验单 2026.pdf", "化验单 2026.pdf"),
        ("evil\u202efdp.exe", "evil_fdp.exe"),
        ("", "scan"),
        ("a" * 200 + ".pdf", "a" * 116 + ".pdf"),
    ],
)
def test_names(typed, shown):
    assert plain_name(typed) == shown


# --- what may be attached --------------------------------------------------------------------------------------------


def attach(state, digest="d1", form="VS", repeat=1, address="ab" * 32):
    asked = AttachSource("s1", "V1", form, repeat, "scan.pdf", "PDF", 900, digest, address)
    return decide(STUDY, state, KNOWN, asked, OCCASION)


def withdraw(state, source, reason="another person's"):
    return decide(STUDY, state, KNOWN, WithdrawSource("s1", "V1", "VS", 1, source, reason), OCCASION)


def after(*decisions):
    return folded(evolve, START, [append.entry for one in decisions for append in written(one)])


def test_a_scan_is_attached_taken_back_and_stays_with_its_reason():
    first = attach(START)
    state = after(first)
    (one,) = state.at("V1", "VS", 1)
    gone = withdraw(state, one.source)
    (still,) = after(first, gone).at("V1", "VS", 1)
    assert (still.withdrawn, still.reason, still.digest) == (True, "another person's", "d1")
    assert state.at("V1", "MH", 1) == ()


def test_the_same_file_is_attached_once_to_a_form_and_again_after_it_was_taken_back():
    first = attach(START)
    state = after(first)
    assert rules(attach(state)) == {"attachments.already"}
    gone = after(first, withdraw(state, state.at("V1", "VS", 1)[0].source))
    (back,) = after(first, withdraw(state, state.at("V1", "VS", 1)[0].source), attach(gone)).at("V1", "VS", 1)
    assert not back.withdrawn


def test_what_is_not_planned_not_there_or_not_explained_is_refused():
    assert rules(attach(START, form="NONE")) == {"capture.form-unknown"}
    assert rules(attach(START, repeat=2)) == {"capture.repeat-unknown"}
    assert rules(withdraw(START, "none")) == {"attachments.unknown"}
    state = after(attach(START))
    assert rules(withdraw(state, state.at("V1", "VS", 1)[0].source, " ")) == {"attachments.say-why"}


def test_a_form_bears_so_many_files_and_no_more():
    state = after(*(attach(START, digest=f"d{n}", address=f"{n:064x}"[::-1]) for n in range(60)))
    assert rules(attach(state, digest="one more")) == {"attachments.too-many"}


def test_a_snapshot_holds_the_same():
    state = after(attach(START))
    assert state_from_json(state_to_json(state)) == state

"""A laboratory's file: every line ends in one class, and the file is taken in whole or not at all.

Sources: the requirement's bad input (wrong units, unknown accession numbers); ICH E6(R3) 4.2.5 (reconciliation).
"""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.capture import evolve as captured
from equipoise.capture.evolve import Place
from equipoise.capture.specimens.accession import candidates
from equipoise.capture.specimens.importing import Casebooks, decide_import, judge_import
from equipoise.capture.specimens.results import (
    FAULTS,
    GOOD,
    Collected,
    Door,
    decoded,
    numbers_in,
    plain_unit,
    reconcile,
)
from equipoise.ledger.codec import decode, encode
from equipoise.ledger.entries import FormSaved, Reported, ResultsImported, ResultsReported
from equipoise.ledger.facts import Facts, Refusal
from equipoise.vault.revealing import revealing_study
from equipoise.words.problem import Problem
from rooms.capture.conduct_study import OCCASION, folded, rules, written
from stories.conftest import first_study

STUDY = first_study()
HEAD = "accession,test,value,unit,flag\n"


def number(subject: str, kit: str, visit: str) -> str:
    return next(candidates(subject, kit, visit))


ONE, TWO = number("s1", "TUM", "V1"), number("s2", "TUM", "V1")
SERUM, OTHER = number("s1", "BIO", "V2"), number("s9", "BIO", "V2")
TUBES = {
    ONE: Collected(ONE, "s1", "TUM", "V1"),
    TWO: Collected(TWO, "s2", "TUM", "V1"),
    SERUM: Collected(SERUM, "s1", "BIO", "V2"),
}


def door(revealing=False, reported=None):
    return Door(STUDY, revealing, TUBES, reported or {})


def classes(text, corrects=False, **given):
    return [line.found for line in reconcile(door(**given), "CENTRAL", HEAD + text, corrects=corrects).lines]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"{ONE},CEA,2.31,ug/L,", "NEW"),
        (f"{ONE},CEA,2.31,µg/L,", "NEW"),
        (f"{ONE},CEA,0.50,ug/L,BLQ", "NEW"),
        (f"{ONE},CEA,50,ug/L,ALQ", "NEW"),
        (f"{ONE},CEA,＞50,ug/L,", "NEW"),
        (f"{ONE},CEA,>50,ug/L,ALQ", "NEW"),
        (f"{ONE},CEA,>50,ug/L,BLQ", "VALUE"),
        (f"{ONE},CEA,<0.5,ug/L,高于定量限", "VALUE"),
        (f"{ONE[:-1]}{(int(ONE[-1]) + 1) % 10},CEA,2.3,ug/L,", "CHECK_DIGIT"),
        (f"{OTHER},INTLK6,2.3,pg/mL,", "UNKNOWN"),
        (f"{ONE},NONE,2.3,ug/L,", "TEST"),
        (f"{SERUM},INTLK6,2.3,pg/mL,", "OTHER_DOOR"),
        (f"{ONE},CEA,2.3,ng/mL,", "UNIT"),
        (f"{ONE},CEA,2.3,,", "UNIT"),
        (f"{ONE},CEA,high,ug/L,", "VALUE"),
        (f"{ONE},CEA,,ug/L,", "VALUE"),
        (f"{ONE},CEA,2.31234,ug/L,", "VALUE"),
        (f"{ONE},CEA,-5,ug/L,", "VALUE"),
        (f"{ONE},CEA,2.3,ug/L", "MALFORMED"),
        (",CEA,2.3,ug/L,", "MALFORMED"),
    ],
)
def test_what_a_line_is(line, found):
    assert classes(line) == [found]


def test_a_test_that_could_tell_the_arm_is_taken_in_at_the_second_door_only():
    text = f"{SERUM},INTLK6,4.5,pg/mL,\n{ONE},CEA,2.3,ug/L,\n"
    assert classes(text) == ["OTHER_DOOR", "NEW"]
    assert classes(text, revealing=True) == ["NEW", "OTHER_DOOR"]


def test_what_this_door_says_of_such_a_line_does_not_depend_on_its_value():
    """Two files that differ in such values alone give the same words."""
    said = []
    for value in ("4.5", "99999"):
        text = HEAD + f"{SERUM},INTLK6,{value},pg/mL,\n"
        said.append([line.says for line in reconcile(door(), "CENTRAL", text, corrects=False).lines])
    assert said[0] == said[1]
    assert "4.5" not in str(said)


def test_the_same_again_is_no_fault_and_another_value_is_one_unless_it_corrects():
    before = {(ONE, "CEA"): Reported("2.3", "ug/L")}
    assert classes(f"{ONE},CEA,2.3,ug/L,", reported=before) == ["SAME"]
    assert classes(f"{ONE},CEA,2.4,ug/L,", reported=before) == ["REPORTED"]
    assert classes(f"{ONE},CEA,2.4,ug/L,", reported=before, corrects=True) == ["CORRECTED"]
    assert classes(f"{ONE},CEA,2.3,ug/L,BLQ", reported=before) == ["REPORTED"]
    assert classes(f"{ONE},CEA,>2.3,ug/L,", reported=before) == ["REPORTED"]
    above = {(ONE, "CEA"): Reported("2.3", "ug/L", above=True)}
    assert classes(f"{ONE},CEA,2.3,ug/L,ALQ", reported=above) == ["SAME"]


def test_twice_in_a_file_is_named_the_second_time():
    assert classes(f"{ONE},CEA,2.3,ug/L,\n{ONE},CEA,2.4,ug/L,") == ["NEW", "DUPLICATE"]


def test_what_was_collected_and_has_no_result_is_listed():
    report = reconcile(door(), "CENTRAL", HEAD + f"{ONE},CEA,2.3,ug/L,\n", corrects=False)
    assert set(report.silent) == {
        *((ONE, test) for test in ("AFP", "CA19_9AG", "CA125AG", "PSA")),
        *((TWO, test) for test in ("CEA", "AFP", "CA19_9AG", "CA125AG", "PSA")),
    }


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("value,unit\n1,2\n", "file-heading"),
        (HEAD, "file-empty"),
        ("", "file-heading"),
        ('"a\n', "file-heading"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text, rule):
    unread = reconcile(door(), "CENTRAL", text, corrects=False).unread
    assert unread is not None
    assert unread.rule == f"specimens.{rule}"


def test_chinese_headings_semicolons_and_the_encoding_of_chinese_spreadsheets_are_read():
    text = f"样本编号;检测项目;结果;单位;标记\n{ONE};CEA;2.3;ug/L;\n"
    for data in (text.encode("gb18030"), b"\xef\xbb\xbf" + text.encode()):
        read = decoded(data)
        assert isinstance(read, str)
        assert [one.found for one in reconcile(door(), "CENTRAL", read, corrects=False).lines] == ["NEW"]
        assert numbers_in(read) == {ONE}
    assert isinstance(decoded(b"\x00\x01"), Problem)
    assert isinstance(decoded(b"a" * 600_000), Problem)


@pytest.mark.parametrize(("given", "same"), [("µg/L", "ug/L"), ("10^9/L", "10*9/L"), (" pg / mL ", "pg/mL")])
def test_a_unit_that_only_looks_different_is_the_same(given, same):
    assert plain_unit(given) == plain_unit(same)


_CELL = st.sampled_from(
    [ONE, TWO, SERUM, OTHER, "123", "", "CEA", "AFP", "INTLK6", "ug/L", "pg/mL", "2.3", "x", "BLQ", ",", '"']
)


@given(st.lists(st.lists(_CELL, min_size=1, max_size=6), max_size=12), st.booleans(), st.booleans())
def test_every_line_ends_in_exactly_one_class_and_the_sums_agree(rows, revealing, corrects):
    text = HEAD + "".join(",".join(row) + "\n" for row in rows)
    report = reconcile(door(revealing), "CENTRAL", text, corrects=corrects)
    if report.unread is None:
        assert {line.found for line in report.lines} <= {*GOOD, *FAULTS}
        assert sum(report.classes.values()) == len(report.lines)
        assert all((line.says is None) == (line.found in GOOD) for line in report.lines)
        assert [line.number for line in report.lines] == list(range(2, len(report.lines) + 2))
        assert not report.importable or not set(report.classes) - set(GOOD)
    else:
        assert report.lines == ()


# --- taking in -------------------------------------------------------------------------------------------------------


def take_in(text, states=None, reported=None, reports=0, corrects=False, revealing=False):
    study = revealing_study(STUDY) if revealing else STUDY
    books = Casebooks(
        study, states or {}, lambda subject: Facts(subject_known=True), lambda subject: OCCASION
    )
    known = dataclasses.replace(door(revealing), reported=reported or {})
    return judge_import(known, books, "CENTRAL", HEAD + text, reports, corrects=corrects)


def saved(judged, subject="s1", before=()):
    entries = [append.entry for append in judged.appends if append.stream == f"subject/{subject}"]
    return folded(captured.evolve, captured.START, [*before, *entries]), entries


def test_a_file_is_recorded_on_the_forms_and_kept_as_it_was_reported():
    judged = take_in(f"{ONE},CEA,2.31,ug/L,\n{ONE},AFP,0.50,ug/L,BLQ\n{TWO},CEA,>3,ug/L,\n")
    whole = judged.appends[0].entry
    assert isinstance(whole, ResultsImported)
    assert (whole.report, whole.lines, whole.classes) == ("CENTRAL-0001", 3, {"NEW": 3})
    case, entries = saved(judged)
    values = case.form(Place("V1", "LBTM", 1)).values
    assert values["CEA"].value == "2.31"
    assert (values["AFP"].missing, values["AFP"].why) == ("BLQ", "<0.50 ug/L")
    (reported,) = [one for one in entries if isinstance(one, ResultsReported)]
    assert reported.results == {"CEA": Reported("2.31", "ug/L"), "AFP": Reported("0.50", "ug/L", below=True)}
    second, told = saved(judged, "s2")
    datum = second.form(Place("V1", "LBTM", 1)).values["CEA"]
    assert (datum.value, datum.missing, datum.why) == (None, "ALQ", ">3 ug/L")
    (said,) = [one for one in told if isinstance(one, ResultsReported)]
    assert said.results == {"CEA": Reported("3", "ug/L", above=True)}
    assert decode(said.kind, **encode(said)) == said


def test_one_line_that_cannot_be_taken_keeps_the_whole_file_out():
    for wrong in (f"{ONE},CEA,2,ng/mL,", f"{OTHER},CEA,2,ug/L,", f"{ONE},CEA,,ug/L,"):
        judged = take_in(f"{TWO},AFP,3,ug/L,\n{wrong}\n")
        assert judged.appends == ()
        assert isinstance(decide_import(judged), Refusal)


def test_a_line_that_its_form_does_not_take_is_named_and_keeps_the_file_out():
    """PSA is asked of men only: a form that says nothing of the sex does not take it."""
    judged = take_in(f"{ONE},CEA,2,ug/L,\n{ONE},PSA,2,ug/L,\n")
    assert [line.found for line in judged.report.lines] == ["NEW", "REFUSED"]
    assert judged.appends == ()
    assert rules(decide_import(judged)) == {"specimens.line-refused"}


def test_a_correction_replaces_the_value_and_both_truths_stay():
    first = take_in(f"{ONE},CEA,2,ug/L,\n")
    case, before = saved(first)
    known = {(ONE, "CEA"): Reported("2", "ug/L")}
    assert take_in(f"{ONE},CEA,3,ug/L,\n", {"s1": case}, known, 1).appends == ()
    second = take_in(f"{ONE},CEA,3,ug/L,\n", {"s1": case}, known, 1, corrects=True)
    after, entries = saved(second, before=before)
    assert after.form(Place("V1", "LBTM", 1)).values["CEA"].value == "3"
    (save,) = [one for one in entries if isinstance(one, FormSaved)]
    assert save.reason == "CENTRAL-0002"
    every = [one for one in (*before, *entries) if isinstance(one, ResultsReported)]
    assert [one.results["CEA"].value for one in every] == ["2", "3"]


def test_the_same_file_again_writes_nothing():
    case, _ = saved(take_in(f"{ONE},CEA,2,ug/L,\n"))
    again = take_in(f"{ONE},CEA,2,ug/L,\n", {"s1": case}, {(ONE, "CEA"): Reported("2", "ug/L")}, 1)
    assert rules(decide_import(again)) == {"specimens.nothing-new"}


def test_behind_the_second_door_the_same_file_goes_to_the_values_that_are_kept_there():
    judged = take_in(f"{SERUM},INTLK6,4.5,pg/mL,\n{SERUM},NFLP,20000,pg/mL,\n", revealing=True)
    case, _ = saved(judged)
    assert case.form(Place("V2", "BIOM", 1)).values["IL6"].value == "4.5"
    assert (
        len(case.queries) == 1
    )  # 20,000 pg/mL lies beyond what is expected (1,500), and is kept and asked about
    assert written(decide_import(judged)) == judged.appends


@given(
    st.permutations([f"{ONE},CEA,2,ug/L,", f"{ONE},AFP,3,ug/L,", f"{TWO},CEA,4,ug/L,", f"{TWO},AFP,5,ug/L,"])
)
def test_the_order_of_the_lines_changes_nothing_that_is_recorded(lines):
    judged = take_in("\n".join(lines) + "\n")
    found = {s: saved(judged, s)[0].form(Place("V1", "LBTM", 1)).values for s in ("s1", "s2")}
    assert {s: {name: datum.value for name, datum in values.items()} for s, values in found.items()} == {
        "s1": {"CEA": "2", "AFP": "3"},
        "s2": {"CEA": "4", "AFP": "5"},
    }

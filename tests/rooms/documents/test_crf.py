"""Forms on paper: every question of the definition and no other, the same bytes for the same definition."""

from __future__ import annotations

import datetime as dt
import re
import zlib

import pytest

from equipoise.capture.questions import questions
from equipoise.documents import crf
from equipoise.documents.typeset import Issue, chinese_font
from equipoise.protocol.assessments import scale_of
from equipoise.protocol.study import Study
from house.house_files import ROOT

ISSUE = Issue("DEMO-0001", dt.date(2026, 8, 14), rehearsal=True)
DIGEST = "ab" * 32


@pytest.fixture(scope="module")
def study() -> Study:
    from equipoise.protocol.load import load_study

    found = load_study(ROOT / "studies" / "nct07197606")
    assert isinstance(found, Study)
    return found


@pytest.fixture
def values(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What is handed to the typesetter."""
    seen: list[dict] = []
    monkeypatch.setattr(crf, "pdf", lambda template, title, issue, given: seen.append(given) or b"%PDF")
    return seen


def test_the_same_definition_gives_the_same_bytes(study: Study) -> None:
    first, second = (crf.crf_pdf(study, DIGEST, ISSUE, forms=("NIHSS", "DM")) for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_question_of_every_form_is_there_once_and_in_order(study: Study, values, language) -> None:
    crf.crf_pdf(study, DIGEST, ISSUE, language=language)
    (given,) = values
    printed = {form["id"]: [each["label"] for each in form["questions"]] for form in given["forms"]}
    spoken = language if chinese_font() else "en"
    assert printed == {form.id: [each.label.say(spoken) for each in questions(form)] for form in study.forms}


def test_what_is_kept_behind_the_second_door_has_no_place_to_write(study: Study, values) -> None:
    crf.crf_pdf(study, DIGEST, ISSUE)
    revealing = [
        (asked, printed)
        for form, page in zip(study.forms, values[0]["forms"], strict=True)
        for asked, printed in zip(questions(form), page["questions"], strict=True)
        if asked.revealing
    ]
    assert revealing, "the study has items that could tell the arm"
    assert all(
        printed["revealing"] and not printed["options"] and not printed["missing"] for _, printed in revealing
    )


def test_an_answer_offered_on_the_page_is_offered_on_paper(study: Study, values) -> None:
    """The page's answers are the codelist's terms, or the scale's scores: the definition is the source of both."""
    crf.crf_pdf(study, DIGEST, ISSUE, forms=("NIHSS", "DM"))
    by_form = {
        form["id"]: {each["number"] or each["label"]: each for each in form["questions"]}
        for form in values[0]["forms"]
    }
    sex = by_form["DM"][next(item.label.en for item in study.form("DM").items if item.id == "SEX")]
    terms = study.codelist(study.form("DM").item("SEX").codelist).terms
    assert [code for code, _ in sex["options"]] == [term.code for term in terms]
    # NIHSS item 1a is scored 0 to 3 (National Institute of Neurological Disorders and Stroke, NIH Stroke Scale).
    assert [code for code, _ in by_form["NIHSS"]["1a"]["options"]] == ["0", "1", "2", "3"]


def test_an_annotated_form_names_the_target_of_every_question_or_says_that_there_is_none(
    study: Study, values
) -> None:
    crf.crf_pdf(study, DIGEST, ISSUE, annotated=True)
    notes = {
        (form["id"], asked.id): printed["note"]
        for form, each in zip(values[0]["forms"], study.forms, strict=True)
        for printed, asked in zip(form["questions"], questions(each), strict=True)
    }
    assert all(notes.values())
    assert notes["DM", "SEX"] == "DM.SEX"
    code = scale_of(study.form("NIHSS")).item("1a").testcd  # held to CDISC's list by tests/rooms/instruments
    assert notes["NIHSS", "1a"] == f"RSORRES when RSTESTCD = {code}"
    assert "[NOT SUBMITTED]" not in {note for (form, _), note in notes.items() if form == "NIHSS"}


def test_a_blank_form_has_no_annotation(study: Study, values) -> None:
    crf.crf_pdf(study, DIGEST, ISSUE)
    assert not any(each["note"] for form in values[0]["forms"] for each in form["questions"])


def test_a_form_bears_the_version_it_was_printed_from(study: Study) -> None:
    """The code at the head is machine-readable and also stands beside it as text, for another version another."""
    one = crf.crf_pdf(study, DIGEST, ISSUE, forms=("DM",))
    other = crf.crf_pdf(study, "cd" * 32, ISSUE, forms=("DM",))
    assert one != other


def test_whole_books_in_both_languages_are_set_without_a_fault(study: Study) -> None:
    book = crf.crf_pdf(study, DIGEST, ISSUE, language="zh", annotated=True)
    pages = sum(
        len(re.findall(rb"/Type\s*/Page\b", part))
        for part in [
            book,
            *(_inflated(each) for each in re.findall(rb"stream\r?\n(.*?)endstream", book, re.S)),
        ]
    )
    assert pages > len(study.forms)  # a page for each form and the first with the schedule


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""

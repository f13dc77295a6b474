"""The casebook on paper: what its reader sees on the pages, with every change, and the same bytes for the same record."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from equipoise.capture.commands import AnswerQuery, CloseQuery, RaiseQuery
from equipoise.capture.evolve import Place
from equipoise.consent.commands import WithdrawConsent
from equipoise.desk import casebook_paper as paper
from equipoise.documents.casebook import Casebook
from equipoise.oversight.commands import ClassDeviation, ExplainDeviation, RaiseDeviation
from equipoise.protocol.forms import LOG
from equipoise.words.problem import say
from stories.conftest import Story, first_study, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> list[Casebook]:
    """The books that are handed to the typesetter."""
    seen: list[Casebook] = []
    monkeypatch.setattr(paper, "casebook_pdf", lambda book, issue, language: seen.append(book) or b"%PDF")
    return seen


def _forms(book: Casebook) -> dict[tuple[str, str], Any]:
    return {(visit.label, form.code): form for visit in book.visits for form in visit.forms}


def _with_a_query(story: Story) -> str:
    number = story.screen()
    assert story.record("crc", number, "RISK", {"HTN": "Y", "SMOKING": "NEVER"}, complete=None).accepted
    assert story.record("crc", number, "RISK", {"SMOKING": "FORMER"}).accepted
    subject = story.subject(number)
    story.done("cra", RaiseQuery(subject, "V1", "RISK", 1, "HTN", "Since when? =1+1"))
    (query,) = [one.id for one in _case(story, number).queries.values() if one.rule == "manual"]
    story.done("crc", AnswerQuery(subject, query, "自2011年"))
    story.done("cra", CloseQuery(subject, query, ""))
    return number


def _case(story: Story, number: str) -> Any:
    with story.desk.reading() as reader:
        return story.desk.standing_light(reader, story.subject(number)).case.capture


def test_every_value_change_and_word_of_a_query_is_in_the_book(story: Story, books) -> None:
    number = _with_a_query(story)
    assert paper.casebook_paper(story.desk, story.who("cra"), number, "en") == b"%PDF"
    form = _forms(books[0])["Screening", "RISK"]
    values = {answer.label: answer for answer in form.answers}
    smoking = next(answer for label, answer in values.items() if "moking" in label)
    assert smoking.value == "Former"
    assert smoking.changed
    trail = [(line.before, line.after) for line in form.trail if "moking" in line.item]
    assert trail == [("", "Never"), ("Never", "Former")]
    (asked,) = form.queries
    assert asked.state == "Closed"
    assert [
        part in line for part, line in zip(("Since when?", "自2011年", "closed"), asked.said, strict=True)
    ] == [True] * 3


def test_the_cover_names_the_study_and_what_has_no_day_says_none(story: Story, books) -> None:
    """ICH E6(R3) Appendix C.2: essential records can be identified. A list runs through all visits; a visit has a day."""
    number = _with_a_query(story)
    assert story.record("crc", number, "CM", {"CMTRT": "aspirin"}, visit=LOG, complete=None).accepted
    paper.casebook_paper(story.desk, story.who("cra"), number, "en")
    facts = dict(books[0].facts)
    study = first_study()
    assert (facts["Study"], facts["Sponsor"]) == (study.official_title.en, study.sponsor.en)
    assert facts["Study number"] == study.demo_id, "a rehearsal does not bear the registry's number"
    days = {visit.label: visit.date for visit in books[0].visits}
    assert days["Running lists"] is None
    assert days["Screening"] is not None


def test_what_a_check_asked_is_not_said_to_be_asked_by_who_saved(story: Story, books) -> None:
    number = story.screen()
    assert story.record("crc", number, "VS", {"SYSBP": "75"}, visit="V3", complete=None).accepted
    paper.casebook_paper(story.desk, story.who("cra"), number, "en")
    asked = [query for form in _forms(books[0]).values() for query in form.queries]
    assert asked
    assert all(" a check: " in query.said[0] for query in asked)


def test_what_departed_from_the_protocol_is_in_the_book_of_who_may_read_it(story: Story, books) -> None:
    number = story.screen()
    subject = story.subject(number)
    story.done("crc", RaiseDeviation(subject, "V1", "2026-06-01", "wrong room"))
    (line,) = story.desk.subject_deviations(story.who("crc"), number).lines
    story.done("crc", ExplainDeviation(subject, line.id, "was in a hurry", "a list"))
    story.done("dm", ClassDeviation(subject, line.id, "MAJOR", important=True))
    for actor, whole in (("cra", True), ("rater", False)):
        paper.casebook_paper(story.desk, story.who(actor), number, "en")
        told = ["Recorded by a person; wrong room", "Screening; 2026-06-01", "major; important"]
        assert [tuple(told) == one[:3] for one in books[-1].deviations] == [True] * whole
        assert all(
            part in one[3] for one in books[-1].deviations for part in ("was in a hurry", "a list", "open")
        )


def test_a_signature_that_was_broken_stays_in_the_book_beside_the_one_that_renewed_it(
    story: Story, books
) -> None:
    """ICH E6(R3) 4.2.2: the audit trail holds what was, also of signatures."""
    number, place = story.eligible(), Place("V1", "NIHSS", 1)
    day = story.clock.at.date().isoformat()
    assert story.record("crc", number, "NIHSS", {"NIHSSDAT": day}, complete=True).accepted
    story.sign("pi", number, [place])
    assert story.record("crc", number, "NIHSS", {"8": "2"}, reason="misread").accepted
    paper.casebook_paper(story.desk, story.who("cra"), number, "en")
    (broken,) = _forms(books[-1])["Screening", "NIHSS"].signatures
    assert broken.endswith("this signature no longer stands.")
    story.clock.at += dt.timedelta(minutes=5)
    story.sign("pi", number, [place])
    paper.casebook_paper(story.desk, story.who("cra"), number, "en")
    first, second = _forms(books[-1])["Screening", "NIHSS"].signatures
    assert first == broken
    assert "10:05" in second
    assert "no longer" not in second
    paper.casebook_paper(story.desk, story.who("cra"), number, "en", trail=False)
    assert _forms(books[-1])["Screening", "NIHSS"].signatures == (second,)


def test_the_cover_says_what_was_signed_refused_and_withdrawn_and_by_whom_without_a_name(
    story: Story, books
) -> None:
    number = story.screen()
    story.consent(number)
    subject, day = story.subject(number), story.clock.at.date().isoformat()
    story.done("crc", WithdrawConsent(subject, "PARTICIPANT", day, "moves away"))
    paper.casebook_paper(story.desk, story.who("cra"), number, "en")
    said = [value for label, value in books[0].facts if label == say("web.consent", "en")]
    assert said == [f"{day} · Signed 1.0 · The participant", f"{day} · Withdrawn · The participant"]


def test_without_the_trail_no_earlier_value_is_printed(story: Story, books) -> None:
    number = _with_a_query(story)
    paper.casebook_paper(story.desk, story.who("cra"), number, "en", trail=False)
    forms = _forms(books[0]).values()
    assert forms
    assert not any(form.trail or any(answer.changed for answer in form.answers) for form in forms)


def test_a_role_has_on_paper_the_forms_it_has_on_the_pages_and_no_other(story: Story, books) -> None:
    """A rater never sees what happens around a dose: the study hides those forms from the role."""
    number = story.eligible()
    assert story.randomize(number).accepted
    for actor in ("crc", "cra", "rater"):
        who = story.who(actor)
        assert paper.casebook_paper(story.desk, who, number, "zh") == b"%PDF"
        book = books[-1]
        printed = {form.code for visit in book.visits for form in visit.forms}
        recorded = {place.form for place in _case(story, number).forms}
        with story.desk.reading() as reader:
            hidden = story.desk.trial(reader).hidden_from(who.role)
        assert printed == recorded - hidden


def test_nobody_of_another_site_gets_a_book(story: Story) -> None:
    number = story.screen()
    assert paper.casebook_paper(story.desk, story.who("crc2"), number, "en") is None
    assert paper.casebook_paper(story.desk, story.who("spo"), number, "en") is None
    assert paper.casebook_paper(story.desk, story.who("crc"), "09999", "en") is None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_same_record_gives_the_same_bytes(story: Story, language) -> None:
    number = _with_a_query(story)
    first, second = (paper.casebook_paper(story.desk, story.who("crc"), number, language) for _ in range(2))
    assert first is not None
    assert first.startswith(b"%PDF")
    assert first == second

"""The public page: what it says, in what order, in both languages, with nothing of the record read as markup."""

from __future__ import annotations

import copy
import datetime as dt
import json
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory

from equipoise.protocol.elements import Assumption
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.standards.registry import Imported, import_registry
from equipoise.web.public.labels import age, ages, days_since
from equipoise.web.public.page import public_page
from equipoise.words.problem import catalogue
from equipoise.words.text import Text

ROOT = Path(__file__).parents[3]
VECTORS = ROOT / "tests" / "vectors" / "registry"
TODAY = dt.date(2031, 4, 1)
VOID = {"meta", "link", "input", "br", "use"}


class Desk:
    """A desk that only has a study; the public page asks for nothing else."""

    def __init__(self, study: Study, purpose: str = "rehearsal") -> None:
        self.study, self.purpose = study, purpose


class Tree(HTMLParser):
    """What a browser would see: headings in order, text, elements with their attributes, and the open elements."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.headings: list[tuple[str, str]] = []
        self.text = ""
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), [*self.open]))
        if tag in VOID or self.get_starttag_text().endswith("/>"):
            return
        self.open.append(tag)
        if tag in {"h1", "h2", "h3", "h4"}:
            self.headings.append((tag, ""))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open[-1:] == [tag], f"</{tag}> closes {self.open[-3:]}"
            self.open.pop()

    def handle_data(self, data):
        self.text += data
        if self.headings and self.headings[-1][0] in self.open:
            tag, said = self.headings[-1]
            self.headings[-1] = (tag, said + data)


def imported(data: bytes, name: str = "record") -> Study:
    found = import_registry(data, name)
    assert isinstance(found, Imported)
    return found.study


@pytest.fixture(scope="module")
def lantern() -> Study:
    return imported((VECTORS / "lantern.json").read_bytes())


@pytest.fixture(scope="module")
def gulls() -> Study:
    return imported((VECTORS / "gulls-page.txt").read_bytes())


@pytest.fixture(scope="module")
def first() -> Study:
    """The study of this repository."""
    found = load_study(next(path.parent for path in sorted((ROOT / "studies").glob("*/study.yaml"))))
    assert isinstance(found, Study)
    return found


@pytest.fixture
def show(pages, monkeypatch):
    """Render the page of a study in a language."""
    from equipoise.web.public.views import trial

    def render(study: Study, language: str = "en", purpose: str = "rehearsal") -> Tree:
        monkeypatch.setattr(settings, "DESK", Desk(study, purpose))
        request: Any = RequestFactory().get("/trial")  # what the sign-in middleware adds is added here
        request.language, request.who, request.entered = language, None, None
        answer = trial(request)
        assert answer.status_code == 200
        return Tree(answer.content.decode())

    return render


# ---------------------------------------------------------------- what it says


def test_sections_stand_in_the_order_of_the_registry_page(show, first):
    said = [text.strip() for _, text in show(first).headings]
    rows = show(first).text
    # The order of the registry's own page (its section headings), with our spelling where the page's is American.
    order = ["Status and phase", "Conditions", "Treatments", "Study type", "Funder types", "Identifiers"]
    places = [
        rows.index(f"\n{heading}") if f"\n{heading}" in rows else rows.index(heading) for heading in order
    ]
    assert places == sorted(places)
    wanted = [
        *(
            "Details and patient eligibility",
            "About",
            "Full description",
            "Inclusion criteria",
            "Exclusion criteria",
        ),
        *(
            "Trial design",
            "Groups",
            "Trial contacts and locations",
            "Central trial contact",
            "Where this comes from",
        ),
    ]
    found = [said.index(heading) for heading in wanted]
    assert found == sorted(found)
    for heading in ("Enrolment", "Sex", "Ages", "Volunteers", "Primary purpose", "Allocation", "Masking"):
        assert heading in rows


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_of_the_first_study_says_what_the_record_says(show, first, domain, language):
    text = show(first, language).text
    for entry in domain["registry_record"]:  # collected from public sources, entry by entry
        value = entry["value"]
        if entry["tag"] == "seed" and isinstance(value, str) and value[:1] not in "(" and not value.isupper():
            assert value in text, entry["api_v2_path"]
    for number in ("NCT07197606", "LC-MSC-IS25001", "86"):
        assert number in text
    assert "Ming Xiao, PHD" in text
    for criterion in first.criteria:
        assert (criterion.text.en in text) == criterion.enabled, "what is not in force is not shown"
        assert (criterion.text.zh in text) == criterion.enabled, "criteria stand in both languages"


def test_what_the_registry_page_lacks_is_there(first):
    page = public_page(first, "en", TODAY)
    # domain.md, section 2: dates and masked roles of the record; section 1.3: six conflicts in the public text.
    assert ("Start", "2025-10-01", "estimated") in page.dates
    assert [role.label.en for role in page.masked if role.registered] == [
        "Participant",
        "Investigator",
        "Outcomes assessor",
    ]
    assert all(role.explanation for role in page.masked)
    assert len(page.disagreements) == 6
    assert all(len(one.statements) >= 2 for one in page.disagreements)
    assert page.outcomes_registered[0].label.en.startswith("Fugl-Meyer Asse")
    assert page.outcomes_planned
    assert page.visits_assumed, "the record names no visit days"
    assert page.provenance is not None
    assert page.provenance.version == "2025-12-24"
    assert len(page.provenance.fields) == len(first.registry.fields)


def test_the_self_check_asks_the_points_of_the_record(first):
    page = public_page(first, "en", TODAY)
    assert len(page.questions) == 5  # the record has five inclusion points; one of them holds three criteria
    assert [len(question.points) for question in page.questions] == [1, 1, 1, 3, 1]
    assert page.more_points == 0


def test_the_self_check_keeps_nothing_and_needs_no_script(show, first):
    tree = show(first)
    radios = [
        (attrs, above) for tag, attrs, above in tree.elements if tag == "input" and attrs["type"] == "radio"
    ]
    assert len(radios) == 15  # five questions, three answers
    assert all("form" not in above and "form" not in attrs for attrs, above in radios), (
        "an answer could be sent"
    )
    assert all(attrs["autocomplete"] == "off" for attrs, _ in radios)
    assert all("fieldset" in above for _, above in radios)
    assert not [tag for tag, _, _ in tree.elements if tag == "script"]


def test_a_criterion_that_the_record_does_not_have_is_marked(show, lantern):
    added = lantern.criteria[0].model_copy(
        update={
            "id": "I99",
            "source": None,
            "assumption": Assumption(because="ours"),
            "text": Text("Ours alone"),
        }
    )
    tree = show(lantern.model_copy(update={"criteria": (*lantern.criteria, added)}))
    plain = show(lantern)
    assert tree.text.count("not in the public record") == plain.text.count("not in the public record") + 1


def test_the_age_of_the_record_is_told_in_days(lantern):
    page = public_page(lantern, "en", TODAY)
    assert page.provenance is not None
    assert (page.provenance.version, page.provenance.age) == (
        "2031-03-10",
        "22 days old",
    )  # 10 March to 1 April 2031
    assert days_since("2031-03", TODAY, "en") == "between 1 and 31 days old"
    assert days_since("2031-03-31", TODAY, "en") == "1 day old"
    assert days_since("not a date", TODAY, "en") == ""


@pytest.mark.parametrize(
    ("low", "high", "en", "zh"),
    [
        ("18 Years", "70 Years", "18 to 70 years", "18 至 70 岁"),
        ("6 Months", "65 Years", "6 months to 65 years", "6 个月 至 65 岁"),
        ("18 Years", None, "18 years and older", "18 岁及以上"),
        (None, "1 Year", "up to 1 year", "1 岁及以下"),
        ("1 Year", "N/A", "1 year and older", "1 岁及以上"),
        (None, None, "", ""),
    ],
)
def test_ages_are_read_as_registered(low, high, en, zh):
    assert (ages(low, high, "en"), ages(low, high, "zh")) == (en, zh)


def test_an_age_of_another_form_is_shown_as_it_is():
    assert age("about 7", "en") == "about 7"


def test_a_record_with_little_in_it_says_so_and_invents_nothing(show, gulls):
    text = show(gulls).text
    # gulls-page.txt has no phase, no masking, no dates, no contact; 2 locations, named as text; an unknown label.
    assert text.count("The public record does not say.") >= 6
    for shown in (
        "Women and men",
        "Potion: Ear oil",
        "Harbour, Nowhere",
        "50 participants in 3 patient groups",
        "40",
    ):
        assert shown in text
    assert "randomi" not in text.lower()


def test_a_study_without_a_record_has_a_page_too(show):
    bare = Study.model_validate(
        {"notation": 1, "id": "x", "version": "1", "dated": "2031", "title": "Bare study"}
    )
    text = show(bare).text
    assert "Bare study" in text
    assert "This study has no public record yet." in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_word_of_the_page_is_in_the_catalogue(show, first, lantern, gulls, language):
    for study in (first, lantern, gulls):
        tree = show(study, language)
        assert "public." not in tree.text
        assert "{" not in tree.text
        assert tree.open == [], "an element is left open"
    assert [key for key, text in catalogue().items() if key.startswith("public.") and not text.zh] == []


def test_chinese_marks_what_is_english(show, first):
    tree = show(first, "zh")
    assert ("html", {"lang": "zh-Hans"}) in [(tag, attrs) for tag, attrs, _ in tree.elements]
    about = next(field.value for field in first.registry.fields if field.path.endswith("briefSummary"))
    assert about in tree.text
    marked = [
        attrs.get("lang") for tag, attrs, _ in tree.elements if tag in {"span", "q", "p", "ul", "tbody", "li"}
    ]
    assert marked.count("en") > 10


def test_a_rehearsal_says_so_and_a_trial_does_not(show, lantern):
    assert "DEMO" in show(lantern).text
    assert "DEMO" not in show(lantern, purpose="trial").text


def test_headings_descend_step_by_step(show, first):
    levels = [int(tag[1]) for tag, _ in show(first).headings]
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


# ---------------------------------------------------------------- markup is text

BAD = "<script>alert('x')</script> <b>bold</b> **stars** & \" onload=\"y {{ page }} {% now %}"


def test_markup_in_the_record_is_shown_as_text(show):
    record = json.loads((VECTORS / "lantern.json").read_text("utf-8"))
    spoilt = spoil(copy.deepcopy(record))
    tree = show(imported(json.dumps(spoilt).encode()))
    tags = {tag for tag, _, _ in tree.elements}
    assert not tags & {"script", "b", "img", "iframe", "style", "object"}
    assert tree.text.count(BAD) > 40
    for _, attrs, _ in tree.elements:
        assert not [name for name in attrs if name.startswith("on")]
        address = str(attrs.get("href") or "")
        assert "script" not in address
        assert not address or address.startswith(("/", "#", "https://", "tel:", "mailto:")), address


def spoil(value):
    """The record with markup in every text but the codes that a study cannot do without."""
    if isinstance(value, dict):
        return {key: inner if key == "nctId" else spoil(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [spoil(inner) for inner in value]
    return BAD if isinstance(value, str) and not value.startswith("Inclusion Criteria") else value


def test_the_words_of_the_record_keep_their_lines(show, lantern):
    text = show(lantern).text
    assert "Tiredness score > 10, with one of:\n  • sleepiness by day\n  • waking before dawn" in text
    assert "Sleep *Disorders*" in text, "a backslash that protects a star is not part of the word"


def test_real_records_have_pages(show, shared_data):
    for path in sorted((shared_data / "registry").glob("NCT*.json"))[::4]:
        study = imported(path.read_bytes(), path.name)
        for language in ("en", "zh"):
            tree = show(study, language)
            assert study.title.en in tree.text
            assert tree.open == []

"""Criteria taken apart. The wordings are modelled on what registry records hold; each states what must come of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.standards.registry_criteria import read_criteria
from equipoise.standards.registry_page import page_lines


def read(text: str):
    return read_criteria(page_lines(text))


def texts(text: str) -> tuple[list[str], list[str], list[str]]:
    found = read(text)
    return (
        [point.text for point in found.of("inclusion")],
        [point.text for point in found.of("exclusion")],
        [line.text for line in found.unplaced],
    )


@pytest.mark.parametrize(
    ("heading", "category"),
    [
        ("Inclusion Criteria:", "inclusion"),
        ("INCLUSION CRITERIA", "inclusion"),
        ("**Inclusion criteria:**", "inclusion"),
        ("-INCLUSION CRITERIA:", "inclusion"),
        ("* SUBJECT INCLUSION CRITERIA:", "inclusion"),
        ("Inclusion criteria :", "inclusion"),
        ("Inclusion:", "inclusion"),
        ("Exclusion", "exclusion"),
        ("Key Exclusion Criteria", "exclusion"),
        ("Non-Inclusion Criteria:", "exclusion"),
        ("Part A and Part B Abbreviated Exclusion Criteria:", "exclusion"),
        ("Exclusion Criteria (patient group):", "exclusion"),
        ("Inclusion Criteria - Cohort Expansion Phase:", "inclusion"),
        ("Subjects will be excluded if they:", "exclusion"),
        ("A subject is eligible for inclusion if all the following criteria are met:", "inclusion"),
        ("Inclusion criteria：", "inclusion"),
    ],
)
def test_headings_of_many_wordings_say_what_follows(heading, category):
    found = read(f"{heading}\n\n* Has a cough\n* Owns a boat")
    assert [(point.category, point.text) for point in found.points] == [
        (category, "Has a cough"),
        (category, "Owns a boat"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "* Has a cough\n* Owns a boat",
        "Inclusion/Exclusion Criteria:\n\n* Has a cough\n* Owns a boat",
        "Patients of two clinics.\n\n* Has a cough\n* Owns a boat",
        "Eligibility Criteria\n\n1. Has a cough\n2. Owns a boat",
    ],
)
def test_without_a_heading_nothing_is_guessed(text):
    found = read(text)
    assert found.points == []
    assert {"Has a cough", "Owns a boat"} <= {line.text.split(" ", 1)[-1] for line in found.unplaced}


def test_a_point_that_mentions_criteria_is_a_point():
    inclusion, exclusion, unplaced = texts(
        "Inclusion Criteria:\n\n* Meets the inclusion criteria of the parent study\n* No exclusion criterion applies\n"
        "Patients meeting exclusion criteria later stay in.\n\nExclusion Criteria:\n\n* None"
    )
    assert inclusion == [
        "Meets the inclusion criteria of the parent study",
        "No exclusion criterion applies\n  Patients meeting exclusion criteria later stay in.",
    ]
    assert (exclusion, unplaced) == (["None"], [])


def test_sub_points_stay_with_their_point_whatever_their_sign_and_indent():
    inclusion, _, _ = texts(
        "Inclusion criteria\n\n  • One of:\n      ◦ fever\n          ▪ above 38 °C\n      ◦ cough\n  • Adult\n"
    )
    assert inclusion == ["One of:\n  • fever\n    • above 38 °C\n  • cough", "Adult"]
    wider, _, _ = texts(
        "Inclusion Criteria:\n\n1. One of:\n\n   * fever\n     * above 38 °C\n   * cough\n2. Adult\n"
    )
    assert wider == inclusion


def test_a_heading_for_a_part_is_kept_beside_the_points_it_heads():
    found = read(
        "Inclusion Criteria:\n\n* Adult\n\nControl Subjects:\n\n* No allergy\n\nInclusion Criteria for Part B:\n\n* Was in Part A"
    )
    assert [(point.text, point.under) for point in found.points] == [
        ("Adult", None),
        ("No allergy", "Control Subjects:"),
        ("Was in Part A", "Inclusion Criteria for Part B:"),
    ]


def test_paragraphs_without_bullets_are_points_and_words_after_a_heading_are_one():
    inclusion, exclusion, _ = texts(
        "Inclusion Criteria:\n\nAdults\n\nNon-smokers\n\nExclusion Criteria: pregnancy"
    )
    assert (inclusion, exclusion) == (["Adults", "Non-smokers"], ["pregnancy"])


def test_a_line_goes_on_where_a_point_was_broken_and_a_lone_bullet_waits_for_its_text():
    inclusion, _, _ = texts(
        "Inclusion Criteria:\n\n* Age 18\n  or older\n•\nAble to walk\nOR\n* Able to swim"
    )
    assert inclusion == ["Age 18\n  or older", "Able to walk\n  OR", "Able to swim"]


def test_numbers_of_many_kinds_are_numbers_and_letters_are_kept():
    inclusion, _, _ = texts("Inclusion Criteria:\n\n1) one\n(2) two\n3、 three\n① four\na) five")
    assert inclusion == ["one", "two", "three", "four", "a) five"]


WORDS = (
    st.text(alphabet="abcdefg ≥0123456789", min_size=1)
    .map(str.strip)
    .filter(lambda t: t and not t[0].isdigit())
)


@given(st.lists(WORDS, min_size=1, max_size=8), st.lists(WORDS, max_size=8), st.sampled_from("*•◦▪–"))
def test_as_many_points_as_bullets_in_the_words_given(including, excluding, sign):
    text = "Inclusion Criteria:\n\n" + "\n".join(f"{sign} {word}" for word in including)
    text += "\n\nExclusion Criteria:\n\n" + "\n".join(f"{sign} {word}" for word in excluding)
    inclusion, exclusion, unplaced = texts(text)
    assert (inclusion, exclusion, unplaced) == (including, excluding, [])


@given(st.text(alphabet="Inclusion Exclusion criteria:*•1.-\n \t–≥", max_size=200))
def test_any_text_gives_points_with_words_and_a_category(text):
    found = read(text)
    assert all(point.text.strip() and point.category in ("inclusion", "exclusion") for point in found.points)
    assert all(1 <= point.line <= text.count("\n") + 1 for point in found.points)

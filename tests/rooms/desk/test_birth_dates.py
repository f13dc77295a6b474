"""A birth date at screening: six digits in the study's order and never of a year to come; a later one is refused.

Source: decision 0018. The first study reads year, month, day; TODAY of the stories is 1 June 2026.
"""

from __future__ import annotations

import pytest

from equipoise.desk.identities import IdentityInput
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


def _person(one: Story, number: str) -> object:
    with one.desk.reading() as reader:
        return one.desk.standing_light(reader, one.subject(number)).case.screening.person


@pytest.mark.parametrize("typed", ["500312", "５００３１２", "1950年3月12日", "12-MAR-1950"])
def test_however_it_is_typed_it_is_the_same_person(story: Story, typed: str) -> None:
    first = story.screen("Same Person", "1950-03-12")
    story.clock.at = story.clock.at.replace(hour=3)
    assert story.subject(first)
    again = story.desk.screen(story.who("crc"), "01", IdentityInput("Same Person", typed, "0"), key="again")
    said = {one.rule for one in again.outcome.problems}
    # the same person is in screening already: refused as such, not taken for another
    assert again.number is None, _person(story, str(again.number))
    assert said
    assert not {rule for rule in said if "birth" in rule}


@pytest.mark.parametrize("typed", ["2050-03-12", "20260602"])
def test_a_birth_to_come_is_refused_beside_its_field(story: Story, typed: str) -> None:
    found = story.desk.screen(story.who("crc"), "01", IdentityInput("To Come", typed, "0"), key="ahead")
    assert found.number is None
    assert [(one.rule, one.where) for one in found.outcome.problems] == [
        ("desk.birth-date-ahead", "birth_date")
    ]

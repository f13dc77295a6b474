"""Pages about everybody fold nobody twice: what did not change is remembered, and what did is worked out again.

Source of the rule: the issue (a page must not grow with the study); decision 0030.
"""

from __future__ import annotations

import datetime as dt

import pytest

from equipoise.desk.flow import flow_page
from equipoise.desk.impact import impact
from equipoise.desk.setup import release
from rooms.desk.test_versions_at_sites import with_item
from stories.conftest import NIHSS, Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


@pytest.fixture
def three(story: Story) -> tuple[Story, list[str]]:
    """Three participants with a complete NIHSS, and a second version that asks one thing more there."""
    today = story.clock.at.date().isoformat()
    numbers = [story.screen(f"person {count}") for count in range(3)]
    for number in numbers:
        assert story.record("rater", number, "NIHSS", {**NIHSS, "NIHSSDAT": today}, complete=True).accepted
    assert release(story.desk, with_item(story.desk.study, "2.0", "NIHSS", id="SLEEP")) == ()
    return story, numbers


@pytest.fixture
def folded(three, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whom the desk folds from now on."""
    story, seen = three[0], []
    kept = story.desk.standing_light

    def counted(reader, subject):
        seen.append(subject)
        return kept(reader, subject)

    monkeypatch.setattr(story.desk, "standing_light", counted)
    return seen


def _impact(story: Story):
    with story.desk.reading() as reader:
        return impact(story.desk, reader, story.desk.trial(reader).released[-1].study)


def _subjects(three) -> set[str]:
    story, numbers = three
    return {story.subject(number) for number in numbers}


def test_the_second_look_folds_nobody_and_says_the_same(three, folded) -> None:
    story, _ = three
    first, flow = _impact(story), flow_page(story.desk, story.who("dm"))
    assert set(folded) == _subjects(three)
    folded.clear()
    assert (_impact(story), flow_page(story.desk, story.who("dm"))) == (first, flow)
    assert folded == []
    assert story.desk.amendments(story.who("dm")) is not None
    folded.clear()
    assert story.desk.amendments(story.who("dm")) is not None
    assert folded == []


def test_whoever_changed_is_folded_again_and_nobody_else(three, folded) -> None:
    story, numbers = three
    before = _impact(story)
    folded.clear()
    assert story.record("rater", numbers[1], "NIHSS", {}, complete=False, reason="TYPO").accepted
    folded.clear()
    after = _impact(story)
    assert set(folded) == {story.subject(numbers[1])}
    gone = {(hit.number, hit.kind) for hit in before.hits} - {(hit.number, hit.kind) for hit in after.hits}
    assert gone == {
        (numbers[1], "answers_lacking")
    }  # a form in progress lacks nothing that it was complete without


def test_another_day_and_another_version_are_not_answered_from_memory(three, folded) -> None:
    story, _ = three
    _impact(story)
    folded.clear()
    story.clock.at += dt.timedelta(days=1)
    _impact(story)
    assert set(folded) == _subjects(three)
    folded.clear()
    with story.desk.reading() as reader:
        impact(story.desk, reader, story.desk.trial(reader).released[0].study)
    assert set(folded) == _subjects(three)

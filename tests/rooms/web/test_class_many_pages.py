"""Classing many deviations from the log: a dry run that writes nothing, then each one, and what is left says why.

Source of the rules: the issue (batch work from a listing, dry first); ICH E3 10.2 (deviations are classed before the
blind is lifted).
"""

from __future__ import annotations

import pytest
from django.conf import settings

from equipoise.ledger.entries import DeviationClassed
from equipoise.oversight.commands import RaiseDeviation, WithdrawDeviation
from rooms.web.test_infusion_pages import enter
from stories.conftest import STAFF, Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories

PAGE = "/deviations"
TODAY = "2026-06-01"


@pytest.fixture
def three(pages, story: Story) -> tuple[Story, list[str]]:
    """Three deviations that nobody classed, of two participants of two sites; the ids."""
    from equipoise.pages.accounts.models import Account, Login

    Login.objects.all().delete()
    Account.objects.all().delete()
    settings.DESK = story.desk
    for actor, site, texts in (("crc", "01", ("late", "lost")), ("crc2", "02", ("forgotten",))):
        subject = story.subject(story.screen(f"person of {site}", actor=actor, site=site))
        for text in texts:
            story.done(actor, RaiseDeviation(subject, "V1", TODAY, text))
    return story, [line.id for line in _lines(story)]


def _lines(story: Story):
    from equipoise.desk.deviation_pages import Filters

    view = story.desk.study_deviations(story.who("dm"), Filters(), size=None)
    assert view is not None
    return sorted(view.lines, key=lambda line: line.text)


def _severities(story: Story) -> list[tuple[str, str, bool]]:
    return [(line.text, line.severity, line.important) for line in _lines(story)]


def _classed(story: Story) -> list[str]:
    """The deviation of every entry by which one was classed."""
    with story.desk.reading() as reader:
        streams = [one.stream for one in reader.streams() if one.stream.startswith("subject/")]
        entries = [one.entry for stream in streams for one in reader.entries(stream)]
    return [one.deviation for one in entries if isinstance(one, DeviationClassed)]


def _send(actor: str, do: str, chosen: list[str], **more: str):
    given = {"do": do, "deviation": chosen, "severity": "MAJOR", "important": "yes", "key": f"k {do}", **more}
    return enter(actor, STAFF[actor][0]).post(PAGE, given)


def test_a_dry_run_writes_nothing_and_the_act_classes_what_was_chosen(three) -> None:
    story, (forgotten, _, lost) = three
    dry = _send("dm", "look", [forgotten, lost]).content.decode()
    assert "2 would be classed as major. Nothing was written." in dry
    assert dry.count(" checked") == 3  # the two, and that they are important, are kept for the act
    assert {severity for _, severity, _ in _severities(story)} == {""}
    assert "2 classed." in _send("dm", "class", [forgotten, lost]).content.decode()
    assert _severities(story) == [("forgotten", "MAJOR", True), ("late", "", False), ("lost", "MAJOR", True)]
    written = _classed(story)
    assert sorted(written) == sorted([forgotten, lost])
    again = _send("dm", "class", [forgotten, lost])  # a double click: the same key
    assert again.status_code == 200
    assert _classed(story) == written
    assert _severities(story) == [("forgotten", "MAJOR", True), ("late", "", False), ("lost", "MAJOR", True)]


def test_what_cannot_be_classed_is_left_and_says_why_dry_and_then(three) -> None:
    story, (_, late, _) = three
    line = next(line for line in _lines(story) if line.id == late)
    story.done("dm", WithdrawDeviation(story.subject(line.number), late, "none after all"))
    for do in ("look", "class"):
        said = _send("dm", do, [], all="yes").content.decode()
        assert "Left as they are:" in said
        assert f"{line.number}, Recorded by a person: It was found to be none." in said
    assert _severities(story) == [("forgotten", "MAJOR", True), ("late", "", False), ("lost", "MAJOR", True)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"severity": ""}, "Choose how serious it is"),
        ({"deviation": []}, "Choose the deviations that are to be classed."),
        ({"do": ""}, "did not say what"),
    ],
)
def test_what_is_lacking_is_said_and_what_was_typed_stays(three, change, says) -> None:
    story, names = three
    answer = enter("dm", STAFF["dm"][0]).post(
        PAGE, {"do": "class", "deviation": names, "severity": "MAJOR", "text": "as agreed", **change}
    )
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert "as agreed" in answer.content.decode()
    assert {severity for _, severity, _ in _severities(story)} == {""}


def test_who_classes_none_is_offered_nothing_and_changes_nothing(three) -> None:
    story, names = three
    assert 'value="look"' not in enter("crc", STAFF["crc"][0]).get(PAGE).content.decode()
    said = _send(
        "crc", "class", names
    ).content.decode()  # of the other site nothing is in the coordinator's log
    assert said.count("<li>0") == 2
    assert {severity for _, severity, _ in _severities(story)} == {""}

"""A form keeps the version that it was completed under; it is moved by a person, without a value changing.

Sources: 21 CFR 11.70 (a signature is bound to its record); decision 0019.
"""

from __future__ import annotations

import pytest

from equipoise.capture.commands import MoveForms, RaiseFindings
from equipoise.capture.evolve import Place
from equipoise.desk.setup import adopt, give, release
from equipoise.protocol.digest import study_digest
from rooms.desk.test_impact_and_batches import with_check
from rooms.desk.test_versions_at_sites import with_item
from stories.conftest import NIHSS, Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories

NIHSS_AT = Place("V1", "NIHSS", 1)
RISK_AT = Place("V1", "RISK", 1)


@pytest.fixture
def amended(story: Story) -> tuple[Story, str]:
    """NIHSS complete and RISK begun under the first version; then one that asks SLEEP on both, in force at the site."""
    number, today = story.screen(), story.clock.at.date().isoformat()
    assert story.record("rater", number, "NIHSS", {**NIHSS, "NIHSSDAT": today}, complete=True).accepted
    assert story.record("crc", number, "RISK", {"HTN": "Y"}).accepted
    both = with_item(with_item(story.desk.study, "2.0", "NIHSS", id="SLEEP"), "2.0", "RISK", id="SLEEP")
    assert release(story.desk, both) == ()
    assert adopt(story.desk, "01", "2.0", "EC-01-2", today, today) == ()
    return story, number


def _asks(one: Story, number: str, form: str) -> bool:
    view = one.desk.form(one.who("crc"), number, "V1", form)
    assert view is not None
    return "SLEEP" in {item.id for item in view.items}


def _digest_of_last(one: Story, number: str) -> str:
    with one.desk.reading() as reader:
        return reader.entries(f"subject/{one.subject(number)}")[-1].header.study_digest


def _values(one: Story, number: str) -> dict[Place, dict[str, object]]:
    with one.desk.reading() as reader:
        forms = one.desk.standing_light(reader, one.subject(number)).case.capture.forms
    return {place: dict(instance.values) for place, instance in forms.items()}


def test_what_was_begun_goes_over_and_what_was_complete_stays(amended: tuple[Story, str]) -> None:
    story, number = amended
    assert (_asks(story, number, "NIHSS"), _asks(story, number, "RISK")) == (False, True)


def test_a_correction_of_a_complete_form_is_decided_by_the_version_it_keeps(
    amended: tuple[Story, str],
) -> None:
    story, number = amended
    assert story.record("rater", number, "NIHSS", {"3": "1"}, reason="typed wrongly").accepted
    with story.desk.reading() as reader:
        first = story.desk.trial(reader).released[0].digest
    assert _digest_of_last(story, number) == first
    page = story.desk.form(story.who("crc"), number, "V1", "NIHSS")
    assert page is not None
    assert page.state == "complete"
    assert "SLEEP" not in page.missing_items


def test_moving_a_form_changes_no_value_and_asks_what_is_new(amended: tuple[Story, str]) -> None:
    story, number = amended
    before, subject = _values(story, number), story.subject(number)
    assert give(story.desk, MoveForms(subject, (NIHSS_AT,), "sleep is needed of everybody")) == ()
    assert _values(story, number) == before
    assert _digest_of_last(story, number) == study_digest(story.desk.study)
    page = story.desk.form(story.who("crc"), number, "V1", "NIHSS")
    assert page is not None
    assert (page.state, page.missing_items) == ("in_progress", ("SLEEP",))
    assert story.record(
        "rater", number, "NIHSS", {"SLEEP": "well"}, complete=True, reason="asked now"
    ).accepted


@pytest.mark.parametrize(
    ("places", "reason", "rules"),
    [
        ((RISK_AT,), "why", {"amendments.form-there-already"}),
        ((), "why", {"amendments.nothing-to-move"}),
        ((NIHSS_AT,), "  ", {"oversight.reason-required"}),
    ],
)
def test_what_cannot_be_moved(
    amended: tuple[Story, str], places: tuple[Place, ...], reason: str, rules: set[str]
) -> None:
    story, number = amended
    assert {one.rule for one in give(story.desk, MoveForms(story.subject(number), places, reason))} == rules


def test_a_signed_form_never_moves(amended: tuple[Story, str], monkeypatch: pytest.MonkeyPatch) -> None:
    from equipoise.capture.closed import Closing

    story, number = amended
    monkeypatch.setattr(Closing, "signed_places", lambda self: frozenset({NIHSS_AT}))
    refused = give(story.desk, MoveForms(story.subject(number), (NIHSS_AT,), "why"))
    assert [one.rule for one in refused] == ["amendments.signed-form-stays"]


def test_what_an_older_page_asks_for_is_refused_with_what_was_typed(story: Story) -> None:
    """A page opened under 2.0, which asks SLEEP; then 3.0, which no longer does, comes into force at the site."""
    number, today, first = story.screen(), story.clock.at.date().isoformat(), story.desk.study
    for version, study in (("2.0", with_item(first, "2.0", "RISK", id="SLEEP")), ("3.0", first)):
        assert release(story.desk, study.model_copy(update={"version": version})) == ()
        assert adopt(story.desk, "01", version, f"EC-01-{version}", today, today) == ()
    refused = story.record("crc", number, "RISK", {"SLEEP": "badly"})
    assert [one.rule for one in refused.problems] == ["amendments.item-of-another-version"]
    assert "badly" in refused.problems[0].say("en")


def test_a_later_checks_query_on_a_kept_form_is_settled_when_the_answer_changes(story: Story) -> None:
    """The form keeps 1.0, which lacks the check; 2.0 is the participant's own. Issue: an answered query stayed open."""
    number, today = story.screen(), story.clock.at.date().isoformat()
    page = story.desk.form(story.who("crc"), number, "V1", "RISK")
    assert page is not None
    answers = {item.id: item.options[0].code for item in page.items if item.required}
    assert story.record("crc", number, "RISK", answers | {"HTN": "Y"}, complete=True).accepted
    assert release(story.desk, with_check(story.desk.study, "2.0", "RISK", "not HTN")) == ()
    assert adopt(story.desk, "01", "2.0", "EC-01-2", today, today) == ()
    subject = story.subject(number)
    assert give(story.desk, RaiseFindings(subject, ((*RISK_AT, "NEWCHK"),))) == ()

    def states() -> list[tuple[str, bool]]:
        with story.desk.reading() as reader:
            queries = story.desk.standing_light(reader, subject).case.capture.queries.values()
        return [(query.state, query.automatic) for query in queries if query.rule == "NEWCHK"]

    assert states() == [("OPEN", False)]
    assert story.record("crc", number, "RISK", {"DIAB": "N"}, reason="typed wrongly").accepted
    assert states() == [("OPEN", False)]  # what it asks about stands as it was
    assert story.record("crc", number, "RISK", {"HTN": "N"}, reason="typed wrongly").accepted
    assert states() == [("CLOSED", True)]

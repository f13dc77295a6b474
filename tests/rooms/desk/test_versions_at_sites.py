"""Two sites, two versions: each is decided, shown and recorded by the version that it adopted.

Sources: ICH E6(R3) 4.3.5 (activate per site only after approvals); decision 0019.
"""

from __future__ import annotations

import datetime as dt

import pytest

from equipoise.access.commands import GrantRole
from equipoise.capture.commands import RecordForm
from equipoise.desk.setup import adopt, give, release
from equipoise.ledger.entries import Datum
from equipoise.oversight.commands import MoveSubject
from equipoise.protocol.digest import study_digest
from equipoise.protocol.forms import Item
from equipoise.protocol.study import Study
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


def with_item(study: Study, version: str, form_id: str, **item: object) -> Study:
    """The study with one more item on a form, and a number of its own."""
    more = Item.model_validate({"label": {"en": "More", "zh": "更多"}, "type": "text", **item})
    forms = tuple(
        form.model_copy(update={"items": (*form.items, more)}) if form.id == form_id else form
        for form in study.forms
    )
    return study.model_copy(update={"version": version, "forms": forms})


@pytest.fixture
def two(story: Story) -> tuple[Story, str, str, str]:
    """A participant at each of two sites; then version 2.0, which asks SLEEP on RISK and which site 02 adopts."""
    one, other = story.screen(), story.screen("李四", "1960-01-01", actor="crc2", site="02")
    second = with_item(story.desk.study, "2.0", "RISK", id="SLEEP")
    assert release(story.desk, second) == ()
    today = story.clock.at.date().isoformat()
    assert adopt(story.desk, "02", "2.0", "EC-02-2", today, today) == ()
    return story, one, other, study_digest(second)


def test_each_site_is_asked_what_its_version_asks(two: tuple[Story, str, str, str]) -> None:
    story, one, other, _ = two
    pages = [
        story.desk.form(story.who(who), number, "V1", "RISK")
        for who, number in (("crc", one), ("crc2", other))
    ]
    asked = [{item.id for item in page.items} for page in pages if page is not None]
    assert asked[1] - asked[0] == {"SLEEP"}
    assert story.desk.study_of(one).version != "2.0"
    assert story.desk.study_of(other).version == "2.0" == story.desk.study.version


def test_each_entry_names_the_version_that_decided_it(two: tuple[Story, str, str, str]) -> None:
    story, one, other, second = two
    refused = story.record("crc", one, "RISK", {"SLEEP": "bad"})
    assert [found.rule for found in refused.problems] == ["amendments.item-of-another-version"]
    assert story.record("crc", one, "RISK", {"HTN": "Y"}).accepted
    assert story.record("crc2", other, "RISK", {"SLEEP": "bad"}).accepted
    with story.desk.reading() as reader:
        digests = [
            reader.entries(f"subject/{story.subject(number)}")[-1].header.study_digest
            for number in (one, other)
        ]
        first = story.desk.trial(reader).released[0].digest
    assert digests == [first, second]


def test_who_comes_in_is_screened_by_the_version_of_the_site(two: tuple[Story, str, str, str]) -> None:
    story, _, _, second = two
    number = story.screen("王五", "1961-01-01", actor="crc2", site="02")
    with story.desk.reading() as reader:
        assert reader.entries(f"subject/{story.subject(number)}")[0].header.study_digest == second


def test_the_version_changes_at_the_sites_own_midnight(story: Story) -> None:
    """16:00 UTC is midnight in Shanghai: a minute before it the first version decides, a minute after it the second."""
    number = story.screen()
    assert release(story.desk, with_item(story.desk.study, "2.0", "RISK", id="SLEEP")) == ()
    assert adopt(story.desk, "01", "2.0", "EC-01-2", "2026-06-01", "2026-06-02") == ()
    story.clock.at = dt.datetime(2026, 6, 1, 15, 59, tzinfo=dt.UTC)
    assert not story.record("crc", number, "RISK", {"SLEEP": "bad"}).accepted
    story.clock.at = dt.datetime(2026, 6, 1, 16, 1, tzinfo=dt.UTC)
    assert story.record("crc", number, "RISK", {"SLEEP": "bad"}).accepted


def test_who_stays_is_moved_one_by_one(story: Story) -> None:
    number = story.screen()
    story.clock.at += dt.timedelta(days=1)
    today = story.clock.at.date().isoformat()
    assert release(story.desk, with_item(story.desk.study, "2.0", "RISK", id="SLEEP")) == ()
    assert adopt(story.desk, "01", "2.0", "EC-01-2", today, today, staying=True) == ()
    newcomer = story.screen("李四", "1960-01-01")
    save = RecordForm(story.subject(number), "V1", "RISK", 1, {"SLEEP": Datum("bad")}, 0)
    assert story.refused("crc", save) == {"amendments.item-of-another-version"}
    assert story.record("crc", newcomer, "RISK", {"SLEEP": "bad"}).accepted
    assert give(story.desk, MoveSubject(story.subject(number), "2.0", "signed the new consent")) == ()
    story.done("crc", save)


def test_a_list_hides_what_any_version_hides(story: Story) -> None:
    """Version 2.0 shows the infusion form to raters; site 01, where it is hidden still, must not be told of it."""
    study = story.desk.study
    hidden = next(form for form in study.forms if "rater" in form.hidden_from)
    shown = tuple(
        form.model_copy(update={"hidden_from": ()}) if form.id == hidden.id else form for form in study.forms
    )
    assert release(story.desk, study.model_copy(update={"version": "2.0", "forms": shown})) == ()
    with story.desk.reading() as reader:
        trial = story.desk.trial(reader)
    assert hidden.id not in trial.hidden_from("rater")
    assert hidden.id in trial.ever_hidden_from("rater")


def test_a_grant_is_decided_by_the_newest(story: Story) -> None:
    assert release(story.desk, story.desk.study.model_copy(update={"version": "2.0"})) == ()
    assert give(story.desk, GrantRole("late", "monitor")) == ()
    with story.desk.reading() as reader:
        header = reader.entries("user/late")[-1].header
        assert header.study_digest == story.desk.trial(reader).digest

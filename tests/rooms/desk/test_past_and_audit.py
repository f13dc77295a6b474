"""What stood at a past moment is worked out from the entries; the audit trail is searched and marked as reviewed.

Sources: FDA 21 CFR 11.10(e); EMA 2023, audit trail review as a function; reliability notes 1.4 (`as_of(t)`).
"""

from __future__ import annotations

import datetime as dt

import pytest

from equipoise.capture.commands import AnswerQuery, RaiseQuery
from equipoise.desk.audit import Search
from equipoise.desk.past import PastDesk, as_of
from equipoise.desk.setup import adopt, release
from equipoise.oversight.commands import ReviewAudit
from rooms.desk.test_versions_at_sites import with_item
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


@pytest.fixture
def lived(story: Story) -> tuple[Story, str, list[dt.datetime]]:
    """A participant over four days: screened; HTN yes; HTN no; a version with SLEEP, and SLEEP answered."""
    number, days = story.screen(), [story.clock.at]
    for value in ("Y", "N"):
        story.clock.at += dt.timedelta(days=1)
        assert story.record("crc", number, "RISK", {"HTN": value}).accepted
        days.append(story.clock.at)
    story.clock.at += dt.timedelta(days=1)
    today = story.clock.at.date().isoformat()
    assert release(story.desk, with_item(story.desk.study, "2.0", "RISK", id="SLEEP")) == ()
    assert adopt(story.desk, "01", "2.0", "EC-01-2", today, today) == ()
    assert story.record("crc", number, "RISK", {"SLEEP": "badly"}).accepted
    days.append(story.clock.at)
    return story, number, days


def _at(one: Story, moment: dt.datetime) -> PastDesk:
    return as_of(one.desk, moment + dt.timedelta(hours=1))


def test_a_form_is_shown_as_it_stood_then(lived: tuple[Story, str, list[dt.datetime]]) -> None:
    story, number, days = lived
    story.clock.at += dt.timedelta(days=5)
    found = []
    for day in days:
        view = _at(story, day).form(story.who("crc"), number, "V1", "RISK")
        assert view is not None
        assert not view.editable
        found.append({item.id: item.value.value for item in view.items if item.value.value})
    assert found == [{}, {"HTN": "Y"}, {"HTN": "N"}, {"HTN": "N", "SLEEP": "badly"}]


def test_it_is_shown_by_the_version_of_then(lived: tuple[Story, str, list[dt.datetime]]) -> None:
    story, number, days = lived
    asked = [_at(story, day).form(story.who("crc"), number, "V1", "RISK") for day in days]
    assert ["SLEEP" in {item.id for item in view.items} for view in asked if view] == [
        False,
        False,
        False,
        True,
    ]


def test_the_last_moment_is_what_stands_now(lived: tuple[Story, str, list[dt.datetime]]) -> None:
    """A law for the pages: as of now, and as of any later moment, they are the pages of now, but for what may be done."""
    story, number, _ = lived
    who = story.who("crc")
    past = as_of(story.desk, story.clock.at + dt.timedelta(days=400))
    now, then = story.desk.subject(who, number), past.subject(who, number)
    assert now is not None
    assert then is not None
    assert (then.rows, then.columns, then.status) == (now.rows, now.columns, now.status)
    assert (then.may, then.tasks) == (frozenset(), ())
    assert past.checklist(who, number) is not None


def test_who_was_not_there_yet_is_not_found(lived: tuple[Story, str, list[dt.datetime]]) -> None:
    story, number, days = lived
    past = as_of(story.desk, days[0] - dt.timedelta(days=1))
    who = story.who("crc")
    assert past.subject(who, number) is None
    assert past.form(who, number, "V1", "RISK") is None


def test_a_number_given_later_does_not_show_in_the_past(story: Story) -> None:
    number, before = story.eligible(), story.clock.at
    story.clock.at += dt.timedelta(days=1)
    assert story.randomize(number).accepted
    view = as_of(story.desk, before).subject(story.who("crc"), number)
    assert view is not None
    assert (view.randomization_number, view.randomized_on, view.status) == (None, None, "ELIGIBLE")


def test_what_is_hidden_now_is_hidden_in_the_past(lived: tuple[Story, str, list[dt.datetime]]) -> None:
    story, number, days = lived
    forms = tuple(
        form.model_copy(update={"hidden_from": ("rater",)}) if form.id == "RISK" else form
        for form in story.desk.study.forms
    )
    assert release(story.desk, story.desk.study.model_copy(update={"version": "3.0", "forms": forms})) == ()
    assert _at(story, days[1]).form(story.who("rater"), number, "V1", "RISK") is None
    assert _at(story, days[1]).form(story.who("crc"), number, "V1", "RISK") is not None


def test_nothing_is_written_from_the_past(lived: tuple[Story, str, list[dt.datetime]]) -> None:
    story, number, days = lived
    subject = story.subject(number)
    refused = _at(story, days[1]).submit(
        story.who("cra"), RaiseQuery(subject, "V1", "RISK", 1, "HTN", "?"), key="k"
    )
    assert [one.rule for one in refused.problems] == ["audit.past-is-read"]


def _found(one: Story, search: Search, actor: str = "dm", after: str = "") -> list[tuple[str, str]]:
    view = one.desk.audit(one.who(actor), search, after)
    assert view is not None
    return [(line.kind, line.number) for line in view.lines]


def test_the_trail_is_searched(lived: tuple[Story, str, list[dt.datetime]]) -> None:
    story, number, days = lived
    story.done("cra", RaiseQuery(story.subject(number), "V1", "RISK", 1, "HTN", "Since when does she smoke?"))
    assert _found(story, Search(number=number, kind="FormSaved")) == [("FormSaved", number)] * 3
    assert _found(story, Search(kind="FormSaved", item="SLEEP")) == [("FormSaved", number)]
    assert _found(story, Search(words="smoke")) == [("QueryAsked", number)]
    assert _found(story, Search(actor="cra")) == [("QueryAsked", number)]
    assert _found(story, Search(form="RISK", since=days[1], until=days[2])) == [("FormSaved", number)]
    assert _found(story, Search(number="99999")) == []
    assert ("VersionAdopted", "") in _found(story, Search())
    view = story.desk.audit(story.who("dm"), Search(kind="QueryAsked"))
    assert view is not None
    line = view.lines[0]
    assert (line.who, line.place, line.items, line.reason) == (
        story.desk.register.staff_name("cra"), ("V1", "RISK", 1), ("HTN",), "Since when does she smoke?",
    )  # fmt: skip


def test_a_page_follows_the_one_before_and_none_is_left_out(
    lived: tuple[Story, str, list[dt.datetime]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from equipoise.desk import audit

    story, _, _ = lived
    whole = story.desk.audit(story.who("dm"), Search())
    assert whole is not None
    monkeypatch.setattr(audit, "PAGE", 7)
    found, after = [], ""
    while True:
        view = story.desk.audit(story.who("dm"), Search(), after)
        assert view is not None
        found += [(line.stream, line.seq) for line in view.lines]
        after = view.after
        if not after:
            break
    assert len(found) == len(set(found)) >= 20
    assert found[: len(whole.lines)] == [(line.stream, line.seq) for line in whole.lines]


def test_a_role_sees_no_more_here_than_on_its_pages(lived: tuple[Story, str, list[dt.datetime]]) -> None:
    story, number, _ = lived
    kinds = {kind for kind, _ in _found(story, Search(), "cra")}
    assert (
        "RoleGranted" not in kinds
    )  # who holds an unblinded role is read on a page that a monitor does not have
    assert story.desk.audit(story.who("crc"), Search()) is None
    forms = tuple(
        form.model_copy(update={"hidden_from": ("monitor",)}) if form.id == "RISK" else form
        for form in story.desk.study.forms
    )
    story.done("dm", RaiseQuery(story.subject(number), "V1", "RISK", 1, "HTN", "Is it so?"))
    with story.desk.reading() as reader:
        asked = next(iter(story.desk.standing_light(reader, story.subject(number)).case.capture.queries))
    story.done("crc", AnswerQuery(story.subject(number), asked, "It is."))
    assert release(story.desk, story.desk.study.model_copy(update={"version": "3.0", "forms": forms})) == ()
    seen = {kind for kind, _ in _found(story, Search(number=number), "cra")}
    assert seen.isdisjoint({"FormSaved", "QueryAsked", "QueryAnswered"})
    assert {"FormSaved", "QueryAnswered"} <= {kind for kind, _ in _found(story, Search(number=number), "dm")}


def test_a_range_is_marked_as_reviewed(lived: tuple[Story, str, list[dt.datetime]]) -> None:
    story, number, days = lived
    subject, since, until = story.subject(number), days[0].isoformat(), days[2].isoformat()
    story.done("dm", ReviewAudit(subject, since, until, "changes of HTN looked at; plausible"))
    view = story.desk.audit(story.who("cra"), Search())
    assert view is not None
    assert [(one.entry.of_subject, one.entry.note) for one in view.reviews] == [
        (subject, "changes of HTN looked at; plausible")
    ]
    late = (story.clock.at + dt.timedelta(days=1)).isoformat()
    assert story.refused("dm", ReviewAudit("", since, late, "n")) == {"audit.range-to-come"}
    assert story.refused("dm", ReviewAudit("", until, since, "n")) == {"audit.range-unfit"}
    assert story.refused("dm", ReviewAudit("", since, "yesterday", "n")) == {"audit.range-unfit"}
    assert story.refused("dm", ReviewAudit("", since, until, " ")) == {"audit.note-required"}
    assert story.refused("cra", ReviewAudit("", since, until, "n")) == {"access.not-allowed"}

"""Why a check asked: the values that it saw then, and nothing that its reader may not see."""

from __future__ import annotations

from equipoise.capture.commands import RaiseQuery, RecordForm
from equipoise.ledger.entries import Datum
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # fixtures of the stories


def asked(story: Story) -> tuple[str, str, str]:
    """A participant whose systolic pressure is below the diastolic: subject, number and the check's query."""
    number = story.screen()
    subject = story.subject(number)
    story.done("crc", RecordForm(subject, "V1", "VS", 1, {"DIABP": Datum("90")}, 0))
    story.done("crc", RecordForm(subject, "V1", "VS", 1, {"SYSBP": Datum("85")}, 99))
    (query,) = story.captured(number).queries.values()
    return subject, number, query.id


def test_a_query_is_explained_with_the_values_it_saw_and_those_of_now(story: Story) -> None:
    subject, number, query = asked(story)
    story.done("crc", RecordForm(subject, "V1", "VS", 1, {"SYSBP": Datum("88")}, 99))
    view = story.desk.explain(story.who("crc"), number, query)
    assert view is not None
    seen = {one.name: (one.then.en, one.now.en) for one in view.data}
    assert seen == {"SYSBP": ("85 mm[Hg]", "88 mm[Hg]"), "DIABP": ("90 mm[Hg]", "90 mm[Hg]")}
    assert view.holds == "SYSBP > DIABP"
    assert [(part.source, part.value.en) for part in view.parts] == [
        ("SYSBP > DIABP", "no"), ("SYSBP", "85 mm[Hg]"), ("DIABP", "90 mm[Hg]"),
    ]  # fmt: skip
    assert (view.parts[0].value.say("zh"), view.now.en) == ("否", "no")
    assert all(one.who and one.at and one.where.zh for one in view.data)


def test_a_range_is_explained_as_the_rule_that_it_is(story: Story) -> None:
    number = story.screen()
    subject = story.subject(number)
    story.done("crc", RecordForm(subject, "V1", "VS", 1, {"PULSE": Datum("150")}, 0))
    (query,) = story.captured(number).queries.values()
    view = story.desk.explain(story.who("crc"), number, query.id)
    assert view is not None
    assert (view.parts[0].value.en, view.data[0].then.en) == ("no", "150 /min")


def test_a_person_s_query_has_no_rule_and_shows_its_item(story: Story) -> None:
    number = story.screen()
    subject = story.subject(number)
    story.done("crc", RecordForm(subject, "V1", "VS", 1, {"PULSE": Datum("70")}, 0))
    story.done("cra", RaiseQuery(subject, "V1", "VS", 1, "PULSE", "Source?"))
    (query,) = story.captured(number).queries.values()
    view = story.desk.explain(story.who("cra"), number, query.id)
    assert view is not None
    assert (view.parts, [one.name for one in view.data]) == ((), ["PULSE"])


def test_who_may_not_see_the_form_is_told_nothing_of_its_query(story: Story) -> None:
    number = story.screen()
    subject = story.subject(number)
    story.done("crc", RecordForm(subject, "V2", "INFVS", 1, {"PULSE": Datum("150")}, 0))
    (query,) = story.captured(number).queries.values()
    assert story.desk.explain(story.who("crc"), number, query.id) is not None
    assert story.desk.explain(story.who("rater"), number, query.id) is None
    assert story.desk.explain(story.who("crc"), number, "none-such") is None


def test_a_refused_save_is_explained_with_what_was_to_be_recorded_and_writes_nothing(story: Story) -> None:
    """Of the day (1 June 2026) the rule `days(VSDAT, reference_date) >= 0` takes no measurement of tomorrow."""
    number = story.screen()
    subject = story.subject(number)
    story.done("crc", RecordForm(subject, "V1", "VS", 1, {"VSDAT": Datum("2026-05-31")}, 0))
    wanted = RecordForm(subject, "V1", "VS", 1, {"VSDAT": Datum("2026-06-02"), "PULSE": Datum("70")}, 99)
    assert [one.arguments["check"] for one in story.submit("crc", wanted).problems] == ["measured-by-today"]
    before = story.captured(number)
    found = story.desk.explain_refusals(story.who("crc"), number, wanted)
    assert list(found) == ["measured-by-today"]
    view = found["measured-by-today"]
    seen = {one.name: (one.then.en, one.now.en) for one in view.data}
    assert seen["VSDAT"] == ("2026-06-02", "2026-05-31")
    assert (view.holds, view.parts[0].value.en) == ("days(VSDAT, reference_date) >= 0", "no")
    assert any("2026-06-01" in one.then.en for one in view.data)
    assert story.captured(number) == before


def test_a_refusal_is_not_explained_to_who_may_not_see_the_form(story: Story) -> None:
    number = story.screen()
    subject = story.subject(number)
    wanted = RecordForm(subject, "V2", "INFVS", 1, {"IVDAT": Datum("2026-06-02")}, 0)
    assert story.desk.explain_refusals(story.who("rater"), number, wanted) == {}
    assert story.desk.explain_refusals(story.who("crc2"), number, wanted) == {}

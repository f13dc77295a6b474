"""Reference ranges at the desk: what a form shows of a value, and the event that a significant one begins."""

from __future__ import annotations

from equipoise.capture.commands import RecordForm
from equipoise.ledger.entries import Datum
from equipoise.oversight.commands import RecordRanges
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]
TABLE = "test,unit,low,high,valid_from\nHGB,g/L,140,160,2026-01-01\n"


def _value(one: Story, number: str, **items: str) -> None:
    subject = one.subject(number)
    base = one.desk.form_seq(subject, "V1", "LBHEM", 1)
    one.done(
        "crc",
        RecordForm(subject, "V1", "LBHEM", 1, {name: Datum(text) for name, text in items.items()}, base),
    )


def test_a_value_is_shown_with_the_range_of_its_day_and_its_laboratory(story: Story) -> None:
    story.done("crc", RecordRanges("01", "Hospital laboratory", TABLE))
    number = story.screen()
    _value(story, number, HEMDAT="2026-05-20", HGB="120", WBC="20")
    view = story.desk.form(story.who("crc"), number, "V1", "LBHEM")
    assert view is not None
    items = {item.id: item for item in view.items}
    shown = items["HGB"].range
    assert shown is not None
    assert (shown.indicator, shown.low, shown.high) == ("L", "140", "160")
    assert (shown.laboratory, shown.since) == ("Hospital laboratory", "2026-01-01")
    assert items["WBC"].range is not None
    assert (items["WBC"].range.indicator, items["WBC"].range.laboratory) == ("H", "")
    assert items["HGBCS"].visible
    assert not items["PLATCS"].visible


def test_a_significant_value_begins_an_event_by_a_persons_hand(story: Story) -> None:
    story.done("crc", RecordRanges("01", "Hospital laboratory", TABLE))
    number = story.screen()
    _value(story, number, HEMDAT="2026-05-20", HGB="120")
    who = story.who("crc")
    assert (
        story.desk.event_offer(who, number, "V1", "LBHEM", 1, "HGB") is None
    )  # nobody called it significant
    _value(story, number, HGBCS="CS")
    offer = story.desk.event_offer(who, number, "V1", "LBHEM", 1, "HGB")
    assert offer is not None
    assert (offer.form, offer.row, offer.term[0], offer.start[0]) == ("AE", 1, "AETERM", "AESTDAT")
    assert (offer.term[2].en, offer.term[2].zh) == ("Haemoglobin low", "血红蛋白降低")
    assert offer.start[2] == "2026-05-20"
    assert story.desk.event_offer(story.who("rater"), number, "V1", "LBHEM", 1, "HGB") is None
    assert story.desk.event_offer(who, number, "V1", "LBHEM", 1, "WBC") is None


def test_the_ranges_of_a_site_are_read_by_who_reads_its_casebooks(story: Story) -> None:
    story.done("crc", RecordRanges("01", "Hospital laboratory", TABLE))
    view = story.desk.ranges(story.who("crc"), "01")
    assert view is not None
    assert view.may
    assert [(label.en, row.low) for label, row in view.lines] == [("Haemoglobin", "140")]
    assert story.desk.ranges(story.who("crc"), "99") is None
    monitor = story.desk.ranges(story.who("cra"), "01")
    assert monitor is not None
    assert not monitor.may

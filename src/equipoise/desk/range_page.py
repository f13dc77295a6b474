"""The reference ranges of a site's laboratory as a page shows them, and an event begun from a laboratory value."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may, may_read
from equipoise.capture.commands import RecordForm
from equipoise.capture.logs import next_row
from equipoise.capture.questions import question
from equipoise.desk.desk import Desk
from equipoise.desk.form_page import form_page
from equipoise.ledger.entries import RangeRow
from equipoise.oversight.commands import RecordRanges
from equipoise.protocol.forms import LOG
from equipoise.words.problem import say
from equipoise.words.text import LANGUAGES, Text


@dataclass(frozen=True, slots=True)
class RangesView:
    """A site's ranges, each with the label of its test; `may`: whether the reader may record some."""

    site: str
    lines: tuple[tuple[Text, RangeRow], ...]
    may: bool


@dataclass(frozen=True, slots=True)
class EventOffer:
    """A row of a log that a significant value would begin: the log, its row, and its first two answers by item."""

    form: str
    form_label: Text
    row: int
    term: tuple[str, Text, Text]
    start: tuple[str, Text, str]


def ranges_page(desk: Desk, who: Who, site: str) -> RangesView | None:
    """The ranges of a site, for whoever reads its casebooks."""
    if not may_read(who, "casebook", site):
        return None
    with desk.reading() as reader:
        trial, now = desk.trial(reader), desk.standing_of_site(reader, site)
    if not now.facts.site_known:
        return None
    labels = {item.id: item.label for form in trial.study.forms for item in form.tests()}
    lines = tuple((labels.get(row.test, Text(row.test)), row) for row in now.facts.ranges)
    return RangesView(site, lines, may(who, RecordRanges(site, "", ""), now.facts) is None)


def event_offer(
    desk: Desk, who: Who, number: str, visit: str, form_id: str, repeat: int, item_id: str
) -> EventOffer | None:
    """What a value that was called significant would begin; None where it was not, or the reader may not see it."""
    view = form_page(desk, who, number, visit, form_id, repeat)
    if view is None:
        return None
    found = next((item for item in view.items if item.id == item_id), None)
    significant = any(item.event == item_id for item in view.items)
    with desk.reading() as reader:
        trial = desk.trial(reader)
        subject = desk.may_read(reader, who, "casebook", number)
        if subject is None:
            return None
        now = desk.standing_light(reader, subject)
    case = now.case.capture
    event, panel = trial.study.reference_ranges.event, trial.study.form(form_id)
    log = trial.study.form(event.form) if event is not None else None
    if (
        found is None
        or found.range is None
        or not significant
        or event is None
        or log is None
        or panel is None
    ):
        return None
    row = next_row(case, event.form)
    if (
        panel.panel is None
        or may(who, RecordForm(subject, LOG, event.form, row, {}, 0), now.facts) is not None
    ):
        return None
    term, start = question(log, event.term), question(log, event.start)
    sampled = next((item for item in view.items if item.id == panel.panel.sampled), None)
    if term is None or start is None:
        return None
    key = "logs.event-term-low" if found.range.indicator == "L" else "logs.event-term-high"
    words = {language: say(key, language, {"test": found.label.say(language)}) for language in LANGUAGES}
    return EventOffer(
        event.form,
        log.label,
        row,
        (event.term, term.label, Text(words["en"], words["zh"])),
        (event.start, start.label, sampled.value.value or "" if sampled is not None else ""),
    )

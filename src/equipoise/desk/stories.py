"""Stories worth finding in a rehearsal: one of each sort of thing that happened, read from the tables.

The rules that must stay true: nothing is known beforehand, what is told stands in the store; nothing here follows from
an arm. The sorts are those of a newcomer's first walk (ux notes 5.3).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from equipoise.capture.evolve import Place
from equipoise.capture.questions import questions
from equipoise.desk.desk import Desk
from equipoise.desk.deviation_tables import DEVIATIONS
from equipoise.desk.diary_tables import PHONES
from equipoise.desk.diary_waiting import WAITING
from equipoise.desk.followers import BAGS, BREAKS, FORMS, QUERIES, SUBJECTS
from equipoise.desk.visit_tables import COURSES
from equipoise.diary.commands import PARTICIPANT
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Cell
from equipoise.protocol.study import Study
from equipoise.words.text import Text

SERIOUS = "AESER"
"""The SDTM variable that says of an adverse event whether it was serious."""
Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Story:
    """Something that happened: its message with arguments, the page that shows it, and who may look there.

    role, site: of somebody who may; no site: of whatever site.
    """

    key: str
    path: str
    role: str
    site: str
    told: Mapping[str, str] = field(default_factory=dict)


def stories(desk: Desk) -> tuple[Story, ...]:
    """One story of each sort that there is, in the order in which a newcomer meets them."""
    with desk.reading() as reader:
        study = desk.trial(reader).study
        numbers = {str(row["subject"]): row for row in reader.rows.find(SUBJECTS)}
        telling = (
            _perfect(reader, numbers), _queries(reader, study, numbers), _missed(reader),
            _serious(desk, reader, study, numbers), _breaks(reader, numbers), _caregivers(reader, numbers),
            _flags(reader), _bags(reader, numbers),
            _left(reader), _failed(numbers), _late_site(numbers),
        )  # fmt: skip
        return tuple(one for each in telling for one in each)


def _subject(number: object, *parts: object) -> str:
    return "/".join(("/subjects", quote(str(number)), *(quote(str(part)) for part in parts)))


def _of(key: str, row: Row, *parts: object, role: str = "coordinator", **told: object) -> Story:
    """A story of the participant of a row that has `number` and `site`."""
    said = {name: str(value) for name, value in {"number": row["number"], **told}.items()}
    return Story(f"travel.story-{key}", _subject(row["number"], *parts), role, str(row["site"]), said)


def _perfect(reader: Reader, subjects: Mapping[str, Row]) -> Iterator[Story]:
    """The participant longest in the trial of whom nothing was asked and nothing departed."""
    asked = {str(row["subject"]) for row in reader.rows.find(QUERIES)}
    asked |= {str(row["subject"]) for row in reader.rows.find(DEVIATIONS)}
    fine = [row for subject, row in subjects.items() if row["randomized_at"] and subject not in asked]
    for row in sorted(fine, key=lambda row: str(row["randomized_at"]))[:1]:
        yield _of("perfect", row)


def _queries(reader: Reader, study: Study, subjects: Mapping[str, Row]) -> Iterator[Story]:
    """A question that a check raised, and one that a person did; an open one sooner than a closed one."""
    rows = [row for row in reader.rows.find(QUERIES) if row["item"]]
    rows.sort(key=lambda row: (row["state"] != "OPEN", str(row["raised_at"])))
    for key, manual in (("query", False), ("source", True)):
        for row in [one for one in rows if (one["rule"] == "manual") is manual][:1]:
            number = subjects[str(row["subject"])]["number"]
            item = _label(study, str(row["form"]), str(row["item"]))
            told = {
                "number": str(number),
                "item": item.en,
                "item.zh": item.zh or item.en,
                "visit": str(row["visit"]),
            }
            path = f"/queries/{quote(str(number))}/{quote(str(row['query']))}"
            yield Story(f"travel.story-{key}", path, "coordinator", str(row["site"]), told)


def _label(study: Study, form: str, item: str) -> Text:
    """What a form calls an item; its id where it has no words of its own."""
    asked = study.form(form)
    found = next((each.own for each in questions(asked) if each.id == item), None) if asked else None
    return found.label if found is not None else Text(item)


def _missed(reader: Reader) -> Iterator[Story]:
    for row in [row for row in reader.rows.find(COURSES) if row["missed"]][:1]:
        visit = str(row["missed"]).split()[0]
        yield _of("missed", row, "visits", visit=visit)


def _serious(desk: Desk, reader: Reader, study: Study, subjects: Mapping[str, Row]) -> Iterator[Story]:
    """The latest event that is serious by its own row."""
    asked = {
        form.id: item.id
        for form in study.forms
        for item in form.items
        if item.sdtm is not None and item.sdtm.variable == SERIOUS
    }
    rows = reader.rows.find(FORMS, {"form": list(asked)}) if asked else ()
    for row in sorted(rows, key=lambda row: str(row["saved_at"]), reverse=True):
        state = desk.case(reader, str(row["subject"])).capture
        form, repeat = str(row["form"]), int(row["repeat"] or 0)
        said = state.form(Place(str(row["visit"]), form, repeat)).values.get(asked[form])
        if said is not None and said.value == "Y":
            yield _of(
                "serious",
                subjects[str(row["subject"])],
                "forms",
                row["visit"],
                form,
                repeat,
                role="investigator",
            )
            return


def _breaks(reader: Reader, subjects: Mapping[str, Row]) -> Iterator[Story]:
    for row in [row for row in reader.rows.find(BREAKS) if not row["drill"]][-1:]:
        yield _of("break", subjects[str(row["subject"])], role="safety_desk")


def _caregivers(reader: Reader, subjects: Mapping[str, Row]) -> Iterator[Story]:
    rows = [
        row for row in reader.rows.find(PHONES) if row["holder"] != PARTICIPANT and row["state"] == "ENROLLED"
    ]
    for row in rows[:1]:
        yield _of("caregiver", subjects[str(row["subject"])], "diary")


def _flags(reader: Reader) -> Iterator[Story]:
    for row in list(reader.rows.find(WAITING, {"state": "WAITING", "kind": "FLAG"}))[-1:]:
        yield _of("flag", row, "diary", role="investigator")


def _bags(reader: Reader, subjects: Mapping[str, Row]) -> Iterator[Story]:
    rows = [row for row in reader.rows.find(BAGS, {"state": "REJECTED"}) if row["subject"]]
    for row in rows[:1]:
        yield _of("bag", subjects[str(row["subject"])], "infusion")


def _left(reader: Reader) -> Iterator[Story]:
    for row in [row for row in reader.rows.find(COURSES) if row["withdrawn"]][:1]:
        yield _of("withdrawn", row)


def _failed(subjects: Mapping[str, Row]) -> Iterator[Story]:
    for row in [row for row in subjects.values() if row["failed_at"]][-1:]:
        yield _of("failed", row, "eligibility")


def _late_site(subjects: Mapping[str, Row]) -> Iterator[Story]:
    """The site whose first participant came last."""
    first: dict[str, str] = {}
    for row in subjects.values():
        site, at = str(row["site"]), str(row["screened_at"])
        first[site] = min(first.get(site, at), at)
    if len(first) > 1:
        last = max(first, key=lambda site: first[site])
        days = (_day(first[last]) - _day(min(first.values()))).days
        yield Story("travel.story-late-site", "/enrolment", "sponsor", "", {"site": last, "days": str(days)})


def _day(at: str) -> dt.date:
    return dt.datetime.fromisoformat(at).date()

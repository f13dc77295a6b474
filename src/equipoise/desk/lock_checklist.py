"""The checklist of the database lock, counted now: each line says how much is left, and where to go for it.

The rules that must stay true: every line is counted from the read tables or from what was recorded, none is typed; a
line that cannot be counted here stays red until a person says that it is settled. It holds no value and no arm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from equipoise.access.roles import ROLES
from equipoise.capture.closing.database import LINES
from equipoise.desk.closing_tables import CLOSING_CASES, CLOSINGS, EXPECTED_COUNTS, count_closings
from equipoise.desk.deviation_tables import DEVIATIONS
from equipoise.desk.diary_waiting import DIARIES
from equipoise.desk.double_tables import DOUBLES, PENDING
from equipoise.desk.ended import left_early
from equipoise.desk.followers import QUERIES
from equipoise.desk.standing import Trial
from equipoise.desk.verification_plan import to_verify
from equipoise.diary.evolve import START, evolve
from equipoise.diary.paper import Card, waiting
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Condition
from equipoise.protocol.study import Study

LINKS: Mapping[str, str] = {
    "OPEN_QUERIES": "/queries?state=open",
    "FORMS_INCOMPLETE": "/lock/incomplete",
    "ENTRIES_UNSETTLED": "/double",
    "CARDS_UNSETTLED": "/lock/cards",
    "FORMS_UNSIGNED": "/lock/unsigned",
    "VERIFICATION_OPEN": "/verification",
    "DEVIATIONS_UNCLASSED": "/deviations",
    "REVEALING_UNSETTLED": "/lock#REVEALING_SETTLED",
    "UNSENT": "/lock#NOTHING_UNSENT",
}
"""Line -> the page where it is settled."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the checklist: what is left to do, and the page where it is done."""

    id: str
    count: int
    link: str


def checklist(reader: Reader, trial: Trial) -> tuple[Line, ...]:
    """Every line, counted at the reader's moment."""
    return tuple(Line(line, _count(reader, trial, line), LINKS[line]) for line in LINES)


def _count(reader: Reader, trial: Trial, line: str) -> int:
    rows, conditions = reader.rows, trial.database.conditions
    match line:
        case "OPEN_QUERIES":
            return rows.count(QUERIES, {"state": ["OPEN", "ANSWERED"]})
        case "FORMS_INCOMPLETE":
            return count_closings(rows, {"complete": 0}) + missing_forms(reader, trial)
        case "ENTRIES_UNSETTLED":
            return rows.count(DOUBLES, {"state": list(PENDING)})
        case "CARDS_UNSETTLED":
            return sum(1 for _ in waiting_cards(reader))
        case "FORMS_UNSIGNED":
            waiting: dict[str, Condition] = {"complete": 1, "signed": ["", "BROKEN"]}
            closed = unsignable(trial.record)
            if closed:
                waiting["form"] = [form.id for form in trial.record.forms if form.id not in closed]
            return count_closings(rows, waiting)
        case "VERIFICATION_OPEN":
            return sum(count_closings(rows, where) for where in to_verify(trial.study))
        case "DEVIATIONS_UNCLASSED":
            return rows.count(DEVIATIONS, {"state": ["OPEN", "CLOSED"], "severity": ""})
        case "REVEALING_UNSETTLED":
            said = conditions.get("REVEALING_SETTLED")
            return int(_has_revealing(trial.record) and not (said is not None and said.met))
        case _:
            said = conditions.get("NOTHING_UNSENT")
            return int(said is None or not said.met)


def waiting_cards(reader: Reader) -> Iterator[tuple[str, Card]]:
    """The cards of the diary on paper that do not count yet, each with its participant's number."""
    for row in reader.rows.find(DIARIES, {"papers": 1}, order=("site", "number")):
        state = START
        for recorded in reader.entries(f"diary/{row['subject']}"):
            state = evolve(state, recorded)
        yield from ((str(row["number"]), card) for card in waiting(state))


def _has_revealing(study: Study) -> bool:
    return any(item.blinding == "revealing" for form in study.forms for item in form.items)


def unsignable(study: Study) -> frozenset[str]:
    """The forms that are hidden from everybody who signs: nobody signs what they never see."""
    signing = {name for name, role in ROLES.items() if "SignForms" in role.commands}
    return frozenset(form.id for form in study.forms if signing <= set(form.hidden_from))


def planned_forms(study: Study) -> Mapping[str, Sequence[str]]:
    """Visit -> the forms that everybody who was randomized is to have there: visits with a day, nothing optional.

    Running lists are not among them: their rows stand with the participant and not at a visit.
    """
    lists = {form.id for form in study.forms if form.log is not None}
    asked = {
        visit.id: {
            form
            for activity in study.schedule.activities
            if not activity.optional and visit.id in activity.visits
            for form in activity.forms
            if form not in lists
        }
        for visit in study.schedule.visits
        if visit.day is not None
    }
    return {visit: sorted(forms) for visit, forms in asked.items() if forms}


def missing_forms(reader: Reader, trial: Trial) -> int:
    """Planned forms of randomized participants that were never begun, at visits that are expected.

    A visit that was recorded as missed is not, nor one of which nothing was recorded before participation ended.
    """
    rows, planned = reader.rows, planned_forms(trial.study)
    counts = {
        (row["what"], row["visit"], row["form"]): int(row["n"] or 0) for row in rows.find(EXPECTED_COUNTS)
    }
    randomized, found = counts.get(("RANDOMIZED", "", ""), 0), 0
    for visit, forms in planned.items():
        waited_for = randomized - counts.get(("MISSED", visit, ""), 0)
        found += sum(waited_for - counts.get(("BEGUN", visit, form), 0) for form in forms)
    for subject, settled in left_early(reader, trial).items():
        case = rows.get(CLOSING_CASES, (subject,))
        if case is not None and case["randomized"]:
            found -= _never(reader, subject, {name: planned[name] for name in planned.keys() - settled})
    return found


def _never(reader: Reader, subject: str, planned: Mapping[str, Sequence[str]]) -> int:
    """Forms of visits that were not begun, of one participant."""
    rows = reader.rows.find(CLOSINGS, {"subject": subject, "repeat": 1})
    begun = {(str(row["visit"]), str(row["form"])) for row in rows}
    return sum((visit, form) not in begun for visit, forms in planned.items() for form in forms)

"""The pages that look across subjects: Today, the subjects list, the queries; answered from the read tables."""

from __future__ import annotations

import datetime as dt

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.desk.desk import Desk
from equipoise.desk.followers import IN_SCREENING, QUERIES, SITES, SUBJECTS
from equipoise.desk.standing import Standing
from equipoise.desk.views import SubjectRow, Task, TodayView
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Row
from equipoise.protocol.study import Study
from equipoise.words.text import Text
from equipoise.words.truth import Truth

LOOKED_AT = 50
"""How many people in screening Today looks at, the newest first."""


def sites_of(desk: Desk, reader: Reader, who: Who, what: str) -> tuple[str, ...]:
    """The sites of which `who` may read `what`."""
    return tuple(
        str(row["site"])
        for row in reader.rows.find(SITES, order=("site",))
        if may_read(who, what, str(row["site"]))
    )


def subjects(desk: Desk, who: Who) -> tuple[SubjectRow, ...]:
    """Every subject that `who` may see, by number."""
    with desk.reading() as reader:
        sites = sites_of(desk, reader, who, "subjects")
        rows = reader.rows.find(SUBJECTS, {"site": sites}, order=("number",)) if sites else ()
        planned = _planned(desk.trial(reader).study)
    return tuple(_row(row, planned) for row in rows)


def _planned(study: Study) -> int:
    return sum(len(study.forms_at(visit.id)) for visit in study.schedule.visits if not visit.unscheduled)


def _row(row: Row, planned: int) -> SubjectRow:
    return SubjectRow(
        number=str(row["number"]),
        site=str(row["site"]),
        status=str(row["status"]),
        randomization_number=_text(row["randomization_number"]),
        screened_on=str(row["screened_at"])[:10],
        open_queries=int(row["open_queries"] or 0),
        forms_complete=int(row["forms_complete"] or 0),
        forms_planned=planned,
    )


def _text(cell: str | int | None) -> str | None:
    return None if cell is None else str(cell)


def today(desk: Desk, who: Who) -> TodayView:
    """Three numbers and what is asked of `who` now."""
    with desk.reading() as reader:
        trial = desk.trial(reader)
        sites = sites_of(desk, reader, who, "subjects")
        screening = reader.rows.find(
            SUBJECTS,
            {"status": IN_SCREENING, "site": sites},
            order=("screened_at",),
            descending=True,
            limit=LOOKED_AT,
        ) if sites else ()  # fmt: skip
        tasks = [task for row in screening for task in _screening_tasks(desk, reader, row, who)]
        tasks += _query_tasks(reader, sites, desk.now())
        return TodayView(
            screening=reader.rows.count(SUBJECTS, {"status": IN_SCREENING}),
            randomized=trial.allocation.randomized_count,
            cap=trial.study.design.cap,
            open_queries=reader.rows.count(QUERIES, {"state": "OPEN", "site": sites}) if sites else 0,
            tasks=tuple(tasks),
        )


def _screening_tasks(desk: Desk, reader: Reader, row: Row, who: Who) -> list[Task]:
    if not may_read(who, "eligibility", str(row["site"])):
        return []
    return list(tasks_of(desk.standing(reader, str(row["subject"]))))


def tasks_of(now: Standing) -> tuple[Task, ...]:
    """What stands between a subject in screening and randomization, the most urgent first."""
    number = now.case.screening.number or ""
    facts, since = now.facts, (now.case.screening.screened_at or "")[:10]

    def task(kind: str, **arguments: str | Text) -> Task:
        written: dict[str, str] = {"number": number}
        for name, value in arguments.items():
            if isinstance(value, Text):
                written |= {name: value.en, f"{name}.zh": value.zh or value.en}
            else:
                written[name] = value
        return Task(kind, f"desk.task-{kind.replace('_', '-')}", written, number, (), since)

    if facts.status not in {"SCREENING", "ELIGIBLE"}:
        return ()
    found: list[Task] = []
    if facts.consent_in_force is not Truth.TRUE:
        found.append(task("consent_missing"))
    names = [name for name in facts.verdict_results if name not in {"INCL", "EXCL"}]
    open_ones = [name for name in names if facts.verdict_results[name] == "U"]
    if facts.verdict == "INELIGIBLE":
        found.append(task("ineligible", criteria=", ".join(failing_of(now))))
    elif facts.verdict == "NOT_EVALUABLE":
        found.append(task("not_evaluable", criteria=", ".join(open_ones)))
    elif facts.stratum is None:
        reasons = now.stratum.reasons.values() if now.stratum is not None else ()
        why = Text("; ".join(one.en for one in reasons), "；".join(one.say("zh") for one in reasons))
        found.append(task("stratum_not_evaluable", why=why))
    elif facts.status == "SCREENING":
        found.append(task("ready_to_confirm"))
    else:
        found.append(task("ready_to_randomize"))
    return tuple(found)


def failing_of(now: Standing) -> tuple[str, ...]:
    """The criteria that stand against the subject."""
    against = {"inclusion": "F", "exclusion": "T"}
    results = now.facts.verdict_results
    return tuple(
        each.id for each in now.trial.study.criteria if results.get(each.id) == against[each.category]
    )


def _query_tasks(reader: Reader, sites: tuple[str, ...], now: dt.datetime) -> list[Task]:
    if not sites:
        return []
    rows = reader.rows.find(QUERIES, {"state": "OPEN", "site": sites}, order=("raised_at",), limit=LOOKED_AT)
    return [_query_task(reader, row) for row in rows]


def _query_task(reader: Reader, row: Row) -> Task:
    owner = reader.rows.get(SUBJECTS, (row["subject"],))
    number = str(owner["number"]) if owner else ""
    message = {"message": str(row["en"]), "message.zh": str(row["zh"] or row["en"])}
    place = (str(row["visit"]), str(row["form"]), str(row["repeat"]), str(row["item"]))
    arguments = {"number": number, "visit": place[0], "form": place[1], **message}
    return Task("query_open", "desk.task-query-open", arguments, number, place, str(row["raised_at"])[:10])

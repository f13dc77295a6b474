"""The pages that look across subjects: Today, the subjects list, the queries.

The rules that must stay true: what is counted and listed is of the sites whose pages the reader may open; days are
those of the site. The read tables say which subjects and queries; what is said of them comes from their streams.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.access.roles import ROLES
from equipoise.capture.evolve import Place
from equipoise.desk.closing_tasks import closing_tasks
from equipoise.desk.code_breaks import break_tasks
from equipoise.desk.consent_tasks import consent_tasks
from equipoise.desk.covering import COVERED, covered
from equipoise.desk.desk import Desk
from equipoise.desk.diary_work import diary_tasks, post_tasks
from equipoise.desk.doubles import double_tasks
from equipoise.desk.followers import FORMS, IN_SCREENING, QUERIES, SUBJECTS
from equipoise.desk.log_page import LOG_LABEL
from equipoise.desk.queues import sites_of
from equipoise.desk.readers_page import reader_tasks
from equipoise.desk.staff_page import people_tasks
from equipoise.desk.standing import Standing, day_at
from equipoise.desk.supply_tasks import dosing_tasks
from equipoise.desk.today import SITE_ROLES, figures, moment, role_tasks
from equipoise.desk.views import SubjectRow, Task, TodayView
from equipoise.desk.words import task
from equipoise.eligibility.judgement import failing, undetermined
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Row
from equipoise.protocol.forms import LOG
from equipoise.protocol.study import Study
from equipoise.words.text import Text
from equipoise.words.truth import Truth

LOOKED_AT = 50
"""How many people in screening Today looks at, the newest first."""


def subjects(
    desk: Desk, who: Who, *, begins: str = "", after: str = "", limit: int | None = None
) -> tuple[SubjectRow, ...] | None:
    """The subjects that `who` may see, by number; None where the role sees none anywhere.

    begins: how the screening number begins, or a whole randomization number; empty for all. after: the last number of
    the page before. limit: how many at most. What is read is that page, however many there are.
    """
    if not may_read(who, "subjects", None):
        return None
    with desk.reading() as reader:
        zones = sites_of(reader, who, "subjects")
        rows = subject_rows(reader, who, begins, after, limit)
        hidden = desk.trial(reader).ever_hidden_from(who.role)
        trials = {site: desk.trial_at(reader, site) for site in zones}
        studies = {trial.digest: trial.study for trial in trials.values()}
        plans = {version: _planned(study, hidden) for version, study in studies.items()}
        planned = {site: plans[trial.digest] for site, trial in trials.items()}
        every = {str(row["subject"]): planned[str(row["site"])] for row in rows}
        complete = _complete(reader, every)
        queries = _queries_seen(reader, list(every), hidden) if hidden else None
    return tuple(
        SubjectRow(
            number=str(row["number"]),
            site=str(row["site"]),
            status=str(row["status"]),
            randomization_number=_text(row["randomization_number"]),
            screened_on=day_at(str(row["screened_at"]), zones[str(row["site"])]).isoformat(),
            open_queries=int(row["open_queries"] or 0) if queries is None else queries[str(row["subject"])],
            forms_complete=complete[str(row["subject"])],
            forms_planned=len(planned[str(row["site"])]),
        )
        for row in rows
    )


def number_of_subjects(desk: Desk, who: Who) -> int:
    """How many subjects `who` may see."""
    with desk.reading() as reader:
        sites = list(sites_of(reader, who, "subjects"))
        return reader.rows.count(SUBJECTS, {"site": sites})


def subject_rows(reader: Reader, who: Who, begins: str, after: str, limit: int | None) -> tuple[Row, ...]:
    """One page of the table of subjects that `who` may see, found along its indexes, site by site."""
    sites = sites_of(reader, who, "subjects")
    start: tuple[str, ...] = (after, "~") if after else ()
    if begins and after < begins:
        start = (begins, "")  # a row that bears this very number sorts behind it
    found: list[Row] = []
    for site in sites:
        rows = reader.rows.find(SUBJECTS, {"site": site}, order=("number",), after=start, limit=limit)
        found += [row for row in rows if str(row["number"]).startswith(begins)]
        if begins and not after:
            found += reader.rows.find(SUBJECTS, {"site": site, "randomization_number": begins.upper()})
    return tuple(sorted(found, key=lambda row: str(row["number"])))[:limit]


def _door_tasks(desk: Desk, who: Who) -> list[Task]:
    """What is wrong between the doors, for those who randomize and those who keep the store."""
    role = ROLES.get(who.role)
    if desk.second_door is None or role is None or not role.commands & {"Randomize", "EnrolSecondDoor"}:
        return []
    return [Task("second_door", one.rule, one.arguments, "") for one in desk.second_door.troubles]


def _planned(study: Study, hidden: Collection[str]) -> frozenset[tuple[str, str]]:
    """(visit, form) for every form that everybody is to have, and the reader to see: at visits that have a day."""
    visits = [visit.id for visit in study.schedule.visits if visit.day is not None]
    return frozenset(
        (visit, form.id) for visit in visits for form in study.forms_at(visit) if form.id not in hidden
    )


def _queries_seen(reader: Reader, subjects: Collection[str], hidden: Collection[str]) -> Counter[str]:
    """Queries that are not closed, by subject, without those on forms that the reader does not see."""
    rows = reader.rows.find(QUERIES, {"subject": subjects, "state": ["OPEN", "ANSWERED"]})
    return Counter(str(row["subject"]) for row in rows if row["form"] not in hidden)


def _complete(reader: Reader, planned: Mapping[str, Collection[tuple[str, str]]]) -> Counter[str]:
    """How many of the forms planned for each subject are complete; further repetitions are not counted."""
    rows = reader.rows.find(FORMS, {"subject": list(planned), "complete": 1, "repeat": 1})
    return Counter(
        str(row["subject"]) for row in rows if (row["visit"], row["form"]) in planned[str(row["subject"])]
    )


def _text(cell: str | int | None) -> str | None:
    return None if cell is None else str(cell)


def today(desk: Desk, who: Who) -> TodayView | None:
    """Three numbers and what is asked of `who` now; None where the role has no such page."""
    if not may_read(who, "today", None):
        return None
    with desk.reading() as reader:
        trial, seen = desk.trial(reader), list(sites_of(reader, who, "today"))
        queries = list(sites_of(reader, who, "queries"))
        in_screening = {"status": IN_SCREENING, "site": list(sites_of(reader, who, "eligibility"))}
        newest = reader.rows.find(
            SUBJECTS, in_screening, order=("screened_at",), descending=True, limit=LOOKED_AT
        )
        hidden = trial.ever_hidden_from(who.role)
        shown = [form.id for form in trial.record.forms if form.id not in hidden]
        asked = {"state": "OPEN", "site": queries, **({"form": shown} if hidden else {})}
        open_ones = reader.rows.find(QUERIES, asked, order=("raised_at",), limit=LOOKED_AT)
        tasks = [*diary_tasks(desk, reader, who), *post_tasks(desk, reader, who)]
        tasks += [one for row in newest for one in tasks_of(desk.standing(reader, str(row["subject"])))]
        tasks += [_query_task(desk, reader, row, who) for row in open_ones]
        tasks += break_tasks(desk, reader, who)
        tasks += dosing_tasks(reader, who)
        tasks += _door_tasks(desk, who)
        tasks += people_tasks(desk, reader, who)
        tasks += reader_tasks(desk, reader, who)
        tasks += consent_tasks(desk, reader, who, sites_of(reader, who, "casebook"))
        now = moment(desk, reader, who, trial)
        tasks += role_tasks(now)
        at_a_site = now.due if who.role in SITE_ROLES else None
        tasks += double_tasks(reader, trial, who)
        tasks += closing_tasks(reader, trial, who)
        return TodayView(
            screening=reader.rows.count(SUBJECTS, {"status": IN_SCREENING, "site": seen}),
            randomized=trial.allocation.randomized_count,
            cap=trial.study.design.cap,
            open_queries=reader.rows.count(QUERIES, asked),
            tasks=tuple(tasks),
            figures=figures(now),
            visits=at_a_site.lines if at_a_site else (),
            visits_in_all=at_a_site.overdue + at_a_site.due + at_a_site.coming if at_a_site else 0,
        )


def tasks_of(now: Standing) -> tuple[Task, ...]:
    """What stands between a subject in screening and randomization, the most urgent first."""
    number, screened_at = now.case.screening.number or "", now.case.screening.screened_at
    since = day_at(screened_at, now.site.zone).isoformat() if screened_at else ""
    facts, study, results = now.facts, now.trial.study, now.facts.verdict_results
    if facts.status not in {"SCREENING", "ELIGIBLE"}:
        return ()
    found: list[Task] = []
    if facts.consent_in_force is not Truth.TRUE:
        found.append(task("consent_missing", number, since=since))
    if facts.verdict == "INELIGIBLE":
        criteria = ", ".join(failing(study, results))
        found.append(task("ineligible", number, since=since, criteria=criteria))
    elif facts.verdict == "NOT_EVALUABLE":
        criteria = ", ".join(undetermined(study, results))
        found.append(task("not_evaluable", number, since=since, criteria=criteria))
    elif facts.stratum is None:
        reasons = now.stratum.reasons.values() if now.stratum is not None else ()
        why = Text("; ".join(one.en for one in reasons), "；".join(one.say("zh") for one in reasons))
        found.append(task("stratum_not_evaluable", number, since=since, why=why))
    else:
        ready = "ready_to_randomize" if facts.confirmed else "ready_to_confirm"
        found.append(task(ready, number, since=since))
    return tuple(found)


def _query_task(desk: Desk, reader: Reader, row: Row, who: Who) -> Task:
    now = desk.standing_light(reader, str(row["subject"]))
    asked = now.case.capture.queries.get(str(row["query"]))
    message = asked.message if asked is not None else {}
    number, study = now.case.screening.number or "", now.trial.study
    place = (*(str(row[name]) for name in ("visit", "form", "repeat", "item")), str(row["query"]))
    visit, form = study.visit(place[0]), study.form(place[1])
    behind = covered(now, who.role, Place(place[0], place[1], int(place[2])))
    return task(
        "query_open",
        number,
        place,
        day_at(str(row["raised_at"]), now.site.zone).isoformat(),
        visit=visit.label if visit is not None else LOG_LABEL if place[0] == LOG else place[0],
        form=form.label if form is not None else place[1],
        message=COVERED if behind else Text(message.get("en", "–"), message.get("zh")),
    )

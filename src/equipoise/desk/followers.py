"""The read tables: few, all here, written by following the ledger, dropped and rebuilt at will.

The rules that must stay true: a table holds nothing that is not in the entries, and nothing that an entry's body is
sealed for: these tables stand in clear, so they have ids, states, moments and places, never a value, a reason or a
word that somebody wrote; following the entries one by one gives the same rows as rebuilding from the first (a
property test holds this). Lists and counts are answered from here; one subject's page from that subject's stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from equipoise.capture.evolve import MANUAL
from equipoise.desk.audit_table import AUDIT_FOLLOWER
from equipoise.desk.closing_tables import CLOSING_FOLLOWER
from equipoise.desk.deviation_tables import DEVIATIONS_FOLLOWER
from equipoise.desk.diary_tables import PHONES_FOLLOWER
from equipoise.desk.diary_waiting import DIARY_FOLLOWER
from equipoise.desk.double_tables import DOUBLE_FOLLOWER
from equipoise.desk.image_tables import READS_FOLLOWER
from equipoise.desk.specimen_tables import SPECIMEN_FOLLOWER
from equipoise.desk.visit_tables import VISITS_FOLLOWER
from equipoise.ledger.entries import (
    BagRejected,
    BagReleased,
    BagReturned,
    CapacityRecorded,
    CardOpened,
    CodeBreakRequested,
    CodeBreakReviewed,
    CodeBroken,
    ConsentDocumented,
    ConsentWithdrawn,
    EligibilityJudged,
    Entry,
    FormMoved,
    FormOmitted,
    FormReinstated,
    FormSaved,
    InfusionStarted,
    LogReviewed,
    PreparationRequested,
    QueryAnswered,
    QueryAsked,
    QueryCancelled,
    QueryClosed,
    QueryRaised,
    QueryReopened,
    RecallReceived,
    Recorded,
    RoleGranted,
    RoleRevoked,
    ScreeningFailed,
    SiteAdded,
    SubjectRandomized,
    SubjectScreened,
    WrongBagGiven,
)
from equipoise.ledger.followers import Follower
from equipoise.ledger.store import Cell, ReadTable, Transaction
from equipoise.randomization.blind import DRILL
from equipoise.supply.evolve import AFTER, DONE, DOSE_ENTRIES, FINAL, Stage, event_of

SUBJECTS = ReadTable(
    "subjects",
    {
        "subject": "text",
        "number": "text",
        "site": "text",
        "person": "text",
        "status": "text",
        "randomization_number": "text",
        "randomized_at": "text",
        "screened_at": "text",
        "failed_at": "text",
        "rescreening_of": "text",
        "open_queries": "integer",
    },
    ("subject",),
    (("number",), ("site", "number"), ("site", "randomization_number"), ("person",), ("status",)),
)
FORMS = ReadTable(
    "forms",
    {
        "subject": "text",
        "visit": "text",
        "form": "text",
        "repeat": "integer",
        "complete": "integer",
        "saved_at": "text",
    },
    ("subject", "visit", "form", "repeat"),
)
QUERIES = ReadTable(
    "queries",
    {
        "subject": "text",
        "query": "text",
        "site": "text",
        "visit": "text",
        "form": "text",
        "repeat": "integer",
        "item": "text",
        "state": "text",
        "raised_at": "text",
        "rule": "text",
        "raised_by": "text",
        "moved_at": "text",
    },
    ("subject", "query"),
    (("state", "raised_at"), ("site", "state"), ("raised_at",)),
)
WAITING = ("OPEN", "ANSWERED")
"""States of a query in which somebody still has to do something."""
SITES = ReadTable("sites", {"site": "text", "en": "text", "zh": "text", "zone": "text"}, ("site",))
GRANTS = ReadTable(
    "grants", {"user": "text", "role": "text", "site": "text", "held": "integer"}, ("user", "role", "site")
)

DOSES = ReadTable(
    "doses",
    {
        "subject": "text",
        "request": "text",
        "site": "text",
        "infusion": "text",
        "stage": "text",
        "at": "text",
        "bag": "text",
        "started_at": "text",
    },
    ("subject", "request"),
    (("site", "stage"),),
)
"""Requests for doses and where each stands, by the same table as supply's own."""
DOSINGS = ReadTable(
    "dosings",
    {"subject": "text", "number": "text", "site": "text", "doses_over": "integer", "under_way": "integer"},
    ("subject",),
    (("under_way", "site", "number"), ("under_way", "number")),
)
"""Of each randomized participant, how many planned doses are over, given or omitted, and whether one is under way."""
BAGS = ReadTable(
    "bags",
    {
        "bag": "text",
        "subject": "text",
        "request": "text",
        "site": "text",
        "state": "text",
        "use_by": "text",
        "recalled": "integer",
        "given_to": "text",
    },
    ("bag",),
    (("site", "state"),),
)
"""Masked bags by number. `given_to`: the subject that got it by mistake. Totals of a site are counted from here."""

BREAKS = ReadTable(
    "breaks",
    {
        "subject": "text",
        "request": "text",
        "site": "text",
        "drill": "integer",
        "asked_at": "text",
        "shown_at": "text",
        "reviewed_at": "text",
    },
    ("subject", "request"),
    (("site", "asked_at"),),
)
"""Requests for one arm; an opened paper card has a row, too, with `card` and its moment as its request."""

CONSENTS = ReadTable(
    "consents",
    {
        "subject": "text",
        "site": "text",
        "version": "text",
        "by": "text",
        "back": "integer",
        "ended": "integer",
    },
    ("subject",),
    (("site", "ended", "version"), ("site", "ended", "back")),
)
"""The latest signature of each participant. `back`: a representative signed, and capacity is recorded as back."""

_WHOLE_STUDY = ""

IN_SCREENING = ("SCREENING", "ELIGIBLE")
"""The states before randomization or failure."""


def follow(tables: Transaction, recorded: Recorded) -> None:
    """Bring the tables up to date with one more entry."""
    if recorded.entry is not None:
        _follow(tables, recorded, recorded.entry)


def _follow(tables: Transaction, recorded: Recorded, entry: Entry) -> None:
    if isinstance(entry, SubjectScreened):
        tables.put(SUBJECTS, _screened(entry, recorded.header.at))
    elif isinstance(entry, EligibilityJudged):
        _change_subject(tables, recorded, {"status": "ELIGIBLE" if entry.confirmed else "SCREENING"})
    elif isinstance(entry, ScreeningFailed):
        _change_subject(tables, recorded, {"status": "SCREEN_FAILURE", "failed_at": recorded.header.at})
    elif isinstance(entry, SubjectRandomized):
        randomized: dict[str, Cell] = {"status": "RANDOMIZED", "randomization_number": entry.number}
        _change_subject(tables, recorded, {**randomized, "randomized_at": recorded.header.at})
        _follow_course(tables, subject_of(recorded.header.stream))
    elif isinstance(entry, FormMoved):
        key = (subject_of(recorded.header.stream), entry.visit, entry.form, entry.repeat)
        known = tables.get(FORMS, key)
        if known is not None:
            tables.put(FORMS, {**known, "complete": int(entry.complete)})
    elif isinstance(entry, FormSaved):
        _follow_form(tables, recorded, entry, complete=entry.complete)
    elif isinstance(entry, LogReviewed):
        _follow_review(tables, recorded, entry)
    elif isinstance(entry, FormOmitted | FormReinstated):
        _follow_form(tables, recorded, entry, complete=isinstance(entry, FormOmitted))
    elif isinstance(entry, QueryRaised | QueryAsked):
        _follow_query(tables, recorded, entry)
    elif isinstance(entry, QueryAnswered):
        _move_query(tables, recorded, entry.query, "ANSWERED")
    elif isinstance(entry, QueryClosed):
        _move_query(tables, recorded, entry.query, "CLOSED")
    elif isinstance(entry, QueryCancelled):
        _move_query(tables, recorded, entry.query, "CANCELLED")
    elif isinstance(entry, QueryReopened):
        _move_query(tables, recorded, entry.query, "OPEN")
    elif isinstance(entry, SiteAdded):
        name = entry.name
        tables.put(
            SITES, {"site": entry.site, "en": name.get("en"), "zh": name.get("zh"), "zone": entry.zone}
        )
    elif isinstance(entry, RecallReceived):
        for bag in entry.bags:
            _change_bag(tables, bag, {"recalled": 1})
    elif isinstance(entry, PreparationRequested):
        _follow_request(tables, recorded, entry)
    elif isinstance(entry, DOSE_ENTRIES):
        _follow_dose(tables, recorded, entry)
    elif isinstance(entry, BREAK_ENTRIES):
        _follow_break(tables, recorded, entry)
    elif isinstance(entry, CapacityRecorded | ConsentDocumented | ConsentWithdrawn):
        _follow_consent(tables, recorded, entry)
    elif isinstance(entry, RoleGranted | RoleRevoked):
        held = int(isinstance(entry, RoleGranted))
        tables.put(
            GRANTS, {"user": entry.user, "role": entry.role, "site": entry.site or _WHOLE_STUDY, "held": held}
        )


BREAK_ENTRIES = (CodeBreakRequested, CodeBroken, CodeBreakReviewed, CardOpened)
"""What is told of one arm being asked for; no table says why, to whom, or what it was."""


def _follow_break(tables: Transaction, recorded: Recorded, entry: Entry) -> None:
    subject, at = subject_of(recorded.header.stream), recorded.header.at
    if isinstance(entry, CodeBreakRequested | CardOpened):
        owner = tables.get(SUBJECTS, (subject,))
        site = owner["site"] if owner else subject.removeprefix(DRILL)
        row: dict[str, Cell] = {"subject": subject, "site": site, "asked_at": at, "drill": 0}
        if isinstance(entry, CardOpened):
            row |= {"request": f"card {entry.opened_at}", "shown_at": entry.opened_at, "reviewed_at": at}
        else:
            row |= {
                "request": entry.request,
                "drill": int(entry.drill),
                "shown_at": None,
                "reviewed_at": None,
            }
        tables.put(BREAKS, row)
    elif isinstance(entry, CodeBroken | CodeBreakReviewed):
        known = tables.get(BREAKS, (subject, entry.request))
        if known is not None:
            column = "shown_at" if isinstance(entry, CodeBroken) else "reviewed_at"
            moment = entry.shown_at if isinstance(entry, CodeBroken) else at
            tables.put(BREAKS, {**known, column: moment})


def _follow_consent(
    tables: Transaction, recorded: Recorded, entry: CapacityRecorded | ConsentDocumented | ConsentWithdrawn
) -> None:
    subject = subject_of(recorded.header.stream)
    owner, known = tables.get(SUBJECTS, (subject,)), tables.get(CONSENTS, (subject,))
    if isinstance(entry, ConsentDocumented) and entry.given and owner is not None:
        row: dict[str, Cell] = {"subject": subject, "site": owner["site"], "version": entry.version}
        tables.put(CONSENTS, {**row, "by": entry.by, "back": 0, "ended": 0})
    elif isinstance(entry, ConsentWithdrawn) and known is not None:
        tables.put(CONSENTS, {**known, "ended": 1})
    elif isinstance(entry, CapacityRecorded) and known is not None:
        back = entry.capacity == "HAS" and known["by"] == "LEGAL_REPRESENTATIVE"
        tables.put(CONSENTS, {**known, "back": int(back)})


def _screened(entry: SubjectScreened, at: str) -> Mapping[str, Cell]:
    return {
        "subject": entry.subject,
        "number": entry.screening_number,
        "site": entry.site,
        "person": entry.person,
        "status": "SCREENING",
        "randomization_number": None,
        "randomized_at": None,
        "screened_at": at,
        "failed_at": None,
        "rescreening_of": entry.rescreening_of,
        "open_queries": 0,
    }


def subject_of(stream: str) -> str:
    """The subject whose stream it is."""
    return stream.removeprefix("subject/")


def _change_subject(tables: Transaction, recorded: Recorded, changes: Mapping[str, Cell]) -> None:
    row = tables.get(SUBJECTS, (subject_of(recorded.header.stream),))
    if row is not None:
        tables.put(SUBJECTS, {**row, **changes})


def _add_open_queries(tables: Transaction, recorded: Recorded, step: int) -> None:
    row = tables.get(SUBJECTS, (subject_of(recorded.header.stream),))
    if row is not None:
        tables.put(SUBJECTS, {**row, "open_queries": int(row["open_queries"] or 0) + step})


def _follow_form(
    tables: Transaction,
    recorded: Recorded,
    entry: FormSaved | FormOmitted | FormReinstated,
    *,
    complete: bool,
) -> None:
    tables.put(
        FORMS,
        {
            "subject": subject_of(recorded.header.stream),
            "visit": entry.visit,
            "form": entry.form,
            "repeat": entry.repeat,
            "complete": int(complete),
            "saved_at": recorded.header.at,
        },
    )


def _follow_review(tables: Transaction, recorded: Recorded, entry: LogReviewed) -> None:
    """What a visit asks of a log is that it is gone through: that is its form there, and complete."""
    tables.put(
        FORMS,
        {
            "subject": subject_of(recorded.header.stream),
            "visit": entry.visit,
            "form": entry.form,
            "repeat": entry.repeat,
            "complete": 1,
            "saved_at": recorded.header.at,
        },
    )


def _follow_query(tables: Transaction, recorded: Recorded, entry: QueryRaised | QueryAsked) -> None:
    subject = subject_of(recorded.header.stream)
    owner = tables.get(SUBJECTS, (subject,))
    tables.put(
        QUERIES,
        {
            "subject": subject,
            "query": entry.query,
            "site": owner["site"] if owner else None,
            "visit": entry.visit,
            "form": entry.form,
            "repeat": entry.repeat,
            "item": entry.item,
            "state": "OPEN",
            "raised_at": recorded.header.at,
            "rule": entry.rule if isinstance(entry, QueryRaised) else MANUAL,
            "raised_by": recorded.header.actor,
            "moved_at": recorded.header.at,
        },
    )
    _add_open_queries(tables, recorded, 1)


def _follow_request(tables: Transaction, recorded: Recorded, entry: PreparationRequested) -> None:
    subject = subject_of(recorded.header.stream)
    owner = tables.get(SUBJECTS, (subject,))
    tables.put(
        DOSES,
        {
            "subject": subject,
            "request": entry.request,
            "site": owner["site"] if owner else None,
            "infusion": entry.infusion,
            "stage": "REQUESTED",
            "at": entry.at,
            "bag": "",
            "started_at": None,
        },
    )
    _follow_course(tables, subject)


def _follow_course(tables: Transaction, subject: str) -> None:
    """Count a randomized participant's doses anew."""
    owner, doses = tables.get(SUBJECTS, (subject,)), tables.find(DOSES, {"subject": subject})
    if owner is None or owner["randomized_at"] is None:
        return
    over = {str(row["infusion"]) for row in doses if row["stage"] in DONE}
    whose = {"subject": subject, "number": owner["number"], "site": owner["site"]}
    under_way = any(row["stage"] not in FINAL for row in doses)
    tables.put(DOSINGS, {**whose, "doses_over": len(over), "under_way": int(under_way)})


def _follow_dose(tables: Transaction, recorded: Recorded, entry: Entry) -> None:
    subject = subject_of(recorded.header.stream)
    row = tables.get(DOSES, (subject, str(getattr(entry, "request", ""))))
    if row is None:
        return
    bag = str(row["bag"] or "")
    event = event_of(entry, bag)
    stage = AFTER.get((cast("Stage", row["stage"]), event), row["stage"])
    changed: dict[str, Cell] = {**row, "stage": stage}
    where: dict[str, Cell] = {"subject": subject, "request": row["request"], "site": row["site"]}
    if isinstance(entry, BagReleased):
        changed["bag"] = entry.bag
        _change_bag(tables, entry.bag, {**where, "state": "RELEASED", "use_by": entry.use_by})
    elif isinstance(entry, BagRejected):
        changed["bag"] = "" if entry.bag == bag else bag
        _change_bag(tables, entry.bag, {"state": "REJECTED"})
    elif isinstance(entry, InfusionStarted):
        changed["started_at"] = entry.at
        _change_bag(tables, entry.bag, {"state": "GIVEN"})
    elif isinstance(entry, BagReturned):
        _change_bag(tables, entry.bag, {"state": "RETURNED"})
    elif isinstance(entry, WrongBagGiven):
        _change_bag(tables, entry.given, {"given_to": subject})
    tables.put(DOSES, changed)
    if stage != row["stage"]:
        _follow_course(tables, subject)


def _change_bag(tables: Transaction, bag: str, changes: Mapping[str, Cell]) -> None:
    """A bag that was recalled or mixed up before its release is heard of has a row from then on."""
    known: Mapping[str, Cell] = tables.get(BAGS, (bag,)) or dict.fromkeys(BAGS.columns)
    tables.put(BAGS, {**known, "bag": bag, "recalled": known["recalled"] or 0, **changes})


def _move_query(tables: Transaction, recorded: Recorded, query: str, state: str) -> None:
    row = tables.get(QUERIES, (subject_of(recorded.header.stream), query))
    if row is None:
        return
    tables.put(QUERIES, {**row, "state": state, "moved_at": recorded.header.at})
    step = int(state in WAITING) - int(row["state"] in WAITING)
    if step:
        _add_open_queries(tables, recorded, step)


FOLLOWERS = (
    Follower(
        "desk",
        "10",
        (SUBJECTS, FORMS, QUERIES, SITES, GRANTS, DOSES, DOSINGS, BAGS, BREAKS, CONSENTS),
        follow,
    ),
    CLOSING_FOLLOWER,
    READS_FOLLOWER,
    VISITS_FOLLOWER,
    SPECIMEN_FOLLOWER,
    DEVIATIONS_FOLLOWER,
    DOUBLE_FOLLOWER,
    PHONES_FOLLOWER,
    DIARY_FOLLOWER,
    AUDIT_FOLLOWER,
)
"""What every commit of the desk runs. Raise the version whenever this file computes something else."""

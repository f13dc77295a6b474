"""SDTM from the ledger: DM, DS, DV, IE, SV, BE, findings, events, interventions: pure functions of entries and study.

The rules that must stay true: every row names the entry it came from; the files depend on the definition alone and
the rows on the entries alone, so the same ledger gives the same tables; nothing of an arm is in them.
Source: CDISC SDTMIG 3.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from equipoise.ledger.entries import RangeRow, Recorded
from equipoise.protocol.exposure import EXPOSURE
from equipoise.protocol.study import Study
from equipoise.standards.dataset import Dataset
from equipoise.standards.sdtm_casebook import Casebook, casebooks
from equipoise.standards.sdtm_conduct import DV_COLUMNS, SV_COLUMNS, deviations, visits_held
from equipoise.standards.sdtm_diary import DIARY, diary_columns, diary_rows
from equipoise.standards.sdtm_events import event_columns, event_domains, event_rows
from equipoise.standards.sdtm_exposure import exposure_columns, exposure_rows
from equipoise.standards.sdtm_findings import finding_columns, finding_domains, finding_rows
from equipoise.standards.sdtm_rows import Row, table
from equipoise.standards.sdtm_specimens import BE_COLUMNS, biospecimen_events, specimens_planned
from equipoise.standards.sdtm_subjects import (
    DM_COLUMNS,
    IE_COLUMNS,
    criteria_not_met,
    demographics,
    disposition,
    disposition_columns,
)


def sdtm(
    study: Study,
    subjects: Iterable[Sequence[Recorded]],
    ranges: Mapping[str, tuple[RangeRow, ...]] | None = None,
    *,
    rehearsal: bool,
) -> Mapping[str, Dataset]:
    """The datasets by domain: those of every study, then the study's other domains, each present even without rows.

    subjects: the entries of each subject's stream, and of the subject's diary. ranges: reference ranges of laboratories
    by site. rehearsal: the store is one, so that every row bears the study's demonstration identifier.
    """
    return of_casebooks(
        study, casebooks(study, subjects, ranges or {}, rehearsal=rehearsal), rehearsal=rehearsal
    )


def of_casebooks(study: Study, books: Sequence[Casebook], *, rehearsal: bool) -> Mapping[str, Dataset]:
    """As `sdtm`, for subjects whose entries are read already."""
    study_id = study.demo_id if rehearsal else study.id
    modified = _modified(books)
    tables = {
        "DM": (DM_COLUMNS, list(demographics(books))),
        "DS": (disposition_columns(study), [row for book in books for row in disposition(book)]),
        "DV": (DV_COLUMNS, [row for book in books for row in deviations(book)]),
        "IE": (IE_COLUMNS, [row for book in books for row in criteria_not_met(book)]),
        "SV": (SV_COLUMNS, [row for book in books for row in visits_held(book)]),
    }
    if specimens_planned(study):
        tables["BE"] = (BE_COLUMNS, [row for book in books for row in biospecimen_events(book)])
    for domain in finding_domains(study):
        rows: list[Row] = [row for book in books for row in finding_rows(book, domain)]
        tables[domain] = (finding_columns(study, domain), rows)
    if study.diary.forms:
        found = tables[DIARY][1] if DIARY in tables else []
        tables[DIARY] = (diary_columns(study), [*found, *(row for book in books for row in diary_rows(book))])
    for domain in event_domains(study):
        if domain == EXPOSURE and study.supply.doses:
            doses: list[Row] = [row for book in books for row in exposure_rows(book)]
            tables[domain] = (exposure_columns(study), doses)
            continue
        events: list[Row] = [row for book in books for row in event_rows(book, domain)]
        tables[domain] = (event_columns(study, domain), events)
    return {
        domain: table(study, study_id, domain, columns, rows, modified)
        for domain, (columns, rows) in tables.items()
    }


def _modified(books: Iterable[Casebook]) -> str | None:
    times = [recorded.header.at for book in books for recorded in (*book.entries, *book.diary)]
    return max(times, default=None)

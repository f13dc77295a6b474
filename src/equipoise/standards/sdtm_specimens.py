"""SDTM BE: what happened to each specimen, from the vein to the laboratory's freezer, one row an event.

The rules that must stay true: a tube that was voided keeps its rows, because it was drawn; nothing that a laboratory
measured is here; a shipment is a row for each aliquot in it, and belongs to whose aliquot it is.
Source: CDISC SDTMIG 3.4, BE; terms of BEDECOD and BECAT as its examples write them.
"""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.ledger.entries import (
    AliquotEnded,
    AliquotMoved,
    AliquotsMade,
    Recorded,
    SpecimenCollected,
    SpecimenMissed,
    SpecimenProcessed,
    SpecimenVoided,
)
from equipoise.protocol.study import Study
from equipoise.standards.dataset import Column
from equipoise.standards.sdtm_casebook import Casebook
from equipoise.standards.sdtm_conduct import visit_name, visit_number
from equipoise.standards.sdtm_rows import LEDGER, Row, reason_of

BE_COLUMNS = (
    Column("STUDYID", "Study Identifier", key=1),
    Column("DOMAIN", "Domain Abbreviation"),
    Column("USUBJID", "Unique Subject Identifier", key=2),
    Column("BESEQ", "Sequence Number", "integer"),
    Column("BEREFID", "Reference ID", key=3),
    Column("BETERM", "Reported Term for the Biospecimen Event", key=4),
    Column("BEDECOD", "Dictionary-Derived Term"),
    Column("BECAT", "Category for Biospecimen Event"),
    Column("BESTAT", "Completion Status"),
    Column("BEREASND", "Reason Not Done"),
    Column("VISITNUM", "Visit Number", "integer"),
    Column("VISIT", "Visit Name"),
    Column("BESTDTC", "Start Date/Time of Biospecimen Event", key=5),
    Column("EQDEVIAT", "Departures from the Handling Planned"),
    LEDGER,
)
"""BEREFID: the accession number of the tube, or the aliquot's own. BESTDTC: the site's clock."""


def specimens_planned(study: Study) -> bool:
    """Whether the study draws specimens."""
    return bool(study.specimens.kits)


def biospecimen_events(book: Casebook) -> Iterator[Row]:
    """The BE rows of a subject, in the order of the entries."""
    visits: dict[str, str] = {}
    owners: dict[str, str] = {}
    for recorded in book.entries:
        entry = recorded.entry
        if isinstance(entry, SpecimenCollected):
            visits[entry.specimen] = entry.visit
        if isinstance(entry, AliquotsMade):
            owners |= dict.fromkeys(entry.aliquots, entry.specimen)
        for row in _events(book.study, recorded):
            of = str(row.get("BEREFID") or "")
            visit = getattr(entry, "visit", None) or visits.get(owners.get(of, of))
            yield {
                "USUBJID": book.usubjid,
                **row,
                "BESTDTC": book.clock(str(row["BESTDTC"])) if row["BESTDTC"] else None,
                "VISITNUM": visit_number(book.study, visit, 1) if visit else None,
                "VISIT": visit_name(book.study, visit) if visit else None,
                "EQLEDGER": book.reference(recorded.header.seq),
            }


def _events(study: Study, recorded: Recorded) -> Iterator[Row]:
    entry = recorded.entry
    match entry:
        case SpecimenCollected():
            yield _event(entry.specimen, "Collecting", "COLLECTION", entry.at, entry.deviations)
        case SpecimenMissed():
            kit = study.specimens.kit(entry.kit)
            row = _event(None, f"Collecting {kit.label.en if kit is not None else entry.kit}", "COLLECTION")
            because = {"NOT_DONE": "ND", "REFUSED": "RF"}.get(entry.because)
            reason = reason_of(because) if because else entry.because.replace("_", " ")
            yield row | {"BEDECOD": "COLLECTING", "BESTAT": "NOT DONE", "BEREASND": reason}
        case SpecimenProcessed():
            if entry.spun_at:
                yield _event(entry.specimen, "Centrifuging", "PREPARATION", entry.spun_at, entry.deviations)
            if entry.frozen_at:
                late = () if entry.spun_at else entry.deviations
                yield _event(entry.specimen, "Freezing", "PREPARATION", entry.frozen_at, late)
        case AliquotsMade():
            for one in entry.aliquots:
                yield _event(one, "Aliquoting", "PREPARATION")
        case AliquotMoved():
            yield _event(entry.aliquot, "Thawing" if entry.thawed else "Storing", "STORAGE")
        case AliquotEnded():
            yield _event(entry.aliquot, entry.because.capitalize(), "DISPOSITION")
        case SpecimenVoided():
            yield _event(entry.specimen, "Voided", "DISPOSITION")
        case _:
            return


def _event(
    reference: str | None, term: str, category: str, at: str | None = None, departures: tuple[str, ...] = ()
) -> Row:
    return {
        "BEREFID": reference,
        "BETERM": term,
        "BEDECOD": term.upper(),
        "BECAT": category,
        "BESTDTC": at or None,
        "EQDEVIAT": ", ".join(departures) or None,
    }

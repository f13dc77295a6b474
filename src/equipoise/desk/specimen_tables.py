"""The read tables of specimens, beside the desk's own: tubes, aliquots, shipments, files of results.

The rules that must stay true: as in followers.py; of a result no table holds more than that one came which this door
captures.
"""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.ledger.entries import (
    AliquotEnded,
    AliquotMoved,
    AliquotsMade,
    Entry,
    Recorded,
    ResultsImported,
    ResultsReported,
    ShipmentDispatched,
    SpecimenCollected,
    SpecimenShipmentReceived,
    SpecimenVoided,
    SubjectScreened,
)
from equipoise.ledger.followers import Follower
from equipoise.ledger.store import Cell, ReadTable, Transaction

OWNERS = ReadTable("specimen_owners", {"subject": "text", "site": "text"}, ("subject",))
SPECIMENS = ReadTable(
    "specimens",
    {
        "specimen": "text",
        "subject": "text",
        "site": "text",
        "kit": "text",
        "visit": "text",
        "at": "text",
        "state": "text",
    },
    ("specimen",),
    (("subject",), ("state",)),
)
"""Tubes by accession number: COLLECTED, REPORTED (a result that this door captures came), VOIDED."""
ALIQUOTS = ReadTable(
    "aliquots",
    {
        "aliquot": "text",
        "specimen": "text",
        "subject": "text",
        "site": "text",
        "storage": "text",
        "state": "text",
        "shipment": "text",
        "thaws": "integer",
    },
    ("aliquot",),
    (("site", "state"), ("shipment",)),
)
"""Aliquots: STORED, SENT, RECEIVED, ENDED, or what was wrong with it on arrival."""
SHIPMENTS = ReadTable(
    "shipments",
    {
        "shipment": "text",
        "site": "text",
        "laboratory": "text",
        "sent_at": "text",
        "received_at": "text",
        "count": "integer",
        "wrong": "integer",
    },
    ("shipment",),
    (("site", "sent_at"),),
)
IMPORTS = ReadTable(
    "imports",
    {"report": "text", "laboratory": "text", "at": "text", "lines": "integer", "corrects": "integer"},
    ("report",),
    (("laboratory",),),
)
"""Files of results that this door took in."""


def follow(tables: Transaction, recorded: Recorded) -> None:
    """Bring the tables up to date with one more entry."""
    entry = recorded.entry
    if isinstance(entry, SubjectScreened):
        tables.put(OWNERS, {"subject": entry.subject, "site": entry.site})
    elif isinstance(entry, SPECIMEN_ENTRIES):
        _follow_specimen(tables, recorded, entry)
    elif isinstance(entry, ShipmentDispatched | SpecimenShipmentReceived | ResultsImported):
        _follow_laboratory(tables, recorded, entry)


SPECIMEN_ENTRIES = (
    SpecimenCollected,
    SpecimenVoided,
    ResultsReported,
    AliquotsMade,
    AliquotMoved,
    AliquotEnded,
)
"""What is told of tubes and aliquots: numbers, where they are, how they stand."""


def _follow_specimen(tables: Transaction, recorded: Recorded, entry: Entry) -> None:
    subject = recorded.header.stream.removeprefix("subject/")
    owner = tables.get(OWNERS, (subject,))
    whose: dict[str, Cell] = {"subject": subject, "site": owner["site"] if owner else None}
    match entry:
        case SpecimenCollected():
            tube: dict[str, Cell] = {"specimen": entry.specimen, "kit": entry.kit, "visit": entry.visit}
            tables.put(SPECIMENS, {**tube, **whose, "at": entry.at, "state": "COLLECTED"})
        case SpecimenVoided():
            _change(tables, SPECIMENS, entry.specimen, {"state": "VOIDED"})
        case ResultsReported():
            _change(tables, SPECIMENS, entry.specimen, {"state": "REPORTED"})
        case AliquotsMade():
            stored: dict[str, Cell] = {
                "storage": entry.storage,
                "state": "STORED",
                "shipment": "",
                "thaws": 0,
            }
            for one in entry.aliquots:
                tables.put(ALIQUOTS, {"aliquot": one, "specimen": entry.specimen, **whose, **stored})
        case AliquotMoved():
            known = tables.get(ALIQUOTS, (entry.aliquot,))
            thaws = int((known or {}).get("thaws") or 0) + int(entry.thawed)
            _change(tables, ALIQUOTS, entry.aliquot, {"storage": entry.storage, "thaws": thaws})
        case AliquotEnded():
            _change(tables, ALIQUOTS, entry.aliquot, {"state": "ENDED"})
        case _:
            pass


def _follow_laboratory(
    tables: Transaction,
    recorded: Recorded,
    entry: ShipmentDispatched | SpecimenShipmentReceived | ResultsImported,
) -> None:
    match entry:
        case ShipmentDispatched():
            made: dict[str, Cell] = {
                "shipment": entry.shipment,
                "site": entry.site,
                "laboratory": entry.laboratory,
            }
            count = len(entry.aliquots)
            tables.put(
                SHIPMENTS, {**made, "sent_at": entry.at, "received_at": None, "count": count, "wrong": 0}
            )
            for one in entry.aliquots:
                _change(tables, ALIQUOTS, one, {"state": "SENT", "shipment": entry.shipment})
        case SpecimenShipmentReceived():
            wrong = len(entry.discrepancies) + len(entry.unexpected)
            _change(tables, SHIPMENTS, entry.shipment, {"received_at": entry.at, "wrong": wrong})
            for row in tables.find(ALIQUOTS, {"shipment": entry.shipment}):
                state = entry.discrepancies.get(str(row["aliquot"]), "RECEIVED")
                _change(tables, ALIQUOTS, str(row["aliquot"]), {"state": state})
        case ResultsImported():
            tables.put(
                IMPORTS,
                {
                    "report": entry.report,
                    "laboratory": entry.laboratory,
                    "at": recorded.header.at,
                    "lines": entry.lines,
                    "corrects": int(entry.corrects),
                },
            )


def _change(tables: Transaction, table: ReadTable, key: str, changes: Mapping[str, Cell]) -> None:
    row = tables.get(table, (key,))
    if row is not None:
        tables.put(table, {**row, **changes})


SPECIMEN_FOLLOWER = Follower("specimens", "1", (OWNERS, SPECIMENS, ALIQUOTS, SHIPMENTS, IMPORTS), follow)
"""Raise the version whenever this file computes something else."""

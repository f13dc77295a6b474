"""What SDTM has no domain for and an analysis needs: randomization, code breaks, and the entries of a dose.

The rules that must stay true: rows are shaped as SDTM shapes them, one for each thing that happened, with the entry
they came from; a stratum and a public number are in them and nothing from which an arm follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from equipoise.ledger.entries import (
    CodeBreakRequested,
    CodeBroken,
    InfusionEnded,
    InfusionStarted,
    PreparationRequested,
    StratumCorrected,
    SubjectRandomized,
)
from equipoise.protocol.study import Study
from equipoise.standards.dataset import Column, Dataset
from equipoise.standards.sdtm_casebook import Casebook
from equipoise.standards.sdtm_rows import LEDGER, Row

RANDOMIZED, DOSES, BREAKS = "EQRD", "EQDO", "EQCB"
_COLUMNS: Mapping[str, tuple[Column, ...]] = {
    RANDOMIZED: (
        Column("USUBJID", "Unique Subject Identifier", key=1), Column("RANDNO", "Randomization Number"),
        Column("STRATUM", "Stratum as Randomized"), Column("STRATUMC", "Stratum as Corrected"),
        Column("RANDDT", "Date of Randomization", "date"), LEDGER,
    ),
    DOSES: (
        Column("USUBJID", "Unique Subject Identifier", key=1), Column("DOSE", "Planned Dose", key=2), LEDGER,
    ),
    BREAKS: (
        Column("USUBJID", "Unique Subject Identifier", key=1), Column("REQUEST", "Request"),
        Column("CATEGORY", "Category"), Column("DRILL", "Drill"), Column("ASKEDDTC", "Asked", "datetime"),
        Column("SHOWNDTC", "Code Shown", "datetime"), Column("REASON", "Reason"), LEDGER,
    ),
}  # fmt: skip


def assigned(study: Study, study_id: str, books: Sequence[Casebook]) -> Mapping[str, Dataset]:
    """The three tables, each present even without rows."""
    making = {RANDOMIZED: _randomized, DOSES: _doses, BREAKS: _breaks}
    found = {}
    for name, columns in _COLUMNS.items():
        rows = [row for book in books for row in making[name](book)]
        cells = tuple(tuple(row.get(column.name) for column in columns) for row in rows)
        found[name] = Dataset(name, columns[0].label, study_id, study.version, columns, cells)
    return found


def _randomized(book: Casebook) -> Iterator[Row]:
    corrected = [entry.corrected for _, entry in book.of_kind(StratumCorrected)]
    for recorded, entry in book.of_kind(SubjectRandomized):
        yield {
            "USUBJID": book.usubjid,
            "RANDNO": entry.number,
            "STRATUM": entry.stratum,
            "STRATUMC": corrected[-1] if corrected else entry.stratum,
            "RANDDT": book.day(recorded),
            "EQLEDGER": book.reference(recorded.header.seq),
        }


def _doses(book: Casebook) -> Iterator[Row]:
    """Beginning and end of each infusion that began: the entries alone, what they say is in EC."""
    asked = {entry.request: entry.infusion for _, entry in book.of_kind(PreparationRequested)}
    ended = {entry.request: recorded for recorded, entry in book.of_kind(InfusionEnded)}
    for recorded, entry in book.of_kind(InfusionStarted):
        seqs = [recorded.header.seq, *([ended[entry.request].header.seq] if entry.request in ended else [])]
        yield {
            "USUBJID": book.usubjid,
            "DOSE": asked.get(entry.request),
            "EQLEDGER": " ".join(book.reference(seq) for seq in seqs),
        }


def _breaks(book: Casebook) -> Iterator[Row]:
    shown = {entry.request: entry.shown_at for _, entry in book.of_kind(CodeBroken)}
    for recorded, entry in book.of_kind(CodeBreakRequested):
        yield {
            "USUBJID": book.usubjid,
            "REQUEST": entry.request,
            "CATEGORY": entry.category,
            "DRILL": "Y" if entry.drill else "N",
            "ASKEDDTC": recorded.header.at,
            "SHOWNDTC": shown.get(entry.request),
            "REASON": entry.reason or None,
            "EQLEDGER": book.reference(recorded.header.seq),
        }

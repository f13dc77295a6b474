"""Everything of a trial at a cut, as plain columns by domain: what either door derives its analysis datasets from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from equipoise.ledger.entries import RangeRow, Recorded, SubjectRandomized
from equipoise.protocol.study import Study
from equipoise.standards.assigned import assigned
from equipoise.standards.dataset import Cell
from equipoise.standards.sdtm import of_casebooks
from equipoise.standards.sdtm_casebook import casebooks


@dataclass(frozen=True, slots=True)
class Columns:
    """Domain -> variable -> cells; and by USUBJID the public randomization number, and the stream of everybody."""

    tables: Mapping[str, Mapping[str, tuple[Cell, ...]]]
    numbers: Mapping[str, str]
    streams: Mapping[str, str]


def columns_of(
    study: Study,
    subjects: Iterable[Sequence[Recorded]],
    ranges: Mapping[str, tuple[RangeRow, ...]],
    *,
    rehearsal: bool,
) -> Columns:
    """The columns of the subjects' entries. subjects: each stream's, in order of seq; an empty one is nobody's."""
    streams = [one for one in subjects if one]
    books = casebooks(study, streams, ranges, rehearsal=rehearsal)
    datasets = dict(of_casebooks(study, books, rehearsal=rehearsal))
    datasets |= assigned(study, study.demo_id if rehearsal else study.id, books)
    numbers = {book.usubjid: entry.number for book in books for _, entry in book.of_kind(SubjectRandomized)}
    names = {book.usubjid: book.screened.header.stream for book in books}
    return Columns({name: one.columnar() for name, one in datasets.items()}, numbers, names)

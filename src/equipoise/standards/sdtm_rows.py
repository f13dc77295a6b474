"""Tables of SDTM from rows by variable name: columns in order, numbers in one type, --SEQ assigned.

The rule that must stay true: the columns depend on the definition, the rows on the entries; the same input gives
the same table whatever the order it came in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from equipoise.protocol.study import Study
from equipoise.standards.dataset import Cell, Column, Dataset
from equipoise.words.codelists import MISSING

Row: TypeAlias = "dict[str, Cell]"
"""Variable -> value; a variable that is not there is an empty cell."""

LEDGER = Column("EQLEDGER", "Ledger Entry the Row Came From")
"""Non-standard variable of every dataset: the last entry that shaped the row (Casebook.reference)."""
NOTE = Column("EQNOTE", "Explanation Beside the Result")
"""Non-standard variable of findings: the rater's words for a code, or what a total does not count."""

DOMAINS: Mapping[str, str] = {
    "AE": "Adverse Events",
    "BE": "Biospecimen Events",
    "CM": "Concomitant/Prior Medications",
    "CP": "Cell Phenotype Findings",
    "CV": "Cardiovascular System Findings",
    "DM": "Demographics",
    "DS": "Disposition",
    "DV": "Protocol Deviations",
    "DX": "Device Exposure",
    "EC": "Exposure as Collected",
    "EG": "ECG Test Results",
    "FT": "Functional Tests",
    "IE": "Inclusion/Exclusion Criteria Not Met",
    "IS": "Immunogenicity Specimen Assessments",
    "LB": "Laboratory Test Results",
    "MB": "Microbiology Specimen",
    "MH": "Medical History",
    "NV": "Nervous System Findings",
    "PE": "Physical Examination",
    "PR": "Procedures",
    "QS": "Questionnaires",
    "RS": "Disease Response and Clin Classification",
    "SC": "Subject Characteristics",
    "SU": "Substance Use",
    "SV": "Subject Visits",
    "VS": "Vital Signs",
}
"""Labels of the domains that rows are made for. Source: CDISC SDTMIG 3.4."""


def table(
    study: Study,
    study_id: str,
    domain: str,
    columns: Sequence[Column],
    rows: Iterable[Row],
    modified: str | None,
) -> Dataset:
    """The dataset of a domain: STUDYID and DOMAIN filled in, --SEQ counted from 1 within each USUBJID in row order."""
    sequence = f"{domain}SEQ"
    counted: dict[Cell, int] = {}
    filled = []
    for row in rows:
        subject = row["USUBJID"]
        counted[subject] = counted.get(subject, 0) + 1
        filled.append({"STUDYID": study_id, "DOMAIN": domain, sequence: counted[subject], **row})
    typed = tuple(_typed(column, filled) for column in columns)
    return Dataset(
        name=domain,
        label=DOMAINS.get(domain, domain),
        study=study_id,
        version=study.version,
        columns=typed,
        rows=tuple(tuple(_cell(column, row.get(column.name)) for column in typed) for row in filled),
        modified=modified,
    )


def reason_of(code: str) -> str:
    """--REASND of a missing code: its words, or the code where the program has none."""
    return MISSING[code].en.upper() if code in MISSING else code


def whole(number: Decimal | int) -> int | Decimal:
    """An integer where the number is one; the decimal otherwise."""
    return int(number) if number == int(number) else Decimal(number)


def _typed(column: Column, rows: Sequence[Row]) -> Column:
    # A column of numbers is `integer` until one of them has a fraction.
    if column.data_type == "integer" and any(isinstance(row.get(column.name), Decimal) for row in rows):
        return Column(column.name, column.label, "decimal", column.key)
    return column


def _cell(column: Column, cell: Cell) -> Cell:
    if cell == "":
        return None
    return Decimal(cell) if column.data_type == "decimal" and isinstance(cell, int) else cell

"""SDTM DM, DS and IE: who the subjects are, what became of them, which criteria they did not meet.

The rule that must stay true: this door knows no arm. ARM, ARMCD, ACTARM and ACTARMCD are empty for everyone, the same
for every randomized subject, and ARMNRS says why.
Source: CDISC SDTMIG 3.4, DM, DS and IE; terms of DSDECOD and ARMNRS from CDISC controlled terminology where it has one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from equipoise.capture.visits import ended
from equipoise.ledger.entries import (
    ConsentDocumented,
    ConsentWithdrawn,
    EligibilityJudged,
    Entry,
    InfusionEnded,
    InfusionStarted,
    Recorded,
    ScreeningFailed,
    SubjectRandomized,
    SubjectScreened,
)
from equipoise.protocol.study import Criterion, Study
from equipoise.protocol.windows import day_one
from equipoise.standards.dataset import Column
from equipoise.standards.sdtm_casebook import Casebook
from equipoise.standards.sdtm_rows import LEDGER, Row
from equipoise.words.dates import completed_years, parse_date

NOT_UNBLINDED = "NOT YET UNBLINDED"
"""ARMNRS of a randomized subject until final release. Not a CDISC term: its codelist knows no blinded export."""

DM_COLUMNS = (
    Column("STUDYID", "Study Identifier", key=1),
    Column("DOMAIN", "Domain Abbreviation"),
    Column("USUBJID", "Unique Subject Identifier", key=2),
    Column("SUBJID", "Subject Identifier for the Study"),
    Column("RFSTDTC", "Subject Reference Start Date/Time"),
    Column("RFENDTC", "Subject Reference End Date/Time"),
    Column("RFXSTDTC", "Date/Time of First Study Treatment"),
    Column("RFXENDTC", "Date/Time of Last Study Treatment"),
    Column("RFICDTC", "Date/Time of Informed Consent"),
    Column("RFPENDTC", "Date/Time of End of Participation"),
    Column("DTHDTC", "Date/Time of Death"),
    Column("DTHFL", "Subject Death Flag"),
    Column("SITEID", "Study Site Identifier"),
    Column("BRTHDTC", "Date/Time of Birth"),
    Column("AGE", "Age", "integer"),
    Column("AGEU", "Age Units"),
    Column("SEX", "Sex"),
    Column("RACE", "Race"),
    Column("ETHNIC", "Ethnicity"),
    Column("ARMCD", "Planned Arm Code"),
    Column("ARM", "Description of Planned Arm"),
    Column("ACTARMCD", "Actual Arm Code"),
    Column("ACTARM", "Description of Actual Arm"),
    Column("ARMNRS", "Reason Arm and/or Actual Arm is Null"),
    Column("COUNTRY", "Country"),
    Column("DMDTC", "Date/Time of Collection"),
    Column("EQRESCR", "USUBJID of the Earlier Screening"),
    LEDGER,
)
DS_COLUMNS = (
    Column("STUDYID", "Study Identifier", key=1),
    Column("DOMAIN", "Domain Abbreviation"),
    Column("USUBJID", "Unique Subject Identifier", key=2),
    Column("DSSEQ", "Sequence Number", "integer"),
    Column("DSTERM", "Reported Term for the Disposition Event"),
    Column("DSDECOD", "Standardized Disposition Term", key=3),
    Column("DSCAT", "Category for Disposition Event"),
    Column("EPOCH", "Epoch"),
    Column("DSSTDTC", "Start Date/Time of Disposition Event", key=4),
    LEDGER,
)
IE_COLUMNS = (
    Column("STUDYID", "Study Identifier", key=1),
    Column("DOMAIN", "Domain Abbreviation"),
    Column("USUBJID", "Unique Subject Identifier", key=2),
    Column("IESEQ", "Sequence Number", "integer"),
    Column("IETESTCD", "Inclusion/Exclusion Criterion Short Name", key=3),
    Column("IETEST", "Inclusion/Exclusion Criterion"),
    Column("IECAT", "Inclusion/Exclusion Category"),
    Column("IEORRES", "I/E Criterion Original Result"),
    Column("IESTRESC", "I/E Criterion Result in Std Format"),
    Column("EPOCH", "Epoch"),
    Column("IEDTC", "Date/Time of Collection"),
    LEDGER,
)
# What a form may fill in DM: identifiers, reference dates, site and arms are the program's own.
_COLLECTED = frozenset({"BRTHDTC", "AGE", "SEX", "RACE", "ETHNIC", "COUNTRY", "DTHDTC", "DTHFL", "DMDTC"})
_SHAPING = (
    SubjectScreened,
    ConsentDocumented,
    ScreeningFailed,
    SubjectRandomized,
    InfusionStarted,
    InfusionEnded,
)


def demographics(books: Iterable[Casebook]) -> Iterator[Row]:
    """One DM row a subject."""
    books = tuple(books)
    by_stream = {book.screened.header.stream: book.usubjid for book in books}
    for book in books:
        row, seqs = _collected(book)
        seqs |= {recorded.header.seq for recorded in book.entries if isinstance(recorded.entry, _SHAPING)}
        screened = book.screened.entry
        earlier = screened.rescreening_of if isinstance(screened, SubjectScreened) else None
        row |= {
            "USUBJID": book.usubjid,
            "SUBJID": book.subject,
            "SITEID": book.site,
            "RFICDTC": consent_day(book),
            **reference_dates(book),
            "ARMNRS": arm_reason(book),
            "EQRESCR": by_stream.get(f"subject/{earlier}") if earlier else None,
            "EQLEDGER": book.reference(max(seqs)),
        }
        _set_age(row)
        if row.get("DTHDTC"):
            row["DTHFL"] = "Y"
        yield row


def reference_dates(book: Casebook) -> Row:
    """RFSTDTC is day 1 of the schedule, RFXSTDTC and RFXENDTC the first and last dose on the site's clock.

    RFENDTC and RFPENDTC are both the day on which participation ended; RFENDTC only of who was randomized.
    """
    begun = [book.clock(entry.at) for _, entry in book.of_kind(InfusionStarted)]
    stopped = [book.clock(entry.at) for _, entry in book.of_kind(InfusionEnded)]
    drawn = [book.day(recorded) for recorded, _ in book.of_kind(SubjectRandomized)]
    first = dt.date.fromisoformat(min(begun)[:10]) if begun else None
    day = day_one(book.study, first, dt.date.fromisoformat(drawn[0]) if drawn else None)
    left = ended(book.study, book.capture)
    return {
        "RFSTDTC": day.isoformat() if day is not None else None,
        "RFXSTDTC": min(begun, default=None),
        "RFXENDTC": max(stopped, default=None),
        "RFENDTC": left[1] if left is not None and drawn else None,
        "RFPENDTC": left[1] if left is not None else None,
    }


def consent_day(book: Casebook) -> str | None:
    """The first day on which consent was given, as recorded; None where it was not."""
    return min((entry.on for _, entry in book.of_kind(ConsentDocumented) if entry.given), default=None)


def arm_reason(book: Casebook) -> str:
    """ARMNRS: a screen failure, randomized but not unblinded, or not (yet) assigned."""
    kinds = {type(recorded.entry) for recorded in book.entries}
    if SubjectRandomized in kinds:
        return NOT_UNBLINDED
    return "SCREEN FAILURE" if ScreeningFailed in kinds else "NOT ASSIGNED"


def disposition(book: Casebook) -> Iterator[Row]:
    """The DS rows of a subject, in the order of the entries: milestones, and how participation ended."""
    for recorded in book.entries:
        event = _event(recorded.entry)
        if event is None:
            continue
        yield {
            "USUBJID": book.usubjid,
            "DSTERM": event.term,
            "DSDECOD": event.decode,
            "DSCAT": event.category,
            "EPOCH": _first_epoch(book.study) if event.decode in _BEFORE_TREATMENT else None,
            "DSSTDTC": event.day or book.day(recorded),
            "EQLEDGER": book.reference(recorded.header.seq),
        }
    yield from _ended(book)


def disposition_columns(study: Study) -> tuple[Column, ...]:
    """The columns of DS in a study: further variables that its forms aim at stand before the reference."""
    known = {column.name for column in DS_COLUMNS}
    more = {
        item.sdtm.variable: item
        for form in study.forms
        for item in form.items
        if item.sdtm and item.sdtm.domain == "DS" and item.sdtm.variable and item.blinding == "open"
    }
    extra = [Column(name, item.label.en[:40]) for name, item in sorted(more.items()) if name not in known]
    return (*DS_COLUMNS[:-1], *extra, DS_COLUMNS[-1])


def _ended(book: Casebook) -> Iterator[Row]:
    """How participation ended, as a form says it."""
    for instance in book.instances:
        held = {
            item.sdtm.variable: instance.values[item.id]
            for item in instance.form.items
            if item.sdtm and item.sdtm.domain == "DS" and item.sdtm.variable and item.id in instance.values
        }
        decode = held.get("DSDECOD")
        if decode is None or decode.datum.value is None:
            continue
        row: Row = {name: one.datum.value for name, one in held.items() if one.datum.value is not None}
        yield {
            "DSTERM": decode.datum.value,
            **row,
            "USUBJID": book.usubjid,
            "DSCAT": _DISPOSITION,
            "EQLEDGER": book.reference(max(one.seq for one in held.values())),
        }


def criteria_not_met(book: Casebook) -> Iterator[Row]:
    """The IE rows of a subject: inclusion criteria not met and exclusion criteria met.

    Those named by the screening failure, and those that the last judgement answered so. Unknown is no violation.
    """
    broken = _violations(book)
    for criterion in book.study.criteria:
        if criterion.id not in broken:
            continue
        recorded = broken[criterion.id]
        answer = "N" if criterion.category == "inclusion" else "Y"
        yield {
            "USUBJID": book.usubjid,
            "IETESTCD": criterion.id,
            "IETEST": criterion.text.en,
            "IECAT": criterion.category.upper(),
            "IEORRES": answer,
            "IESTRESC": answer,
            "EPOCH": _first_epoch(book.study),
            "IEDTC": book.day(recorded),
            "EQLEDGER": book.reference(recorded.header.seq),
        }


@dataclass(frozen=True, slots=True)
class _Event:
    term: str
    decode: str
    category: str
    day: str | None = None


_MILESTONE, _DISPOSITION = "PROTOCOL MILESTONE", "DISPOSITION EVENT"
_BEFORE_TREATMENT = frozenset({"INFORMED CONSENT OBTAINED", "SCREEN FAILURE", "RANDOMIZED"})


def _event(entry: Entry | None) -> _Event | None:
    if isinstance(entry, ConsentDocumented) and entry.given:
        whose = "" if entry.by == "PARTICIPANT" else " FROM LEGAL REPRESENTATIVE"
        return _Event(f"INFORMED CONSENT OBTAINED{whose}", "INFORMED CONSENT OBTAINED", _MILESTONE, entry.on)
    if isinstance(entry, SubjectRandomized):
        return _Event("RANDOMIZED", "RANDOMIZED", _MILESTONE)
    if isinstance(entry, ScreeningFailed):
        criteria = f": {', '.join(entry.criteria)}" if entry.criteria else ""
        return _Event(f"SCREEN FAILURE{criteria}", "SCREEN FAILURE", _DISPOSITION)
    if isinstance(entry, ConsentWithdrawn):
        mine = entry.by == "PARTICIPANT"
        term = "CONSENT WITHDRAWN" if mine else "CONSENT WITHDRAWN BY LEGAL REPRESENTATIVE"
        # CDISC's term for withdrawal by someone on the subject's behalf names parent and guardian.
        decode = "WITHDRAWAL BY SUBJECT" if mine else "WITHDRAWAL BY PARENT/GUARDIAN"
        return _Event(term, decode, _DISPOSITION, entry.on)
    return None


def _first_epoch(study: Study) -> str | None:
    return study.schedule.epochs[0].label.en.upper() if study.schedule.epochs else None


def _violations(book: Casebook) -> dict[str, Recorded]:
    criteria = {criterion.id: criterion for criterion in book.study.criteria}
    found: dict[str, Recorded] = {}
    judged = list(book.of_kind(EligibilityJudged))
    if judged:
        recorded, judgement = judged[-1]
        found |= {
            name: recorded
            for name, result in judgement.results.items()
            if name in criteria and _broken(criteria[name], result)
        }
    for recorded, failed in book.of_kind(ScreeningFailed):
        found |= dict.fromkeys(failed.criteria, recorded)
    return found


def _broken(criterion: Criterion, result: str) -> bool:
    return result == ("F" if criterion.category == "inclusion" else "T")


def _collected(book: Casebook) -> tuple[Row, set[int]]:
    row: Row = {}
    seqs: set[int] = set()
    for instance in book.instances:
        for item in instance.form.items:
            held = instance.values.get(item.id)
            target = item.sdtm
            if held is None or held.datum.value is None or target is None or target.domain != "DM":
                continue
            if target.variable in _COLLECTED:
                row[target.variable] = held.datum.value
                seqs.add(held.seq)
    return row, seqs


def _set_age(row: Row) -> None:
    """Completed years at consent where both dates settle it; otherwise the age that a form gave, if any."""
    birth, consent = (parse_date(str(row.get(name) or "")) for name in ("BRTHDTC", "RFICDTC"))
    stated = row.pop("AGE", None)
    years = completed_years(birth, consent) if birth and consent else None
    if years is not None and years.known and years.low is not None:
        row["AGE"] = int(years.low)
    elif stated is not None:
        row["AGE"] = int(Decimal(str(stated)))
    if "AGE" in row:
        row["AGEU"] = "YEARS"

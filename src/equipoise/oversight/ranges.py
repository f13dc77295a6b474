"""A laboratory's reference ranges: read from a file, all of it or nothing, every fault named by its line.

The rules that must stay true: a range is kept in the unit of its item, converted exactly where the file's unit allows
it; two ranges of one test never hold on the same day for the same person, but that a later one ends an open earlier
one; what was recorded stays, and is replaced for its days only by somebody who says why.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from equipoise.ledger.entries import Append, RangeRow, RangesRecorded
from equipoise.ledger.facts import Decision, Refusal
from equipoise.oversight.commands import RecordRanges
from equipoise.protocol.expressions.check import nearest
from equipoise.protocol.forms import Item
from equipoise.protocol.study import Study
from equipoise.words.dates import parse_date
from equipoise.words.problem import Problem, problem
from equipoise.words.units import convert

COLUMNS = ("test", "sex", "age_from", "age_until", "unit", "low", "high", "valid_from", "valid_until")
"""The columns of a file, in any order; `test`, `unit`, `low`, `high` and `valid_from` must be there."""
_NEEDED = ("test", "unit", "low", "high", "valid_from")
LINES_AT_MOST = 2000
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{1,8})?")
_WHOLE = re.compile(r"[0-9]{1,3}")


def with_rows(known: tuple[RangeRow, ...], new: Iterable[RangeRow]) -> tuple[RangeRow, ...]:
    """The rows after some more: one of the same test, person and first day takes the place of what stood there."""
    kept = {_key(row): row for row in known}
    kept |= {_key(row): row for row in new}
    return tuple(sorted(kept.values(), key=lambda row: (row.test, row.valid_from, _key(row))))


def decide_ranges(study: Study, known: tuple[RangeRow, ...], command: RecordRanges) -> Decision:
    """Decide that the ranges of a file hold."""
    laboratory = command.laboratory.strip()
    if not laboratory:
        return Refusal((problem("oversight.laboratory-unnamed", "laboratory"),))
    rows, faults = read_ranges(study, laboratory, command.text)
    if not faults:
        faults = list(_overlaps(rows, known, corrects=bool(command.reason.strip())))
    if faults:
        return Refusal(tuple(faults))
    fresh = tuple(row for _, row in rows if row not in known)
    if not fresh:
        return Refusal((problem("oversight.ranges-known"),))
    file = hashlib.sha256(command.text.encode()).hexdigest()
    reason = command.reason.strip()
    recorded = RangesRecorded(command.site, file, fresh, corrects=bool(reason), reason=reason)
    return (Append(f"site/{command.site}", recorded),)


def read_ranges(study: Study, laboratory: str, text: str) -> tuple[list[tuple[int, RangeRow]], list[Problem]]:
    """The rows of a file with their lines, and everything that is wrong with it."""
    lines = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""))
    try:
        named = [(name or "").strip().lower() for name in lines.fieldnames or ()]
        missing = [name for name in _NEEDED if name not in named]
        if missing:
            return [], [problem("oversight.ranges-columns", "text", columns=", ".join(missing))]
        lines.fieldnames = named
        given = [(lines.line_num, row) for row in lines]
    except csv.Error:
        return [], [problem("oversight.ranges-not-a-table", "text")]
    if len(given) > LINES_AT_MOST:
        return [], [problem("oversight.ranges-too-many", "text", lines=len(given), limit=LINES_AT_MOST)]
    if not given:
        return [], [problem("oversight.ranges-empty", "text")]
    tests = _tests(study)
    rows: list[tuple[int, RangeRow]] = []
    faults: list[Problem] = []
    for line, cells in given:
        clean = {
            name: value.strip()
            for name, value in cells.items()
            if isinstance(name, str) and isinstance(value, str)
        }
        clean |= {name: "" for name in _NEEDED if name not in clean}
        read = _row(study, tests, laboratory, line, clean)
        if isinstance(read, RangeRow):
            rows.append((line, read))
        else:
            faults += read
    return rows, faults


def _tests(study: Study) -> Mapping[str, Item]:
    """Every test of a panel by its id, and by its SDTM code where no id is the same."""
    items = [item for form in study.forms for item in form.tests()]
    coded = {item.sdtm.testcd: item for item in items if item.sdtm is not None and item.sdtm.testcd}
    return {**coded, **{item.id: item for item in items}}


def _row(
    study: Study, tests: Mapping[str, Item], laboratory: str, line: int, cells: Mapping[str, str]
) -> RangeRow | list[Problem]:
    where, faults = f"line {line}", list[Problem]()
    test = tests.get(cells["test"].upper())
    if test is None:
        like = nearest(cells["test"].upper(), tests) or ""
        return [
            problem("oversight.range-test", where, line=line, test=cells["test"] or "–", like=like or "–")
        ]
    ends = [_end(test, where, line, cells["unit"], name, cells[name], faults) for name in ("low", "high")]
    if not faults and ends == [None, None]:
        faults.append(problem("oversight.range-empty", where, line=line, test=test.id))
    if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
        faults.append(problem("oversight.range-order", where, line=line, test=test.id))
    days = [_day(where, line, name, cells.get(name, ""), faults) for name in ("valid_from", "valid_until")]
    if days[0] is None and not any(one.rule == "oversight.range-date" for one in faults):
        faults.append(problem("oversight.range-date", where, line=line, given="–"))
    if days[0] is not None and days[1] is not None and days[1] < days[0]:
        faults.append(problem("oversight.range-ends-first", where, line=line))
    ages = [_age(where, line, cells.get(name, ""), faults) for name in ("age_from", "age_until")]
    sex = _sex(study, where, line, cells.get("sex", ""), faults)
    if faults:
        return faults
    low, high = (None if end is None else f"{end:f}" for end in ends)
    return RangeRow(laboratory, test.id, test.unit, low, high, sex, ages[0], ages[1], days[0] or "", days[1])


def _end(
    test: Item, where: str, line: int, unit: str, name: str, text: str, faults: list[Problem]
) -> Decimal | None:
    if not text:
        return None
    if _NUMBER.fullmatch(text) is None:
        faults.append(problem("oversight.range-number", where, line=line, given=text))
        return None
    wanted = test.unit or ""
    found = convert(Decimal(text), unit, wanted, analyte=test.analyte) if unit != wanted else Decimal(text)
    if found is None:
        fault = problem(
            "oversight.range-unit", where, line=line, test=test.id, unit=unit or "–", wanted=wanted or "–"
        )
        if fault not in faults:
            faults.append(fault)
    return found


def _day(where: str, line: int, name: str, text: str, faults: list[Problem]) -> str | None:
    if not text:
        return None
    date = parse_date(text)
    if date is None or not date.complete:
        faults.append(problem("oversight.range-date", where, line=line, given=text))
        return None
    return date.iso()


def _age(where: str, line: int, text: str, faults: list[Problem]) -> str | None:
    if not text:
        return None
    if _WHOLE.fullmatch(text) is None:
        faults.append(problem("oversight.range-age", where, line=line, given=text))
        return None
    return str(int(text))


def _sex(study: Study, where: str, line: int, text: str, faults: list[Problem]) -> str | None:
    if not text:
        return None
    given = next((each for each in study.inputs if each.name == study.reference_ranges.sex), None)
    codelist = study.codelist(given.codelist or "") if given is not None else None
    if codelist is None and given is not None and given.origin.form is not None:
        form = study.form(given.origin.form)
        item = form.item(given.origin.item or "") if form is not None else None
        codelist = study.codelist(item.codelist or "") if item is not None else None
    codes = [term.code for term in codelist.terms] if codelist is not None else []
    if text.upper() not in codes:
        faults.append(
            problem("oversight.range-sex", where, line=line, given=text, codes=", ".join(codes) or "–")
        )
        return None
    return text.upper()


def _key(row: RangeRow) -> tuple[str, ...]:
    return tuple(each or "" for each in (row.test, row.sex, row.age_from, row.age_until, row.valid_from))


def _overlaps(
    rows: list[tuple[int, RangeRow]], known: tuple[RangeRow, ...], *, corrects: bool
) -> Iterator[Problem]:
    for place, (line, row) in enumerate(rows):
        for other, before in rows[:place]:
            if _clash(row, before) or (row.valid_from == before.valid_from and _meet(row, before)):
                yield problem("oversight.range-twice", f"line {line}", line=line, other=other, test=row.test)
        for before in known:
            if before == row or not _meet(row, before):
                continue
            if row.valid_from == before.valid_from and _key(row) == _key(before):
                if not corrects:
                    yield _over("stands", line, row, row.valid_from)
            elif row.valid_from == before.valid_from or _clash(row, before):
                yield _over("overlaps", line, row, before.valid_from)


def _over(kind: str, line: int, row: RangeRow, day: str) -> Problem:
    return problem(f"oversight.range-{kind}", f"line {line}", line=line, test=row.test, day=day)


def _meet(a: RangeRow, b: RangeRow) -> bool:
    """Whether both are of one test and could be of one person."""
    ages = int(a.age_from or 0) <= int(b.age_until or 999) and int(b.age_from or 0) <= int(a.age_until or 999)
    return a.test == b.test and (a.sex is None or b.sex is None or a.sex == b.sex) and ages


def _clash(a: RangeRow, b: RangeRow) -> bool:
    """Whether a range begins while an earlier one of the same person, with a last day of its own, still holds."""
    first, second = sorted((a, b), key=lambda row: row.valid_from)
    return (
        _meet(a, b)
        and first.valid_from < second.valid_from
        and first.valid_until is not None
        and first.valid_until >= second.valid_from
    )

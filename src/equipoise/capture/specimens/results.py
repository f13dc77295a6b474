"""A laboratory's file, line by line: what each line is, and what stands in the way of taking the file in.

The rules that must stay true: every line ends in exactly one class, and the classes add up to the lines; a file is
taken in whole or not at all; a door takes in the tests whose items it captures, and says the same of all others; a
value is read as if it had been typed on its form. Nothing here writes.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from equipoise.capture.parsing import parse
from equipoise.capture.quantified import beyond, limit_in
from equipoise.capture.questions import Question, question
from equipoise.capture.specimens.accession import holds, typed
from equipoise.ledger.entries import Datum, Reported
from equipoise.protocol.specimens import Kit, SpecimenTest
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

LARGEST = 500_000
"""Characters of a file at most."""
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "accession": ("accession", "accession number", "样本编号", "样本号", "条码"),
    "test": ("test", "test code", "testcd", "检测项目", "项目代码"),
    "value": ("value", "result", "结果", "检测结果"),
    "unit": ("unit", "units", "单位"),
    "flag": ("flag", "lloq", "标记", "定量限标记"),
}
"""What a column is called, in small letters."""
MARKS: Mapping[str, str] = {
    **dict.fromkeys(("BLQ", "<LLOQ", "<", "低于定量限"), "<"),
    **dict.fromkeys(("ALQ", ">ULOQ", ">", "高于定量限"), ">"),
}
"""What a laboratory writes in the flag for below or above its limit of quantification; the value is that limit."""
GOOD = ("NEW", "CORRECTED", "SAME")
"""Classes that do not stand in the way."""
FAULTS: Mapping[str, str] = {
    "MALFORMED": "specimens.line-malformed",
    "CHECK_DIGIT": "specimens.line-check-digit",
    "UNKNOWN": "specimens.line-unknown",
    "TEST": "specimens.line-test",
    "OTHER_DOOR": "specimens.line-other-door",
    "UNIT": "specimens.line-unit",
    "DUPLICATE": "specimens.line-duplicate",
    "VALUE": "specimens.line-value",
    "REPORTED": "specimens.line-reported",
    "REFUSED": "specimens.line-refused",
}
"""Classes that do, with what is said of such a line."""


@dataclass(frozen=True, slots=True)
class Collected:
    """A tube as a laboratory's number finds it."""

    specimen: str
    subject: str
    kit: str
    visit: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: its number (from 1, the heading is 1), its class, and what is said of it."""

    number: int
    found: str
    tube: Collected | None = None
    test: SpecimenTest | None = None
    result: Reported | None = None
    datum: Datum | None = None
    says: Problem | None = None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The whole file. `silent`: (specimen, test) that were collected and have no result, in this file or before.

    unread: why the file could not be read at all.
    """

    lines: tuple[Line, ...] = ()
    silent: tuple[tuple[str, str], ...] = ()
    unread: Problem | None = None

    @property
    def classes(self) -> Mapping[str, int]:
        """How many lines there are of each class."""
        return dict(sorted(Counter(line.found for line in self.lines).items()))

    @property
    def importable(self) -> bool:
        """Whether the file may be taken in: nothing stands in the way, and something is new."""
        found = set(self.classes)
        return self.unread is None and found <= set(GOOD) and bool(found & {"NEW", "CORRECTED"})


@dataclass(frozen=True, slots=True)
class Door:
    """What a door knows: tubes by number, results reported before, and which of the study's items it captures."""

    study: Study
    revealing: bool
    collected: Mapping[str, Collected]
    reported: Mapping[tuple[str, str], Reported]


def decoded(data: bytes) -> str | Problem:
    """The text of a file as laboratories save it: UTF-8 with or without a mark, or GB 18030 as Chinese Excel does."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if len(text) > LARGEST:
            return problem("specimens.file-too-large", "file", limit=LARGEST // 1000)
        return text if "\x00" not in text else problem("specimens.file-no-table", "file")
    return problem("specimens.file-no-table", "file")


def numbers_in(text: str) -> frozenset[str]:
    """The accession numbers that a file names."""
    return frozenset(number for fields in _table(text)[1] if (number := typed(fields.get("accession", ""))))


def reconcile(door: Door, laboratory: str, text: str, *, corrects: bool) -> Reconciliation:
    """Class every line of a file."""
    heading, rows = _table(text)
    lacking = [name for name in ("accession", "test", "value", "unit") if name not in heading]
    if lacking:
        return Reconciliation(unread=problem("specimens.file-heading", "file", columns=", ".join(lacking)))
    if not rows:
        return Reconciliation(unread=problem("specimens.file-empty", "file"))
    lines: list[Line] = []
    seen: set[tuple[str, str]] = set()
    for number, fields in enumerate(rows, 2):
        line = _line(door, laboratory, number, fields, seen, corrects=corrects)
        if line.tube is not None and line.test is not None:
            seen.add((line.tube.specimen, line.test.code))
        lines.append(line)
    return Reconciliation(tuple(lines), tuple(_silent(door, laboratory, seen)))


def _line(
    door: Door,
    laboratory: str,
    number: int,
    fields: Mapping[str, str],
    seen: set[tuple[str, str]],
    *,
    corrects: bool,
) -> Line:
    accession, code = typed(fields.get("accession", "")), typed(fields.get("test", "")).upper()
    if not accession or not code or "" in fields:
        return _fault(number, "MALFORMED")
    if not holds(accession):
        return _fault(number, "CHECK_DIGIT", accession=accession)
    tube = door.collected.get(accession)
    kit = door.study.specimens.kit(tube.kit) if tube is not None else None
    if tube is None or kit is None or kit.laboratory != laboratory:
        return _fault(number, "UNKNOWN", accession=accession)
    test = next((one for one in kit.tests if one.code == code), None)
    asked = _question(door.study, test) if test is not None else None
    if test is None or asked is None:
        return _fault(number, "TEST", accession=accession, test=code)
    if asked.revealing is not door.revealing:
        return _fault(number, "OTHER_DOOR", test=code)
    unit = _unit(asked)
    if plain_unit(fields.get("unit", "")) != plain_unit(unit):
        return _fault(number, "UNIT", test=code, given=fields.get("unit", "") or "–", wanted=unit or "–")
    if (tube.specimen, code) in seen:
        return _fault(number, "DUPLICATE", accession=accession, test=code)
    return _valued(door, Line(number, "NEW", tube, test), asked, fields, corrects=corrects)


def _valued(door: Door, line: Line, asked: Question, fields: Mapping[str, str], *, corrects: bool) -> Line:
    """A line whose place is clear: its value read, and held against what was reported before."""
    tube, test = line.tube, line.test
    assert tube is not None and test is not None  # noqa: S101, PT018  # what is called with such a line only
    given = fields.get("value", "").strip()
    limit = limit_in(given) if _is_number(asked) else None
    flag = typed(fields.get("flag", "")).upper()
    sign = limit[0] if limit is not None else MARKS.get(flag)
    read = parse(door.study, _opened(asked), Datum(limit[1:] if limit is not None else given))
    if sign != MARKS.get(flag, sign):
        read = problem("specimens.flag-differs", asked.id, flag=flag)
    if isinstance(read, Problem) or read.value is None or (sign is not None and not _is_number(asked)):
        says = read if isinstance(read, Problem) else problem("specimens.no-value", asked.id)
        return _fault(line.number, "VALUE", test=test.code, given=given or "–", says=_both(says))
    unit = _unit(asked)
    result = Reported(read.value, unit, below=sign == "<", above=sign == ">" or None)
    datum = beyond(sign, read, unit) if sign is not None else read
    before = door.reported.get((tube.specimen, test.code))
    found = (
        "NEW" if before is None else "SAME" if before == result else "CORRECTED" if corrects else "REPORTED"
    )
    if found == "REPORTED":
        return _fault(line.number, found, accession=tube.specimen, test=test.code)
    return Line(line.number, found, tube, test, result, datum)


def refused(line: Line, because: Problem) -> Line:
    """The line, where its form does not take its value."""
    test = line.test.code if line.test is not None else ""
    return _fault(line.number, "REFUSED", test=test, says=_both(because))


def _both(said: Problem) -> Text:
    return Text(said.say(), said.say("zh"))


def _fault(number: int, found: str, **arguments: str | Text) -> Line:
    return Line(number, found, says=problem(FAULTS[found], f"line {number}", line=number, **arguments))


def tests_of(study: Study, kit: Kit, *, revealing: bool) -> Iterator[SpecimenTest]:
    """The tests of a kit that one door captures."""
    for test in kit.tests:
        asked = _question(study, test)
        if asked is not None and asked.revealing is revealing:
            yield test


def _silent(door: Door, laboratory: str, seen: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for specimen, tube in sorted(door.collected.items()):
        kit = door.study.specimens.kit(tube.kit)
        if kit is None or kit.laboratory != laboratory:
            continue
        for test in tests_of(door.study, kit, revealing=door.revealing):
            if (specimen, test.code) not in seen and (specimen, test.code) not in door.reported:
                yield specimen, test.code


def _question(study: Study, test: SpecimenTest) -> Question | None:
    form = study.form(test.form)
    return question(form, test.item) if form is not None else None


def _opened(asked: Question) -> Question:
    """The question as its own door reads it: whoever captures an item there may see it."""
    if asked.own is None or not asked.revealing:
        return asked
    return Question(asked.id, asked.label, own=asked.own.model_copy(update={"blinding": "open"}))


def _is_number(asked: Question) -> bool:
    return asked.own is not None and asked.own.type in ("integer", "decimal")


def _unit(asked: Question) -> str:
    return (asked.own.unit or "") if asked.own is not None else ""


def plain_unit(unit: str) -> str:
    """A unit without what only looks different: micro signs, powers of ten, spaces."""
    text = "".join(unicodedata.normalize("NFKC", unit).split())
    for written, code in (
        ("μ", "u"),
        ("µ", "u"),
        ("×", ""),
        ("10^", "10*"),
        ("IU", "[IU]"),
        ("[[IU]]", "[IU]"),
    ):
        text = text.replace(written, code)
    return text


def _table(text: str) -> tuple[frozenset[str], list[dict[str, str]]]:
    """The columns that are known, and each row by them; a row with another number of cells has an unnamed one."""
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error:
        return frozenset(), []
    if not rows:
        return frozenset(), []
    names = [_column(cell) for cell in rows[0]]
    found = []
    for row in rows[1:]:
        if any(cell.strip() for cell in row):
            fields = {name: cell for name, cell in zip(names, row, strict=False) if name}
            found.append(fields if len(row) == len(names) else {**fields, "": "another number of cells"})
    return frozenset(names) - {""}, found


def _column(cell: str) -> str:
    name = unicodedata.normalize("NFKC", cell).strip().lower()
    return next((column for column, names in COLUMNS.items() if name in names), "")

"""Whether a laboratory value is low, normal or high, by the range in force on the day of its sample.

The rules that must stay true: the day of the sample decides, never the day of entry; a site's own range comes before
the study's; sex or age that is not known leaves the judgement open unless every range that could apply agrees; a value
without a range is not judged; one that is only known to lie beyond a limit ("<0.5", ">500") is judged where every value
beyond it would be judged alike. Source: CDISC SDTMIG 3.4, LB (LBORNRLO, LBORNRHI, LBNRIND).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from equipoise.capture.quantified import shown_limit
from equipoise.ledger.entries import Datum, RangeRow
from equipoise.protocol.expressions import Code, DateValue, Reason, Value
from equipoise.protocol.forms import INDICATED, Form, Item
from equipoise.protocol.study import Study
from equipoise.words.dates import PartialDate, completed_years, parse_date

Indicator = Literal["L", "N", "H"]
_Known = tuple[str, Decimal]
"""What is known of a value: that it is (=), or lies below (<) or above (>), a number."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A value against its range. `laboratory`: whose range it is; None where it is the study's own."""

    indicator: Indicator
    low: str | None
    high: str | None
    laboratory: str | None = None
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """What ranges ask of a participant: a code of sex and the date of birth, where they are known."""

    sex: str | None = None
    birth: PartialDate | None = None


def person_of(study: Study, inputs: Mapping[str, Value]) -> Person:
    """Sex and birth from the study's inputs."""
    sex = inputs.get(study.reference_ranges.sex or "")
    birth = inputs.get(study.reference_ranges.birth or "")
    return Person(
        sex.code if isinstance(sex, Code) else None, birth.date if isinstance(birth, DateValue) else None
    )


def inputs_asked(study: Study) -> frozenset[str]:
    """The inputs that `person_of` reads."""
    return frozenset(
        name for name in (study.reference_ranges.sex, study.reference_ranges.birth) if name is not None
    )


def judged(
    study: Study, form: Form, values: Mapping[str, Datum], ranges: tuple[RangeRow, ...], person: Person
) -> Mapping[str, Judged]:
    """The judgement of every value of a panel that can be judged, by item."""
    day = _sampled(form, values)
    if day is None:
        return {}
    found: dict[str, Judged] = {}
    for item in form.tests():
        known = _known(values.get(item.id))
        one = _judge(study, item, known, day, ranges, person) if known is not None else None
        if one is not None:
            found[item.id] = one
    return found


def indications(form: Form, found: Mapping[str, Judged]) -> Mapping[str, Value]:
    """The judgements as the form's rules ask for them: `<ITEM>_IND`, unknown where there is none."""
    return {
        item.id + INDICATED: Code(found[item.id].indicator)
        if item.id in found
        else Code(None, (Reason("missing"),))
        for item in form.tests()
    }


def _sampled(form: Form, values: Mapping[str, Datum]) -> PartialDate | None:
    datum = values.get(form.panel.sampled) if form.panel is not None else None
    date = parse_date(datum.value) if datum is not None and datum.value is not None else None
    return date if date is not None and date.complete else None


def _known(datum: Datum | None) -> _Known | None:
    if datum is None:
        return None
    said = shown_limit(datum) or (f"={datum.value}" if datum.value is not None else None)
    try:
        return (said[0], Decimal(said[1:])) if said is not None else None
    except ArithmeticError:
        return None


def _judge(
    study: Study, item: Item, known: _Known, day: PartialDate, ranges: tuple[RangeRow, ...], person: Person
) -> Judged | None:
    candidates = list(_in_force(item, day, ranges)) or list(_defaults(study, item))
    fitting = [row for row in candidates if _fits(row, day, person) is True] or [
        row for row in candidates if _fits(row, day, person) is None
    ]
    answers = {_indicator(known, row) for row in fitting}
    answer = answers.pop() if len(answers) == 1 else None
    if answer is None:
        return None
    row = fitting[0]
    if len(fitting) > 1:  # which range it is cannot be told, but every one says the same
        return Judged(answer, None, None, row.laboratory or None, row.valid_from or None)
    return Judged(answer, row.low, row.high, row.laboratory or None, row.valid_from or None)


def _defaults(study: Study, item: Item) -> Iterator[RangeRow]:
    """The study's own ranges of a test."""
    for one in study.reference_ranges.rows:
        if one.test == item.id:
            ends, ages = (_text(one.low), _text(one.high)), (_text(one.age_from), _text(one.age_until))
            yield RangeRow("", one.test, one.unit, *ends, one.sex, *ages, "", None)


def _in_force(item: Item, day: PartialDate, ranges: tuple[RangeRow, ...]) -> Iterator[RangeRow]:
    """Of each group of persons the latest range that began by the day and has not ended before it."""
    iso = day.iso()
    latest: dict[tuple[str | None, ...], RangeRow] = {}
    for row in ranges:
        if row.test == item.id and row.valid_from <= iso and not (row.valid_until and row.valid_until < iso):
            group = (row.sex, row.age_from, row.age_until)
            if group not in latest or latest[group].valid_from < row.valid_from:
                latest[group] = row
    for row in latest.values():
        if not any(other.valid_from > row.valid_from and _covers(other, row) for other in latest.values()):
            yield row


def _covers(newer: RangeRow, older: RangeRow) -> bool:
    """Whether a range is for everybody that another is for."""
    ages = int(newer.age_from or 0) <= int(older.age_from or 0) and int(older.age_until or 999) <= int(
        newer.age_until or 999
    )
    return newer.sex in {None, older.sex} and ages


def _fits(row: RangeRow, day: PartialDate, person: Person) -> bool | None:
    """Whether a range is for the person; None where that cannot be told."""
    known: list[bool | None] = []
    if row.sex is not None:
        known.append(None if person.sex is None else person.sex == row.sex)
    if row.age_from is not None or row.age_until is not None:
        known.append(_aged(row, day, person))
    if any(one is False for one in known):
        return False
    return None if any(one is None for one in known) else True


def _aged(row: RangeRow, day: PartialDate, person: Person) -> bool | None:
    age = completed_years(person.birth, day) if person.birth is not None else None
    if age is None or age.low is None or age.high is None:
        return None
    low, high = int(row.age_from or 0), int(row.age_until or 999)
    if low <= age.low and age.high <= high:
        return True
    return None if age.high >= low and age.low <= high else False


def _indicator(known: _Known, row: RangeRow) -> Indicator | None:
    """Low, normal or high; None where values on the known side of a limit would be judged differently."""
    side, number = known
    low = Decimal(row.low) if row.low is not None else None
    high = Decimal(row.high) if row.high is not None else None
    if low is not None and (number < low or (side == "<" and number == low)):
        return "L" if side != ">" else None
    if high is not None and (number > high or (side == ">" and number == high)):
        return "H" if side != "<" else None
    beyond = {"<": low, ">": high}.get(side)
    return "N" if beyond is None else None


def _text(number: Decimal | int | None) -> str | None:
    return None if number is None else f"{number:f}" if isinstance(number, Decimal) else str(number)

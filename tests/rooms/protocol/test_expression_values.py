"""From what was recorded to values of the language, and from values to what people read."""

from __future__ import annotations

from decimal import Decimal

import pytest

from equipoise.protocol.expressions import (
    Code,
    DateValue,
    InstrumentValue,
    Logical,
    Number,
    Reason,
    Type,
    Unknown,
    explain,
    parse,
    reasons_of,
)
from equipoise.protocol.expressions.encoding import value_from_json
from equipoise.protocol.expressions.recorded import recorded_value
from equipoise.protocol.expressions.render import render, say_value
from equipoise.words.dates import PartialDate
from equipoise.words.interval import ANYTHING, Interval
from equipoise.words.truth import Truth


@pytest.mark.parametrize(
    ("kind", "text", "missing", "value"),
    [
        (Type("number", "kg"), "70.5", None, Number.of("70.5", "kg")),
        (Type("number", "kg"), None, "ND", Number(ANYTHING, "kg", (Reason("not-done"),))),
        (Type("number"), "many", None, Number(ANYTHING, None, (Reason("type"),))),
        (Type("number"), "NaN", None, Number(ANYTHING, None, (Reason("type"),))),
        (Type("date"), "2026-08", None, DateValue(PartialDate(2026, 8))),
        (Type("date"), None, None, DateValue(None, (Reason("missing"),))),
        (Type("truth"), "Y", None, Logical(Truth.TRUE)),
        (Type("truth"), "N", None, Logical(Truth.FALSE)),
        (Type("truth"), "U", None, Logical(Truth.UNKNOWN, (Reason("not-known"),))),
        (Type("truth"), None, "RF", Logical(Truth.UNKNOWN, (Reason("refused"),))),
        (Type("code"), "A", None, Code("A")),
        (Type("code"), None, "NA", Code(None, (Reason("not-applicable"),))),
        (Type("instrument"), "5", None, Unknown((Reason("type"),))),
    ],
)
def test_what_was_recorded_is_a_value(kind, text, missing, value):
    assert recorded_value(kind, text, missing) == value


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        (Logical(Truth.TRUE), "yes", "是"),
        (Logical(Truth.UNKNOWN), "not known", "未知"),
        (Number.of("38.50", "Cel"), "38.5 Cel", "38.5 Cel"),
        (Number(Interval(Decimal(7), Decimal(11))), "7 to 11", "7 至 11"),
        (Number(Interval(Decimal(7), None)), "at least 7", "至少 7"),
        (Number(Interval(None, Decimal(7)), "kg"), "at most 7 kg", "至多 7 kg"),
        (Number(ANYTHING, "kg"), "not known", "未知"),
        (DateValue(PartialDate(2026, 8)), "2026-08", "2026-08"),
        (DateValue(None), "not known", "未知"),
        (Code("A"), "“A”", "“A”"),
        (
            InstrumentValue(Number(ANYTHING), Number(Interval(Decimal(7), Decimal(9))), {}),
            "7 to 9",
            "7 至 9",
        ),
    ],
)
def test_a_value_is_said_in_both_languages(value, en, zh):
    assert (say_value(value, "en"), say_value(value, "zh")) == (en, zh)


def test_an_explanation_is_read_line_by_line():
    scope = {"onset": DateValue(PartialDate(2026, 3)), "reference": DateValue(PartialDate(2026, 4, 10))}
    explanation = explain(parse("days(onset, reference) in 14..90"), scope)
    assert render(explanation) == (
        "days(onset, reference) in 14..90 → not known (onset: the date is not complete)",
        "  days(onset, reference) → 10 to 40 (onset: the date is not complete)",
        "    onset → 2026-03 (onset: the date is not complete)",
        "    reference → 2026-04-10",
    )
    assert render(explanation, "zh")[1] == "  days(onset, reference) → 10 至 40（onset：日期不完整）"


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (Number(ANYTHING), ["missing"]),
        (Number(Interval(Decimal(1), Decimal(2))), ["range"]),
        (DateValue(PartialDate(2026)), ["partial-date"]),
        (Code(None), ["missing"]),
        (Logical(Truth.TRUE, (Reason("missing"),)), []),
        (Number.of(3), []),
    ],
)
def test_an_unknown_always_has_a_reason_and_a_known_value_none(value, kinds):
    assert [reason.kind for reason in reasons_of(value)] == kinds


@pytest.mark.parametrize(
    "json",
    [
        None,
        [],
        {},
        {"truth": "X"},
        {"number": 1},
        {"number": ["1"]},
        {"number": ["2", "1"]},
        {"number": "x"},
        {"number": "1", "unit": 3},
        {"date": "2026-13"},
        {"code": 1},
        {"unknown": False},
        {"truth": "U", "reasons": "missing"},
        {"instrument": {"total": {"code": "A"}, "range": {"number": "1"}, "items": {}}},
    ],
)
def test_json_that_stands_for_no_value_is_refused(json):
    with pytest.raises(ValueError):
        value_from_json(json)

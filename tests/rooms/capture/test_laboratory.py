"""Low, normal or high: by the range in force on the day of the sample, for the person's sex and age."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.capture.consequences import Now, consequences
from equipoise.capture.evolve import START, Place
from equipoise.capture.laboratory import Judged, Person, judged
from equipoise.ledger.entries import Datum, RangeRow
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.words.dates import PartialDate, parse_date

MAN = Person("M")


@pytest.fixture(scope="module")
def first() -> Study:
    study = load_study(Path(__file__).resolve().parents[3] / "studies" / "nct07197606")
    assert isinstance(study, Study)
    return study


def row(test: str = "HGB", low: str | None = "130", high: str | None = "175", **more: str | None) -> RangeRow:
    given = {
        "sex": None,
        "age_from": None,
        "age_until": None,
        "valid_from": "2026-01-01",
        "valid_until": None,
        **more,
    }
    return RangeRow("Lab A", test, "g/L", low, high, **given)  # type: ignore[arg-type]


def found(study: Study, value: str, day: str | None, ranges=(), person: Person = MAN, item: str = "HGB") -> Judged | None:  # fmt: skip
    form = study.form("LBHEM")
    assert form is not None
    values = {item: Datum(value), **({"HEMDAT": Datum(day)} if day else {})}
    return judged(study, form, values, tuple(ranges), person).get(item)


@pytest.mark.parametrize(("value", "said"), [("129", "L"), ("130", "N"), ("175", "N"), ("176", "H")])
def test_both_ends_are_inside(first: Study, value: str, said: str) -> None:
    one = found(first, value, "2026-05-01", [row()])
    assert one is not None
    assert (one.indicator, one.laboratory) == (said, "Lab A")


@pytest.mark.parametrize(
    ("code", "limit", "said"),
    [
        ("ALQ", ">175", "H"),
        ("ALQ", ">174", None),  # 175 is normal, 176 is high
        ("ALQ", ">129", None),
        ("BLQ", "<130", "L"),
        ("BLQ", "<131", None),
        ("BLQ", "<176", None),
    ],
)
def test_a_value_beyond_a_limit_is_judged_where_all_values_beyond_it_are(
    first: Study, code: str, limit: str, said: str | None
) -> None:
    form = first.form("LBHEM")
    assert form is not None
    values = {"HGB": Datum(missing=code, why=f"{limit} g/L"), "HEMDAT": Datum("2026-05-01")}
    one = judged(first, form, values, (row(),), MAN).get("HGB")
    assert (one and one.indicator) == said


def test_without_a_lower_end_little_is_normal(first: Study) -> None:
    form = first.form("LBHEM")
    assert form is not None
    values = {"HGB": Datum(missing="BLQ", why="<5 g/L"), "HEMDAT": Datum("2026-05-01")}
    one = judged(first, form, values, (row(low=None),), MAN).get("HGB")
    assert one is not None
    assert one.indicator == "N"


def test_the_day_of_the_sample_decides(first: Study) -> None:
    ranges = [row(), row(low="140", valid_from="2026-07-01")]
    assert found(first, "135", "2026-06-30", ranges).indicator == "N"  # type: ignore[union-attr]
    assert found(first, "135", "2026-07-01", ranges).indicator == "L"  # type: ignore[union-attr]
    assert found(first, "135", None, ranges) is None
    assert found(first, "135", "2026-07", ranges) is None  # a day that is not known judges nothing


def test_where_the_site_gave_none_the_studys_own_holds(first: Study) -> None:
    early = found(
        first, "129", "2025-12-31", [row()]
    )  # before the site's range began; the study has 130 to 175 for men
    assert early is not None
    assert (early.indicator, early.laboratory) == ("L", None)
    ended = found(first, "129", "2026-03-01", [row(low="100", valid_until="2026-02-28")])
    assert ended is not None
    assert ended.laboratory is None


def test_sex_and_age_choose_and_what_is_not_known_judges_only_where_all_agree(first: Study) -> None:
    ranges = [row(sex="M"), row(low="115", high="150", sex="F")]
    assert found(first, "120", "2026-05-01", ranges, Person("F")).indicator == "N"  # type: ignore[union-attr]
    assert found(first, "120", "2026-05-01", ranges, Person("M")).indicator == "L"  # type: ignore[union-attr]
    assert found(first, "120", "2026-05-01", ranges, Person()) is None
    assert found(first, "100", "2026-05-01", ranges, Person()).indicator == "L"  # type: ignore[union-attr]
    aged = [row(age_until="59"), row(low="120", age_from="60")]
    born = parse_date("1966-05-02")
    assert found(first, "125", "2026-05-01", aged, Person("M", born)).indicator == "L"  # type: ignore[union-attr]
    assert found(first, "125", "2026-05-02", aged, Person("M", born)).indicator == "N"  # type: ignore[union-attr]
    assert found(first, "125", "2026-05-01", aged, Person("M", parse_date("1966"))) is None


def test_a_value_out_of_range_asks_the_investigator_and_one_inside_does_not(first: Study) -> None:
    place, now = Place("V3", "LBHEM", 1), Now(PartialDate(2026, 8, 14), None, (row(),))
    out = consequences(first, START, place, {"HGB": Datum("100"), "HEMDAT": Datum("2026-08-01")}, now)
    assert "HGBCS" not in out.hidden
    assert "HGBCS" in out.lacking
    inside = consequences(first, START, place, {"HGB": Datum("150"), "HEMDAT": Datum("2026-08-01")}, now)
    assert "HGBCS" in inside.hidden
    unjudged = consequences(first, START, place, {"HGB": Datum("100")}, now)
    assert "HGBCS" in unjudged.hidden

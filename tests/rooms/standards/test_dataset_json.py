"""Dataset-JSON: what is written is read back; the same input gives the same bytes; CDISC's schema and samples agree."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft201909Validator

from equipoise.standards.dataset import Cell, Column, Dataset, DataType
from equipoise.standards.dataset_json import Reading, read_dataset, write_dataset
from equipoise.standards.export import export_dataset_json
from equipoise.words.problem import catalogue
from rooms.standards.sdtm_example import form, screened, stream, study

AT = dt.datetime(2026, 3, 5, 10, 30, tzinfo=dt.UTC)
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
NAMES = st.from_regex(r"[A-Z][A-Z0-9]{0,7}", fullmatch=True)
CELLS: dict[DataType, st.SearchStrategy[Cell]] = {
    "string": TEXT,
    "integer": st.integers(-(2**53), 2**53),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False, places=6),
    "boolean": st.booleans(),
    "date": st.dates().map(str),
}


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    columns = tuple(
        Column(name, draw(TEXT), draw(st.sampled_from(sorted(CELLS))), draw(st.none() | st.integers(1, 9)))
        for name in names
    )
    row = st.tuples(*(st.none() | CELLS[column.data_type] for column in columns))
    modified = draw(st.none() | st.just("2026-03-04T01:02:03Z"))
    return Dataset(
        draw(NAMES),
        draw(TEXT),
        draw(TEXT),
        draw(NAMES),
        columns,
        tuple(draw(st.lists(row, max_size=6))),
        modified,
    )


@given(datasets())
def test_what_is_written_is_read_back(dataset: Dataset) -> None:
    written = write_dataset(dataset, AT)
    assert read_dataset(written, "file") == Reading(dataset, "2026-03-05T10:30:00Z")
    assert write_dataset(dataset, AT.astimezone(dt.timezone(dt.timedelta(hours=8)))) == written


def example() -> Dataset:
    columns = (
        Column("NAME", "Name", key=1),
        Column("HALF", "Half", "decimal"),
        Column("DONE", "Done", "boolean"),
    )
    return Dataset(
        "XX", "Example", "study", "1", columns, (("甲", Decimal("0.50"), True), (None, None, None))
    )


def test_the_file_has_the_members_of_the_standard() -> None:
    value = json.loads(write_dataset(example(), AT))
    assert value["datasetJSONVersion"] == "1.1.0"
    assert value["datasetJSONCreationDateTime"] == "2026-03-05T10:30:00Z"
    assert (value["records"], value["name"], value["label"]) == (2, "XX", "Example")
    assert value["itemGroupOID"] == "IG.XX"
    assert value["columns"][0] == {
        "itemOID": "IT.XX.NAME",
        "name": "NAME",
        "label": "Name",
        "dataType": "string",
        "length": 1,
        "keySequence": 1,
    }
    # Decimals travel as text, so that 0.50 keeps its last digit (Dataset-JSON 1.1, data type decimal).
    assert value["columns"][1]["targetDataType"] == "decimal"
    assert value["rows"] == [["甲", "0.50", True], [None, None, None]]


def test_a_time_without_a_zone_is_our_bug() -> None:
    with pytest.raises(ValueError, match="zone"):
        write_dataset(example(), dt.datetime(2026, 3, 5, 10, 30))


BROKEN: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "dataset-not-json"),
    "a list": (b"[]", "dataset-not-json"),
    "other bytes": (b"\xff\xfe\x00", "dataset-not-json"),
    "endless depth": (b"[" * 200_000, "dataset-not-json"),
    "a number too long": (b'{"a":' + b"1" * 5000 + b"}", "dataset-not-json"),
    "empty object": (b"{}", "dataset-incomplete"),
}
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "version 1.0": ({"datasetJSONVersion": "1.0.0"}, "dataset-version"),
    "rows lost": ({"rows": []}, "dataset-records"),
    "row too short": ({"rows": [["甲", "0.5"], [None, None, None]]}, "dataset-row"),
    "text for truth": ({"rows": [["甲", "0.5", "yes"], [None, None, None]]}, "dataset-row"),
    "words for a number": ({"rows": [["甲", "half", True], [None, None, None]]}, "dataset-row"),
    "no number": ({"rows": [["甲", "NaN", True], [None, None, None]]}, "dataset-row"),
    "a number of many digits": ({"rows": [["甲", "1e99999", True], [None, None, None]]}, "dataset-row"),
    "half a character": ({"rows": [["\ud800", "0.5", True], [None, None, None]]}, "dataset-row"),
    "unknown type": (
        {"columns": [{"itemOID": "i", "name": "A", "label": "a", "dataType": "money"}]},
        "dataset-columns",
    ),
    "columns of text": ({"columns": "A B"}, "dataset-columns"),
}


@pytest.mark.parametrize("case", sorted(BROKEN))
def test_foreign_bytes_yield_a_problem(case: str) -> None:
    data, rule = BROKEN[case]
    check(data, rule)


@pytest.mark.parametrize("case", sorted(CHANGES))
def test_a_damaged_file_yields_a_problem(case: str) -> None:
    change, rule = CHANGES[case]
    value = {**json.loads(write_dataset(example(), AT)), **change}
    check(json.dumps(value).encode(), rule)


def check(data: bytes, rule: str) -> None:
    found = read_dataset(data, "file.json")
    assert not isinstance(found, Reading)
    assert [fault.rule for fault in found] == [f"standards.{rule}"]
    assert found[0].rule in catalogue()


def exported(folder: Path) -> list[Path]:
    items: dict[str, str | None] = {
        f"_{item}": "1" for item in ("1a", "1b", "1c", "2", "3", "4", "8", "9", "11")
    }
    subject = stream(
        "a", screened("a", "001"), form("STROKESC", DAY="2026-03-02", **items), form("DEMOG", WEIGHT="61.5")
    )
    return list(export_dataset_json(study(), [subject], {}, folder, AT, rehearsal=True))


def test_an_export_writes_one_file_per_dataset_and_the_same_bytes_again(tmp_path: Path) -> None:
    first, second = exported(tmp_path / "one" / "deep"), exported(tmp_path / "two")
    assert [path.name for path in first] == [
        "dm.json",
        "ds.json",
        "dv.json",
        "ie.json",
        "sv.json",
        "ft.json",
        "qs.json",
        "rs.json",
        "vs.json",
    ]
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == sorted(path.name for path in first)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    reading = read_dataset((tmp_path / "two" / "rs.json").read_bytes(), "rs.json")
    assert isinstance(reading, Reading)
    assert len(reading.dataset.rows) == 9


def test_our_files_are_valid_by_cdisc_s_schema(shared_data: Path, tmp_path: Path) -> None:
    schema = json.loads((shared_data / "dataset-json" / "schema" / "dataset.schema.json").read_text("utf-8"))
    for path in exported(tmp_path):
        value = json.loads(path.read_text("utf-8"))
        Draft201909Validator(schema).validate(value)
    for damage in ({"records": "none"}, {"rows": ["text"]}, {"columns": [{"name": "A"}]}, {"extra": 1}):
        assert list(Draft201909Validator(schema).iter_errors({**value, **damage}))


def test_cdisc_s_samples_are_read(shared_data: Path) -> None:
    folder = shared_data / "dataset-json" / "examples"
    for path in (
        *sorted((folder / "sdtm").glob("*.json")),
        folder / "adam" / "adsl.json",
        folder / "i18n" / "ae.json",
    ):
        reading = read_dataset(path.read_bytes(), path.name)
        assert isinstance(reading, Reading), (path.name, reading)
        assert len(reading.dataset.rows) == json.loads(path.read_text("utf-8"))["records"]

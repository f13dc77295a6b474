"""Whatever the file: an import with its report, or problems that name what it is. Never a crash."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.standards.registry import LARGEST, Imported, import_registry
from equipoise.standards.registry_record import Record

VECTORS = Path(__file__).parents[2] / "vectors" / "registry"
LANTERN = json.loads((VECTORS / "lantern.json").read_text("utf-8"))
FOREIGN = "The harbour wakes at six.\n\nSex\n\nis not the subject of this essay.\n\nAges pass.\n" * 20


def refused(data: bytes) -> list[str]:
    found = import_registry(data, "file")
    assert isinstance(found, tuple), "imported, though nothing in it is usable"
    for problem in found:
        assert problem.say("en") != problem.rule
        assert problem.say("zh") != problem.say("en")
        assert "{" not in problem.say("en").replace(problem.arguments.get("keys", ""), "")
    return [problem.rule.removeprefix("registry.") for problem in found]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "empty"),
        (b" \r\n\t\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3 Status and phase", "pdf"),
        (b"PK\x03\x04word/document.xml", "archive"),
        (b"\x1f\x8b\x08", "archive"),
        (b"<!DOCTYPE html>\n<html><body><h2>Status and phase</h2>", "html"),
        (b"\n  <!-- saved --><HTML>", "html"),
        (b"\x00\x01\x02\x03", "not-text"),
        (bytes(range(256)), "not-text"),
        (b"Status and phase \x95 \xff", "not-text"),
        (FOREIGN.encode(), "not-recognised"),
        ("招募状态\n\n尚未招募\n".encode(), "not-recognised"),
        (b"a,b,c\n1,2,3\n", "not-recognised"),
        (b'[project]\nname = "x"\n', "json-broken"),
        (b'"a text"', "not-recognised"),
        (b"42", "not-recognised"),
        (
            b"Status and phase\n\nConditions\n\nIdentifiers\n\nData sourced from clinicaltrials.gov\n\n",
            "nothing-read",
        ),
        (b"{}", "not-a-study"),
        (b'{"a": {"b": 1}}', "not-a-study"),
        (b'{"resourceType": "ResearchStudy", "id": "x"}', "not-a-study"),
        (b'{"FullStudiesResponse": {"FullStudies": []}}', "not-a-study"),
        (b'{"studies": [{"name": "x"}]}', "not-a-study"),
        (b"[]", "several-studies"),
        (json.dumps([LANTERN]).encode(), "several-studies"),
        (json.dumps({"studies": [LANTERN, LANTERN]}).encode(), "several-studies"),
        (b'{"studies": []}', "several-studies"),
        ((json.dumps(LANTERN) + "\n" + json.dumps(LANTERN)).encode(), "several-studies"),
        (b'{"protocolSection": {}}', "nothing-read"),
        (b'{"protocolSection": 5}', "nothing-read"),
        (b'{"protocolSection": {"identificationModule": {"nctId": {"a": 1}, "briefTitle": [1]}}}', None),
    ],
)
def test_what_is_no_trial_is_named(data, rule):
    if rule is None:
        assert isinstance(
            import_registry(data, "file"), Imported
        )  # odd, but there is something: it is kept and told
    else:
        assert rule in refused(data)


@pytest.mark.parametrize(
    "data", [b"{", b"[", b'{"protocolSection"', b"{]", b'{"a": nope}', b'{"a": NaN}', b"{" * 9999]
)
def test_broken_json_is_named_with_its_line(data):
    assert refused(data)[0] == "json-broken"


def test_a_page_may_begin_with_a_bracket():
    page = (VECTORS / "lantern-page.txt").read_bytes()
    for beginning in (b"[Skip to content]\n\n", b"{saved}\n\n"):
        found = import_registry(beginning + page, "page.txt")
        assert isinstance(found, Imported)
        assert found.report.identifier == "NCT99990001"


def test_a_file_beyond_all_records_is_refused_unread():
    assert refused(b" " * (LARGEST + 1)) == ["too-large"]


def test_a_record_with_more_points_than_a_definition_holds_is_refused():
    giant = copy.deepcopy(LANTERN)
    giant["protocolSection"]["eligibilityModule"]["eligibilityCriteria"] = (
        "Inclusion Criteria:\n\n" + "* point\n" * 9000
    )
    assert refused(json.dumps(giant).encode()) == ["too-much"]


def test_one_study_in_a_wrapper_is_that_study():
    alone = import_registry(json.dumps(LANTERN, indent=1).encode(), "a.json")
    wrapped = import_registry(
        json.dumps({"studies": [LANTERN], "totalCount": 1}, indent=1).encode(), "a.json"
    )
    assert isinstance(alone, Imported)
    assert isinstance(wrapped, Imported)
    fields = {field.path: field.value for field in wrapped.study.registry.fields}
    assert fields.pop("totalCount") == 1
    assert fields == {field.path: field.value for field in alone.study.registry.fields}


def test_a_record_cut_short_gives_what_was_complete_and_says_where_it_ends():
    text = json.dumps(LANTERN, indent=1)
    lines = text[: text.index('"designModule"')].count("\n") + 1
    found = import_registry(text[: text.index('"designModule"')].encode(), "a.json")
    assert isinstance(found, Imported)
    assert ("registry.json-cut", f"a.json:{lines}") in [
        (p.rule, p.where) for p in found.report.not_understood
    ]
    assert "conditions" not in found.report.missing
    assert {"phase", "arms", "criteria"} <= set(found.report.missing)


@given(st.data())
def test_cut_records_never_invent(data):
    text = (VECTORS / "lantern.json").read_bytes()
    found = import_registry(text[: data.draw(st.integers(0, len(text) - 1))], "a.json")
    if isinstance(found, tuple):
        return
    whole = import_registry(text, "a.json")
    assert isinstance(whole, Imported)
    full = Record(whole.study.registry.fields)
    for field in found.study.registry.fields:
        value = full.get(field.path)
        shorter = (
            isinstance(value, list)
            and isinstance(field.value, list)
            and value[: len(field.value)] == field.value
        )
        assert field.value == value or shorter or field.value in ([], {}), field.path


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.data(), ODD)
def test_a_record_with_anything_anywhere_never_crashes(data, odd):
    spoilt = copy.deepcopy(LANTERN)
    place = spoilt
    while isinstance(place, dict | list) and place:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            place[key] = odd
            break
        place = place[key]
    found = import_registry(json.dumps(spoilt, allow_nan=True).encode("utf-8", "surrogatepass"), "a.json")
    if isinstance(found, Imported):
        assert found.report.lines("zh")
        assert found.report.as_json()
    else:
        assert [problem.say("zh") for problem in found]


@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes_give_an_answer(data):
    found = import_registry(data, "file")
    assert isinstance(found, Imported) or all(problem.say() != problem.rule for problem in found)

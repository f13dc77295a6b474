"""The skeleton's files: a definition that loads to the same study, the same bytes every time, nothing overwritten."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.protocol.check import check_study
from equipoise.protocol.load import load_study
from equipoise.protocol.study import RegistryField, Study
from equipoise.standards.registry import Imported, import_registry, write_skeleton
from equipoise.standards.registry_record import Record, readable
from equipoise.standards.registry_room import ASIDE_FILE, MOST_FIELDS
from equipoise.words.problem import catalogue

VECTORS = Path(__file__).parents[2] / "vectors" / "registry"
OURS = ["lantern.json", *(path.name for path in sorted(VECTORS.glob("*-page.txt")))]


def bring(data: bytes, name: str) -> Imported:
    found = import_registry(data, name)
    assert isinstance(found, Imported), [problem.say() for problem in found]
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", OURS)
def test_what_is_written_loads_as_what_was_read(name, tmp_path):
    found = bring((VECTORS / name).read_bytes(), name)
    assert write_skeleton(found, tmp_path / "new" / "folder") == ()
    assert load_study(tmp_path / "new" / "folder") == found.study


@pytest.mark.parametrize("name", OURS)
def test_a_skeleton_has_no_faults_and_every_criterion_awaits_an_expression(name):
    study = bring((VECTORS / name).read_bytes(), name).study
    findings = check_study(study)
    assert [finding.problem.say() for finding in findings if finding.fault] == []
    awaiting = {
        finding.problem.where.rsplit(".", 1)[-1]
        for finding in findings
        if "criteria" in finding.problem.where
    }
    assert {criterion.id for criterion in study.criteria} <= awaiting
    assert all(criterion.rule is None for criterion in study.criteria)


def test_real_records_load_as_what_was_read(shared_data, shared_reference, tmp_path):
    paths = [
        shared_reference / "nct07197606-page.txt",
        *sorted((shared_data / "registry").glob("NCT*.json"))[::5],
    ]
    for number, path in enumerate(paths):
        found = bring(path.read_bytes(), path.name)
        assert write_skeleton(found, tmp_path / str(number)) == ()
        assert load_study(tmp_path / str(number)) == found.study, path.name
        assert [finding.problem.say() for finding in check_study(found.study) if finding.fault] == []


@given(
    st.text(min_size=1).filter(lambda text: text.strip()), st.text(), st.sampled_from(["", "\n", "\n\n  "])
)
def test_any_text_survives_the_notation(tmp_path_factory, title, more, joint):
    texts = {"nctId": "NCT99990009", "briefTitle": title, "acronym": f"{title}{joint}{more} \n{more}"}
    found = bring(json.dumps({"protocolSection": {"identificationModule": texts}}).encode(), "a.json")
    folder = tmp_path_factory.mktemp("study")
    assert write_skeleton(found, folder) == ()
    assert load_study(folder) == found.study


def test_same_source_same_bytes(tmp_path):
    data = (VECTORS / "lantern.json").read_bytes()
    for folder in ("a", "b"):
        write_skeleton(bring(data, "lantern.json"), tmp_path / folder)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert b"lantern.json" in files(tmp_path / "a")["study.yaml"]


def test_the_file_is_for_people():
    from equipoise.standards.registry_yaml import skeleton_files

    found = bring((VECTORS / "lantern-page.txt").read_bytes(), "lantern-page.txt")
    text = skeleton_files(found.notation, found.report)["study.yaml"].decode()
    assert text.startswith("# ")
    assert "  - id: I02\n" in text
    assert "      • sleepiness by day\n" in text
    assert not any(line != line.rstrip() for line in text.split("\n"))


def test_a_study_that_is_there_is_not_overwritten(tmp_path):
    found = bring((VECTORS / "lantern.json").read_bytes(), "lantern.json")
    (tmp_path / "study.yaml").write_text("mine")
    assert [problem.rule for problem in write_skeleton(found, tmp_path)] == ["registry.would-overwrite"]
    assert files(tmp_path) == {"study.yaml": b"mine"}


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    found = bring((VECTORS / "lantern.json").read_bytes(), "lantern.json")
    assert [p.rule for p in write_skeleton(found, tmp_path / "file" / "below")] == ["registry.cannot-write"]


def test_more_than_a_definition_holds_stands_beside_it(tmp_path):
    record = json.loads((VECTORS / "lantern.json").read_text("utf-8"))
    events = [{"term": f"event {n}", "count": n} for n in range(MOST_FIELDS // 2 + 1)]
    record["resultsSection"] = {"adverseEventsModule": {"seriousEvents": events}}
    found = bring(json.dumps(record, indent=1).encode(), "a.json")
    assert write_skeleton(found, tmp_path) == ()
    assert load_study(tmp_path) == found.study
    rows = [json.loads(line) for line in files(tmp_path)[ASIDE_FILE].decode().splitlines()]
    terms = [row["value"] for row in rows if row["path"].endswith(".term")]
    assert terms == [event["term"] for event in events]
    assert all(row["line"] > 100 for row in rows)
    assert "registry.set-aside" in {problem.rule for problem in found.report.not_understood}


# ---------------------------------------------------------------- the record as a tree


def field(path: str, value: object) -> RegistryField:
    return RegistryField(path=path, value=value, source="record")


def test_a_record_reads_the_same_at_any_grain():
    whole = Record([field("a", {"b": [{"c": 1, "d": "x"}, {"c": 2}], "e": []})])
    parts = Record(
        [field("a.b[0].c", 1), field("a.b[0].d", "x"), field("a.b[1]", {"c": 2}), field("a.e", [])]
    )
    for path in ("a", "a.b", "a.b[0]", "a.b[1].c", "a.e", "a.none", "none[3].x"):
        assert whole.get(path) == parts.get(path), path
    assert whole.objects("a.b") == ({"c": 1, "d": "x"}, {"c": 2})
    assert (whole.count("a.b[0].c"), whole.text("a.b[0].d"), whole.texts("a.b")) == (1, "x", ())


def test_the_first_of_two_statements_is_the_answer_and_both_are_kept():
    record = Record([field("a", "first"), field("a", "second")])
    assert record.text("a") == "first"
    assert [f.value for f in record.fields] == ["first", "second"]


@given(
    st.lists(
        st.tuples(st.text(alphabet="ab.[]0123456789", max_size=12), st.integers() | st.text() | st.none())
    )
)
def test_any_paths_make_a_record(pairs):
    record = Record([field(path, value) for path, value in pairs])
    for path, _ in pairs:
        record.get(path)
        record.texts(path)
        assert record.objects(path) is not None


def test_a_backslash_that_only_protects_a_sign_is_left_out():
    # CommonMark 0.28, 2.4: any ASCII punctuation may be backslash-escaped; a backslash before others is itself.
    assert readable(r"score \> 1 and \*not\* C:\dir or 1\.") == r"score > 1 and *not* C:\dir or 1."


def test_a_study_file_by_hand_is_read_by_the_same_paths():
    study = Study.model_validate(
        {
            "notation": 1,
            "id": "x",
            "version": "1",
            "dated": "2031",
            "title": "t",
            "registry": {
                "registry": "r",
                "identifier": "i",
                "fields": [{"path": "p.q", "value": [{"label": "one"}], "source": "s"}],
            },
        }
    )
    assert Record(study.registry.fields).get("p.q[0].label") == "one"


def test_every_message_of_the_import_is_in_both_languages():
    ours = {key: text for key, text in catalogue().items() if key.startswith("registry.")}
    assert len(ours) > 60
    assert [key for key, text in ours.items() if not text.zh or text.zh == text.en] == []


def test_half_a_skeleton_is_not_left_behind(tmp_path):
    found = bring((VECTORS / "lantern.json").read_bytes(), "lantern.json")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    (tmp_path / "empty").mkdir()
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, before[1]))  # study.yaml has room, registry.yaml has not
    try:
        refused = [write_skeleton(found, tmp_path / name) for name in ("new", "empty")]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [[problem.rule for problem in each] for each in refused] == [["registry.cannot-write"]] * 2
    assert files(tmp_path / "empty") == {}
    assert not (tmp_path / "new").exists()
    assert write_skeleton(found, tmp_path / "new") == ()


def test_what_stands_in_the_way_stays(tmp_path):
    found = bring((VECTORS / "lantern.json").read_bytes(), "lantern.json")
    (tmp_path / "registry.yaml").write_bytes(b"mine")
    assert [problem.rule for problem in write_skeleton(found, tmp_path)] == ["registry.cannot-write"]
    assert files(tmp_path) == {"registry.yaml": b"mine"}

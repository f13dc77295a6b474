"""Reading a study folder: what is broken is named with its place, in our own words, in both languages.

Each folder under tests/vectors/broken-studies says at its top what has to be found: `# expect: file:line rule path`,
written by hand from the line of the fault.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.protocol.load import Definition, load_definition, load_study
from equipoise.protocol.notation import Located, read_yaml
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem
from equipoise.words.text import Text

BROKEN = Path(__file__).parents[2] / "vectors" / "broken-studies"
FOREIGN = re.compile(
    r"pydantic|Traceback|should be|valid |Input |mapping values|found character|while (scanning|parsing)"
)
SOUND = 'notation: 1\nid: small\nversion: "1"\ndated: 2026-01-01\ntitle: A small study\n'


def expected(folder: Path) -> list[tuple[str, str, str]]:
    """Place, rule and path that the folder says have to be found."""
    lines = (folder / "study.yaml").read_bytes().decode("utf-8", "replace").splitlines()
    words = [line.removeprefix("# expect: ").split() for line in lines if line.startswith("# expect: ")]
    return [(place, rule, rest[0] if rest else "") for place, rule, *rest in words]


def folder_with(tmp_path: Path, text: str, **files: str) -> Path:
    """A study folder of these files."""
    (tmp_path / "study.yaml").write_text(text, "utf-8")
    for name, content in files.items():
        (tmp_path / f"{name}.yaml").write_text(content, "utf-8")
    return tmp_path


def test_there_are_enough_broken_studies():
    assert len(list(BROKEN.iterdir())) >= 25


@pytest.mark.parametrize("folder", sorted(BROKEN.iterdir()), ids=lambda folder: folder.name)
def test_a_broken_study_is_told_by_file_line_and_rule(folder):
    problems = load_study(folder)
    assert isinstance(problems, tuple)
    found = []
    for problem in problems:
        place, _, path = problem.where.partition(" ")
        file, *line = place.split(":")
        found.append((":".join([file, *line[:1]]), problem.rule, path))
        for language in ("en", "zh"):
            said = problem.say(language)
            assert said != problem.rule
            assert not FOREIGN.search(said), said
    assert found == expected(folder)


def test_a_sound_study_is_read(tmp_path):
    study = load_study(folder_with(tmp_path, SOUND))
    assert isinstance(study, Study)
    assert (study.id, study.dated, study.title) == ("small", "2026-01-01", Text("A small study"))


def test_included_files_are_joined_in_order(tmp_path):
    text = SOUND + "arms: [{id: A, label: a}]\nsources: {one: first}\ninclude: [more, last]\n".replace(
        "more, last", "more.yaml, last.yaml"
    )
    more = "arms:\n- {id: B, label: b}\nsources: {two: second}\n"
    definition = load_definition(folder_with(tmp_path, text, more=more, last="arms: [{id: C, label: c}]\n"))
    assert isinstance(definition, Definition)
    assert [arm.id for arm in definition.study.arms] == ["A", "B", "C"]
    assert definition.study.sources == {"one": "first", "two": "second"}
    assert definition.places.where(("arms", 1, "label")) == "more.yaml:2:18 arms.B.label"
    assert definition.places.where(("arms", 2)) == "last.yaml:1:8 arms.C"


def test_a_folder_that_is_none(tmp_path):
    for folder, rule in (
        (tmp_path / "nowhere", "protocol.folder-missing"),
        (tmp_path, "protocol.file-missing"),
    ):
        problems = load_study(folder)
        assert isinstance(problems, tuple)
        assert [problem.rule for problem in problems] == [rule]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "latin-1"])
def test_another_encoding_is_told_with_its_line(tmp_path, encoding):
    text = SOUND.replace("A small study", "caf\u00e9 \u7814\u7a76" if encoding != "latin-1" else "caf\u00e9")
    (tmp_path / "study.yaml").write_bytes(text.encode(encoding))
    problems = load_study(tmp_path)
    assert isinstance(problems, tuple)
    line = (
        1 if encoding == "utf-16" else 5
    )  # the title stands in line 5; UTF-16 begins with bytes that UTF-8 has not
    assert [(each.rule, each.where) for each in problems] == [
        ("protocol.file-encoding", f"study.yaml:{line}")
    ]


def test_a_byte_order_mark_is_no_fault(tmp_path):
    (tmp_path / "study.yaml").write_bytes(SOUND.encode("utf-8-sig"))
    assert isinstance(load_study(tmp_path), Study)


def test_a_file_that_is_a_folder(tmp_path):
    (tmp_path / "study.yaml").mkdir()
    problems = load_study(tmp_path)
    assert isinstance(problems, tuple)
    assert [problem.rule for problem in problems] == ["protocol.file-unreadable"]


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    inside = tmp_path / "study"
    inside.mkdir()
    (tmp_path / "secret.yaml").write_text("acronym: X\n")
    (inside / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    problems = load_study(folder_with(inside, SOUND + "include: [link.yaml]\n"))
    assert isinstance(problems, tuple)
    assert [problem.rule for problem in problems] == ["protocol.include-outside"]


def test_a_file_too_large_is_not_parsed(tmp_path):
    problems = load_study(folder_with(tmp_path, SOUND + "# " + "x" * 4_000_000))
    assert isinstance(problems, tuple)
    assert [problem.rule for problem in problems] == ["protocol.file-too-large"]


def test_more_faults_than_one_reads(tmp_path):
    many = SOUND + "arms:\n" + "".join(f"- {{id: A{n}}}\n" for n in range(150))
    problems = load_study(folder_with(tmp_path, many))
    assert isinstance(problems, tuple)
    assert len(problems) == 101
    assert problems[-1].arguments["all"] == "150"


@pytest.mark.parametrize(
    ("written", "value"),
    # YAML 1.2.2, core schema (section 10.3.2); what leaves it is said beside it
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("No", "No"),  # a text in YAML 1.2, a truth in 1.1
        ("N", "N"),
        ("12", 12),
        ("-3", -3),
        ("0.10", Decimal("0.10")),
        ("012", "012"),  # ours: a leading zero makes a code, never a number
        ("1e3", "1e3"),  # ours: no exponents
        ("12:30", "12:30"),  # a number in base 60 in YAML 1.1
        ("2026-01-02", "2026-01-02"),  # a timestamp in YAML 1.1
        ("'12'", "12"),
        ('"true"', "true"),
        ("e\u0301", "\u00e9"),  # normal form C
        ("[1, a]", [1, "a"]),
        ("&x [1]", [1]),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written, value):
    read = read_yaml(f"key: {written}\n".encode(), "f.yaml")
    assert isinstance(read, Located)
    assert read.value == {"key": value}
    assert type(read.value["key"]) is type(value)


def test_keys_are_always_texts():
    read = read_yaml(b"5a: 1\ntrue: 2\n1.0: 3\n", "f.yaml")
    assert isinstance(read, Located)
    assert read.value == {"5a": 1, "true": 2, "1.0": 3}


def test_an_anchor_may_be_used_again():
    read = read_yaml(b"a: &x {b: [1]}\nc: *x\n", "f.yaml")
    assert isinstance(read, Located)
    assert read.value == {"a": {"b": [1]}, "c": {"b": [1]}}


@given(st.binary(max_size=80) | st.text("ab:-[]{}&*!|>'\"#%@`\n\t ,?1.", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_named(data):
    read = read_yaml(data, "f.yaml")
    assert isinstance(read, Located | Problem)
    if isinstance(read, Problem):
        assert read.where.startswith("f.yaml")


@given(st.integers(0, len(SOUND)), st.binary(max_size=3))
def test_a_damaged_study_never_raises(tmp_path_factory, position, noise):
    folder = tmp_path_factory.mktemp("damaged")
    data = SOUND.encode()
    (folder / "study.yaml").write_bytes(data[:position] + noise + data[position + 1 :])
    found = load_study(folder)
    assert isinstance(found, Study) or all(isinstance(problem, Problem) for problem in found)


def test_a_link_to_itself_and_a_device_without_end_are_no_files_of_a_study(tmp_path):
    main = tmp_path / "study.yaml"
    main.write_text("notation: 1\nid: s\nversion: '1'\ndated: '2026'\ntitle: t\ninclude: [loop.yaml]\n")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    found = load_study(tmp_path)
    assert isinstance(found, tuple)
    assert [(each.rule, each.where) for each in found] == [("protocol.include-outside", "study.yaml:6:11")]
    main.unlink()
    main.symlink_to("/dev/zero")
    found = load_study(tmp_path)
    assert isinstance(found, tuple)
    assert [each.rule for each in found] == ["protocol.file-too-large"]
    main.unlink()
    main.symlink_to("study.yaml")
    found = load_study(tmp_path)
    assert isinstance(found, tuple)
    assert [each.rule for each in found] == ["protocol.file-unreadable"]

"""The program's own files by YAML's core schema. Vectors: YAML 1.2.2, §10.3.2 (tag resolution)."""

from __future__ import annotations

import pytest
import yaml

from equipoise.words.yaml_text import yaml_values


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"), ("on", "on"), ("1:30", "1:30"), ("2026-01-01", "2026-01-01"), ("<<", "<<"), ("=", "="),
        ("true", True), ("FALSE", False), ("~", None), ("null", None), ("", None),
        ("-0", 0), ("+12", 12), ("3.5", 3.5), ("'3.5'", "3.5"),
    ],
)  # fmt: skip
def test_a_plain_word_is_what_the_core_schema_says(written, value):
    read = yaml_values(f"a: {written}\n")["a"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("text", ["a: 1\na: 2", "a: [", "a: !!python/name:os.system ''", "a: !x b"])
def test_a_second_key_an_open_bracket_and_a_tag_are_faults(text):
    with pytest.raises(yaml.MarkedYAMLError) as raised:
        yaml_values(text)
    assert raised.value.problem_mark is not None

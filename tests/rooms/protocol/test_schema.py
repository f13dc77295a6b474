"""The published JSON Schema is in step with the model, and accepts what the model accepts."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from equipoise.protocol.notation import Located, read_yaml
from equipoise.protocol.schema import DIALECT, schema_text, study_schema
from equipoise.protocol.study import Study

ROOT = Path(__file__).resolve().parents[3]
SOUND = b'notation: 1\nid: small\nversion: "1"\ndated: 2026-01-01\ntitle: A small study\n'


def plain(text: bytes) -> object:
    """The value of a YAML text."""
    read = read_yaml(text, "f.yaml")
    assert isinstance(read, Located)
    return read.value


def test_the_published_file_is_the_schema_of_the_model():
    published = (ROOT / "docs" / "study.schema.json").read_text("utf-8")
    assert published == schema_text(), "run: python -m equipoise.protocol.schema docs/study.schema.json"


def test_it_is_a_schema_of_its_dialect():
    assert json.loads(schema_text())["$schema"] == DIALECT
    jsonschema.Draft202012Validator.check_schema(study_schema())


@pytest.mark.parametrize(
    "text", [b"", b"arms: [{id: A, label: {en: a}}]\n", b"sponsor: S\ninclude: [a.yaml]\n"]
)
def test_it_accepts_what_the_model_accepts(text):
    jsonschema.validate(plain(SOUND + text), study_schema())


@pytest.mark.parametrize(
    "text",
    [
        b"armss: []\n",
        b"arms: [{id: 1A, label: a}]\n",
        b"sponsor: {zh: a}\n",
        b"sponsor: {en: a, fr: b}\n",
        b"design: {cap: 0}\n",
    ],
)
def test_it_refuses_what_the_model_refuses(text):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(plain(SOUND + text), study_schema())
    with pytest.raises(ValueError):
        Study.model_validate(plain(SOUND + text))

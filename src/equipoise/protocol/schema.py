"""The JSON Schema of the notation: what editors complete and other programs check against.

Published as docs/study.schema.json; a test keeps the file in step with the model. Written again by
`python -m equipoise.protocol.schema docs/study.schema.json`.
Source: JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12/schema).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from equipoise.protocol.study import Study

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_INCLUDE = {
    "description": "Further files of the folder, in study.yaml only; joined by top-level key.",
    "type": "array",
    "items": {"type": "string", "pattern": r"^[^/\\].*\.yaml$"},
    "uniqueItems": True,
}


def study_schema() -> dict[str, Any]:  # Any: a JSON Schema is open by nature
    """The schema of a whole study as one document."""
    schema = Study.model_json_schema(mode="validation")
    schema["properties"]["include"] = _INCLUDE
    _text_or_languages(schema["$defs"]["Text"])
    return {
        "$schema": DIALECT,
        "title": "Equipoise study",
        **{k: v for k, v in schema.items() if k != "title"},
    }


def _text_or_languages(text: dict[str, Any]) -> None:
    """A text may be written as `{en: …, zh: …}` or, where only English is given, as a plain string."""
    languages = {**text, "type": "object", "additionalProperties": False}
    description = languages.pop("description", "")
    text.clear()
    text.update({"description": description, "anyOf": [{"type": "string"}, languages]})


def schema_text() -> str:
    """The schema as it is published."""
    return json.dumps(study_schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(schema_text(), "utf-8")

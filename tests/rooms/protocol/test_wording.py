"""Why a rule is open, in words that a coordinator can act on."""

from __future__ import annotations

import pytest

from equipoise.instruments import scale
from equipoise.protocol.assessments import instrument_value
from equipoise.protocol.rules import explanation_of
from equipoise.protocol.study import Study
from equipoise.protocol.wording import still_open

STUDY = Study.model_validate(
    {
        "notation": 1,
        "id": "s",
        "version": "1",
        "dated": "2026",
        "title": "t",
        "inputs": [
            {
                "name": "nihss",
                "label": {"en": "NIHSS", "zh": "NIHSS评分"},
                "type": "instrument",
                "instrument": "NIHSS",
            },
            {"name": "onset", "label": {"en": "Onset", "zh": "发病日期"}, "type": "date"},
        ],
    }
)


def _why(answers: dict[str, int | str], language: str = "en") -> str:
    used = scale("NIHSS")
    assert used is not None
    value = instrument_value(used, answers, "nihss")
    return still_open(STUDY, explanation_of("nihss.range in 6..20", {"nihss": value}), language)  # type: ignore[arg-type]


ALL = dict.fromkeys(["1a", "1b", "1c", "2", "3", "4", "5a", "5b", "6a", "6b", "7", "8", "9", "10", "11"], 0)


def test_a_scale_that_was_not_begun_is_named_once() -> None:
    assert _why({}) == "NIHSS: not recorded"
    assert _why({}, "zh") == "NIHSS评分：未记录"


def test_single_items_stand_together_in_their_order() -> None:
    lacking = {item: score for item, score in ALL.items() if item not in {"10", "2", "9"}}
    assert _why({**lacking, "3": 2, "4": 3}) == "NIHSS 2, 9, 10: not recorded"


@pytest.mark.parametrize(("language", "expected"), [("en", 2), ("zh", 2)])
def test_different_reasons_stay_apart(language: str, expected: int) -> None:
    answers = {item: score for item, score in ALL.items() if item != "11"} | {"5a": "UN", "4": 3}
    said = _why(answers, language)
    assert len(said.split("；" if language == "zh" else "; ")) == expected

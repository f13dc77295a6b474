"""Every text a person reads is there in each language of its study, and the public page can be read by anyone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from equipoise.protocol.study import Study
from equipoise.words.text import Text


def texts(value: Any, path: str = "") -> Iterator[tuple[str, Text]]:
    """Every Text of a definition with its path."""
    if isinstance(value, Text):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from texts(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, tuple):
        for position, each in enumerate(value):
            yield from texts(each, f"{path}[{getattr(each, 'id', position)}]")


def test_chinese_everywhere(first: Study) -> None:
    found = list(texts(first))
    assert len(found) > 900  # 353 items alone bring more than that many texts with their codes and checks
    assert [path for path, text in found if text.zh is None] == []


def test_chinese_is_punctuated_as_chinese(first: Study) -> None:
    half = re.compile(r"[\u4e00-\u9fff][,;:?!()]|[,;:?!()][\u4e00-\u9fff]")
    assert [(path, text.zh) for path, text in texts(first) if text.zh and half.search(text.zh)] == []


def test_english_has_no_chinese_in_it(first: Study, second: Study) -> None:
    han = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
    for study in (first, second):
        assert [(path, text.en) for path, text in texts(study) if han.search(text.en)] == []


def test_a_study_in_one_language_has_one(second: Study) -> None:
    assert second.languages == ("en",)
    assert [path for path, text in texts(second) if text.zh is not None] == []


def _syllables(word: str) -> int:
    """Syllables of an English word, counted as groups of vowels; a silent final e is not one."""
    groups = len(re.findall(r"[aeiouy]+", word.lower()))
    silent = re.search(r"[^aeiouyl]e$|[^aeiouy](?:ed)$", word.lower()) and not re.search(
        r"[td]ed$", word.lower()
    )
    return max(1, groups - (1 if silent else 0))


def _grade(text: str) -> float:
    """Flesch-Kincaid grade (Kincaid et al. 1975): 0.39 words per sentence + 11.8 syllables per word - 15.59."""
    sentences = [part for part in re.split(r"[.?!]+", text) if part.strip()]
    words = re.findall(r"[A-Za-z]+", text)
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(_syllables, words)) / len(words) - 15.59


def test_the_grade_counts_as_it_should() -> None:
    assert _grade("The cat sat on the mat.") < 1  # six words of one syllable: 0.39*6 + 11.8 - 15.59 = -1.45
    hard = "Intravenous administration of allogeneic mesenchymal cells necessitates observation."
    assert _grade(hard) > 20


def test_the_public_summary_reads_at_grade_8_or_below(first: Study, second: Study) -> None:
    for study in (first, second):
        assert study.plain_title is not None
        assert study.plain_summary is not None
        assert _grade(study.plain_title.en) <= 8
        assert _grade(study.plain_summary.en) <= 8


def test_the_chinese_summary_keeps_its_clauses_short(first: Study) -> None:
    assert first.plain_summary is not None
    assert first.plain_summary.zh is not None
    clauses = re.split(r"[，。：；？！、]", first.plain_summary.zh)
    assert max(map(len, clauses)) <= 30

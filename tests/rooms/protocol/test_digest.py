"""The digest names the meaning of a definition: spelling does not change it, meaning does."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.protocol.digest import canonical_study, study_digest, study_from_canonical
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.words.canonical import canonical_bytes, read_canonical

ROOT = Path(__file__).resolve().parents[3]
STUDIES = [ROOT / "studies" / "nct07197606", ROOT / "tests" / "studies" / "second"]


def _study(**parts: object) -> Study:
    return Study.model_validate(
        {"notation": 1, "id": "s", "version": "1", "dated": "2026", "title": "t", **parts}
    )


def _criterion(rule: str) -> Study:
    return _study(criteria=[{"id": "I01", "category": "inclusion", "text": "x", "rule": rule}])


@pytest.mark.parametrize("folder", STUDIES, ids=lambda folder: folder.name)
def test_a_study_reads_back_from_its_canonical_bytes(folder: Path) -> None:
    study = load_study(folder)
    assert isinstance(study, Study)
    content = canonical_study(study)
    again = study_from_canonical(read_canonical(canonical_bytes(content)))
    assert canonical_study(again) == content
    assert study_digest(again) == study_digest(study)
    assert [form.id for form in again.forms] == [form.id for form in study.forms]
    assert again.codelists == study.codelists


@pytest.mark.parametrize("spelling", ["a>1 and b", "a > 1 and (b)", "(a>1)and b"])
def test_spelling_of_an_expression_does_not_count(spelling: str) -> None:
    assert study_digest(_criterion(spelling)) == study_digest(_criterion("a > 1 and b"))


@pytest.mark.parametrize("other", ["a >= 1 and b", "a > 1 or b", "a > 1.0 and c", "a > 2 and b"])
def test_meaning_of_an_expression_counts(other: str) -> None:
    assert study_digest(_criterion(other)) != study_digest(_criterion("a > 1 and b"))


def test_spelled_out_defaults_do_not_count() -> None:
    assert study_digest(_study(acronym=None, forms=[], languages=["en"])) == study_digest(_study())


@pytest.mark.parametrize(
    "change", [{"version": "2"}, {"title": "u"}, {"title": {"en": "t", "zh": "题"}}, {"dated": "2027"}]
)
def test_anything_else_counts(change: dict[str, object]) -> None:
    assert study_digest(_study(**change)) != study_digest(_study())


def test_an_expression_that_cannot_be_read_still_has_its_place() -> None:
    broken = _criterion("a > > 1")
    assert study_from_canonical(canonical_study(broken)).criteria[0].rule == "a > > 1"
    assert study_digest(broken) != study_digest(_criterion("a > 1"))

"""Both studies as a whole: usable without a fault, and what is still open in them is known."""

from __future__ import annotations

from equipoise.protocol.check import check_study
from equipoise.protocol.study import Study


def test_no_study_has_a_fault(first: Study, second: Study) -> None:
    for study in (first, second):
        assert [str(finding.problem) for finding in check_study(study) if finding.fault] == []


def test_what_is_open_is_known(first: Study, second: Study) -> None:
    # limits of normal belong to each laboratory, so the criteria that need them are off and await a source
    assert {finding.problem.where for finding in check_study(first)} == {
        f"inputs.{name}_uln" for name in ("alt", "ast", "bili", "creat")
    }
    assert check_study(second) == ()


def test_criteria_in_force_all_have_a_rule(first: Study, second: Study) -> None:
    for study in (first, second):
        enabled = [criterion for criterion in study.criteria if criterion.enabled]
        assert enabled
        assert all(criterion.rule for criterion in enabled)
    assert sum(criterion.enabled for criterion in first.criteria) == 12  # I01 to I07 and E01 to E05

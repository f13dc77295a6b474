"""Bringing definitions into force: with all their faults named, for their own study, and with the sites they name."""

from __future__ import annotations

from pathlib import Path

from equipoise.desk.setup import create_store, release
from equipoise.oversight.commands import ActivateSite
from equipoise.protocol.analysis import AnalysisPlan
from equipoise.protocol.load import load_study
from equipoise.protocol.study import SiteDefinition, Study
from stories.conftest import ROOT, Story, first_study, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


def _faulty(study: Study) -> Study:
    """The codelists are gone, and items still name them; so is the plan of the analysis, which reads what they hold."""
    return study.model_copy(update={"version": "9.0", "codelists": (), "analysis": AnalysisPlan()})


def test_a_definition_with_faults_makes_no_store(tmp_path: Path) -> None:
    refused = create_store(tmp_path / "store", _faulty(first_study()), "rehearsal")
    assert isinstance(refused, tuple)
    assert {problem.rule for problem in refused} == {"protocol.study-reference"}
    assert not (tmp_path / "store").exists()


def test_a_definition_with_faults_does_not_come_into_force(story: Story) -> None:
    before = story.desk.study.version
    assert {problem.rule for problem in release(story.desk, _faulty(story.desk.study))} == {
        "protocol.study-reference"
    }
    assert story.desk.study.version == before


def test_another_study_does_not_come_into_force(story: Story) -> None:
    other = load_study(ROOT / "tests" / "studies" / "second")
    assert isinstance(other, Study)
    assert [problem.rule for problem in release(story.desk, other)] == ["oversight.other-study"]


def test_a_new_version_brings_its_new_sites(story: Story) -> None:
    study = story.desk.study
    more = SiteDefinition.model_validate(
        {"id": "99", "name": {"en": "New", "zh": "新中心"}, "zone": "Asia/Urumqi"}
    )
    assert (
        release(story.desk, study.model_copy(update={"version": "2.0", "sites": (*study.sites, more)})) == ()
    )
    refused = story.refused("spo", ActivateSite("99"))
    assert refused == {"oversight.activate-without-approval"}  # it is known, and nothing more

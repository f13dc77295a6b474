"""A dose that was asked for goes on as it was begun, whatever an amendment changes of the supply in between.

Sources: decision 0019; DESIGN 5 (a bag at the ward must be given or brought back, whatever a definition says).
"""

from __future__ import annotations

import pytest

from equipoise.desk.setup import adopt, release
from equipoise.protocol.study import Study
from equipoise.supply.commands import EndInfusion, RequestPreparation, ReturnBag
from rooms.desk.test_dosing_desk import Ward, ward
from stories.conftest import made_store, story

__all__ = ["made_store", "story", "ward"]  # the fixtures, taken over


def without_first_dose(study: Study) -> Study:
    """The study under another number, with the second dose alone, and a gate that nobody passes."""
    supply = study.supply
    doses = tuple(dose for dose in supply.doses if dose.id != "D1")
    gate = tuple(
        one.model_copy(update={"doses": tuple(each for each in one.doses if each != "D1")})
        for one in supply.gate
    )
    changed = supply.model_copy(update={"doses": doses, "gate": gate})
    return study.model_copy(update={"version": "2.0", "supply": changed})


def _amend(one: Ward) -> None:
    today = one.story.clock.at.date().isoformat()
    assert release(one.story.desk, without_first_dose(one.story.desk.study)) == ()
    assert adopt(one.story.desk, "01", "2.0", "EC-01-2", today, today) == ()


def test_a_dose_asked_for_goes_to_its_end_under_a_version_that_no_longer_has_it(ward: Ward) -> None:
    ward.before_release()
    ward.ask()
    _amend(ward)
    assert ward.newest().stage == "REQUESTED"  # it is still shown
    ward.release("111111")
    ward.at_the_bedside()
    ward.begin("111111")
    request = ward.newest().request
    ward.story.clock.at = ward.story.clock.at.replace(minute=40)
    ward.story.done("crc", EndInfusion(ward.subject, request, ward.clock(), "COMPLETE", "100"))
    ward.story.done("crc", ReturnBag(ward.subject, request, "111111", "0"))
    assert ward.newest().stage == "ENDED"
    with ward.story.desk.reading() as reader:
        first = ward.story.desk.trial(reader).released[0].digest
        last = reader.entries(f"subject/{ward.subject}")[-1].header
    assert (last.kind, last.study_digest) == ("BagReturned", first)


def test_the_dose_is_not_asked_for_anew(ward: Ward) -> None:
    _amend(ward)
    refused = ward.story.refused("crc", RequestPreparation(ward.subject, "D1", ward.clock(60), "70.5"))
    assert refused == {"supply.dose-unknown"}


@pytest.mark.parametrize("adopting", [False, True])
def test_a_version_that_is_only_released_changes_no_dose(ward: Ward, adopting: bool) -> None:
    if adopting:
        _amend(ward)
    else:
        assert release(ward.story.desk, without_first_dose(ward.story.desk.study)) == ()
    page = ward.story.desk.infusions(ward.story.who("crc"), ward.number)
    assert page is not None
    assert ("D1" in [dose.id for dose in page.doses]) is not adopting

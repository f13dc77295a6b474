"""A dose that was asked for goes on as it was begun, whatever an amendment changes of the supply in between.

Sources: decision 0019; DESIGN 5 (a bag at the ward must be given or brought back, whatever a definition says).
"""

from __future__ import annotations

import pytest

from equipoise.desk import supply_page
from equipoise.desk.setup import adopt, release
from equipoise.protocol.study import Study
from equipoise.supply.commands import EndInfusion, RequestPreparation, ReturnBag
from rooms.desk.test_dosing_desk import Ward, ward
from stories.conftest import made_store, story

__all__ = ["made_store", "story", "ward"]  # the fixtures, taken over


def without_dose(study: Study, gone: str) -> Study:
    """The study under another number, with the other dose alone, and a gate that nobody passes."""
    supply = study.supply
    doses = tuple(dose for dose in supply.doses if dose.id != gone)
    gate = tuple(
        one.model_copy(update={"doses": tuple(each for each in one.doses if each != gone)})
        for one in supply.gate
    )
    changed = supply.model_copy(update={"doses": doses, "gate": gate})
    return study.model_copy(update={"version": "2.0", "supply": changed})


def _amend(one: Ward, gone: str = "D1") -> None:
    today = one.story.clock.at.date().isoformat()
    assert release(one.story.desk, without_dose(one.story.desk.study, gone)) == ()
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
        assert release(ward.story.desk, without_dose(ward.story.desk.study, "D1")) == ()
    page = ward.story.desk.infusions(ward.story.who("crc"), ward.number)
    assert page is not None
    assert ("D1" in [dose.id for dose in page.doses]) is not adopting


def _given(ward: Ward) -> None:
    """The first dose, to its end."""
    ward.before_release()
    request = ward.ask().request
    ward.release("111111")
    ward.at_the_bedside()
    ward.begin("111111")
    ward.story.done("crc", EndInfusion(ward.subject, request, ward.clock(), "COMPLETE", "100"))


def test_who_waits_for_a_dose_is_listed_by_number_and_nobody_beyond_the_list_is_looked_at(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    story, others = ward.story, list[str]()
    for turn in range(3):
        others.append(story.eligible(f"人{turn}"))
        assert story.randomize(others[-1]).accepted
    assert others == sorted(others)
    assert ward.number < others[0]

    def listed(at_most: int) -> list[tuple[str, str]]:
        monkeypatch.setattr(supply_page, "DUE_AT_MOST", at_most)
        due = story.desk.due(story.who("crc"))
        assert due is not None
        return [(number, label.en) for number, label in due.waiting]

    waiting = [(number, "Infusion 1") for number in others]
    ward.before_release()
    ward.ask()
    assert listed(9) == waiting, "a dose that is under way waits for nobody"
    looked, look = [], story.desk.trial_of
    monkeypatch.setattr(
        story.desk, "trial_of", lambda reader, subject: looked.append(subject) or look(reader, subject)
    )
    assert listed(2) == waiting[:2]
    assert len(looked) == 2


def test_who_has_every_dose_of_the_own_version_waits_for_none(ward: Ward, monkeypatch) -> None:
    story, other = ward.story, ward.story.eligible("人")
    assert story.randomize(other).accepted
    _given(ward)
    due = story.desk.due(story.who("crc"))
    assert due is not None
    assert [(number, label.en) for number, label in due.waiting] == [
        (ward.number, "Infusion 2"),
        (other, "Infusion 1"),
    ]
    _amend(ward, "D2")
    monkeypatch.setattr(
        supply_page, "DUE_AT_MOST", 1
    )  # the first page of the table holds only who waits for none
    due = story.desk.due(story.who("crc"))
    assert due is not None
    assert [number for number, _ in due.waiting] == [other]

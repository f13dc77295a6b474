"""The part of the script in which the definition is amended: three versions, each approved and adopted at a site.

People and forms are moved, a new check is run over what was recorded, a question is asked about many places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blind.course import Play
    from equipoise.protocol.study import Study

VERSIONS = ("9.1", "9.2", "9.3")
WORDS = {"en": "Is it so?", "zh": "是否如此？"}


def amended(play: Play) -> Iterator[str]:
    """Each version is released, approved at the site, adopted for newcomers, and one participant is moved to it."""
    from equipoise.capture.commands import AskMany, MoveForms, RaiseFindings
    from equipoise.desk.setup import release
    from equipoise.oversight.commands import AdoptVersion, ApproveVersion, MoveSubject

    world = play.world
    study, today = world.desk.study, world.clock.at.date().isoformat()
    mine = [number for number in world.numbers if number.startswith("01")]
    for turn, version in enumerate(VERSIONS):
        assert release(world.desk, _checked(study, version)) == ()
        yield f"version {version} released"
        world.done("data_manager", ApproveVersion("01", version, f"EC-{version}", today))
        world.done("data_manager", AdoptVersion("01", version, today, "STAY"))
        yield f"version {version} adopted"
        subject = world.desk.subject_id(mine[turn])
        assert subject is not None
        world.done("data_manager", MoveSubject(subject, version, "signed the new consent"))
        world.done("data_manager", MoveForms(subject, (("V1", "PSMRS", 1),), "asked of everybody"))
        world.done("data_manager", RaiseFindings(subject, (("V1", "RISK", 1, "AMENDED"),)))
        for role in ("monitor", "data_manager"):
            world.done(
                role, AskMany(subject, (("V1", "RISK", 1, "HTN"), ("V1", "PSMRS", 1, "")), f"Of {role}?")
            )
        yield f"version {version} asked about"


def _checked(study: Study, version: str) -> Study:
    """The study under another number, with one check more."""
    from equipoise.protocol.forms import Check

    check = Check.model_validate({"id": "AMENDED", "holds": "not HTN", "items": ["HTN"], "message": WORDS})
    forms = tuple(
        form.model_copy(update={"checks": (*form.checks, check)}) if form.id == "RISK" else form
        for form in study.forms
    )
    return study.model_copy(update={"version": version, "forms": forms})

"""The part of the script in which the definition is amended: three versions, approved and adopted at a site, people moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blind.course import Play

VERSIONS = ("9.1", "9.2", "9.3")


def amended(play: Play) -> Iterator[str]:
    """Each version is released, approved at the site, adopted for newcomers, and one participant is moved to it."""
    from equipoise.capture.commands import MoveForms
    from equipoise.capture.evolve import Place
    from equipoise.desk.setup import release
    from equipoise.oversight.commands import AdoptVersion, ApproveVersion, MoveSubject

    world = play.world
    study, today = world.desk.study, world.clock.at.date().isoformat()
    mine = [number for number in world.numbers if number.startswith("01")]
    for turn, version in enumerate(VERSIONS):
        assert release(world.desk, study.model_copy(update={"version": version})) == ()
        yield f"version {version} released"
        world.done("data_manager", ApproveVersion("01", version, f"EC-{version}", today))
        world.done("data_manager", AdoptVersion("01", version, today, "STAY"))
        subject = world.desk.subject_id(mine[turn])
        assert subject is not None
        world.done("data_manager", MoveSubject(subject, version, "signed the new consent"))
        world.done("data_manager", MoveForms(subject, (Place("V1", "PSMRS", 1),), "asked of everybody"))
        yield f"version {version} adopted"

"""The part of the script in which the people of the trial are looked after: delegation, training, certificates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blind.course import Play

TRAINERS = ("coordinator", "investigator", "monitor", "sponsor")
"""Blinded roles that record what others learnt."""


def looked_after(play: Play) -> Iterator[str]:
    """Three times: a duty ended and given again, somebody trained and certified, a certificate withdrawn."""
    from equipoise.access.commands import GrantRole

    world = play.world
    play.come_in(1)
    day = world.clock.at.date().isoformat()
    rater = world.person("rater").actor
    heads = [world.person("investigator", site).actor for site in ("01", "02")]
    world.done("administrator", GrantRole(heads[0], "investigator", "02"))

    def post(role: str, do: str, site: str = "01", **fields: str) -> None:
        who = world.person(role, "01" if role in ("coordinator", "investigator") else None)
        sent = {"do": do, "user": rater, "key": world.key(), **fields}
        play.fine(who, f"/staff/{site}", sent)

    for turn in range(3):
        post("investigator", "end", duties="rating", reason=f"on leave {turn}")
        post("investigator", "delegate", duties="rating", until="")
        for role in TRAINERS:
            post(role, "train", topics="gcp", on=day)
            post(
                role,
                "certify",
                instrument="MRS",
                language="en",
                on=day,
                until="2030-01-01",
                number=f"C-{turn}",
            )
            post(role, "withdraw", certificate="MRS en", reason=f"typed wrongly {turn}")
        read = {"do": "certify", "user": world.person("reader").actor, "instrument": "MR", "on": day}
        for role in ("monitor", "sponsor"):
            sent = {**read, "until": "2030-01-01", "number": f"R-{turn}", "key": world.key()}
            play.fine(world.person(role), "/readers", sent)
        post("sponsor", "name", "02", user=heads[turn % 2])
        for role in ("coordinator", "investigator"):
            page = f"/subjects/{world.numbers[0]}/consent"
            say = {"on": day, "by": "PARTICIPANT", "given": "yes" if role == "coordinator" else "no"}
            play.fine(
                world.person(role, "01"),
                page,
                {"do": "option", "option": "SAMPLES", "key": world.key(), **say},
            )
            care = {
                "do": "caregiver",
                "name": f"Wife {turn} {role}",
                "relation": "wife",
                "given": "yes",
                "on": day,
            }
            play.fine(world.person(role, "01"), page, {**care, "key": world.key()})
        letter = {"site": f"0{turn + 1}", "version": "1.0", "approval": f"EC-C-{turn}", "on": "2026-02-01"}
        letter |= {"do": "approve", "key": world.key()}
        play.fine(world.person("data_manager"), "/amendments/consent", letter)
        yield f"people looked after {turn}"

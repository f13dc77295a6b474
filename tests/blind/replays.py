"""Replays every seeded leak, and every play without one: the first must be caught by its own comparison, the second pass."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from blind.compare import Difference, differences
from blind.leaks import Leak, every_leak
from blind.playing import Running, make_scene, replay
from blind.plays import PLAYS
from blind.secret import Secret
from blind.world import World

AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a leak: whether its comparison saw it, what others saw, or how the replay itself failed."""

    leak: Leak
    caught: int
    beside: tuple[str, ...]
    fault: str = ""

    @property
    def good(self) -> bool:
        """Caught by the comparison it is named for, and by no other."""
        return not self.fault and self.caught > 0 and not self.beside

    def __str__(self) -> str:
        what = (
            "caught"
            if self.good
            else f"NOT SHOWN: caught {self.caught}, beside {self.beside[:3]} {self.fault[-800:]}"
        )
        return f"{self.leak.channel:4} {self.leak.name}: {what}"


def nothing(world: World) -> None:
    """No patch."""


def make_scenes(folder: Path, secrets: Iterable[Secret]) -> str:
    """The scenes of the worlds that leaks need; how one failed, or nothing."""
    scenes = {secret.scene: secret for secret in secrets}
    return _run([(folder / name, make_scene(secret, folder / name)) for name, secret in scenes.items()])


def replay_leaks(folder: Path, leaks: list[Leak]) -> list[Verdict]:
    """Replay leaks, two worlds each."""
    found = []
    for each in leaks:
        place = folder / f"leak-{each.name}"
        jobs = [
            (
                place / secret.name,
                replay(secret, folder / secret.scene, place / secret.name, each.patch, PLAYS[each.play]),
            )
            for secret in each.pair
        ]
        fault = _run(jobs)
        found.append(_verdict(each, place, fault))
        shutil.rmtree(place)
    return found


def _verdict(each: Leak, place: Path, fault: str) -> Verdict:
    if fault:
        return Verdict(each, 0, (), fault)
    found = _seen_by(each, differences(*(place / secret.name / "seen" for secret in each.pair))[1])
    through = [one for one in found if one.goes_through(each.through)]
    beside = tuple(str(one) for one in found if not one.goes_through(each.through))
    return Verdict(each, len(through), beside)


def _seen_by(each: Leak, found: list[Difference]) -> list[Difference]:
    return [one for one in found if not each.roles or one.seen.role in each.roles]


def replay_clean(folder: Path, leaks: list[Leak], *, every: bool) -> list[str]:
    """Plays that leaks use, in their worlds, without the leak: what differs, which must be nothing.

    every: all of them; else those alone that the whole script does not hold, which is compared as well.
    """
    leaks = [each for each in leaks if every or each.roles or any("rules" in one for one in each.through)]
    found = []
    for play, pair, roles in sorted({(each.play, each.pair, each.roles) for each in leaks}, key=str):
        place = folder / f"clean-{play.replace(' ', '-')}"
        jobs = [
            (
                place / secret.name,
                replay(secret, folder / secret.scene, place / secret.name, nothing, PLAYS[play]),
            )
            for secret in pair
        ]
        fault = _run(jobs)
        seen = [] if fault else differences(*(place / secret.name / "seen" for secret in pair))[1]
        found += [f"{play}: {one}" for one in seen if not roles or one.seen.role in roles]
        found += [f"{play}: {fault}"] if fault else []
        shutil.rmtree(place)
    return found


def _run(jobs: list) -> str:
    faults = []
    for at in range(0, len(jobs), AT_ONCE):
        running = [Running(folder, job) for folder, job in jobs[at : at + AT_ONCE]]
        faults += [fault for fault in (each.wait() for each in running) if fault]
    return "\n".join(faults)


__all__ = ["Verdict", "every_leak", "make_scenes", "replay_clean", "replay_leaks"]

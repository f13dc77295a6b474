"""Replays every seeded leak, and every play without one: the first must be caught by its own comparison, the second pass."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from blind.compare import Difference, differences
from blind.leaks import Leak, every_leak
from blind.playing import Job, Task, make_scene, replay
from blind.plays import PLAYS
from blind.secret import Secret
from blind.world import World


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


def make_scenes(folder: Path, secrets: Iterable[Secret], failed: Callable[[str], None]) -> Iterator[Task]:
    """The scenes of the worlds that leaks need. failed: is told how one failed."""
    scenes = {secret.scene: secret for secret in secrets}
    yield Task([(folder / name, make_scene(secret, folder / name)) for name, secret in scenes.items()],
               lambda fault: failed(fault) if fault else None)  # fmt: skip


def _pair(folder: Path, place: Path, leak: Leak, patch: Callable[[World], None]) -> list[tuple[Path, Job]]:
    """The play of a leak in its two worlds, under a patch."""
    return [
        (
            place / secret.name,
            replay(secret, folder / secret.scene, place / secret.name, patch, PLAYS[leak.play]),
        )
        for secret in leak.pair
    ]


def replay_leaks(folder: Path, leaks: list[Leak], told: Callable[[Verdict], None]) -> Iterator[Task]:
    """Replay leaks, two worlds each; each verdict is told."""
    for each in leaks:
        place = folder / f"leak-{each.name}"

        def judge(fault: str, each: Leak = each, place: Path = place) -> None:
            told(_verdict(each, place, fault))
            shutil.rmtree(place)

        yield Task(_pair(folder, place, each, each.patch), judge)


def _verdict(each: Leak, place: Path, fault: str) -> Verdict:
    if fault:
        return Verdict(each, 0, (), fault)
    found = _seen_by(each, _differences(each, place))
    through = [one for one in found if one.goes_through(each.through)]
    beside = tuple(str(one) for one in found if not one.goes_through(each.through))
    return Verdict(each, len(through), beside)


def _seen_by(each: Leak, found: list[Difference]) -> list[Difference]:
    return [one for one in found if not each.roles or one.seen.role in each.roles]


def replay_clean(
    folder: Path, leaks: list[Leak], told: Callable[[str], None], *, every: bool
) -> Iterator[Task]:
    """Plays that leaks use, in their worlds, without the leak: what differs, which must be nothing, is told.

    every: all of them; else those alone that the whole script does not hold, which is compared as well.
    """
    leaks = [each for each in leaks if every or each.roles or any("rules" in one for one in each.through)]
    plays = {(each.play, each.pair, each.roles): each for each in leaks}
    for number, each in enumerate(plays.values()):
        place = folder / f"clean-{number}"

        def look(fault: str, each: Leak = each, place: Path = place) -> None:
            for one in [] if fault else _seen_by(each, _differences(each, place)):
                told(f"{each.play}: {one}")
            if fault:
                told(f"{each.play}: {fault}")
            shutil.rmtree(place)

        yield Task(_pair(folder, place, each, nothing), look)


def _differences(each: Leak, place: Path) -> list[Difference]:
    return differences(*(place / secret.name / "seen" for secret in each.pair))[1]


__all__ = ["Verdict", "every_leak", "make_scenes", "replay_clean", "replay_leaks"]

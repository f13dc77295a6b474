"""Leaks planted on purpose, one or more for each channel, to show that each would be caught.

Each is a small patch of the program in a world that is played again. It asks the world's oracle for the arm and lets it out
through one channel. `through` names the comparison that must catch it: with that comparison taken away, the same replay
must pass, or the leak has shown nothing about that comparison. Source of the channels: the table L1–L32 of the project's
notes on the threat to the blind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from blind.secret import DRAWN, SWAPPED, Secret
from blind.world import World

Patch = Callable[[World], None]


@dataclass(frozen=True, slots=True)
class Leak:
    """One leak. play: the name of a short play (plays.py). pair: the two worlds. form: how near the software's form is."""

    channel: str
    name: str
    says: str
    through: tuple[str, ...]
    patch: Patch
    play: str
    pair: tuple[Secret, Secret] = (DRAWN, SWAPPED)
    near: str = ""
    roles: tuple[str, ...] = field(default=())


LEAKS: list[Leak] = []


def leak(
    channel: str,
    says: str,
    *through: str,
    play: str,
    pair: tuple[Secret, Secret] = (DRAWN, SWAPPED),
    near: str = "",
    roles: tuple[str, ...] = (),
) -> Callable[[Patch], Patch]:
    """Enter a patch in the list. near: where no program can have the channel, what was planted in its place."""

    def entered(patch: Patch) -> Patch:
        LEAKS.append(Leak(channel, patch.__name__, says, through, patch, play, pair, near, roles))
        return patch

    return entered


def letter(world: World, number: str = "01001") -> str:
    """The arm of a participant as one letter: of one length, so that nothing but its place gives it away."""
    return "AB"[world.arm(number)]


def put(place: object, name: str, value: object) -> None:
    """Put something in the place of a name of the program."""
    setattr(place, name, value)


def taken(place: object, name: str) -> Any:
    """What a name of the program stands for."""
    return getattr(place, name)


def every_leak() -> list[Leak]:
    """All of them, in the order of their channels."""
    import blind.leaks_of_the_store
    import blind.leaks_on_pages  # noqa: F401  # each enters its own

    return sorted(LEAKS, key=lambda each: int(each.channel[1:]))

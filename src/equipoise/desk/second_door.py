"""The second door, as the desk asks its courier about it."""

from __future__ import annotations

from typing import Protocol

from equipoise.words.problem import Problem


class SecondDoor(Protocol):
    """What the desk asks of its courier: whether the second door answers, and whether it knows a later ledger."""

    @property
    def answers(self) -> bool:
        """Whether it answered lately."""

    @property
    def behind(self) -> bool:
        """Whether it knows a later ledger of this store, or another."""

    @property
    def troubles(self) -> tuple[Problem, ...]:
        """What people of this door should know of it."""

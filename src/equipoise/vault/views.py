"""What pages of the second door are given: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from equipoise.words.problem import Problem


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command: as at the first door. `seq` is that of the command's first stream after it."""

    accepted: bool
    problems: tuple[Problem, ...] = ()
    receipt: Mapping[str, str] = field(default_factory=dict)
    seq: int = 0
    at: str = ""
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that was refused: over the channel, or a slot. `rule` is a message key, `at` in UTC."""

    at: str
    rule: str
    about: str

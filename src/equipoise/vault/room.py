"""What a room of the second door is, to the one who asks it: the table in routes.py is made of these."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from equipoise.ledger.entries import Entry, Header, Recorded
from equipoise.ledger.facts import Decision, Occasion
from equipoise.protocol.study import Study
from equipoise.vault.facts import Purpose, VaultFacts

Decider = Callable[
    [Study, Any, VaultFacts, Any, Occasion], Decision
]  # Any: state and command of that very room


@dataclass(frozen=True, slots=True)
class Room:
    """One room. The state of a command is the fold of `streams(command)`, statements left out, and of `reads`.

    reads: further streams that every state of the room is folded from; a name ending in `/` means all that begin so.
    opens: whether the product of the subject concerned is among the facts.
    adds: completes the facts from the room's own state (of `reads`), given the moment.
    hears: commands that the program gives when an entry of the first door was taken in.
    due: commands that the program gives by the clock, from the room's own state (of `reads`).
    """

    name: str
    start: Any  # Any: as above
    evolve: Callable[[Any, Recorded], Any]  # Any: as above
    decide: Decider
    commands: Mapping[type, frozenset[Purpose]]
    streams: Callable[[Any], tuple[str, ...]]  # Any: as above
    reads: tuple[str, ...] = ()
    opens: bool = False
    adds: Callable[[VaultFacts, Any, dt.datetime], VaultFacts] | None = None  # Any: as above
    hears: Callable[[Header, Entry], Iterable[object]] | None = None
    due: Callable[[Study, Any, dt.datetime], Iterable[object]] | None = None  # Any: as above


Rooms = tuple[Room, ...]

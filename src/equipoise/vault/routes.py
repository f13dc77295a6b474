"""Which room of the second door decides which command, on which streams, and for which purposes.

The rule that must stay true: every command of every room stands in this table exactly once; what does not stand here
cannot happen. A room is its START, evolve, decide, COMMANDS and streams; what more it does is named here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from equipoise.ledger.entries import Entry, Header, Recorded
from equipoise.ledger.facts import Decision, Occasion
from equipoise.protocol.study import Study
from equipoise.vault import credentials, values
from equipoise.vault.bench import commands as bench_commands
from equipoise.vault.bench import decide as bench_decide
from equipoise.vault.bench import evolve as bench_evolve
from equipoise.vault.breaks import commands as breaks_asked
from equipoise.vault.breaks import decide as breaking
from equipoise.vault.breaks import evolve as breaks
from equipoise.vault.facts import Purpose, VaultFacts
from equipoise.vault.release import commands as release_asked
from equipoise.vault.release import decide as releasing
from equipoise.vault.release import evolve as release
from equipoise.vault.stock import commands as stock_commands
from equipoise.vault.stock import decide as stock_decide
from equipoise.vault.stock import evolve as stock_evolve

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


ROOMS: tuple[Room, ...] = (
    Room(
        "credentials", credentials.START, credentials.evolve, credentials.decide, credentials.COMMANDS,
        credentials.streams,
    ),
    Room(
        "stock", stock_evolve.START, stock_evolve.evolve, stock_decide.decide, stock_commands.COMMANDS,
        stock_commands.streams, reads=("stock",), due=bench_decide.due,
    ),
    Room(
        "bench", bench_evolve.START, bench_evolve.evolve, bench_decide.decide, bench_commands.COMMANDS,
        bench_commands.streams, opens=True,
    ),
    Room(
        "breaks", breaks.START, breaks.evolve, breaking.decide, breaks_asked.COMMANDS, breaks_asked.streams,
        reads=("breaks",), opens=True, hears=breaking.hears,
    ),
    Room("values", values.START, values.evolve, values.decide, values.COMMANDS, values.streams),
    Room(
        "release", release.START, release.evolve, releasing.decide, release_asked.COMMANDS, release_asked.streams,
        reads=("release",), adds=release.adds,
    ),
)  # fmt: skip
"""Every room of the second door."""

ROUTES: Mapping[type, Room] = {command: room for room in ROOMS for command in room.commands}
"""Every command there is."""

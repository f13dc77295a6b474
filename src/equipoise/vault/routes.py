"""Which room of the second door decides which command, on which streams, and for which purposes.

The rule that must stay true: every command of every room stands in this table exactly once; what does not stand here
cannot happen. A room is its START, evolve, decide, COMMANDS and streams; what more it does is named here.
"""

from __future__ import annotations

from equipoise.vault import card_prints, credentials, keeping, results, values
from equipoise.vault.bench import commands as bench_commands
from equipoise.vault.bench import decide as bench_decide
from equipoise.vault.bench import evolve as bench_evolve
from equipoise.vault.breaks import commands as breaks_asked
from equipoise.vault.breaks import decide as breaking
from equipoise.vault.breaks import evolve as breaks
from equipoise.vault.release import commands as release_asked
from equipoise.vault.release import decide as releasing
from equipoise.vault.release import evolve as release
from equipoise.vault.room import Room, Rooms
from equipoise.vault.stock import commands as stock_commands
from equipoise.vault.stock import decide as stock_decide
from equipoise.vault.stock import evolve as stock_evolve

ROOMS: Rooms = (
    Room(
        "credentials", credentials.START, credentials.evolve, credentials.decide, credentials.COMMANDS,
        credentials.streams,
    ),
    Room("keeping", keeping.START, keeping.evolve, keeping.decide, keeping.COMMANDS, keeping.streams),
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
    Room(
        "cards", card_prints.START, card_prints.evolve, card_prints.decide, card_prints.COMMANDS, card_prints.streams,
    ),
    Room("values", values.START, values.evolve, values.decide, values.COMMANDS, values.streams),
    Room("results", results.START, results.evolve, results.decide, results.COMMANDS, results.streams),
    Room(
        "release", release.START, release.evolve, releasing.decide, release_asked.COMMANDS, release_asked.streams,
        reads=("release",), adds=release.adds,
    ),
)  # fmt: skip
"""Every room of the second door."""

"""The clock of a door that is served: what is due is done every few seconds, in a thread of its own.

The rule that must stay true: no fault of one tick ends the next ones.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from equipoise.ledger.store import StoreFault
from equipoise.vault.vault import Vault

_log = logging.getLogger("equipoise.vault")
TICK_SECONDS = 5.0
"""How often what is due by the clock is looked at."""


def watch_clock(vault: Vault) -> Callable[[], None]:
    """Tick in a thread of its own until the returned function is called."""
    over = threading.Event()

    def watch() -> None:
        while True:
            try:
                vault.tick()
            except (
                StoreFault
            ) as fault:  # a full disk may be emptied: the pages say what is wrong, the clock goes on
                _log.warning("%s", fault.problem.say())
            except Exception as bug:  # noqa: BLE001 (our fault in one tick ends neither anchors nor releases)
                _log.error("clock: %s", type(bug).__name__)  # its text could name what nobody may read here
            if over.wait(TICK_SECONDS):
                return

    thread = threading.Thread(target=watch, name="clock", daemon=True)
    thread.start()

    def stop() -> None:
        over.set()
        thread.join()

    return stop

"""Proofs of identity: that a person gave user name and password again, for one sitting of signing.

The rules that must stay true: the desk sees no password; the web's door, which asks the account store, gives a proof
here and gets a token; a token lasts a minute, is never shown to a browser, and proves one actor. Tokens live in memory
alone. Source: 21 CFR 11.200 (two components at each signing).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from typing import Any, Literal

from equipoise.desk.clock import Clock
from equipoise.ledger.facts import Proof
from equipoise.words.ids import Entropy, random_id

LASTS = dt.timedelta(minutes=1)


class Proofs:
    """The proofs that stand at this moment."""

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock, self._entropy = clock, entropy
        self._given: dict[str, tuple[Proof, dt.datetime]] = {}
        self._lock = threading.Lock()

    def give(self, actor: str, method: Literal["PASSWORD", "DEMO"]) -> str:
        """Take down that a person proved who they are; the token for the commands of this sitting."""
        token, now = random_id(self._entropy), self._clock()
        with self._lock:
            self._given = {old: kept for old, kept in self._given.items() if kept[1] > now}
            self._given[token] = Proof(actor, method), now + LASTS
        return token

    def of(self, token: str) -> Proof | None:
        """The proof behind a token; None where there is none, or its minute is over."""
        known = self._given.get(token) if token else None
        return known[0] if known is not None and known[1] > self._clock() else None


def unproved(command: Any) -> Any:  # Any: a command; the same kind comes back
    """A command without its proof: what it asks for, whoever proved what when."""
    return dataclasses.replace(command, proof="") if hasattr(command, "proof") else command

"""What the pages of the second door ask of the vault, and nothing more.

The rule that must stay true: pages read through these methods and submit commands; they open no slot, hold no key and
write no file. `equipoise.vault.vault.Vault` keeps this; page areas ask their own rooms for their own views.
"""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractContextManager
from typing import Protocol

from equipoise.ledger.reader import Reader
from equipoise.protocol.study import Study
from equipoise.vault.facts import Keeper, Purpose
from equipoise.vault.views import Outcome


class VaultDoor(Protocol):
    """The methods of equipoise.vault.vault.Vault that the shell of the pages uses."""

    @property
    def study(self) -> Study:
        """The definition by which this door works."""

    @property
    def purpose(self) -> str:
        """`rehearsal` or `trial`."""

    def now(self) -> dt.datetime:
        """The time, in UTC."""

    def sealed(self, name: str, content: bytes) -> bytes:
        """`content` as it may lie in this door's folder."""

    def unsealed(self, name: str, sealed: bytes) -> bytes | None:
        """What `sealed` made; None for anything else."""

    def reading(self) -> AbstractContextManager[Reader]:
        """One consistent moment of this door's own ledger."""

    def who(self, actor: str, purpose: Purpose) -> Keeper | None:
        """The person, for a purpose enrolled here now and borne by a role at the first door; None otherwise."""

    def submit(self, keeper: Keeper, command: object, *, key: str) -> Outcome:
        """Ask for a change."""

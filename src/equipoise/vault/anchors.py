"""The hourly anchor: a commitment to this door's own ledger, handed to the first door whether or not anything
happened.

The rules that must stay true: a commitment has one length and tells nothing without its nonce, which is published with
the final release; an hour without work has its anchor, too; `anchor_commitment` is the only place that makes one.
Source: DESIGN 5 (anchors).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from equipoise.ledger.entries import Append, Recorded
from equipoise.ledger.vault_entries import AnchorMade, AnchorsSkipped
from equipoise.vault.statements import say

STREAM = "anchors"
EVERY = dt.timedelta(hours=1)
NONCE_BYTES = 32
_DOMAIN = b"equipoise anchor 1\n"


@dataclass(frozen=True, slots=True)
class State:
    """The number and the moment of the last anchor."""

    number: int = 0
    at: dt.datetime | None = None


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the stream `anchors`."""
    if isinstance(recorded.entry, AnchorMade):
        return State(recorded.entry.number, dt.datetime.fromisoformat(recorded.header.at))
    if isinstance(recorded.entry, AnchorsSkipped):
        return State(max(state.number, recorded.entry.upto), state.at)
    return state


def anchor_commitment(root: str, nonce: bytes) -> str:
    """SHA-256 (hex) over a domain, the root (hex) of this ledger's tree, and 32 bytes of nonce."""
    return hashlib.sha256(_DOMAIN + root.encode() + nonce).hexdigest()


def make_anchor(state: State, size: int, root: str, nonce: bytes) -> tuple[Append, ...]:
    """The next anchor over a tree of this size and root, and the statement of it."""
    number, commitment = state.number + 1, anchor_commitment(root, nonce)
    made = AnchorMade(number, size, root, commitment, nonce.hex())
    return Append(STREAM, made), say("Anchor", number=number, commitment=commitment)

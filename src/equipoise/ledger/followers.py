"""Followers: what keeps the read tables equal to the entries.

The rules that must stay true: a follower is a function of the rows so far and the next entry, nothing else;
rebuilding from nothing gives the same rows as following every commit. Its tables change in the transaction of the
append, so no reader ever sees an entry without its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from equipoise.ledger.entries import Recorded
from equipoise.ledger.keys import Keys
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import ReadTable, Store, Transaction
from equipoise.words.canonical import digest


@dataclass(frozen=True, slots=True)
class Follower:
    """Read tables and how one entry changes them.

    version: raise it whenever `follow` means something else; the tables are then rebuilt at the next opening.
    follow: (transaction, entry) -> None. It may get, find, put and remove rows of `tables` and nothing else.
    `Recorded.entry` is None where a body was erased.
    """

    name: str
    version: str
    tables: tuple[ReadTable, ...]
    follow: Callable[[Transaction, Recorded], None]


def prepare(store: Store, keys: Keys, followers: Sequence[Follower]) -> bool:
    """Make the read tables and fill them where they are new or out of date; True where they were filled."""
    code = digest([[follower.name, follower.version] for follower in followers])
    tables = [table for follower in followers for table in follower.tables]
    with store.writing(()) as transaction:
        if transaction.prepare(tables, code):
            return False
        _fill(transaction, keys, followers)
    return True


def rebuild(store: Store, keys: Keys, followers: Sequence[Follower]) -> None:
    """Empty the read tables and fill them again from the entries, in one transaction."""
    with store.writing(()) as transaction:
        for follower in followers:
            for table in follower.tables:
                transaction.clear(table)
        _fill(transaction, keys, followers)


def _fill(transaction: Transaction, keys: Keys, followers: Sequence[Follower]) -> None:
    for _, recorded in Reader(transaction, keys).everything():
        for follower in followers:
            follower.follow(transaction, recorded)

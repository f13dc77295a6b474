"""Locking and unlocking a database in stories that are not about the lock: two persons, and a checklist set green."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from equipoise.access.commands import Who
from equipoise.capture.closing.commands import (
    LockDatabase,
    ProposeDatabaseLock,
    ProposeDatabaseUnlock,
    UnlockDatabase,
)
from equipoise.desk import lock_checklist, routes
from equipoise.desk.desk import Desk

_KEYS = itertools.count()


@contextmanager
def green() -> Iterator[None]:
    """A checklist on which nothing is left: no whole trial is played for it."""
    names = vars(routes)
    counted = names["checklist"]
    names["checklist"] = lambda *given: tuple(
        dataclasses.replace(line, count=0) for line in lock_checklist.checklist(*given)
    )
    try:
        yield
    finally:
        names["checklist"] = counted


def lock_database(desk: Desk, first: Who, second: Who) -> None:
    """Lock it, by a data manager and a statistician."""
    with green():
        _give(desk, first, ProposeDatabaseLock(desk.proofs.give(first.actor, "DEMO")))
        _give(desk, second, LockDatabase(_proposed(desk), desk.proofs.give(second.actor, "DEMO")))


def unlock_database(desk: Desk, first: Who, second: Who) -> None:
    """Open it again."""
    _give(desk, first, ProposeDatabaseUnlock("a late value", desk.proofs.give(first.actor, "DEMO")))
    _give(desk, second, UnlockDatabase(_proposed(desk), desk.proofs.give(second.actor, "DEMO")))


def _proposed(desk: Desk) -> str:
    with desk.reading() as reader:
        proposed = desk.trial(reader).database.proposed
    assert proposed is not None
    return proposed.id


def _give(desk: Desk, who: Who, command: Any) -> None:  # Any: one of the four commands
    outcome = desk.submit(who, command, key=f"lock {next(_KEYS)}")
    assert outcome.accepted, [one.say() for one in outcome.problems]

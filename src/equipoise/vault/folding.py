"""Folding the second door's streams, remembered while they stand still.

The rule that must stay true: what is remembered is used only for the very entries that it was folded from.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from equipoise.ledger.entries import Recorded
from equipoise.ledger.reader import Reader

State = TypeVar("State")
_REMEMBERED = 256


def matching(reader: Reader, names: Sequence[str]) -> tuple[str, ...]:
    """Streams by name, once each; a name that ends in `/` stands for all that begin so."""
    known = [head.stream for head in reader.streams()] if any(name.endswith("/") for name in names) else []
    found: dict[str, None] = {}
    for name in names:
        if name.endswith("/"):
            found.update(dict.fromkeys(stream for stream in known if stream.startswith(name)))
        else:
            found[name] = None
    return tuple(found)


class Memory:
    """States by room and streams. Safe to use from several threads."""

    def __init__(self) -> None:
        self._states: OrderedDict[tuple[str, tuple[str, ...]], tuple[tuple[tuple[int, str], ...], Any]] = (
            OrderedDict()
        )  # Any: the state of that room
        self._lock = threading.Lock()

    def state(
        self,
        reader: Reader,
        room: str,
        streams: Sequence[str],
        start: State,
        evolve: Callable[[State, Recorded], State],
    ) -> State:
        """The fold of the streams together, in the order of their moments."""
        names = matching(reader, streams)
        heads = tuple((reader.head(name).seq, reader.head(name).leaf) for name in names)
        with self._lock:
            known = self._states.get((room, names))
        if known is not None and known[0] == heads:
            return cast("State", known[1])
        carried = self._carried(reader, names, known) if known is not None and len(names) == 1 else None
        if carried is not None and known is not None:
            state, entries = cast("State", known[1]), carried
        else:
            state, entries = start, [one for name in names for one in reader.entries(name)]
            entries.sort(key=lambda one: one.header.at)  # stable: within a stream the order stays
        for recorded in entries:
            state = evolve(state, recorded)
        with self._lock:
            self._states[room, names] = (heads, state)
            self._states.move_to_end((room, names))
            while len(self._states) > _REMEMBERED:
                self._states.popitem(last=False)
        return state

    def _carried(
        self, reader: Reader, names: tuple[str, ...], known: tuple[tuple[tuple[int, str], ...], Any]
    ) -> list[Recorded] | None:  # Any: as above
        """The entries that follow what is remembered of a single stream; None where it does not lead there."""
        seq, leaf = known[0][0]
        if seq == 0 or reader.head(names[0]).seq <= seq:
            return None
        tail = reader.entries(names[0], after=seq)
        return list(tail) if tail and tail[0].header.prev == leaf else None

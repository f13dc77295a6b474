"""Folding the second door's streams, remembered while they stand still.

The rule that must stay true: what is remembered is used only for the very entries that it was folded from, and
carried on only by entries that come after every one of them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from equipoise.ledger.chain import ZEROS
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


@dataclass(frozen=True, slots=True)
class _Kept:
    """A state, the heads (stream -> seq and leaf) up to which it was folded, and the latest moment in it."""

    heads: Mapping[str, tuple[int, str]]
    latest: str
    state: Any  # Any: the state of that room


class Memory:
    """States by room and streams. Safe to use from several threads."""

    def __init__(self) -> None:
        self._states: OrderedDict[tuple[str, tuple[str, ...]], _Kept] = OrderedDict()
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
        names = tuple(name for name in matching(reader, streams) if reader.head(name).seq)
        heads = {name: (reader.head(name).seq, reader.head(name).leaf) for name in names}
        known = self._before(room, names)
        if known is not None and known.heads == heads:
            return cast("State", known.state)
        carried = _following(reader, names, known) if known is not None else None
        if carried is not None and known is not None:
            state, latest, entries = cast("State", known.state), known.latest, carried
        else:
            state, latest, entries = start, "", _in_order(reader.entries(name) for name in names)
        for recorded in entries:
            state, latest = evolve(state, recorded), recorded.header.at
        with self._lock:
            self._states[room, names] = _Kept(heads, latest, state)
            self._states.move_to_end((room, names))
            while len(self._states) > _REMEMBERED:
                self._states.popitem(last=False)
        return state

    def _before(self, room: str, names: tuple[str, ...]) -> _Kept | None:
        """What is remembered of the streams; of all but one of them where the one is new."""
        fewer = (tuple(each for each in names if each != name) for name in names)
        with self._lock:
            found = (self._states.get((room, asked)) for asked in (names, *fewer))
            return next((known for known in found if known is not None), None)


def _following(reader: Reader, names: Sequence[str], known: _Kept) -> list[Recorded] | None:
    """The entries that come after what is remembered, in their order.

    None where what is remembered does not lead there, or where one of them belongs among those already folded.
    """
    tails: list[tuple[Recorded, ...]] = []
    for name in names:
        (seq, leaf), head = known.heads.get(name, (0, ZEROS)), reader.head(name)
        if (head.seq, head.leaf) == (seq, leaf):
            continue
        tail = reader.entries(name, after=seq) if head.seq > seq else ()
        if not tail or tail[0].header.prev != leaf or tail[0].header.at <= known.latest:
            return None
        tails.append(tail)
    return _in_order(tails)


def _in_order(tails: Iterable[Sequence[Recorded]]) -> list[Recorded]:
    """The entries of several streams in the order of their moments."""
    found = [one for tail in tails for one in tail]
    found.sort(key=lambda one: one.header.at)  # stable: within a stream the order stays
    return found

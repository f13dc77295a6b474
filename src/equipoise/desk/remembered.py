"""What is worked out for every participant, and worked out again only where something was written.

The rules that must stay true: what is kept rests on a participant's own stream, on the streams of the site and of the
study, and on the day, and on nothing else; when the head of any of these has moved, or the day, it is made anew. It is
kept for one desk, in its process, and never written down. What depends on who asks is left to the asker.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from equipoise.desk.desk import Desk
from equipoise.desk.standing import Standing
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Row

T = TypeVar("T")


class Remembered(Generic[T]):
    """A part of every participant, by their id, for each desk."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Desk, dict[str, tuple[Hashable, T]]] = WeakKeyDictionary()

    def of(
        self,
        desk: Desk,
        reader: Reader,
        rows: Iterable[Row],
        make: Callable[[Standing, Row], T],
        *more: Hashable,
    ) -> Iterator[tuple[Row, T]]:
        """Each row of the table of participants with its part. `more`: what else the parts are made from."""
        known = self._known.setdefault(desk, {})
        heads = {head.stream: head.leaf for head in reader.streams()}
        study, days = heads.get("study"), dict[str, str]()
        for row in rows:
            subject, site = str(row["subject"]), str(row["site"])
            if site not in days:
                days[site] = str(desk.site_now(reader, site)[1])
            key = (heads.get(f"subject/{subject}"), heads.get(f"site/{site}"), study, days[site], *more)
            kept = known.get(subject)
            if kept is None or kept[0] != key:
                kept = known[subject] = (key, make(desk.standing_light(reader, subject), row))
            yield row, kept[1]

"""The part of the script in which data are verified, signed, frozen and locked, form by form and as a database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from blind.people import Person

if TYPE_CHECKING:
    from blind.course import Play

PLACE = ("V1", "PSMRS", 1)
DEMO = {"username": "demo", "password": "demo"}
"""What a made-up person of a rehearsal signs with."""


class Closing:
    """The steps of closing, as people do them."""

    def __init__(self, play: Play) -> None:
        self.play, self.world = play, play.world

    def course(self) -> Iterator[str]:
        """Three participants' forms, then the database, three times each."""
        for number in [each for each in self.world.numbers if each.startswith("01")][3:6]:
            yield from self.forms(number)
        yield from self.database()

    def forms(self, number: str) -> Iterator[str]:
        """One form: asked again, verified, reviewed, signed, frozen, locked, and opened."""
        from equipoise.capture.commands import CancelQuery, ReopenQuery

        world, subject = self.world, self.world.desk.subject_id(number)
        world.settle_queries(subject, PLACE)
        yield from self.inbox(number)
        for role in ("monitor", "data_manager"):
            self.play.raise_query(world.person(role), number, PLACE[1], "", "/1")
            query = world.open_query(subject, PLACE)
            world.done(role, CancelQuery(subject, query, "asked twice"))
            world.done(role, ReopenQuery(subject, query, "asked once"))
            world.done(role, CancelQuery(subject, query, "asked twice"))
        yield f"{number} asked again"
        self.signed(number, subject)
        yield f"{number} signed"
        page = f"/subjects/{number}/closing"
        scope = {"scope": "~".join(map(str, PLACE)), "reason": "a correction"}
        for do in ("freeze", "unfreeze", "lock"):
            self.play.fine(world.person("data_manager"), page, {**scope, "do": do, "key": world.key()})
        yield f"{number} locked"
        self.play.fine(world.person("data_manager"), page, {**scope, "do": "unlock", "key": world.key()})

    def signed(self, number: str, subject: str) -> None:
        """One form compared with its source, read by data management, and signed."""
        world, (visit, form, repeat) = self.world, PLACE
        page = f"/verification/{number}/{visit}/{form}/{repeat}"
        for role, do in (("monitor", "all"), ("data_manager", "review")):
            self.play.fine(
                world.person(role),
                page,
                {"do": do, "base": str(world.base(subject, PLACE)), "key": world.key()},
            )
        mark = "~".join((number, *map(str, PLACE), world.shown(subject, PLACE)[0].shown))
        self.play.fine(
            world.person("investigator", "01"), "/signatures", {"sign": mark, **DEMO, "key": world.key()}
        )

    def inbox(self, number: str) -> Iterator[str]:
        """A question of the monitor's and one of data management's, answered and closed in the inbox, three times."""
        world, subject = self.world, self.world.desk.subject_id(number)
        for place, role in enumerate(("coordinator", "investigator", "rater")):
            asker = world.person(("monitor", "data_manager")[(place + self.world.numbers.index(number)) % 2])
            for who in (asker, world.person("data_manager" if asker.role == "monitor" else "monitor")):
                self.play.raise_query(who, number, PLACE[1], "PSMRS", "/1")
                page = f"/queries/{number}/{world.open_query(subject, PLACE)}"
                said = {"text": "Looked again.", "key": world.key()}
                self.play.fine(world.person(role, "01"), page, {**said, "do": "answer"})
                self.play.fine(who, page, {**said, "do": "close", "key": world.key()})
        yield f"{number} asked and answered in the inbox"

    def database(self) -> Iterator[str]:
        """Locked by two and opened by two, three times. The checklist is set green: a whole trial is not played."""
        first, second = self.world.person("data_manager"), self.world.person("statistician")
        for turn in range(3):
            for met in ("no", "yes"):
                self._give(first, "condition", condition="NOTHING_UNSENT", met=met, reference=f"list {turn}")
            self.locked()
            yield f"database locked {turn}"
            self._give(first, "propose-unlock", reason="a late value")
            self._give(second, "unlock", proposal=self.world.proposal())
            yield f"database unlocked {turn}"

    def locked(self) -> None:
        """Two persons lock the database."""
        with self.world.green():
            self._give(self.world.person("data_manager"), "propose")
            self._give(self.world.person("statistician"), "lock", proposal=self.world.proposal())

    def _give(self, who: Person, do: str, **fields: str) -> None:
        self.play.fine(who, "/lock", {"do": do, **DEMO, **fields, "key": self.world.key()})

"""The part of the script in which data are verified, signed, frozen and locked, form by form and as a database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blind.course import Play

PLACE = ("V1", "PSMRS", 1)


class Closing:
    """The steps of closing, as people do them."""

    def __init__(self, play: Play) -> None:
        self.play, self.world = play, play.world

    def course(self) -> Iterator[str]:
        """Three participants' forms, then the database, three times each."""
        for number in [each for each in self.world.numbers if each.startswith("01")][:3]:
            yield from self.forms(number)
        yield from self.database()

    def forms(self, number: str) -> Iterator[str]:
        """One form: asked again, verified, reviewed, signed, frozen, locked, and opened."""
        from equipoise.capture.closing import commands as close
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
        base = world.base(subject, PLACE)
        items = tuple(world.recorded_items(subject, PLACE))
        world.done("monitor", close.VerifyItems(subject, *PLACE, base, items))
        world.done("data_manager", close.ReviewForm(subject, *PLACE, base))
        world.done(
            "investigator",
            close.SignForms(subject, world.shown(subject, PLACE), "FORM", world.proof("investigator")),
        )
        yield f"{number} signed"
        world.done("data_manager", close.FreezeData(subject, *PLACE))
        world.done("data_manager", close.UnfreezeData(subject, *PLACE, "a correction"))
        world.done("data_manager", close.LockData(subject, *PLACE))
        yield f"{number} locked"
        world.done("data_manager", close.UnlockData(subject, *PLACE, "a correction"))

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
        from equipoise.capture.closing import commands as close

        world = self.world
        for turn in range(3):
            for met in (False, True):
                world.done("data_manager", close.RecordLockCondition("NOTHING_UNSENT", met, f"list {turn}"))
            with world.green():
                world.done("data_manager", close.ProposeDatabaseLock(world.proof("data_manager")))
                world.done("statistician", close.LockDatabase(world.proposal(), world.proof("statistician")))
            yield f"database locked {turn}"
            world.done(
                "data_manager", close.ProposeDatabaseUnlock("a late value", world.proof("data_manager"))
            )
            world.done("statistician", close.UnlockDatabase(world.proposal(), world.proof("statistician")))
            yield f"database unlocked {turn}"

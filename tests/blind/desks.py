"""The part of the script at desks away from the ward: scans of paper, tubes and their results, images and their reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from blind.browser import ask

if TYPE_CHECKING:
    from blind.course import Play

ATTACHING = ("coordinator", "investigator", "rater")


class Desks:
    """What is done at desks, as people do it."""

    def __init__(self, play: Play) -> None:
        self.play, self.world = play, play.world

    def course(self) -> Iterator[str]:
        """Everything."""
        yield from self._scans()

    def _mine(self) -> list[str]:
        return [number for number in self.world.numbers if number.startswith("01")]

    def _scans(self) -> Iterator[str]:
        """Each of three people attaches and takes back three scans."""
        for place, number in enumerate(self._mine()[:3]):
            for role in ATTACHING:
                scan = b"%PDF-1.7\n" + hashlib.sha256(f"{number} {role}".encode()).digest() + b"\n%%EOF\n"
                address = f"/subjects/{number}/sources/V1/RISK/1"
                fields = {"do": "attach", "key": self.world.key()}
                answer = ask(
                    self.world,
                    self.world.person(role, "01"),
                    "POST",
                    address,
                    fields,
                    file=("letter.pdf", scan),
                )
                assert answer.status == 302, answer.said()
            self._take_back(number, place)
            yield f"{number} scans attached"

    def _take_back(self, number: str, place: int) -> None:
        subject = self.world.desk.subject_id(number)
        with self.world.desk.reading() as reader:
            state = self.world.desk.standing_light(reader, subject).case.attachments
        for role, one in zip(ATTACHING, state.at("V1", "RISK", 1), strict=True):
            given = {
                "do": "withdraw",
                "source": one.source,
                "reason": "of another person",
                "key": self.world.key(),
            }
            self.play.fine(self.world.person(role, "01"), f"/subjects/{number}/sources/V1/RISK/1", given)
            where = {"number": number, "visit": "V1", "form": "RISK", "repeat": "1", "wanted": one.source}
            self.world.attached.append(where)

"""The part of the script in which forms are typed twice from paper, withdrawn, sent back, and settled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from blind.people import Person

if TYPE_CHECKING:
    from blind.course import Play

PARTICIPANT, CAREGIVER = "BGP", "BGC"
"""The questionnaires that are answered on paper at the bedside."""


class Doubles:
    """Two persons at a site type each questionnaire of three participants; where they differ, a third decides."""

    def __init__(self, play: Play) -> None:
        self.play, self.world = play, play.world

    def course(self) -> Iterator[str]:
        """Everything: each role that types, withdraws or settles does so three times."""
        one, other = self.world.person("coordinator", "01"), self._second_coordinator()
        investigator, data = self.world.person("investigator", "01"), self.world.person("data_manager")
        for number in [number for number in self.world.numbers if number.startswith("01")][:3]:
            self._typed(one, number, PARTICIPANT, "ACTIVE")
            self._withdrawn(one, number, PARTICIPANT)
            self._typed(one, number, PARTICIPANT, "ACTIVE")
            yield f"{number} typed once"
            self._typed(investigator, number, PARTICIPANT, "PLACEBO")
            self._withdrawn(data, number, PARTICIPANT)
            self._typed(one, number, PARTICIPANT, "ACTIVE")
            self._typed(investigator, number, PARTICIPANT, "PLACEBO")
            self._settled(data, number, PARTICIPANT)
            self._typed(investigator, number, CAREGIVER, "ACTIVE")
            self._withdrawn(investigator, number, CAREGIVER)
            self._typed(one, number, CAREGIVER, "ACTIVE")
            self._typed(other, number, CAREGIVER, "PLACEBO")
            yield f"{number} typed twice"
            self._settled(investigator, number, CAREGIVER)
        yield "double entries settled"

    def _second_coordinator(self) -> Person:
        """The coordinator of the other site helps out."""
        from equipoise.access.commands import GrantRole

        helper = self.world.people["Coordinator Two"]
        self.world.done("administrator", GrantRole(helper.actor, "coordinator", "01"))
        sent = {
            "do": "delegate",
            "user": helper.actor,
            "duties": "data_entry",
            "until": "",
            "key": self.world.key(),
        }
        self.play.fine(self.world.person("investigator", "01"), "/staff/01", sent)
        return helper

    def _post(self, who: Person, number: str, form: str, do: str, **fields: str) -> None:
        given = {"do": do, "key": self.world.key(), **fields}
        self.play.fine(who, f"/subjects/{number}/double/V4/{form}/1", given)

    def _typed(self, who: Person, number: str, form: str, guess: str) -> None:
        said = {"DAT": "2026-06-02", "GS": guess, "SU": "LIKELY", "WH": "LOOK"}
        self._post(who, number, form, "enter", **{f"v.{form}{name}": value for name, value in said.items()})

    def _base(self, number: str, form: str) -> str:
        subject = self.world.desk.subject_id(number)
        with self.world.desk.reading() as reader:
            pair = self.world.desk.standing_light(reader, subject).case.capture.pairs[("V4", form, 1)]
        return str((pair.second or pair.first).seq)

    def _withdrawn(self, who: Person, number: str, form: str) -> None:
        self._post(who, number, form, "withdraw", base=self._base(number, form), reason="of another person")

    def _settled(self, who: Person, number: str, form: str) -> None:
        self._post(who, number, form, "settle", base=self._base(number, form), **{f"c.{form}GS": "FIRST"})

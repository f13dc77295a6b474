"""The part of the script in which a site works with diaries: phones, entries, red flags, changes, gaps, interviews."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from blind.browser import ask
from blind.people import Person
from blind.wards import Ward
from equipoise.desk import devices
from equipoise.desk.diary_standing import side_standing
from equipoise.simulation.phone import Phone

if TYPE_CHECKING:
    from blind.course import Play

AT_SITES = ("coordinator", "investigator")


class Diaries:
    """Three participants; both roles of a site do everything with each of them."""

    def __init__(self, play: Play) -> None:
        self.play, self.world = play, play.world
        self.phones: dict[tuple[str, str], Phone] = {}

    def course(self) -> Iterator[str]:
        """Everything."""
        mine = [number for number in self.world.numbers if number.startswith("01")][:3]
        for number in mine:
            for role in AT_SITES:
                self._invited(self.world.person(role, "01"), number)
        yield "phones of diaries set up"
        self.world.clock.morning(days=3)
        self.play.come_in(1)
        for number in mine:
            for place, role in enumerate(AT_SITES):
                self._worked(self.world.person(role, "01"), number, place)
            yield f"{number} diary read"
        data = self.world.person("data_manager")
        for minutes in (30, 20, 10):
            since, until = Ward(self.play).at(-minutes), Ward(self.play).at(-minutes + 5)
            given = {"since": since, "until": until, "reason": "a cable", "key": self.world.key()}
            self.play.fine(data, "/diaries", given)
        yield "the service was away"

    def _invited(self, who: Person, number: str) -> None:
        page = f"/subjects/{number}/diary/phones"
        given = {"do": "invite", "holder": "PARTICIPANT", "key": self.world.key()}
        answer = ask(self.world, who, "POST", page, given)
        assert answer.status == 200, answer.said()
        code = re.search(r"/diary/#([\w-]+)", answer.text)[1]
        pin = re.search(r'id="pin">(\d{3}) (\d{3})<', answer.text)
        made = devices.enrol(self.world.desk, code, pin[1] + pin[2])
        phone = Phone(self.world.clock.moment, random.Random(f"{number} {who.role}"))
        phone.set_up(made)
        self.phones[number, who.role] = phone
        reminder = {"do": "remind", "holder": "PARTICIPANT", "hour": "19:00", "way": "sms", "to": "13800000000",
                    "language": "zh", "key": self.world.key()}  # fmt: skip
        self.play.fine(who, page, reminder)

    def _fell(self, phone: Phone) -> str:
        """An entry with a red flag, and the request that it be changed."""
        phone.open()
        phone.begin("FALL", None)
        phone.answer("EVWHEN", "NOW")
        phone.answer("EVHURT", "Y")
        packet = phone.submit()
        phone.sync(self._send)
        phone.ask(packet, "it was yesterday")
        phone.sync(self._send)
        assert phone.told[packet] == "HOSPITAL", phone.told
        return packet

    def _send(self, packets):
        from equipoise.desk.diary_intake import take

        return take(self.world.desk, list(packets))

    def _worked(self, who: Person, number: str, place: int) -> None:
        phone, base = self.phones[number, who.role], f"/subjects/{number}/diary"
        packet = self._fell(phone)
        entry = f"{base}/entries/{packet}"
        if not self._events(number):
            self.play.record(who, number, "AE", {"AETERM": "a fall"}, "LOG", repeat="/1")
        row = min(self._events(number))
        self.play.fine(who, entry, {"do": "link", "place": row, "key": self.world.key()})
        self.play.fine(who, entry, {"do": "handle", "outcome": "EVENT_RECORDED", "key": self.world.key()})
        if who.role == "investigator":
            request = next(one for one in self._state(number).requests.values() if one.entry.about == packet)
            given = {"do": "grant", "request": request.entry.packet, "reason": "heard by telephone", "v.EVWHEN": "YDAY",
                     "v.EVHURT": "Y", "username": "demo", "password": "demo", "key": self.world.key()}  # fmt: skip
            self.play.fine(who, entry, given)
        missed = self._missed(number)
        gap = {"side": "PARTICIPANT", "because": "TRAVEL", "note": "", "key": self.world.key()}
        self.play.fine(who, f"{base}/periods/DAILY/{missed[0]}", gap)
        talk = {"do": "record", "side": "PARTICIPANT", "interview": f"talk{place}{number}", "v.EVWHEN": "TODAY",
                "v.EVHURT": "N", "asked_at": Ward(self.play).at(-1 - 60 * place), "key": self.world.key()}  # fmt: skip
        self.play.fine(who, f"{base}/interviews/FALL", talk)
        read = max(one.seq for one in self._state(number).made.values())
        self.play.fine(who, base, {"do": "review", "upto": str(read), "visit": "", "key": self.world.key()})
        lost = {"do": "revoke", "device": phone.storage.device, "reason": "lost", "key": self.world.key()}
        self.play.fine(who, f"{base}/phones", lost)
        for part, named in (
            ("/entries/", {"packet": packet}),
            ("/periods/", {"form": "DAILY", "day": missed[0]}),
            ("/interviews/", {"form": "FALL"}),
            ("/phones/", {"holder": "PARTICIPANT"}),
        ):
            self.world.kept.setdefault(part, []).append({"number": number, **named})

    def _state(self, number: str):
        with self.world.desk.reading() as reader:
            return self.world.desk.diary(reader, self.world.desk.subject_id(number))

    def _events(self, number: str) -> tuple[str, ...]:
        """The rows of adverse events that an entry can be linked to."""
        with self.world.desk.reading() as reader:
            now = self.world.desk.standing_light(reader, self.world.desk.subject_id(number))
        return tuple(now.facts.event_rows)

    def _missed(self, number: str) -> list[str]:
        subject = self.world.desk.subject_id(number)
        with self.world.desk.reading() as reader:
            now, state = (
                self.world.desk.standing_light(reader, subject),
                self.world.desk.diary(reader, subject),
            )
        return [
            one.period.period
            for one in side_standing(now, state, "PARTICIPANT").stood
            if one.state == "MISSED"
        ]

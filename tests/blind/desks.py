"""The part of the script at desks away from the ward: scans of paper, tubes and their results, images and their reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from blind.browser import ask
from blind.people import Person
from blind.wards import Ward

if TYPE_CHECKING:
    from blind.course import Play

ATTACHING = ("coordinator", "investigator", "rater")
DRAWING = (("coordinator", "BIO", "V2"), ("investigator", "TUM", "V1"))
HEAD = "accession,test,value,unit,flag\n"


class Desks:
    """What is done at desks, as people do it."""

    def __init__(self, play: Play) -> None:
        self.play, self.world = play, play.world

    def course(self) -> Iterator[str]:
        """Everything."""
        yield from self._scans()
        yield from self._tubes()
        yield from self._results()
        yield from self._images()

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
            self.world.kept.setdefault("/sources/", []).append(where)

    def _tube(self, number: str, kit: str, visit: str) -> str:
        """The accession number of a tube, as it stands on the page."""
        subject = self.world.desk.subject_id(number)
        with self.world.desk.reading() as reader:
            state = self.world.desk.standing_light(reader, subject).case.specimens
        tube = state.current(kit, visit)
        return tube.specimen if tube is not None else ""

    def _post(self, role: str, number: str, do: str, **fields: str) -> None:
        given = {"do": do, "key": self.world.key(), **fields}
        self.play.fine(self.world.person(role, "01"), f"/subjects/{number}/specimens", given)

    def _tubes(self) -> Iterator[str]:
        """Tubes drawn, one of each pair voided and drawn again, spun, divided, moved, ended, sent and received."""
        for number in self._mine()[:3]:
            for role, kit, visit in DRAWING:
                where = {"kit": kit, "visit": visit}
                self._post(role, number, "miss", **where, because="NOT_DONE")
                for turn in range(2):
                    self.world.clock.wait(minutes=2)
                    self._post(role, number, "collect", **where, at=Ward(self.play).at(-1), fasting="Y")
                    if turn == 0:
                        self._post(
                            role, number, "void", specimen=self._tube(number, kit, visit), reason="wrong"
                        )
                self._kept(role, number, self._tube(number, kit, visit))
            yield f"{number} tubes drawn"

    def _kept(self, role: str, number: str, tube: str) -> None:
        now = Ward(self.play).at()
        self._post(role, number, "process", specimen=tube, spun_at=now, frozen_at=now, haemolysis="NONE")
        self._post(role, number, "divide", specimen=tube, count="3", volume="0.5", storage="M80", place="box")
        self._post(role, number, "move", aliquot=f"{tube}-02", storage="M20", place="other", thawed="yes")
        self._post(role, number, "end", aliquot=f"{tube}-03", because="BROKEN", reason="fell")
        where = {"number": number, "wanted": tube}
        self.world.kept.setdefault("/specimens/", []).append(where)
        shipment = f"shipment{len(self.world.kept.get('/shipments/', []))}"
        person, data = self.world.person(role, "01"), self.world.person("data_manager")
        sent = {"shipment": shipment, "laboratory": "CENTRAL", "aliquots": f"{tube}-01", "at": now, "condition": "M80",
                "carrier": "a van", "key": self.world.key()}  # fmt: skip
        self.play.fine(person, "/shipments", sent)
        arrived = {"at": now, "condition": "FROZEN", f"d.{tube}-01": "BROKEN", "key": self.world.key()}
        self.play.fine(data, f"/shipments/{shipment}", arrived)
        self.world.kept.setdefault("/shipments/", []).append({"name": shipment})

    def _results(self) -> Iterator[str]:
        """Files of the laboratory: what tells an arm is refused here in the same words and taken in at the other door."""
        data = self.world.person("data_manager")
        self.world.exchange()
        for number in self._mine()[:3]:
            value = f"{self.world.secret.value(31, 89, f'IL6 {number}')}.25"
            told = HEAD + f"{self._tube(number, 'BIO', 'V2')},INTLK6,{value},pg/mL,\n"
            given = {"do": "check", "laboratory": "CENTRAL", "key": self.world.key()}
            refused = ask(self.world, data, "POST", "/results", given, file=("results.csv", told.encode()))
            assert refused.status == 422, refused.said()
            self.world.second_door.take_in(told)
            text = HEAD + f"{self._tube(number, 'TUM', 'V1')},CEA,2.5,ug/L,\n"
            looked = ask(self.world, data, "POST", "/results", given, file=("results.csv", text.encode()))
            assert looked.status == 200, looked.said()
            self.play.fine(data, "/results", {**given, "do": "import", "text": text, "key": self.world.key()})
            yield f"{number} results taken in"

    # --- images --------------------------------------------------------------------------------------------------

    def _imaging(self, role: str, number: str, do: str, **fields: str) -> None:
        who = self.world.person(role, "01" if role != "data_manager" else None)
        self.play.fine(who, f"/subjects/{number}/imaging", {"do": do, "key": self.world.key(), **fields})

    def _order(self, number: str) -> str:
        """The newest order of a participant."""
        subject = self.world.desk.subject_id(number)
        with self.world.desk.reading() as reader:
            return list(self.world.desk.standing_light(reader, subject).case.imaging.orders)[-1]

    def _images(self) -> Iterator[str]:
        """Images ordered, cancelled, ordered again, referenced, refused, read by two who differ, decided by a third."""
        from equipoise.capture.imaging.commands import RefuseImages

        readers = [each for each in self.world.people.values() if each.role == "reader"]
        today = Ward(self.play).today()
        for place, number in enumerate(self._mine()[:6]):
            role = ("coordinator", "investigator")[place % 2]
            for _ in range(2):
                self._imaging(
                    role, number, "order", procedure="BRAIN", visit="V1", due_from=today, due_by=today
                )
                if len(self._orders(number)) == 1:
                    self._imaging(role, number, "cancel", order=self._order(number), reason="no machine")
            order = self._order(number)
            self._imaging(role, number, "record", order=order, on=today, quality="GOOD", device="3 T")
            refused = RefuseImages(
                self.world.desk.subject_id(number), order, 1, ("IDENTIFIES",), ("PatientName",)
            )
            self.world.done(role, refused, "01")
            self._imaging(
                role, number, "reference", order=order, study_uid=f"1.2.{place + 3}", series="1.2.3 MR 9"
            )
            self._imaging(
                "data_manager", number, "open", order=order, first=readers[0].actor, second=readers[1].actor
            )
            for person, volume in zip(readers[:2], ("10.0", "40.0"), strict=True):
                self._score(person, number, volume)
            self._imaging("data_manager", number, "third", order=order, third=readers[2].actor)
            self._score(readers[2], number, "38.0")
            yield f"{number} images read"

    def _orders(self, number: str) -> list[str]:
        subject = self.world.desk.subject_id(number)
        with self.world.desk.reading() as reader:
            return list(self.world.desk.standing_light(reader, subject).case.imaging.orders)

    def _score(self, person: Person, number: str, volume: str) -> None:
        """A reader scores what the list offers."""
        subject = self.world.desk.subject_id(number)
        with self.world.desk.reading() as reader:
            orders = self.world.desk.standing_light(reader, subject).case.imaging.orders
        read = next(one.read for one in list(orders.values())[-1].reads if one.reader == person.actor)
        given = {"v.INFVOL": volume, "v.FAZEKAS": "1", "v.MRIHEM": "N", "key": self.world.key()}
        self.play.fine(person, f"/reads/{read}", given)
        if person.first:
            self.world.kept.setdefault("/reads/", []).append({"name": read})

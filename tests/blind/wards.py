"""The part of the script in which doses are given and codes are broken: both doors at work, six participants."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from blind.browser import ask
from blind.people import Person
from blind.second_door import LATER, LOTS
from equipoise.ledger.entries import RecallReceived

if TYPE_CHECKING:
    from blind.course import Play

RELEASE = {"RELTEMP": "36.5", "RELINF": "N", "RELICH": "N", "RELPREG": "N"}
BEDSIDE = {"BEDTIM": "10:00", "BEDTEMP": "36.6", "BEDINF": "N", "BEDNEURO": "N"}

RECALLED_AT = 5
"""Which participant's first bag is out when a lot is called back: the last one's, since its lot is used no more."""


class Ward:
    """The steps of one dose and of one code break, as people do them."""

    def __init__(self, play: Play) -> None:
        self.play, self.world = play, play.world

    def today(self) -> str:
        """The day at the site."""
        return self.at()[:10]

    def at(self, minutes: int = 0) -> str:
        """A moment some minutes from now, as the page's field has it: the site's own time."""
        moment = self.world.clock.at + dt.timedelta(minutes=minutes)
        return moment.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%dT%H:%M")

    def post(self, who: Person, number: str, do: str, page: str = "infusion", **fields: str) -> None:
        """A form of the page, which must go through."""
        self.play.fine(who, f"/subjects/{number}/{page}", {"do": do, "key": self.world.key(), **fields})

    def request(self, number: str) -> str:
        """The participant's open request, which the page shows to the pharmacy by number."""
        subject = self.world.desk.subject_id(number)
        with self.world.desk.reading() as reader:
            requests = self.world.desk.standing_light(reader, subject).case.supply.requests
        return list(requests)[-1]

    def bag(self, number: str) -> str:
        """The bag that the second door released."""
        subject = self.world.desk.subject_id(number)
        with self.world.desk.reading() as reader:
            requests = self.world.desk.standing_light(reader, subject).case.supply.requests
        return list(requests.values())[-1].bag

    def asked(self, who: Person, number: str) -> None:
        """The gate's form, the request for a dose, its judgement, a hold and its decision."""
        investigator = self.world.person("investigator", "01")
        self.play.record(who, number, "DOSREL", {"RELDAT": self.today(), **RELEASE}, "V2")
        self.post(who, number, "ask", dose="D1", at=self.at(90), weight="60")
        one = self.request(number)
        self.post(who, number, "judge", request=one, place="RELEASE")
        self.post(investigator, number, "hold", request=one, reason="looks tired")
        self.post(investigator, number, "decide", request=one, decision="GIVE", reason="is well")
        self.world.exchange()

    def prepared(self, number: str, *, late: bool = False) -> str:
        """The pharmacy prepares; the bag is there when the hour has come, or at once where the hour has passed."""
        self.world.second_door.prepare(number, self.request(number))
        self.world.exchange()
        if not late:
            self.world.clock.wait(minutes=100)
            self.world.exchange()
        bag = self.bag(number)
        assert bag, f"{number} has no bag"
        return bag

    def given(self, who: Person, second: Person, number: str) -> None:
        """Bedside: checked, mixed up and found, started, interrupted, ended, brought back."""
        one, bag = self.request(number), self.bag(number)
        self.play.record(who, number, "DOSBED", {"BEDDAT": self.today(), **BEDSIDE}, "V2")
        self.post(who, number, "judge", request=one, place="BEDSIDE")
        wrong = {"do": "check", "request": one, "scanned_bag": "000000", "scanned_subject": number, "second": second.actor,
                 "key": self.world.key()}  # fmt: skip
        refused = ask(self.world, who, "POST", f"/subjects/{number}/infusion", wrong)
        assert refused.status >= 400, refused.said()
        self.post(
            who, number, "check", request=one, scanned_bag=bag, scanned_subject=number, second=second.actor
        )
        self.post(who, number, "start", request=one, bag=bag, at=self.at())
        self.world.clock.wait(minutes=5)
        self.post(who, number, "interrupt", request=one, at=self.at(), reason="line blocked")
        self.world.clock.wait(minutes=3)
        self.post(who, number, "resume", request=one, at=self.at())
        self.world.clock.wait(minutes=20)
        self.post(who, number, "end", request=one, at=self.at(), outcome="COMPLETE")
        self.post(who, number, "return", request=one, bag=bag, remaining="0")
        self.post(who, number, "wrong", request=one, bag=f"9{number}", reason="label of another ward")
        self.world.exchange()

    def doses(self) -> Iterator[str]:
        """Six participants; each loses a bag before one is given."""
        self.world.exchange()
        self.world.second_door.enrol()
        self.world.second_door.receive_lots()
        yield "the pharmacy has its stock"
        pair = [self.world.person(role, "01") for role in ("coordinator", "investigator")]
        for place, number in enumerate(each for each in self.world.numbers[:6] if each.startswith("01")):
            who, second = pair[place % 2], pair[1 - place % 2]
            self.world.clock.morning(days=2)  # the first participants are more than a day apart
            self.play.come_in(1)  # every login has run out
            self.asked(who, number)
            yield f"{number} dose asked for"
            lost = self.prepared(number)
            yield f"{number} bag released"
            because = "SPILLED"
            if place == RECALLED_AT:
                self.recalled(lost)
                because = "RECALLED"
                yield f"{number} bag called back"
            self.post(who, number, "reject", request=self.request(number), bag=lost, because=because)
            self.world.exchange()
            self.prepared(number, late=True)
            yield f"{number} bag replaced"
            self.given(who, second, number)
            self.world.second_door.record_values(number)
            yield f"{number} infused"

    def recalled(self, out: str) -> None:
        """A lot is called back while a bag is out, of whatever lot; the notice names the bag; new lots come."""
        self.world.second_door.recall(LOTS[0])
        self.world.exchange()
        with self.world.desk.reading() as reader:
            heard = [
                one.entry for one in reader.entries("second-door") if isinstance(one.entry, RecallReceived)
            ]
        assert [one.bags for one in heard] == [(out,)]
        self.world.second_door.receive_lots(LATER, "S2")

    def scene(self) -> None:
        """Where leaks are replayed: a bag for the first participant at the ward, the code of the second shown."""
        self.world.exchange()
        self.world.second_door.enrol()
        self.world.second_door.receive_lots()
        self.asked(self.world.person("coordinator", "01"), "01001")
        self.prepared("01001")
        self.broken("01002", f"2b{'k' * 14}")

    def broken(self, number: str, request: str) -> None:
        """An investigator asks for a code and is shown the arm at the second door."""
        fields = {"urgent": "yes", "category": "EMERGENCY", "identity": "yes", "request": request, "to": "SELF",
                  "reason": "bleeding", "key": self.world.key()}  # fmt: skip
        self.play.fine(self.world.person("investigator", "01"), f"/subjects/{number}/unblind", fields)
        self.world.exchange()
        self.world.second_door.show(request)
        self.world.exchange()

    def breaks(self) -> Iterator[str]:
        """Codes: three requested and shown, reviewed, a card opened, raters assigned, drills, strata corrected."""
        world = self.world
        investigator = world.person("investigator", "01")
        self.play.come_in(1)
        raters = [each for each in world.people.values() if each.role == "rater"]
        for place, number in enumerate([each for each in world.numbers if each.startswith("01")][:4]):
            for kind, page in (("subject", f"/subjects/{number}/unblind"), ("drill", "/drills/01")):
                request = f"{'23456789'[place]}{'a' if kind == 'drill' else 'b'}{'k' * 14}"
                fields = {"urgent": "yes", "category": "EMERGENCY", "identity": "yes", "request": request, "to": "SELF",
                          "reason": "bleeding", "key": world.key()}  # fmt: skip
                self.play.fine(investigator, page, fields)
                world.wanted.setdefault(kind, []).append((number, request))
            self.world.exchange()
            world.second_door.show(world.wanted["subject"][-1][1])
            self.world.exchange()
            yield f"{number} code shown"
            reviewer = investigator if place < 3 else world.person("safety_desk")
            self._review(reviewer, number, world.wanted["subject"][-1][1])
            yield f"{number} code reviewed"
        for place, number in enumerate([each for each in world.numbers if each.startswith("01")][:6]):
            who = world.person(("coordinator", "investigator")[place % 2], "01")
            self._truths(who, number, raters)
            yield f"{number} truths kept"
        for number in [each for each in world.numbers if each.startswith("01")][4:6]:
            self._safety(number)
        yield "safety desk reviewed"

    def _review(self, who: Person, number: str, request: str) -> None:
        self.post(who, number, "review", page="blind", request=request, justified="yes", note="was needed")

    def _truths(self, who: Person, number: str, raters: list[Person]) -> None:
        """A rater, a corrected stratum, a card that was opened."""
        world = self.world
        with world.desk.reading() as reader:
            strata = list(world.desk.trial(reader).allocation.numbers)
            held = world.desk.standing_light(reader, world.desk.subject_id(number)).case.blind
        people = {
            "opened_by": world.person("investigator", "01").actor,
            "witnessed_by": world.person("coordinator", "01").actor,
        }
        world.clock.wait(minutes=2)
        opened = world.clock.at.replace(second=0, microsecond=0).isoformat()
        self.post(who, number, "rater", page="blind", user=raters[0].actor)
        other = next(each for each in strata if each != held.stratum)
        self.post(who, number, "stratum", page="blind", corrected=other, reason="typed wrongly")
        self.post(who, number, "card", page="blind", opened_at=opened, reason="no line", **people)

    def _safety(self, number: str) -> None:
        """Two more codes, so that the safety desk reviews three."""
        world = self.world
        investigator = world.person("investigator", "01")
        request = f"{'23456789'[int(number[-1])]}c{'m' * 14}"
        fields = {"urgent": "yes", "category": "PREGNANCY", "identity": "yes", "request": request, "to": "THIRD_PERSON",
                  "third_person": "Dr Wei", "reason": "pregnancy", "key": world.key()}  # fmt: skip
        self.play.fine(investigator, f"/subjects/{number}/unblind", fields)
        world.wanted["subject"].append((number, request))
        world.exchange()
        self._review(world.person("safety_desk"), number, request)

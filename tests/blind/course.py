"""The script: one trial, from the first person at the door to the last visit, as people do it through the pages.

It yields the name of each state that it has reached; the proof looks at everything in a covering sample there. The
rule that must stay true: nothing in it looks at an arm. What it reads it reads from pages, as people do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from blind.amending import amended
from blind.browser import Answer, ask, come_in
from blind.closing import Closing
from blind.desks import Desks
from blind.diaries import Diaries
from blind.doubles import Doubles
from blind.people import Person
from blind.phones import phones_set_up
from blind.staff import looked_after
from blind.wards import Ward
from blind.world import World
from equipoise.desk.deviation_pages import Filters

ENTRY = {
    "DM": {"BRTHDAT": "1962-03-07", "SEX": "M"},
    "STROKE": {"ONSETDAT": "2026-04-20", "STRKTYPE": "ISCHEMIC", "CIRCUL": "ANTERIOR"},
    "PSMRS": {"PSMRS": "0", "PSMRSSRC": "BOTH", "PSMRSDAT": "2026-06-01"},
    "EXCHK": dict.fromkeys(
        ["EPILEPSY", "DEMENTIA", "PARKINSN", "DEPRSEV", "OTHNEURO", "ICHCUR", "ICHHIST", "SEVCV", "SEVPULM"], "N"
    ),
    "NIHSS": dict(
        zip(["NIHSSDAT", "1a", "1b", "1c", "2", "3", "4", "5a", "5b", "6a", "6b", "7", "8", "9", "10", "11"],
            ["2026-06-01", "0", "0", "0", "0", "0", "2", "0", "3", "0", "2", "0", "0", "1", "1", "0"], strict=True)
    ),
}  # fmt: skip
"""Visit V1 of a person who meets every criterion: NIHSS 2+3+2+1+1 = 9, 42 days after the stroke."""
AFTER = {"RISK": {"HTN": "Y"}, "VS": {}, "MRS": {"MRSDAT": "2026-06-03", "1": "3"}}
TODAY = "2026-06-01"
ENTERING = ("coordinator", "investigator", "rater")
ASKING = ("monitor", "data_manager")


@dataclass(slots=True)
class Play:
    """The script over a world."""

    world: World

    # --- what people do ------------------------------------------------------------------------------------------

    def come_in(self, times: int = 3) -> None:
        """Everybody signs in, each time with a new login."""
        for _ in range(times):
            for person in self.world.people.values():
                come_in(self.world, person)

    def screen(self, who: Person, name: str) -> str:
        """Take a person into screening; the number, from the address that follows."""
        given = {
            "name": name,
            "birth_date": "1962-03-07",
            "phone": "",
            "site": who.site or "01",
            "key": self.world.key(),
        }
        number = self.fine(who, "/subjects/new", given).header("Location").rsplit("/", 1)[1]
        self.world.numbers.append(number)
        return number

    def consent(self, who: Person, number: str, *, first: bool = True) -> None:
        """Capacity, then the signature."""
        page = f"/subjects/{number}/consent"
        if first:
            self.fine(who, page, {"do": "capacity", "capacity": "HAS", "on": TODAY, "key": self.world.key()})
        self.fine(who, page, {"do": "sign", "version": "1.0", "by": "PARTICIPANT", "given": "yes", "on": TODAY,
                               "key": self.world.key()})  # fmt: skip

    def withdraw(self, who: Person, number: str) -> None:
        """Consent ends."""
        given = {
            "do": "withdraw",
            "by": "PARTICIPANT",
            "on": TODAY,
            "reason": "moved away",
            "key": self.world.key(),
        }
        self.fine(who, f"/subjects/{number}/consent", given)

    def record(self, who: Person, number: str, form: str, items: dict[str, str], visit: str = "V1", *,
               complete: bool = False, repeat: str = "", reason: str = "") -> Answer:  # fmt: skip
        """A save, as the page's script sends it."""
        subject = self.world.desk.subject_id(number)
        base = self.world.desk.form_seq(subject, visit, form, 1)
        sent = {"key": self.world.key(), "base": base, "items": {name: {"value": value} for name, value in items.items()},
                "complete": complete, "reason": reason or None}  # fmt: skip
        return self._send(who, f"/subjects/{number}/forms/{visit}/{form}{repeat}", sent)

    def raise_query(self, who: Person, number: str, form: str, item: str, repeat: str = "") -> None:
        """A question about an item."""
        sent = {
            "key": self.world.key(),
            "base": 0,
            "do": "raise",
            "target": item,
            "text": "Please look again.",
        }
        self._send(who, f"/subjects/{number}/forms/V1/{form}{repeat}", sent)

    def about_queries(self, who: Person, number: str, form: str, wish: str, state: str) -> None:
        """Answer or close every query of a form that is in a state."""
        case = self.world.desk.form(self.world.desk.who(who.actor, who.role), number, "V1", form)
        every = [*case.queries, *(query for item in case.items for query in item.queries)]
        for query in dict.fromkeys(query.id for query in every if query.state == state):
            sent = {
                "key": self.world.key(),
                "base": 0,
                "do": wish,
                "target": query,
                "text": "Looked again: it is so.",
            }
            self._send(who, f"/subjects/{number}/forms/V1/{form}", sent)

    def confirm(self, who: Person, number: str) -> None:
        """The investigator confirms."""
        self.fine(who, f"/subjects/{number}/eligibility", {"do": "confirm", "key": self.world.key()})

    def fail(self, who: Person, number: str) -> None:
        """Screening ends."""
        self.fine(
            who,
            f"/subjects/{number}/eligibility",
            {"do": "fail", "reason": "no wish", "key": self.world.key()},
        )

    def randomize(self, who: Person, number: str) -> str:
        """The number, from the page."""
        page = f"/subjects/{number}/randomize"
        self.fine(who, page, {"identity": "yes", "key": self.world.key()})
        return ask(self.world, who, "GET", page).text

    def date(self, who: Person, number: str, visit: str, on: str) -> None:
        """A visit took place."""
        self.fine(who, f"/subjects/{number}/visits", {"visit": visit, "on": on, "key": self.world.key()})

    def fine(self, who: Person, page: str, fields: dict[str, str]) -> Answer:
        """A form that must go through."""
        answer = ask(self.world, who, "POST", page, fields)
        assert answer.status == 302, (who.role, page, answer.status, answer.said())
        return answer

    def _send(self, who: Person, page: str, sent: dict) -> Answer:
        answer = ask(self.world, who, "POST", page, sent=sent, script=True)
        assert answer.status == 200, (who.role, page, answer.status, answer.said())
        return answer

    # --- the course ----------------------------------------------------------------------------------------------

    def eligible(self, who: Person, name: str) -> Iterator[str]:
        """A person on the way to being eligible; yields at each state. The number is the world's last."""
        number = self.screen(who, name)
        yield f"{number} screened"
        self.consent(who, number)
        yield f"{number} consented"
        for form, items in ENTRY.items():
            self.record(who, number, form, items, complete=form == "PSMRS")
        yield f"{number} assessed"
        self.confirm(self.world.person("investigator", who.site), number)
        yield f"{number} eligible"

    def course(self) -> Iterator[str]:
        """The whole trial."""
        self.come_in()
        yield "everybody signed in"
        yield from self._randomized()
        yield from self._failed()
        yield from Ward(self).doses()
        self.come_in(1)
        yield from self._questions()
        yield from self._visits()
        yield from Desks(self).course()
        yield from Doubles(self).course()
        yield from phones_set_up(self)
        yield from Diaries(self).course()
        yield from Ward(self).breaks()
        yield from Closing(self).course()
        yield from self._enrolment()
        yield from looked_after(self)
        yield from amended(self)
        yield from self._gate()

    def _randomized(self) -> Iterator[str]:
        site = ("01", "01", "01", "01", "01", "01", "02", "02")
        for place, where in enumerate(site):
            who = self.world.person(ENTERING[place % 2], where)
            yield from self.eligible(who, f"Person {place}")
            if place < 7:  # the last stays eligible
                self.randomize(who, self.world.numbers[-1])
                yield f"{self.world.numbers[-1]} randomized"
            if place == 3:
                self.world.desk.checkpoint()
                yield "checkpoint"

    def _failed(self) -> Iterator[str]:
        for place in range(6):
            who = self.world.person(ENTERING[place % 2], "01")
            number = self.screen(who, f"Other {place}")
            for turn in range(1 if place > 1 else 3):
                self.consent(who, number, first=turn == 0)
                self.withdraw(who, number)
            yield f"{number} withdrawn"
            self.fail(who, number)
            yield f"{number} failed"

    def _questions(self) -> Iterator[str]:
        numbers = [number for number in self.world.numbers if number.startswith("01")][:3]
        for number in numbers:
            for item, who in zip(("HTN", "DIAB"), ASKING, strict=True):
                self.raise_query(self.world.person(who), number, "RISK", item)
                self.raise_query(self.world.person(who), number, "PSMRS", "PSMRS", "/1")
            yield f"{number} asked"
            for place, form in enumerate(("RISK", "PSMRS")):
                self.about_queries(
                    self.world.person("rater"), number, form, "answer", "OPEN"
                ) if place else None
            self.about_queries(
                self.world.person(ENTERING[numbers.index(number) % 2], "01"), number, "RISK", "answer", "OPEN"
            )
            self.raise_query(self.world.person("monitor"), number, "STROKE", "ONSETDAT")
            self.about_queries(self.world.person("investigator", "01"), number, "STROKE", "answer", "OPEN")
            yield f"{number} answered"
            for form, who in (("RISK", ASKING[0]), ("PSMRS", ASKING[1])):
                self.about_queries(self.world.person(who), number, form, "close", "ANSWERED")
            yield f"{number} closed"

    def _visits(self) -> Iterator[str]:
        numbers = [number for number in self.world.numbers if number.startswith("01")][:6]
        self.world.clock.wait(days=1)  # every login has run out
        self.come_in(1)
        for place, number in enumerate(numbers):
            who = self.world.person(ENTERING[place % 3], "01")
            for visit, on in (("V1", "2026-06-01"), ("V2", "2026-06-02")):
                self.date(who, number, visit, on)
            yield f"{number} came"
        yield from self._missed(numbers[:3])
        for turn, value in enumerate("YNYN"):
            for place, role in enumerate(ENTERING):
                who, number = self.world.person(role, "01"), numbers[place]
                self.record(who, number, "RISK", {"HTN": value}, repeat="/1" if turn % 2 else "")
                self.record(who, number, "RISK", {"LIPID": value}, repeat="" if turn % 2 else "/1")
            yield f"risks written {turn}"
        self.world.desk.checkpoint()
        yield "second checkpoint"
        yield from self._lists(numbers)
        yield from self._laboratory(numbers)

    def _laboratory(self, numbers: list[str]) -> Iterator[str]:
        """Reference ranges come in; a value outside them is called significant and becomes an event."""
        for turn in range(3):
            for place, role in enumerate(("coordinator", "data_manager")):
                who = self.world.person(role, "01") if place == 0 else self.world.person(role)
                lines = f"test,unit,low,high,valid_from\nHGB,g/L,130,175,2026-0{turn + 1}-1{place}\n"
                fields = {"laboratory": "Lab", "text": lines, "key": self.world.key()}
                self.fine(who, "/sites/01/ranges", fields)
        yield "ranges recorded"
        for place, number in enumerate(numbers):
            who = self.world.person(ENTERING[place % 2], "01")
            self.record(who, number, "LBHEM", {"HEMDAT": "2026-06-01", "HGB": "100"})
            self.record(who, number, "LBHEM", {"HGBCS": "CS"})
            of = "V1/LBHEM/1/HGB"
            asked = ask(self.world, who, "GET", f"/subjects/{number}/events/new?of={of}")
            assert asked.status == 200, asked.said()
            event = {"of": of, "term": "Haemoglobin low", "start": "2026-06-01", "key": self.world.key()}
            self.fine(who, f"/subjects/{number}/events/new", event)
            table = {
                "v.1.VSDAT": "2026-06-01",
                "v.1.SYSBP": "120",
                "v.2.SYSBP": "ND",
                "key": self.world.key(),
            }
            self.fine(who, f"/subjects/{number}/grids/V2/INFVS", table)
            yield f"{number} event from a value"

    def _lists(self, numbers: list[str]) -> Iterator[str]:
        """Running lists: rows added, the list gone through, a row marked as entered in error and taken back."""
        for place, number in enumerate(numbers):
            who = self.world.person(ENTERING[place % 2], "01")
            page = f"/subjects/{number}/logs/CM"
            self.fine(
                who, f"/subjects/{number}/logs/MH", {"do": "none", "at": "V1:1", "key": self.world.key()}
            )
            self.record(who, number, "CM", {"CMTRT": "aspirin", "CMONGO": "Y"}, "LOG", repeat="/1")
            self.fine(who, page, {"do": "review", "at": "V1:1", "key": self.world.key()})
            self.fine(
                who, page, {"do": "void", "row": "LOG:1", "reason": "another's", "key": self.world.key()}
            )
            self.fine(
                who, page, {"do": "restore", "row": "LOG:1", "reason": "theirs", "key": self.world.key()}
            )
            self.fine(who, page, {"do": "review", "at": "V2:1", "key": self.world.key()})
            yield f"{number} lists gone through"

    def _missed(self, numbers: list[str]) -> Iterator[str]:
        """Visits that are missed, held after all, and taken back."""
        for number in numbers:
            for role, visit in (("coordinator", "V5"), ("investigator", "V6")):
                who, page = self.world.person(role, "01"), f"/subjects/{number}/visits"
                for do in ("miss", "reopen", "miss"):
                    given = {
                        "do": do,
                        "visit": visit,
                        "because": "TRAVEL",
                        "reason": "abroad",
                        "back": "visit",
                    }
                    self.fine(who, page, {**given, "key": self.world.key()})
                extra = {
                    "do": "date",
                    "visit": "UNS",
                    "on": "2026-06-02",
                    "mode": "phone",
                    "because": "SAFETY",
                }
                repeat = "1" if role == "coordinator" else "2"
                self.fine(who, page, {**extra, "repeat": repeat, "key": self.world.key()})
            yield f"{number} missed two visits"
        yield from self._deviations(numbers)

    def _deviations(self, numbers: list[str]) -> Iterator[str]:
        """Departures recorded by hand, explained, classed, settled, opened again and found to be none."""
        site, sponsor = ("coordinator", "investigator"), ("monitor", "data_manager")
        for number in numbers:
            page, made = f"/subjects/{number}/deviations", {}
            for role in (*site, *sponsor):
                who = self.world.person(role, "01") if role in site else self.world.person(role)
                given = {"do": "raise", "on": "2026-06-02", "visit": "V2", "text": f"seen by the {role}"}
                self.fine(who, page, {**given, "key": self.world.key()})
                made[role] = self._raised(number)[-1]
            for role, other in zip(site, sponsor, strict=True):
                who = self.world.person(role, "01")
                for name in (made[role], made[other]):
                    told = {"do": "explain", "deviation": name, "text": "was in a hurry", "action": "a list"}
                    self.fine(who, page, {**told, "key": self.world.key()})
                    self._act(other, page, "class", name, severity="MAJOR", important="yes")
                for do in ("close", "reopen", "close"):
                    self._act(other, page, do, made[role])
                self._act(other, page, "withdraw", made[other])
            yield f"{number} deviations settled"

    def _act(self, role: str, page: str, do: str, name: str, **more: str) -> None:
        given = {"do": do, "deviation": name, "text": "looked at", "key": self.world.key(), **more}
        self.fine(self.world.person(role), page, given)

    def _raised(self, number: str) -> list[str]:
        """The deviations of a participant that stand, in their order."""
        subject = self.world.desk.subject_id(number)
        with self.world.desk.reading() as reader:
            return [
                one.id for one in self.world.desk.standing_light(reader, subject).case.deviations.standing
            ]

    def _all_classed(self) -> None:
        """Every deviation that no person classed yet: the gate asks for it. A page of them at once, the others singly."""
        key = self.world.key()
        for role, acts in (("monitor", ("look",) * 3), ("data_manager", ("look", "look", "class"))):
            for do in acts:
                fields = {"do": do, "all": "yes", "severity": "MINOR", "key": key}
                answer = ask(self.world, self.world.person(role), "POST", "/deviations?severity=NONE", fields)
                assert answer.status == 200, answer.said()
        view = self.world.desk.study_deviations(
            self.world.desk.who(self.world.person("data_manager").actor, "data_manager"),
            Filters(severity="NONE"),
            size=None,
        )
        for line in view.lines:
            self._act(
                "data_manager", f"/subjects/{line.number}/deviations", "class", line.id, severity="MINOR"
            )

    def _enrolment(self) -> Iterator[str]:
        from equipoise.oversight.commands import ActivateSite, DeactivateSite, PauseEnrolment, ResumeEnrolment

        for turn in range(3):
            self.world.done("sponsor", PauseEnrolment(f"a look {turn}"))
            self.world.done("sponsor", DeactivateSite("02", "full"))
            yield f"enrolment paused {turn}"
            self.world.done("sponsor", ResumeEnrolment(f"looked {turn}"))
            self.world.done("sponsor", ActivateSite("02"))
            yield f"enrolment resumed {turn}"

    def _gate(self) -> Iterator[str]:
        """The final release: conditions, signatures, and each undone by a changed condition."""
        from equipoise.oversight.release import CONDITIONS

        self._all_classed()
        Closing(self).locked()
        yield "database locked for good"
        for turn in range(3):
            for condition, roles in CONDITIONS.items():
                for role in sorted(roles):
                    given = {
                        "condition": condition,
                        "met": "yes",
                        "reference": f"version {turn}",
                        "key": self.world.key(),
                    }
                    self.fine(self.world.person(role), "/release", given)
            for role in ("sponsor", "statistician"):
                signed = {"do": "sign", "digest": self._conditions(), "key": self.world.key()}
                self.fine(self.world.person(role), "/release", signed)
            yield f"release signed {turn}"

    def _conditions(self) -> str:
        """The digest that the page of the release shows."""
        with self.world.desk.reading() as reader:
            return self.world.desk.trial(reader).state.gate.digest()

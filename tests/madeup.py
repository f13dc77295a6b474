"""A made-up trial, entered through the desk: people from screening to the end, with everything that a report counts.

Nobody here exists. Every value is a command that a person may give, in the order of time, by a clock that is set; bags
come as the second door's statements come. The same seed gives the same courses. What was meant for each person is kept
in `Course`, so that a report can be counted by another way than its own.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from equipoise.access.commands import SYSTEM, Who
from equipoise.capture.commands import DateVisit, RecordForm
from equipoise.consent.commands import RecordCapacity, RecordConsent, WithdrawConsent
from equipoise.desk.clock import SetClock
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from equipoise.desk.identities import IdentityInput
from equipoise.desk.setup import add_person, create_store, fill_log, open_site, publish_allocation
from equipoise.eligibility.commands import ConfirmEligibility, FailScreening
from equipoise.ledger.entries import Datum
from equipoise.protocol.assessments import scale_of
from equipoise.protocol.study import Study
from equipoise.randomization.commands import Randomize
from equipoise.supply.commands import (
    CheckBag,
    EndInfusion,
    JudgeDosing,
    RecordBagRelease,
    RequestPreparation,
    StartInfusion,
)
from equipoise.words.problem import Problem

START = dt.datetime(2026, 2, 2, 1, tzinfo=dt.UTC)  # 9 o'clock in Shanghai
STAFF = {
    "crc": ("coordinator", "01"), "pi": ("investigator", "01"), "crc2": ("coordinator", "02"),
    "pi2": ("investigator", "02"), "rater": ("rater", "01"), "rater2": ("rater", "02"),
    "dm": ("data_manager", None), "stat": ("statistician", None), "spo": ("sponsor", None),
}  # fmt: skip
ANSWERED_NO = (
    "EPILEPSY", "DEMENTIA", "PARKINSN", "DEPRSEV", "OTHNEURO", "ICHCUR", "ICHHIST", "SEVCV", "SEVPULM",
)  # fmt: skip
FOLLOW_UP = (("V6", 28), ("V8", 89), ("V9", 179), ("V11", 364))
EVENTS = (
    ("Fall", 1, "NONE"), ("Pyrexia", 2, "INFUSION REACTION"), ("Urinary tract infection", 2, "NONE"),
    ("Constipation", 1, "NONE"), ("Pneumonia", 3, "SERIOUS INFECTION"), ("Shoulder pain", 2, "NONE"),
)  # fmt: skip


@dataclass
class Course:
    """What was meant for one person. `fma`: motor total by visit. `events`: term, grade, serious, day of onset."""

    name: str
    site: str
    number: str = ""
    failed: bool = False
    randomized: bool = False
    doses: int = 0
    ended: str = ""
    fma: dict[str, int] = field(default_factory=dict)
    events: list[tuple[str, int, bool, str]] = field(default_factory=list)


@dataclass
class MadeUp:
    """A desk, its clock, and the courses that were played on it."""

    desk: FrontDesk
    clock: SetClock
    study: Study
    draw: random.Random
    courses: list[Course] = field(default_factory=list)
    steps: int = 0

    def who(self, role: str, site: str) -> Who:
        actor = {"coordinator": "crc", "investigator": "pi", "rater": "rater"}[role] + (
            "2" if site == "02" else ""
        )
        found = self.desk.who(actor, role)
        assert found is not None
        return found

    def give(self, who: Who, command: object) -> None:
        self.steps += 1
        outcome = self.desk.submit(who, command, key=f"made up {self.steps}")
        assert outcome.accepted, (command, [one.say() for one in outcome.problems])

    def subject(self, number: str) -> str:
        found = self.desk.subject_id(number)
        assert found is not None
        return found

    @property
    def today(self) -> str:
        return (self.clock.at + dt.timedelta(hours=8)).date().isoformat()

    def record(
        self, who: Who, course: Course, visit: str, form: str, items: dict[str, Any], repeat: int = 1
    ) -> None:
        subject = self.subject(course.number)
        data = {name: one if isinstance(one, Datum) else Datum(str(one)) for name, one in items.items()}
        base = self.desk.form_seq(subject, visit, form, repeat)
        self.give(who, RecordForm(subject, visit, form, repeat, data, base, None, None))

    # --- one person ------------------------------------------------------------------------------------------------

    def course(self, course: Course, begins: dt.datetime) -> Iterator[tuple[dt.datetime, Callable[[], None]]]:
        """When what is done, in the order of time. The last steps depend on what the draw says."""
        draw, site = self.draw, course.site
        crc, pi = self.who("coordinator", site), self.who("investigator", site)
        yield begins, lambda: self._screen(course, crc, begins)
        if draw.random() < 0.25:
            course.failed = True
            subject = lambda: self.subject(course.number)  # noqa: E731
            yield (
                begins + dt.timedelta(days=2),
                lambda: self.give(pi, FailScreening(subject(), "not willing")),
            )
            return
        first = begins + dt.timedelta(days=8)
        yield begins + dt.timedelta(days=7), lambda: self._randomize(course, crc, pi)
        severe = draw.gauss(0, 1)
        base = int(min(max(40 + 18 * severe, 8), 88))
        gain, infused = max(draw.gauss(14, 9), -6), draw.random() > 0.06
        yield first, lambda: self._assess(course, crc, "V2", base)
        if infused:
            yield first + dt.timedelta(hours=1), lambda: self._dose(course, crc, pi, "D1", "V2")
        second = first + dt.timedelta(days=7, hours=1)
        if infused and draw.random() > 0.08:
            yield second, lambda: self._dose(course, crc, pi, "D2", "V4", stop=draw.random() < 0.1)
        ends = draw.choices(("", "DEATH", "WITHDRAWAL BY SUBJECT", "LOST TO FOLLOW-UP"), (82, 4, 9, 5))[0]
        at = draw.randrange(40, 330) if ends else 9999
        for count in range(draw.choice((0, 0, 1, 1, 2, 3))):
            day = draw.randrange(0, min(at, 200))
            event = draw.choice(EVENTS)
            when = first + dt.timedelta(days=day, hours=4 + count)
            yield when, lambda event=event: self._event(course, crc, event)
        for place, (visit, day) in enumerate(FOLLOW_UP, start=1):
            if day >= at:
                break
            if draw.random() < 0.05:
                continue
            when = first + dt.timedelta(days=day + draw.randrange(-2, 3), hours=2)
            total = int(min(max(base + gain * (1 - 0.45**place) + draw.gauss(0, 3), 4), 94))
            yield when, lambda visit=visit, total=total: self._assess(course, crc, visit, total)
        if ends:
            yield first + dt.timedelta(days=at, hours=3), lambda: self._end(course, crc, ends)
        else:
            yield first + dt.timedelta(days=367, hours=3), lambda: self._end(course, crc, "COMPLETED")

    def _screen(self, course: Course, crc: Who, begins: dt.datetime) -> None:
        self.steps += 1
        screened = self.desk.screen(
            crc,
            course.site,
            IdentityInput(course.name, "1962-03-07", "00000000000"),
            key=f"screen {self.steps}",
        )
        assert screened.number is not None, [one.say() for one in screened.outcome.problems]
        course.number, draw, day = screened.number, self.draw, self.today
        subject = self.subject(course.number)
        self.give(crc, RecordCapacity(subject, "HAS", day))
        self.give(crc, RecordConsent(subject, "1.0", "PARTICIPANT", given=True, on=day))
        self.give(crc, DateVisit(subject, "V1", day))
        born = dt.date(1956 + draw.randrange(0, 30), 1 + draw.randrange(12), 1 + draw.randrange(28))
        onset = (begins - dt.timedelta(days=draw.randrange(16, 70))).date()
        forms: dict[str, dict[str, Any]] = {
            "DM": {"BRTHDAT": born, "SEX": draw.choice("MMF"), "RACE": "ASIAN",
                   "EDLEVEL": draw.choice(("PRIMARY", "SECONDARY", "SECONDARY", "TERTIARY")), "HANDED": "RIGHT"},
            "STROKE": {"ONSETDAT": onset, "STRKTYPE": "ISCHEMIC", "CIRCUL": "ANTERIOR",
                       "LESNSIDE": draw.choice(("LEFT", "RIGHT")), "TOAST": draw.choice(("LAA", "LAA", "CE", "SAO")),
                       "IVT": draw.choice("YN"), "EVT": draw.choice("NNY")},
            "RISK": {"HTN": draw.choice("YYN"), "DIAB": draw.choice("YNN"), "AFIB": draw.choice("YNNN")},
            "PSMRS": {"PSMRS": 0},
            "EXCHK": dict.fromkeys(ANSWERED_NO, "N"),
            "NIHSS": {"NIHSSDAT": day, **self.nihss(draw.randrange(6, 20))},
        }  # fmt: skip
        for form, items in forms.items():
            self.record(crc, course, "V1", form, items)
        self.laboratory(crc, course, "V1")

    def _randomize(self, course: Course, crc: Who, pi: Who) -> None:
        subject = self.subject(course.number)
        self.give(pi, ConfirmEligibility(subject))
        self.give(crc, Randomize(subject))
        course.randomized = True

    def _assess(self, course: Course, crc: Who, visit: str, total: int) -> None:
        subject, day = self.subject(course.number), self.today
        self.give(crc, DateVisit(subject, visit, day))
        rater = self.who("rater", course.site)
        fma = self.fugl_meyer(total)
        course.fma[visit] = sum(int(value) for name, value in fma.items() if name[:2] in {"UE", "LE"})
        severe = max(0, min(5, round((100 - total) / 20)))
        scores: dict[str, dict[str, Any]] = {
            "FMA": {"FMADAT": day, **fma},
            "MRS": {"MRSDAT": day, "1": max(0, min(5, severe + self.draw.choice((-1, 0, 0, 1))))},
            "NIHSS": {"NIHSSDAT": day, **self.nihss(2 + severe * 3)},
            "BI": {"BIDAT": day, **self.scaled("BI", total / 100)},
            "MMSE": {"MMSEDAT": day, **self.scaled("MMSE", 0.85)},
        }
        planned = {form.id for form in self.study.forms_at(visit)}
        for form, items in scores.items():
            if form in planned:
                self.record(rater, course, visit, form, items)
        self.laboratory(crc, course, visit)

    def _dose(self, course: Course, crc: Who, pi: Who, dose: str, visit: str, *, stop: bool = False) -> None:
        subject, day = self.subject(course.number), self.today
        if visit != "V2":
            self.give(crc, DateVisit(subject, visit, day))
        told = {"RELDAT": day, "RELTEMP": "36.8", "RELINF": "N", "RELICH": "N", "RELPREG": "N"}
        self.record(crc, course, visit, "DOSREL", told)
        self.give(crc, RequestPreparation(subject, dose, self._clock(60), "70.5"))
        request = self._request(course, crc, dose)
        bag = str(4000 + self.steps)
        self.give(SYSTEM, RecordBagRelease(subject, request, bag, self._clock(110), 1, "00"))
        bedside = {"BEDDAT": day, "BEDTIM": "10:00", "BEDTEMP": "36.9", "BEDINF": "N", "BEDNEURO": "N"}
        self.record(crc, course, visit, "DOSBED", bedside)
        self.give(crc, JudgeDosing(subject, request, "BEDSIDE"))
        self.give(crc, CheckBag(subject, request, bag, course.number, pi.actor))
        self.give(crc, StartInfusion(subject, request, bag, self._clock()))
        began = self.clock.at
        self.clock.at += dt.timedelta(minutes=45)
        share = "60" if stop else "100"
        ended = EndInfusion(
            subject,
            request,
            self._clock(),
            "STOPPED" if stop else "COMPLETE",
            share,
            "chills" if stop else "",
        )
        self.give(crc, ended)
        self.clock.at = began
        course.doses += 1
        volume = 60 if stop else 100
        given: dict[str, Any] = {"INFPLAN": 100, "INFVOL": volume, "INFREACT": "N"}
        self.clock.at += dt.timedelta(minutes=46)
        self.record(crc, course, visit, "INF", given)

    def _request(self, course: Course, crc: Who, dose: str) -> str:
        page = self.desk.infusions(crc, course.number)
        assert page is not None
        return next(one for one in page.doses if one.id == dose).requests[-1].request

    def _event(self, course: Course, crc: Who, event: tuple[str, int, str]) -> None:
        term, grade, special = event
        serious = grade >= 3
        course.events.append((term, grade, serious, self.today))
        items: dict[str, Any] = {
            "AETERM": term, "AESTDAT": self.today, "AEONGO": "Y", "AETOXGR": grade,
            "AEREL": self.draw.choice(("NOT RELATED", "POSSIBLY RELATED")), "AEACN": "DOSE NOT CHANGED",
            "AEOUT": "RECOVERED/RESOLVED" if not serious else "RECOVERING/RESOLVING", "AESER": "Y" if serious else "N",
        }  # fmt: skip
        if special != "NONE":
            items["AESI"] = special
        if serious:
            items |= {"AESHOSP": "Y", "AEAWDAT": self.today, "AEAWTIM": "10:00"}
        self.record(crc, course, "LOG", "AE", items, len(course.events))

    def _end(self, course: Course, crc: Who, how: str) -> None:
        subject, day = self.subject(course.number), self.today
        course.ended = how
        if how == "WITHDRAWAL BY SUBJECT":
            self.give(crc, WithdrawConsent(subject, "PARTICIPANT", day))
        visit = "V11" if how == "COMPLETED" else "UNS"
        if visit == "UNS":
            self.give(crc, DateVisit(subject, visit, day))
        items = {"DSDECOD": how, "DSSTDAT": day}
        if how == "DEATH":
            items |= {"DTHDAT": day, "DTHCAUS": "Pneumonia", "DTHAUTP": "N"}
        self.record(crc, course, visit, "DS", items)

    def _clock(self, minutes: float = 0) -> str:
        return (self.clock.at + dt.timedelta(minutes=minutes)).isoformat()

    # --- answers ---------------------------------------------------------------------------------------------------

    def nihss(self, total: int) -> dict[str, int]:
        """Answers of that total, arm and leg first; the right limbs stay free."""
        plan = {"5b": 4, "6b": 4, "4": 3, "9": 3, "10": 2, "8": 2, "11": 2}
        found = dict.fromkeys(
            ("1a", "1b", "1c", "2", "3", "4", "5a", "5b", "6a", "6b", "7", "8", "9", "10", "11"), 0
        )
        left = total
        while left > 0:
            open_ = [name for name, most in plan.items() if found[name] < most]
            if not open_:
                break
            name = open_[left % len(open_)] if found["5b"] >= 2 else "5b"
            found[name] += 1
            left -= 1
        return found

    def fugl_meyer(self, total: int) -> dict[str, int]:
        """Motor items of about that total; reflexes that open an item stay as they are."""
        items = [one for one in scale_of(self.study.form("FMA")).items if one.id[:2] in {"UE", "LE", "SE"}]  # type: ignore[union-attr,arg-type]
        found = {one.id: 0 for one in items}
        motor = [one for one in items if one.id[:2] != "SE" and one.id not in {"UE18", "LE14"}]
        order, left = sorted(motor, key=lambda one: one.id), total
        for step in (1, 2):
            for one in order:
                if left <= 0:
                    break
                if step in one.scores or (step == 2 and found[one.id] == 0):
                    gain = 2 if 1 not in one.scores else 1
                    found[one.id] += gain if found[one.id] + gain <= one.maximum else 0
                    left -= gain
        for one in items:
            if one.id[:2] == "SE":
                found[one.id] = self.draw.choice((1, 2, 2))
        return found

    def scaled(self, form: str, share: float) -> dict[str, int]:
        """Every item at about that share of what it can be; one group of each alternative."""
        scale = scale_of(self.study.form(form))  # type: ignore[arg-type]
        assert scale is not None
        left_out = {
            name
            for one in scale.alternatives
            for group, names in one.groups.items()
            if group != one.counted
            for name in names
        }
        found = {}
        for one in scale.items:
            if one.id in left_out or one.optional:
                continue
            near = min(max(share + self.draw.gauss(0, 0.15), 0), 1)
            found[one.id] = min(one.scores, key=lambda score: abs(score - near * one.maximum))
        return found

    def laboratory(self, crc: Who, course: Course, visit: str) -> None:
        draw = self.draw
        chemistry = {
            "CHEMDAT": self.today, "ALT": round(abs(draw.gauss(28, 16)), 1), "AST": round(abs(draw.gauss(26, 12)), 1),
            "BILI": round(abs(draw.gauss(11, 4)) + 2, 1), "CREAT": round(abs(draw.gauss(75, 16)) + 20, 1),
        }  # fmt: skip
        planned = {form.id for form in self.study.forms_at(visit)}
        if "LBCHEM" not in planned:
            return
        self.record(crc, course, visit, "LBCHEM", chemistry)
        blood = {
            "HEMDAT": self.today,
            "WBC": round(abs(draw.gauss(6.5, 1.8)) + 1, 2),
            "HGB": int(draw.gauss(140, 14)),
        }
        self.record(crc, course, visit, "LBHEM", blood)


def make_madeup(folder: Path, study: Study, *, randomized: int, seed: int = 1, months: int = 6) -> MadeUp:
    """A store at `folder`/first with its list at `folder`/public, and people played until so many are randomized."""
    from rooms.vault.two_doors import write_list

    write_list(study, folder)
    clock = SetClock(START)
    desk = create_store(folder / "first", study, "rehearsal", clock=clock)
    assert not isinstance(desk, tuple), [one.say() for one in desk]
    problems = [*open_site(desk, "01", "EC-1", "2025-12-01"), *open_site(desk, "02", "EC-2", "2025-12-01")]
    for actor, (role, site) in STAFF.items():
        problems += add_person(desk, actor, actor.upper(), role, site)
    problems += [*fill_log(desk), *publish_allocation(desk, folder / "public")]
    assert problems == []
    desk.close()
    opened = open_desk(folder / "first", kind=FrontDesk, clock=clock)
    assert not isinstance(opened, Problem), opened.say()
    made = MadeUp(opened, clock, study, random.Random(seed))
    plan: list[tuple[dt.datetime, int, Callable[[], None]]] = []
    while sum(not one.failed for one in made.courses) < randomized:
        count = len(made.courses)
        course = Course(f"Person {count}", "01" if count % 3 else "02")
        # Days apart, so that the first three are not dosed within 24 hours of each other.
        begins = START + dt.timedelta(
            days=2 * count if count < 8 else 16 + count * months * 30 // max(randomized, 1) // 2
        )
        plan += [
            (at, len(plan), step)
            for at, step in made.course(course, begins + dt.timedelta(minutes=7 * count))
        ]
        made.courses.append(course)
    for at, _, step in sorted(plan, key=lambda one: one[:2]):
        clock.at = max(clock.at, at)
        step()
    return made


def released(made: MadeUp, folder: Path) -> Path:
    """Publish the list of `make_madeup` as the second door does, with its signature; the file of the final release."""
    import hashlib

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from equipoise.channel.codec import statement_bytes
    from equipoise.ledger.entries import SlotTaken, SubjectRandomized
    from equipoise.oversight.commands import EnrolSecondDoor, RecordListRelease
    from equipoise.protocol.digest import study_digest
    from equipoise.randomization.draws import combined
    from equipoise.vault.holding import Terms, hold, read_seeds
    from equipoise.vault.lists import make_list
    from equipoise.vault.release_file import Dispensed, release_content
    from equipoise.words.canonical import canonical_bytes

    held = hold(made.study, {"rehearsal": b"a seed for tests, known to all"}, Terms(rehearsal=True))
    assert not isinstance(held, Problem)
    seeds = read_seeds(held.vault["seeds.json"], bytes.fromhex(held.vault["vault.key"].decode()))
    assert not isinstance(seeds, Problem)
    seed = combined([seeds[name] for name in sorted(seeds)], held.made.public_value)
    listed = make_list(made.study, study_digest(made.study), seed)
    assert not isinstance(listed, Problem)
    arms = {slot.number: listed.arms[slot.content.arm] for slots in listed.slots.values() for slot in slots}
    with made.desk.reading() as reader:
        taken = [one.entry for one in reader.entries("allocation") if isinstance(one.entry, SlotTaken)]
        strata = {
            one.header.stream.removeprefix("subject/"): one.entry.stratum
            for one in reader.of_kind("SubjectRandomized")
            if isinstance(one.entry, SubjectRandomized)
        }
        dosed = {one.header.stream.removeprefix("subject/") for one in reader.of_kind("InfusionStarted")}
    given = [
        Dispensed(
            one.number, one.subject, strata[one.subject], arms[one.number] if one.subject in dosed else ""
        )
        for one in taken
    ]
    content = release_content(made.study, held.made, listed.public(), seeds, given)
    assert isinstance(content, bytes), content
    file = folder / "release.json"
    file.write_bytes(content)
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"the second door of a test").digest())
    root, release = held.made.root, hashlib.sha256(content).hexdigest()
    said = statement_bytes(1, "ListReleased", canonical_bytes({"root": root, "release": release}).decode())
    made.give(SYSTEM, EnrolSecondDoor(key.public_key().public_bytes_raw().hex()))
    made.give(SYSTEM, RecordListRelease(root, release, 1, key.sign(said).hex()))
    return file

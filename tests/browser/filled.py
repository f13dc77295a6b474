"""The demonstration, and beside it what its people have not done yet: specimens under way, images with readers, scans,
requests for a code, somebody who keeps the accounts. So every page has something to show.
"""

from __future__ import annotations

import datetime as dt
import random
import secrets
import shutil
from pathlib import Path

from equipoise.access.commands import Who
from equipoise.capture.closing.commands import RecordLockCondition
from equipoise.capture.commands import RecordForm
from equipoise.capture.evolve import Place
from equipoise.capture.imaging.commands import OpenReading, OrderImaging, RecordImaging, ReferenceImages
from equipoise.capture.specimens.commands import CollectSpecimen, MakeAliquots, SendShipment
from equipoise.desk import devices
from equipoise.desk.desk import open_desk
from equipoise.desk.diary_intake import take
from equipoise.desk.followers import QUERIES
from equipoise.desk.front import FrontDesk
from equipoise.desk.phones import Invited
from equipoise.diary.commands import PARTICIPANT
from equipoise.ledger.entries import Datum, SeriesSeen
from equipoise.oversight.commands import RecordRanges
from equipoise.randomization.commands import RequestCodeBreak
from equipoise.simulation.phone import Phone
from equipoise.words.ids import random_id
from equipoise.words.problem import Problem

NUMBER = "01001"
SITE = "01"
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


class Filling:
    """Commands by the demonstration's people, which must be taken."""

    def __init__(self, desk: FrontDesk) -> None:
        self.desk = desk
        self.given = 0

    def who(self, role: str) -> Who:
        persona = next(one for one in self.desk.personas() if one.role == role)
        who = self.desk.who(persona.user, role)
        assert who is not None
        return who

    def key(self) -> str:
        self.given += 1
        return f"filling {self.given}"

    def done(self, role: str, command: object) -> None:
        outcome = self.desk.submit(self.who(role), command, key=self.key())
        assert outcome.accepted, [one.say() for one in outcome.problems]


def fill(made: Path, folder: Path) -> dict[str, str]:
    """Copy a demonstration into a folder and fill the copy; what stands in addresses, by a name."""
    shutil.copytree(made, folder)
    desk = open_desk(folder, kind=FrontDesk)
    assert not isinstance(desk, Problem), desk.say()
    filling = Filling(desk)
    names = {
        **_specimens(filling),
        **_images(filling),
        **_codes(filling),
        **_scan(filling),
        **_query(filling),
        **_diary(filling),
    }
    filling.done("data_manager", RecordLockCondition("NOTHING_UNSENT", met=True, reference="2026-11"))
    desk.close()
    return names


def _subject(filling: Filling) -> str:
    found = filling.desk.subject_id(NUMBER)
    assert found is not None
    return found


def _specimens(filling: Filling) -> dict[str, str]:
    """A tube of which two aliquots are under way, and one that stays."""
    subject, desk = _subject(filling), filling.desk
    now = desk.now()
    drawn, sent = (f"{(now - dt.timedelta(hours=hours)):%Y-%m-%dT%H:%M:00Z}" for hours in (6, 1))
    filling.done("coordinator", CollectSpecimen(subject, "IMMWB", "V2", drawn, "U"))
    view = desk.specimens(filling.who("coordinator"), NUMBER)
    tube = next(row.tube.specimen for row in view.rows if row.tube is not None)
    filling.done("coordinator", MakeAliquots(subject, tube, 3, "1", "ROOM"))
    shipment = random_id(secrets.token_bytes)
    aliquots = (f"{tube}-01", f"{tube}-02")
    filling.done("coordinator", SendShipment(SITE, shipment, "CENTRAL", aliquots, sent, "ROOM", "SF-1"))
    return {"specimen": tube, "shipment": shipment}


def _diary(filling: Filling) -> dict[str, str]:
    """A phone of the participant, an entry with a red flag, and a request that it be changed."""
    subject, desk = _subject(filling), filling.desk
    invited = devices.invite(desk, filling.who("coordinator"), subject, PARTICIPANT, key=filling.key())
    assert isinstance(invited, Invited), invited
    made = devices.enrol(desk, invited.code, invited.pin)
    assert isinstance(made, devices.Enrolled), made
    phone = Phone(desk.now, random.Random(1))
    phone.set_up(made)
    phone.begin("FALL", None)
    phone.answer("EVWHEN", "NOW")
    phone.answer("EVHURT", "Y")
    entry = phone.submit()
    phone.ask(entry, "是昨天跌倒的。")
    assert phone.sync(lambda packets: take(desk, list(packets)))
    assert phone.told[entry] == "HOSPITAL", phone.told
    with desk.reading() as reader:
        day_one = desk.standing_light(reader, subject).facts.day_one
    assert day_one is not None
    return {"diary_entry": entry, "diary_day": day_one.isoformat()}


def _images(filling: Filling) -> dict[str, str]:
    """Images with two readers."""
    subject, desk, day = _subject(filling), filling.desk, filling.desk.now().date()
    due = [(day + dt.timedelta(days=days)).isoformat() for days in (-9, 9)]
    filling.done("coordinator", OrderImaging(subject, "BRAIN", "V1", *due))
    with desk.reading() as reader:
        order = next(iter(desk.standing_light(reader, subject).case.imaging.orders))
    filling.done("coordinator", RecordImaging(subject, order, day.isoformat(), "GOOD", "3 T"))
    series = (SeriesSeen("1.2.826.0.1.99.2", "MR", 2),)
    filling.done("coordinator", ReferenceImages(subject, order, "1.2.826.0.1.99.1", series))
    first, second = (one.user for one in desk.personas() if one.role == "reader")
    filling.done("data_manager", OpenReading(subject, order, first, second))
    view = desk.reads(filling.who("reader"))
    return {"read": view[0].read}


def _codes(filling: Filling) -> dict[str, str]:
    """A request for a code, and a drill."""
    who, names = filling.who("investigator"), {}
    for name, subject, drill in (("asked", _subject(filling), False), ("drilled", f"drill-{SITE}", True)):
        names[name] = random_id(secrets.token_bytes)
        command = RequestCodeBreak(
            subject, names[name], "EMERGENCY", urgent=True, to="SELF", reason="出血", third_person="", drill=drill,
            site=SITE if drill else "",
        )  # fmt: skip
        outcome = filling.desk.ask_for_code(who, command, key=filling.key())
        assert outcome.accepted, [one.say() for one in outcome.problems]
    return names


def _scan(filling: Filling) -> dict[str, str]:
    place = Place("V1", "DM", 1)
    outcome = filling.desk.attach(
        filling.who("coordinator"), NUMBER, place, "出院小结.pdf", PDF, key=filling.key()
    )
    assert outcome.accepted, [one.say() for one in outcome.problems]
    return {}


def _query(filling: Filling) -> dict[str, str]:
    """A pressure outside 80 to 220 (forms of the study), which raises a query, and a value called significant."""
    subject, desk = _subject(filling), filling.desk
    filling.done("coordinator", RecordForm(subject, "V3", "VS", 1, {"SYSBP": Datum("75")}, 0))
    day = desk.now().date().isoformat()
    filling.done(
        "coordinator",
        RecordRanges(SITE, "检验科", "test,unit,low,high,valid_from\nHGB,g/L,140,160,2026-01-01\n"),
    )
    for items in ({"HEMDAT": Datum(day), "HGB": Datum("120")}, {"HGBCS": Datum("CS")}):
        base = desk.form_seq(subject, "V1", "LBHEM", 1)
        filling.done("coordinator", RecordForm(subject, "V1", "LBHEM", 1, items, base))
    with desk.reading() as reader:
        (row,) = reader.rows.find(QUERIES, {"site": SITE}, order=("raised_at",))
    person = next(one.user for one in desk.personas() if one.role == "coordinator")
    return {"query": str(row["query"]), "person": person}

"""The diary after a month without a network: phones send thirty entries each, beside plain saves of a form.

One sending is one commit: opened, judged by its windows, sealed anew under the participant's key, on disk, and answered
with a receipt for each entry. The plain saves go through the same desk, in the same run, so that the two compare.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

from bench.planted import plant
from bench.rounds import Action, Round, run_round
from bench.table import Row, row_of
from equipoise.capture.commands import RecordForm
from equipoise.desk.clock import SetClock
from equipoise.desk.desk import Desk, open_desk
from equipoise.desk.devices import enrol, invite
from equipoise.desk.diary_intake import take
from equipoise.desk.phones import Invited
from equipoise.desk.setup import add_person, create_store, fill_log, open_site
from equipoise.ledger.entries import Datum
from equipoise.protocol.digest import study_digest
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.simulation.phone import Phone
from equipoise.words.problem import Problem

STUDY = Path(__file__).resolve().parent.parent / "studies/nct07197606"
BEGAN = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
PHONES, QUEUED, SENDERS = 1000, 30, 8
ANSWERS = {"WARN": "NONE", "STRENGTH": "SAME", "SPEAK": "EASY", "SEE": "N", "HEADACHE": "2", "SLEEP": "7", "TIRED": "4",
           "EAT": "ALONE", "WASH": "HELP", "DRESS": "HELP", "WALK": "ALONE", "HAND": "2", "OUTDOOR": "Y", "FELL": "N",
           "REHABMED": "NEURO", "THINNER": "ALL", "AIDS": "CANE AFO"}  # fmt: skip


class Still(SetClock):
    """A clock that stands where it is put."""

    def __call__(self) -> dt.datetime:
        """The time it was put to."""
        return self.at


def _desk(folder: Path, study: Study, clock: Still) -> Desk:
    made = create_store(folder, study, "rehearsal", clock=clock)
    if isinstance(made, tuple):
        raise RuntimeError(made[0].say())
    problems = [
        *open_site(made, "01", "EC-1", "2025-12-01"),
        *add_person(made, "crc", "CRC", "coordinator", "01"),
    ]
    problems += [*add_person(made, "pi", "PI", "investigator", "01"), *fill_log(made)]
    made.close()
    opened = open_desk(folder, clock=clock)
    if problems or isinstance(opened, Problem):
        raise RuntimeError(str(problems or opened))
    return opened


def _phone(desk: Desk, clock: Still, subject: str, number: int) -> Phone:
    """A phone that was set up on day 1, and has kept the diary for 28 days without a network."""
    crc = desk.who("crc", "coordinator")
    invited = invite(desk, crc, subject, "PARTICIPANT", key=f"phone {number}") if crc is not None else ()
    given = enrol(desk, invited.code, invited.pin) if isinstance(invited, Invited) else None
    if given is None or isinstance(given, Problem):
        raise RuntimeError("no phone was set up")
    phone = Phone(clock, random.Random(number))
    phone.set_up(given)
    phone.sync(lambda packets: take(desk, packets))
    return phone


def _month(phone: Phone, clock: Still, queued: int) -> None:
    """Entries of as many evenings as there are daily ones, then entries for events."""
    for day in range(queued):
        clock.at = BEGAN + dt.timedelta(days=min(day, 27), hours=10)
        period = (BEGAN.date() + dt.timedelta(days=day)).isoformat() if day < 28 else None
        phone.begin("DAILY" if period else "NEWDEVICE", period)
        for item, value in ANSWERS.items() if period else (("EVAID", "CANE"),):
            phone.answer(item, value)
        phone.submit(offline=True)


def _sender(desk: Desk, phones: SimpleQueue[Phone], queued: int) -> Action:
    def once() -> None:
        phone = phones.get()
        if not phone.sync(lambda packets: take(desk, packets)):
            raise RuntimeError("no answer")
        if phone.storage.queue or list(phone.told.values()) != ["HOSPITAL"] * queued:
            raise RuntimeError(f"not everything is at the hospital: {set(phone.told.values())}")

    return once


def _saver(desk: Desk, subject: str) -> Action:
    """What somebody who enters a form does again and again."""
    who, numbers = desk.who("crc", "coordinator"), itertools.count()

    def once() -> None:
        number = next(numbers)
        base = desk.form_seq(subject, "V1", "RISK", 1)
        items = {"HTN": Datum("YN"[number % 2])}
        save = RecordForm(subject, "V1", "RISK", 1, items, base, None, None)
        done = desk.submit(who, save, key=f"{subject} {number}") if who is not None else None
        if done is None or not done.accepted:
            raise RuntimeError(done.problems[0].say() if done is not None else "nobody saves")

    return once


def diary_rows(
    folder: Path, *, seconds: float, phones: int = PHONES, queued: int = QUEUED, senders: int = SENDERS
) -> Iterator[Row]:
    """Entries per second when phones come back from a month without a network, and plain saves beside them."""
    study = load_study(STUDY)
    if not isinstance(study, Study):
        raise RuntimeError(study[0].say())
    clock, digest = Still(BEGAN), study_digest(study)
    desk = _desk(folder, study, clock)
    try:
        subjects = [plant(desk, study, digest, number, BEGAN) for number in range(phones)]
        waiting: SimpleQueue[Phone] = SimpleQueue()
        for number, subject in enumerate(subjects):
            clock.at = BEGAN
            phone = _phone(desk, clock, subject, number)
            _month(phone, clock, queued)
            waiting.put(phone)
        clock.at = BEGAN + dt.timedelta(days=60)
        sent = run_round(
            lambda _: _sender(desk, waiting, queued),
            workers=senders,
            seconds=600,
            actions_max=phones // senders,
        )
        saved = run_round(lambda worker: _saver(desk, subjects[worker]), workers=senders, seconds=seconds)
    finally:
        desk.close()
    told = f"{phones:,} phones with {queued} entries each, {senders} at once"
    each = replace_rate(row_of("diary: a phone sends its queue", told, "phones", sent), sent, queued)
    yield replace(each, note=f"{each.note}; {_ratio(sent, saved, queued)}")
    yield row_of("save a form, same desk", f"{senders} at once", "saves", saved)


def replace_rate(row: Row, sent: Round, queued: int) -> Row:
    """The row with its rate in entries."""
    return replace(row, rate=f"{sent.rate * queued:,.0f} entries/s")


def _ratio(sent: Round, saved: Round, queued: int) -> str:
    return f"{sent.rate * queued / saved.rate:.1f} entries for one plain save" if saved.rate else "no saves"

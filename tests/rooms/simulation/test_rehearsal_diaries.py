"""The diary of a rehearsal: phones at home, in sealed packets, with what people do to them.

Counts are those of the study's own cadence: a daily entry from day 1 to day 28, then one each week (diary.yaml).
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from diarists import BEGAN, make_diarists
from equipoise.desk.diary_standing import told_of
from equipoise.desk.diary_waiting import WAITING
from equipoise.diary.evolve import kinds, side_of
from equipoise.ledger.entries import Datum, DiaryFlagHandled, DiaryReviewed
from equipoise.protocol.load import load_study
from equipoise.simulation.people import DiaryEntry
from equipoise.simulation.rehearsal.case import Case
from equipoise.simulation.rehearsal.chance import Chance
from equipoise.simulation.rehearsal.diaries import Diaries
from equipoise.simulation.rehearsal.staff import DiaryContacts, Phones, load_staff
from equipoise.simulation.rehearsal.stage import Stage

ROOT = Path(__file__).resolve().parents[3]
STUDY = load_study(ROOT / "studies/nct07197606")
DAY_ONE = BEGAN.date()
DAILY = 28
"""Entries of the first four weeks: one a day (diary.yaml, DAILY)."""


class AtHome:
    """A person who fills in every day, and falls on study day 10."""

    site = "01"

    def __init__(self, reporter="PARTICIPANT", *, made=True):
        self.reporter, self.made = reporter, made

    def diary(self, form, day, at):
        if not self.made:
            return None
        answers = {"EVWHEN": Datum("TODAY")} if form == "FALL" else {"SLEEP": Datum("7")}
        return DiaryEntry(self.reporter, answers, tuple(answers))

    def begins(self, form, day, at):
        return form == "FALL" and day == DAY_ONE + dt.timedelta(days=9)


class Trial:
    """A stage with one participant, randomized on study day 1."""

    def __init__(self, folder, person, diary=None, **rates):
        self.world = make_diarists(folder / "store", STUDY)
        caregiver = person.reporter == "CAREGIVER"
        staff = load_staff(ROOT / "studies/nct07197606", STUDY)
        told = {"phones": Phones(**rates), "diary": DiaryContacts(**(diary or {}))}
        staff = staff.model_copy(update={"rates": staff.rates.model_copy(update=told)})
        actors = {one.id: "crc" for one in staff.people if (one.role, one.site) == ("coordinator", "01")}
        self.stage = Stage(STUDY, self.world.desk, self.world.clock, None, None, staff, actors, Chance(1))
        self.case = Case(0, person, "王建国", DAY_ONE, self.world.plant(), "01001", randomized=DAY_ONE)
        self.diaries = Diaries(self.stage)
        self.diaries.begin(self.case)
        self.caregiver = caregiver

    def play(self, days):
        """Play what is due up to the end of a study day."""
        last = BEGAN + dt.timedelta(days=days)
        while self.stage.agenda.waiting and self.stage.agenda.waiting[0][0] < last:
            at, deed = self.stage.agenda.next()
            self.stage.clock.at = max(self.stage.clock.at, at)
            deed()
        self.stage.clock.at = max(self.stage.clock.at, last)

    def entries(self):
        """Entries in the ledger that count, in the order of their periods."""
        return [one.entry for one in self.world.diary(self.case.subject).made.values()]

    @property
    def counts(self):
        return self.stage.tally.counts


@pytest.fixture
def trial(tmp_path):
    made = []

    def make(person, **rates):
        made.append(Trial(tmp_path / str(len(made)), person, **rates))
        return made[-1]

    yield make
    for one in made:
        one.world.desk.close()


def test_every_evening_has_its_entry_and_a_fall_one_of_its_own(trial):
    played = trial(AtHome())
    played.play(DAILY + 14)
    entries = played.entries()
    periods = [one.period for one in entries if one.form == "DAILY"]
    assert periods == [(DAY_ONE + dt.timedelta(days=ahead)).isoformat() for ahead in range(DAILY)]
    assert sum(one.form == "WEEKLY" for one in entries) == 2  # the weeks of days 29 to 35 and 36 to 42
    assert [one.period for one in entries if one.form == "FALL"] == [None]
    assert {side_of(one.reporter) for one in entries} == {"PARTICIPANT"}
    assert played.counts["diary entries at the hospital"] == played.counts["diary entries"] == len(entries)


def test_a_phone_out_of_reach_for_a_week_loses_nothing(trial):
    played = trial(AtHome(), offline=1.0, offline_days=(7, 7))
    played.play(6)
    assert len(played.entries()) == 1  # that of the first evening, after which the phone is out of reach
    assert played.counts["diary entries"] == 6
    played.play(DAILY)
    assert 1 < len(played.entries()) < DAILY
    played.case.over = True
    played.diaries.settle([played.case])
    kept = played.entries()  # made in time, sent late: they count (decision 0034)
    assert len(kept) == played.counts["diary entries"] == DAILY + 1
    assert played.counts["phones offline for days"] > 1


def test_what_a_lost_phone_held_is_lost_and_counted(trial):
    played = trial(AtHome(), lost=1.0, late=1.0)
    played.play(400)
    played.case.over = True
    played.diaries.settle([played.case])
    lost = played.counts["diary entries lost with a phone"]
    assert played.counts["phones lost"] >= 1
    assert played.counts["phones set up"] == played.counts["phones lost"] + 1
    assert lost > 0
    assert len(played.entries()) == played.counts["diary entries"] - lost


def test_a_caregiver_who_answers_agrees_first_and_has_a_phone_from_the_next_day_on(trial):
    played = trial(AtHome("CAREGIVER"))
    played.play(5)
    with played.world.desk.reading() as reader:
        standing = played.world.desk.standing_light(reader, played.case.subject)
    assert len(standing.facts.caregivers) == 1
    entries = played.entries()
    assert {side_of(one.reporter) for one in entries} == {"CAREGIVER"}
    assert [one.period for one in entries] == [
        (DAY_ONE + dt.timedelta(days=ahead)).isoformat() for ahead in range(1, 5)
    ]
    assert played.counts["diary entries without a phone"] == 1  # that of the first evening


def test_nobody_who_takes_no_phone_or_makes_no_entry_has_one(trial):
    without = trial(AtHome(), none=1.0)
    without.play(5)
    assert without.entries() == []
    assert without.counts["participants without a phone"] == 1
    idle = trial(AtHome(made=False))
    idle.play(5)
    assert idle.entries() == []
    assert idle.counts["diary entries not made"] == 5


class Feverish(AtHome):
    """A person who reports a fever in every daily entry: a red flag (diary.yaml, WARN)."""

    def diary(self, form, day, at):
        made = super().diary(form, day, at)
        if form != "DAILY":
            return made
        return DiaryEntry(self.reporter, {"WARN": Datum("FEVER")}, ("WARN",))


def waiting(played):
    """Red flags and calls for help that wait for somebody of the site."""
    with played.world.desk.reading() as reader:
        return [row["state"] for row in reader.rows.find(WAITING, {"subject": played.case.subject})]


def told(played):
    """What the site said of periods without an entry."""
    return told_of(played.world.diary(played.case.subject), "PARTICIPANT")


def test_a_coordinator_answers_red_flags_and_what_nobody_came_to_waits(trial):
    played = trial(Feverish(), diary={"handled": 0.0})
    played.play(3)
    assert waiting(played) == ["WAITING"] * 3  # one entry each evening
    played.diaries.contacts.round("01")
    assert waiting(played) == ["WAITING"] * 3
    played.diaries.contacts.round("01", all_of_them=True)
    assert waiting(played) == ["DONE"] * 3
    sent = trial(Feverish(), diary={"handled": 1.0, "sent_to_care": 1.0})
    sent.play(2)
    sent.diaries.contacts.round("01")
    handled = [one.entry for one in kinds(sent.world.diary(sent.case.subject), DiaryFlagHandled)]
    assert [one.outcome for one in handled] == ["SENT_TO_CARE"] * 2
    assert sent.counts["diary flags handled"] == 2


def test_who_is_silent_is_called_and_a_gap_is_asked_about_once(trial):
    played = trial(AtHome(made=False), diary={"explained": 1.0, "because": {"TRAVEL": 1.0}})
    played.play(2)
    played.diaries.contacts.round("01")
    assert (
        played.counts["silent participants called"] == 0
    )  # called after 3 days without an entry (diary.yaml)
    played.play(6)
    played.diaries.contacts.round("01")
    assert played.counts["silent participants called"] == 1
    first = told(played)
    assert len(first) >= 3
    assert set(first.values()) == {"EXPLAINED"}
    played.diaries.at_visit(played.case, "V3")
    assert told(played) == first  # nothing was due since
    played.play(9)
    played.diaries.at_visit(played.case, "V3")
    assert len(told(played)) == len(first) + 3  # three more evenings


def test_a_gap_of_which_nothing_is_known_stays_open_and_entries_are_read_at_a_visit(trial):
    idle = trial(AtHome(made=False), diary={"explained": 0.0, "because": {"TRAVEL": 1.0}})
    idle.play(8)
    idle.diaries.at_visit(idle.case, "V3")
    assert told(idle) == {}
    keen = trial(AtHome())
    keen.play(4)
    keen.diaries.at_visit(keen.case, "V3")
    keen.diaries.at_visit(keen.case, "V3")
    reviews = [one.entry for one in kinds(keen.world.diary(keen.case.subject), DiaryReviewed)]
    last = max(one.seq for one in keen.world.diary(keen.case.subject).made.values())
    assert [(one.visit, one.upto) for one in reviews] == [("V3", last)]  # once: nothing came in between

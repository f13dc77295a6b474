"""Two phones, a hospital and everything that can go wrong between them, against a model that knows the truth.

The rules: exactly one record of each acknowledged entry, with the answers that were given; nothing acknowledged is lost;
whoever holds a phone is told of every entry that it is at the hospital, that it does not count and why, or that it was
lost with the phone's storage. Whether an entry counts is told by when it was truly begun, as long as the phone had a way
to know the time: the model works that out from the wall clock of the participant's zone alone, never from the program's
windows. No entry is put before the hospital's time that its phone had already heard, whatever its clock says. Source:
issue on the diary, proof 1; reliability notes 5 (faults and their table).
"""

from __future__ import annotations

import datetime as dt
import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from diarists import BEGAN, Diarists, make_diarists
from equipoise.desk.diary_intake import Answers
from equipoise.desk.diary_wire import read_sending
from equipoise.desk.views import Outcome
from equipoise.diary.evolve import State, side_of
from equipoise.diary.timing import TOLERANCE
from equipoise.ledger.entries import DiaryEntryRecorded, DiaryEvidenceRecorded
from equipoise.protocol.load import load_study
from equipoise.simulation.phone import Phone
from equipoise.words.problem import Problem, problem

ROOT = Path(__file__).resolve().parents[2]
ZONES = ("Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns")
"""The site's own, and zones whose clocks are put forward or back, by an hour or half of one, between day 7 and day 35."""
FIRST, LAST = dt.date(2026, 3, 2), dt.date(2026, 3, 29)
"""Days 1 and 28, on each of which a daily entry opens: the study's own cadence, counted from 2 March."""
WITHIN = dt.timedelta(minutes=6)
"""How near to the opening of a window the model does not judge: five minutes are the program's tolerance."""
DAY = dt.timedelta(days=1)
JUMPS = st.sampled_from(
    [dt.timedelta(0), dt.timedelta(minutes=3), dt.timedelta(minutes=7), dt.timedelta(hours=1), dt.timedelta(days=1),
     dt.timedelta(days=365), -dt.timedelta(minutes=7), -dt.timedelta(hours=5), -dt.timedelta(days=365)]
)  # fmt: skip
PHONES = st.sampled_from([0, 1])


@cache
def world() -> Diarists:
    """One store for every run: each run has a participant of its own."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    return make_diarists(folder / "store", load_study(ROOT / "studies/nct07197606"))


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    yield
    if world.cache_info().currsize:
        world().desk.close()
        shutil.rmtree(world().folder.parent)
        world.cache_clear()


@dataclass
class Truth:
    """What really happened to one entry. `known`: whether the phone had a way to tell the true time of its begin.

    `still`: its clock stood as at the last answer; else the counter alone could tell, while the page lived (`lived`).
    heard: when the hospital had last told its time; claimed: what the clock says, corrected as it was then; behind:
    whether the clock showed an earlier time than at the end of an entry that was made since.
    """

    phone: int
    period: str | None
    begun: dt.datetime
    known: bool
    still: bool
    answers: dict[str, str]
    lived: bool
    heard: dt.datetime
    claimed: dt.datetime
    behind: bool
    taken_at: dt.datetime | None = None


class Sync(RuleBasedStateMachine):
    """Two phones of one participant's diary: the participant's own, and a caregiver's or a second one."""

    @initialize(
        hours=st.integers(0, 29 * 24),
        zone=st.sampled_from(ZONES),
        seed=st.integers(0, 2**32),
        second=st.sampled_from(["", "caregiver01"]),
        ahead=st.tuples(JUMPS, JUMPS),
    )
    def begin(
        self, hours: int, zone: str, seed: int, second: str, ahead: tuple[dt.timedelta, dt.timedelta]
    ) -> None:
        self.world, self.zone, self.second = world(), zone, second
        self.world.clock.at = BEGAN
        self.draw, self.world.draw = random.Random(seed), random.Random(seed)
        self.subject = self.world.plant(caregiver=second)
        self.truth: dict[str, Truth] = {}
        self.acknowledged: set[str] = set()
        self.lost: set[str] = set()
        self.air: list[bytes] = []
        self.phones: list[Phone] = []
        self.set_at = [dt.timedelta(0)] * 2
        self.synced_in_life = [True, True]
        self.heard = [self.world.clock.at] * 2
        self.ended: list[dt.datetime | None] = [None, None]
        self.begun: list[Truth | None] = [None, None]
        for holder in ("PARTICIPANT", second or "PARTICIPANT"):
            self.phones.append(self.world.phone(self.subject, holder, zone))
            self.phones[-1].zone, self.phones[-1].ahead = zone, ahead[len(self.phones) - 1]
            assert self.phones[-1].sync(self.world.send)
        self.set_at = list(ahead)
        self.world.clock.at += dt.timedelta(hours=hours)

    # --- people ---------------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([0.2, 1, 5, 11, 24, 72]))
    def time_passes(self, hours: float) -> None:
        self.world.clock.at += dt.timedelta(hours=hours)

    @rule(
        phone=PHONES,
        which=st.sampled_from([0, 0, -1, 1]),
        minutes=st.sampled_from([0, 4, 400]),
        anew=st.booleans(),
    )
    def somebody_fills_in_a_day(self, phone: int, which: int, minutes: int, *, anew: bool) -> None:
        if anew:
            self.the_page_is_killed(phone)
        self.somebody_begins(phone, which, event=False)
        self.world.clock.at += dt.timedelta(minutes=minutes)
        self.somebody_taps(phone, 7)
        self.somebody_submits(phone)

    @rule(phone=PHONES, which=st.sampled_from([0, 0, 0, -1, 1]), event=st.booleans())
    def somebody_begins(self, phone: int, which: int, event: bool) -> None:
        one = self.phones[phone]
        if one.storage.key == b"":
            return
        period = None if event and which else self._period(which).isoformat()
        one.begin("NEWDEVICE" if period is None else "DAILY", period)
        still = one.ahead == self.set_at[phone]
        known = still or self.synced_in_life[phone]
        now, ended = self.world.clock.at, self.ended[phone]
        behind = ended is not None and now + one.ahead < ended - TOLERANCE
        claimed = now + one.ahead - self.set_at[phone]
        self.begun[phone] = Truth(
            phone,
            period,
            now,
            known,
            still,
            {},
            self.synced_in_life[phone],
            self.heard[phone],
            claimed,
            behind,
        )

    @rule(phone=PHONES, value=st.integers(1, 8))
    def somebody_taps(self, phone: int, value: int) -> None:
        begun = self.begun[phone]
        if begun is None:
            return
        item, text = ("SLEEP", str(value)) if begun.period else ("EVAID", "CANE")
        self.phones[phone].answer(item, text)
        begun.answers[item] = text

    @rule(phone=PHONES)
    def somebody_submits(self, phone: int) -> None:
        begun = self.begun[phone]
        if begun is not None:
            self.begun[phone] = None
            ends = self.world.clock.at + self.phones[phone].ahead
            self.ended[phone] = max(ends, self.ended[phone] or ends)
            self.truth[self.phones[phone].submit(offline=True)] = begun

    # --- what goes wrong ------------------------------------------------------------------------------------------

    @rule(phone=PHONES, ahead=JUMPS, zone=st.sampled_from(ZONES))
    def the_clock_is_set_or_somebody_travels(self, phone: int, ahead: dt.timedelta, zone: str) -> None:
        self.phones[phone].ahead, self.phones[phone].zone = ahead, zone

    @rule(phone=PHONES)
    def the_page_is_killed(self, phone: int) -> None:
        self.phones[phone].kill()
        self.phones[phone].open()
        self.synced_in_life[phone] = False
        if (begun := self.begun[phone]) is not None:
            begun.known, begun.lived = (
                begun.still,
                False,
            )  # the counter, which alone could have told, runs no more

    @rule(phone=PHONES)
    def the_storage_is_lost(self, phone: int) -> None:
        one = self.phones[phone]
        mine = {packet for packet, truth in self.truth.items() if truth.phone == phone}
        self.lost |= {packet for packet in mine if one.told[packet] == "PHONE"}
        one.clear()
        self.begun[phone] = None
        again = self.world.phone(
            self.subject, "PARTICIPANT" if phone == 0 or not self.second else self.second, self.zone
        )
        again.told, again.ahead = one.told, dt.timedelta(0)
        self.phones[phone] = again
        self.was_answered(phone)

    @rule(phone=PHONES, way=st.sampled_from(["whole", "unanswered", "lost", "many", "cut", "mixed", "full"]))
    def it_sends(self, phone: int, way: str) -> None:
        one = self.phones[phone]

        def send(packets: Sequence[bytes]) -> Answers:
            self.air += [data for data in packets if self.draw.random() < 0.3]
            match way:
                case "lost":
                    raise ConnectionError
                case "many":
                    packets = [data for data in packets for _ in range(self.draw.randint(1, 5))]
                    self.draw.shuffle(packets)
                case "cut":
                    body = b'{"packets": [' + b", ".join(packets) + b"]}"
                    assert isinstance(read_sending(body[: self.draw.randrange(len(body))]), Problem)
                    raise ConnectionError
                case "mixed":
                    packets = [*packets, *self.draw.sample(self.air, min(3, len(self.air)))]
                    self.draw.shuffle(packets)
            answers = self._full(packets) if way == "full" else self._hospital(packets[:64])
            if way == "unanswered":
                raise ConnectionError
            return answers

        if one.sync(send):
            self.was_answered(phone)

    def was_answered(self, phone: int) -> None:
        """The hospital's time was heard."""
        self.set_at[phone], self.synced_in_life[phone] = self.phones[phone].ahead, True
        self.heard[phone], self.ended[phone] = self.world.clock.at, None

    @precondition(lambda self: self.air)
    @rule(cut=st.booleans())
    def an_old_packet_arrives(self, cut: bool) -> None:
        data = self.draw.choice(self.air)
        self._hospital([data[: self.draw.randrange(len(data))] if cut else data])

    # --- the law --------------------------------------------------------------------------------------------------

    @invariant()
    def what_was_acknowledged_stands_once(self) -> None:
        if not hasattr(self, "truth"):
            return
        for phone in self.phones:
            self.acknowledged |= {packet for packet, told in phone.told.items() if told == "HOSPITAL"}
        recorded = self._recorded()
        assert self.acknowledged <= set(recorded), "an acknowledged entry is not there"
        assert set(recorded) <= set(self.truth), "an entry that nobody made"

    def teardown(self) -> None:
        if not hasattr(self, "phones"):
            return
        for number, phone in enumerate(self.phones):
            self.somebody_submits(number)
            assert phone.sync(self._hospital)
            assert not phone.storage.queue, "everything was decided"
        self.what_was_acknowledged_stands_once()
        state = self.world.diary(self.subject)
        entries, evidence = self._recorded(), self._evidence()
        for packet, truth in self.truth.items():
            told = next(phone.told[packet] for phone in self.phones if packet in phone.told)
            assert told != "PHONE", "nobody was told what became of an entry"
            assert (told == "LOST") == (packet in self.lost), (
                "lost is what no answer had come for, and nothing else"
            )
            assert (told == "HOSPITAL") <= (packet in entries)
            assert not (packet in entries and packet in evidence)
            if told not in {"HOSPITAL", "LOST"}:
                assert evidence.get(packet) == told
            if packet in entries:
                self._is_as_it_was_made(entries[packet], truth, state)
            self._is_judged_by_the_truth(packet, truth, entries, evidence)

    def _is_as_it_was_made(self, entry: DiaryEntryRecorded, truth: Truth, state: State) -> None:
        assert {item: one.value for item, one in entry.answers.items()} == truth.answers
        side = "CAREGIVER" if truth.phone and self.second else "PARTICIPANT"
        assert side_of(entry.reporter) == side
        assert dt.datetime.fromisoformat(entry.begun) >= truth.heard, "before a time that the phone had heard"
        back = truth.behind or (not truth.lived and truth.claimed < truth.heard - TOLERANCE)
        assert ("BACK" in entry.clock) == back
        if truth.period is not None:
            several = [one for one in state.made.values() if one.entry.period == truth.period]
            reported = [one for one in state.reported() if one.entry.period == truth.period]
            assert len(reported) == len({side_of(one.entry.reporter) for one in several})
            own = [one.entry.packet for one in several if side_of(one.entry.reporter) == side]
            (counts,) = (one.entry.packet for one in reported if side_of(one.entry.reporter) == side)
            if all(self.truth[one].known for one in own):
                first = min(self.truth[one].begun for one in own)
                assert self.truth[counts].begun - first < WITHIN, "another than the first was reported"

    def _is_judged_by_the_truth(
        self, packet: str, truth: Truth, entries: dict[str, DiaryEntryRecorded], evidence: dict[str, str]
    ) -> None:
        if truth.period is None or (packet not in entries and packet not in evidence):
            return
        end = dt.datetime.combine(dt.date.fromisoformat(truth.period) + DAY, dt.time(18), ZoneInfo(self.zone))
        assert packet not in entries or truth.heard < end, "begun after the window, as the phone had heard"
        if not truth.known:
            return
        here = truth.begun.astimezone(ZoneInfo(self.zone))
        day, hour = dt.date.fromisoformat(truth.period), dt.time(18)
        if abs(truth.begun - dt.datetime.combine(day, hour, here.tzinfo).astimezone(dt.UTC)) < WITHIN:
            return
        is_open = here.date() == day if here.time() >= hour else here.date() == day + dt.timedelta(days=1)
        if not FIRST <= day <= LAST:
            assert evidence[packet] == "diary.period-unknown"
        elif is_open:
            assert packet in entries, evidence[packet]
            assert truth.taken_at is not None
            assert entries[packet].late == (truth.taken_at >= end)
        else:
            begun_late = truth.begun > dt.datetime.combine(day, hour, here.tzinfo).astimezone(dt.UTC)
            assert evidence[packet] == ("diary.window-closed" if begun_late else "diary.window-not-open")

    # --- beside ---------------------------------------------------------------------------------------------------

    def _period(self, which: int) -> dt.date:
        """The period whose window is truly open, or the one before or after it."""
        here = self.world.clock.at.astimezone(ZoneInfo(self.zone))
        day = here.date() if here.time() >= dt.time(18) else here.date() - dt.timedelta(days=1)
        return day + dt.timedelta(days=which)

    def _full(self, packets: Sequence[bytes]) -> Answers:
        """The hospital's disk is full."""
        full = Outcome(accepted=False, problems=(problem("ledger.disk-full", path="", detail=""),))
        with patch.object(self.world.desk, "submit", return_value=full):
            return self.world.send(packets)

    def _hospital(self, packets: Sequence[bytes]) -> Answers:
        before = set(self._recorded()) | set(self._evidence())
        answers = self.world.send(packets)
        for packet in (set(self._recorded()) | set(self._evidence())) - before:
            if packet in self.truth:
                self.truth[packet].taken_at = self.world.clock.at
        return answers

    def _recorded(self) -> dict[str, DiaryEntryRecorded]:
        """The entries as the ledger has them, read anew; each packet's is there once."""
        with self.world.desk.reading() as reader:
            entries = [one.entry for one in reader.entries(f"diary/{self.subject}")]
        found = [one for one in entries if isinstance(one, DiaryEntryRecorded)]
        assert len({one.packet for one in found}) == len(found), "an entry stands twice"
        return {one.packet: one for one in found}

    def _evidence(self) -> dict[str, str]:
        return {
            one.entry.packet: one.entry.rule
            for one in self.world.diary(self.subject).others
            if isinstance(one.entry, DiaryEvidenceRecorded)
        }


TestSync = Sync.TestCase
TestSync.settings = settings(max_examples=300, stateful_step_count=25)


@pytest.mark.nightly
def test_the_same_ten_thousand_times() -> None:
    run_state_machine_as_test(Sync, settings=settings(max_examples=10_000, stateful_step_count=40))

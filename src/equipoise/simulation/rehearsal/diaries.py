"""The diary of a rehearsal: cards handed over, phones kept at home, and what is tapped into them in the evening.

The rules that must stay true: a phone speaks to the desk in sealed packets and in no other way; what is answered, by
whom and whether at all is the model of people's; what happens to a phone is by rates that are data. What a phone holds
when participation ends is sent once more, and what comes too late the desk judges.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from equipoise.consent.commands import RecordCaregiver
from equipoise.desk import devices, diary_intake
from equipoise.desk.consent_page import Beside, record_consent
from equipoise.desk.phones import Invited
from equipoise.diary.commands import PARTICIPANT
from equipoise.diary.windows import Slot, slots
from equipoise.simulation.people import DiaryEntry
from equipoise.simulation.phone import Phone
from equipoise.simulation.rehearsal.case import Case, made_up_name
from equipoise.simulation.rehearsal.diary_contacts import DiaryContacts
from equipoise.simulation.rehearsal.stage import Deed, Stage, Stopped

CAREGIVER = "CAREGIVER"
LATEST = 170
"""Minutes after a window has opened within which an entry is begun: the evening."""
_EVENT_HOUR, _DESK_HOUR = 12, 10
_NAMES_APART = 5000
"""Added to a participant's number for the name of the caregiver."""


@dataclass
class Held:
    """A phone at somebody's home. `number`: which one of theirs it is; `queued`: packets that the owner knows of."""

    phone: Phone
    number: int
    offline_until: dt.datetime
    lost_on: dt.date | None
    queued: list[str] = field(default_factory=list)


class Diaries:
    """The phones of one stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._rates = stage, stage.staff.rates.phones
        self._held: dict[tuple[int, str], Held] = {}
        self._caregivers: dict[int, str] = {}
        self._awaited: set[tuple[int, str]] = set()
        self._slots: dict[int, tuple[dt.date | None, tuple[Slot, ...]]] = {}
        self._begun: dict[str, int] = {}
        self.contacts = DiaryContacts(stage, self._begun.__getitem__)

    def begin(self, case: Case) -> None:
        """Hand over a card; the evenings with something to fill in follow one after another."""
        key = (case.index, PARTICIPANT)
        if not self._stage.study.diary.forms or case.over or key in self._awaited | self._held.keys():
            return
        if self._stage.chance.happens(self._rates.none, "no phone", case.index):
            self._stage.tally.counts["participants without a phone"] += 1
            return
        self._begun[case.subject] = case.index
        self._hand(case, PARTICIPANT)
        self._plan_after(case, self._stage.clock.at)

    def at_visit(self, case: Case, visit: str) -> None:
        """The coordinator goes through a diary that has begun."""
        if case.subject in self._begun:
            self.contacts.at_visit(case.site, case.subject, visit)

    def _plan_after(self, case: Case, last: dt.datetime) -> None:
        following = next((slot for slot in self._due(case) if slot.opens > last), None)
        if following is None:
            return
        key = ("evening", case.index, following.form, following.period)
        minutes = self._stage.chance.between(5, LATEST, *key)
        at = following.opens + dt.timedelta(minutes=minutes)
        self._stage.agenda.plan(at, lambda: self._evening(case, following))

    def _due(self, case: Case) -> tuple[Slot, ...]:
        """The slots of a participant; worked out anew where day 1 is another by now."""
        known = self._slots.get(case.index)
        if known is None or known[0] != case.day_one:
            study = self._stage.study
            known = case.day_one, slots(study.diary, case.day_one, study.zone_of(case.site))
            self._slots[case.index] = known
        return known[1]

    # --- an evening ----------------------------------------------------------------------------------------------

    def _evening(self, case: Case, slot: Slot) -> None:
        """Somebody fills in what is due, or does not; what happened is written down on the day on which it does."""
        if case.over:
            self._last(case)
            return
        today = self._stage.day(case.site)
        self._lose(case, today)
        entry = case.person.diary(slot.form, dt.date.fromisoformat(slot.period), case.moment(today))
        if entry is None:
            self._stage.tally.counts["diary entries not made"] += 1
        else:
            with self._stage.forgiving(f"the diary of {case.number}"):
                self._fill_in(case, slot.form, slot.period, entry)
        self._plan_events(case, slot)
        self._plan_after(case, slot.opens)

    def _plan_events(self, case: Case, slot: Slot) -> None:
        """Entries that are begun after an event: looked for up to the next evening that has an entry."""
        today = self._stage.day(case.site)
        following = next((each for each in self._due(case) if each.opens > slot.opens), None)
        days = (dt.date.fromisoformat(following.period) - today).days if following is not None else 0
        for form in (each.id for each in self._stage.study.diary.forms if each.cadence is None):
            for day in (today + dt.timedelta(days=ahead) for ahead in range(1, days + 1)):
                if case.person.begins(form, day, case.moment(today)):
                    at = self._stage.moment(case.site, day, _EVENT_HOUR, case.index % 60)
                    self._stage.agenda.plan(at, self._happened(case, form, day))

    def _happened(self, case: Case, form: str, day: dt.date) -> Deed:
        def deed() -> None:
            entry = case.person.diary(form, day, case.moment(day))
            if entry is not None and not case.over:
                self._fill_in(case, form, None, entry)

        return deed

    def _fill_in(self, case: Case, form: str, period: str | None, entry: DiaryEntry) -> None:
        """Begin an entry on the phone of whoever answers, and tap; some minutes later it is handed in."""
        stage, side = self._stage, CAREGIVER if entry.reporter == CAREGIVER else PARTICIPANT
        held = self._held.get((case.index, side))
        if held is None or held.phone.forgot:
            stage.tally.counts["diary entries without a phone"] += 1
            self._hand_tomorrow(case, side)
            return
        phone = held.phone
        phone.open()
        phone.reporter = entry.reporter
        phone.begin(form, period)
        phone.show(entry.shown)
        for item, said in entry.answers.items():
            phone.answer(item, said.value, said.missing)
        after = stage.chance.between(2, 6, "tapping", case.index, form, period or stage.clock.at.date())
        stage.agenda.plan(
            stage.clock.at + dt.timedelta(minutes=after), lambda: self._hand_in(case, held, form, period)
        )

    def _hand_in(self, case: Case, held: Held, form: str, period: str | None) -> None:
        """The entry is sealed, and sent where the phone is in reach and its owner has it sent."""
        stage, phone = self._stage, held.phone
        if phone.storage.draft is None:
            return
        key = (case.index, form, period or stage.clock.at.date(), held.number, phone.reporter)
        offline = stage.clock.at < held.offline_until
        held.queued.append(phone.submit(offline=offline))
        stage.tally.counts["diary entries"] += 1
        if not offline and not stage.chance.happens(self._rates.late, "sent later", *key):
            self._send(held)
        if not offline and stage.chance.happens(self._rates.offline, "offline", *key):
            days = stage.chance.between(*self._rates.offline_days, "offline for", *key)
            held.offline_until = stage.clock.at + dt.timedelta(days=days)
            stage.tally.counts["phones offline for days"] += 1
        phone.kill()

    def _send(self, held: Held) -> None:
        """Everything that the phone holds goes to the desk; what its owner is told of it is counted."""
        stage, phone = self._stage, held.phone

        def send(packets: Sequence[bytes]) -> diary_intake.Answers:
            return diary_intake.take(stage.desk, packets)

        while phone.storage.queue:
            before = len(phone.storage.queue)
            phone.sync(send)
            if len(phone.storage.queue) == before:
                break
        for packet in [each for each in held.queued if phone.told[each] != "PHONE"]:
            held.queued.remove(packet)
            told = phone.told[packet]
            stage.tally.counts[
                "diary entries at the hospital" if told == "HOSPITAL" else f"diary: {told}"
            ] += 1

    def _last(self, case: Case) -> None:
        """Participation is over: what phones still hold is sent, and they are put away."""
        for side in (PARTICIPANT, CAREGIVER):
            held = self._held.pop((case.index, side), None)
            if held is not None and not held.phone.forgot:
                held.phone.open()
                self._send(held)

    def settle(self, cases: Sequence[Case]) -> None:
        """Everything that phones still hold is sent, and every red flag answered: the diary is at its end."""
        for case in cases:
            self._last(case)
        for site in dict.fromkeys(case.site for case in cases):
            self.contacts.round(site, all_of_them=True)

    # --- cards ---------------------------------------------------------------------------------------------------

    def _lose(self, case: Case, today: dt.date) -> None:
        """A phone whose day has come loses what it held, and says so; the site hands over another."""
        for side in (PARTICIPANT, CAREGIVER):
            held = self._held.get((case.index, side))
            if held is None or held.lost_on is None or today < held.lost_on or held.phone.forgot:
                continue
            self._stage.tally.counts["diary entries lost with a phone"] += len(held.phone.storage.queue)
            self._stage.tally.counts["phones lost"] += 1
            held.phone.clear()
            held.phone.open()
            self._hand_tomorrow(case, side)

    def _hand_tomorrow(self, case: Case, side: str) -> None:
        """Have the site hand over a card on the next morning, where that is not planned already."""
        stage, key = self._stage, (case.index, side)
        if key in self._awaited:
            return
        self._awaited.add(key)
        tomorrow = stage.day(case.site) + dt.timedelta(days=1)

        def deed() -> None:
            self._awaited.discard(key)
            if not case.over:
                self._hand(case, side)

        stage.agenda.plan(stage.moment(case.site, tomorrow, _DESK_HOUR, case.index % 60), deed)

    def _hand(self, case: Case, side: str) -> None:
        """A coordinator hands over a card, and the phone is set up with its code and PIN."""
        stage, nurse = self._stage, self._stage.person("coordinator", case.site)
        before = self._held.get((case.index, side))
        if before is not None:
            gone = before.phone.used
            against = devices.revoke(
                stage.desk, stage.who(nurse), case.subject, gone, "lost", key=stage.key()
            )
            if against:
                raise Stopped(f"the lost phone of {case.number}", against)
        holder = PARTICIPANT if side == PARTICIPANT else self._caregiver(case)
        made = devices.invite(stage.desk, stage.who(nurse), case.subject, holder, key=stage.key())
        if not isinstance(made, Invited):
            raise Stopped(f"the card of {case.number}", made)
        given = devices.enrol(stage.desk, made.code, made.pin)
        if not isinstance(given, devices.Enrolled):
            raise Stopped(f"the phone of {case.number}", (given,))
        number = before.number + 1 if before is not None else 0
        key = (case.index, side, number)
        stage.spend(nurse.role, "InviteDevice")
        stage.tally.counts["phones set up"] += 1
        chance, rates = stage.chance, self._rates
        phone = Phone(lambda: stage.clock.at, random.Random(f"{stage.chance.share('phone', *key)}"))  # noqa: S311 virtual
        if chance.happens(rates.clock_off, "clock off", *key):
            phone.ahead = dt.timedelta(minutes=chance.between(*rates.clock_minutes, "clock", *key))
        phone.set_up(given)
        lost = chance.happens(rates.lost, "lost", *key)
        day = stage.day(case.site) + dt.timedelta(days=chance.between(5, 300, "lost on", *key))
        self._held[case.index, side] = Held(phone, number, stage.clock.at, day if lost else None)

    def _caregiver(self, case: Case) -> str:
        """The register's id of the caregiver, who agrees to keep the diary before the first card is handed over."""
        known = self._caregivers.get(case.index)
        if known is None:
            stage, nurse = self._stage, self._stage.person("coordinator", case.site)
            today = stage.day(case.site).isoformat()
            asked = RecordCaregiver(case.subject, "", given=True, on=today, relation="family")
            name = Beside(made_up_name(case.index + _NAMES_APART))
            came = record_consent(stage.desk, stage.who(nurse), asked, name, key=stage.key())
            if not came.accepted:
                raise Stopped(f"the caregiver of {case.number}", came.problems)
            stage.spend(nurse.role, "RecordCaregiver")
            with stage.desk.reading() as reader:
                agreed = stage.desk.standing_light(reader, case.subject).facts.caregivers
            known = self._caregivers[case.index] = next(iter(agreed))
        return known

"""A card on paper counts once two people typed it alike, or a third one settled it; what is urgent on it waits for nobody.

Source: decision 0039; decision 0029 for what the second person is not shown.
"""

from __future__ import annotations

import pytest

from diarists import make_diarists
from equipoise.access.commands import SYSTEM, Grant, RecordTraining, Who
from equipoise.access.duties import duties_for
from equipoise.consent.commands import WithdrawConsent
from equipoise.desk import diary_pages, diary_phones
from equipoise.desk.lists import today
from equipoise.desk.lock_checklist import checklist
from equipoise.desk.lock_pages import left_page
from equipoise.desk.setup import add_person
from equipoise.diary.site_commands import RecordDiaryInterview
from equipoise.ledger.entries import Datum
from equipoise.oversight.commands import DelegateDuties
from equipoise.protocol.load import load_study
from equipoise.standards.sdtm import sdtm

DAY = "2026-03-03"
CARD = "2026-03-03T11:00:00.000Z"
"""19 o'clock of study day 2 in Shanghai."""
PEOPLE = {"crc": "coordinator", "crc2": "coordinator", "pi": "investigator"}


@pytest.fixture(scope="module")
def world(tmp_path_factory, root):
    made = make_diarists(tmp_path_factory.mktemp("card") / "store", load_study(root / "studies/nct07197606"))
    assert add_person(made.desk, "crc2", "CRC2", "coordinator", "01") == ()
    duties = tuple(sorted(duties_for(["coordinator"])))
    topics = tuple(topic.id for topic in made.study.delegation.training)
    trained = RecordTraining("crc2", topics, made.desk.now().date().isoformat(), "01")
    pi = made.desk.who("pi", "investigator")
    assert made.desk.submit(SYSTEM, trained, key="train").accepted
    assert made.desk.submit(pi, DelegateDuties("01", "crc2", duties), key="delegate").accepted
    yield made
    made.desk.close()


class Cards:
    """One participant, and people of the site who type cards."""

    def __init__(self, world) -> None:
        self.world, self.desk = world, world.desk
        self.subject = world.plant()
        world.at(1, 18)
        self.phone = world.phone(self.subject)
        world.at(4, 10)
        self.number = f"01{int(self.subject.removeprefix('planted')):05d}"

    def who(self, user: str):
        return self.desk.who(user, PEOPLE[user])

    def types(
        self, user: str, name: str, period: str | None = DAY, form: str = "DAILY", **answers: str
    ) -> str:
        """Somebody types the card; the name of it."""
        given = {item: Datum(value) for item, value in answers.items()}
        command = RecordDiaryInterview(
            self.subject, f"{self.subject}{name}", "PARTICIPANT", form, period, self.world.digest, CARD,
            on_paper=True, answers=given,
        )  # fmt: skip
        outcome = self.desk.submit(self.who(user), command, key=f"{self.subject} {name}")
        assert outcome.accepted, outcome.problems
        return command.interview

    def sees(self, user: str, name: str):
        """The page of one typing, and what of its answers is shown."""
        entry = diary_pages.entry_page(self.desk, self.who(user), self.number, name).entry
        return entry, [line.item for line in entry.lines if line.said is not None]

    def asked(self) -> dict[str, list[str]]:
        """Whom Today asks to type it, and as what."""
        return {
            user: found
            for user in PEOPLE
            if (
                found := [
                    one.kind
                    for one in today(self.desk, self.who(user)).tasks
                    if one.subject == self.number and one.kind in {"diary_second", "diary_unlike"}
                ]
            )
        }

    def exported(self) -> list[tuple[str, str]]:
        """Rows of the export that come from paper."""
        with self.desk.reading() as reader:
            entries = [
                one for room in ("subject", "diary") for one in reader.entries(f"{room}/{self.subject}")
            ]
        columns = sdtm(self.world.study, [entries], rehearsal=True)["QS"].columnar()
        rows = zip(columns["QSTESTCD"], columns["QSSTRESC"], columns["EQREPORT"], strict=True)
        return [(item, value) for item, value, how in rows if how == "PAPER"]


def test_two_alike_count_and_the_second_sees_nothing_before(world):
    site = Cards(world)
    first = site.types("crc", "a", SLEEP="7", HEADACHE="3")
    for user in PEOPLE:
        entry, shown = site.sees(user, first)
        assert (entry.card, entry.asks, shown) == ("ONCE", user != "crc", [])
    assert site.asked() == {"crc2": ["diary_second"], "pi": ["diary_second"]}
    assert site.exported() == []
    page = diary_phones.interview_page(site.desk, site.who("pi"), site.number, "DAILY", "PARTICIPANT")
    assert DAY in page.periods
    second = site.types("pi", "b", HEADACHE="3", SLEEP="7")
    assert site.asked() == {}
    assert [site.sees("crc2", one)[0].counts for one in (first, second)] == [True, False]
    assert sorted(site.sees("crc2", first)[1]) == ["HEADACHE", "SLEEP"]
    assert sorted(site.exported()) == [("HEADACHE", "3"), ("SLEEP", "7")]


def test_two_that_differ_are_settled_by_a_third_person(world):
    site = Cards(world)
    first, second = site.types("crc", "a", SLEEP="7"), site.types("pi", "b", SLEEP="1")
    assert [site.sees("crc2", one)[1] for one in (first, second)] == [["SLEEP"], ["SLEEP"]]
    assert site.asked() == {"crc2": ["diary_unlike"]}
    with pytest.raises(AssertionError, match="interviewed-already"):
        site.types("pi", "c", SLEEP="7")  # the same person again is refused, and settles nothing
    assert site.asked() == {"crc2": ["diary_unlike"]}
    assert site.exported() == []
    third = site.types("crc2", "d", SLEEP="6")
    assert site.asked() == {}
    assert [site.sees("pi", one)[0].counts for one in (first, second, third)] == [False, False, True]
    assert site.exported() == [("SLEEP", "6")]


def test_the_lock_waits_for_a_card_until_it_counts_and_names_it(world):
    site, manager = Cards(world), Who("dm", "data_manager", (Grant("data_manager", None),))

    def left() -> tuple[int, list[str]]:
        with site.desk.reading() as reader:
            counted = {one.id: one.count for one in checklist(reader, site.desk.trial(reader))}
        listed = left_page(site.desk, manager, "cards")
        assert listed is not None
        assert listed.total == counted["CARDS_UNSETTLED"]
        return listed.total, [steps[-1] for number, steps, _ in listed.rows if number == site.number]

    before, _ = left()
    first = site.types("crc", "a", SLEEP="7")
    assert left() == (before + 1, [first])
    site.types("pi", "b", SLEEP="1")
    assert left() == (before + 1, [first]), "two that differ wait for a third person"
    site.types("crc2", "c", SLEEP="7")
    assert left() == (before, [])


def test_a_card_in_hand_is_typed_again_after_consent_has_ended_and_a_new_one_is_not(world):
    site = Cards(world)
    site.types("crc", "a", SLEEP="7")
    withdrawn = WithdrawConsent(site.subject, "PARTICIPANT", "2026-03-04", "tired of it")
    outcome = site.desk.submit(site.who("pi"), withdrawn, key=f"{site.subject} out")
    assert outcome.accepted, outcome.problems
    with pytest.raises(AssertionError, match="consent"):
        site.types("crc", "b", period="2026-03-02", SLEEP="7")
    site.types("pi", "c", SLEEP="7")
    assert site.asked() == {}
    assert site.exported() == [("SLEEP", "7")]


def test_a_red_flag_waits_for_no_second_person(world):
    site = Cards(world)
    first = site.types("crc", "a", WARN="FACE", SLEEP="7")
    assert site.sees("pi", first)[1] == ["WARN"]
    waits = [one.kind for one in today(site.desk, site.who("pi")).tasks if one.subject == site.number]
    assert sorted(one for one in waits if one.startswith("diary")) == ["diary_flag", "diary_second"]


def test_an_entry_that_came_after_all_is_the_entry(world):
    site = Cards(world)
    site.types("crc", "a", SLEEP="7")
    site.world.at(2, 19)
    site.phone.open()
    site.phone.begin("DAILY", DAY)
    site.phone.answer("SLEEP", "5")
    site.phone.submit(offline=True)
    site.world.at(4, 11)
    assert site.phone.sync(world.send)
    assert site.asked() == {}
    assert site.exported() == []


def test_a_card_of_an_event_is_known_by_the_moment_on_it(world):
    site = Cards(world)
    first = site.types("crc", "a", None, "NEWDEVICE", EVAID="CANE")
    assert site.sees("pi", first)[0].moment == "2026-03-03T19:00"
    site.types("pi", "b", None, "NEWDEVICE", EVAID="CANE")
    assert site.asked() == {}
    assert site.exported() == [("EVAID", "CANE")]

"""What a site does with a diary, through the desk: reading, changes, gaps, interviews, red flags, silence, reminders.

Source of the rules: issue 6, items 6 to 9; domain.md 8 (diary data never make an adverse event; they make a task).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import pytest

from diarists import BEGAN, Diarists, make_diarists
from equipoise.capture.commands import RecordForm, RestoreRow, VoidRow
from equipoise.consent.commands import WithdrawConsent
from equipoise.desk import diary_pages, diary_phones, diary_post, diary_work
from equipoise.desk.diary_waiting import DIARIES
from equipoise.desk.gateways import Message, Ways
from equipoise.desk.lists import today
from equipoise.diary.commands import PARTICIPANT
from equipoise.diary.decide import decide
from equipoise.diary.site_commands import (
    DecideDiaryChange,
    ExplainDiaryGap,
    HandleDiaryFlag,
    LinkDiaryEntry,
    RecordDiaryInterview,
    ReviewDiary,
    SetDiaryReminder,
)
from equipoise.ledger.entries import Datum
from equipoise.ledger.facts import Facts, Occasion, Proof
from equipoise.oversight.commands import RecordInterruption
from equipoise.protocol.load import load_study
from equipoise.words.problem import Problem, problem

DAUGHTER = "caregiver1"


@pytest.fixture(scope="module")
def world(tmp_path_factory, root):
    made = make_diarists(tmp_path_factory.mktemp("site") / "store", load_study(root / "studies/nct07197606"))
    yield made
    made.desk.close()


class Site:
    """One participant with a phone, from 18:00 of study day 1 on, and what staff see."""

    def __init__(self, world: Diarists, caregiver: str = "") -> None:
        self.world, self.desk = world, world.desk
        self.subject = world.plant(caregiver=caregiver)
        world.at(1, 18)
        self.phone = world.phone(self.subject)
        self.number = f"01{int(self.subject.removeprefix('planted')):05d}"

    def writes(self, day: int, hour: float = 19, phone=None, **answers: str) -> str:
        """An entry of a day, sent at once."""
        self.world.at(day, hour)
        phone = phone or self.phone
        phone.open()
        phone.begin("DAILY", (dt.date(2026, 3, 1) + dt.timedelta(days=day)).isoformat())
        for item, value in answers.items():
            phone.answer(item, value)
        packet = phone.submit()
        assert phone.sync(self.world.send)
        assert phone.told[packet] == "HOSPITAL"
        return packet

    def who(self, role: str = "coordinator"):
        """The coordinator, or the investigator."""
        return self.desk.who({"coordinator": "crc", "investigator": "pi"}[role], role)

    def does(self, command: object, role: str = "coordinator") -> tuple[str, ...]:
        """Give a command; the rules by which it was refused."""
        self.world.count += 1
        done = self.desk.submit(self.who(role), command, key=f"site {self.world.count}")
        return tuple(one.rule for one in done.problems)

    @property
    def view(self):
        """The page of the diary."""
        return diary_pages.diary_page(self.desk, self.who(), self.number)

    def tasks(self, role: str = "coordinator") -> list[str]:
        """The kinds of what Today asks about this participant's diary."""
        return [
            one.kind
            for one in today(self.desk, self.who(role)).tasks
            if one.subject == self.number and one.kind.startswith("diary")
        ]


def test_both_reporters_stand_apart(world):
    site = Site(world, DAUGHTER)
    her = world.phone(site.subject, DAUGHTER)
    site.writes(1, 19, HEADACHE="3")
    site.writes(1, 20, her, WALK="HELP")
    world.at(3, 19)
    own, others = site.view.sides
    assert [(one.side, one.told.made, one.told.due) for one in (own, others)] == [
        ("PARTICIPANT", 1, 2),
        ("CAREGIVER", 1, 2),
    ]
    period = diary_pages.period_page(site.desk, site.who(), site.number, "DAILY", "2026-03-02")
    assert [[line.item for one in side.entries for line in one.lines] for side in period.sides] == [
        ["HEADACHE"],
        ["WALK"],
    ]
    assert [one.key for one in period.sides[0].log] == [
        "diaries.log-due",
        "diaries.log-answered",
        "diaries.log-received",
    ]


def test_a_red_flag_is_a_task_and_a_page_and_no_adverse_event(world):
    site = Site(world)
    packet = site.writes(1, WARN="FACE")
    assert site.tasks() == ["diary_flag"]
    assert [one.packet for one in site.view.waiting] == [packet]
    sent = Gateway()
    diary_post.make_round(site.desk, Ways({"sms": sent}, sites={"": ("sms", "ward", "en")}))
    (paged,) = [one for one in sent.messages if site.number in one.text]
    assert paged.to == "ward"
    diary_post.make_round(site.desk, Ways({"sms": sent}, sites={"": ("sms", "ward", "en")}))
    assert len([one for one in sent.messages if site.number in one.text]) == 1, "told once"
    with site.desk.reading() as reader:
        kinds = {type(one.entry).__name__ for one in reader.entries(f"subject/{site.subject}")}
    assert "FormSaved" not in kinds, "nothing of the casebook was written"
    assert site.does(HandleDiaryFlag(site.subject, packet, "NO_EVENT")) == ("diaries.say-what-was-done",)
    assert site.does(HandleDiaryFlag(site.subject, packet, "EVENT_RECORDED")) == ("diaries.link-first",)
    link = LinkDiaryEntry(site.subject, packet, "LOG/AE/1")
    assert site.does(link) == ("diaries.row-not-there",), "nobody has recorded an adverse event"
    assert site.does(RecordForm(site.subject, "LOG", "AE", 1, {"AETERM": Datum("Facial palsy")}, 0)) == ()
    assert site.does(replace(link, place="LOG/AE/2")) == ("diaries.row-not-there",)
    assert site.does(link) == ()
    assert site.does(VoidRow(site.subject, "LOG", "AE", 1, "typed for another person")) == ()
    assert site.does(replace(link, place="")) == ()
    assert site.does(link) == ("diaries.row-not-there",), "what was entered in error is no event"
    assert site.does(RestoreRow(site.subject, "LOG", "AE", 1, "it was this person")) == ()
    assert site.does(link) == ()
    assert site.does(HandleDiaryFlag(site.subject, packet, "EVENT_RECORDED")) == ()
    assert site.tasks() == []
    assert site.does(HandleDiaryFlag(site.subject, "unknown", "NO_EVENT", "x")) == ("diaries.no-flag",)


def test_a_site_that_no_way_leads_to_is_said_and_recorded(world, monkeypatch):
    """Nobody is told of a red flag only where somebody is told that nobody is: Today, the round, and the record."""
    site = Site(world)
    packet = site.writes(1, WARN="FACE")
    for _ in range(2):
        failed = diary_post.make_round(site.desk, Ways({"sms": Gateway()})).failed
        assert {(one.rule, *one.arguments.values()) for one in failed} == {("diaries.site-untold", "01")}
    told = diary_pages.entry_page(site.desk, site.who(), site.number, packet).entry.told
    assert [one.key for one in told] == ["diaries.site-was-not-told"], "recorded once"
    keeps = replace(site.who().grants[0], role="administrator", site=None)
    keeper = replace(site.who(), role="administrator", grants=(keeps,))
    site_way = '[sites.01]\nway = "email"\nto = "ward"\n'
    untold, unfit = ["diaries.site-untold"], ["diaries.gateways-unfit"]
    file = world.folder / "reminders.toml"
    monkeypatch.setattr(type(site.desk), "purpose", "trial")
    try:
        for text, expected in (
            (None, untold),
            ("", untold),
            (site_way, untold),
            ("one = [", unfit),
            (site_way + '[email]\nhost = "mail"\nsender = "us"\n', []),
        ):
            if text is not None:
                file.write_text(text, "utf-8")
            for who in (site.who(), keeper):
                tasks = today(site.desk, who).tasks
                assert [one.key for one in tasks if one.kind == "diary_post"] == expected, (who.role, text)
    finally:
        file.unlink(missing_ok=True)


def test_a_change_is_decided_signed_and_the_original_kept(world):
    site = Site(world)
    packet = site.writes(1, HEADACHE="3")
    request = site.phone.ask(packet, "It was 8, not 3.")
    assert site.phone.sync(world.send)
    assert site.tasks() == [], "a coordinator cannot decide and is not asked"
    assert site.tasks("investigator") == ["diary_change"]

    def decide(proof: str, value: str = "8", reason: str = "Heard by telephone.", *, granted: bool = True):
        change = {"HEADACHE": Datum(value)}
        return site.does(
            DecideDiaryChange(site.subject, request, granted, change, reason, proof), "investigator"
        )

    token = site.desk.prove(site.who("investigator"), "DEMO")
    assert decide("") == ("closing.proof-missing",)
    assert decide(site.desk.prove(site.who(), "DEMO")) == ("closing.proof-missing",), "another's proof"
    assert decide(token, reason=" ") == ("diaries.say-why",)
    assert decide(token, "11") == ("diaries.does-not-fit",)
    assert decide(token, "3") == ("diaries.nothing-changed",)
    assert decide(token) == ()
    assert decide(token) == ("diaries.request-decided",)
    made = world.diary(site.subject).made[packet]
    assert made.entry.answers["HEADACHE"].value == "3", "the original stands"
    assert made.answers["HEADACHE"].value == "8", "and what was granted counts"
    (line,) = diary_pages.entry_page(site.desk, site.who(), site.number, packet).entry.lines
    assert (line.said.en, line.before.en) == ("8", "3")
    coordinator = DecideDiaryChange(site.subject, request, True, {}, "x", "")
    assert site.does(coordinator) == ("access.not-allowed",)


def test_a_change_is_judged_by_the_version_that_the_entry_was_made_with(world):
    """Between entry and decision an amendment took one question out and brought another."""
    site = Site(world)
    packet = site.writes(1, HEADACHE="3")
    request = site.phone.ask(packet, "It was 8, not 3.")
    assert site.phone.sync(world.send)
    old = world.study.diary
    items = tuple(item for one in old.sections for item in one.items)
    new_item = next(item for item in items if item.id == "HEADACHE").model_copy(update={"id": "NECKACHE"})
    sections = tuple(
        one.model_copy(
            update={"items": tuple(new_item if item.id == "HEADACHE" else item for item in one.items)}
        )
        for one in old.sections
    )
    new = old.model_copy(update={"sections": sections})
    today_study = world.study.model_copy(update={"diary": new})
    facts = Facts(rehearsal=True, subject_known=True, proved=Proof("pi", "DEMO"))
    occasion = Occasion(world.clock.at, "Asia/Shanghai", by="pi", role="investigator")

    def decide_on(item: str):
        command = DecideDiaryChange(site.subject, request, True, {item: Datum("8")}, "by telephone", "")
        plans = {world.digest: old, "e" * 64: new}
        return decide(today_study, world.diary(site.subject), facts, command, occasion, plans=plans)

    (granted,) = decide_on("HEADACHE")
    assert granted.entry.changes == {"HEADACHE": Datum("8")}
    assert [one.rule for one in decide_on("NECKACHE").problems] == ["diary.item-unknown"]


def test_gaps_are_explained_only_where_there_is_one(world):
    site = Site(world)
    site.writes(1, HEADACHE="3")
    world.at(3, 12)

    def explain(period: str, because: str = "TRAVEL", note: str = "", side: str = "PARTICIPANT"):
        return site.does(ExplainDiaryGap(site.subject, "DAILY", period, side, because, note))

    assert explain("2026-03-02") == ("diaries.no-gap",)
    assert explain("2026-03-03") == ("diaries.not-over-yet",), "open until 18:00 of day 3"
    assert explain("2026-03-01") == ("diary.period-unknown",)
    assert explain("yesterday") == ("diary.period-unknown",)
    world.at(3, 18)
    assert explain("2026-03-03", "OTHER") == ("diaries.say-why",)
    assert explain("2026-03-03", "LAZY") == ("diaries.choose-because",)
    assert explain("2026-03-03", side="ASSISTED") == ("diaries.choose-reporter",)
    assert explain("2026-03-03") == ()
    own = site.view.sides[0]
    assert (own.told.due, own.told.made, own.told.explained, own.told.missed) == (2, 1, 1, 0)


def test_an_interview_is_marked_and_never_an_entry_made_in_time(world):
    site = Site(world)
    world.at(2, 10)
    asked = RecordDiaryInterview(
        site.subject, "talk1", "PARTICIPANT", "DAILY", "2026-03-02", world.digest, "2026-03-03T02:00:00+00:00",
        False, {"FELL": Datum("Y"), "FALLINJ": Datum("Y")},
    )  # fmt: skip
    assert site.does(replace(asked, asked_at="2026-03-04T02:00:00+00:00")) == ("diaries.asked-ahead",)
    assert site.does(replace(asked, asked_at="2026-03-02T02:00:00+00:00")) == ("diary.window-not-open",)
    assert site.does(replace(asked, answers={})) == ("diaries.nothing-answered",)
    assert site.does(replace(asked, answers={"FALLS": Datum("2")})) == ("diaries.does-not-apply",)
    assert site.does(replace(asked, reporter="CAREGIVER", answers={"MOOD": Datum("1")})) == (
        "diary.item-not-for-proxy",
    )
    assert site.does(replace(asked, definition="d" * 64)) == ("diary.version-unknown",)
    assert site.does(replace(asked, reporter="DOCTOR")) == ("diaries.choose-reporter",)
    assert site.does(replace(asked, answers={"SLEEP": Datum(missing="LAZY")})) == ("diaries.does-not-fit",)
    assert site.does(replace(asked, answers={"SLEEP": Datum("8", missing="CANNOT_TELL")})) == (
        "diaries.does-not-fit",
    )
    assert site.does(replace(asked, interview="")) == ("diaries.interview-name",)
    assert site.does(asked) == ()
    assert site.does(asked) == ("diaries.interview-name",)
    assert site.does(replace(asked, interview="talk2")) == ("diaries.interviewed-already",)
    world.at(2, 18)
    (one,) = [each for each in site.view.unread if each.interview]
    assert (one.asked_by, [flag.en for flag in one.flags]) == ("CRC", ["Injury in a fall: Yes"])
    assert site.tasks() == ["diary_flag"], "what was heard can be a red flag too"
    own = site.view.sides[0]
    assert (own.told.due, own.told.made, own.told.asked) == (1, 0, 1)


def test_reading_at_a_contact(world):
    site = Site(world)
    assert site.does(ReviewDiary(site.subject, "", 0, 9)) == ("diaries.nothing-to-review",)
    site.writes(1, HEADACHE="3")
    assert len(site.view.unread) == 1
    assert site.does(ReviewDiary(site.subject, "V99", 1, site.view.last_seq)) == ("diaries.visit-unknown",)
    for upto in (site.view.last_seq - 1, site.view.last_seq + 1, 99999):
        assert site.does(ReviewDiary(site.subject, "V3", 1, upto)) == ("diaries.nothing-to-review",), upto
    assert site.does(ReviewDiary(site.subject, "V3", 1, site.view.last_seq, "read by telephone")) == ()
    assert site.view.unread == ()
    assert site.view.reviews[0].note == "read by telephone"
    site.writes(2, HEADACHE="4")
    assert len(site.view.unread) == 1


def test_day_three_of_silence_is_a_task_of_the_site_and_an_outage_is_not(world):
    site, other = Site(world), Site(world)
    world.at(3, 17.9)
    assert site.tasks() == []
    world.at(4, 18)  # days 1, 2 and 3 are over
    assert site.tasks() == ["diary_silent"]
    line = next(one for one in diary_work.overview(site.desk, site.who()).lines if one.number == site.number)
    assert line.silent == 3
    assert line.sides[0].alerts
    down = RecordInterruption("2026-03-04T12:00:00Z", "2026-03-04T12:30:00Z", "a cable")
    world.count += 1
    assert site.does(down) == ("access.not-allowed",), "a site does not say when the service was away"
    diary_post.give_interruption(site.desk, dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC), dt.datetime(2026, 3, 4, 12, 30, tzinfo=dt.UTC))  # fmt: skip
    assert site.tasks() == [], "day 3 was open then, so only two are missed"
    assert other.view.sides[0].told.down == 1
    assert other.view.sides[0].told.missed == 2


class Gateway:
    """Keeps what it is given; says that it cannot send for addresses that begin with `bad`."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, message: Message) -> Problem | None:
        if message.to.startswith("bad"):
            return problem("diaries.gateway-failed", message.to, reason="test")
        self.messages.append(message)
        return None


def test_reminders_go_out_once_each_by_the_chosen_way_and_say_nothing_of_health(world):
    site = Site(world, DAUGHTER)
    world.phone(site.subject, DAUGHTER)

    def remind(holder: str, hour: str, to: str) -> tuple[str, ...]:
        wanted = SetDiaryReminder(site.subject, holder, hour, "sms", "zh")
        world.count += 1
        done = diary_phones.set_reminder(
            site.desk, site.who(), site.number, wanted, to, key=f"r{world.count}"
        )
        return tuple(one.rule for one in done.problems)

    assert remind(PARTICIPANT, "25:00", "138") == ("diaries.hour-unfit",)
    assert remind(PARTICIPANT, "19:00", "") == ("diaries.address-missing",)
    assert remind("stranger", "19:00", "1") == ("diary.caregiver-not-consented",)
    assert remind(PARTICIPANT, "19:00", "13800000001") == ()
    assert remind(DAUGHTER, "20:00", "13800000002") == ()
    sent = Gateway()
    ways = Ways({"sms": sent}, "https://example.org/diary/")
    for day, hours in ((1, (18.5, 19, 19.5, 20, 22.9, 23)), (2, (8, 18.5, 19))):
        for hour in hours:
            world.at(day, hour)
            diary_post.make_round(site.desk, ways)
    mine = [one for one in sent.messages if one.to.startswith("1380000000")]
    # day 1: each at the own hour; hers again waits for the morning (20:00 + 4 h = midnight); then the day after: she
    # hears that day 1 was missed, and the participant of day 2
    assert [one.to[-1] for one in mine] == ["1", "2", "1", "2", "2", "1"]
    words = [
        "病",
        "医",
        "院",
        "药",
        "卒中",
        "研究",
        "试验",
        "症状",
        "study",
        "trial",
        "stroke",
        "hospital",
        "symptom",
        "illness",
        "health",
    ]
    assert not [word for word in words for one in mine if word in f"{one.text} {one.link}".lower()]
    with site.desk.reading() as reader:
        text = " ".join(str(one.entry) for one in reader.entries(f"diary/{site.subject}"))
    assert "13800000001" not in text, "an address stands in the register alone"


def test_what_cannot_be_sent_is_tried_again(world, monkeypatch):
    site = Site(world)
    wanted = SetDiaryReminder(site.subject, PARTICIPANT, "19:00", "sms", "en")
    diary_phones.set_reminder(site.desk, site.who(), site.number, wanted, "bad", key="bad")
    world.at(1, 19.5)
    ways = Ways({"sms": Gateway()}, sites={"": ("sms", "ward", "en")})
    failed = [diary_post.make_round(site.desk, ways).failed for _ in range(2)]
    assert [[one.rule for one in each] for each in failed] == [["diaries.gateway-failed"]] * 2

    def recorded() -> list[tuple[str, bool]]:
        return [
            (one.entry.gateway, one.entry.delivered)
            for one in world.diary(site.subject).others
            if type(one.entry).__name__ == "DiaryReminderDispatched"
        ]

    assert recorded() == [("sms", False)], "that it could not be sent stands there once"
    period = diary_pages.period_page(site.desk, site.who(), site.number, "DAILY", "2026-03-02")
    assert "diaries.log-not-reminded" in [one.key for one in period.sides[0].log]
    monkeypatch.setattr(diary_post, "address_of", lambda *given: "good")
    diary_post.make_round(site.desk, ways)
    assert recorded() == [("sms", False), ("sms", True)]


def test_a_way_that_nothing_goes_out_by_is_said_where_it_is_chosen_on_today_and_by_the_round(
    world, monkeypatch
):
    site = Site(world)
    wanted = SetDiaryReminder(site.subject, PARTICIPANT, "19:00", "wechat", "zh")
    assert diary_phones.set_reminder(site.desk, site.who(), site.number, wanted, "openid", key="wx").accepted
    world.at(1, 19.5)
    failed = diary_post.make_round(
        site.desk, Ways({"sms": Gateway()}, sites={"": ("sms", "ward", "en")})
    ).failed
    assert [(one.rule, one.arguments["reason"]) for one in failed] == [
        ("diaries.gateway-failed", "reminders.toml: wechat")
    ]
    file = world.folder / "reminders.toml"
    monkeypatch.setattr(type(site.desk), "purpose", "trial")
    file.write_text(
        '[sites.01]\nway = "email"\nto = "ward"\n[email]\nhost = "mail"\nsender = "us"\n', "utf-8"
    )
    try:
        assert diary_phones.phones_page(site.desk, site.who(), site.number).lacking == {"sms", "wechat"}

        def said() -> list[str]:
            tasks = [one for one in today(site.desk, site.who()).tasks if one.key == "diaries.way-missing"]
            return [one.arguments["n"] for one in tasks if one.arguments["way"] == "wechat"]

        assert said() == ["1"]
        other = SetDiaryReminder(site.subject, PARTICIPANT, "19:00", "email", "zh")
        assert diary_phones.set_reminder(
            site.desk, site.who(), site.number, other, "a@b.c", key="mail"
        ).accepted
        assert said() == []
    finally:
        file.unlink()


def test_a_page_to_a_site_that_failed_is_recorded_once_and_tried_again(world):
    site = Site(world)
    packet = site.writes(1, WARN="FACE")
    gateway = Gateway()
    for to in ("bad", "bad", "ward"):
        diary_post.make_round(site.desk, Ways({"sms": gateway}, sites={"": ("sms", to, "en")}))
    pages = [one.entry for one in world.diary(site.subject).others if one.entry.kind == "DiarySitePaged"]
    assert [(one.about, one.delivered) for one in pages] == [(packet, False), (packet, True)]
    (sent,) = [one.text for one in gateway.messages if site.number in one.text]
    assert sent == f"Participant {site.number}: please look at the diary now."  # messages/diaries.yaml


def test_a_call_for_help_says_which_answer_raised_it(world):
    site = Site(world)
    world.at(1, 19)
    raised = {"form": "DAILY", "period": "2026-03-02", "answers": {"WARN": {"value": "FACE"}}}
    packet = site.phone.put({"v": 1, "kind": "help", **raised})
    asked = site.phone.put({"v": 1, "kind": "help", "wish": "Please call me.", "form": 7, "answers": "no"})
    assert site.phone.sync(world.send)
    assert (site.phone.told[packet], site.phone.told[asked]) == ("HOSPITAL", "HOSPITAL")
    told = {one.packet: one.item.en if one.item else None for one in site.view.calls}
    assert told == {packet: "Warning signs", asked: None}  # the item's label, diary.yaml


def test_diaries_that_have_ended_keep_no_silent_one_out_of_sight(world, monkeypatch):
    monkeypatch.setattr(diary_work, "LOOKED_AT", 1)
    monkeypatch.setattr(diary_work, "LISTED", 1000)
    world.clock.at = BEGAN
    ended, silent = Site(world), Site(world)
    with world.desk.reading() as reader:
        others = list(reader.rows.find(DIARIES, {"begun": 1, "site": "01"}))
    for row in others:
        if row["number"] != silent.number:
            withdrawn = WithdrawConsent(str(row["subject"]), "PARTICIPANT", "2026-03-02", "moves away")
            world.count += 1
            world.desk.submit(silent.who(), withdrawn, key=f"withdrawn {world.count}")
    world.at(6, 18)  # five days are over; the service was away in one of them, as another test has it
    assert (ended.tasks(), silent.tasks()) == ([], ["diary_silent"])
    world.at(400, 12)  # the last week is that of day 365, open until day 367: diary.yaml
    assert silent.tasks() == []


def test_papers_hours_and_phones(world):
    site = Site(world, DAUGHTER)
    assert diary_phones.paper_card(site.desk, site.who(), site.number, "DAILY", "zh", caregiver=True)
    file = diary_phones.calendar_file(site.desk, site.who(), site.number, PARTICIPANT)
    assert b"RRULE:FREQ=DAILY;INTERVAL=1;COUNT=28\r\n" in file
    assert b"RRULE:FREQ=DAILY;INTERVAL=7;COUNT=48\r\n" in file  # days 35 to 364: (365 - 29 + 1) // 7 = 48
    assert diary_phones.calendar_file(site.desk, site.who(), site.number, "stranger") is None
    secret = (site.phone.storage.device, site.subject, DAUGHTER)
    hers = diary_phones.calendar_file(site.desk, site.who(), site.number, DAUGHTER)
    for one in (file, hers):
        assert not [each for each in secret if each.encode() in one.replace(b"\r\n ", b"")], (
            "it lies in a calendar"
        )
    uid = re.findall(rb"UID:(\S+)", file)
    assert len({*uid, *re.findall(rb"UID:(\S+)", hers)}) == 2 * len(uid), "another's file replaces none of it"
    phones = diary_phones.phones_page(site.desk, site.who(), site.number)
    assert [(one.holder, one.state) for one in phones.phones] == [(PARTICIPANT, "ENROLLED")]
    assert [one.holder for one in phones.people] == [PARTICIPANT, DAUGHTER]
    world.phone(site.subject)
    again = diary_phones.calendar_file(site.desk, site.who(), site.number, PARTICIPANT)
    assert re.findall(rb"UID:(\S+)", again) == uid, "with a new phone the file takes the place of the old one"


def test_nobody_from_elsewhere_and_no_rater_reads_a_diary(world):
    site = Site(world)
    rater = replace(site.who(), role="rater", grants=(replace(site.who().grants[0], role="rater"),))
    elsewhere = replace(site.who(), grants=(replace(site.who().grants[0], site="02"),))
    for who in (rater, elsewhere):
        assert diary_pages.diary_page(site.desk, who, site.number) is None
    assert diary_work.overview(site.desk, rater) is None


def test_a_beat_that_is_missing_is_an_outage_and_nothing_is_concluded_without_one(world):
    def outages() -> int:
        with world.desk.reading() as reader:
            return len(world.desk.trial(reader).state.interruptions)

    (world.desk.ledger.places.store.parent / diary_post.BEAT).unlink(missing_ok=True)
    world.at(1, 18)
    before = outages()
    assert not diary_post.beat(world.desk)
    world.clock.at += diary_post.AWAY
    assert not diary_post.beat(world.desk), "as long as a round may take"
    world.clock.at += diary_post.AWAY + dt.timedelta(seconds=1)
    assert diary_post.beat(world.desk)
    assert not diary_post.beat(world.desk)
    assert outages() == before + 1

"""QS of the diary: whose word each row is, stays so, and every row is a reported entry's.

Source: SDTMIG 3.4, QS; EVAL terms of CDISC controlled terminology; the answers are given in the test itself.
"""

from __future__ import annotations

import pytest

from diarists import make_diarists
from equipoise.diary.site_commands import RecordDiaryInterview
from equipoise.ledger.entries import Datum
from equipoise.protocol.load import load_study
from equipoise.standards.sdtm import sdtm

DAY = "2026-03-02"


@pytest.fixture(scope="module")
def rows(tmp_path_factory, root):
    study = load_study(root / "studies/nct07197606")
    world = make_diarists(tmp_path_factory.mktemp("diary") / "store", study)
    subject = world.plant(caregiver="caregiver01")
    world.at(1, 19)
    own, other, seen = world.phone(subject), world.phone(subject), world.phone(subject, "caregiver01")
    own.begin("DAILY", DAY)
    own.answer("SLEEP", "8")
    own.answer("MOOD", missing="PREFER_NOT")
    own.answer("AIDS", "CANE AFO")
    own.answer("FELL", "N")
    own.submit()
    world.clock.at += world.clock.at.resolution * 60_000_000
    other.reporter = "ASSISTED"
    other.begin("DAILY", DAY)
    other.answer("SLEEP", "2")
    other.submit()
    seen.begin("DAILY", DAY)
    seen.answer("SLEEP", "6")
    seen.submit()
    other.reporter = "ASSISTED"
    other.begin("NEWDEVICE", None)
    other.answer("EVAID", "CANE")
    other.submit()
    for phone in (other, seen, own):
        assert phone.sync(world.send)
        assert set(phone.told.values()) == {"HOSPITAL"}
    for period, slept in (("2026-03-03", "5"), (DAY, "1")):
        world.at(3, 12)
        talk = RecordDiaryInterview(
            subject, f"talk{slept}", "PARTICIPANT", "DAILY", period, phone.storage.definition, world.clock.at.isoformat(),
            on_paper=False, answers={"SLEEP": Datum(slept)},
        )  # fmt: skip
        world.desk.submit(world.crc, talk, key=f"talk {period}")
    with world.desk.reading() as reader:
        entries = [*reader.entries(f"subject/{subject}"), *reader.entries(f"diary/{subject}")]
    world.desk.close()
    columns = sdtm(study, [entries], rehearsal=True)["QS"].columnar()
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def of(rows, code, evaluator):
    return [row for row in rows if (row["QSTESTCD"], row["QSEVAL"]) == (code, evaluator)]


def test_whose_word_a_row_is_stays_apart(rows):
    sleep = {
        row["QSEVAL"]: row for row in rows if row["QSTESTCD"] == "SLEEP" and row["EQREPORT"] != "INTERVIEW"
    }
    assert {who: row["QSSTRESN"] for who, row in sleep.items()} == {"STUDY SUBJECT": 8, "CAREGIVER": 6}
    assert sleep["CAREGIVER"]["EQREPORT"] == "CAREGIVER"
    assert len({row["QSSPID"] for row in sleep.values()}) == 2


def test_of_two_entries_of_one_side_the_one_begun_first_is_reported_whenever_it_came(rows):
    """The further entry (2 hours of sleep) arrived first, and makes no row."""
    assert [
        row["QSORRES"] for row in of(rows, "SLEEP", "STUDY SUBJECT") if row["EQREPORT"] != "INTERVIEW"
    ] == ["8"]


def test_an_interview_makes_rows_only_where_its_side_has_no_entry(rows):
    asked = [row for row in rows if row["EQREPORT"] == "INTERVIEW"]
    assert [(row["QSSPID"], row["QSORRES"]) for row in asked] == [("DAILY/2026-03-03/PARTICIPANT", "5")]


def test_several_options_are_several_rows_and_a_missing_answer_says_why(rows):
    aids = of(rows, "AIDS", "STUDY SUBJECT")
    assert [(row["QSSTRESC"], row["QSORRES"]) for row in aids] == [
        ("CANE", "Walking stick"),
        ("AFO", "Ankle brace"),
    ]
    mood = of(rows, "MOOD", "STUDY SUBJECT")[0]
    assert (mood["QSSTAT"], mood["QSREASND"], mood["QSORRES"]) == ("NOT DONE", "PREFERRED NOT TO SAY", None)
    assert [row["QSORRES"] for row in of(rows, "FELL", "STUDY SUBJECT")] == ["No"]


def test_a_daily_row_says_its_interval_unit_and_local_time_and_an_event_has_no_period(rows):
    sleep = of(rows, "SLEEP", "STUDY SUBJECT")[0]
    assert (sleep["QSEVLINT"], sleep["QSORRESU"], sleep["QSDTC"]) == ("-P1D", "hours", "2026-03-02T19:00")
    assert sleep["QSCAT"] == "STROKE RECOVERY DIARY"
    event = of(rows, "EVAID", "STUDY SUBJECT")[0]
    assert event["QSEVLINT"] is None
    assert event["EQREPORT"] == "ASSISTED"

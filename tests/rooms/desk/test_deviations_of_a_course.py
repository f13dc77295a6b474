"""Deviations raise themselves with what caused them, are taken back when it is corrected, and are seen by who may."""

from __future__ import annotations

import datetime as dt

import pytest

from equipoise.capture.commands import DateVisit, MissVisit
from equipoise.capture.specimens.commands import CollectSpecimen, ProcessSpecimen, VoidSpecimen
from equipoise.consent.commands import WithdrawConsent
from equipoise.desk.deviation_pages import Filters
from equipoise.desk.deviation_tables import DEVIATIONS
from equipoise.ledger.followers import rebuild
from equipoise.oversight.commands import (
    ClassDeviation,
    ExplainDeviation,
    RaiseDeviation,
    RecordReleaseCondition,
)
from equipoise.protocol.forms import LOG
from equipoise.randomization.commands import CorrectStratum
from stories.conftest import STAFF, Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


@pytest.fixture
def randomized(story: Story) -> tuple[Story, str, str]:
    """Randomized on 1 June 2026."""
    number = story.eligible()
    assert story.randomize(number).accepted
    return story, number, story.subject(number)


def rules(story: Story, number: str) -> list[tuple[str, str, int]]:
    """(rule, visit, days) of the deviations that stand."""
    page = story.desk.subject_deviations(story.who("crc"), number)
    assert page is not None
    return [(line.rule, line.visit, line.days) for line in page.lines if line.state != "WITHDRAWN"]


def on(story: Story, day: str) -> None:
    story.clock.at = dt.datetime.fromisoformat(f"{day}T02:00:00+00:00")


def test_a_late_visit_raises_one_in_the_same_append_and_its_correction_takes_it_back(randomized) -> None:
    story, number, subject = randomized
    on(story, "2026-07-20")
    outcome = story.done("crc", DateVisit(subject, "V6", "2026-07-05"))  # the window ended on 2 July
    assert rules(story, number) == [("out-of-window", "V6", 3)]
    with story.desk.reading() as reader:
        kinds = [one.header.kind for one in reader.entries(f"subject/{subject}")][-2:]
        last = reader.entries(f"subject/{subject}")[-1].header
    assert (kinds, last.seq) == (["VisitDated", "DeviationRaised"], outcome.seq)
    story.done("crc", DateVisit(subject, "V6", "2026-07-01", reason="misread"))
    assert rules(story, number) == []
    page = story.desk.subject_deviations(story.who("crc"), number)
    assert page is not None
    assert [(line.state, line.automatic) for line in page.lines] == [("WITHDRAWN", True)]


def test_the_primary_visit_has_a_rule_of_its_own_and_missed_ones_another(randomized) -> None:
    story, number, subject = randomized
    on(story, "2027-01-10")
    story.done("crc", DateVisit(subject, "V9", "2026-12-20"))
    story.done("crc", MissVisit(subject, "V8", "TRAVEL"))
    assert rules(story, number) == [
        ("primary-out-of-window", "V9", 9),
        ("missed", "V8", 0),
    ]  # day 194 is 1 June and 193 days: 11 December


def test_leaving_makes_a_deviation_of_what_was_never_recorded_and_had_passed(randomized) -> None:
    story, number, subject = randomized
    for visit, day in (
        ("V1", "2026-05-30"),
        ("V2", "2026-06-01"),
        ("V3", "2026-06-02"),
        ("V4", "2026-06-08"),
    ):
        on(story, max(day, "2026-06-01"))
        story.done("crc", DateVisit(subject, visit, day))
    on(story, "2026-07-20")
    before = rules(story, number)
    story.done("crc", DateVisit(subject, "ET", "2026-07-10", because="REQUEST"))
    assert [one for one in rules(story, number) if one not in before] == [
        ("missed", "V5", 0),
        ("missed", "V6", 0),
    ]


def test_a_visit_before_consent_and_a_wrong_stratum(randomized) -> None:
    story, number, subject = randomized
    story.done("crc", DateVisit(subject, "V1", "2026-05-30"))  # consent was signed on 1 June
    assert rules(story, number) == [("no-consent", "V1", 0)]
    with story.desk.reading() as reader:
        standing = story.desk.standing_light(reader, subject)
    other = next(
        one for one in standing.trial.allocation.numbers if one != standing.facts.stratum_as_randomized
    )
    story.done("crc", CorrectStratum(subject, other, "typed wrongly"))
    assert ("wrong-stratum", "", 0) in rules(story, number)


def test_a_form_recorded_before_consent_until_an_earlier_signature_is_known(story: Story) -> None:
    """ICH E6(R3) 2.8.1: consent comes before anything of the trial. How the talk went is written before the signature."""
    number = story.screen()
    assert story.record("crc", number, "ICF", {"ICTALK": "2026-06-01"}).accepted
    assert rules(story, number) == []
    assert story.record("crc", number, "DM", {"SEX": "M"}).accepted
    assert story.record(
        "crc", number, "DM", {"SEX": "F"}, reason="TYPO"
    ).accepted  # one deviation a form, not a save
    assert story.record("crc", number, "CM", {"CMTRT": "aspirin"}, LOG).accepted
    assert rules(story, number) == [("no-consent", "V1", 0), ("no-consent", "", 0)]
    page = story.desk.study_deviations(story.who("crc"), Filters(rule="no-consent"))
    assert page is not None
    assert {line.matter.en for line in page.lines if line.matter} == {
        "Demographics",
        "Concomitant medication",
    }
    story.consent(number)  # signed this day, and recorded after the forms
    assert rules(story, number) == []


def test_a_signature_of_a_later_day_takes_nothing_back_and_a_dated_visit_is_judged_once(story: Story) -> None:
    number = story.screen()
    assert story.record("crc", number, "DM", {"SEX": "M"}).accepted
    on(story, "2026-06-02")
    story.consent(number)
    assert story.record("crc", number, "RISK", {"HTN": "Y"}).accepted  # after consent
    assert rules(story, number) == [("no-consent", "V1", 0)]
    story.done(
        "crc", DateVisit(story.subject(number), "V1", "2026-06-01")
    )  # now by its own day, and not twice
    assert rules(story, number) == [("no-consent", "V1", 0)]
    story.done("crc", DateVisit(story.subject(number), "V1", "2026-06-02", reason="misread"))
    assert rules(story, number) == []


def test_who_withdrew_had_consented(randomized) -> None:
    story, number, subject = randomized
    story.done("crc", WithdrawConsent(subject, "PARTICIPANT", "2026-06-01", "moves"))
    on(story, "2026-06-03")
    assert story.record("crc", number, "VS", {"VSDAT": "2026-06-01"}, "V2").accepted
    assert "no-consent" not in {rule for rule, _, _ in rules(story, number)}


def test_a_form_that_is_entered_weeks_after_its_visit(randomized) -> None:
    story, number, subject = randomized
    story.done("crc", DateVisit(subject, "V2", "2026-06-01"))
    on(story, "2026-06-15")
    assert story.record("crc", number, "VS", {"VSDAT": "2026-06-01"}, "V2").accepted
    assert rules(story, number) == []  # 14 days are tolerated
    on(story, "2026-06-16")
    assert story.record("crc", number, "PE", {"PEDAT": "2026-06-01"}, "V2").accepted
    assert rules(story, number) == [("late-entry", "V2", 15)]
    assert story.record(
        "crc", number, "PE", {"PEDAT": "2026-06-02"}, "V2"
    ).accepted  # only the first save counts
    assert rules(story, number) == [("late-entry", "V2", 15)]


def test_a_tube_that_was_not_handled_as_planned_and_one_that_is_not_used(randomized) -> None:
    story, number, subject = randomized
    on(story, "2026-06-02")
    # 60 minutes to spin and 120 to freeze, fasting (studies/nct07197606/specimens.yaml, kit BIO)
    story.done("crc", CollectSpecimen(subject, "BIO", "V2", "2026-06-01T08:00:00+08:00", "N"))
    assert rules(story, number) == [("specimen-handling", "V2", 0)]
    with story.desk.reading() as reader:
        [tube] = story.desk.standing_light(reader, subject).case.specimens.tubes
    times = "2026-06-01T09:01:00+08:00", "2026-06-01T10:00:00+08:00"
    story.done("crc", ProcessSpecimen(subject, tube, *times, "NONE"))
    page = story.desk.subject_deviations(story.who("crc"), number)
    assert page is not None
    said = [line.matter.say("zh") for line in page.lines if line.matter is not None]
    assert said == [f"{tube}：未空腹", f"{tube}：离心延迟"]
    story.done("crc", VoidSpecimen(subject, tube, "drawn again"))
    assert rules(story, number) == []


def test_who_may_read_deviations_and_of_which_sites(randomized) -> None:
    story, number, subject = randomized
    story.done("crc", RaiseDeviation(subject, "", "2026-06-01", "wrong room"))
    for actor in STAFF:
        log, own = (
            story.desk.study_deviations(story.who(actor), Filters()),
            story.desk.subject_deviations(story.who(actor), number),
        )
        sees = actor in {"crc", "pi", "cra", "spo", "dm", "stat"}
        assert (own is not None) is sees, actor
        assert (log.count if log else 0) == int(sees), actor
    assert story.desk.study_deviations(story.who("rater"), Filters()) is None


def test_the_log_is_filtered_by_how_far_each_is(randomized) -> None:
    story, _, subject = randomized
    for text in ("one", "two"):
        story.done("crc", RaiseDeviation(subject, "V2", "2026-06-01", text))
    cra = story.who("cra")
    log = story.desk.study_deviations(cra, Filters(severity="NONE", state="OPEN", rule="manual", site="01"))
    assert log is not None
    assert (log.count, log.unclassed, log.open) == (2, 2, 2)
    story.done("cra", ClassDeviation(subject, log.lines[0].id, "MAJOR", important=True))
    important = story.desk.study_deviations(cra, Filters(important=True))
    assert important is not None
    assert [line.id for line in important.lines] == [log.lines[0].id]
    assert story.refused("crc", ClassDeviation(subject, log.lines[1].id, "MINOR", important=False)) == {
        "access.not-allowed"
    }
    story.done("crc", ExplainDeviation(subject, log.lines[1].id, "was ill"))
    with story.desk.reading() as reader:
        rows = reader.rows.find(DEVIATIONS)
    assert sorted((row["severity"], row["explained"]) for row in rows) == [("", 1), ("MAJOR", 0)]


def test_following_gives_the_same_table_as_rebuilding(randomized) -> None:
    story, _, subject = randomized
    on(story, "2026-07-20")
    story.done("crc", DateVisit(subject, "V6", "2026-07-05"))
    story.done("crc", DateVisit(subject, "V6", "2026-07-01", reason="misread"))
    story.done("crc", MissVisit(subject, "V5", "TRAVEL"))
    with story.desk.reading() as reader:
        before = reader.rows.find(DEVIATIONS)
    ledger = story.desk.ledger
    rebuild(ledger.store, ledger.keys, ledger.followers)
    with story.desk.reading() as reader:
        assert reader.rows.find(DEVIATIONS) == before
    assert sorted(str(row["state"]) for row in before) == ["OPEN", "WITHDRAWN"]


def test_the_condition_of_the_release_is_met_only_when_every_one_is_classed(randomized) -> None:
    story, _, subject = randomized
    dm = story.who("dm")
    story.done("crc", RaiseDeviation(subject, "V2", "2026-06-01", "one"))
    met = RecordReleaseCondition("DEVIATIONS_CLASSED", met=True, reference="log of 1 June")
    refused = story.desk.submit(dm, met, key="condition 1 of the gate")
    assert [one.rule for one in refused.problems] == ["oversight.deviations-unclassed"]
    log = story.desk.study_deviations(dm, Filters())
    assert log is not None
    assert story.desk.submit(
        dm, ClassDeviation(subject, log.lines[0].id, "MINOR", important=False), key="class one of the gate"
    ).accepted
    assert story.desk.submit(dm, met, key="condition 2 of the gate").accepted

"""From a person at the door to a randomized participant with a scored NIHSS, and everything that may stop it."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from equipoise.consent.commands import RecordCapacity, RecordConsent, WithdrawConsent
from equipoise.desk.clock import SetClock
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from equipoise.desk.identities import IdentityInput
from equipoise.desk.setup import adopt, create_store, give, release
from equipoise.eligibility.commands import ConfirmEligibility, FailScreening
from equipoise.ledger.entries import Datum
from equipoise.oversight.commands import DeactivateSite, OpenStore, PauseEnrolment, ResumeEnrolment
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.randomization.commands import Randomize
from equipoise.words.problem import Problem
from stories.conftest import NIHSS, TODAY, Story, first_study, make_store


def test_the_whole_way(story: Story) -> None:
    number = story.screen()
    assert number == "01001"
    story.consent(number)
    story.assess(number)
    assert story.refused("crc", ConfirmEligibility(story.subject(number))) == {"access.not-allowed"}
    story.done("pi", ConfirmEligibility(story.subject(number)))
    outcome = story.randomize(number)
    assert outcome.accepted
    page = story.desk.randomization(story.who("crc"), number)
    assert page is not None
    assert page.randomization_number is not None
    assert [step.state for step in page.steps] == ["done"] * 5
    view = story.desk.form(story.who("rater"), number, "V1", "NIHSS")
    assert view is not None
    total = view.derived[0]
    assert (total.id, total.value) == ("NIH0116", "9")  # 2+3+2+1+1, by hand
    assert story.randomize(number).problems[0].rule == "randomization.already-randomized"


def test_an_ineligible_person_is_refused_by_the_name_of_the_criterion(story: Story) -> None:
    number = story.screen()
    story.consent(number)
    story.assess(number, nihss={**NIHSS, "4": "0", "9": "0", "10": "0"})  # 9 - 2 - 1 - 1 = 5
    refused = story.randomize(number)
    wheres = {problem.where for problem in refused.problems}
    assert "I04" in wheres
    page = story.desk.checklist(story.who("pi"), number)
    assert page is not None
    assert [each.id for each in page.criteria if each.good is False] == ["I04"]
    assert page.total == ("5", "5")
    story.done("pi", FailScreening(story.subject(number)))
    row = next(row for row in story.desk.subjects(story.who("crc")) if row.number == number)
    assert row.status == "SCREEN_FAILURE"


def test_a_stratum_that_is_not_determined_refuses_though_every_criterion_is_met(story: Story) -> None:
    """Item 11 missing: the total lies in 7..9, so I04 holds, but there is no official total."""
    number = story.screen()
    story.consent(number)
    story.assess(number, nihss={name: score for name, score in NIHSS.items() if name != "11"})
    story.done("pi", ConfirmEligibility(story.subject(number)))
    refused = story.randomize(number)
    assert {problem.rule for problem in refused.problems} == {"randomization.stratum-not-evaluable"}
    tasks = [task.kind for task in story.desk.today(story.who("crc")).tasks if task.subject == number]
    assert tasks == ["stratum_not_evaluable"]


def test_an_unknown_blocks_and_raises_a_task(story: Story) -> None:
    number = story.screen()
    story.consent(number)
    story.assess(number, onset="2026-05")  # between 1 and 31 days ago
    assert {problem.where for problem in story.randomize(number).problems} >= {"I02"}
    tasks = [task.kind for task in story.desk.today(story.who("crc")).tasks if task.subject == number]
    assert tasks == ["not_evaluable"]


def test_days_are_judged_on_the_day_of_randomization(story: Story) -> None:
    number = story.eligible()
    story.clock.at = TODAY + dt.timedelta(days=49)  # 42 + 49 = 91 days after the stroke
    assert {problem.where for problem in story.randomize(number).problems} >= {"I02"}


def test_what_was_confirmed_is_what_is_randomized_on(story: Story) -> None:
    """A score is corrected after the confirmation: still eligible, and still to be confirmed anew."""
    number = story.eligible()
    assert story.record("rater", number, "RISK", {"HTN": "Y"}).accepted  # no criterion asks for it
    assert story.record("rater", number, "NIHSS", {"11": "1"}).accepted
    assert {problem.rule for problem in story.randomize(number).problems} == {
        "randomization.confirmation-outdated"
    }
    tasks = [task.kind for task in story.desk.today(story.who("pi")).tasks if task.subject == number]
    assert tasks == ["ready_to_confirm"]
    assert not story.desk.checklist(story.who("pi"), number).confirmed  # type: ignore[union-attr]
    story.done("pi", ConfirmEligibility(story.subject(number)))
    assert story.randomize(number).accepted


def test_without_consent_nothing(story: Story) -> None:
    number = story.screen()
    story.assess(number)
    assert "randomization.no-consent" in {problem.rule for problem in story.randomize(number).problems}


def test_a_relative_counts_only_where_capacity_is_lacking(story: Story) -> None:
    number = story.screen()
    subject, day = story.subject(number), TODAY.date().isoformat()
    story.assess(number)
    story.done(
        "crc", RecordConsent(subject, "1.0", "LEGAL_REPRESENTATIVE", given=True, on=day, relation="daughter")
    )
    assert story.desk.checklist(story.who("pi"), number).consent == "unclear"  # type: ignore[union-attr]
    story.done("crc", RecordCapacity(subject, "LACKS", day))
    story.done("pi", ConfirmEligibility(subject))
    assert story.randomize(number).accepted


def test_withdrawal_ends_it(story: Story) -> None:
    number = story.eligible()
    story.done("crc", WithdrawConsent(story.subject(number), "PARTICIPANT", TODAY.date().isoformat()))
    assert "randomization.no-consent" in {problem.rule for problem in story.randomize(number).problems}


def test_a_pause_holds_randomization_and_nothing_else(story: Story) -> None:
    number = story.eligible()
    story.done("spo", PauseEnrolment("safety look"))
    assert {problem.rule for problem in story.randomize(number).problems} == {
        "randomization.enrolment-paused"
    }
    assert story.record("rater", number, "MRS", {"MRSSRC": "BOTH"}, "V2").accepted
    story.done("spo", ResumeEnrolment("done"))
    assert story.randomize(number).accepted


def test_a_site_that_is_closed_or_never_opened_does_not_randomize(story: Story) -> None:
    number = story.eligible()
    story.done("spo", DeactivateSite("01", "monitoring"))
    assert {problem.rule for problem in story.randomize(number).problems} == {"randomization.site-not-active"}
    other = story.screen("李四", actor="crc3", site="03")
    rules = {problem.rule for problem in story.randomize(other, "crc3").problems}
    assert {"randomization.site-not-active", "randomization.site-not-approved"} <= rules


def test_the_same_person_is_found_at_another_site(story: Story) -> None:
    story.eligible("王伟", "crc")
    again = story.desk.screen(
        story.who("crc2"), "02", IdentityInput("王 伟", "1962年3月7日", ""), key="again"
    )
    assert [problem.rule for problem in again.outcome.problems] == ["eligibility.person-in-screening"]


def test_who_is_confirmed_is_still_in_screening_elsewhere(story: Story) -> None:
    number = story.eligible("王伟")
    rows = {row.number: row.status for row in story.desk.subjects(story.who("crc"))}
    assert rows[number] == "ELIGIBLE"
    again = story.desk.screen(story.who("crc"), "01", IdentityInput("王伟", "1962-03-07", ""), key="again")
    assert [problem.rule for problem in again.outcome.problems] == ["eligibility.person-in-screening"]


def test_a_rescreening_is_linked_not_repeated(story: Story) -> None:
    number = story.screen("王伟")
    story.done("pi", FailScreening(story.subject(number), "came too early"))
    early = story.desk.screen(story.who("crc2"), "02", IdentityInput("王伟", "1962-03-07", ""), key="early")
    assert [problem.rule for problem in early.outcome.problems] == ["eligibility.rescreening-too-early"]
    story.clock.at = TODAY + dt.timedelta(days=8)
    second = story.screen("王伟", actor="crc2", site="02")
    page = story.desk.subject(story.who("crc2"), second)
    assert page is not None
    assert page.rescreening_of == number


def test_nobody_is_randomized_beyond_the_cap(tmp_path: Path) -> None:
    study = first_study()
    small = study.model_copy(update={"design": study.design.model_copy(update={"target": 1, "cap": 1})})
    make_store(tmp_path / "store", small, list_length=3)
    desk = open_desk(tmp_path / "store", kind=FrontDesk, clock=SetClock(TODAY))
    assert not isinstance(desk, Problem)
    story = Story(desk, SetClock(TODAY), tmp_path)
    assert story.randomize(story.eligible("甲")).accepted
    second = story.randomize(story.eligible("乙"))
    assert {problem.rule for problem in second.problems} == {"randomization.cap-reached"}
    desk.close()


def test_a_replayed_request_is_one_act(story: Story) -> None:
    number = story.eligible()
    first = story.submit("crc", Randomize(story.subject(number)), key="same")
    again = story.submit("crc", Randomize(story.subject(number)), key="same")
    assert first.accepted
    assert again.replayed
    assert again.receipt == first.receipt
    given = IdentityInput("丙", "1950-01-01", "")
    one = story.desk.screen(story.who("crc"), "01", given, key="twice")
    two = story.desk.screen(story.who("crc"), "01", given, key="twice")
    assert (two.number, two.outcome.replayed) == (one.number, True)


def test_a_stale_page_asks_a_person(story: Story) -> None:
    number = story.screen()
    base = story.record("rater", number, "NIHSS", {"3": "1"}).seq
    assert story.record("crc", number, "NIHSS", {"3": "2"}, base=base).accepted
    stale = story.record("rater", number, "NIHSS", {"3": "0"}, base=base)
    assert [problem.rule for problem in stale.problems] == ["capture.stale"]
    assert story.record("rater", number, "NIHSS", {"4": "1"}, base=base).accepted  # another item: no conflict


def test_a_changed_value_of_a_completed_form_needs_its_reason(story: Story) -> None:
    number = story.screen()
    day = TODAY.date().isoformat()
    assert story.record("rater", number, "NIHSS", {**NIHSS, "NIHSSDAT": day}, complete=True).accepted
    silent = story.record("rater", number, "NIHSS", {"3": "1"})
    assert [problem.rule for problem in silent.problems] == ["capture.reason-required"]
    assert story.record("rater", number, "NIHSS", {"3": "1"}, reason="transcription error").accepted
    rows = story.desk.history(story.who("cra"), number, "V1", "NIHSS", 1, "3")
    assert rows is not None
    assert [
        (row.old.en[:1] if row.old else "", row.new.en[:1] if row.new else "", row.reason) for row in rows
    ] == [
        ("0", "1", "transcription error"),
        ("", "0", ""),
    ]


def test_untestable_needs_a_reason_and_leaves_a_total_with_a_mark(story: Story) -> None:
    number = story.screen()
    bare = story.record("rater", number, "NIHSS", {**NIHSS, "5b": Datum(missing="UN")})
    assert [problem.rule for problem in bare.problems] == ["capture.code-unexplained"]
    assert story.record(
        "rater", number, "NIHSS", {**NIHSS, "5b": Datum(missing="UN", why="amputation")}
    ).accepted
    view = story.desk.form(story.who("rater"), number, "V1", "NIHSS")
    assert view is not None
    assert (view.derived[0].value, view.derived[0].bounds, view.derived[0].untestable) == (
        "6",
        ("6", "10"),
        ("5b",),
    )


def test_other_sites_do_not_exist_for_a_coordinator(story: Story) -> None:
    number = story.eligible()
    other = story.who("crc2")
    assert story.desk.subjects(other) == ()
    assert story.desk.subject(other, number) is None
    assert story.desk.form(other, number, "V1", "NIHSS") is None
    assert story.desk.history(other, number, "V1", "NIHSS", 1) is None
    assert story.randomize(number, "crc2").problems[0].rule == "access.other-site"


def test_a_fake_clock_does_not_run_on_a_trial(tmp_path: Path) -> None:
    desk = create_store(tmp_path / "trial", first_study(), "trial")
    assert not isinstance(desk, tuple)
    desk.close()
    refused = open_desk(tmp_path / "trial", clock=SetClock(TODAY))
    assert isinstance(refused, Problem)
    assert refused.rule == "desk.rehearsal-only"


def test_a_second_desk_on_the_same_store_is_refused(story: Story) -> None:
    second = open_desk(story.folder)
    assert isinstance(second, Problem)
    assert second.rule == "ledger.locked"


def test_a_definition_changed_after_participants_exist_changes_nothing_until_released(
    story: Story, tmp_path: Path
) -> None:
    number = story.eligible()
    before = story.desk.study.version
    folder = tmp_path / "changed"
    shutil.copytree(Path(__file__).resolve().parents[2] / "studies" / "nct07197606", folder)
    text = (folder / "eligibility.yaml").read_text("utf-8")
    changed = text.replace("in 18..70", "in 18..60", 1)
    assert changed != text
    (folder / "eligibility.yaml").write_text(changed, "utf-8")
    study = load_study(folder)
    assert isinstance(study, Study)
    assert story.desk.study.version == before
    refused = release(story.desk, study)
    assert [problem.rule for problem in refused] == ["oversight.version-reused"]
    assert release(story.desk, study.model_copy(update={"version": "1.1"})) == ()
    assert story.desk.study.version == "1.1"
    assert story.desk.study_of(number).version == before  # released, and not yet adopted by the site
    today = TODAY.date().isoformat()
    assert adopt(story.desk, "01", "1.1", "EC-01-2", today, today) == ()
    assert {problem.where for problem in story.randomize(number).problems} >= {"I01"}  # 64 years old


@pytest.mark.parametrize("actor", ["spo", "cra"])
def test_who_may_not_write_does_not(story: Story, actor: str) -> None:
    number = story.screen()
    assert story.record(actor, number, "NIHSS", {"3": "1"}).problems[0].rule == "access.not-allowed"


def test_setting_up_twice_changes_nothing(story: Story) -> None:
    assert [problem.rule for problem in give(story.desk, OpenStore("trial"))] == [
        "oversight.store-has-purpose"
    ]


def test_a_check_may_compare_with_the_day_of_consent(story: Story) -> None:
    """The talk about consent is dated after the signature: recorded, and asked about."""
    number = story.screen()
    story.consent(number)
    story.clock.at += dt.timedelta(days=2)
    late = (TODAY + dt.timedelta(days=1)).date().isoformat()
    assert story.record("crc", number, "ICF", {"ICTALK": late}).accepted
    view = story.desk.form(story.who("crc"), number, "V1", "ICF")
    assert view is not None
    raised = [query.message.en for item in view.items for query in item.queries if query.state == "OPEN"]
    assert len(raised) == 1
    assert "after the signature" in raised[0]

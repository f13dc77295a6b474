"""Doses through the desk: what is captured is what the gate reads, what others did is known, who rates sees nothing.

Sources: DESIGN 5 (pharmacy), the notes on blinding (L18: who rates does not see what happens around an infusion) and on
interim rules (24 hours between the first 3 treated participants).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pytest

from equipoise.access.commands import SYSTEM
from equipoise.capture.commands import AnswerQuery, RaiseQuery
from equipoise.desk.followers import BAGS, DOSES
from equipoise.desk.setup import release
from equipoise.desk.supply_page import RequestView
from equipoise.ledger.entries import Datum
from equipoise.oversight.commands import EnrolSecondDoor, RecordRecall
from equipoise.supply.commands import (
    CheckBag,
    DecideDosing,
    EndInfusion,
    JudgeDosing,
    RecordBagRelease,
    RecordWrongBag,
    RejectBag,
    RequestPreparation,
    ReturnBag,
    StartInfusion,
)
from stories.conftest import STAFF, Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


@dataclass
class Ward:
    """One randomized participant of a story, and the steps of a dose."""

    story: Story
    number: str
    statements: list[str] = field(default_factory=list)

    @property
    def subject(self) -> str:
        return self.story.subject(self.number)

    def clock(self, minutes: float = 0) -> str:
        return (self.story.clock.at + dt.timedelta(minutes=minutes)).isoformat()

    def before_release(self, visit: str = "V2", **changes: str | Datum) -> None:
        day = (self.story.clock.at + dt.timedelta(hours=8)).date().isoformat()
        items = {"RELDAT": day, "RELTEMP": "36.8", "RELINF": "N", "RELICH": "N", "RELPREG": "N", **changes}
        done = self.story.record("crc", self.number, "DOSREL", items, visit)
        assert done.accepted, [one.say() for one in done.problems]

    def at_the_bedside(self, visit: str = "V2", **changes: str | Datum) -> None:
        day = (self.story.clock.at + dt.timedelta(hours=8)).date().isoformat()
        items = {
            "BEDDAT": day,
            "BEDTIM": "10:00",
            "BEDTEMP": "36.9",
            "BEDINF": "N",
            "BEDNEURO": "N",
            **changes,
        }
        done = self.story.record("crc", self.number, "DOSBED", items, visit)
        assert done.accepted, [one.say() for one in done.problems]

    def ask(self, dose: str = "D1") -> RequestView:
        self.story.done("crc", RequestPreparation(self.subject, dose, self.clock(60), "70.5"))
        return self.newest(dose)

    def newest(self, dose: str = "D1") -> RequestView:
        page = self.story.desk.infusions(self.story.who("crc"), self.number)
        assert page is not None
        return next(one for one in page.doses if one.id == dose).requests[-1]

    def release(self, bag: str, dose: str = "D1", minutes: float = 110) -> None:
        command = RecordBagRelease(self.subject, self.newest(dose).request, bag, self.clock(minutes), 1, "00")
        done = self.story.desk.submit(SYSTEM, command, key=f"statement {bag}")
        assert done.accepted, [one.say() for one in done.problems]

    def scan(self, bag: str, dose: str = "D1") -> CheckBag:
        return CheckBag(self.subject, self.newest(dose).request, bag, self.number, "pi")

    def begin(self, bag: str, dose: str = "D1") -> None:
        request = self.newest(dose).request
        self.story.done("crc", JudgeDosing(self.subject, request, "BEDSIDE"))
        self.story.done("crc", self.scan(bag, dose))
        self.story.done("crc", StartInfusion(self.subject, request, bag, self.clock()))


@pytest.fixture
def ward(story: Story) -> Ward:
    number = story.eligible()
    assert story.randomize(number).accepted
    return Ward(story, number)


def _kinds(story: Story, subject: str) -> list[str]:
    with story.desk.reading() as reader:
        return [one.header.kind for one in reader.entries(f"subject/{subject}")]


def _rules(story: Story, actor: str, command: object) -> set[str]:
    return {rule.partition(".")[2] for rule in story.refused(actor, command)}


def test_one_dose_from_request_to_return(ward: Ward) -> None:
    story = ward.story
    ward.before_release()
    one = ward.ask()
    assert one.stage == "REQUESTED"
    assert {condition.result for condition in one.gates[0].conditions} == {"T"}
    ward.release("4711")
    ward.at_the_bedside()
    ward.begin("4711")
    story.clock.at += dt.timedelta(minutes=45)
    assert ward.newest().minutes == 45
    story.done("crc", EndInfusion(ward.subject, one.request, ward.clock(), "COMPLETE", "100"))
    story.done("crc", ReturnBag(ward.subject, one.request, "4711", "2"))
    assert _kinds(story, ward.subject)[-8:] == [
        "DosingJudged", "BagReleased", "FormSaved", "DosingJudged", "BagChecked", "InfusionStarted", "InfusionEnded",
        "BagReturned",
    ]  # fmt: skip
    with story.desk.reading() as reader:
        assert story.desk.standing_light(reader, ward.subject).facts.infused
        (row,) = reader.rows.find(DOSES)
        assert (row["stage"], row["bag"]) == ("ENDED", "4711")
        (bag,) = reader.rows.find(BAGS)
        assert bag["state"] == "RETURNED"
    due = story.desk.due(story.who("crc"))
    assert due is not None
    assert due.lines == ()
    assert [label.en for _, label in due.waiting] == ["Infusion 2"]
    assert due.totals == {"RELEASED": 0, "GIVEN": 0, "REJECTED": 0, "RETURNED": 1}


def test_what_nobody_recorded_holds_the_dose_and_the_investigator_is_asked(ward: Ward) -> None:
    story = ward.story
    ward.before_release(RELPREG=Datum(missing="ND"))
    one = ward.ask()
    assert one.stage == "HELD"
    assert [label.en for label in one.held] == ["Not pregnant"]
    (gate,) = one.gates
    pregnancy = next(condition for condition in gate.conditions if condition.id == "not-pregnant")
    assert pregnancy.result == "U"
    assert pregnancy.why.en
    assert pregnancy.why.zh
    for actor in ("pi", "crc"):
        view = story.desk.today(story.who(actor))
        assert view is not None
        assert "dose_held" in {task.kind for task in view.tasks}
    give = DecideDosing(ward.subject, one.request, "GIVE", "not asked")
    assert _rules(story, "crc", give) == {"not-allowed"}  # a coordinator decides nothing
    assert _rules(story, "pi", give) == {"condition-stands"}
    ward.before_release()
    story.done("pi", DecideDosing(ward.subject, one.request, "GIVE", "test done, negative"))
    assert ward.newest().stage == "REQUESTED"
    assert ward.newest().decided_by == "PI"


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({"RELTEMP": "38.0"}, ["No fever before release"]),  # below 38.0 is the condition
        ({"RELTEMP": "37.9"}, []),
        ({"RELINF": "Y"}, ["No active infection before release"]),
        ({"RELICH": "Y"}, ["No intracranial haemorrhage on imaging"]),
        ({"RELDAT": "2026-05-30"}, ["Checked within a day before release"]),  # two days ago
    ],
)
def test_the_gate_of_the_study(ward: Ward, changes, held) -> None:
    ward.before_release(**changes)
    assert [label.en for label in ward.ask().held] == held


def test_the_first_infusion_is_within_90_days_of_the_stroke(ward: Ward) -> None:
    ward.story.clock.at += dt.timedelta(
        days=49
    )  # onset 2026-04-20 is 42 days before the first day of the story
    ward.before_release()
    assert [label.en for label in ward.ask().held] == ["14 to 90 days after the stroke"]


def test_consent_that_was_withdrawn_stops_the_dose_for_everybody(ward: Ward) -> None:
    from equipoise.consent.commands import WithdrawConsent

    ward.before_release()
    one = ward.ask()
    ward.story.done("crc", WithdrawConsent(ward.subject, "PARTICIPANT", "2026-06-01"))
    ward.story.done("crc", JudgeDosing(ward.subject, one.request, "RELEASE"))
    assert [label.en for label in ward.newest().held] == ["Consent is in force"]
    assert _rules(ward.story, "pi", DecideDosing(ward.subject, one.request, "GIVE", "x")) == {
        "condition-stands"
    }


def _dosed(story: Story, name: str, bag: str) -> Ward:
    number = story.eligible(name)
    assert story.randomize(number).accepted
    one = Ward(story, number)
    one.before_release()
    one.ask()
    one.release(bag)
    one.at_the_bedside()
    return one


def test_the_first_three_are_a_day_apart_and_nobody_may_decide_otherwise(story: Story) -> None:
    first = _dosed(story, "甲", "1111")
    first.begin("1111")
    story.clock.at += dt.timedelta(hours=2)
    second = Ward(story, story.eligible("乙"))
    story.randomize(second.number)
    second.before_release()
    one = second.ask()
    assert [label.en for label in one.held] == ["Time since the first participants were treated"]
    assert _rules(story, "pi", DecideDosing(second.subject, one.request, "GIVE", "x")) == {"condition-stands"}
    story.clock.at += dt.timedelta(hours=22)  # 24 hours after the first began
    second.before_release()
    story.done("pi", DecideDosing(second.subject, one.request, "GIVE", "a day has passed"))


def test_a_bag_of_another_participant_is_named_with_whose_it_is(story: Story) -> None:
    one = _dosed(story, "甲", "1111")
    story.desk.submit(
        story.who("crc"),
        EndInfusion(one.subject, one.newest().request, one.clock(), "COMPLETE", "100"),
        key="x",
    )
    other = Ward(story, story.eligible("乙"))
    story.randomize(other.number)
    other.before_release()
    other.ask()
    other.release("2222")
    refused = story.submit("crc", one.scan("2222"))
    assert [problem.rule for problem in refused.problems] == ["supply.wrong-bag-of"]
    said = refused.problems[0].say("en")
    assert other.number in said
    assert "1111" in said
    # it was given all the same: both truths, and the other participant's bag is not used again
    story.done("crc", RecordWrongBag(one.subject, one.newest().request, "2222", "one trolley"))
    assert "bag-given-to-another" in _rules(story, "crc", other.scan("2222"))
    story.done(
        "crc", RejectBag(other.subject, other.newest().request, "2222", "OTHER", "given to somebody else")
    )


def test_a_recall_reaches_the_bedside_and_today(story: Story) -> None:
    one = _dosed(story, "甲", "1111")
    key = "ab" * 32
    for command in (EnrolSecondDoor(key), RecordRecall("notice 1", ("1111", "9999"), 1, "00")):
        done = story.desk.submit(SYSTEM, command, key=type(command).__name__)
        assert done.accepted, [problem.say() for problem in done.problems]
    assert _rules(story, "crc", one.scan("1111")) == {"bag-recalled"}
    page = story.desk.infusions(story.who("crc"), one.number)
    assert page is not None
    assert page.doses[0].requests[0].bags[0].recalled
    today = story.desk.today(story.who("crc"))
    assert today is not None
    assert "bag_recalled" in {task.kind for task in today.tasks}
    story.done("crc", RejectBag(one.subject, one.newest().request, "1111", "RECALLED"))
    one.release("9999")  # a bag that was recalled before it was heard of
    assert _rules(story, "crc", one.scan("9999")) == {"bag-recalled"}


def test_a_form_hidden_from_nobody_that_there_is_does_not_come_into_force(story: Story) -> None:
    study = story.desk.study
    forms = tuple(form.model_copy(update={"hidden_from": ("raters",)}) for form in study.forms[:1])
    changed = study.model_copy(update={"forms": (*forms, *study.forms[1:])})
    assert {problem.rule for problem in release(story.desk, changed)} == {"desk.study-role-unknown"}


def test_what_was_measured_for_the_first_dose_is_no_answer_for_the_second(ward: Ward) -> None:
    story = ward.story
    ward.before_release()
    ward.ask()
    ward.release("4711")
    ward.at_the_bedside()
    ward.begin("4711")
    story.done(
        "crc", EndInfusion(ward.subject, ward.newest().request, ward.clock(), "STOPPED", "50", "rigors")
    )
    story.clock.at += dt.timedelta(hours=20)
    one = ward.ask("D2")
    assert one.stage == "HELD"
    results = {condition.id: condition.result for condition in one.gates[0].conditions}
    assert "days-since-stroke" not in results  # of the first infusion only
    assert results["no-fever"] == "U"
    ward.before_release("V4")
    assert {c.result for c in ward.newest("D2").gates[0].conditions} == {"T"}


# --- who rates sees nothing of it ----------------------------------------------------------------------------------


def test_who_rates_sees_neither_the_page_nor_a_task_nor_the_forms(ward: Ward) -> None:
    story, desk = ward.story, ward.story.desk
    rater = story.who("rater")
    before = _seen(story, ward.number)
    ward.before_release()
    ward.ask()
    ward.release("4711")
    ward.at_the_bedside()
    assert story.record("crc", ward.number, "AE", {"AETERM": "Fever"}, "LOG").accepted
    assert story.record("crc", ward.number, "VS", {"TEMP": "39.1"}, "V2").accepted
    story.done("cra", RaiseQuery(ward.subject, "V2", "VS", 1, "TEMP", "Really?"))
    assert desk.infusions(rater, ward.number) is None
    assert desk.due(rater) is None
    for form in ("DOSREL", "DOSBED", "INF", "INFVS", "AE", "VS", "CM"):
        assert desk.form(rater, ward.number, "V2", form) is None
        assert desk.history(rater, ward.number, "V2", form, 1) is None
    assert _seen(story, ward.number) == before
    row = desk.form(story.who("crc"), ward.number, "V2", "VS")
    assert row is not None
    query = next(query.id for item in row.items for query in item.queries)
    assert "form-hidden" in _rules(story, "rater", AnswerQuery(ward.subject, query, "yes"))
    refused = story.record("rater", ward.number, "VS", {"TEMP": "39.2"}, "V2", base=99)
    assert [problem.rule for problem in refused.problems] == ["access.form-hidden"]
    shown = desk.form(rater, ward.number, "V2", "NIHSS")
    assert shown is not None
    beside = {path[1] for path in (shown.previous, shown.next) if path is not None}
    assert not beside & {"DOSREL", "DOSBED", "INF", "INFVS", "AE", "VS", "CM"}


def _seen(story: Story, number: str) -> list[object]:
    """Everything that a rater's pages say of a participant."""
    desk, rater = story.desk, story.who("rater")
    view, rows, today = desk.subject(rater, number), desk.subjects(rater), desk.today(rater)
    assert view is not None
    assert rows is not None
    assert today is not None
    return [view.rows, view.columns, view.tasks, rows, today.tasks, today.open_queries]


def test_raters_have_no_command_and_no_word_of_supply() -> None:
    from equipoise.access.roles import ROLES

    commands = {
        name
        for name in ROLES["coordinator"].commands
        if "Bag" in name or "Infusion" in name or "Dosing" in name
    }
    assert len(commands) >= 8
    for role in ROLES.values():
        if role.id not in {"coordinator", "investigator", "system"}:
            assert not role.commands & commands, role.id
    assert "supply" not in ROLES["rater"].reads
    assert STAFF["rater"][0] == "rater"


def test_forms_are_hidden_from_roles_that_there_are(story: Story) -> None:
    from equipoise.access.roles import ROLES

    named = {role for form in story.desk.study.forms for role in form.hidden_from}
    assert named
    assert named <= set(ROLES)

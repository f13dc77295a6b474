"""Closing over a real desk: queues, coverage, signatures and what they show, the checklist and the lock."""

from __future__ import annotations

import datetime as dt

import pytest

from equipoise.capture.closing.change import BLIND_ONLY, shut
from equipoise.capture.closing.commands import (
    FreezeData,
    ProposeDatabaseLock,
    RecordLockCondition,
    SignForms,
    VerifyItems,
)
from equipoise.capture.closing.shown import shown_digest
from equipoise.capture.commands import DateVisit, MissVisit, RaiseQuery, RecordForm, ReopenVisit
from equipoise.capture.evolve import Place
from equipoise.consent.commands import WithdrawConsent
from equipoise.desk.closing_tables import CLOSINGS
from equipoise.desk.identities import IdentityInput
from equipoise.desk.lock_checklist import checklist
from equipoise.ledger.entries import FormsSigned, SignedPlace
from equipoise.ledger.facts import Facts
from equipoise.oversight.commands import (
    ClassDeviation,
    CloseDeviation,
    ExplainDeviation,
    RaiseDeviation,
    RecordReleaseCondition,
    ReopenDeviation,
    WithdrawDeviation,
)
from equipoise.randomization.commands import RequestCodeBreak
from locking import lock_database, unlock_database
from stories.conftest import NIHSS, Story, made_store, story

__all__ = ["made_store", "story"]
SCALE = Place("V1", "NIHSS", 1)


def scaled(one: Story) -> str:
    """A participant with a complete scale."""
    number = one.screen()
    one.consent(number)
    one.record("rater", number, "NIHSS", {**NIHSS, "NIHSSDAT": "2026-05-30"}, complete=True)
    return number


def randomized(one: Story) -> str:
    number = one.eligible()
    outcome = one.randomize(number)
    assert outcome.accepted, [problem.say() for problem in outcome.problems]
    return number


def signing(one: Story, number: str, *places: Place) -> tuple[SignedPlace, ...]:
    state = one.captured(number)
    return tuple(SignedPlace(*place, shown_digest(one.desk.study, state, place)) for place in places)


def test_what_the_queue_shows_is_what_is_signed_and_it_leaves_the_queue(story):
    number = scaled(story)
    view = story.desk.signing(story.who("pi"))
    assert view is not None
    (form,) = view.forms
    assert (form.number, form.place, view.total, view.may_sign) == (number, SCALE, 1, True)
    words = {row.id: row.value.en for row in form.rows if row.value is not None}
    assert (words["4"][:2], words["5b"][:2], words["8"][:2]) == ("2 ", "3 ", "0 ")  # stories.conftest.NIHSS
    assert "9" in {value for _, value in form.derived}  # the official total, there as well
    places = (SignedPlace(*form.place, form.digest),)
    story.done("pi", SignForms(story.subject(number), places, "FORM", story.desk.proofs.give("pi", "DEMO")))
    assert story.desk.signing(story.who("pi")).total == 0


def test_a_broken_signature_comes_back_with_what_changed(story):
    number = scaled(story)
    story.sign("pi", number, [SCALE])
    story.record("rater", number, "NIHSS", {"8": "2"}, reason="misread")
    (form,) = story.desk.signing(story.who("pi")).forms
    assert form.before is not None
    assert form.before.broken
    assert form.before.demo
    assert form.before.by
    changed = [row for row in form.rows if row.changed]
    assert [row.id for row in changed] == ["8"]
    assert changed[0].was.en.startswith("0 ")
    assert changed[0].value.en.startswith("2 ")
    story.sign("pi", number, [SCALE])
    assert story.desk.signing(story.who("pi")).total == 0


def test_a_signature_says_what_stood_at_its_entry(story):
    """The digest in the ledger is that of the form folded up to the signature: an inspector can render it again."""
    number = scaled(story)
    story.sign("pi", number, [SCALE])
    story.record("rater", number, "NIHSS", {"8": "2"}, reason="misread")
    from equipoise.capture.evolve import START, evolve

    with story.desk.reading() as reader:
        stream = reader.entries(f"subject/{story.subject(number)}")
        record = story.desk.trial(reader).record
    state = START
    for recorded in stream:
        if isinstance(recorded.entry, FormsSigned):
            assert recorded.entry.places[0].shown == shown_digest(record, state, SCALE)
            break
        state = evolve(state, recorded)
    else:
        pytest.fail("no signature stands in the stream")


def test_a_save_that_races_a_signature_leaves_one_of_them_refused(story):
    number = scaled(story)
    places = signing(story, number, SCALE)
    story.record("rater", number, "NIHSS", {"8": "2"}, reason="misread")
    command = SignForms(story.subject(number), places, "FORM", story.desk.proofs.give("pi", "DEMO"))
    assert story.refused("pi", command) == {"closing.shown-differs"}


def test_a_proof_is_one_person_s_for_a_minute(story):
    number = scaled(story)
    places = signing(story, number, SCALE)

    def sign(token: str, actor: str = "pi") -> set[str]:
        return story.refused(actor, SignForms(story.subject(number), places, "FORM", token))

    assert sign("none-such") == {"closing.proof-missing"}
    assert sign(story.desk.proofs.give("crc", "DEMO")) == {"closing.proof-missing"}
    late = story.desk.proofs.give("pi", "DEMO")
    story.clock.at += dt.timedelta(seconds=61)
    assert sign(late) == {"closing.proof-missing"}
    assert story.refused("crc", SignForms(story.subject(number), places, "FORM", late)) == {
        "access.not-allowed"
    }


def test_a_second_click_on_sign_is_the_same_signature(story):
    number = scaled(story)
    places = signing(story, number, SCALE)
    done = [
        story.submit(
            "pi",
            SignForms(story.subject(number), places, "FORM", story.desk.proofs.give("pi", "DEMO")),
            key="one",
        )
        for _ in range(2)
    ]
    assert [outcome.replayed for outcome in done] == [False, True]
    assert done[0].receipt == done[1].receipt


def test_the_queue_of_verification_follows_the_plan_and_what_changes(story):
    number = randomized(story)
    story.record("rater", number, "NIHSS", {"NIHSSDAT": "2026-05-30"}, complete=True)
    subject = story.subject(number)
    view = story.desk.verification(story.who("cra"))
    assert view is not None
    complete = {line.place for line in view.lines if line.number == number}
    assert complete, "the first of a site is verified in full"
    assert all(line.full for line in view.lines if line.number == number)
    place = Place(*sorted(complete)[0])
    page = story.desk.verify(story.who("cra"), number, place)
    assert page is not None
    items = tuple(row.id for row in page.shown.rows if row.value is not None)
    story.done("cra", VerifyItems(subject, *place, page.base, items))
    assert place not in {
        line.place for line in story.desk.verification(story.who("cra")).lines if line.number == number
    }
    (site,) = [one for one in story.desk.verification(story.who("cra")).coverage if one.site == "01"]
    assert site.verified == 1
    item = "8"
    outcome = story.record("rater", number, place.form, {item: "2"}, place.visit, reason="misread")
    assert outcome.accepted, [problem.say() for problem in outcome.problems]
    again = story.desk.verify(story.who("cra"), number, place)
    assert again is not None
    assert again.changed == {item}
    (row,) = [row for row in again.shown.rows if row.id == item]
    assert row.changed
    assert row.was is not None
    (line,) = [
        one
        for one in story.desk.verification(story.who("cra")).lines
        if (one.number, one.place) == (number, place)
    ]
    assert line.state == "CHANGED"


# --- the lock ---------------------------------------------------------------------------------------------------------


def proof(one: Story, actor: str) -> str:
    return one.desk.proofs.give(actor, "DEMO")


def locked(one: Story) -> None:
    lock_database(one.desk, one.who("dm"), one.who("stat"))


def test_after_the_lock_nothing_of_anybody_changes_but_an_arm_can_be_asked_for(story):
    number = scaled(story)
    subject = story.subject(number)
    locked(story)
    base = story.desk.form_seq(subject, *SCALE)
    refused = {"closing.database-locked"}
    assert {
        one.rule for one in story.record("rater", number, "NIHSS", {"8": "2"}, reason="x", base=base).problems
    } == refused
    for actor, command in (
        ("crc", DateVisit(subject, "V1", "2026-05-30")),
        ("crc", WithdrawConsent(subject, "PARTICIPANT", "2026-06-01")),
        ("cra", RaiseQuery(subject, *SCALE, "8", "Which side?")),
        ("dm", FreezeData(subject)),
    ):
        assert story.refused(actor, command) == refused
    assert (
        story.desk.screen(story.who("crc"), "01", _somebody(), key="late").outcome.problems[0].rule in refused
    )
    asked = RequestCodeBreak(subject, "r1", "EMERGENCY", urgent=True, to="SELF", reason="anaphylaxis")
    assert "closing.database-locked" not in {one.rule for one in story.submit("pi", asked).problems}
    view = story.desk.lock(story.who("dm"))
    assert view is not None
    assert view.locked
    assert view.acts == ("propose-unlock",)


def _somebody() -> IdentityInput:
    return IdentityInput("李四", "1960-01-01", "00000000000")


def test_the_release_condition_follows_the_lock_and_is_not_typed(story):
    typed = RecordReleaseCondition("DATABASE_LOCKED", met=True, reference="I say so")
    assert story.refused("dm", typed) == {"oversight.condition-of-another-role"}
    locked(story)
    assert _condition(story) is True
    unlock_database(story.desk, story.who("dm"), story.who("stat"))
    assert _condition(story) is False


def _condition(one: Story) -> bool:
    with one.desk.reading() as reader:
        return one.desk.trial(reader).state.gate.conditions["DATABASE_LOCKED"].met


def test_each_line_of_the_checklist_counts_what_is_there(story):
    def lines() -> dict[str, int]:
        with story.desk.reading() as reader:
            return {line.id: line.count for line in checklist(reader, story.desk.trial(reader))}

    before = lines()
    assert before["OPEN_QUERIES"] == before["FORMS_INCOMPLETE"] == before["FORMS_UNSIGNED"] == 0
    number = scaled(story)
    assert lines()["FORMS_UNSIGNED"] == 1
    story.sign("pi", number, [SCALE])
    assert lines()["FORMS_UNSIGNED"] == 0
    story.done("cra", RaiseQuery(story.subject(number), *SCALE, "8", "Which side?"))
    assert lines()["OPEN_QUERIES"] == 1
    story.record("crc", number, "DM", {"SEX": "F"})
    assert lines()["FORMS_INCOMPLETE"] == 1
    for condition, line in (("REVEALING_SETTLED", "REVEALING_UNSETTLED"), ("NOTHING_UNSENT", "UNSENT")):
        assert lines()[line] == 1
        story.done("dm", RecordLockCondition(condition, met=True, reference="statement 12"))
        assert lines()[line] == 0
    assert story.refused("dm", ProposeDatabaseLock(proof(story, "dm"))) >= {
        "closing.left-open-queries",
        "closing.left-forms-incomplete",
    }


def test_a_planned_form_that_nobody_began_is_on_the_checklist(story):
    def incomplete() -> int:
        with story.desk.reading() as reader:
            return next(
                line.count
                for line in checklist(reader, story.desk.trial(reader))
                if line.id == "FORMS_INCOMPLETE"
            )

    number = randomized(story)
    with story.desk.reading() as reader:
        study = story.desk.trial(reader).study
        begun = {(str(row["visit"]), str(row["form"])) for row in reader.rows.find(CLOSINGS)}
        unfinished = reader.rows.count(CLOSINGS, {"complete": 0})
    planned = {
        (visit, form)
        for activity in study.schedule.activities
        if not activity.optional
        for visit in activity.visits
        for form in activity.forms
        if study.visit(visit).day is not None
        and study.form(form).log is None  # rows of a running list stand with the participant, not at a visit
    }
    assert len(planned - begun) > 100
    assert incomplete() == len(planned - begun) + unfinished
    missed = {(visit, form) for visit, form in planned - begun if visit == "V9"}
    story.done("crc", MissVisit(story.subject(number), "V9", "TRAVEL", "abroad"))
    assert incomplete() == len(planned - begun) + unfinished - len(missed)
    assert missed
    story.done("crc", ReopenVisit(story.subject(number), "V9", 1, "came after all"))
    assert incomplete() == len(planned - begun) + unfinished
    # after an early end only the visits of which something was recorded are expected: here V1, the end itself has no day
    story.done("crc", DateVisit(story.subject(number), "V1", "2026-06-01"))
    story.done("crc", DateVisit(story.subject(number), "ET", "2026-06-01"))
    assert incomplete() == len({place for place in planned - begun if place[0] == "V1"}) + unfinished


def test_a_form_shows_its_signature_and_what_changed_since_it_broke(story):
    """Who, as what, when at the site, in which meaning (21 CFR 11.50); a change breaks it and shows itself."""
    number = scaled(story)
    page = story.desk.form(story.who("crc"), number, "V1", "NIHSS")
    assert page is not None
    assert page.signed == ()
    story.sign("pi", number, [SCALE])
    page = story.desk.form(story.who("crc"), number, "V1", "NIHSS")
    assert page is not None
    (one,) = page.signed
    assert (one.signature.role.en, one.signature.meaning, one.signature.broken, one.changed) == (
        "Investigator", "closing.meaning-form", False, (),
    )  # fmt: skip
    assert one.signature.at.startswith("2026-06-01 10:")  # TODAY of the stories is 10 o'clock in Shanghai
    assert story.record("rater", number, "NIHSS", {"4": "1"}, reason="typed wrongly").accepted
    page = story.desk.form(story.who("crc"), number, "V1", "NIHSS")
    assert page is not None
    (one,) = page.signed
    assert one.signature.broken
    ((_, was, now),) = one.changed  # the total follows and is no answer
    assert (was.en[:2], now.en[:2]) == ("2 ", "1 ")  # NIHSS 4 of the stories is 2


def test_that_a_whole_form_was_not_done_stands_in_its_history(story):
    number = story.screen()
    story.consent(number)
    subject = story.subject(number)
    story.done("crc", RecordForm(subject, "V1", "RISK", 1, {}, 0, reason="was asleep", omit="ND"))
    base = story.desk.form_seq(subject, "V1", "RISK", 1)
    story.done("crc", RecordForm(subject, "V1", "RISK", 1, {}, base, reason="woke up", omit=""))
    rows = story.desk.history(story.who("crc"), number, "V1", "RISK", 1)
    assert rows is not None
    assert [(row.label.en, row.old and row.old.en[:2], row.new and row.new.en[:2], row.reason) for row in rows] == [
        ("The whole form", "ND", None, "woke up"),
        ("The whole form", None, "ND", "was asleep"),
    ]  # fmt: skip
    assert story.desk.history(story.who("crc"), number, "V1", "RISK", 1, "HTN") == ()


@pytest.mark.parametrize(("released", "rules"), [(False, set()), (True, {"closing.judged-blind-only"})])
def test_a_deviation_is_judged_after_the_lock_until_the_list_is_released(released, rules):
    """Decision 0027; ICH E9 5.2.1: analysis sets are settled blind."""
    facts = Facts(database_locked=True, list_released=released)
    judged = [
        ClassDeviation("s", "d", "MINOR", important=False),
        CloseDeviation("s", "d"),
        ReopenDeviation("s", "d", "why"),
        WithdrawDeviation("s", "d", "why"),
    ]
    said = {found.rule for one in judged if (found := shut(one, facts)) is not None}
    assert said == rules
    for told in (RaiseDeviation("s", "", "2026-06-01", "late"), ExplainDeviation("s", "d", "ill", "call")):
        assert shut(told, facts) is None
    assert {type(one).__name__ for one in judged} == BLIND_ONLY

"""Closing: what may still be changed, what verification and signatures stand for, and the lock of the database."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal
from typing import get_args

import pytest

from equipoise.capture.closed import Level
from equipoise.capture.closing.change import ACTS, MAY, STILL, Act, level_at, may_edit, shut
from equipoise.capture.closing.commands import (
    CLOSING_A_CASE,
    DatabaseCommand,
    FreezeData,
    LockData,
    LockDatabase,
    ProposeDatabaseLock,
    ProposeDatabaseUnlock,
    RecordLockCondition,
    ReviewForm,
    SignForms,
    UnfreezeData,
    UnlockData,
    UnlockDatabase,
    VerifyItems,
)
from equipoise.capture.closing.database import LINES, Database, decide_database, evolve_database
from equipoise.capture.closing.database import START as UNLOCKED
from equipoise.capture.closing.shown import shown_digest
from equipoise.capture.closing.signing import signature_state, to_sign
from equipoise.capture.closing.verifying import in_full, reviewed, undone_items, verified_items
from equipoise.capture.commands import AnswerQuery, DateVisit, RaiseQuery, RecordForm
from equipoise.capture.decide import decide
from equipoise.capture.evolve import START, Place, State, evolve
from equipoise.capture.snapshot import state_from_json, state_to_json
from equipoise.ledger.entries import (
    DataFrozen,
    Datum,
    FormSaved,
    QueryAsked,
    ReleaseConditionRecorded,
    SignedPlace,
)
from equipoise.ledger.facts import Facts, Occasion, Proof
from equipoise.protocol.study import Verification
from equipoise.randomization.commands import RequestCodeBreak
from equipoise.words.canonical import canonical_bytes, read_canonical
from equipoise.words.problem import catalogue
from rooms.capture.conduct_study import (
    KNOWN,
    OCCASION,
    made_definition,
    made_study,
    recorded,
    refused,
    rules,
    values,
    written,
)

STUDY = made_study()
VS, NEXT_VISIT = Place("V1", "VS", 1), Place("V2", "VS", 1)
FULL = values(DAT="2026-08-14", SYSBP="120", DIABP="80", SEX="M")
WHO = dataclasses.replace(OCCASION, by="pi")
PROVED = dataclasses.replace(KNOWN, proved=Proof("pi", "PASSWORD"))


class Book:
    """A participant's stream with the state that it makes; every step is decided."""

    def __init__(self) -> None:
        self.state: State = START
        self.seq = 0

    def add(self, entry: object) -> None:
        self.seq += 1
        self.state = evolve(self.state, recorded("subject/s1", self.seq, entry))

    def done(self, command: object, facts: Facts = PROVED) -> list[object]:
        new = [append.entry for append in written(decide(STUDY, self.state, facts, command, WHO))]
        for entry in new:
            self.add(entry)
        return new

    def refused(self, command: object, facts: Facts = PROVED) -> set[str]:
        return rules(decide(STUDY, self.state, facts, command, WHO))

    def save(self, items: dict[str, Datum], place: Place = VS, **more: object) -> list[object]:
        return self.done(RecordForm("s1", *place, items, self.seq, **more))

    def signing(self, *places: Place, meaning: str = "FORM") -> SignForms:
        shown = tuple(SignedPlace(*place, shown_digest(STUDY, self.state, place)) for place in places)
        return SignForms("s1", shown, meaning, "token")


@pytest.fixture
def book() -> Book:
    made = Book()
    made.save(FULL, complete=True)
    return made


# --- may this place still be changed? -------------------------------------------------------------------------------

SCOPES = {"form": ("V1", "VS", 1), "visit": ("V1", "", 0), "participant": ("", "", 0)}


def test_the_table_of_acts_is_whole():
    assert set(MAY) == set(get_args(Level))
    assert set().union(*MAY.values()) == set(get_args(Act))
    assert {command.__name__ for command in CLOSING_A_CASE} <= ACTS.keys()


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_what_is_frozen_is_not_edited_and_goes_on_otherwise(book, scope):
    book.done(FreezeData("s1", *scope))
    assert book.refused(RecordForm("s1", *VS, values(SYSBP="130"), book.seq, reason="x")) == {
        "closing.frozen"
    }
    assert book.refused(DateVisit("s1", "V1", "2026-08-01")) == {"closing.frozen"}
    assert not may_edit(book.state, KNOWN, *VS)
    assert book.refused(FreezeData("s1", *VS)) == {"closing.frozen-already"}
    raised = book.done(RaiseQuery("s1", *VS, "SYSBP", "Please check"))[0]
    book.done(AnswerQuery("s1", raised.query, "checked"))
    book.done(UnfreezeData("s1", *scope, "a correction"))
    assert book.save(values(SYSBP="130"), reason="x")


def test_what_is_frozen_is_this_and_nothing_beside_it(book):
    book.done(FreezeData("s1", "V1"))
    assert book.save(FULL, NEXT_VISIT)
    assert level_at(book.state, KNOWN, "V1", "NIHSS", 1) == "FROZEN"  # also what is begun later
    assert level_at(book.state, KNOWN, *NEXT_VISIT) == "OPEN"


def test_a_form_that_is_closed_with_its_visit_is_opened_with_it(book):
    book.done(FreezeData("s1", "V1"))
    assert book.refused(UnfreezeData("s1", *VS, "why")) == {"closing.closed-with-more"}


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_what_is_locked_stands_still_until_it_is_unlocked_with_a_reason(book, scope):
    book.done(book.signing(VS))
    book.done(LockData("s1", *scope))
    for command in (
        RecordForm("s1", *VS, values(SYSBP="130"), book.seq, reason="x"),
        DateVisit("s1", "V1", "2026-08-01"),
        RaiseQuery("s1", *VS, "SYSBP", "Please check"),
        VerifyItems("s1", *VS, book.seq, ("SYSBP",)),
        book.signing(VS),
    ):
        assert book.refused(command) == {"closing.locked"}
    assert book.refused(UnlockData("s1", *scope, " ")) == {"closing.reason-required"}
    book.done(UnlockData("s1", *scope, "a late source"))
    assert book.save(values(SYSBP="130"), reason="x")


def test_only_what_is_complete_signed_and_unquestioned_is_locked(book):
    assert book.refused(LockData("s1", *VS)) == {"closing.lock-unsigned"}
    book.done(book.signing(VS))
    book.done(RaiseQuery("s1", *VS, "SYSBP", "Please check"))
    assert book.refused(LockData("s1", *VS)) == {"closing.lock-queried"}
    book.save(values(TEMP="37.0"), NEXT_VISIT)
    assert book.refused(LockData("s1")) == {"closing.lock-queried", "closing.lock-incomplete"}
    assert book.refused(LockData("s1", "UNS")) == {"closing.nothing-there"}
    assert book.refused(LockData("s1", "V9")) == {"capture.visit-unknown", "closing.nothing-there"}


LOCKED = dataclasses.replace(PROVED, database_locked=True)


def test_after_the_lock_of_the_database_nothing_of_a_participant_changes(book):
    for command in (
        RecordForm("s1", *VS, values(SYSBP="130"), book.seq, reason="x"),
        RaiseQuery("s1", *VS, "SYSBP", "x"),
        book.signing(VS),
        FreezeData("s1", *VS),
        ReviewForm("s1", *VS, book.seq),
    ):
        assert book.refused(command, LOCKED) == {"closing.database-locked"}
        assert shut(command, LOCKED) is not None


def test_a_command_that_nobody_thought_of_is_shut_out_after_the_lock():
    @dataclasses.dataclass(frozen=True)
    class AddSomething:
        subject: str
        visit: str = "V1"
        form: str = "VS"
        repeat: int = 1

    assert shut(AddSomething("s1"), LOCKED) is not None
    assert shut(AddSomething("s1"), KNOWN) is None
    assert shut(AddSomething("s1"), dataclasses.replace(KNOWN, subject_closed="LOCKED")) is not None


def test_an_arm_can_be_asked_for_whatever_is_locked():
    asked = RequestCodeBreak("s1", "r", "EMERGENCY", urgent=True, to="SELF", reason="anaphylaxis")
    assert shut(asked, LOCKED) is None
    assert "RequestCodeBreak" in STILL


# --- signatures -----------------------------------------------------------------------------------------------------


def test_a_signature_is_broken_by_the_first_change_and_by_nothing_else(book):
    book.done(book.signing(VS))
    assert signature_state(book.state, VS) == "SIGNED"
    book.save(FULL, NEXT_VISIT)
    book.done(RaiseQuery("s1", *VS, "SYSBP", "Please check"))
    book.done(VerifyItems("s1", *VS, book.seq, ("SYSBP",)))
    assert signature_state(book.state, VS) == "SIGNED"
    assert book.refused(book.signing(VS)) == {"closing.signed-already"}
    assert book.state.closing.signed_places() == {VS}
    book.save(values(SYSBP="130"), reason="misread")
    assert signature_state(book.state, VS) == "BROKEN"
    assert book.state.closing.signed_places() == set()
    broken = book.state.closing.signed[VS].broken
    assert broken == book.seq
    book.save(values(SYSBP="120"), reason="misread again")
    assert book.state.closing.signed[VS].broken == broken, "one way: the old value does not mend it"
    book.done(book.signing(VS))
    assert signature_state(book.state, VS) == "SIGNED"


def test_a_visit_s_date_is_part_of_what_was_signed(book):
    book.save(FULL, NEXT_VISIT, complete=True)
    book.done(book.signing(VS, NEXT_VISIT))
    book.done(DateVisit("s1", "V1", "2026-08-01"))
    assert signature_state(book.state, VS) == "BROKEN"
    assert signature_state(book.state, NEXT_VISIT) == "SIGNED"


def test_what_is_signed_is_what_was_shown(book):
    shown = book.signing(VS)
    book.save(values(TEMP="37.0"), reason="found")
    assert book.refused(shown) == {"closing.shown-differs"}
    elsewhere = SignForms(
        "s1", (dataclasses.replace(book.signing(VS).places[0], visit="V2"),), "FORM", "token"
    )
    book.save(FULL, NEXT_VISIT, complete=True)
    assert book.refused(elsewhere) == {"closing.shown-differs"}, "cut from one record and pasted to another"


def test_the_digest_of_what_was_shown_moves_with_everything_shown(book):
    before = shown_digest(STUDY, book.state, VS)
    book.done(DateVisit("s1", "V1", "2026-08-01"))
    dated = shown_digest(STUDY, book.state, VS)
    book.done(RaiseQuery("s1", *VS, "SYSBP", "Please check"))
    asked = shown_digest(STUDY, book.state, VS)
    book.save(values(NOTE="left arm"), reason="found")
    noted = shown_digest(STUDY, book.state, VS)
    forms = [
        {**form, "label": "Renamed"} if form["id"] == "VS" else form for form in made_definition()["forms"]
    ]
    renamed = shown_digest(made_study(forms=forms), book.state, VS)
    assert len({before, dated, asked, noted, renamed}) == 5


def test_nobody_signs_without_giving_both_components_now(book):
    command = book.signing(VS)
    assert book.refused(command, KNOWN) == {"closing.proof-missing"}
    another = dataclasses.replace(KNOWN, proved=Proof("somebody", "PASSWORD"))
    assert book.refused(command, another) == {"closing.proof-missing"}
    demo = dataclasses.replace(KNOWN, proved=Proof("pi", "DEMO"))
    assert book.refused(command, demo) == {"closing.demo-signature"}
    (entry,) = book.done(command, dataclasses.replace(demo, rehearsal=True))
    assert entry.method == "DEMO"


def test_what_is_not_complete_is_not_signed():
    book = Book()
    book.save(values(SYSBP="120"))
    assert book.refused(book.signing(VS)) == {"closing.sign-incomplete"}
    assert book.refused(SignForms("s1", (), "FORM", "token")) == {"closing.nothing-to-sign"}
    assert to_sign(book.state) == ()


def test_a_casebook_is_signed_whole_and_broken_by_any_change(book):
    book.save(FULL, NEXT_VISIT, complete=True)
    assert book.refused(book.signing(VS, meaning="CASEBOOK")) == {"closing.casebook-lacks"}
    book.done(book.signing(VS))
    book.done(book.signing(VS, NEXT_VISIT, meaning="CASEBOOK"))
    assert to_sign(book.state) == ()
    assert book.state.closing.casebook is not None
    assert not book.state.closing.casebook.broken
    book.save(values(SYSBP="130"), NEXT_VISIT, reason="misread")
    assert book.state.closing.casebook.broken == book.seq
    assert to_sign(book.state) == (NEXT_VISIT,)


# --- verification ---------------------------------------------------------------------------------------------------


def test_a_change_undoes_the_verification_of_what_changed_and_of_nothing_else(book):
    items = tuple(FULL)
    (entry,) = book.done(VerifyItems("s1", *VS, book.seq, items))
    assert entry.covers == "ALL"
    assert verified_items(book.state, VS) == set(items)
    book.save(values(SYSBP="130"), reason="misread")
    assert verified_items(book.state, VS) == set(items) - {"SYSBP"}
    assert undone_items(book.state, VS) == {"SYSBP"}
    assert book.refused(VerifyItems("s1", *VS, book.seq - 1, ("SYSBP",))) == {"closing.changed-since"}
    (entry,) = book.done(VerifyItems("s1", *VS, book.seq, ("SYSBP",)))
    assert entry.covers == "ALL"
    assert undone_items(book.state, VS) == set()


def test_a_whole_form_is_verified_with_exceptions_that_become_queries(book):
    exceptions = {"DIABP": "The source has 70."}
    items = tuple(set(FULL) - {"DIABP"})
    verified, query = book.done(VerifyItems("s1", *VS, book.seq, items, exceptions))
    assert verified.covers == "CRITICAL"  # no item of this form is critical, and not all are verified
    assert isinstance(query, QueryAsked)
    assert (query.item, query.text) == ("DIABP", "The source has 70.")
    assert "DIABP" not in verified_items(book.state, VS)


def test_what_was_verified_and_is_found_not_to_agree_is_verified_no_more(book):
    """ICH E6(R3) 3.11.4: what does not agree with its source is followed up; it does not count as verified meanwhile."""
    book.done(VerifyItems("s1", *VS, book.seq, tuple(FULL)))
    undone, query = book.done(VerifyItems("s1", *VS, book.seq, (), {"SYSBP": "The source has 150."}))
    assert (undone.items, undone.undone, undone.covers) == ((), ("SYSBP",), "CRITICAL")
    assert isinstance(query, QueryAsked)
    assert verified_items(book.state, VS) == set(FULL) - {"SYSBP"}
    (entry,) = book.done(VerifyItems("s1", *VS, book.seq, ("SYSBP",)))
    assert (entry.covers, entry.undone) == ("ALL", None)


@pytest.mark.parametrize(
    ("items", "exceptions", "rule"),
    [
        ((), {}, "closing.nothing-to-verify"),
        (("TEMP",), {}, "closing.nothing-recorded"),
        (("NOPE",), {}, "capture.item-unknown"),
        (("SYSBP",), {"SYSBP": "no"}, "closing.verified-and-queried"),
        ((), {"SYSBP": " "}, "capture.text-required"),
        ((), {"SYSBP": "x" * 4001}, "capture.text-too-long"),
    ],
)
def test_a_verification_that_cannot_be_is_refused(book, items, exceptions, rule):
    assert book.refused(VerifyItems("s1", *VS, book.seq, items, exceptions)) == {rule}


def test_a_review_stands_until_the_form_changes(book):
    book.done(ReviewForm("s1", *VS, book.seq))
    assert reviewed(book.state, VS)
    assert book.refused(ReviewForm("s1", *VS, book.seq)) == {"capture.nothing-changed"}
    book.save(values(SYSBP="130"), reason="misread")
    assert not reviewed(book.state, VS)
    assert book.refused(ReviewForm("s1", *NEXT_VISIT, book.seq)) == {"closing.nothing-there"}


def test_the_plan_takes_the_first_of_a_site_and_a_share_of_the_others():
    plan = Verification(first=2, share=Decimal("0.2"))
    assert in_full(plan, "01001", 1)
    assert in_full(plan, "01002", 2)
    assert not in_full(plan, "01001", None), "who was not randomized has the critical items only"
    drawn = sum(in_full(plan, f"{number:05d}", 3) for number in range(5000))
    # 5000 draws at 0.2: mean 1000, standard deviation 28.3; six of them is a bound that chance does not pass
    assert abs(drawn - 1000) < 170
    assert all(in_full(Verification(share=Decimal(1)), f"{number:05d}", 9) for number in range(50))


# --- snapshots ------------------------------------------------------------------------------------------------------


def test_a_snapshot_keeps_everything_that_was_closed(book):
    book.done(VerifyItems("s1", *VS, book.seq, ("SYSBP",)))
    book.done(ReviewForm("s1", *VS, book.seq))
    book.done(book.signing(VS, meaning="CASEBOOK"))
    book.add(DataFrozen("V2", "", 0))
    again = state_from_json(read_canonical(canonical_bytes(state_to_json(book.state))))
    assert again == book.state
    assert len(again.closing.levels) == len(again.closing.signed) == 1


def test_an_entry_at_a_place_that_closing_does_not_know_breaks_the_signature(book):
    @dataclasses.dataclass(frozen=True, slots=True)
    class SomethingNew(FormSaved):
        """A later kind at a place."""

    book.done(book.signing(VS))
    book.add(SomethingNew("V1", "VS", 1, {}, {}, complete=True))
    assert signature_state(book.state, VS) == "BROKEN"


# --- the lock of the database ---------------------------------------------------------------------------------------

GREEN = dict.fromkeys(LINES, 0)
FIRST = dataclasses.replace(OCCASION, by="dm", role="data_manager")
SECOND = dataclasses.replace(OCCASION, by="stat", role="statistician")


def facts_of(occasion: Occasion, checklist: dict[str, int] = GREEN) -> Facts:
    return Facts(lock_checklist=checklist, proved=Proof(occasion.by, "PASSWORD"))


def database(*steps: tuple[Occasion, Callable[[str], DatabaseCommand]]) -> Database:
    """The database after steps: (occasion, command), with {} in a command filled by the open proposal."""
    state, seq = UNLOCKED, 0
    for occasion, make in steps:
        command = make(state.proposed.id if state.proposed is not None else "")
        for append in written(decide_database(STUDY, state, facts_of(occasion), command, occasion)):
            seq += 1
            one = recorded("study", seq, append.entry)
            one = dataclasses.replace(one, header=dataclasses.replace(one.header, actor=occasion.by))
            state = evolve_database(state, one)
    return state


def open_id(state: Database) -> str:
    """The proposal that stands."""
    assert state.proposed is not None
    return state.proposed.id


def propose(_: str) -> ProposeDatabaseLock:
    return ProposeDatabaseLock("token")


def lock(proposal: str) -> LockDatabase:
    return LockDatabase(proposal, "token")


def test_two_persons_lock_a_green_database_and_the_release_hears_of_it():
    proposed = database((FIRST, propose))
    decision = written(decide_database(STUDY, proposed, facts_of(SECOND), lock(open_id(proposed)), SECOND))
    assert [type(append.entry).__name__ for append in decision] == [
        "DatabaseLocked",
        "ReleaseConditionRecorded",
    ]
    told = decision[1].entry
    assert isinstance(told, ReleaseConditionRecorded)
    assert (told.condition, told.met) == ("DATABASE_LOCKED", True)
    locked = database((FIRST, propose), (SECOND, lock))
    assert locked.locked
    assert locked.by == ("dm", "stat")


def test_the_same_person_is_not_two():
    proposed = database((FIRST, propose))
    both = dataclasses.replace(SECOND, by="dm")
    assert rules(decide_database(STUDY, proposed, facts_of(both), lock(open_id(proposed)), both)) == {
        "closing.second-person"
    }


@pytest.mark.parametrize("line", LINES)
def test_each_line_that_is_not_green_keeps_the_database_open_at_both_moments(line):
    proposed = database((FIRST, propose))
    rule = f"closing.left-{line.lower().replace('_', '-')}"
    for checklist in ({**GREEN, line: 1}, {name: 0 for name in LINES if name != line}):
        first = decide_database(STUDY, UNLOCKED, facts_of(FIRST, checklist), propose(""), FIRST)
        assert refused(first) == [(rule, line)]
        second = lock(open_id(proposed))
        assert rules(decide_database(STUDY, proposed, facts_of(SECOND, checklist), second, SECOND)) == {rule}
    said = catalogue()
    for key in (rule, rule.replace("left-", "line-", 1)):
        assert key in said, "what is left is said in words, by the refusal and on the page"


def test_a_lock_is_proved_and_of_the_proposal_that_stands():
    proposed = database((FIRST, propose))
    bare = dataclasses.replace(facts_of(SECOND), proved=None)
    assert rules(decide_database(STUDY, proposed, bare, lock(open_id(proposed)), SECOND)) == {
        "closing.proof-missing"
    }
    for stale in ("", "another"):
        assert rules(decide_database(STUDY, proposed, facts_of(SECOND), lock(stale), SECOND)) == {
            "closing.proposal-unknown"
        }
    assert rules(decide_database(STUDY, UNLOCKED, facts_of(SECOND), lock(""), SECOND)) == {
        "closing.proposal-unknown"
    }


def unlock(proposal: str) -> UnlockDatabase:
    return UnlockDatabase(proposal, "token")


def test_two_persons_open_it_again_with_a_reason_and_the_release_hears_of_it():
    locked = database((FIRST, propose), (SECOND, lock))
    empty = ProposeDatabaseUnlock(" ", "token")
    assert rules(decide_database(STUDY, locked, facts_of(FIRST), empty, FIRST)) == {"closing.reason-required"}
    reason = lambda _: ProposeDatabaseUnlock("a late serious event", "token")  # noqa: E731
    proposed = database((FIRST, propose), (SECOND, lock), (FIRST, reason))
    assert proposed.locked
    assert proposed.proposed is not None
    assert proposed.proposed.reason == "a late serious event"
    decision = written(decide_database(STUDY, proposed, facts_of(SECOND), unlock(open_id(proposed)), SECOND))
    told = decision[1].entry
    assert isinstance(told, ReleaseConditionRecorded)
    assert (told.condition, told.met) == ("DATABASE_LOCKED", False)
    opened = database((FIRST, propose), (SECOND, lock), (FIRST, reason), (SECOND, unlock))
    assert not opened.locked
    assert opened.conditions == {}, "what was said of the data before they were opened does not stand"


def test_what_cannot_be_counted_is_said_with_a_reference_and_not_twice():
    said = RecordLockCondition("REVEALING_SETTLED", met=True, reference="statement 12")
    (append,) = written(decide_database(STUDY, UNLOCKED, Facts(), said, FIRST))
    state = evolve_database(UNLOCKED, recorded("study", 1, append.entry))
    assert state.conditions["REVEALING_SETTLED"].met
    assert rules(decide_database(STUDY, state, Facts(), said, FIRST)) == {"capture.nothing-changed"}
    blank = dataclasses.replace(said, reference=" ")
    assert rules(decide_database(STUDY, UNLOCKED, Facts(), blank, FIRST)) == {"closing.reference-required"}

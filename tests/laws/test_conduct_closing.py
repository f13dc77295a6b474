"""Random walks of a whole trial: no illegal state is ever reached, whatever people do in whatever order.

Seven people of six roles do anything that they can ask for, to two participants, with the right role or the wrong one. The
model keeps a plain book of what was accepted (never of what the program's state says) and holds every entry to it:

1. Nothing is recorded, dated or asked in what is locked; nothing is edited in what is frozen; while the database is locked
   no value, date, query, consent or randomization of anybody changes, and nothing of it is written.
2. Nobody is randomized before consent, or after it ended.
3. Nobody is randomized under a consent that does not count: one that was withdrawn or refused later, or on a version that
   the site's ethics committee did not approve.
4. A signature stands exactly as long as what was signed is as it was; it never mends itself.
5. The database is locked only by two different persons and only when nothing is left to do.

Source: 21 CFR 11.10(f) and 11.70; ICH E6(R3) 2.8 (consent before anything) and 3.16.1; the bars of the casebook's issue.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any, ClassVar

import pytest
from conduct_world import Book, World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from equipoise.capture.closing.commands import (
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
from equipoise.capture.closing.shown import shown_digest
from equipoise.capture.commands import (
    AnswerQuery,
    CancelQuery,
    CloseQuery,
    DateVisit,
    RaiseQuery,
    RecordForm,
    ReopenQuery,
)
from equipoise.capture.evolve import Place, State
from equipoise.consent.commands import RecordCapacity, RecordConsent, WithdrawConsent
from equipoise.eligibility.commands import ConfirmEligibility, FailScreening
from equipoise.ledger.entries import (
    AllocationPublished,
    Append,
    Entry,
    PublicSlot,
    SignedPlace,
    SiteActivated,
    SiteAdded,
    SiteApproved,
    StoreOpened,
    StudyReleased,
    SubjectRandomized,
    SubjectScreened,
)
from equipoise.ledger.facts import Refusal
from equipoise.oversight.commands import RecordReleaseCondition
from equipoise.protocol.digest import canonical_study, study_digest
from equipoise.protocol.strata import strata
from equipoise.randomization.commands import Randomize
from equipoise.randomization.tree import list_root
from equipoise.words.canonical import canonical_bytes
from rooms.capture.conduct_study import made_study, scores, values

STUDY = made_study()
AT = dt.datetime(2026, 8, 14, 2, 30, tzinfo=dt.UTC)
SUBJECTS = ("s1", "s2")
PEOPLE: dict[str, tuple[str, str | None]] = {
    "crc": ("coordinator", "01"),
    "pi": ("investigator", "01"),
    "rat": ("rater", "01"),
    "cra": ("monitor", None),
    "dm": ("data_manager", None),
    "dm2": ("data_manager", None),
    "stat": ("statistician", None),
}
PLACES = (Place("V1", "VS", 1), Place("V2", "VS", 1), Place("V1", "MH", 2))
SCOPES = (("", "", 0), ("V1", "", 0), ("V2", "", 0), *PLACES)
FULL = {"VS": values(DAT="2026-08-14", SYSBP="120", DIABP="80", SEX="M"), "MH": values(TERM="gout")}
EDITS = st.sampled_from(
    [
        {"VS": values(SYSBP=str(number)), "MH": values(TERM=f"gout {number}")}
        for number in (110, 120, 150, 200)
    ]
    + [
        {"VS": values(SEX="F"), "MH": values(TERM="")},
        {"VS": values(TEMP="39.0"), "MH": values(BIRTH="2026-08")},
    ]
)
subjects, places, scopes = st.sampled_from(SUBJECTS), st.sampled_from(PLACES), st.sampled_from(SCOPES)
anybody = st.sampled_from(sorted(PEOPLE))
MODERATE = ["0", "0", "0", "0", "0", "2", "0", "3", "0", "2", "0", "0", "1", "1", "0"]


def beginning() -> Book:
    """One site, a published list, two participants whose data meet every criterion, and no consent yet."""
    world = World(Book(), PEOPLE, AT)
    definition = canonical_bytes(canonical_study(STUDY)).decode()
    slots = {
        name: tuple(PublicSlot(f"R-{place}{number}", f"{place:032d}{number:032d}") for number in range(4))
        for place, name in enumerate(strata(STUDY))
    }
    for stream, entry in (
        ("study", StoreOpened("rehearsal", STUDY.id)),
        ("study", StudyReleased(STUDY.version, study_digest(STUDY), definition)),
        ("site/01", SiteAdded("01", {"en": "One"}, "Asia/Shanghai")),
        ("site/01", SiteApproved("01", "EC-1", "2026-01-01")),
        ("site/01", SiteActivated("01")),
        ("allocation", AllocationPublished("g", list_root(slots), slots)),
        *(
            (f"subject/{one}", SubjectScreened(one, "01", f"0100{place}", f"p{place}"))
            for place, one in enumerate(SUBJECTS)
        ),
    ):
        world.write(Append(stream, entry))
    for one in SUBJECTS:
        for form, items in (
            ("STROKE", values(ONSET="2026-07-15", BLEED="N", RANKIN="0")),
            ("NIHSS", scores(MODERATE)),
        ):
            assert not isinstance(
                world.give("crc", RecordForm(one, "V1", form, 1, items, 0, complete=True)), Refusal
            )
    return world.book


class Walk(RuleBasedStateMachine):
    """The walk, and the book beside it. `seen` counts over all walks what they came to, so that none of it is idle."""

    seen: ClassVar[Counter[str]] = Counter()
    start: ClassVar[Book | None] = None

    @initialize()
    def begin(self) -> None:
        if Walk.start is None:
            Walk.start = beginning()
        self.world = World(Walk.start.copy(), PEOPLE, AT)
        self.levels: dict[tuple[str, Any], str] = {}
        self.consent: dict[str, bool] = dict.fromkeys(SUBJECTS, False)
        self.signed: dict[tuple[str, Place], Any] = {}
        self.spoiled: set[tuple[str, Place]] = set()
        self.database = False
        self.first = ""
        self.frozen_view: Any = None

    # --- what the program says, and what is asked of it ---------------------------------------------------------

    def state(self, subject: str) -> State:
        return self.world.case(subject).capture

    def holds(self, subject: str, place: Place) -> Any:
        """What a form shows of data: values, derived, completeness, and the date of its visit."""
        state = self.state(subject)
        form, dated = state.form(place), state.dates.get((place.visit, 1))
        return dict(form.values), dict(form.derived), form.complete, dated.on if dated else None

    def everything(self) -> Any:
        """All that the lock of the database keeps as it is."""
        cases = [self.world.case(one) for one in SUBJECTS]
        return [
            (
                case.capture.forms,
                case.capture.dates,
                case.capture.queries,
                case.consent,
                case.screening.status,
            )
            for case in cases
        ]

    def give(self, actor: str, command: Any, proved: str = "") -> tuple[Entry, ...]:
        """Give a command; hold what it wrote to the book. Nothing where it was refused."""
        done = self.world.give(actor, command, proved)
        if isinstance(done, Refusal):
            assert done.problems
            if self.database:
                Walk.seen["refused while locked"] += 1
            elif any(one.rule in {"closing.locked", "closing.frozen"} for one in done.problems):
                Walk.seen["refused where closed"] += 1
            return ()
        for entry in done:
            self.hold(getattr(command, "subject", ""), entry)
        Walk.seen[type(command).__name__] += 1
        return done

    def hold(self, subject: str, entry: Entry) -> None:
        """Rules 1 to 3 over one entry, by the book alone."""
        kind = entry.kind
        if self.database:
            assert kind in {"DatabaseUnlockProposed", "DatabaseUnlocked", "ReleaseConditionRecorded"}, kind
        if kind == "SubjectRandomized":
            assert self.consent[subject], "randomized without consent"
        visit = getattr(entry, "visit", None)
        asked = getattr(entry, "query", None)
        if visit is None and asked is not None:
            visit = self.state(subject).queries[asked].place.visit
        if visit is not None and kind not in {"DataUnlocked", "DataUnfrozen", "DataFrozen", "DataLocked"}:
            form = getattr(entry, "form", None) or (
                self.state(subject).queries[asked].place.form if asked else ""
            )
            covers = [
                level
                for (whose, scope), level in self.levels.items()
                if whose == subject and self.covers(scope, visit, form, getattr(entry, "repeat", None))
            ]
            assert "LOCKED" not in covers, (kind, "in what is locked")
            if kind in {"FormSaved", "VisitDated"}:
                assert "FROZEN" not in covers, (kind, "in what is frozen")

    def covers(self, scope: Any, visit: str, form: str, repeat: int | None) -> bool:
        """Whether a scope holds a place; a visit's date also lies in every form of the visit."""
        if scope[0] in {"", visit} and not scope[1]:
            return True
        return scope[0] == visit and (not form or (scope[1] == form and repeat in {None, scope[2]}))

    # --- what people do ---------------------------------------------------------------------------------------------

    @rule(subject=subjects, place=places, edit=EDITS, actor=anybody, complete=st.sampled_from([None, True]))
    def save(self, subject: str, place: Place, edit: Any, actor: str, complete: bool | None) -> None:
        items = edit[place.form] if complete is None else FULL[place.form] | edit[place.form]
        self.recorded(subject, place, self.save_as(actor, subject, place, items, complete))

    @rule(subject=subjects, place=places)
    def finish(self, subject: str, place: Place) -> None:
        self.recorded(subject, place, self.save_as("crc", subject, place, FULL[place.form], complete=True))

    def save_as(
        self, actor: str, subject: str, place: Place, items: Any, complete: bool | None
    ) -> tuple[Entry, ...]:
        base = self.state(subject).form(place).seq
        return self.give(actor, RecordForm(subject, *place, items, base, complete, "misread"))

    def recorded(self, subject: str, place: Place, done: tuple[Entry, ...]) -> None:
        if any(entry.kind == "FormSaved" for entry in done) and (subject, place) in self.signed:
            self.spoiled.add((subject, place))

    @rule(subject=subjects, visit=st.sampled_from(["V1", "V2"]), day=st.integers(1, 3), actor=anybody)
    def date(self, subject: str, visit: str, day: int, actor: str) -> None:
        if self.give(actor, DateVisit(subject, visit, f"2026-08-0{day}", reason="misread")):
            self.spoiled |= {
                (whose, place) for whose, place in self.signed if (whose, place.visit) == (subject, visit)
            }

    @rule(
        subject=subjects,
        actor=st.sampled_from(["crc", "pi"]),
        given=st.booleans(),
        version=st.sampled_from(["1.0", "2.0"]),
    )
    def agree(self, subject: str, actor: str, given: bool, version: str) -> None:
        self.give(actor, RecordCapacity(subject, "HAS", "2026-08-14"))
        if self.give(actor, RecordConsent(subject, version, "PARTICIPANT", given=given, on="2026-08-14")):
            # The ethics committee approved version 1.0 here and no other: a signature on 2.0 counts for nothing.
            self.consent[subject] = given and version == "1.0"

    @rule(subject=subjects, actor=anybody)
    def withdraw(self, subject: str, actor: str) -> None:
        if self.give(actor, WithdrawConsent(subject, "PARTICIPANT", "2026-08-14")):
            self.consent[subject] = False

    @rule(subject=subjects, actor=anybody)
    def randomize(self, subject: str, actor: str) -> None:
        if self.give(actor, Randomize(subject)):
            Walk.seen["randomized"] += 1

    @rule(subject=subjects, given=st.booleans(), version=st.sampled_from(["1.0", "1.0", "2.0"]))
    def come_to_randomization(self, subject: str, given: bool, version: str) -> None:
        """What stands before randomizing, in its order; where consent is refused or does not count, none of it helps."""
        self.agree(subject, "pi", given, version)
        self.confirm(subject)
        self.randomize(subject, "crc")

    @rule(subject=subjects)
    def confirm(self, subject: str) -> None:
        self.give("pi", ConfirmEligibility(subject))

    @rule(subject=subjects, actor=st.sampled_from(["pi", "cra"]))
    def fail(self, subject: str, actor: str) -> None:
        if actor == "cra" or self.database:
            self.give(actor, FailScreening(subject, "no wish"))

    @rule(subject=subjects, place=places, actor=anybody)
    def ask(self, subject: str, place: Place, actor: str) -> None:
        self.give(actor, RaiseQuery(subject, *place, "", "Is this so?"))

    @rule(
        subject=subjects,
        actor=anybody,
        act=st.sampled_from([AnswerQuery, CloseQuery, CancelQuery, ReopenQuery]),
    )
    def about(self, subject: str, actor: str, act: Any) -> None:
        for query in self.state(subject).queries:
            if self.give(actor, act(subject, query, "It is so.")):
                break

    @rule(subject=subjects, place=places, actor=st.sampled_from(["cra", "dm", "crc"]))
    def verify(self, subject: str, place: Place, actor: str) -> None:
        form = self.state(subject).form(place)
        self.give(actor, VerifyItems(subject, *place, form.seq, tuple(form.values)))
        self.give(actor, ReviewForm(subject, *place, form.seq))

    @rule(subject=subjects, actor=st.sampled_from(["pi", "pi", "crc", "stat"]), whole=st.booleans())
    def sign(self, subject: str, actor: str, whole: bool) -> None:
        self.sign_as(actor, subject, whole=whole)

    def sign_as(self, actor: str, subject: str, *, whole: bool) -> None:
        state = self.state(subject)
        chosen = [place for place in state.forms if whole or state.form(place).complete]
        shown = tuple(SignedPlace(*place, shown_digest(STUDY, state, place)) for place in chosen)
        if self.give(actor, SignForms(subject, shown, "CASEBOOK" if whole else "FORM", "t"), proved=actor):
            for place in chosen:
                self.signed[subject, place] = self.holds(subject, place)
                self.spoiled.discard((subject, place))

    @rule(subject=subjects, scope=scopes, actor=anybody, close=st.sampled_from([FreezeData, LockData]))
    def close(self, subject: str, scope: Any, actor: str, close: Any) -> None:
        if self.give(actor, close(subject, *scope)):
            self.levels[subject, tuple(scope)] = "FROZEN" if close is FreezeData else "LOCKED"

    @rule(subject=subjects, scope=scopes, actor=anybody, open_=st.sampled_from([UnfreezeData, UnlockData]))
    def open(self, subject: str, scope: Any, actor: str, open_: Any) -> None:
        if self.give(actor, open_(subject, *scope, "a late source")):
            del self.levels[subject, tuple(scope)]

    @rule(actor=st.sampled_from(["dm", "dm2", "stat", "pi"]))
    def propose(self, actor: str) -> None:
        if self.give(actor, ProposeDatabaseLock("t"), proved=actor):
            self.first = actor

    @rule(actor=st.sampled_from(["stat", "dm2", "dm"]))
    def lock(self, actor: str) -> None:
        known = self.world.trial().database.proposed
        left = self.left_to_do()
        if self.give(actor, LockDatabase(known.id if known is not None else "", "t"), proved=actor):
            assert actor != self.first
            assert not left, left
            self.database, self.frozen_view = True, self.everything()
            Walk.seen["locked"] += 1

    def left_to_do(self) -> list[str]:
        """What the book itself finds undone: queries, unfinished and unsigned forms."""
        found = []
        for one in SUBJECTS:
            state = self.state(one)
            found += [
                f"{one} query" for query in state.queries.values() if query.state in {"OPEN", "ANSWERED"}
            ]
            found += [f"{one} {place}" for place in state.forms if not state.form(place).complete]
            found += [
                f"{one} {place} unsigned"
                for place in state.forms
                if (one, place) not in self.signed or (one, place) in self.spoiled
            ]
        return found

    @rule(actor=st.sampled_from(["dm", "cra"]), met=st.booleans())
    def unlock_first(self, actor: str, met: bool) -> None:
        self.give(actor, RecordLockCondition("NOTHING_UNSENT", met or self.database, "list"))
        self.give(actor, ProposeDatabaseUnlock("a late event", "t"), proved=actor)

    @rule(actor=st.sampled_from(["stat", "crc"]))
    def unlock_second(self, actor: str) -> None:
        known = self.world.trial().database.proposed
        if self.give(actor, UnlockDatabase(known.id if known is not None else "", "t"), proved=actor):
            self.database = False
            Walk.seen["unlocked"] += 1

    @rule()
    def come_to_the_lock(self) -> None:
        """Everything that stands before a lock, done as people would; it succeeds where nothing is closed against it."""
        for one in SUBJECTS:
            for query in self.state(one).queries:
                self.give("dm", CancelQuery(one, query, "settled"))
            for place in list(self.state(one).forms):
                if not self.state(one).form(place).complete and place.form in FULL:
                    self.finish(one, place)
            for query in self.state(one).queries:
                self.give("dm", CancelQuery(one, query, "settled"))
            fresh = [
                place
                for place in self.state(one).forms
                if (one, place) not in self.signed or (one, place) in self.spoiled
            ]
            if fresh:
                self.sign_as("pi", one, whole=True)
        for condition in ("REVEALING_SETTLED", "NOTHING_UNSENT"):
            self.give("dm", RecordLockCondition(condition, met=True, reference="list"))
        self.give("dm", RecordReleaseCondition("DEVIATIONS_CLASSED", met=True, reference="list"))
        self.propose("dm")
        self.lock("stat")

    @rule()
    def come_to_the_unlock(self) -> None:
        """Two persons open the database again; where it is not locked, neither can."""
        self.unlock_first("dm", met=True)
        self.unlock_second("stat")

    # --- what must hold after every step -----------------------------------------------------------------------------

    @invariant()
    def nothing_moves_while_the_database_is_locked(self) -> None:
        if self.database:
            assert self.everything() == self.frozen_view

    @invariant()
    def a_signature_stands_exactly_while_what_was_signed_is_as_it_was(self) -> None:
        standing = {one: self.state(one).closing.signed for one in {subject for subject, _ in self.signed}}
        for (subject, place), then in self.signed.items():
            broken = bool(standing[subject][place].broken)
            assert broken is ((subject, place) in self.spoiled)
            if not broken:
                assert self.holds(subject, place) == then

    @invariant()
    def nobody_is_randomized_who_did_not_consent(self) -> None:
        for one in SUBJECTS:
            if any(
                isinstance(each.entry, SubjectRandomized)
                for each in self.world.book.streams[f"subject/{one}"]
            ):
                kinds = [each.header.kind for each in self.world.book.streams[f"subject/{one}"]]
                assert "ConsentDocumented" in kinds[: kinds.index("SubjectRandomized")]


def walk(count: int) -> Counter[str]:
    Walk.seen.clear()
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=count, stateful_step_count=50, suppress_health_check=list(HealthCheck)
        ),
    )
    return Walk.seen


def test_no_walk_reaches_an_illegal_state():
    seen = walk(500)
    for reached in (
        "locked",
        "unlocked",
        "randomized",
        "refused while locked",
        "refused where closed",
        "SignForms",
    ):
        assert seen[reached] >= 10, (reached, dict(seen))


@pytest.mark.nightly
def test_no_longer_walk_reaches_an_illegal_state():
    assert walk(5000)["locked"] >= 100


def test_the_walk_would_find_an_edit_after_the_lock(monkeypatch):
    """The walk bites: with the one place that says no made to say yes, it is found."""
    from equipoise.capture import decide as capture
    from equipoise.desk import desk

    monkeypatch.setattr(capture, "change_faults", lambda *given: ())
    monkeypatch.setattr(desk, "shut", lambda *given: None)
    with pytest.raises(AssertionError):
        walk(500)

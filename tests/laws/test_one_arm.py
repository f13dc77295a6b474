"""Law: whatever is asked of the second door in whatever order, an arm is shown only for a request that stands there,
once, to whom it was asked for; a code that was told is worth one showing; nothing of the quota ever stops one.

Source: DESIGN 5 (three openings); reliability notes §4 step 7 (no silent reveal).
"""

from __future__ import annotations

import dataclasses
import datetime as dt

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from equipoise.ledger.facts import Occasion, Refusal
from equipoise.ledger.vault_entries import ArmShown, StatementMade
from equipoise.vault.breaks.codes import GOOD_FOR, code_digest
from equipoise.vault.breaks.commands import AcceptBreak, HandOver, RefuseBreak, ShowArm, ShowToThird, streams
from equipoise.vault.breaks.decide import THIRD_PERSON, decide
from equipoise.vault.breaks.evolve import START, evolve
from equipoise.vault.facts import AskedBreak, VaultFacts
from rooms.capture.conduct_study import made_study, recorded

STUDY = made_study()
REQUESTS = [f"r{place}" for place in range(6)]
PEOPLE = ["ada", "bo"]


class Breaks(RuleBasedStateMachine):
    """Investigators, third persons and strangers who try everything; a book of what the first door's ledger holds."""

    def __init__(self) -> None:
        super().__init__()
        self.at = dt.datetime(2026, 8, 14, 2, tzinfo=dt.UTC)
        self.state = START
        self.asked: dict[str, AskedBreak] = {}
        self.codes: dict[str, tuple[str, dt.datetime]] = {}
        self.shown: list[ArmShown] = []
        self.seq = 0

    def do(
        self,
        actor: str,
        command: AcceptBreak | ShowArm | HandOver | ShowToThird | RefuseBreak,
        **facts: object,
    ) -> bool:
        known = VaultFacts(actor=actor, asked_break=self.asked.get(command.request), product="p", number="R1")
        known = dataclasses.replace(known, **facts)  # type: ignore[arg-type]
        decision = decide(STUDY, self.state, known, command, Occasion(self.at, "Asia/Shanghai"))
        if isinstance(decision, Refusal):
            return False
        for append in decision:
            assert append.stream in streams(command)
            self.seq += 1
            one = recorded(append.stream, self.seq, append.entry)
            header = dataclasses.replace(one.header, at=self.at.isoformat())
            self.state = evolve(self.state, dataclasses.replace(one, header=header))
            if isinstance(append.entry, ArmShown):
                self.shown.append(append.entry)
                assert any(isinstance(other.entry, StatementMade) for other in decision)
        return True

    @rule(
        request=st.sampled_from(REQUESTS), by=st.sampled_from(PEOPLE), subject=st.sampled_from(["s1", "s2", "s3", "s4"]),
        third=st.booleans(), drill=st.booleans(), role=st.sampled_from(["investigator"] * 4 + ["coordinator"]),
    )  # fmt: skip
    def the_first_door_asks(
        self, request: str, by: str, subject: str, third: bool, drill: bool, role: str
    ) -> None:
        if request not in self.asked:
            to = "THIRD_PERSON" if third else "SELF"
            self.asked[request] = AskedBreak(
                request, subject, by, role, "EMERGENCY", True, to, drill, self.at.isoformat(), "01"
            )
            self.do("system", AcceptBreak(request))

    @rule(request=st.sampled_from(REQUESTS), by=st.sampled_from([*PEOPLE, "system", ""]))
    def show(self, request: str, by: str) -> None:
        asked = self.asked.get(request)
        may = asked is not None and (asked.actor, asked.to, asked.role) == (by, "SELF", "investigator")
        before = any(one.request == request for one in self.shown)
        assert self.do(by, ShowArm(request)) == (may and not before)  # nothing else ever stands in the way

    @rule(request=st.sampled_from(REQUESTS), by=st.sampled_from(PEOPLE))
    def hand_over(self, request: str, by: str) -> None:
        letters = "".join("abcdefghij"[int(digit)] for digit in str(self.seq))
        digest = code_digest(letters)
        if self.do(by, HandOver(request, digest)):
            self.codes[request] = digest, self.at

    @rule(request=st.sampled_from(REQUESTS), right=st.booleans())
    def third_person(self, request: str, right: bool) -> None:
        told, at = self.codes.get(request, ("", self.at))
        digest = told if right else code_digest("never told")
        fresh = bool(told) and self.at - at <= GOOD_FOR
        before = any(one.request == request for one in self.shown)
        assert self.do("system", ShowToThird(request, digest)) == (right and fresh and not before)

    @rule(
        request=st.sampled_from(REQUESTS),
        fault=st.sampled_from(["vault.slot-not-committed", "vault.slot-twice"]),
    )
    def a_slot_that_does_not_open(self, request: str, fault: str) -> None:
        asked = self.asked.get(request)
        if asked is not None and not asked.drill:
            assert not self.do(asked.actor, ShowArm(request), slot_fault=fault, product=None)

    @rule(minutes=st.sampled_from([1, 20, 31, 1500]))
    def time_passes(self, minutes: int) -> None:
        self.at += dt.timedelta(minutes=minutes)

    @rule(request=st.sampled_from(REQUESTS))
    def a_refusal_is_written(self, request: str) -> None:
        self.do("system", RefuseBreak(request, "vault_breaks.other-person"))

    @invariant()
    def every_arm_was_asked_for(self) -> None:
        assert len({one.request for one in self.shown}) == len(self.shown)
        for one in self.shown:
            asked = self.asked[one.request]
            assert one.reader == (asked.actor if asked.to == "SELF" else THIRD_PERSON)
            assert (one.subject, one.drill) == (asked.subject, asked.drill)


TestBreaks = Breaks.TestCase

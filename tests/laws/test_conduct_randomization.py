"""Law: whatever is asked in whatever order, slots are unique, contiguous and in the order of granting.

A machine asks for randomizations in any state of the world and keeps its own simple book; the room's decisions and
the book must agree. Source of the rule: DESIGN 5 (randomizing), slice.md 5.
"""

from __future__ import annotations

import dataclasses

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from equipoise.ledger.entries import SlotTaken, SubjectRandomized
from equipoise.ledger.facts import Refusal
from equipoise.protocol.strata import strata
from equipoise.randomization.commands import Randomize
from equipoise.randomization.decide import decide
from equipoise.randomization.evolve import START, evolve, state_from_json, state_to_json
from equipoise.words.canonical import canonical_bytes, read_canonical
from equipoise.words.truth import Truth
from rooms.capture.conduct_study import OCCASION, READY, made_study, recorded
from rooms.randomization.made_list import made_slots, publication

STUDY = made_study(design={"cap": 7})
CODES = strata(STUDY)
SUBJECTS = [f"s{place}" for place in range(12)]


class Enrolment(RuleBasedStateMachine):
    """A trial's enrolment as people would try it."""

    def __init__(self) -> None:
        super().__init__()
        self.state = START
        self.stream: list[object] = []
        self.granted: list[tuple[str, str, str]] = []
        self.open = True
        self.active = True

    def write(self, entry: object) -> None:
        self.stream.append(entry)
        self.state = evolve(self.state, recorded("allocation", len(self.stream), entry))  # type: ignore[arg-type]

    @initialize()
    def publish(self) -> None:
        decision = decide(STUDY, self.state, READY, publication(STUDY), OCCASION)
        assert not isinstance(decision, Refusal)
        self.write(decision[0].entry)

    @rule()
    def pause_or_resume(self) -> None:
        self.open = not self.open

    @rule()
    def open_or_close_the_site(self) -> None:
        self.active = not self.active

    @rule()
    def publish_another_list(self) -> None:
        other = publication(STUDY, made_slots(STUDY, 9))
        assert isinstance(decide(STUDY, self.state, READY, other, OCCASION), Refusal)

    @rule()
    def go_on_from_a_snapshot(self) -> None:
        self.state = state_from_json(read_canonical(canonical_bytes(state_to_json(self.state))))

    @rule(
        subject=st.sampled_from(SUBJECTS),
        code=st.sampled_from([*CODES, None]),
        eligible=st.sampled_from([True, True, True, False]),
        consent=st.sampled_from([Truth.TRUE, Truth.TRUE, Truth.FALSE, Truth.UNKNOWN]),
        elsewhere=st.sampled_from([False, False, True]),
    )
    def randomize(
        self, subject: str, code: str | None, eligible: bool, consent: Truth, elsewhere: bool
    ) -> None:
        facts = dataclasses.replace(
            READY,
            stratum=code,
            verdict="ELIGIBLE" if eligible else "NOT_EVALUABLE",
            consent_in_force=consent,
            person_randomized=elsewhere,
            enrolment_open=self.open,
            site_active=self.active,
            randomized_count=len(self.granted),
        )
        decision = decide(STUDY, self.state, facts, Randomize(subject), OCCASION)
        may = (
            self.open and self.active and eligible and not elsewhere and code is not None
            and consent is Truth.TRUE and len(self.granted) < 7
            and subject not in {name for name, _, _ in self.granted}
        )  # fmt: skip
        assert isinstance(decision, Refusal) == (not may)
        if isinstance(decision, Refusal):
            assert decision.problems
            return
        slot, own = decision[0].entry, decision[1].entry
        assert isinstance(slot, SlotTaken)
        assert own == SubjectRandomized(slot.number, slot.stratum)
        assert decision[1].stream == f"subject/{subject}"
        self.write(slot)
        self.granted.append((subject, slot.stratum, slot.number))

    @invariant()
    def slots_are_unique_contiguous_and_in_order(self) -> None:
        listed = made_slots(STUDY)
        assert len(self.granted) <= 7
        for code in CODES:
            taken = [number for _, stratum, number in self.granted if stratum == code]
            assert taken == [slot.number for slot in listed[code]][: len(taken)]
        assert len({subject for subject, _, _ in self.granted}) == len(self.granted)
        assert self.state.randomized_count == len(self.granted)


TestEnrolment = Enrolment.TestCase

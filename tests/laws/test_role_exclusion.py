"""Law: no order of grants and revocations gives one person a blinded and an unblinded role, at any site, ever.

And who asked for, or saw, a participant's arm never again rates that participant, whatever roles come and go.
Source: DESIGN 5 (people); reliability notes L30.
"""

from __future__ import annotations

import dataclasses
import itertools

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from equipoise.access.commands import GrantRole, RevokeRole
from equipoise.access.decide import decide, may
from equipoise.access.evolve import START, State, evolve
from equipoise.access.roles import ROLES, exclude_each_other
from equipoise.capture.commands import RecordForm
from equipoise.ledger.entries import Datum
from equipoise.ledger.facts import Facts, Refusal
from rooms.capture.conduct_study import OCCASION, made_study, recorded

STUDY = made_study()
PEOPLE = ["a", "b", "c"]
SITES = [None, "site-1", "site-2"]
GIVEN = sorted(set(ROLES) - {"system"})
HERE = Facts(
    subject_known=True, subject_site="site-1", site_known=True, rated={"NIHSS": frozenset(), "AE": frozenset({"AEREL"})}
)  # fmt: skip
RATE = RecordForm("s1", "V1", "NIHSS", 1, {}, 0)
CAUSALITY = RecordForm("s1", "V1", "AE", 1, {"AEREL": Datum("1")}, 0)
FEVER = RecordForm("s1", "V1", "AE", 1, {"AETERM": Datum("fever")}, 0)


class Grants(RuleBasedStateMachine):
    """An administrator who tries everything, and a book of what every person ever held."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[str, State] = dict.fromkeys(PEOPLE, START)
        self.ever: dict[str, set[str]] = {person: set() for person in PEOPLE}
        self.knowing: set[str] = set()
        self.written = 0

    def do(self, command: GrantRole | RevokeRole) -> None:
        decision = decide(STUDY, self.states[command.user], HERE, command, OCCASION)
        if isinstance(decision, Refusal):
            return
        for append in decision:
            self.written += 1
            self.states[command.user] = evolve(
                self.states[command.user], recorded(append.stream, self.written, append.entry)
            )
        if isinstance(command, GrantRole):
            self.ever[command.user].add(command.role)

    @rule(person=st.sampled_from(PEOPLE), role=st.sampled_from(GIVEN), site=st.sampled_from(SITES))
    def grant(self, person: str, role: str, site: str | None) -> None:
        self.do(GrantRole(person, role, site))

    @rule(person=st.sampled_from(PEOPLE), role=st.sampled_from(GIVEN), site=st.sampled_from(SITES))
    def revoke(self, person: str, role: str, site: str | None) -> None:
        self.do(RevokeRole(person, role, site, "left"))

    @rule(person=st.sampled_from(PEOPLE))
    def swap_at_once(self, person: str) -> None:
        for grant in self.states[person].now:
            self.do(RevokeRole(person, grant.role, grant.site))
        self.do(GrantRole(person, "pharmacist"))
        self.do(GrantRole(person, "rater", "site-1"))

    @rule(person=st.sampled_from(PEOPLE))
    def learn_the_arm(self, person: str) -> None:
        self.knowing.add(person)

    @invariant()
    def nobody_ever_held_both(self) -> None:
        for person, roles in self.ever.items():
            kinds = {ROLES[role].blind for role in roles}
            assert not {"blinded", "unblinded"} <= kinds, (person, roles)
            assert roles == {grant.role for grant in self.states[person].ever}

    @invariant()
    def whoever_knows_rates_nobody(self) -> None:
        facts = dataclasses.replace(HERE, code_broken_for=frozenset(self.knowing))
        for person, grant in itertools.product(PEOPLE, GIVEN):
            who = self.states[person].who(person, grant)
            for command in (RATE, CAUSALITY):
                before, after = may(who, command, HERE), may(who, command, facts)
                if person in self.knowing:
                    assert after is not None
                    assert before is not None or after.rule == "access.knows-the-arm"
                else:
                    assert after == before
            assert may(who, FEVER, facts) == may(who, FEVER, HERE)


TestGrants = Grants.TestCase


def test_every_unblinded_role_reads_and_does_nothing_here():
    """An unblinded role has no page and no command at the first door, so nothing it knows can be typed there."""
    unblinded = [role for role in ROLES.values() if role.blind == "unblinded"]
    assert {role.id for role in unblinded} == {
        "pharmacist",
        "pharmacy_checker",
        "lab_desk",
        "board_statistician",
    }
    for role in unblinded:
        assert not role.commands
        assert not role.reads
    for first, second in itertools.product(ROLES, ROLES):
        both = {ROLES[first].blind, ROLES[second].blind} == {"blinded", "unblinded"}
        assert exclude_each_other(first, second) == both

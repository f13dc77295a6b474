"""Law: no order of grants and revocations gives one person a blinded and an unblinded role, at any site, ever: also not
one at the first door and work at the second, whatever is enrolled there and in whatever order its entries arrive.

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
from equipoise.vault import credentials
from equipoise.vault.commands import EnrolCredential
from equipoise.vault.credentials import NEEDED, borne
from equipoise.vault.facts import Purpose, VaultFacts
from rooms.capture.conduct_study import OCCASION, made_study, recorded

STUDY = made_study()
PEOPLE = ["a", "b", "c"]
SITES = [None, "site-1", "site-2"]
PURPOSES = sorted(NEEDED)
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
        self.enrolled: dict[str, credentials.State] = dict.fromkeys(PEOPLE, credentials.START)
        self.worked: set[str] = set()
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

    @rule(
        person=st.sampled_from(PEOPLE),
        purpose=st.sampled_from(PURPOSES),
        by=st.sampled_from(["system", *PEOPLE]),
    )
    def enrol(self, person: str, purpose: Purpose, by: str) -> None:
        """At the second door, by a keeper or at the terminal, on what the first door says now."""
        facts = VaultFacts(
            actor=by,
            roles={each: tuple(grant.role for grant in self.states[each].now) for each in PEOPLE},
            roles_ever={each: tuple(self.ever[each]) for each in PEOPLE},
        )
        command = EnrolCredential(person, purpose)
        decision = credentials.decide(STUDY, self.enrolled[person], facts, command, OCCASION)
        for append in () if isinstance(decision, Refusal) else decision:
            self.written += 1
            entry = recorded(append.stream, self.written, append.entry)
            self.enrolled[person] = credentials.evolve(self.enrolled[person], entry)

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
    def nobody_who_worked_behind_the_second_door_is_ever_blinded(self) -> None:
        for person, state in self.enrolled.items():
            now, ever = tuple(grant.role for grant in self.states[person].now), tuple(self.ever[person])
            if any(purpose != "BREAK" and borne(purpose, now, ever) for purpose in state.purposes):
                self.worked.add(person)
        for person in self.worked:
            assert not any(ROLES[role].blind == "blinded" for role in self.ever[person]), person

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
        "vault_keeper",
        "backup_officer",
    }
    assert {role for needed in NEEDED.values() for role in needed} - {role.id for role in unblinded} == {
        "investigator"  # who opens one code, and is barred from that participant
    }
    for role in unblinded:
        assert not role.commands
        assert not role.reads
    for first, second in itertools.product(ROLES, ROLES):
        both = {ROLES[first].blind, ROLES[second].blind} == {"blinded", "unblinded"}
        assert exclude_each_other(first, second) == both

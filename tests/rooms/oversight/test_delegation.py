"""The delegation log: who signs it, what it keeps, and what it refuses. Source: ICH E6(R3) 2.3, Appendix C 2.2."""

from __future__ import annotations

import dataclasses

import pytest

from equipoise.ledger.entries import DelegationEnded, DutyDelegated, PrincipalInvestigatorNamed, SiteAdded
from equipoise.ledger.facts import Facts
from equipoise.oversight.commands import DelegateDuties, EndDelegation, NamePrincipalInvestigator
from equipoise.oversight.decide import decide_site
from equipoise.oversight.evolve import SITE_START, State, add_facts, evolve_site
from rooms.capture.conduct_study import OCCASION, folded, made_study, refused, written

STUDY = made_study()
SITE = folded(evolve_site, SITE_START, [SiteAdded("01", {"en": "One"}, "Asia/Shanghai")])
NAMED = folded(evolve_site, SITE, [PrincipalInvestigatorNamed("01", "pi")])
BY_PI = dataclasses.replace(OCCASION, by="pi", role="investigator")
MAY = Facts(
    site_known=True,
    roles_of_named=frozenset({"coordinator"}),
    duties_of_named=frozenset({"consent", "dosing"}),
)
GIVE = DelegateDuties("01", "crc", ("consent", "dosing"))
TODAY = OCCASION.today


def held(state, user="crc"):
    return dict(state.log.delegated.get(user, {}))


def test_the_principal_investigator_signs_a_start_and_an_end():
    entries = [append.entry for append in written(decide_site(STUDY, NAMED, MAY, GIVE, BY_PI))]
    assert entries == [DutyDelegated("01", "crc", "consent"), DutyDelegated("01", "crc", "dosing")]
    state = folded(evolve_site, NAMED, entries)
    assert held(state) == {"consent": None, "dosing": None}
    end = EndDelegation("01", "crc", ("dosing",), "left the team")
    (append,) = written(decide_site(STUDY, state, MAY, end, BY_PI))
    assert append.entry == DelegationEnded("01", "crc", "dosing", "left the team")
    after = folded(evolve_site, state, [append.entry])
    assert held(after) == {"consent": None}
    dosing = [line for line in after.log.lines if line.duty == "dosing"]
    assert len(dosing) == 1
    assert dosing[0].ended is not None, "what was delegated stays in the log after it ended"


def test_nobody_else_signs():
    for by in ("crc", "inv2", ""):
        other = dataclasses.replace(OCCASION, by=by, role="investigator")
        assert refused(decide_site(STUDY, NAMED, MAY, GIVE, other)) == [("people.not-the-principal", "by")]
    assert refused(decide_site(STUDY, SITE, MAY, GIVE, BY_PI)) == [("people.no-principal", "site")]


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        (dataclasses.replace(GIVE, duties=()), ("people.no-duty-chosen", "duties")),
        (dataclasses.replace(GIVE, duties=("eligibility",)), ("people.duty-of-another-role", "duties")),
        (dataclasses.replace(GIVE, until="2026-08"), ("people.until-unfit", "until")),
        (dataclasses.replace(GIVE, until="2026-08-13"), ("people.until-unfit", "until")),  # yesterday
        (EndDelegation("01", "crc", ("consent",), "x"), ("people.duty-not-held", "duties")),
    ],
)
def test_what_is_refused(command, fault):
    assert refused(decide_site(STUDY, NAMED, MAY, command, BY_PI)) == [fault]


def test_the_same_again_is_refused_and_another_end_is_a_new_line():
    state = folded(
        evolve_site, NAMED, [DutyDelegated("01", "crc", "consent"), DutyDelegated("01", "crc", "dosing")]
    )
    assert refused(decide_site(STUDY, state, MAY, GIVE, BY_PI)) == [("people.delegated-already", "duties")]
    (first, second) = written(
        decide_site(STUDY, state, MAY, dataclasses.replace(GIVE, until="2026-12-31"), BY_PI)
    )
    after = folded(evolve_site, state, [first.entry, second.entry])
    assert held(after) == {"consent": "2026-12-31", "dosing": "2026-12-31"}
    assert len(after.log.lines) == 4
    assert sum(line.ended is None for line in after.log.lines) == 2


def test_an_end_wants_its_reason():
    state = folded(evolve_site, NAMED, [DutyDelegated("01", "crc", "consent")])
    end = EndDelegation("01", "crc", ("consent",), " ")
    assert refused(decide_site(STUDY, state, MAY, end, BY_PI)) == [("oversight.reason-required", "reason")]


def test_the_principal_investigator_is_an_investigator_of_the_site():
    name = NamePrincipalInvestigator("01", "doc")
    assert refused(decide_site(STUDY, SITE, MAY, name, OCCASION)) == [("people.not-an-investigator", "user")]
    fine = dataclasses.replace(MAY, roles_of_named=frozenset({"investigator"}))
    (append,) = written(decide_site(STUDY, SITE, fine, name, OCCASION))
    state = folded(evolve_site, SITE, [append.entry])
    assert state.log.principal == "doc"
    assert refused(decide_site(STUDY, state, fine, name, OCCASION)) == [("people.principal-already", "user")]


@pytest.mark.parametrize(
    ("purpose", "site", "required", "binds"),
    [
        ("rehearsal", SITE, True, False),  # a rehearsal's log binds once somebody signs it
        ("rehearsal", NAMED, True, True),
        ("trial", SITE, True, True),  # a trial's from the first day
        ("trial", NAMED, True, True),
        ("trial", NAMED, False, False),  # unless the study does without
    ],
)
def test_when_the_log_binds(purpose, site, required, binds):
    facts = add_facts(Facts(), State(purpose), site, TODAY, log_required=required)
    assert facts.log_in_force is binds

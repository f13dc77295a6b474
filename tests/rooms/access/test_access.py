"""Who may do what: the policy table, sites, and the wall between blinded and unblinded people."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.access.commands import Grant, GrantRole, RevokeRole, Who
from equipoise.access.decide import decide, may, may_read
from equipoise.access.evolve import START, State, evolve
from equipoise.access.roles import ROLES, exclude_each_other
from equipoise.capture.commands import RecordForm
from equipoise.eligibility.commands import ConfirmEligibility, ScreenSubject
from equipoise.ledger.entries import Append, Header, Recorded
from equipoise.ledger.facts import Facts, Occasion, Refusal
from equipoise.oversight.commands import AddSite, PauseEnrolment
from equipoise.protocol.study import Study
from equipoise.randomization.commands import Randomize

STUDY = Study.model_validate({"notation": 1, "id": "s", "version": "1", "dated": "2026-01-01", "title": "t"})
OCCASION = Occasion(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "UTC")
AT_SITE_1 = Facts(subject_known=True, subject_site="01", site_known=True)
SAVE = RecordForm("s1", "V1", "NIHSS", 1, {}, 0)


def _who(role: str, site: str | None = "01") -> Who:
    return Who("a", role, (Grant(role, site),))


def _as_recorded(append: Append) -> Recorded:
    header = Header(
        1, "s", append.stream, 1, "0" * 64, append.entry.kind, "", "", "", "", None, None, "", 0, "", ()
    )
    return Recorded(header, "", append.entry)


def test_a_coordinator_saves_at_her_own_site_only() -> None:
    assert may(_who("coordinator"), SAVE, AT_SITE_1) is None
    refused = may(_who("coordinator", "02"), SAVE, AT_SITE_1)
    assert refused is not None
    assert refused.rule == "access.other-site"


def test_screening_names_its_site_itself() -> None:
    command = ScreenSubject("s1", "02", "02001", "p1")
    refused = may(_who("coordinator", "01"), command, Facts())
    assert refused is not None
    assert refused.rule == "access.other-site"
    assert may(_who("coordinator", "02"), command, Facts()) is None


@pytest.mark.parametrize(
    ("role", "command", "allowed"),
    [
        ("investigator", ConfirmEligibility("s1"), True),
        (
            "coordinator",
            ConfirmEligibility("s1"),
            False,
        ),  # judging eligibility is a physician's duty (ICH E6 R3)
        ("coordinator", Randomize("s1"), True),
        ("rater", Randomize("s1"), False),
        ("monitor", SAVE, False),
        ("statistician", SAVE, False),
        ("pharmacist", SAVE, False),  # the second door's people do nothing at the first
        ("inspector", SAVE, False),
    ],
)
def test_the_policy_table(role: str, command: object, allowed: bool) -> None:
    assert (may(_who(role), command, AT_SITE_1) is None) is allowed


def test_a_role_that_is_not_held_gives_nothing() -> None:
    refused = may(Who("a", "coordinator", (Grant("monitor", "01"),)), SAVE, AT_SITE_1)
    assert refused is not None
    assert refused.rule == "access.role-not-held"


def test_an_unknown_command_is_allowed_to_nobody() -> None:
    @dataclass(frozen=True)
    class OpenSlot:
        subject: str

    for role in ROLES:
        who = Who("system" if role == "system" else "a", role, (Grant(role),))
        assert may(who, OpenSlot("s1"), AT_SITE_1) is not None


def test_the_system_role_is_the_programs_own() -> None:
    assert may(Who("system", "system", ()), AddSite("01", {"en": "One"}, "UTC"), Facts()) is None
    assert may(Who("a", "system", ()), AddSite("01", {"en": "One"}, "UTC"), Facts()) is not None
    assert isinstance(decide(STUDY, START, Facts(), GrantRole("u", "system"), OCCASION), Refusal)


def test_study_wide_commands_ask_for_no_site() -> None:
    assert may(_who("sponsor", None), PauseEnrolment("look at the data"), Facts()) is None


def test_reading_follows_the_site() -> None:
    assert may_read(_who("coordinator"), "casebook", "01")
    assert not may_read(_who("coordinator"), "casebook", "02")
    assert may_read(_who("monitor", None), "casebook", "02")
    assert not may_read(_who("rater"), "eligibility", "01")  # raters do not see why somebody was let in
    assert not may_read(_who("pharmacist"), "casebook", "01")


_ASKED = st.lists(
    st.tuples(st.sampled_from(sorted(ROLES)), st.sampled_from([None, "01", "02"]), st.booleans()), max_size=12
)


@given(_ASKED)
def test_nobody_ever_holds_a_blinded_and_an_unblinded_role(asked: list[tuple[str, str | None, bool]]) -> None:
    state = START
    for role, site, revoke in asked:
        command = RevokeRole("u", role, site) if revoke else GrantRole("u", role, site)
        decision = decide(STUDY, state, AT_SITE_1, command, OCCASION)
        if not isinstance(decision, Refusal):
            state = evolve(state, _as_recorded(decision[0]))
        assert not _mixed(state)


def _mixed(state: State) -> bool:
    return any(exclude_each_other(a.role, b.role) for a in state.ever for b in state.ever)


def test_the_wall_bites() -> None:
    held = State((), (Grant("pharmacist", "01"),))
    decision = decide(STUDY, held, AT_SITE_1, GrantRole("u", "coordinator", "01"), OCCASION)
    assert isinstance(decision, Refusal)
    assert decision.problems[0].rule == "access.roles-exclude"

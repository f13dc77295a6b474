"""Who may work at the second door: a purpose asks for a role at the first, and the blinded stay out.

Source: DESIGN 5 (people: nobody ever holds a blinded and an unblinded role).
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.access.commands import SYSTEM, GrantRole, RevokeRole
from equipoise.access.roles import ROLES
from equipoise.vault.breaks.commands import AcceptBreak, ShowArm
from equipoise.vault.commands import EnrolCredential, RevokeCredential
from equipoise.vault.credentials import NEEDED, borne
from equipoise.vault.facts import PROGRAM, Keeper
from equipoise.vault.release.commands import OpenClosedWork
from equipoise.vault.stock.commands import RecallLot, ReceiveShipment
from rooms.vault.two_doors import Doors


def rules(outcome) -> list[str]:
    return [problem.rule for problem in outcome.problems]


# Who may do what, as the brief of the house says it; not read from the table under test.
GIVEN = {
    "BENCH": {"phar"}, "CHECK": {"phar", "chk"}, "LAB": {"lab"}, "BOARD": {"dsmb"}, "BREAK": {"inv"}, "OFFICER": {"off"},
}  # fmt: skip


@pytest.mark.parametrize("purpose", sorted(GIVEN))
def test_a_purpose_asks_for_its_role_at_the_first_door(doors: Doors, purpose: str) -> None:
    doors.exchange()
    let_in = {
        user
        for user in ("phar", "chk", "inv", "crc", "lab", "dsmb", "keep", "off", "nobody")
        if doors.enrol(user, purpose).accepted
    }
    assert let_in == GIVEN[purpose]
    for user in let_in:
        assert doors.vault.who(user, purpose) == Keeper(user, purpose, (purpose,))


def test_the_first_keeper_is_enrolled_ahead_and_acts_only_once_the_role_has_come(doors: Doors) -> None:
    """At the terminal a keeper may be named before this door has heard of anybody; the exclusion of roles binds all the same."""
    assert doors.enrol("keep", "KEEPER").accepted
    assert doors.enrol("late", "KEEPER").accepted
    assert rules(doors.enrol("off", "OFFICER")) == ["vault.credential-without-role"]
    assert doors.vault.who("keep", "KEEPER") is None  # nothing was heard yet
    doors.exchange()
    keeper = doors.vault.who("keep", "KEEPER")
    assert keeper is not None
    assert doors.vault.who("late", "KEEPER") is None
    ahead = doors.vault.submit(keeper, EnrolCredential("later", "KEEPER"), key="ahead")
    assert rules(ahead) == [
        "vault.credential-without-role"
    ]  # a keeper enrols nobody ahead: the terminal alone does
    assert doors.desk.submit(SYSTEM, GrantRole("late", "rater", "01"), key="rater").accepted
    doors.exchange()
    assert doors.vault.who("late", "KEEPER") is None
    both = doors.desk.submit(SYSTEM, GrantRole("late", "vault_keeper"), key="both")
    assert rules(both) == ["access.roles-exclude"]
    blinded = doors.desk.submit(SYSTEM, GrantRole("keep", "monitor"), key="blinded")
    assert rules(blinded) == ["access.roles-exclude"]


def test_keeper_and_officer_are_never_blinded(doors: Doors) -> None:
    doors.exchange()
    for purpose in ("KEEPER", "OFFICER"):
        for user in ("crc", "inv"):
            assert rules(doors.enrol(user, purpose)) == ["vault.credential-of-blinded"]


def test_keeping_the_door_shows_no_arm_and_widens_no_site(doors: Doors) -> None:
    """Who keeps the door as well as preparing at one site works at that site alone, and no keeper is named for closed work."""
    assert doors.desk.submit(SYSTEM, GrantRole("phar", "vault_keeper"), key="too").accepted
    doors.exchange()
    with doors.vault.reading() as reader:
        assert doors.vault.known(reader).told.sites_of("phar") == {"01"}
    assert doors.enrol("dsmb", "BOARD").accepted
    board = doors.vault.who("dsmb", "BOARD")
    closed = OpenClosedWork("report", ("keep",), "0" * 64)
    assert rules(doors.vault.submit(board, closed, key="closed")) == ["vault_release.member-not-unblinded"]


@given(
    purpose=st.sampled_from(sorted(NEEDED)),
    roles=st.lists(st.sampled_from(sorted(ROLES)), max_size=3).map(tuple),
    past=st.lists(st.sampled_from(sorted(ROLES)), max_size=3).map(tuple),
)
def test_nobody_who_was_ever_blinded_works_behind_the_second_door(purpose, roles, past) -> None:
    if borne(purpose, roles, (*roles, *past)) and purpose != "BREAK":
        assert not any(ROLES[role].blind == "blinded" for role in (*roles, *past))
    if borne(purpose, roles, (*roles, *past)):
        assert NEEDED[purpose]
        assert NEEDED[purpose] & set(roles)


def test_a_role_revoked_at_the_first_door_ends_the_purpose_here(doors: Doors) -> None:
    doors.exchange()
    assert doors.enrol("phar", "BENCH").accepted
    keeper = doors.vault.who("phar", "BENCH")
    assert doors.desk.submit(SYSTEM, RevokeRole("phar", "pharmacist", "01"), key="revoke").accepted
    doors.exchange()
    assert doors.vault.who("phar", "BENCH") is None
    refused = doors.vault.submit(keeper, ReceiveShipment("S1", "01", {}, ""), key="late")
    assert rules(refused) == ["vault.purpose-not-held"]
    assert doors.desk.submit(SYSTEM, GrantRole("phar", "pharmacist", "02"), key="again").accepted
    doors.exchange()
    assert doors.vault.who("phar", "BENCH") is not None


def test_a_credential_revoked_here_ends_the_purpose(doors: Doors) -> None:
    doors.exchange()
    assert doors.enrol("phar", "BENCH").accepted
    assert doors.enrol("phar", "CHECK").accepted
    assert doors.vault.submit(PROGRAM, RevokeCredential("phar", "BENCH", "left"), key="r").accepted
    assert doors.vault.who("phar", "BENCH") is None
    assert doors.vault.who("phar", "CHECK") == Keeper("phar", "CHECK", ("CHECK",))


def test_what_is_refused_is_refused_by_name(doors: Doors) -> None:
    doors.exchange()
    assert doors.enrol("phar", "BENCH").accepted
    again = doors.vault.submit(PROGRAM, EnrolCredential("phar", "BENCH"), key="again")
    assert rules(again) == ["vault.credential-held"]
    lacking = doors.vault.submit(PROGRAM, RevokeCredential("phar", "LAB"), key="lacking")
    assert rules(lacking) == ["vault.credential-not-held"]
    for user in ("system", ""):
        assert rules(doors.enrol(user, "KEEPER")) == ["vault.credential-unfit"]
    assert rules(doors.enrol("chk", "BENCH")) == ["vault.credential-without-role"]


def test_a_keeper_that_was_made_up_is_not_believed(doors: Doors) -> None:
    doors.exchange()
    for purpose in ("BENCH", "BREAK", "KEEPER"):
        made_up = Keeper("phar", purpose, (purpose,))
        for command in (RecallLot("L1", "reason"), ShowArm("r1"), EnrolCredential("phar", "BENCH")):
            assert rules(doors.vault.submit(made_up, command, key=f"{purpose} {command}"[:99])) == [
                "vault.purpose-not-held"
            ]


def test_a_purpose_gives_its_own_commands_only(doors: Doors) -> None:
    doors.exchange()
    for user, purpose in (("chk", "CHECK"), ("inv", "BREAK"), ("keep", "KEEPER")):
        assert doors.enrol(user, purpose).accepted
    keeper = doors.vault.who("keep", "KEEPER")
    assert rules(doors.vault.submit(keeper, ShowArm("r1"), key="1")) == ["vault.not-allowed"]
    breaker = doors.vault.who("inv", "BREAK")
    for count, command in enumerate(
        (EnrolCredential("x", "KEEPER"), ReceiveShipment("S", "01", {}, ""), AcceptBreak("r"))
    ):
        assert rules(doors.vault.submit(breaker, command, key=f"2 {count}")) == ["vault.not-allowed"]


def test_the_same_key_is_a_replay_for_the_same_person_and_purpose_only(doors: Doors) -> None:
    doors.exchange()
    first = doors.enrol("keep", "KEEPER")
    again = doors.enrol("keep", "KEEPER")
    assert again.accepted
    assert again.replayed
    assert again.receipt == first.receipt
    keeper = doors.vault.who("keep", "KEEPER")
    other = doors.vault.submit(keeper, EnrolCredential("keep", "KEEPER"), key="enrol keep KEEPER")
    assert rules(other) == ["ledger.key-reused"]
    assert rules(doors.vault.submit(keeper, EnrolCredential("x", "KEEPER"), key="")) == ["vault.key-unfit"]

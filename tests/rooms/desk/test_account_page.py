"""The accounts page: inviting, granting and ending are entries; only who grants roles reads it. Source: ICH E6(R3) 4.2.2."""

from __future__ import annotations

from equipoise.access.commands import GrantRole, RevokeRole
from equipoise.desk.setup import give
from equipoise.ledger.entries import RoleGranted, RoleRevoked
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


def administrator(story: Story):
    assert give(story.desk, GrantRole("adm", "administrator")) == ()
    who = story.desk.who("adm", "administrator")
    assert who is not None
    return who


def test_an_invited_person_has_a_random_id_a_role_and_a_name_in_the_register(story: Story) -> None:
    who = administrator(story)
    user, outcome = story.desk.invite(who, "阿依古丽·买买提", "coordinator", "01", key="invite 1")
    assert outcome.accepted
    with story.desk.reading() as reader:
        (entry,) = [one.entry for one in reader.entries(f"user/{user}")]
    assert entry == RoleGranted(user, "coordinator", "01")
    view = story.desk.accounts(who)
    assert view is not None
    (line,) = [one for one in view.people if one.user == user]
    assert (line.name, [(one.role, one.site, one.held) for one in line.grants]) == (
        "阿依古丽·买买提",
        [("coordinator", "01", True)],
    )


def test_an_ended_role_stays_on_the_page_as_ended(story: Story) -> None:
    who = administrator(story)
    assert story.desk.submit(who, RevokeRole("crc", "coordinator", "01", "left"), key="end").accepted
    view = story.desk.accounts(who)
    assert view is not None
    (line,) = [one for one in view.people if one.user == "crc"]
    assert [one.held for one in line.grants] == [False]
    with story.desk.reading() as reader:
        assert isinstance(reader.entries("user/crc")[-1].entry, RoleRevoked)
    assert story.desk.who("crc", "coordinator") is None


def test_a_wall_between_roles_stands_on_this_page_too(story: Story) -> None:
    who = administrator(story)
    outcome = story.desk.submit(who, GrantRole("crc", "pharmacist", "01"), key="wall")
    assert [one.rule for one in outcome.problems] == ["access.roles-exclude"]


def test_nobody_else_reads_it(story: Story) -> None:
    for actor in ("crc", "pi", "rater", "cra", "spo"):
        assert story.desk.accounts(story.who(actor)) is None
        _, outcome = story.desk.invite(story.who(actor), "Somebody", "monitor", None, key=f"invite {actor}")
        assert [one.rule for one in outcome.problems] == ["access.not-allowed"]

"""Law: the access map says what the desk enforces, for every role and every command, and for every person of a site.

Source: reliability notes 1.4, 11.10 (d), (g): one policy table, and the page that shows it is made from it.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blind.sample import filled
from equipoise.access.commands import SYSTEM, Grant, Trained, Who
from equipoise.access.decide import may, may_read
from equipoise.access.duties import DUTIES, SITE_STAFF
from equipoise.access.phones import PHONES
from equipoise.access.policy import SAVES, command_rows, data_words, held, people_roles
from equipoise.access.roles import ROLES
from equipoise.desk.access_pages import access_map, person_access
from equipoise.desk.routes import ROUTES
from equipoise.ledger.facts import Facts
from equipoise.words.text import Text
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories

COMMANDS = sorted(ROUTES, key=lambda command: command.__name__)
ANYWHERE = Facts(subject_known=True, subject_site="01", site_known=True, today="2026-08-14")
LOGGED = dataclasses.replace(
    ANYWHERE,
    log_in_force=True,
    principal="pi",
    training_asked={"gcp": ("1", frozenset(), Text("GCP"))},
)


def asked(command: type) -> object:
    """The command about the site of the facts, with something in every field."""
    made = filled(command)
    return dataclasses.replace(made, site="01") if hasattr(made, "site") else made


@pytest.mark.parametrize("role", people_roles())
def test_the_map_of_commands_is_what_is_enforced(role):
    rows = {row.command: row for row in command_rows({command.__name__ for command in COMMANDS})}
    assert len(rows) == len(COMMANDS), "the map leaves no command out"
    who = Who("a", role, (Grant(role, None), Grant(role, "01")))
    for command in COMMANDS:
        refused = may(who, asked(command), ANYWHERE)
        shown = role in rows[command.__name__].roles
        assert shown == (
            refused is None or refused.rule not in {"access.not-allowed", "access.role-not-held"}
        )
        assert shown == (refused is None), (role, command.__name__, refused)


@pytest.mark.parametrize("role", people_roles())
def test_the_map_of_data_is_what_is_enforced(role):
    who = Who("a", role, (Grant(role, "01"),))
    for word in data_words():
        assert (word in ROLES[role].reads) == may_read(who, word, "01")
        assert not may_read(who, word, "02")


def test_nobody_but_the_program_gives_what_the_map_gives_to_nobody():
    for row in command_rows({command.__name__ for command in COMMANDS}):
        if not row.roles:
            sent = frozenset().union(*(phone.commands for phone in PHONES.values()))
            assert row.command in ROLES["system"].commands | sent
    assert (
        may(SYSTEM, asked(COMMANDS[0]), ANYWHERE) is None
        or COMMANDS[0].__name__ not in ROLES["system"].commands
    )


@given(
    st.sampled_from(sorted(SITE_STAFF)),
    st.dictionaries(st.sampled_from(sorted(DUTIES)), st.sampled_from([None, "2026-08-14", "2026-08-13"])),
    st.booleans(),
    st.booleans(),
)
def test_what_a_person_may_do_today_is_what_is_enforced(role, duties, taught, principal):
    actor = "pi" if principal else "a"
    trained = (Trained("gcp", "1", "2026-01-01"),) if taught else ()
    who = Who(actor, role, (Grant(role, "01"),), trained=trained)
    facts = dataclasses.replace(LOGGED, delegated={"a": duties})
    saves: list[Any] = []  # saves of several kinds
    for command in COMMANDS:
        name = command.__name__
        if name in SAVES:
            saves.append(asked(command))
            continue  # its duty is that of the form: below
        assert (held(who, name, facts) == "yes") == (may(who, asked(command), facts) is None), name
    rated = dataclasses.replace(facts, rated={"NIHSS": frozenset()})
    for save in saves:
        scale, other = (dataclasses.replace(save, form=form) for form in ("NIHSS", "VS"))
        either = may(who, scale, rated) is None or may(who, other, rated) is None
        assert (held(who, type(save).__name__, facts) == "yes") == either


def test_the_page_of_a_person_follows_the_ledger(story: Story) -> None:
    desk = story.desk
    view = person_access(desk, story.who("cra"), "crc")
    assert view is not None
    (role,) = view.held
    assert (role.site, role.blind) == ("01", "blinded")
    assert ("Randomize", "yes") in role.commands
    assert not any(name == "ConfirmEligibility" for name, _ in role.commands)
    other = person_access(desk, story.who("crc2"), "crc")
    assert other is None, "who works at another site sees nothing of the person"
    assert person_access(desk, story.who("cra"), "nobody") is None


def test_the_map_is_for_who_reads_of_people(story: Story) -> None:
    view = access_map(story.desk, story.who("rater"))
    assert view is not None
    assert {role.id for role in view.roles} == set(ROLES) - {"system"}
    pairs = itertools.product(view.roles, view.data)
    assert all((word in role.reads) == (word in ROLES[role.id].reads) for role, word in pairs)

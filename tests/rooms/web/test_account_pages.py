"""The page of accounts by plain form posts: invite, grant, end; what is refused leaves everything as it was.

Source: ICH E6(R3) 4.2.2 (access by role); 21 CFR 11.10(d), 11.300(a) (one person, one user name).
"""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from equipoise.access.commands import GrantRole
from equipoise.desk.setup import give
from rooms.web.test_infusion_pages import enter
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]
INVITED = {
    "do": "invite",
    "name": "阿依古丽·买买提",
    "username": "ayigul",
    "role": "coordinator",
    "site": "01",
}
FIRST = re.compile(r"<code>((?:[0-9a-f]{6}-){4}[0-9a-f]{6})</code>")


@pytest.fixture
def office(pages, story: Story) -> Story:
    from axes.utils import reset

    from equipoise.pages.accounts.models import Account, Login

    reset()
    Login.objects.all().delete()
    Account.objects.all().delete()
    settings.DESK = story.desk
    assert give(story.desk, GrantRole("adm", "administrator")) == ()
    return story


@pytest.fixture
def administrator(office):
    return enter("adm", "administrator")


def nobody():
    from django.test import Client

    return Client(HTTP_HOST="127.0.0.1", HTTP_ACCEPT_LANGUAGE="en")


def accounts() -> int:
    from equipoise.pages.accounts.models import Account

    return Account.objects.exclude(username__startswith="rehearsal").count()


def invite(browser, key: str = "i", **changes: str):
    return browser.post("/accounts", {**INVITED, "key": key, **changes})


def test_an_invited_person_signs_in_with_the_password_that_was_shown_once(administrator, office):
    answer = invite(administrator)
    (password,) = FIRST.findall(answer.content.decode())
    assert not FIRST.findall(administrator.get("/accounts").content.decode())
    given = {"username": "ayigul", "password": password}
    assert nobody().post("/login", given).status_code == 302
    again = invite(administrator)  # a double click
    assert not FIRST.findall(again.content.decode())
    assert accounts() == 1
    assert nobody().post("/login", given).status_code == 302


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"username": ""},
        {"role": "reader", "site": "77"},
        {"role": "no such role"},
        {"role": ""},
    ],
)
def test_what_cannot_be_invited_makes_no_account_and_what_was_typed_stays(administrator, office, changes):
    answer = invite(administrator, **changes)
    assert answer.status_code in (403, 422)
    assert 'role="alert"' in answer.content.decode()
    assert accounts() == 0
    assert f'value="{ {**INVITED, **changes}["username"] }"' in answer.content.decode()


def test_a_name_that_is_taken_is_said_and_the_first_account_stays(administrator, office):
    (password,) = FIRST.findall(invite(administrator).content.decode())
    answer = invite(administrator, "other", name="Somebody Else")
    assert answer.status_code == 422
    assert accounts() == 1
    assert nobody().post("/login", {"username": "ayigul", "password": password}).status_code == 302


def test_a_granted_role_is_held_and_an_ended_one_lets_in_no_more(administrator, office):
    grant = {"do": "grant", "user": "cra", "role": "data_manager", "site": "", "key": "g"}
    assert administrator.post("/accounts", grant).status_code == 200
    monitor = enter("cra", "monitor")
    assert office.desk.who("cra", "data_manager") is not None
    end = {"do": "end", "user": "cra", "grant": "monitor ", "key": "e"}
    refused = administrator.post("/accounts", end)
    assert refused.status_code == 422
    assert "why" in refused.content.decode().lower() or "reason" in refused.content.decode().lower()
    assert monitor.get("/today").status_code == 200
    assert administrator.post("/accounts", {**end, "reason": "left the sponsor"}).status_code == 200
    assert office.desk.who("cra", "monitor") is None
    assert monitor.get("/today").status_code == 302, "out at once"
    assert office.desk.who("cra", "data_manager") is not None


def test_roles_that_exclude_each_other_are_refused_by_name(administrator, office):
    given = {"do": "grant", "user": "crc", "role": "pharmacist", "site": "01", "key": "g"}
    answer = administrator.post("/accounts", given)
    assert answer.status_code in (403, 422)
    assert office.desk.who("crc", "pharmacist") is None


def test_nobody_but_an_administrator_changes_accounts(office):
    for actor, role in (("crc", "coordinator"), ("pi", "investigator"), ("spo", "sponsor")):
        browser = enter(actor, role)
        assert browser.get("/accounts").status_code == 404
        assert invite(browser).status_code == 404
    assert accounts() == 0


def test_a_post_without_the_pages_token_is_refused(office):
    from django.test import Client

    browser = Client(HTTP_HOST="127.0.0.1", enforce_csrf_checks=True)
    assert browser.post("/accounts", INVITED).status_code == 403
    assert accounts() == 0

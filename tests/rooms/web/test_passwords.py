"""One's own password: asked for first where somebody else made it, changed with the old one, other logins ended.

Source of the rules: NIST SP 800-63B 5.1.1.2 (length, common ones, the user name; no rule on kinds of characters).
"""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client

from rooms.web.test_infusion_pages import enter
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories

OLD, NEW = "correct horse 1", "four words in a row"


def _account(**changes):
    from equipoise.pages.accounts.models import Account

    given = {"username": "liuyan", "actor": "u-crc", "name": "Liu Yan", "role": "coordinator"} | changes
    made = Account(**given)
    made.set_password(OLD)
    made.save()
    return made


def _in(password: str = OLD) -> Client:
    browser = Client(HTTP_HOST="127.0.0.1", HTTP_ACCEPT_LANGUAGE="en")
    assert browser.post("/login", {"username": "liuyan", "password": password}).status_code == 302
    return browser


def _change(browser, **changes: str):
    return browser.post("/password", {"old": OLD, "password": NEW, "again": NEW} | changes)


def test_who_was_invited_does_nothing_before_the_password_is_their_own(desk, anybody):
    _account(must_change=True)
    browser = _in()
    for address in ("/today", "/subjects", "/subjects/01007"):
        answer = browser.get(address)
        assert (answer.status_code, answer["Location"]) == (302, "/password")
    assert browser.post("/subjects/new", {"name": "A"})["Location"] == "/password"
    assert "made by somebody else" in browser.get("/password").content.decode()
    assert browser.post("/language", {"language": "zh", "next": "/password"}).status_code == 302
    assert "由他人设置" in browser.get("/password").content.decode()
    assert _change(browser).status_code == 302
    assert browser.get("/today").status_code == 200
    assert _in(NEW).get("/today").status_code == 200


def test_an_invitation_makes_a_password_that_has_to_be_replaced(pages, story: Story):
    from equipoise.desk.setup import add_person
    from equipoise.pages.accounts.models import Account, Login

    Login.objects.all().delete()
    Account.objects.all().delete()
    settings.DESK = story.desk
    assert add_person(story.desk, "adm", "Adam Min", "administrator", None) == ()
    given = {"name": "Mo Nitor", "username": "mo.nitor", "role": "monitor", "do": "invite", "key": "k"}
    shown = enter("adm", "administrator").post("/accounts", given).content.decode()
    made = re.search(r"[0-9a-f]{6}(?:-[0-9a-f]{6}){4}", shown)
    assert made is not None
    browser = Client(HTTP_HOST="127.0.0.1", HTTP_ACCEPT_LANGUAGE="en")
    assert browser.post("/login", {"username": "mo.nitor", "password": made[0]}).status_code == 302
    assert browser.get("/today")["Location"] == "/password"
    assert _change(browser, old=made[0]).status_code == 302
    assert browser.get("/today").status_code == 200


def test_a_change_ends_every_other_login_and_goes_on_in_this_one(desk, anybody):
    _account()
    here, elsewhere = _in(), _in()
    token = here.cookies["equipoise_login"].value
    answer = _change(here)
    assert answer["Location"] == "/password?changed=1"
    assert "is changed" in here.get("/password?changed=1").content.decode()
    assert here.cookies["equipoise_login"].value != token
    assert here.get("/today").status_code == 200
    assert elsewhere.get("/today").status_code == 302
    assert anybody.post("/login", {"username": "liuyan", "password": OLD}).status_code == 422


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"old": "not the old one"}, "present password is not right"),
        ({"old": ""}, "present password is not right"),
        ({"again": "another one at all"}, "differ"),
        ({"password": "elevenchars", "again": "elevenchars"}, "too short"),
        ({"password": OLD, "again": OLD}, "is the present one"),
        ({"password": "I am LiuYan for ever", "again": "I am LiuYan for ever"}, "user name"),
        ({"password": "aaaabbbbaaaabbbb", "again": "aaaabbbbaaaabbbb"}, "pattern"),
        ({"password": "abcdefghijklm", "again": "abcdefghijklm"}, "pattern"),
        (
            {"password": "justinbieber", "again": "justinbieber"},
            "most used",
        ),  # in the list that Django brings
    ],
)
def test_what_is_refused_changes_nothing(desk, anybody, changes, says):
    _account()
    browser = _in()
    refused = _change(browser, **changes)
    assert refused.status_code == 422
    assert says in refused.content.decode()
    assert _in(OLD).get("/today").status_code == 200


def test_wrong_old_passwords_lock_the_name(desk, anybody):
    _account(username="liuyan")
    browser = _in()
    last = [_change(browser, old="wrong").status_code for _ in range(5)][-1]
    assert last == 429
    assert _change(browser).status_code in {422, 429}


def test_a_stranger_is_sent_to_the_sign_in(desk, anybody):
    assert anybody.get("/password")["Location"] == "/login?next=/password"


def test_a_made_up_person_of_a_rehearsal_has_no_password(coordinator):
    assert "has no password" in coordinator.get("/password").content.decode()
    assert _change(coordinator).status_code == 422

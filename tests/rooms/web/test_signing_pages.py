"""Signing on a page: both components each time, what is wrong stands beside its field, wrong passwords lock, nothing is signed.

Sources: 21 CFR 11.200(a)(1) (two components at each signing), 11.300(d) (attempts at misuse: a lock after five).
"""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from equipoise.ledger.entries import FormsSigned
from stories.conftest import NIHSS, Story, made_store, story

__all__ = ["made_store", "story"]
NAME, PASSWORD = "zhao.min", "correct horse battery"
MARK = re.compile(r'name="sign" value="([^"]+)"( checked)?')


@pytest.fixture
def ward(pages, story: Story) -> Story:
    """Two participants with a complete scale each; the investigator has an account with a password."""
    from axes.utils import reset

    from equipoise.pages.accounts.models import Account, Login

    reset()
    Login.objects.all().delete()
    Account.objects.all().delete()
    settings.DESK = story.desk
    for user, actor, role in ((NAME, "pi", "investigator"), ("other.doctor", "pi2", "investigator")):
        account = Account(username=user, actor=actor, name=actor, role=role)
        account.set_password(PASSWORD)
        account.save()
    for name in ("赵测试", "钱测试"):
        number = story.screen(name)
        story.consent(number)
        story.record("rater", number, "NIHSS", {**NIHSS, "NIHSSDAT": "2026-05-30"}, complete=True)
    return story


@pytest.fixture
def browser(ward):
    from django.test import Client

    made = Client(HTTP_HOST="127.0.0.1", HTTP_ACCEPT_LANGUAGE="en")
    assert made.post("/login", {"username": NAME, "password": PASSWORD}).status_code == 302
    return made


def marks(page) -> dict[str, bool]:
    """Whether each form on the page is ticked."""
    return {mark: bool(checked) for mark, checked in MARK.findall(page.content.decode())}


def give(browser, username: str = NAME, password: str = PASSWORD, **more: object):
    given = {"sign": list(marks(browser.get("/signatures"))), "key": "k", **more}
    return browser.post("/signatures", {**given, "username": username, "password": password})


def signatures(ward: Story) -> int:
    with ward.desk.reading() as reader:
        return sum(
            isinstance(one.entry, FormsSigned)
            for head in reader.streams()
            for one in reader.entries(head.stream)
        )


def beside(answer, field: str) -> str:
    """What stands beside a field, to which the field points."""
    page = answer.content.decode()
    told = re.search(rf'<p class="error" id="wrong-{field}">(.*?)</p>', page, re.S)
    assert told, page
    assert f'aria-invalid="true" aria-describedby="wrong-{field}"' in page
    return re.sub(r"<[^>]+>", "", told[1]).strip()


def test_both_components_sign_every_ticked_form_of_every_participant(ward, browser):
    answer = give(browser)
    assert answer.status_code == 302
    assert signatures(ward) == 2  # one for each participant, with one proof
    assert marks(browser.get("/signatures")) == {}


@pytest.mark.parametrize(
    ("username", "password", "field"),
    [
        ("", PASSWORD, "username"),
        (NAME, "", "password"),
        (NAME, "wrong", "password"),
        ("other.doctor", PASSWORD, "password"),  # somebody else's good password
        ("demo", "demo", "password"),  # what made-up people sign with, who have no password
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_signed(
    ward, browser, username, password, field
):
    one, other = marks(browser.get("/signatures"))
    answer = give(browser, username, password, sign=[one])
    assert answer.status_code == 422
    assert beside(answer, field)
    assert signatures(ward) == 0
    assert marks(answer) == {one: True, other: False}, "what was not ticked is not ticked by a refusal"
    assert (PASSWORD not in answer.content.decode()) or password == ""


def test_wrong_passwords_at_a_signature_lock_as_at_the_sign_in(ward, browser):
    for _ in range(5):
        give(browser, password="wrong")
    right = give(browser)
    assert right.status_code == 429
    assert "15 minutes" in beside(right, "password")
    assert signatures(ward) == 0
    assert browser.get("/today").status_code == 200  # who is in stays in: the lock is on the password
    browser.post("/logout")
    assert browser.post("/login", {"username": NAME, "password": PASSWORD}).status_code == 429


def test_a_double_click_signs_once(ward, browser):
    ticked = list(marks(browser.get("/signatures")))
    for _ in range(2):
        assert give(browser, sign=ticked).status_code == 302
    assert signatures(ward) == 2


def test_a_form_that_changed_since_it_was_shown_is_not_signed(ward, browser):
    ticked = list(marks(browser.get("/signatures")))
    ward.record("rater", "01001", "NIHSS", {"8": "2"}, reason="misread")
    answer = give(browser, sign=ticked)
    assert answer.status_code == 422
    assert signatures(ward) == 1  # the other participant's
    (left,) = marks(answer)
    assert left.startswith("01001~")

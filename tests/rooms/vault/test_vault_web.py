"""The shell of the second door's pages: who comes in, for what, and what every page says; over a stand-in for the vault.

Source of the rules: DESIGN 4 and 5 (two doors), WCAG 2.2 (lang), OWASP ASVS 5.0 14.3.2 (no-store).
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password

from doors import pages_of
from equipoise.protocol.load import load_study
from equipoise.vault import keeping
from equipoise.vault.commands import EnrolCredential
from equipoise.vault.facts import Keeper, VaultFacts
from equipoise.vault.views import Outcome
from equipoise.vault.web.settings import second_door
from equipoise.words.problem import problem

STUDY = load_study(Path(__file__).resolve().parents[3] / "tests" / "studies" / "second")
BAND = {"en": "Second door · unblinded", "zh": "第二道门 · 非盲区"}


KNOWN = {"u-pha", "u-pi", "u-key", "u-new"}


class EmptyReader:
    """A ledger in which nothing stands."""

    def entries(self, stream, after=0):
        return ()

    def streams(self):
        return ()

    def head(self, stream):
        return type("Head", (), {"seq": 0, "leaf": ""})


class StandIn:
    """What the shell asks of a vault: two people and their purposes."""

    def __init__(self) -> None:
        self.study = STUDY
        self.purpose = "rehearsal"
        self.enrolled = {"u-pha": ["BENCH", "CHECK"], "u-pi": ["BREAK"], "u-key": ["KEEPER"]}

    def now(self):
        return dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)

    @contextmanager
    def reading(self):
        yield EmptyReader()

    def state(self, reader, command):
        return keeping.START

    def facts(self, reader, keeper, command):
        return VaultFacts()

    def who(self, actor, purpose):
        mine = tuple(self.enrolled.get(actor, ()))
        return Keeper(actor, purpose, mine) if purpose in mine else None

    def submit(self, keeper, command, *, key):
        """Credentials only, for people whom the first door knows."""
        if command.user not in KNOWN:
            return Outcome(accepted=False, problems=(problem("vault.credential-without-role", "purpose"),))
        mine = self.enrolled.setdefault(command.user, [])
        if isinstance(command, EnrolCredential):
            mine.append(command.purpose)
        else:
            mine.remove(command.purpose)
        return Outcome(accepted=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    with pages_of(second_door(StandIn(), tmp_path_factory.mktemp("vault"), "s" * 64)) as accounts:
        yield accounts


@functools.cache
def _hashed() -> str:
    """The password of everybody, hashed once: slow hashes are slow."""
    return make_password("correct horse 1")


@pytest.fixture
def vault(folder) -> StandIn:
    """A fresh stand-in, with an account for each of its people and one more."""
    from equipoise.pages.accounts.logins import persona_account
    from equipoise.pages.accounts.models import Account, Login

    hashed = _hashed()
    Login.objects.all().delete()
    Account.objects.all().delete()
    for actor, name in (
        ("u-pha", "Shen Jia"),
        ("u-pi", "Zhao Min"),
        ("u-key", "Qin Lan"),
        ("u-none", "Nobody"),
    ):
        persona_account(actor, name, "", "")
        account = Account(username=actor, actor=actor, name=name, role="")
        account.password = hashed
        account.save()
    fresh = StandIn()
    settings.VAULT = fresh
    return fresh


@pytest.fixture
def anybody(vault):
    from django.test import Client

    return Client(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE="en")


def enter(client, user: str, purpose: str):
    answer = client.post("/enter", {"user": user, "purpose": purpose})
    assert answer.status_code == 302, answer.status_code
    return client


def login(client, username: str, password: str = "correct horse 1", **more: str):
    return client.post("/login", {"username": username, "password": password} | more)


PAGES = ["/", "/login", "/work", "/people", "/purpose", "/nowhere"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_says_which_door_it_is_and_that_it_is_a_rehearsal(anybody, language):
    enter(anybody, "u-key", "KEEPER")
    anybody.post("/language", {"language": language})
    for address in PAGES:
        page = anybody.get(address).text
        assert BAND[language] in page, address
        assert {"en": "DEMO · no real patients", "zh": "演示 · 无真实患者"}[language] in page, address
        assert 'class="second ' in page, address
        assert "second.css" in page, address


def test_a_trial_has_no_chooser_and_lets_nobody_in_without_a_password(vault, anybody):
    vault.purpose = "trial"
    assert anybody.get("/")["Location"] == "/login"
    for user, purpose in (("u-pha", "BENCH"), ("u-key", "KEEPER")):
        assert anybody.post("/enter", {"user": user, "purpose": purpose}).status_code == 403
    assert anybody.get("/work").status_code == 302
    assert "DEMO" not in anybody.get("/login").text


def test_only_made_up_people_are_played_and_only_for_what_they_are_enrolled(vault, anybody):
    for user, purpose in (
        ("u-pha", "KEEPER"),
        ("u-none", "BENCH"),
        ("nobody", "BENCH"),
        ("u-pi", ""),
        ("u-pi", "ROOT"),
    ):
        assert anybody.post("/enter", {"user": user, "purpose": purpose}).status_code == 404
    page = anybody.get("/").text
    assert page.count('<li class="card role-card">') == 4  # BENCH, CHECK, BREAK, KEEPER
    assert "Fang Wu" not in page


def test_a_person_with_one_purpose_goes_straight_to_the_work(vault, anybody):
    vault.purpose = "trial"
    assert login(anybody, "u-pi")["Location"] == "/work"
    assert anybody.get("/work")["Location"] == "/break"
    assert login(anybody, "u-key")["Location"] == "/work"
    assert "<h1>Keeper of the second door</h1>" in anybody.get("/work").text


def test_a_person_with_several_purposes_chooses_one_and_no_other(vault, anybody):
    vault.purpose = "trial"
    assert login(anybody, "u-pha", next="/work")["Location"] == "/purpose"
    assert anybody.get("/work")["Location"] == "/purpose"
    page = anybody.get("/purpose").text
    assert "Unblinded pharmacist" in page
    assert "Unblinded second checker" in page
    assert "Keeper" not in page
    assert anybody.post("/purpose", {"purpose": "KEEPER"}).status_code == 404
    assert anybody.get("/work").status_code == 302
    assert anybody.post("/purpose", {"purpose": "CHECK"})["Location"] == "/work"
    assert anybody.get("/work")["Location"] == "/bench"
    assert "Unblinded second checker" in anybody.get("/nowhere").text


def test_who_is_enrolled_for_nothing_any_more_is_told_so_and_signed_out_of_the_work(vault, anybody):
    assert login(anybody, "u-none").status_code == 403
    login(anybody, "u-key")
    assert anybody.get("/work").status_code == 200
    vault.enrolled["u-key"] = []
    assert anybody.get("/work").status_code == 302
    assert login(anybody, "u-key").status_code == 403


def test_wrong_passwords_are_answered_alike_and_lock(vault, anybody):
    wrong, unknown = login(anybody, "u-pi", "no"), login(anybody, "ghost", "no")
    assert wrong.status_code == unknown.status_code == 422
    for _ in range(4):
        login(anybody, "u-pi", "no")
    assert login(anybody, "u-pi").status_code == 429


def test_a_browser_in_which_somebody_signed_in_is_not_locked_by_wrong_passwords_from_elsewhere(
    vault, anybody
):
    """A whole hospital comes from one address: nobody there, or in front of it, can lock an investigator out."""
    from django.test import Client

    from equipoise.pages.accounts.models import Account

    Account.objects.create(username="u-dev", actor="u-pi", name="Zhao Min", role="", password=_hashed())
    assert login(anybody, "u-dev").status_code == 302
    anybody.post("/logout")
    other = Client(HTTP_HOST="localhost")
    for _ in range(5):
        login(other, "u-dev", "no")
    assert login(other, "u-dev").status_code == 429
    assert login(anybody, "u-dev").status_code == 302
    forged = Client(HTTP_HOST="localhost")
    forged.cookies["equipoise_second_device"] = "u-dev:made-up"
    assert login(forged, "u-dev").status_code == 429
    for _ in range(5):
        last = login(anybody, "u-dev", "no")
    assert last.status_code == 429  # and guessing is no easier in that browser


def test_made_up_people_cannot_sign_in_with_a_password(vault, anybody):
    assert login(anybody, "rehearsal-u-pi", "").status_code == 422
    assert login(anybody, "rehearsal-u-pi", "!").status_code == 422


def test_no_cookie_is_the_first_door_s_and_scripts_reach_none(vault, anybody):
    enter(anybody, "u-pi", "BREAK")
    anybody.post("/language", {"language": "zh"})
    anybody.get("/login")
    assert set(anybody.cookies) == {
        "equipoise_second_login",
        "equipoise_second_language",
        "equipoise_second_csrf",
    }  # made-up people have no password, so their browser gets no device's cookie
    cookie = anybody.cookies["equipoise_second_login"]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Strict"


def test_the_first_door_s_login_opens_nothing_here(vault, anybody):
    enter(anybody, "u-pi", "BREAK")
    token = anybody.cookies.pop("equipoise_second_login").value
    anybody.cookies["equipoise_login"] = token
    assert anybody.get("/work").status_code == 302


def test_it_answers_under_its_own_name_only(vault, anybody):
    assert (
        anybody.get("/", HTTP_HOST="127.0.0.1").status_code == 400
    )  # the first door's name for the same machine
    assert anybody.get("/", HTTP_HOST="evil.example").status_code == 400


def test_every_answer_forbids_keeping_framing_and_foreign_code(vault, anybody):
    enter(anybody, "u-pi", "BREAK")
    for address in (*PAGES, "/static/second.css"):
        answer = anybody.get(address)
        policy = answer["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'"), address
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        if not address.startswith("/static"):
            assert answer["Cache-Control"] == "no-store", address
        answer.close()


def test_a_form_without_its_token_is_refused(vault, folder):
    from django.test import Client

    strict = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    assert strict.post("/enter", {"user": "u-pi", "purpose": "BREAK"}).status_code == 403


def test_a_page_that_fails_logs_where_and_never_what(vault, anybody, caplog, monkeypatch):
    """The text of an exception may hold a product or an arm. Source: reliability notes L10."""

    canary = "canary-arm-" + "4711"  # in two, so that a line of this file is not taken for it

    def fault(*_):
        raise LookupError(canary)

    enter(anybody, "u-key", "KEEPER")
    monkeypatch.setattr("equipoise.vault.web.home.overview", fault)
    page = anybody.get("/work")
    assert page.status_code == 500
    assert "LookupError" in caplog.text
    assert "home.py" in caplog.text
    assert canary not in caplog.text + page.text


def test_signing_out_ends_the_login_on_the_server(vault, anybody):
    enter(anybody, "u-pi", "BREAK")
    token = anybody.cookies["equipoise_second_login"].value
    anybody.post("/logout")
    anybody.cookies["equipoise_second_login"] = token
    assert anybody.get("/work").status_code == 302


NEW = {
    "user": "u-new",
    "username": "jin",
    "name": "Jin Lu",
    "name_zh": "金璐",
    "purpose": ["LAB"],
    "key": "a key of a page",
}


def invited(client) -> str:
    """The code that the keeper is shown for a new person."""
    page = client.post("/people/enrol", NEW)
    assert page.status_code == 200, page.text
    found = re.search(r"invited\">([\w-]{16})<", page.text)
    assert found
    return found[1]


def test_the_code_that_a_keeper_hands_over_opens_only_the_page_that_replaces_it(vault, anybody):
    from django.test import Client

    code = invited(enter(anybody, "u-key", "KEEPER"))
    new = Client(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE="en")
    assert login(new, "jin", code, next="/values")["Location"] in {"/password", "/values"}
    for address in ("/values", "/work", "/people", "/break", "/bench"):
        assert new.get(address).status_code == 302, address
    assert new.get("/purpose")["Location"] == "/password"
    assert new.post("/purpose", {"purpose": "LAB"})["Location"] == "/password"
    for first, second in (
        (code, code),
        ("too short", "too short"),
        ("one long password", "another password"),
    ):
        assert new.post("/password", {"password": first, "again": second}).status_code == 422
    own = {"password": "a password of my own", "again": "a password of my own"}
    assert new.post("/password", own)["Location"] == "/login"
    assert login(new, "jin", code).status_code == 422
    assert login(new, "jin", "a password of my own")["Location"] == "/work"
    assert "Change my password" in new.get("/password").content.decode()  # one's own may be changed later
    next_one = {"old": "a password of my own", "password": "yet another one", "again": "yet another one"}
    assert new.post("/password", next_one | {"old": "not mine"}).status_code == 422
    assert new.post("/password", next_one)["Location"] == "/password?changed=1"
    assert "is changed" in new.get("/password?changed=1").content.decode()  # and this login goes on
    assert vault.enrolled["u-new"] == ["LAB"]


def test_who_has_a_password_keeps_it_when_enrolled_for_more(vault, anybody):
    from equipoise.pages.accounts.models import Account

    enter(anybody, "u-key", "KEEPER")
    before = Account.objects.get(username="u-pi").password
    more = NEW | {"user": "u-pi", "username": "u-pi", "purpose": ["OFFICER"]}
    assert anybody.post("/people/enrol", more)["Location"] == "/people"
    assert Account.objects.get(username="u-pi").password == before
    assert vault.enrolled["u-pi"] == ["BREAK", "OFFICER"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"user": "u-stranger"}, "role"), ({"purpose": []}, "needed"), ({"name": " "}, "needed"),
     ({"username": "u-pi"}, "cannot be a user name"), ({"username": "rehearsal-x"}, "cannot be a user name")],
)  # fmt: skip
def test_what_does_not_fit_enrols_nobody(vault, anybody, changed, said):
    from equipoise.pages.accounts.models import Account

    enter(anybody, "u-key", "KEEPER")
    page = anybody.post("/people/enrol", NEW | changed)
    assert page.status_code == 422
    assert said in page.text
    assert not Account.objects.filter(actor__in=("u-new", "u-stranger")).exists()
    assert "u-new" not in vault.enrolled


def test_nobody_gets_a_second_account_by_which_the_keeper_could_act_for_them(vault, anybody):
    from equipoise.pages.accounts.models import Account

    enter(anybody, "u-key", "KEEPER")
    more = NEW | {"user": "u-pi", "username": "u-pi-again", "purpose": ["OFFICER"]}
    assert anybody.post("/people/enrol", more).status_code == 422
    assert not Account.objects.filter(username="u-pi-again").exists()


def test_only_the_keeper_enrols_and_revokes_and_a_reason_is_asked(vault, anybody):
    enter(anybody, "u-pha", "BENCH")
    assert anybody.get("/people").status_code == 404
    assert anybody.post("/people/enrol", NEW).status_code == 404
    assert (
        anybody.post("/people/revoke", {"user": "u-pi", "purpose": "BREAK", "reason": "x"}).status_code == 404
    )
    enter(anybody, "u-key", "KEEPER")
    assert (
        anybody.post("/people/revoke", {"user": "u-pi", "purpose": "BREAK", "reason": " "}).status_code == 422
    )
    assert vault.enrolled["u-pi"] == ["BREAK"]
    left = anybody.post("/people/revoke", {"user": "u-pi", "purpose": "BREAK", "reason": "left the site"})
    assert left["Location"] == "/people"
    assert vault.enrolled["u-pi"] == []

"""A second factor at the second door, over its pages: set up, asked for, used once, lost, and never in an emergency's way.

Sources: RFC 6238, appendix B (a published code) and 5.2 (a code is accepted once); NIST SP 800-63B 5.2.2 (wrong tries
are limited); decision 0031 (a code break does not wait for it).
"""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.test import Client, override_settings
from test_vault_web import StandIn, login

from doors import pages_of
from equipoise.ledger.facts import Refusal
from equipoise.ledger.vault_entries import RecoveryCodeUsed, SecondFactorEnrolled, SecondFactorRemoved
from equipoise.vault import credentials
from equipoise.vault.commands import RemoveSecondFactor, SetSecondFactor, UseRecoveryCode
from equipoise.vault.facts import VaultFacts
from equipoise.vault.views import Outcome
from equipoise.vault.web.settings import second_door
from rooms.capture.conduct_study import OCCASION, made_study


class Door(StandIn):
    """A trial's vault with a clock, a keyring that turns bytes round, and a list of what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.purpose = "trial"
        self.enrolled = {
            "u-pha": ["BENCH"],
            "u-pi": ["BREAK"],
            "u-key": ["KEEPER"],
            "u-both": ["BENCH", "BREAK"],
        }
        self.at = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
        self.asked: list[object] = []

    def now(self):
        return self.at

    def sealed(self, name, content):
        return name.encode() + content[::-1]

    def unsealed(self, name, sealed):
        return sealed.removeprefix(name.encode())[::-1] if sealed.startswith(name.encode()) else None

    def submit(self, keeper, command, *, key):
        self.asked.append(command)
        return Outcome(accepted=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    with pages_of(second_door(Door(), tmp_path_factory.mktemp("vault"), "s" * 64)) as accounts:
        yield accounts


@pytest.fixture
def vault(folder) -> Door:
    from axes.utils import reset
    from django.contrib.auth.hashers import make_password

    from equipoise.pages.accounts.models import Account, Login, SecondFactor

    for table in (SecondFactor, Login, Account):
        table.objects.all().delete()
    reset()  # wrong tries of other tests count against nobody here
    hashed = make_password("correct horse 1")
    for actor in ("u-pha", "u-pi", "u-key", "u-both"):
        Account.objects.create(username=actor, actor=actor, name=actor, role="", password=hashed)
    settings.VAULT = Door()
    return settings.VAULT


def browser() -> Client:
    return Client(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE="en")


def secret_of(page: str) -> bytes:
    shown = re.search(r'factor-secret">([A-Z2-7 ]+)<', page)
    assert shown
    return base64.b32decode(shown[1].replace(" ", ""))


def code(secret: bytes, at: dt.datetime) -> str:
    return TOTP(secret, 6, SHA1(), 30).generate(int(at.timestamp())).decode()


def set_up(vault: Door, user: str) -> tuple[bytes, list[str]]:
    """The secret and the recovery codes of somebody who set the factor up; a minute passes."""
    client = browser()
    assert login(client, user).status_code == 302
    if len(vault.enrolled[user]) > 1:
        client.post("/purpose", {"purpose": vault.enrolled[user][0]})
    page = client.get("/factor/set-up").content.decode()
    secret = secret_of(page)
    done = client.post("/factor/set-up", {"code": code(secret, vault.at)})
    codes = re.findall(r'<li class="mono">([0-9a-z-]+)</li>', done.content.decode())
    assert len(codes) == 8
    assert vault.asked[-1] == SetSecondFactor(user)
    vault.at += dt.timedelta(minutes=1)
    return secret, codes


def test_the_published_code_comes_out() -> None:
    """RFC 6238, appendix B: SHA-1, the secret of twenty digits, 59 s after the beginning of 1970, eight digits."""
    assert TOTP(b"12345678901234567890", 8, SHA1(), 30).generate(59) == b"94287082"


def test_a_password_alone_opens_nothing_once_a_factor_is_set_up(vault: Door) -> None:
    secret, _ = set_up(vault, "u-pha")
    client = browser()
    assert login(client, "u-pha")["Location"] == "/factor"
    for page in ("/work", "/people", "/bench", "/purpose", "/password"):
        assert client.get(page).status_code == 302, page
    assert client.post("/purpose", {"purpose": "BENCH"})["Location"] == "/factor"
    assert client.post("/people/factor", {"user": "u-pha", "reason": "x"}).status_code in {302, 404}
    assert client.post("/factor", {"code": "000000"}).status_code == 422
    came = client.post("/factor", {"code": code(secret, vault.at)})
    assert (came.status_code, came["Location"]) == (302, "/work")
    assert client.get("/work").status_code in {200, 302}
    assert client.get("/factor")["Location"] == "/login"  # nothing is left to be proved


def test_a_code_counts_once_and_no_earlier_one_after_it(vault: Door) -> None:
    secret, _ = set_up(vault, "u-pha")
    earlier = code(secret, vault.at - dt.timedelta(seconds=30))
    now = code(secret, vault.at)
    first, second = browser(), browser()
    login(first, "u-pha")
    login(second, "u-pha")
    assert first.post("/factor", {"code": now}).status_code == 302
    assert second.post("/factor", {"code": now}).status_code == 422
    assert second.post("/factor", {"code": earlier}).status_code == 422
    vault.at += dt.timedelta(seconds=30)
    assert second.post("/factor", {"code": code(secret, vault.at)}).status_code == 302


def test_a_clock_half_a_minute_off_is_borne_and_more_is_not(vault: Door) -> None:
    secret, _ = set_up(vault, "u-pha")
    for seconds, status in ((90, 422), (-90, 422), (30, 302)):
        client = browser()
        login(client, "u-pha")
        given = code(secret, vault.at + dt.timedelta(seconds=seconds))
        assert client.post("/factor", {"code": given}).status_code == status, seconds


def test_five_wrong_codes_pause_for_a_quarter_of_an_hour(vault: Door) -> None:
    secret, _ = set_up(vault, "u-pha")
    client = browser()
    login(client, "u-pha")
    for _ in range(5):
        assert client.post("/factor", {"code": "123"}).status_code == 422
    assert client.post("/factor", {"code": code(secret, vault.at)}).status_code == 429
    vault.at += dt.timedelta(minutes=16)
    assert client.post("/factor", {"code": code(secret, vault.at)}).status_code == 302


def test_a_recovery_code_lets_in_once_and_is_an_entry(vault: Door) -> None:
    _, codes = set_up(vault, "u-pha")
    for status in (302, 422):
        client = browser()
        login(client, "u-pha")
        assert client.post("/factor", {"code": codes[3].upper()}).status_code == status
    assert [one for one in vault.asked if isinstance(one, UseRecoveryCode)] == [UseRecoveryCode("u-pha", 7)]


def test_opening_one_code_waits_for_no_telephone(vault: Door) -> None:
    """Decision 0031: by the password alone, for that purpose and no other."""
    set_up(vault, "u-both")
    client = browser()
    assert login(client, "u-both", next="/break/abc")["Location"].startswith("/factor?next=")
    assert "only-break" in client.get("/factor").content.decode()
    came = client.post("/factor/code", {"next": "/break/abc"})
    assert (came.status_code, came["Location"]) == (302, "/break/abc")
    assert client.get("/bench").status_code == 404
    assert login(browser(), "u-pi")["Location"] == "/work"  # whose only purpose it is, is not asked at all


def test_who_came_in_for_an_emergency_changes_no_password(vault: Door) -> None:
    """Decision 0031: for that and nothing else; a stolen password must not become the thief's own."""
    from equipoise.pages.accounts.models import Account

    secret, _ = set_up(vault, "u-both")
    given = {"old": "correct horse 1", "password": "staple battery right", "again": "staple battery right"}
    client = browser()
    login(client, "u-both")
    client.post("/factor/code", {})
    shown = client.get("/password")
    assert "one-time code" in shown.content.decode()
    assert 'name="old"' not in shown.content.decode()
    assert client.post("/password", given).status_code == 422
    assert Account.objects.get(actor="u-both").check_password("correct horse 1")
    whole = browser()
    login(whole, "u-both")
    whole.post("/factor", {"code": code(secret, vault.at)})
    whole.post("/purpose", {"purpose": "BENCH"})
    assert whole.post("/password", given).status_code == 302
    only = browser()  # whose purpose is breaking alone, without a second factor: as ever
    login(only, "u-pi")
    assert only.post("/password", given).status_code == 302


def test_nobody_comes_in_by_the_emergency_button_who_may_open_no_code(vault: Door) -> None:
    set_up(vault, "u-pha")
    client = browser()
    login(client, "u-pha")
    assert "only-break" not in client.get("/factor").content.decode()
    assert client.post("/factor/code", {}).status_code == 404
    assert browser().post("/factor/code", {}).status_code == 404


def test_a_door_that_asks_everybody_sends_them_to_set_it_up(vault: Door) -> None:
    with override_settings(SECOND_FACTOR=True):
        client = browser()
        assert login(client, "u-pha")["Location"] == "/factor/set-up"
        assert client.get("/bench").status_code == 302
        secret = secret_of(client.get("/factor/set-up").content.decode())
        done = client.post("/factor/set-up", {"code": code(secret, vault.at)})
        assert done.status_code == 200
        assert client.get("/factor")["Location"] == "/login"
        assert login(browser(), "u-pi")["Location"] == "/work"


def test_the_secret_is_shown_to_its_person_alone_and_lies_sealed(vault: Door) -> None:
    from equipoise.pages.accounts.models import SecondFactor

    secret, codes = set_up(vault, "u-pha")
    factor = SecondFactor.objects.get()
    assert secret not in bytes(factor.sealed)
    assert not any(one.replace("-", "") in factor.recovery for one in codes)
    client = browser()
    login(client, "u-pha")
    client.post("/factor", {"code": code(secret, vault.at)})
    again = client.get("/factor/set-up").content.decode()
    assert "factor-secret" not in again
    assert "Recovery codes left: 8" in again
    assert browser().get("/factor/set-up")["Location"] == "/login"


def test_a_keeper_takes_it_from_somebody_who_lost_it(vault: Door) -> None:
    set_up(vault, "u-pha")
    keeper = browser()
    login(keeper, "u-key")
    assert keeper.post("/people/factor", {"user": "u-pha", "reason": "lost"})["Location"] == "/people"
    assert vault.asked[-1] == RemoveSecondFactor("u-pha", "lost")
    assert login(browser(), "u-pha")["Location"] == "/work"
    assert keeper.post("/people/factor", {"user": "u-pha", "reason": "lost"}).status_code == 404


def test_a_rehearsal_has_no_second_of_passwords_that_nobody_has(vault: Door) -> None:
    vault.purpose = "rehearsal"
    client = browser()
    login(client, "u-pha")
    assert client.get("/factor/set-up").status_code == 404


def test_what_the_ledger_keeps_of_it() -> None:
    study, facts = made_study(), VaultFacts(actor="u-key")
    held = credentials.State(("BENCH",), second_factor=True)

    def decided(state: credentials.State, command: object, known: VaultFacts = facts) -> object:
        made = credentials.decide(study, state, known, command, OCCASION)
        return made.problems[0].rule if isinstance(made, Refusal) else made[0].entry

    assert decided(credentials.START, SetSecondFactor("u-pha")) == SecondFactorEnrolled("u-pha")
    assert decided(held, UseRecoveryCode("u-pha", 7)) == RecoveryCodeUsed("u-pha", 7)
    assert decided(held, RemoveSecondFactor("u-pha", " lost ")) == SecondFactorRemoved("u-pha", "lost")
    assert decided(held, RemoveSecondFactor("u-pha", " ")) == "vault_factor.reason-needed"
    assert decided(held, RemoveSecondFactor("u-key", "x")) == "vault_factor.own"
    assert decided(credentials.START, RemoveSecondFactor("u-pha", "x")) == "vault_factor.not-held"

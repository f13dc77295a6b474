"""Coming in: who may, how, and what the browser is told."""

from __future__ import annotations

import stat

import pytest


def account(**changes):
    from equipoise.pages.accounts.models import Account

    given = {"username": "liuyan", "actor": "u-crc", "name": "Liu Yan", "role": "coordinator"} | changes
    made = Account(**given)
    made.set_password("correct horse 1")
    made.save()
    return made


def test_the_role_chooser_signs_a_made_up_person_in_without_a_password(coordinator):
    page = coordinator.get("/today")
    assert page.status_code == 200
    assert "Liu Yan" in page.text


def test_a_real_trial_refuses_to_let_anybody_in_without_a_password(desk, anybody):
    desk.purpose = "trial"
    assert anybody.get("/").status_code == 302
    refused = anybody.post("/enter", {"user": "u-crc", "role": "coordinator"})
    assert refused.status_code == 403
    assert anybody.get("/today").status_code == 302


def test_only_people_of_the_rehearsal_can_be_played(anybody):
    assert anybody.post("/enter", {"user": "u-crc", "role": "administrator"}).status_code == 404


@pytest.mark.parametrize(
    "address", ["/today", "/subjects", "/subjects/01007", "/queries", "/subjects/01007/forms/V2/NIHSS"]
)
def test_pages_with_data_send_strangers_to_the_sign_in_and_back(anybody, address):
    answer = anybody.get(address)
    assert answer.status_code == 302
    assert answer["Location"] == f"/login?next={address}"


def test_signing_in_leads_on_but_never_to_another_site(desk, anybody):
    account()
    given = {"username": "liuyan", "password": "correct horse 1"}
    assert anybody.post("/login", given | {"next": "/subjects"})["Location"] == "/subjects"
    for elsewhere in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert anybody.post("/login", given | {"next": elsewhere})["Location"] == "/today"


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(desk, anybody):
    account()
    wrong = anybody.post("/login", {"username": "liuyan", "password": "no"})
    unknown = anybody.post("/login", {"username": "nobody", "password": "no"})
    assert wrong.status_code == unknown.status_code == 422
    assert "do not match" in wrong.text
    assert "do not match" in unknown.text


def test_five_wrong_passwords_lock_the_name_even_for_the_right_one(desk, anybody):
    account(username="locked")
    for _ in range(5):
        last = anybody.post("/login", {"username": "locked", "password": "no"})
    assert last.status_code == 429
    right = anybody.post("/login", {"username": "locked", "password": "correct horse 1"})
    assert right.status_code == 429
    assert "15 minutes" in right.text


def test_an_account_without_a_role_is_told_so(desk, anybody):
    account(role="sponsor")
    answer = anybody.post("/login", {"username": "liuyan", "password": "correct horse 1"})
    assert answer.status_code == 403
    assert "no role" in answer.text


def test_an_account_made_at_the_terminal_signs_in_until_it_is_closed(desk, anybody, pages):
    from equipoise.pages.accounts.people import close_account, set_account

    given = {"username": "zhang", "password": "four words in a row"}
    made = set_account(pages, "zhang", given["password"], actor="u-crc", role="coordinator", name="Zhang")
    assert made is None
    assert anybody.post("/login", given)["Location"] == "/today"
    assert anybody.get("/today").status_code == 200
    assert close_account(pages, "zhang") is None
    assert anybody.get("/today").status_code == 302, "signed out at once"
    assert anybody.post("/login", given).status_code == 422


def test_a_new_password_ends_the_logins_of_the_old_one(desk, anybody, pages):
    from equipoise.pages.accounts.people import set_account

    for password in ("the first password", "the second password"):
        set_account(pages, "zhang", password, actor="u-crc", role="coordinator", name="Zhang")
        assert anybody.get("/today").status_code == 302
        assert anybody.post("/login", {"username": "zhang", "password": password}).status_code == 302


@pytest.mark.parametrize(
    ("username", "password", "rule"),
    [("", "long enough for all", "pages.username-unfit"), ("rehearsal-x", "long enough for all", "pages.username-unfit"),
     ("zhang", "short", "pages.password-short")],
)  # fmt: skip
def test_unfit_names_and_short_passwords_are_refused(desk, pages, username, password, rule):
    from equipoise.pages.accounts.people import set_account

    assert set_account(pages, username, password, actor="a", role="coordinator", name="N").rule == rule


def test_signing_out_ends_the_login_on_the_server(coordinator):
    token = coordinator.cookies["equipoise_login"].value
    coordinator.post("/logout")
    coordinator.cookies["equipoise_login"] = token
    assert coordinator.get("/today").status_code == 302


def test_the_file_of_accounts_holds_no_token_and_no_password(coordinator, pages):
    account()
    token = coordinator.cookies["equipoise_login"].value
    stored = b"".join(path.read_bytes() for path in pages.glob("accounts.sqlite*"))
    assert token.encode() not in stored
    assert b"correct horse" not in stored


def test_secret_files_are_for_their_owner_alone(pages, tmp_path):
    from equipoise.pages.settings import secret_key

    secret_key(tmp_path / "web.key")
    for secret in (tmp_path / "web.key", pages / "accounts.sqlite"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_the_login_cookie_is_out_of_reach_of_scripts_and_of_other_sites(coordinator):
    cookie = coordinator.cookies["equipoise_login"]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Strict"


def test_the_language_is_kept_and_said_on_the_page(coordinator):
    assert '<html lang="en">' in coordinator.get("/today").text
    answer = coordinator.post("/language", {"language": "zh", "next": "/subjects"})
    assert answer["Location"] == "/subjects"
    page = coordinator.get("/today")
    assert '<html lang="zh-Hans">' in page.text
    assert page["Content-Language"] == "zh-Hans"
    assert "今日" in page.text
    del coordinator.cookies["equipoise_language"]
    assert "今日" in coordinator.get("/today").text, "kept with the account, not only in the cookie"


def test_without_a_choice_the_browsers_language_counts(anybody):
    assert 'lang="zh-Hans"' in anybody.get("/", HTTP_ACCEPT_LANGUAGE="zh-CN,en;q=0.5").text
    assert 'lang="en"' in anybody.get("/", HTTP_ACCEPT_LANGUAGE="de,en;q=0.5").text


def test_every_answer_carries_the_headers_that_keep_it_in_its_place(coordinator):
    for address in ("/today", "/subjects/99999", "/static/app.css"):
        answer = coordinator.get(address)
        assert answer["Content-Security-Policy"].startswith("default-src 'self'"), address
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "same-origin"
        answer.close()
    assert coordinator.get("/today")["Cache-Control"] == "no-store"


def test_a_host_that_is_not_ours_is_refused(anybody):
    assert anybody.get("/", HTTP_HOST="evil.example").status_code == 400


def test_a_form_without_its_token_is_refused_and_says_what_to_do(pages, desk):
    from django.test import Client

    strict = Client(HTTP_HOST="127.0.0.1", enforce_csrf_checks=True)
    answer = strict.post("/enter", {"user": "u-crc", "role": "coordinator"})
    assert answer.status_code == 403
    assert "load the page anew" in answer.text


def test_a_rehearsal_says_so_on_every_page_and_never_names_the_registry(coordinator):
    addresses = ["/", "/today", "/subjects", "/subjects/new", "/queries", "/subjects/01007", "/subjects/01007/consent",
                 "/subjects/01007/eligibility", "/subjects/01007/randomize", "/subjects/01007/forms/V2/NIHSS",
                 "/subjects/01007/forms/V2/NIHSS/history", "/subjects/99999"]  # fmt: skip
    for address in addresses:
        page = coordinator.get(address).text
        assert "DEMO · no real patients" in page, address
        assert "DEMO-0001" in page, address
        assert "NCT00000000" not in page, address  # the sample study's registry number

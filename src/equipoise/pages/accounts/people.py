"""Giving a person an account, from the terminal: name, password and the random id under which the ledger knows them.

The rules that must stay true: an account gives no right (rights are grants in the ledger); a password is at
least twelve characters long and is none of those that are guessed first: common ones, patterns, the own user name
(NIST SP 800-63B 5.1.1.2).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.pages.accounts.names import REHEARSED
from equipoise.words.problem import Problem, problem

if TYPE_CHECKING:
    from django.contrib.auth.password_validation import CommonPasswordValidator

SHORTEST_PASSWORD = 12
DIFFERENT = 5
"""Fewer different characters than this are a pattern."""
NAME_COUNTS = 4
"""From how many characters on a user name may not stand in the password: shorter ones are parts of words."""
_RUNS = (
    "01234567890123456789 abcdefghijklmnopqrstuvwxyz qwertyuiopasdfghjklzxcvbnm 1qaz2wsx3edc4rfv5tgb6yhn7ujm"
)
"""Rows of the keyboard and of the alphabet; a password that is a piece of one is no secret."""


def set_account(
    store: Path, username: str, password: str, *, actor: str, role: str, name: str, name_zh: str = ""
) -> Problem | None:
    """Make an account, or change the password, name and role of an existing one. Why not, or None.

    Works while a server runs: accounts stand in a file of their own. Sets Django up where nobody has yet.
    """
    username = username.strip()
    if not username or len(username) > 150 or username.startswith(REHEARSED):
        return problem("pages.username-unfit", "username", given=username)
    from equipoise.pages.settings import configure_accounts

    configure_accounts(store)
    unfit = unfit_password(password, username)
    if unfit is not None:
        return unfit
    from equipoise.pages.accounts.logins import prepare
    from equipoise.pages.accounts.models import Account, Login

    prepare(store)
    account = Account.objects.filter(username=username).first() or Account(username=username)
    account.actor, account.role, account.name, account.name_zh = actor, role, name, name_zh
    account.is_active = True
    account.set_password(password)
    account.save()
    Login.objects.filter(account=account).delete()  # whoever used the old password has to come in anew
    return None


def unfit_password(password: str, username: str) -> Problem | None:
    """Why a password is among the first that are guessed, or None. Needs Django set up."""
    from django.core.exceptions import ValidationError

    if len(password) < SHORTEST_PASSWORD:
        return problem("pages.password-short", "password", shortest=SHORTEST_PASSWORD)
    plain = password.casefold()
    if len(username) >= NAME_COUNTS and username.casefold() in plain:
        return problem("pages.password-has-name", "password", name=username)
    if len(set(plain)) < DIFFERENT or plain in _RUNS or plain[::-1] in _RUNS:
        return problem("pages.password-simple", "password")
    try:
        _common_passwords().validate(password)
    except ValidationError:
        return problem("pages.password-common", "password")
    return None


@cache
def _common_passwords() -> CommonPasswordValidator:
    """The twenty thousand passwords that are tried first, read once. Needs Django set up."""
    from django.contrib.auth.password_validation import CommonPasswordValidator

    return CommonPasswordValidator()


def close_account(store: Path, username: str) -> Problem | None:
    """Let a person in no more, at once. The account stays, so that its name is not given to another."""
    from equipoise.pages.settings import configure_accounts

    configure_accounts(store)
    from equipoise.pages.accounts.logins import prepare
    from equipoise.pages.accounts.models import Account, Login

    prepare(store)
    account = Account.objects.filter(username=username).first()
    if account is None:
        return problem("pages.account-unknown", "username", given=username)
    Account.objects.filter(pk=account.pk).update(is_active=False)
    Login.objects.filter(account=account).delete()
    return None


def actor_of(store: Path, named: str) -> str:
    """The random id of the person whose user name this is; `named` itself where no account is called so."""
    from equipoise.pages.settings import configure_accounts

    configure_accounts(store)
    from equipoise.pages.accounts.logins import prepare
    from equipoise.pages.accounts.models import Account

    prepare(store)
    account = Account.objects.filter(username=named.strip(), is_active=True).first()
    return account.actor if account is not None else named

"""Giving a person an account, from the terminal: name, password and the random id under which the ledger knows them.

The rules that must stay true: an account gives no right (rights are grants in the ledger); a password is at
least twelve characters long and is checked against nothing else, as NIST SP 800-63B advises.
"""

from __future__ import annotations

from pathlib import Path

from equipoise.pages.accounts.names import REHEARSED
from equipoise.words.problem import Problem, problem

SHORTEST_PASSWORD = 12


def set_account(
    store: Path, username: str, password: str, *, actor: str, role: str, name: str, name_zh: str = ""
) -> Problem | None:
    """Make an account, or change the password, name and role of an existing one. Why not, or None.

    Works while a server runs: accounts stand in a file of their own. Sets Django up where nobody has yet.
    """
    username = username.strip()
    if not username or len(username) > 150 or username.startswith(REHEARSED):
        return problem("pages.username-unfit", "username", given=username)
    if len(password) < SHORTEST_PASSWORD:
        return problem("pages.password-short", "password", shortest=SHORTEST_PASSWORD)
    from equipoise.pages.settings import configure_accounts

    configure_accounts(store)
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

"""Signing in and out: a random token in a cookie, its SHA-256 in the table, one query to find the person again."""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from pathlib import Path

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.executor import MigrationExecutor

from equipoise.pages.accounts.models import Account, Login
from equipoise.pages.accounts.names import REHEARSED
from equipoise.pages.visit import Entered

_FIND = (
    "SELECT l.role, a.id, a.actor, a.name, a.name_zh, a.language, a.must_change"
    " FROM login l JOIN account a ON a.id = l.account_id WHERE l.token = %s AND l.expires > %s AND a.is_active"
)


def find(token: str) -> Entered | None:
    """The person behind a cookie, in one query; None when it is unknown or has run out."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [_digest(token), int(time.time())])
        row = cursor.fetchone()
    return Entered(*row) if row else None


def enter(account: Account, role: str, *, hours: float) -> str:
    """Sign an account in for some hours, in a role or purpose (empty: to be chosen); the token for the cookie."""
    token = secrets.token_urlsafe(32)
    expires = int(time.time() + hours * 3600)
    Login.objects.filter(expires__lt=int(time.time())).delete()
    Login.objects.create(token=_digest(token), account=account, role=role, expires=expires)
    return token


def age_seconds(token: str, *, hours: float) -> float:
    """How long ago a login, which lasts so many hours, began; endlessly long for one that is not there."""
    login = Login.objects.filter(token=_digest(token)).first()
    return time.time() - (login.expires - hours * 3600) if login is not None else math.inf


def act_as(token: str, role: str) -> None:
    """Change what a login acts as."""
    Login.objects.filter(token=_digest(token)).update(role=role)


def leave(token: str) -> None:
    """End a login."""
    Login.objects.filter(token=_digest(token)).delete()


def remember_language(account: int, language: str) -> None:
    """Keep the language a person chose."""
    Account.objects.filter(pk=account).update(language=language)


def persona_account(actor: str, name: str, name_zh: str, role: str) -> Account:
    """The account of a made-up person of a rehearsal: it has no password, so nobody can sign in with one."""
    account, made = Account.objects.get_or_create(
        username=REHEARSED + actor,
        defaults={"actor": actor, "name": name, "name_zh": name_zh, "role": role},
    )
    if made:
        account.set_unusable_password()
        account.save()
    return account


def prepare(store: Path) -> None:
    """Bring the account tables up to date; quick when they are. `store` holds accounts.sqlite."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)
        (store / "accounts.sqlite").chmod(0o600)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""The two tables of Django's own database: accounts and logins.

The rules that must stay true: a password is stored only as its slow hash, a login only as the SHA-256 of its
token, so that the file lets nobody in; no right is stored here, a login only names the role it asks to act in.
"""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models


class Account(AbstractBaseUser):
    """A person who may sign in. `actor` is the random id under which the ledger knows them."""

    username: models.CharField[str, str] = models.CharField(max_length=150, unique=True)
    actor: models.CharField[str, str] = models.CharField(max_length=64)
    name: models.CharField[str, str] = models.CharField(max_length=200)
    name_zh: models.CharField[str, str] = models.CharField(max_length=200, blank=True)
    role: models.CharField[str, str] = models.CharField(max_length=64)
    language: models.CharField[str, str] = models.CharField(max_length=2, blank=True)
    must_change: models.BooleanField[bool, bool] = models.BooleanField(default=False)
    """Somebody else made the password: its person does nothing before replacing it."""
    is_active: models.BooleanField[bool, bool] = models.BooleanField(default=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["actor", "role"]

    class Meta:
        db_table = "account"


class SecondFactor(models.Model):
    """A person's app for one-time codes, at a door that asks for one.

    `sealed`: the secret under that door's keyring. `since`: confirmed then (seconds since 1970, UTC; 0: not yet).
    `last_step`: the step of the last code that counted. `recovery`: JSON list of SHA-256 (hex) of codes that are left.
    `failures` in a row; `paused_until`: nothing is looked at before.
    """

    account: models.OneToOneField[Account, Account] = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True
    )
    sealed: models.BinaryField[bytes, bytes] = models.BinaryField()
    since: models.BigIntegerField[int, int] = models.BigIntegerField(default=0)
    last_step: models.BigIntegerField[int, int] = models.BigIntegerField(default=0)
    recovery: models.TextField[str, str] = models.TextField(default="[]")
    failures: models.BigIntegerField[int, int] = models.BigIntegerField(default=0)
    paused_until: models.BigIntegerField[int, int] = models.BigIntegerField(default=0)

    class Meta:
        db_table = "second_factor"


class Login(models.Model):
    """A person who is signed in, in one role, until `expires` (seconds since 1970, UTC)."""

    token: models.CharField[str, str] = models.CharField(max_length=64, primary_key=True)
    account: models.ForeignKey[Account, Account] = models.ForeignKey(Account, on_delete=models.CASCADE)
    role: models.CharField[str, str] = models.CharField(max_length=64)
    expires: models.BigIntegerField[int, int] = models.BigIntegerField()

    class Meta:
        db_table = "login"

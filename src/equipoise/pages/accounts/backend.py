"""Checks a password. Lock-out after repeated wrong ones is django-axes' (settings)."""

from __future__ import annotations

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from equipoise.pages.accounts.models import Account


class PasswordBackend(BaseBackend):
    """Name and password of an active account; an unknown name takes as long as a wrong password."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **_: object,
    ) -> Account | None:
        """The account, or None. Never raises for wrong input."""
        if not username or password is None:
            return None
        account = Account.objects.filter(username=username).first()
        if account is None:
            Account().set_password(password)  # the same work, so that timing names no account
            return None
        return account if account.is_active and account.check_password(password) else None

    def get_user(self, user_id: int) -> Account | None:
        """The account of that key, or None."""
        return Account.objects.filter(pk=user_id).first()

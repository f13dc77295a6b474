"""The Django app of the accounts."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Label `accounts` at both doors, so that a store made at any time opens."""

    name = "equipoise.pages.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

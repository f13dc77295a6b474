"""The Django app of the accounts."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Label `accounts`, in the web room."""

    name = "equipoise.web.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

"""Django's settings, made for one store when its server starts.

The rules that must stay true: never DEBUG; the secret key is random, made in the store's folder and readable by
its owner alone; nothing inline and nothing from elsewhere runs in a page; Django's database holds credentials
and logins, never a datum of the trial.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings

from equipoise.web.door import DeskDoor

LOGIN_HOURS = 12
"""How long a login lasts without being renewed: one long working day."""


def configure_accounts(store: Path) -> None:
    """Set Django up for the accounts of `store` alone, unless it is set up already."""
    if not settings.configured:
        configure(store, None)


def configure(store: Path, desk: DeskDoor | None, *, hosts: tuple[str, ...] = ()) -> None:
    """Set Django up for `store`, once in a process. `hosts`: names besides loopback under which it is reached."""
    settings.configure(
        DESK=desk,
        STORE=store,
        DEBUG=False,
        SECRET_KEY=secret_key(store / "web.key"),
        ALLOWED_HOSTS=["127.0.0.1", "localhost", "[::1]", *hosts],
        ROOT_URLCONF="equipoise.web.urls",
        DATABASES={"default": _database(store / "accounts.sqlite")},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        TIME_ZONE="UTC",
        USE_I18N=False,
        INSTALLED_APPS=_apps(),
        MIDDLEWARE=_middleware(),
        TEMPLATES=[_templates()],
        STATIC_URL="/static/",
        WHITENOISE_USE_FINDERS=True,
        WHITENOISE_MAX_AGE=30 * 86400,
        FORM_RENDERER="django.forms.renderers.DjangoTemplates",
        DATA_UPLOAD_MAX_MEMORY_SIZE=1024 * 1024,
        LOGGING_CONFIG=None,
        **_security(),
    )
    apps.populate(settings.INSTALLED_APPS)


def secret_key(path: Path) -> str:
    """The key that signs CSRF tokens: read, or made with 256 random bits, readable by its owner alone."""
    if not path.exists():
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
    return path.read_text("ascii").strip()


def _apps() -> list[str]:
    return [
        "django.contrib.contenttypes",  # django-axes imports the models of these two
        "django.contrib.auth",
        "django.contrib.staticfiles",
        "axes",
        "equipoise.pages",
        "equipoise.web",
        "equipoise.web.accounts.apps.AccountsConfig",
    ]


def _middleware() -> list[str]:
    return [
        "equipoise.web.middleware.guard",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "django.middleware.common.CommonMiddleware",
        "equipoise.web.middleware.sign_in",
        "django.middleware.csrf.CsrfViewMiddleware",
        "equipoise.web.middleware.fault_pages",
        "axes.middleware.AxesMiddleware",
    ]


def _templates() -> dict[str, Any]:
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.csrf",
                "equipoise.web.request.page_context",
            ],
            "builtins": ["equipoise.pages.templatetags.words"],
        },
    }


def _database(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=5000",
        },
    }


def _security() -> dict[str, Any]:
    return {
        "AUTH_USER_MODEL": "accounts.Account",
        "AUTHENTICATION_BACKENDS": [
            "axes.backends.AxesStandaloneBackend",
            "equipoise.web.accounts.backend.PasswordBackend",
        ],
        # 0.1 s instead of Django's 0.4 s: thirty people at eight o'clock shall not stop a two-core host. OWASP 2023
        # asks for scrypt with N=2^14..2^17; this is its N=2^14, r=8, p=1 setting doubled by Django's parallelism of 5.
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.ScryptPasswordHasher"],
        "AXES_FAILURE_LIMIT": 5,
        "AXES_COOLOFF_TIME": 0.25,
        "AXES_LOCKOUT_PARAMETERS": [["username", "ip_address"]],
        "AXES_RESET_ON_SUCCESS": True,
        "AXES_DISABLE_ACCESS_LOG": True,
        "AXES_VERBOSE": False,
        "AXES_LOCKOUT_CALLABLE": "equipoise.web.views.entrance.locked_out",
        "CSRF_COOKIE_NAME": "equipoise_csrf",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Strict",
        "CSRF_FAILURE_VIEW": "equipoise.web.problems.stale_page",
        "SILENCED_SYSTEM_CHECKS": [],
    }

"""What Django is told at either door: made for one folder, once in a process.

The rules that must stay true: never DEBUG; the secret key is random, made in the door's folder and readable by its
owner alone; nothing inline and nothing from elsewhere runs in a page; Django's database holds credentials and logins,
never a datum of the trial.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings

from equipoise.pages.visit import Door


def configure_accounts(folder: Path) -> None:
    """Set Django up for the accounts in `folder` alone, unless it is set up already."""
    if not settings.configured:
        settings.configure(
            SECRET_KEY=secrets.token_hex(32),  # signs nothing: no page is answered by this process
            DATABASES={"default": _database(folder / "accounts.sqlite")},
            INSTALLED_APPS=_apps(),
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            USE_TZ=True,
            LOGGING_CONFIG=None,
            **_sign_in(),
        )
        apps.populate(settings.INSTALLED_APPS)


def configure_door(every: dict[str, Any]) -> None:  # Any: as Django takes them
    """Set Django up for a door, once in a process. `every`: what `door_settings` gives."""
    settings.configure(**every)
    apps.populate(settings.INSTALLED_APPS)


def door_settings(
    folder: Path,
    door: Door,
    *,
    urls: str,
    app: str,
    hosts: tuple[str, ...],
    context: tuple[str, ...] = (),
    secret: str | None = None,
    **own: Any,
) -> dict[str, Any]:  # Any: a door's own settings, as Django takes them
    """Every setting of a door.

    urls: module of its addresses. app: its Django app, with templates and static files. hosts: names under which it is
    reached. context: further context processors. secret: what signs the tokens of forms; where none is given, one is
    kept in `folder`. own: settings of its own.
    """
    return {
        "DOOR": door,
        "DEBUG": False,
        "SECRET_KEY": secret or secret_key(folder / "web.key"),
        "ALLOWED_HOSTS": list(hosts),
        "ROOT_URLCONF": urls,
        "APPEND_SLASH": False,  # no address of ours ends in one: a wrong address is not looked up twice
        "DATABASES": {"default": _database(folder / "accounts.sqlite")},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "USE_I18N": False,
        "INSTALLED_APPS": [*_apps(), "equipoise.pages", app],
        "MIDDLEWARE": _middleware(),
        "TEMPLATES": [_templates(context)],
        "STATIC_URL": "/static/",
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_MAX_AGE": 30 * 86400,
        "FORM_RENDERER": "django.forms.renderers.DjangoTemplates",
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 1024 * 1024,
        "DATA_UPLOAD_MAX_NUMBER_FILES": 300,
        "FILE_UPLOAD_HANDLERS": ["equipoise.pages.uploads.InMemory"],
        "LOGGING_CONFIG": None,
        "CSRF_COOKIE_NAME": door.cookies.csrf,
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Strict",
        "CSRF_FAILURE_VIEW": "equipoise.pages.problems.stale_page",
        "SILENCED_SYSTEM_CHECKS": [],
        **_sign_in(),
        **own,
    }


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
        "equipoise.pages.accounts.apps.AccountsConfig",
    ]


def _middleware() -> list[str]:
    return [
        "equipoise.pages.middleware.guard",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "django.middleware.common.CommonMiddleware",
        "equipoise.pages.middleware.sign_in",
        "django.middleware.csrf.CsrfViewMiddleware",
        "equipoise.pages.middleware.fault_pages",
        "axes.middleware.AxesMiddleware",
    ]


def _templates(context: tuple[str, ...]) -> dict[str, Any]:  # Any: as Django takes it
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.csrf",
                "equipoise.pages.visit.page_context",
                *context,
            ],
            "builtins": ["equipoise.pages.templatetags.words"],
        },
    }


def _database(path: Path) -> dict[str, Any]:  # Any: as Django takes it
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=5000",
        },
    }


def _sign_in() -> dict[str, Any]:  # Any: as Django takes it
    return {
        "AUTH_USER_MODEL": "accounts.Account",
        "AUTHENTICATION_BACKENDS": [
            "axes.backends.AxesStandaloneBackend",
            "equipoise.pages.accounts.backend.PasswordBackend",
        ],
        # 0.1 s instead of Django's 0.4 s: thirty people at eight o'clock shall not stop a two-core host. OWASP 2023
        # asks for scrypt with N=2^14..2^17; this is its N=2^14, r=8, p=1 setting doubled by Django's parallelism of 5.
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.ScryptPasswordHasher"],
        "AXES_FAILURE_LIMIT": 5,
        "AXES_COOLOFF_TIME": 0.25,
        "AXES_LOCKOUT_PARAMETERS": [["username", "ip_address"]],
        "AXES_CLIENT_IP_CALLABLE": "equipoise.pages.entrance.client_of",
        "AXES_RESET_ON_SUCCESS": True,
        "AXES_DISABLE_ACCESS_LOG": True,
        "AXES_VERBOSE": False,
        "AXES_LOCKOUT_CALLABLE": "equipoise.pages.entrance.locked_out",
    }

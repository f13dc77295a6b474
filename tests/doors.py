"""Django over one door in a test process. Django has one set of settings for a process, and tests look at two doors:
whoever comes first configures it, and everybody stands on overrides of their own, over one file of accounts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test.utils import override_settings, setup_test_environment


@contextmanager
def pages_of(every: Mapping[str, Any]) -> Iterator[Path]:
    """The door with these settings (web.settings.first_door, vault.web.settings.second_door); the folder of accounts."""
    if not settings.configured:
        from equipoise.pages.settings import configure_door

        configure_door(dict(every))
        setup_test_environment()
    folder = Path(settings.DATABASES["default"]["NAME"]).parent
    own = {name: value for name, value in every.items() if name not in {"DATABASES", "SECRET_KEY"}}
    with override_settings(**own):
        from equipoise.pages.accounts.logins import prepare

        prepare(folder)
        yield folder

"""Django's settings of the second door, made for one vault folder when its process starts (see pages.settings).

The rule that must stay true: nothing of the first door is set here. Accounts lie in the vault's own folder; the secret
comes out of the vault's own keyring, so that it lies nowhere unsealed; the door answers under its own host name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any  # Django's settings are of any type

from django.core.handlers.wsgi import WSGIHandler

from equipoise.pages.gated import gated
from equipoise.pages.journey import Journey
from equipoise.pages.serving import Application
from equipoise.pages.settings import configure_door, door_settings
from equipoise.vault.web.door import VaultDoor
from equipoise.vault.web.second_door import SecondDoor

OWN_HOST = "localhost"
"""Not the first door's 127.0.0.1, though the same machine: browsers then send neither door's cookies to the other."""


def second_door(
    vault: VaultDoor, folder: Path, secret: str, *, hosts: tuple[str, ...] = (), second_factor: bool = False
) -> dict[str, Any]:
    """Every setting for `folder`. secret: signs the tokens of forms. hosts: names besides OWN_HOST.

    second_factor: everybody has one, or does nothing but open one code.
    """
    return door_settings(
        folder,
        SecondDoor(),
        urls="equipoise.vault.web.urls",
        app="equipoise.vault.web",
        hosts=(OWN_HOST, *hosts),
        secret=secret,
        context=("equipoise.vault.web.home.menu",),
        VAULT=vault,
        SECOND_FACTOR=second_factor,
    )


def application(
    vault: VaultDoor,
    folder: Path,
    secret: str,
    *,
    hosts: tuple[str, ...] = (),
    second_factor: bool = False,
    journey: Journey | None = None,
) -> Application:
    """The application over `vault`, with accounts in `folder`; once in a process. Its settings: `second_door`.

    journey: the rehearsal in play that this door is part of, if it is.
    """
    configure_door(
        {**second_door(vault, folder, secret, hosts=hosts, second_factor=second_factor), "JOURNEY": journey}
    )
    from equipoise.pages.accounts.logins import prepare  # Django's tables can be imported only now

    prepare(folder)
    return gated(WSGIHandler(), journey)

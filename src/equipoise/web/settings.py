"""Django's settings of the first door, made for one store when its server starts (see pages.settings)."""

from __future__ import annotations

from pathlib import Path
from typing import Any  # Django's settings are of any type

from equipoise.pages.settings import door_settings
from equipoise.web.door import DeskDoor
from equipoise.web.first_door import FirstDoor

OWN_HOSTS = ("127.0.0.1", "localhost", "[::1]")


def first_door(
    store: Path, desk: DeskDoor, *, hosts: tuple[str, ...] = (), second_door: str = ""
) -> dict[str, Any]:
    """Every setting for `store`. `hosts`: names besides loopback under which it is reached.

    second_door: where people reach the second door's pages; a code break leads there.
    """
    return door_settings(
        store,
        FirstDoor(),
        urls="equipoise.web.urls",
        app="equipoise.web",
        hosts=(*OWN_HOSTS, *hosts),
        DESK=desk,
        STORE=store,
        SECOND_DOOR=second_door,
    )

"""Django's settings of the first door, made for one store when its server starts (see pages.settings)."""

from __future__ import annotations

from pathlib import Path

from equipoise.pages.settings import configure_door
from equipoise.web.door import DeskDoor
from equipoise.web.first_door import FirstDoor

OWN_HOSTS = ("127.0.0.1", "localhost", "[::1]")


def configure(store: Path, desk: DeskDoor, *, hosts: tuple[str, ...] = ()) -> None:
    """Set Django up for `store`, once in a process. `hosts`: names besides loopback under which it is reached."""
    configure_door(
        store,
        FirstDoor(),
        urls="equipoise.web.urls",
        app="equipoise.web",
        hosts=(*OWN_HOSTS, *hosts),
        DESK=desk,
        STORE=store,
    )

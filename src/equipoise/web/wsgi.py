"""The WSGI application of one desk."""

from __future__ import annotations

from pathlib import Path

from django.core.handlers.wsgi import WSGIHandler

from equipoise.pages.gated import gated
from equipoise.pages.serving import Application
from equipoise.pages.settings import configure_door
from equipoise.web.door import DeskDoor
from equipoise.web.settings import first_door
from equipoise.web.travel import TRAVELLING, Travel


def application(
    desk: DeskDoor,
    store: Path,
    hosts: tuple[str, ...] = (),
    *,
    second_door: str = "",
    journey: Travel | None = None,
) -> Application:
    """The application over `desk`, with accounts in `store`; `hosts`: names besides loopback.

    second_door: where people reach the pages of the second door. journey: the rehearsal in play, where one is.

    Once in a process: Django has one set of settings."""
    configure_door({**first_door(store, desk, hosts=hosts, second_door=second_door), "JOURNEY": journey})
    from equipoise.pages.accounts.logins import prepare  # Django's tables can be imported only now

    prepare(store)
    return gated(WSGIHandler(), journey, open_to=(TRAVELLING,), waiting=f"{TRAVELLING}/time")

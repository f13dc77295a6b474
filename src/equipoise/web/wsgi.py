"""The WSGI application of one desk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.core.handlers.wsgi import WSGIHandler

from equipoise.web.door import DeskDoor
from equipoise.web.settings import configure

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def application(desk: DeskDoor, store: Path, hosts: tuple[str, ...] = ()) -> Application:
    """The application over `desk`, with accounts in `store`; `hosts`: names besides loopback.

    Once in a process: Django has one set of settings."""
    configure(store, desk, hosts=hosts)
    from equipoise.web.accounts.logins import prepare  # Django's tables can be imported only now

    prepare(store)
    return WSGIHandler()

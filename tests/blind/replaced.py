"""What is replaced in a world: what the first door must not know anyway, what would only cost time, and what would leave it.

The rule that must stay true: each is replaced in every world in the same way, whatever its secret, the list's arms alone excepted.
"""

from __future__ import annotations

import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blind.secret import Secret, ideal_anchor, ideal_commitment
from blind.watch import Watch

if TYPE_CHECKING:
    from equipoise.desk.front import FrontDesk


def quicken() -> None:
    """What would only cost time, the same in every world: slow hashes of passwords, reading released versions again."""
    from django.contrib.auth.hashers import ScryptPasswordHasher

    from equipoise.desk import code_breaks, standing

    ScryptPasswordHasher.work_factor = 2**4
    setattr(code_breaks, "threading", types.SimpleNamespace(Thread=AtOnce))  # noqa: B010  # what it sends goes before it answers
    setattr(standing, "_version", read_once(standing._version))  # noqa: B010  # every command of the terminal opens the store anew


class AtOnce:
    """In place of a thread: what it would do is done when it is started."""

    def __init__(self, *, target: Any, **named: object) -> None:
        self._target = target

    def start(self) -> None:
        self._target()

    def join(self, seconds: float) -> None:
        pass


def pages_of(desk: FrontDesk, store: Path) -> Any:
    """The first door's application over a desk. Django, set up before the worlds were forked, is given this desk's settings."""
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler

    from equipoise.web.settings import first_door
    from equipoise.web.wsgi import application

    if not settings.configured:
        return application(desk, store)
    from equipoise.pages.accounts.logins import prepare

    for name, value in first_door(store, desk).items():
        setattr(settings, name, value)
    prepare(store)
    return WSGIHandler()


def read_once(read: Any) -> Any:
    """Released versions of the definition, each read once in a world: by the digests of its own and of the earlier ones."""
    known: dict[tuple[str, ...], Any] = {}

    def version(released: Any, earlier: Any) -> Any:
        key = (released.digest, *(one.digest for one in earlier))
        if key not in known:
            known[key] = read(released, earlier)
        return known[key]

    return version


def hidden(secret: Secret) -> tuple[tuple[object, object], ...]:
    """What is to be replaced so that the ceremony draws this world's arms, and slots and anchors have ideal commitments."""
    from equipoise.randomization import methods, sealing
    from equipoise.vault import anchors

    draw = methods.draw_list

    def drawn(method: Any, length: int, draws: Any) -> tuple[int, ...]:
        before = draw(method, length, draws)
        return secret.arms(before, len(method.weights), repr(before))

    return (
        (draw, drawn),
        (sealing.commitment, ideal_commitment),
        (anchors.anchor_commitment, ideal_anchor),
    )


def are_hidden(lists: int, commitments: int, anchored: int) -> None:
    """Stop where what `hidden` names was not found as often as it is used."""
    assert lists >= 2, "the ceremony draws its list elsewhere"
    assert commitments >= 2, "commitments are made elsewhere"
    assert anchored >= 1, "anchors are made elsewhere"


def catch_posted(watch: Watch) -> None:
    """Nothing leaves this process: what is given to a mail server, or would call another host, is taken down."""
    import smtplib
    import socket

    class Server:
        """Takes letters and sends none."""

        def __init__(self, *given: Any, **named: Any) -> None:
            pass

        def __getattr__(self, name: str) -> Any:
            return lambda *given, **named: watch.note("posted", "program", name, repr((given, named)))

    def called(self: object, address: object) -> None:
        watch.note("posted", "program", "call", repr(address))
        raise ConnectionRefusedError("no host can be reached from a world")

    smtplib.SMTP = smtplib.SMTP_SSL = Server  # type: ignore[assignment,misc]
    socket.socket.connect = called  # type: ignore[assignment,method-assign]

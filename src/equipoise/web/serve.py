"""Serving one store's pages until Ctrl-C (see pages.serving)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from equipoise.desk.diary_post import Post
from equipoise.desk.front import open_front
from equipoise.pages.serving import Opened, announce, serve_door
from equipoise.web.wsgi import application
from equipoise.words.problem import Problem


def serve(
    store: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    channel: Path | None = None,
    second_door: str = "",
    ready: Callable[[str], None] = announce,
) -> Problem | None:
    """Serve the store's pages. Port 0 takes any free one. Returns why it could not, or None.

    channel: the second door's socket, where there is one; second_door: the address of its pages.
    ready: called in the serving process with the address, when it answers.
    """

    def opening() -> Opened | Problem:
        desk = open_front(store, channel=channel)
        if isinstance(desk, Problem):
            return desk
        post = Post(desk, desk.ledger.places.store.parent).start()

        def closing() -> None:
            post.close()
            desk.close()

        return Opened(application(desk, store, (host,), second_door=second_door), closing)

    return serve_door(opening, host, port, ready=ready)

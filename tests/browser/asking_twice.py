"""`python asking_twice.py FOLDER`: the second door's pages of a trial that asks everybody for a second factor.

The vault behind them is the stand-in of the pages' own tests (tests/rooms/vault/test_second_factor.py): the pages, their
accounts, codes and passwords are the program's. Prints the address. The stand-in's clock stands still.
"""

from __future__ import annotations

import sys
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "rooms" / "vault")]


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *given: object) -> None:
        """No line for each request."""


def main(folder: Path) -> None:
    """Serve until ended."""
    from test_second_factor import Door

    from equipoise.vault.web.settings import application

    made = application(Door(), folder, "s" * 64, second_factor=True)
    from django.contrib.auth.hashers import make_password

    from equipoise.pages.accounts.models import Account

    for actor in ("u-both", "u-key"):
        hashed = make_password("correct horse 1")  # of people who are made up
        Account.objects.create(username=actor, actor=actor, name=actor, role="", password=hashed)
    with make_server("127.0.0.1", 0, made, handler_class=Quiet) as server:
        print(f"http://localhost:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

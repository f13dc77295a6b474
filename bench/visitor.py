"""One client of the pages: a connection that stays open, a signed-in person, and the two things that person does.

It speaks HTTP as the page's own script does: a save is one JSON message with a key of its own and the base that the
page saw. It only ever talks to the address that it is given, on this machine.
"""

from __future__ import annotations

import json
import re
import secrets
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_BASE = re.compile(r'data-base="(\d+)"')


class Unexpected(Exception):
    """The server answered otherwise than the round needs."""


class Visitor:
    """A signed-in person at one address."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        if urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("a bench only ever talks to this machine")
        self._connection = HTTPConnection(self._host, timeout=30)
        self._cookies: dict[str, str] = {}
        self._token = ""
        self._base = 0

    def sign_in(self, user: str, role: str) -> None:
        """Enter a rehearsal as one of its people."""
        self._read_page("/")
        sent = urlencode({"user": user, "role": role, "csrfmiddlewaretoken": self._token})
        self._ask("POST", "/enter", sent.encode(), "application/x-www-form-urlencoded", 302)

    def open(self, path: str) -> None:
        """Fetch a page, or a document."""
        self._ask("GET", path, None, None, 200)

    def open_form(self, path: str) -> None:
        """Fetch a form page and remember what its script would remember."""
        page = self._read_page(path)
        found = _BASE.search(page)
        if found is None:
            raise Unexpected(f"{path} is no form page")
        self._base = int(found[1])

    def save(self, path: str, items: dict[str, str], *, complete: bool = False) -> None:
        """One save, accepted: anything else is Unexpected."""
        message = {
            "key": secrets.token_hex(16),
            "base": self._base,
            "items": {name: {"value": value} for name, value in items.items()},
            "complete": complete,
        }
        answer = json.loads(self._ask("POST", path, json.dumps(message).encode(), "application/json", 200))
        if not answer["accepted"] or answer["replayed"]:
            raise Unexpected(json.dumps(answer)[:300])
        self._base = int(answer["base"])

    def _read_page(self, path: str) -> str:
        page = self._ask("GET", path, None, None, 200).decode()
        token = _TOKEN.search(page)
        if token:
            self._token = token[1]
        return page

    def _ask(self, method: str, path: str, body: bytes | None, kind: str | None, status: int) -> bytes:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if kind:
            headers |= {"Content-Type": kind, "X-CSRFToken": self._token, "Origin": f"http://{self._host}"}
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        answer = response.read()
        self._keep_cookies(response)
        if response.status != status:
            raise Unexpected(f"{method} {path} answered {response.status}: {answer[:200]!r}")
        return answer

    def _keep_cookies(self, response: HTTPResponse) -> None:
        for line in response.headers.get_all("Set-Cookie", []):
            self._cookies.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

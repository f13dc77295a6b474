"""Asks the first door's application as a server would, and takes the whole answer down."""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from blind.people import PASSWORD, Person, chosen, form
from blind.world import World


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it goes out."""

    status: int
    headers: tuple[tuple[str, str], ...]
    packed: bytes

    def header(self, name: str) -> str:
        """A header's value; empty where it is not there."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def body(self) -> bytes:
        """The body, unpacked."""
        how = self.header("Content-Encoding")
        if how == "gzip":
            return gzip.decompress(self.packed)
        return zlib.decompress(self.packed) if how == "deflate" else self.packed

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def said(self) -> str:
        """What a refusal says, without the page around it."""
        found = re.findall(r'role="alert".*?</div>|"problems".*?\]', self.text, re.DOTALL)
        return " ".join(found)[:1500] or self.text[-600:]

    def wire(self) -> int:
        """Bytes of the whole answer in HTTP/1.1."""
        head = f"HTTP/1.1 {self.status}\r\n" + "".join(f"{key}: {value}\r\n" for key, value in self.headers)
        return len(head.encode()) + 2 + len(self.packed)


def ask(
    world: World,
    person: Person | None,
    method: str,
    address: str,
    fields: Mapping[str, str] | None = None,
    *,
    sent: object = None,
    file: tuple[str, bytes] | None = None,
    script: bool = False,
    token: bool = True,
    operation: str = "",
) -> Answer:
    """One request. fields: a form; sent: JSON. file: name and content of an upload. script: asks for JSON. token: brings the form's token."""
    environ = _environ(person, method, address, script=script)
    environ |= {"HTTP_HOST": world.host, "SERVER_PORT": world.host.rpartition(":")[2]}
    cookies = person.cookies if person else {}
    if fields is not None or method == "POST":
        posted = {**(fields or {})}
        if token and sent is None:
            posted["csrfmiddlewaretoken"] = _token(cookies)
        body, kind = form(posted), "application/x-www-form-urlencoded"
        if file is not None:
            body, kind = _with_file(posted, *file)
        if sent is not None:
            body, kind = json.dumps(sent).encode(), "application/json"
            if token:
                environ["HTTP_X_CSRFTOKEN"] = _token(cookies)
        environ |= {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    role = person.role if person else "anybody"
    operation = operation or f"{method} {route_of(address)}"
    with world.heard(role, operation):
        answer = _answer(world, environ)
    _keep_cookies(cookies, answer)
    note = world.watch.note
    note("status", role, operation, answer.status)
    note("headers", role, operation, repr(answer.headers))
    note("body", role, operation, answer.body)
    note("wire", role, operation, answer.wire())
    assert answer.status != 500, (role, operation, address, answer.said())  # no refusal: the program broke
    sent_away = answer.header("Location").startswith("/login")  # nobody is signed in: a refusal
    world.covered.append((role, operation, answer.status < 400 and not sent_away, world.watch.state))
    return answer


def route_of(address: str) -> str:
    """The pattern of the program's that an address belongs to."""
    from django.urls import Resolver404, resolve

    path = urlsplit(address).path
    if path.startswith("/static/"):
        return "static"
    try:
        return "/" + str(resolve(path).route)
    except Resolver404:
        return "nowhere"


def _environ(person: Person | None, method: str, address: str, *, script: bool) -> dict[str, Any]:
    parts = urlsplit(address)
    cookies = person.cookies if person else {}
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": parts.path.encode().decode("latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "HTTP_ACCEPT": "application/json" if script else "text/html",
        "HTTP_ACCEPT_ENCODING": "gzip, deflate, br",
        "HTTP_ACCEPT_LANGUAGE": "en",
        "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(b""),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def _with_file(posted: Mapping[str, str], name: str, data: bytes) -> tuple[bytes, str]:
    """A form with one file in its field `file`, and its content type."""
    edge = "a-line-between-the-parts-of-a-form"
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in posted.items()
    ]
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    return b"".join(
        [*parts, head, data, f"\r\n--{edge}--\r\n".encode()]
    ), f"multipart/form-data; boundary={edge}"


def _answer(world: World, environ: dict[str, Any]) -> Answer:
    began: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], fault: object = None) -> None:
        began.append((status, headers))

    made = world.app(environ, start)
    try:
        body = b"".join(made)
    finally:
        if hasattr(made, "close"):
            made.close()
    status, headers = began[-1]
    return Answer(int(status.split()[0]), tuple(headers), body)


def _token(cookies: Mapping[str, str]) -> str:
    return next((value for name, value in cookies.items() if "csrf" in name), "")


def _keep_cookies(cookies: dict[str, str], answer: Answer) -> None:
    for name, value in answer.headers:
        if name.lower() == "set-cookie":
            key, _, rest = value.partition("=")
            given = rest.split(";")[0].strip('"')
            if given:
                cookies[key] = given
            else:
                cookies.pop(key, None)


def come_in(world: World, person: Person) -> None:
    """Enter a rehearsal as somebody: by the role chooser, or with a password where a role has no place there."""
    if not _token(person.cookies):
        ask(world, person, "GET", "/login")
    if chosen(person.role):
        answer = ask(world, person, "POST", "/enter", {"user": person.actor, "role": person.role})
    else:
        given = {"username": person.actor, "password": PASSWORD, "next": ""}
        answer = ask(world, person, "POST", "/login", given)
    assert answer.status == 302, (person.role, answer.said())

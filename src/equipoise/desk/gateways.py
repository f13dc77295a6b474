"""Gateways: the ways by which a reminder leaves this machine.

The rules that must stay true: a gateway is handed an address and a sentence that tells nothing of health, and nothing
else of a person; what could not be sent is said and tried again, never swallowed; a rehearsal sends to nobody: whatever
is asked for goes to the console and into its outbox; a trial uses what its own file `reminders.toml` names.

A gateway for short messages, or for templates of a WeChat service account, is a package of its own: a class with the
shape of `Gateway`, made from the table of its name in `reminders.toml` and declared as an entry point of the group
`equipoise.gateways`. A WeChat template takes its words from the provider's approved template, so such a gateway uses
`link` and `name` and leaves `text` aside.
"""

from __future__ import annotations

import json
import os
import smtplib
import ssl
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from email.message import EmailMessage
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TextIO

from equipoise.words.problem import Problem, problem, say

FILE, OUTBOX, SITES = "reminders.toml", "outbox", "sites"
"""Beside the store: which gateways there are; and where a rehearsal leaves what it would have sent."""
PLUGINS = "equipoise.gateways"
EMAIL, SMS, WECHAT, CALENDAR = "email", "sms", "wechat", "calendar"
WAYS = (SMS, EMAIL, WECHAT, CALENDAR)
"""What can be chosen for a person. A calendar file is handed over once and sends nothing."""
_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Message:
    """One reminder: a random name, by which a gateway may know it again; whereto; in which language; what it says."""

    name: str
    to: str
    language: str
    text: str
    link: str


class Gateway(Protocol):
    """A way to send. `send` answers None when the message was taken over, else why not."""

    def send(self, message: Message) -> Problem | None:
        """Hand over one message."""


class Console:
    """For a rehearsal: a line on the console for each message."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, message: Message) -> Problem | None:
        """Print it; where nobody reads the console, that is no fault."""
        print(f"[{message.to}] {message.text} {message.link}".rstrip(), file=self._stream or sys.stderr)
        return None


class Outbox:
    """For a rehearsal: a file for each message, so that one can look at what would have gone out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: Message) -> Problem | None:
        """Write it; the same message again is the same file."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            text = json.dumps(asdict(message), ensure_ascii=False, indent=1)
            (self._folder / f"{message.name}.json").write_text(text + "\n", "utf-8")
        except OSError as error:
            return problem("diaries.gateway-failed", message.to, reason=type(error).__name__)
        return None


class Both:
    """Two gateways for one message; what the first could not do, the second is not asked."""

    def __init__(self, first: Gateway, second: Gateway) -> None:
        self._first, self._second = first, second

    def send(self, message: Message) -> Problem | None:
        """Send by the first, then by the second."""
        return self._first.send(message) or self._second.send(message)


@dataclass(frozen=True, slots=True)
class Smtp:
    """E-mail by a mail server. The password is read from a file when it is needed, and kept nowhere."""

    host: str
    sender: str
    port: int = 587
    security: str = "starttls"
    """`starttls`, `tls`, or `none` for a server on this machine."""
    user: str = ""
    password_file: str = ""

    def send(self, message: Message) -> Problem | None:
        """Send one mail; its subject is the sentence, so that a list of mails tells no more than a lock screen."""
        try:
            mail = EmailMessage()
            mail["From"], mail["To"], mail["Subject"] = self.sender, message.to, message.text
            mail["Auto-Submitted"] = "auto-generated"
            mail.set_content("".join(f"{line}\n" for line in (message.text, message.link) if line))
            with self._connected() as server:
                server.send_message(mail)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            return problem("diaries.gateway-failed", EMAIL, reason=type(error).__name__)
        return None

    def _connected(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
            if self.security == "starttls":
                server.starttls(context=ssl.create_default_context())
        if self.user:
            server.login(self.user, Path(self.password_file).read_text("utf-8").strip())
        return server


@dataclass(frozen=True, slots=True)
class Ways:
    """What a store can send by, the address of the diary that a reminder leads to (may be empty), and whom to tell.

    sites: site -> (way, address, language) by which its staff are told of red flags at once; `""` for every other site.
    """

    by: Mapping[str, Gateway]
    link: str = ""
    sites: Mapping[str, tuple[str, str, str]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def lacking(self) -> frozenset[str]:
        """The ways that can be chosen for a person, and that nothing goes out by."""
        return frozenset(WAYS) - {CALENDAR} - set(self.by)

    def of_site(self, site: str) -> tuple[str, str, str] | None:
        """Way, address and language by which a site is told; None where no way leads to it."""
        found = self.sites.get(site, self.sites.get(""))
        return found if found is not None and found[0] in self.by else None


def ways_of(folder: Path, *, rehearsal: bool) -> Ways | Problem:
    """The gateways of the store in `folder`. A Problem where its file `reminders.toml` cannot be used."""
    file = folder / FILE
    if rehearsal:
        kept = Both(Console(), Outbox(folder / OUTBOX))
        by: Mapping[str, Gateway] = {way: kept for way in WAYS if way != CALENDAR}
        return Ways(by, sites={"": (SMS, say("diaries.the-site", "en"), "en")})
    if not file.exists():
        return Ways({})
    try:
        written = tomllib.loads(file.read_text("utf-8"))
        return Ways(_named(written), str(written.get("link", "")), _sites(written.get(SITES, {})))
    except (
        OSError,
        UnicodeDecodeError,
        tomllib.TOMLDecodeError,
        TypeError,
        LookupError,
        ValueError,
    ) as error:
        return problem("diaries.gateways-unfit", str(file), path=os.fspath(file), reason=str(error))


def _named(written: Mapping[str, Any]) -> Mapping[str, Gateway]:  # Any: a file that was just read
    """Each table of the file as a gateway: `email` is ours, any other name that of a package."""
    found: dict[str, Gateway] = {}
    for name, table in written.items():
        if isinstance(table, dict) and name != SITES:
            made: Callable[..., Gateway] = Smtp if name == EMAIL else _plugin(name)
            found[name] = made(**table)
    return found


def _sites(written: Mapping[str, Any]) -> Mapping[str, tuple[str, str, str]]:  # Any: as above
    """Tables `[sites.01]` with `way`, `to` and `language`; `[sites.all]` is for every other site."""
    return {
        "" if site == "all" else site: (str(one["way"]), str(one["to"]), str(one.get("language", "zh")))
        for site, one in written.items()
    }


def _plugin(name: str) -> Callable[..., Gateway]:
    for one in entry_points(group=PLUGINS, name=name):
        loaded: Callable[..., Gateway] = one.load()
        return loaded
    raise LookupError(f"no package offers a gateway named {name}")

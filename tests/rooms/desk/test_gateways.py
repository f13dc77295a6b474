"""Gateways: what goes out is one sentence and an address, a rehearsal sends to nobody, and a failure is said."""

from __future__ import annotations

import io
import json
import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from equipoise.desk.gateways import FILE, Both, Console, Message, Outbox, Smtp, Ways, ways_of
from equipoise.words.problem import Problem

ONE = Message("r1", "a@example.org", "zh", "您有一条记录待填写。", "https://example.org/diary/")


class _Mailbox(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs that says EHLO, MAIL, RCPT, DATA and QUIT."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            said = line.strip().upper()
            if said == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                content = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(content)  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if said == b"QUIT" else b"250 ok\r\n")
            if said == b"QUIT":
                return


@pytest.fixture
def mailbox() -> Iterator[socketserver.ThreadingTCPServer]:
    """A mail server on a free port of this machine."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mailbox) as server:
        server.daemon_threads = True
        server.mails = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_mail_says_the_sentence_and_the_address_alone(mailbox) -> None:
    gateway = Smtp("127.0.0.1", "reminders@example.org", mailbox.server_address[1], security="none")
    assert gateway.send(ONE) is None
    (raw,) = mailbox.mails
    mail = message_from_bytes(raw, policy=policy.default)
    assert (mail["To"], mail["Subject"]) == (ONE.to, ONE.text)
    assert mail.get_content().split() == [ONE.text, ONE.link]


@pytest.mark.parametrize("to", ["a@example.org\nBcc: b@example.org", "a@example.org"])
def test_what_cannot_be_sent_is_said(to: str, mailbox) -> None:
    port = mailbox.server_address[1] if "\n" in to else 1  # nothing listens on port 1
    told = Smtp("127.0.0.1", "reminders@example.org", port, security="none").send(
        Message("r", to, "en", "x", "")
    )
    assert isinstance(told, Problem)
    assert told.rule == "diaries.gateway-failed"
    assert mailbox.mails == []


def test_a_rehearsal_prints_and_keeps_a_file_whatever_way_is_chosen(tmp_path) -> None:
    (tmp_path / FILE).write_text('[email]\nhost = "mail.example.org"\nsender = "x@example.org"\n')
    ways = ways_of(tmp_path, rehearsal=True)
    assert isinstance(ways, Ways)
    stream = io.StringIO()
    gateway = Both(Console(stream), Outbox(tmp_path / "outbox"))
    assert {type(one) for one in ways.by.values()} == {Both}
    assert set(ways.by) == {"sms", "email", "wechat"}
    assert gateway.send(ONE) is None
    assert gateway.send(ONE) is None  # the same again is the same file
    assert stream.getvalue().splitlines() == [f"[{ONE.to}] {ONE.text} {ONE.link}"] * 2
    (kept,) = (tmp_path / "outbox").iterdir()
    assert json.loads(kept.read_text("utf-8"))["text"] == ONE.text


def test_a_trial_sends_by_what_its_file_names(tmp_path) -> None:
    assert ways_of(tmp_path, rehearsal=False) == Ways({})
    (tmp_path / FILE).write_text(
        'link = "https://example.org/diary/"\n[email]\nhost = "mail.example.org"\nsender = "x@example.org"\n'
        '[sites.01]\nway = "email"\nto = "ward@example.org"\nlanguage = "en"\n[sites.all]\nway = "sms"\nto = "1"\n'
    )
    assert ways_of(tmp_path, rehearsal=False) == Ways(
        {"email": Smtp("mail.example.org", "x@example.org")},
        "https://example.org/diary/",
        {"01": ("email", "ward@example.org", "en"), "": ("sms", "1", "zh")},
    )


@pytest.mark.parametrize("text", ["[email]\nhost = 1", "[pigeon]\nloft = 'x'", "= =", "[email]\nunknown = 1"])
def test_a_file_that_cannot_be_used_is_said(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    told = ways_of(tmp_path, rehearsal=False)
    assert isinstance(told, Problem)
    assert told.rule == "diaries.gateways-unfit"

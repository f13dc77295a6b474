"""A fault of ours behind the second door costs one answer: not the channel, not the clock, and no value in a log.

Doses are asked for and codes are opened over the channel; a log is read by people who may not know an arm. Sources:
DESIGN 5 (channel); reliability notes L10 (exception repr in a log).
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from equipoise.vault import ticking
from equipoise.vault.socket import ChannelServer

CANARY = "canary-arm-4711"


class Faulty:
    """A door that stumbles over the first delivery."""

    def __init__(self) -> None:
        self.asked = 0

    def receive(self, delivery: bytes) -> bytes:
        self.asked += 1
        if self.asked == 1:
            raise LookupError(CANARY)
        return b"frame"

    def refuse(self, rule: str, about: str) -> None:
        raise AssertionError(rule)


def asked(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(5)
        line.connect(str(path))
        line.sendall((1).to_bytes(4, "big") + b"x")
        return line.recv(100)


def test_the_next_caller_is_answered_and_the_log_names_no_value(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    server = ChannelServer(Faulty(), tmp_path / "door.sock", {os.geteuid()})
    try:
        assert [asked(tmp_path / "door.sock") for _ in range(2)] == [b"", b"frame"]
    finally:
        server.close()
    assert "LookupError" in caplog.text
    assert CANARY not in caplog.text


def test_the_clock_goes_on(monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    monkeypatch.setattr(ticking, "TICK_SECONDS", 0.01)
    ticks, again = [0], threading.Event()

    def tick() -> None:
        ticks[0] += 1
        if ticks[0] > 1:
            again.set()
        raise LookupError(CANARY)

    stop = ticking.watch_clock(SimpleNamespace(tick=tick))  # type: ignore[arg-type]
    try:
        assert again.wait(10)
    finally:
        stop()
    assert CANARY not in caplog.text

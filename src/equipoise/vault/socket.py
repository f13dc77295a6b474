"""The second door's end of the channel: a Unix socket that takes one delivery and gives one frame.

The rules that must stay true: only processes of the users named are answered, by the kernel's word for who they are
(SO_PEERCRED); a stranger is turned away unread, and that is written down; a caller that is slow, sends too much or
goes away holds up nobody for long; every answer has one length. Sending: four bytes of length, then the delivery.
Source: unix(7), SO_PEERCRED; DESIGN 5 (channel).
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import stat
import struct
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

from equipoise.channel.codec import DELIVERY_AT_MOST
from equipoise.ledger.store import StoreFault

PATIENCE = 10.0
"""Seconds that one caller is given to send its delivery, all in all."""
_log = logging.getLogger("equipoise.vault")
_LENGTH_BYTES = 4
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid
_BACKLOG = 8


class Door(Protocol):
    """What the socket hands on to: equipoise.vault.vault.Vault."""

    def receive(self, delivery: bytes) -> bytes:
        """One frame for one delivery."""

    def refuse(self, rule: str, about: str) -> None:
        """Write down that somebody was turned away."""


class ChannelServer:
    """A listening socket and its thread. `close()` stops it and takes the socket away."""

    def __init__(self, door: Door, path: Path, uids: Collection[int], *, patience: float = PATIENCE) -> None:
        self._door, self._path, self._uids, self._patience = door, path, frozenset(uids), patience
        self._closing = threading.Event()
        self._listening = _listen(path, shared=bool(self._uids - {os.geteuid()}))
        self._thread = threading.Thread(target=self._serve, name="channel", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                caller, _ = self._listening.accept()
            except OSError:
                if self._closing.is_set():
                    return
                self._closing.wait(0.1)  # out of descriptors, or a caller that went away at once
                continue
            # A full disk or a lost caller leaves this delivery unanswered: it is sent again.
            with caller, contextlib.suppress(OSError, StoreFault):
                self._answer_all_the_same(caller)

    def _answer_all_the_same(self, caller: socket.socket) -> None:
        """One caller, whom nothing of ours may cost the next one: doses and opened codes come through here."""
        try:
            self._answer(caller)
        except (OSError, StoreFault):
            raise
        except Exception as bug:  # noqa: BLE001 (our fault ends this caller's visit, not the channel)
            _log.error("channel: %s", type(bug).__name__)  # its text could name what nobody may read here

    def _answer(self, caller: socket.socket) -> None:
        _, uid, _ = _CREDENTIALS.unpack(
            caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        )
        if uid not in self._uids:
            self._door.refuse("vault.stranger", f"uid {uid}")
            return
        delivery = _read(caller, time.monotonic() + self._patience)
        if delivery is None:
            return
        answer = self._door.receive(delivery)
        caller.settimeout(self._patience)
        caller.sendall(answer)


def _read(caller: socket.socket, until: float) -> bytes | None:
    """The delivery; None for one that is too long, too slow or cut off."""
    length = _exactly(caller, _LENGTH_BYTES, until)
    count = int.from_bytes(length, "big") if length is not None else 0
    if not 0 < count <= DELIVERY_AT_MOST:
        return None
    return _exactly(caller, count, until)


def _exactly(caller: socket.socket, count: int, until: float) -> bytes | None:
    found = bytearray()
    while len(found) < count:
        left = until - time.monotonic()
        if left <= 0:
            return None
        caller.settimeout(left)
        got = caller.recv(min(count - len(found), 1 << 20))
        if not got:
            return None
        found += got
    return bytes(found)


def _listen(path: Path, *, shared: bool) -> socket.socket:
    """A new socket at `path`; one that a stopped door left there is taken away. Raises OSError for any other file.

    shared: other users may connect, and are judged by their uid when they do.
    """
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o177)  # until its mode is set, nobody else can connect
        try:
            listening.bind(str(path))
        finally:
            os.umask(before)
        path.chmod(0o666 if shared else 0o600)
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def serve_channel(door: Door, path: Path, uids: Collection[int] | None = None) -> Callable[[], None]:
    """Serve the channel at `path` to these users (this process's own where None); what stops it again."""
    return ChannelServer(door, path, uids if uids is not None else {os.geteuid()}).close

"""The line to the second door: one delivery over its Unix socket, one frame back.

The rule that must stay true: whoever answers is not believed for answering (courier.py looks at signatures); a second
door that is away, slow or cut off in the middle is an OSError, never a wait without end.
"""

from __future__ import annotations

import socket
from pathlib import Path

from equipoise.channel.messages import FRAME

TIMEOUT = 30.0
"""Seconds to wait for an answer: a delivery that publishes a large list takes some."""
_LENGTH_BYTES = 4


class SocketLine:
    """Calls the second door at a socket, each time anew."""

    def __init__(self, path: Path, timeout: float = TIMEOUT) -> None:
        self._path, self._timeout = path, timeout

    def __call__(self, delivery: bytes) -> bytes:
        """The frame that answers a delivery. Raises OSError where none comes."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(self._timeout)
            line.connect(str(self._path))
            line.sendall(len(delivery).to_bytes(_LENGTH_BYTES, "big") + delivery)
            frame = bytearray()
            while len(frame) < FRAME:
                got = line.recv(FRAME - len(frame))
                if not got:
                    raise ConnectionResetError("the answer was cut off")
                frame += got
        return bytes(frame)

"""Pictures of the user guide: where they lie, when they are taken, and how they are made small.

A picture of a page is written with a palette of 256 colours: what a clone of the repository carries stays small, and a
page of ours has few colours. Source of the format: Portable Network Graphics (PNG) Specification, third edition, 9 and 11.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "img" / "guide"
ASKED = bool(os.environ.get("EQUIPOISE_PICTURES"))
"""Whether pictures are taken (`make guide`)."""
COLOURS = 256
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def keep(name: str, png: bytes) -> None:
    """Write a picture of the guide."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.png").write_bytes(smaller(png))


def smaller(png: bytes) -> bytes:
    """The same picture with at most 256 colours: the most frequent, and for each other the nearest of them."""
    pixels = _pixels(png)
    if pixels is None:
        return png
    height, width, _ = pixels.shape
    flat = pixels.reshape(-1, 3).astype(np.int64)
    codes = flat[:, 0] << 16 | flat[:, 1] << 8 | flat[:, 2]
    found, places, counts = np.unique(codes, return_inverse=True, return_counts=True)
    palette = found[np.argsort(-counts, kind="stable")[:COLOURS]]
    nearest = _nearest(found, palette)
    rows = nearest[places].astype(np.uint8).reshape(height, width)
    plain = np.hstack([np.zeros((height, 1), np.uint8), rows]).tobytes()
    colours = np.stack([palette >> 16 & 255, palette >> 8 & 255, palette & 255], axis=1).astype(np.uint8)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = [
        (b"IHDR", head), (b"PLTE", colours.tobytes()), (b"IDAT", zlib.compress(plain, 9)), (b"IEND", b"")
    ]  # fmt: skip
    return _SIGNATURE + b"".join(map(_chunk, parts))


def _nearest(colours: NDArray[np.int64], palette: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each colour the place of the nearest one in the palette."""

    def apart(codes: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.stack([codes >> 16 & 255, codes >> 8 & 255, codes & 255], axis=1)

    own, offered = apart(colours), apart(palette)
    return np.array([np.argmin(((offered - one) ** 2).sum(axis=1)) for one in own])


def _chunk(part: tuple[bytes, bytes]) -> bytes:
    kind, data = part
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _pixels(png: bytes) -> NDArray[np.uint8] | None:
    """Height, width, 3; None for a picture that is no plain RGB or RGBA, such as one that was made smaller already."""
    at, parts = len(_SIGNATURE), dict[bytes, bytes]()
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        parts[kind] = parts.get(kind, b"") + png[at + 8 : at + 8 + length]
        at += 12 + length
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    if depth != 8 or colour not in {2, 6} or interlaced:
        return None
    each = 3 if colour == 2 else 4
    plain, length = zlib.decompress(parts[b"IDAT"]), 1 + width * each
    above, rows = bytearray(length - 1), bytearray()
    for at in range(0, len(plain), length):
        above = _row(plain[at], plain[at + 1 : at + length], above, each)
        rows += above
    return np.frombuffer(bytes(rows), np.uint8).reshape(height, width, each)[:, :, :3]


def _row(how: int, line: bytes, above: bytearray, each: int) -> bytearray:
    """One row without its filter; `each`: bytes of a pixel."""
    made = bytearray(line)
    for at in range(len(made) if how else 0):
        left = made[at - each] if at >= each else 0
        over = above[at]
        if how == 1:
            guess = left
        elif how == 2:
            guess = over
        elif how == 3:
            guess = (left + over) // 2
        else:
            corner = above[at - each] if at >= each else 0
            to_left, to_over, to_corner = (
                abs(over - corner),
                abs(left - corner),
                abs(left + over - 2 * corner),
            )
            if to_left <= to_over and to_left <= to_corner:
                guess = left
            else:
                guess = over if to_over <= to_corner else corner
        made[at] = (made[at] + guess) & 255
    return made

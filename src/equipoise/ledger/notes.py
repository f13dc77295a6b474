"""Signed notes: the text form of a checkpoint, as transparency logs write it, so that others' tools can read it.

A note is text, an empty line, and one line per signature: `— NAME BASE64(4 bytes of key id ‖ signature)`.
The key id is SHA-256(NAME ‖ 0x0A ‖ 0x01 ‖ public key), first four bytes; 0x01 means Ed25519.
Source: C2SP signed-note and tlog-checkpoint (https://c2sp.org). The name of the key is the name of the log.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

_ED25519 = b"\x01"


def origin_of(public: bytes) -> str:
    """The name of the log that signs with this Ed25519 key."""
    return f"equipoise.ledger/{hashlib.sha256(public).hexdigest()[:16]}"


def key_id(public: bytes) -> bytes:
    """The four bytes that tell which key signed."""
    return hashlib.sha256(origin_of(public).encode() + b"\n" + _ED25519 + public).digest()[:4]


def vkey_of(public: bytes) -> str:
    """The public key as one line: NAME+KEYID+BASE64."""
    encoded = base64.b64encode(_ED25519 + public).decode()
    return f"{origin_of(public)}+{key_id(public).hex()}+{encoded}"


def signature_line(public: bytes, signature: bytes) -> str:
    """The line under a note, without its line end."""
    return f"— {origin_of(public)} {base64.b64encode(key_id(public) + signature).decode()}"


def write_whole(path: Path, text: str, *, durable: bool = True) -> None:
    """Write a published file so that it is either whole and on disk, or not there. Raises OSError.

    durable: whether the disk is waited for; without it the file is whole, and a crash of the machine may lose it.
    """
    draft = path.with_name(path.name + ".draft")
    with draft.open("w", encoding="utf-8", newline="\n") as out:
        out.write(text)
        out.flush()
        if durable:
            os.fsync(out.fileno())
    draft.replace(path)
    if not durable:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

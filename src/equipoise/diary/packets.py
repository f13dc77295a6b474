"""The sealed packets that a phone sends, and the sealed news that it is answered with: one form of bytes, written here
and mirrored in the phone page.

The rules that must stay true: a packet says in clear which phone sent it and its own id, and nothing else; its size
says nothing (padded to whole kilobytes); whoever does not hold the phone's key can neither read nor make one, nor move
one to another phone or id (both are associated data). `tests/vectors/diary-packets.json` holds both writers to the same
bytes. Source: AES-256-GCM, NIST SP 800-38D; base64url without padding, RFC 4648.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = 1
BLOCK = 1024
LARGEST = 16 * 1024
"""Bytes of a padded text, at most."""
LARGEST_SEALED = 24 * 1024
"""Bytes of a sealed packet, at most: the text in base64url with what stands around it."""
KEY_BYTES, NONCE_BYTES = 32, 12
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A packet as it arrived. `digest`: SHA-256, in hexadecimal, of all that it says, however its JSON was written."""

    device: str
    id: str
    nonce: bytes
    box: bytes
    digest: str


class Unfit(ValueError):
    """The bytes are no packet, or what a packet says cannot be read; `rule` is a message key."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The bytes of base64url without padding, in its one form. Raises ValueError."""
    if re.fullmatch(r"[A-Za-z0-9_-]*", text) is None:
        raise ValueError("not base64url")
    found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64(found) != text:
        raise ValueError("bits that say nothing are not zero")
    return found


def pad(text: bytes) -> bytes:
    """The text filled up with spaces to a whole number of blocks, at least one."""
    return text + b" " * (-len(text) % BLOCK or (BLOCK if not text else 0))


def bound(device: str, packet: str) -> bytes:
    """The associated data."""
    return f"equipoise-diary-{VERSION}|{device}|{packet}".encode()


def seal(key: bytes, device: str, packet: str, nonce: bytes, content: Mapping[str, Any]) -> bytes:
    """A sealed packet. `content`: JSON; Any, because it is what a foreign format holds. Raises Unfit if too large."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    padded = pad(text)
    if len(padded) > LARGEST:
        raise Unfit("diary.packet-too-large")
    box = AESGCM(key).encrypt(nonce, padded, bound(device, packet))
    made = {"v": VERSION, "device": device, "id": packet, "nonce": b64(nonce), "box": b64(box)}
    return json.dumps(made, separators=(",", ":")).encode()


def seal_news(key: bytes, device: str, nonce: bytes, content: Mapping[str, Any]) -> dict[str, str]:
    """News for a phone, which it alone can read. `content`: JSON, as for `seal`."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    box = AESGCM(key).encrypt(nonce, pad(text), _bound_news(device))
    return {"nonce": b64(nonce), "box": b64(box)}


def open_news(key: bytes, device: str, said: Mapping[str, str]) -> Any:  # Any: JSON
    """What news for a phone says. Raises Unfit: `diary.packet-forged`."""
    try:
        return json.loads(AESGCM(key).decrypt(unb64(said["nonce"]), unb64(said["box"]), _bound_news(device)))
    except InvalidTag as fault:
        raise Unfit("diary.packet-forged") from fault


def _bound_news(device: str) -> bytes:
    """The associated data: no packet's, whose id has no space in it."""
    return bound(device, "to the phone")


def read_sealed(data: bytes) -> Sealed:
    """The packet in these bytes, still sealed. Raises Unfit: `diary.packet-too-large`, `diary.packet-unreadable`,
    `diary.packet-version`."""
    if len(data) > LARGEST_SEALED:
        raise Unfit("diary.packet-too-large")
    try:
        read = json.loads(data)
        if not isinstance(read, dict) or read.keys() != {"v", "device", "id", "nonce", "box"}:
            raise ValueError("not a packet")
        if type(read["v"]) is int and read["v"] != VERSION:
            raise Unfit("diary.packet-version")
        names = read["device"], read["id"]
        if read["v"] is True or not all(isinstance(one, str) and _ID.fullmatch(one) for one in names):
            raise ValueError("not a packet")
        nonce, box = unb64(read["nonce"]), unb64(read["box"])
        if len(nonce) != NONCE_BYTES:
            raise ValueError("not a packet")
    except Unfit:
        raise
    except (ValueError, TypeError, RecursionError, binascii.Error) as fault:
        raise Unfit("diary.packet-unreadable") from fault
    said = bound(names[0], names[1]) + b"|" + nonce + box
    return Sealed(names[0], names[1], nonce, box, hashlib.sha256(said).hexdigest())


def open_sealed(key: bytes, sealed: Sealed) -> Mapping[str, Any]:
    """What a packet says, as JSON. Raises Unfit: `diary.packet-forged`, `diary.packet-unreadable`, `-too-large`."""
    try:
        text = AESGCM(key).decrypt(sealed.nonce, sealed.box, bound(sealed.device, sealed.id))
    except InvalidTag as fault:
        raise Unfit("diary.packet-forged") from fault
    if len(text) > LARGEST:
        raise Unfit("diary.packet-too-large")
    try:
        read = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as fault:
        raise Unfit("diary.packet-unreadable") from fault
    if not isinstance(read, dict):
        raise Unfit("diary.packet-unreadable")
    return read


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:  # Any: JSON
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names a key twice")
    return found


def _no_constant(text: str) -> object:
    raise ValueError(text)

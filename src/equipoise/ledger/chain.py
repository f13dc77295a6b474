"""The chain: what is hashed, how entries follow one another, and how a body is tied to its header and hidden.

The rules that must stay true. A leaf is SHA-256(0x00 ‖ canonical header bytes), which is also the leaf hash of
the Merkle tree (RFC 6962, 2.1), so that one hash serves chain and tree. Within a stream `seq` runs from 1 without
a gap and `prev` is the leaf before, 64 zeros for the first. A body part is tied to its header twice: by its
commitment SHA-256(nonce ‖ body), which whoever holds nonce and body can check, and by the SHA-256 of its sealed
bytes, which anybody can check without a key. Sealed bytes are a 12-byte AES-GCM nonce and AES-256-GCM over
(32-byte commitment nonce ‖ body), with the place of the part as associated data.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from typing import cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from equipoise.ledger.entries import BodyPart, Header, Part
from equipoise.words.canonical import Json, canonical_bytes
from equipoise.words.ids import Entropy
from equipoise.words.problem import Problem, problem

VERSION = 1
ZEROS = "0" * 64
_NONCE = 32
_GCM_NONCE = 12
_FIELDS = tuple(field.name for field in dataclasses.fields(Header))
_SORTED = tuple(sorted(_FIELDS))
_LINE = '{"commitment":"%s","part":"%s","sealed":"%s"}'
_PLAIN = re.compile(r"[ !#-\[\]-~]*")
"""Texts that JSON writes as they are: printable ASCII without quotation marks and backslashes."""
_SMALL = 2**31


def header_bytes(header: Header) -> bytes:
    """The canonical bytes of a header: an object with every field of `Header`, None written as null."""
    return _quick_bytes(header) or canonical_bytes(_written(header))


def _written(header: Header) -> dict[str, Json]:
    written: dict[str, Json] = {name: getattr(header, name) for name in _FIELDS if name != "bodies"}
    written["bodies"] = [
        {"part": body.part, "commitment": body.commitment, "sealed": body.sealed} for body in header.bodies
    ]
    return written


def _quick_bytes(header: Header) -> bytes | None:
    """The canonical bytes of a header of texts in ASCII and of numbers, as nearly all are; None for any other."""
    parts: list[str] = []
    for name in _SORTED:
        value = getattr(header, name)
        if name == "bodies":
            lines = (_LINE % (one.commitment, one.part, one.sealed) for one in header.bodies)
            parts.append(f'"bodies":[{",".join(lines)}]')
        elif type(value) is str and _PLAIN.fullmatch(value):
            parts.append(f'"{name}":"{value}"')
        elif value is None:
            parts.append(f'"{name}":null')
        elif type(value) is int and 0 <= value < _SMALL:
            parts.append(f'"{name}":{value}')
        else:
            return None
    if any(not _PLAIN.fullmatch(f"{one.commitment}{one.part}{one.sealed}") for one in header.bodies):
        return None
    return f"{{{','.join(parts)}}}".encode()


def read_header(data: bytes) -> Header | None:
    """The header that bytes say, to be trusted once their leaf has been compared; None for what is no header."""
    try:
        found = json.loads(data.decode())
        bodies = tuple(BodyPart(**body) for body in found.pop("bodies"))
        return Header(**found, bodies=bodies)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def leaf_of(header: bytes) -> str:
    """The leaf, in hexadecimal, of a header's canonical bytes."""
    return hashlib.sha256(b"\x00" + header).hexdigest()


def commitment_of(nonce: bytes, body: bytes) -> str:
    """What binds a header to a body without showing it: SHA-256(nonce ‖ body), in hexadecimal."""
    return hashlib.sha256(nonce + body).hexdigest()


def _place(stream: str, seq: int, part: Part) -> bytes:
    return f"{stream}\n{seq}\n{part}".encode()


def seal(
    cipher: AESGCM, stream: str, seq: int, part: Part, body: Json, entropy: Entropy, *, fill: int = 1
) -> tuple[BodyPart, bytes]:
    """The header's line for a body part, and its sealed bytes. Raises NotCanonical for text outside the subset.

    fill: the body is followed by spaces up to a multiple of so many bytes, so that its length tells little.
    """
    plain, nonce, outer = canonical_bytes(body), entropy(_NONCE), entropy(_GCM_NONCE)
    plain += b" " * (-len(plain) % fill)
    sealed = outer + cipher.encrypt(outer, nonce + plain, _place(stream, seq, part))
    return BodyPart(part, commitment_of(nonce, plain), hashlib.sha256(sealed).hexdigest()), sealed


def unseal(cipher: AESGCM, header: Header, part: BodyPart, sealed: bytes) -> tuple[bytes, bytes] | Problem:
    """(commitment nonce, canonical body) of a sealed part; `ledger.body-damaged` where it is not what was sealed."""
    where = f"{header.stream} {header.seq}"
    try:
        opened = cipher.decrypt(
            sealed[:_GCM_NONCE], sealed[_GCM_NONCE:], _place(header.stream, header.seq, part.part)
        )
    except (InvalidTag, ValueError):
        return problem("ledger.body-damaged", where, stream=header.stream, seq=header.seq)
    nonce, body = opened[:_NONCE], opened[_NONCE:]
    if commitment_of(nonce, body) != part.commitment:
        return problem("ledger.body-damaged", where, stream=header.stream, seq=header.seq)
    return nonce, body


def read_body(body: bytes) -> Json:
    """The JSON of a body whose commitment held; its bytes were canonical when they were written, spaces apart."""
    return cast(Json, json.loads(body.decode()))


def check_link(header: Header, seq_before: int, leaf_before: str) -> Problem | None:
    """Whether `header` follows the entry with `seq_before` and `leaf_before` (0 and ZEROS at the beginning)."""
    if header.seq == seq_before + 1 and header.prev == leaf_before:
        return None
    return problem(
        "ledger.chain-broken", f"{header.stream} {header.seq}", stream=header.stream, seq=seq_before + 1
    )

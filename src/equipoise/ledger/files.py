"""Files beside the store: sealed under a stream's key, each bearing the SHA-256 of its sealed bytes as its name.

    FOLDER/files/ab/ab12…        AES-256-GCM; back this folder up together with the store

The rules that must stay true: a file is on disk before any entry names it; it opens with the key of the stream that
names it and with no other, so that erasing a participant's key erases the scans, too; the same content of the same
stream is kept once; a file whose bytes are not what its name says is not handed out. Without any key anybody can tell
whether the files that are there are whole: name and bytes agree, or they do not.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag

from equipoise.ledger.opening import Ledger
from equipoise.words.problem import Problem, problem

FOLDER = "files"
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that was kept: `digest` SHA-256 of its content, `address` SHA-256 of its sealed bytes, `size` in bytes."""

    digest: str
    address: str
    size: int


def files_of(store: Path) -> Path:
    """The folder of a store's files."""
    return store / FOLDER


def place_of(store: Path, address: str) -> Path:
    """Where a file lies. `address` is trusted to be hexadecimal only after `is_address`."""
    return files_of(store) / address[:2] / address


def is_address(text: str) -> bool:
    """Whether a text can be a file's name."""
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def keep_file(ledger: Ledger, stream: str, data: bytes) -> Kept | Problem:
    """Seal a file under the stream's key and put it on disk; the same again for the same content."""
    digest = hashlib.sha256(data).hexdigest()
    # The nonce follows from the content by a key: the same file again makes no second copy, another never the same.
    nonce = hashlib.sha256(ledger.keys.sign(f"file\n{stream}\n{digest}".encode())).digest()[:_NONCE]
    cipher = ledger.keys.cipher_for_writing(stream, "aside")
    sealed = nonce + cipher.encrypt(nonce, data, _bound(stream, digest))
    address = hashlib.sha256(sealed).hexdigest()
    try:
        _write(place_of(ledger.places.store.parent, address), sealed)
    except OSError as error:
        return problem("ledger.file-unkept", "file", detail=error.strerror or type(error).__name__)
    return Kept(digest, address, len(data))


def read_file(ledger: Ledger, stream: str, kept: Kept) -> bytes | Problem:
    """The content of a file. Problems: `ledger.file-missing`, `ledger.file-damaged`, `ledger.file-erased`."""
    cipher = ledger.keys.cipher(stream, "aside")
    if cipher is None:
        return problem("ledger.file-erased", "file")
    if not is_address(kept.address):
        return problem("ledger.file-missing", "file")
    try:
        sealed = place_of(ledger.places.store.parent, kept.address).read_bytes()
    except OSError:
        return problem("ledger.file-missing", "file")
    try:
        data = cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(stream, kept.digest))
    except (InvalidTag, ValueError):
        return problem("ledger.file-damaged", "file")
    return data if hashlib.sha256(data).hexdigest() == kept.digest else problem("ledger.file-damaged", "file")


def altered_files(store: Path) -> Iterator[Path]:
    """Files whose bytes are not what their names say. No key is needed."""
    for path in sorted(files_of(store).rglob("*")):
        if path.is_file() and path.suffix != ".draft" and _digest(path) != path.name:
            yield path


def is_there(store: Path, address: str) -> bool:
    """Whether a file that an entry names lies in its place, whole."""
    return is_address(address) and (path := place_of(store, address)).is_file() and _digest(path) == address


def _bound(stream: str, digest: str) -> bytes:
    return f"file\n{stream}\n{digest}".encode()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, sealed: bytes) -> None:
    """On disk, whole, readable by the owner alone, or not at all."""
    if path.exists() and path.stat().st_size == len(sealed) and path.read_bytes() == sealed:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(sealed)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

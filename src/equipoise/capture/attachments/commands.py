"""Commands on scans of paper sources. The bytes are sealed and kept before a command is given; it names them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AttachSource:
    """Attach a kept file to a form. `digest`: SHA-256 of what the person chose; `address`: of its sealed bytes.

    kind: PDF, PNG, JPEG or TIFF, as its content says; size in bytes; name: what the person's file was called, as text.
    """

    subject: str
    visit: str
    form: str
    repeat: int
    name: str
    kind: str
    size: int
    digest: str
    address: str


@dataclass(frozen=True, slots=True)
class WithdrawSource:
    """Say that a file does not belong to a form. It stays where it is, with the reason."""

    subject: str
    visit: str
    form: str
    repeat: int
    source: str
    reason: str

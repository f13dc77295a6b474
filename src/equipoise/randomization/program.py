"""Which program made a list: one hash over the source text of everything that a list follows from.

The rule that must stay true: the same files give the same hash on every machine; a changed byte in one of them gives
another. The hash is published with a list before the first participant, so that nobody can later say another program
made it. Only names and bytes of the files are read; nothing of them is imported here.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files

SOURCES = (
    "protocol/strata.py",
    "randomization/draws.py",
    "randomization/methods.py",
    "randomization/minimization.py",
    "randomization/sealing.py",
    "randomization/tree.py",
    "vault/lists.py",
)
"""The files in the order in which they are hashed: each by name, length and bytes."""


def program_hash() -> str:
    """SHA-256 (hex) over the generator's source files as they are installed here."""
    whole = hashlib.sha256()
    for name in SOURCES:
        content = files("equipoise").joinpath(name).read_bytes().replace(b"\r\n", b"\n")
        whole.update(f"{name} {len(content)}\n".encode() + content)
    return whole.hexdigest()

"""The names of people at a ceremony, as they are recorded and printed."""

from __future__ import annotations

import unicodedata

MACHINE = "machine"
"""Who brings the machine's own entropy."""
LONGEST = 60


def name_of(text: str) -> str | None:
    """A person's name as it is recorded; None where it is blank, too long, the machine's, or has unseen signs in
    it.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    return name if 0 < len(name) <= LONGEST and name.isprintable() and name != MACHINE else None

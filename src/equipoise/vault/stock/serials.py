"""Serial numbers as people write them: one after another, or from one to another.

The rule that must stay true: `01-08` means eight numbers of the same width; what is not such a list is None, never a
part of it. Source: none needed; packing lists are written so.
"""

from __future__ import annotations

import re

MOST = 2000
"""Serial numbers in one list at most."""
_RANGE = re.compile(r"([A-Za-z0-9./_]*?)(\d+)-(?:([A-Za-z0-9./_]*?)(\d+))")


def serials(text: str) -> tuple[str, ...] | None:
    """The serial numbers of a list parted by commas, spaces or lines; None where a part is no number or range."""
    found: list[str] = []
    for part in re.split(r"[\s,，、;；]+", text.strip()):
        if not part:
            continue
        several = _expanded(part)
        if several is None or len(found) + len(several) > MOST:
            return None
        found += several
    return tuple(found)


def _expanded(part: str) -> list[str] | None:
    match = _RANGE.fullmatch(part)
    if match is None:
        return [part]
    prefix, first, other, last = match.groups()
    if other not in ("", prefix) or not len(first) <= len(last) or int(last) < int(first):
        return None
    if int(last) - int(first) >= MOST:
        return None
    return [f"{prefix}{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]

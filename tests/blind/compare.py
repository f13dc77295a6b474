"""Compares what was seen of two worlds. Equal means: the same observations, in the same number, byte for byte."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from blind.watch import SEEN, Seen, read_bytes, read_seen

_KEPT = hashlib.sha256(b"kept").hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """One observation that is not the same in two worlds. `shown`: where the bytes part, from either side."""

    seen: Seen
    shown: str

    @property
    def named(self) -> str:
        """comparison|role|operation, by which a comparison is named."""
        return f"{self.seen.comparison}|{self.seen.role}|{self.seen.operation}"

    def goes_through(self, patterns: tuple[str, ...]) -> bool:
        """Whether it belongs to one of the named comparisons (wildcards allowed)."""
        return any(fnmatchcase(self.named, pattern) for pattern in patterns)

    def __str__(self) -> str:
        return f"{self.named} in {self.seen.state} #{self.seen.ordinal}: {self.shown}"


def differences(one: Path, other: Path) -> tuple[int, list[Difference]]:
    """How many observations were compared, and every one that differs."""
    lines = [(folder / SEEN).read_bytes() for folder in (one, other)]
    if lines[0] == lines[1] and all(_kept(line) for line in lines[0].splitlines() if b'"rules"' in line):
        return lines[0].count(b"\n"), []  # the same observations with the same digests, in the same order
    first = {seen: rest for seen, *rest in read_seen(one)}
    second = {seen: rest for seen, *rest in read_seen(other)}
    found: list[Difference] = []
    for seen in sorted(first.keys() | second.keys(), key=lambda each: (each.state, str(each))):
        mine, theirs = first.get(seen), second.get(seen)
        if mine is None or theirs is None:
            found.append(Difference(seen, "seen in one world only"))
        elif seen.comparison == "rules" and (mine[0], theirs[0]) != (_KEPT, _KEPT):
            found.append(Difference(seen, "a rule was not kept"))
        elif mine[0] != theirs[0]:
            found.append(Difference(seen, _parting(one, other, mine, theirs)))
    return len(first.keys() | second.keys()), found


def _kept(line: bytes) -> bool:
    """Whether an observation is no rule, or one that was kept."""
    comparison, _, _, _, _, digest, *_ = json.loads(line)
    return comparison != "rules" or digest == _KEPT


def _parting(one: Path, other: Path, mine: list, theirs: list) -> str:
    first, second = read_bytes(one, *mine[2:]), read_bytes(other, *theirs[2:])
    at = next(
        (n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )
    begin = max(at - 40, 0)
    return f"{len(first)} and {len(second)} bytes, from byte {at}: {first[begin : at + 60]!r} / {second[begin : at + 60]!r}"

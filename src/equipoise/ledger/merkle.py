"""The Merkle tree over all leaves: one hash that stands for everything that happened, and short proofs from it.

The tree's order is the order of the appends. A later tree then only grows to the right of an earlier one, which
is what a consistency proof shows; sorted by stream, every new entry would push leaves aside and no such proof
could exist. Streams stay independent all the same: position is no part of a header, so no append waits to learn
it, and a store may leave gaps, since only the order counts.
Source: RFC 6962, 2.1 (tree and proofs), RFC 9162, 2.1.3.2 and 2.1.4.2 (checking them). SHA-256 throughout.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def node_of(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes (32 bytes each), in order."""
    return rows_of(leaves)[-1][0] if leaves else EMPTY_ROOT


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The path from leaf `index` to the root, lowest first. Raises IndexError for a leaf that is not there."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} in a tree of {len(leaves)}")
    return path_from(rows_of(leaves), index)


def inclusion_holds(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` shows that `leaf` is at `index` of the tree with this size and root."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_of(sibling, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = node_of(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def rows_of(leaves: Sequence[bytes]) -> tuple[tuple[bytes, ...], ...]:
    """Every row of the tree, leaves first: with them many proofs cost little (`path_from`)."""
    row = tuple(leaves)
    rows = [row]
    while len(row) > 1:
        above = [node_of(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        # An odd one at the end moves up as it is: the same tree as the RFC's split at the largest power of two.
        row = (*above, *row[len(above) * 2 :])
        rows.append(row)
    return tuple(rows)


def path_from(rows: Sequence[Sequence[bytes]], index: int) -> tuple[bytes, ...]:
    """The same path as `inclusion_proof`, out of the tree's rows. Raises IndexError for a leaf that is not there."""
    if not 0 <= index < len(rows[0]):
        raise IndexError(f"no leaf {index} in a tree of {len(rows[0])}")
    path: list[bytes] = []
    for row in rows[:-1]:
        sibling = index ^ 1
        if sibling < len(row):  # an odd one at the end moves up as it is
            path.append(row[sibling])
        index >>= 1
    return tuple(path)


def consistency_proof(leaves: Sequence[bytes], older: int) -> tuple[bytes, ...]:
    """That the tree of the first `older` leaves is the beginning of the tree of all. Raises IndexError."""
    if not 0 < older <= len(leaves):
        raise IndexError(f"no tree of {older} within one of {len(leaves)}")
    path: list[bytes] = []
    low, high, whole = 0, len(leaves), True
    while older != high:
        middle = low + _split(high - low)
        if older <= middle:
            path.append(root_of(leaves[middle:high]))
            high = middle
        else:
            path.append(root_of(leaves[low:middle]))
            low, whole = middle, False
    if not whole:
        path.append(root_of(leaves[low:high]))
    return tuple(reversed(path))


class GrowingTree:
    """A tree that leaves are added to: roots and proofs of any size that it had, in a few steps each.

    Row k holds the hashes over 2^k leaves each, as far as they are whole; what lies at the end is put together anew.
    """

    def __init__(self) -> None:
        self._rows: list[list[bytes]] = [[]]

    def __len__(self) -> int:
        return len(self._rows[0])

    @property
    def leaves(self) -> Sequence[bytes]:
        """The leaf hashes, in order. Not to be changed."""
        return self._rows[0]

    def add(self, leaf: bytes) -> None:
        """One more leaf (its hash)."""
        self._rows[0].append(leaf)
        level = 0
        while not len(self._rows[level]) & 1:
            if level + 1 == len(self._rows):
                self._rows.append([])
            self._rows[level + 1].append(node_of(*self._rows[level][-2:]))
            level += 1

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` leaves; over all where None."""
        upto = len(self) if size is None else size
        return self._over(0, upto) if upto else EMPTY_ROOT

    def _over(self, low: int, high: int) -> bytes:
        """The hash over leaves `low` up to `high`, as the RFC splits them."""
        size = high - low
        if not size & (size - 1) and not low % size:
            return self._rows[size.bit_length() - 1][low // size]
        middle = low + _split(size)
        return node_of(self._over(low, middle), self._over(middle, high))

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """As `inclusion_proof`, in the tree of the first `size` leaves. Raises IndexError."""
        if not 0 <= index < size <= len(self):
            raise IndexError(f"no leaf {index} in a tree of {size}")
        path: list[bytes] = []
        low, high = 0, size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._over(middle, high))
                high = middle
            else:
                path.append(self._over(low, middle))
                low = middle
        return tuple(reversed(path))

    def consistency(self, older: int, newer: int) -> tuple[bytes, ...]:
        """As `consistency_proof`, in the tree of the first `newer` leaves. Raises IndexError."""
        if not 0 < older <= newer <= len(self):
            raise IndexError(f"no tree of {older} within one of {newer}")
        path: list[bytes] = []
        low, high, whole = 0, newer, True
        while older != high:
            middle = low + _split(high - low)
            if older <= middle:
                path.append(self._over(middle, high))
                high = middle
            else:
                path.append(self._over(low, middle))
                low, whole = middle, False
        if not whole:
            path.append(self._over(low, high))
        return tuple(reversed(path))


def consistency_holds(
    older: int, newer: int, older_root: bytes, newer_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether `path` shows that the older tree is the beginning of the newer one."""
    if not 0 < older <= newer:
        return False
    if older == newer:
        return not path and older_root == newer_root
    steps = list(path)
    if older & (older - 1) == 0:
        steps.insert(0, older_root)
    if not steps:
        return False
    at, last = older - 1, newer - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_of(step, old), node_of(step, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node_of(new, step)
        at, last = at >> 1, last >> 1
    return last == 0 and old == older_root and new == newer_root

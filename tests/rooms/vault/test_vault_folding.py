"""The second door's memory of states: whatever was remembered before, the state is the fold of all entries in the order
of their moments. Source: the rule at the head of `vault.folding`; where moments are equal, the order of the streams that
were asked for decides, as a stable sort of them has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger.chain import ZEROS
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Head
from equipoise.vault.folding import Memory

STREAMS = ("bench/a", "bench/b", "stock")


def entry(stream: str, seq: int, prev: str, at: int) -> Any:
    header = SimpleNamespace(stream=stream, seq=seq, prev=prev, at=f"{at:04d}")
    return SimpleNamespace(header=header, leaf=f"{stream} {seq}")


@dataclass
class Read:
    """A reading of a ledger as far as a memory asks for it; counts the entries that it handed out."""

    held: dict[str, list[Any]]
    handed: int = 0

    def head(self, stream: str) -> Head:
        entries = self.held.get(stream, [])
        return Head(stream, len(entries), entries[-1].leaf) if entries else Head(stream, 0, ZEROS)

    def streams(self) -> tuple[Head, ...]:
        return tuple(self.head(name) for name in sorted(self.held))

    def entries(self, stream: str, after: int = 0) -> tuple[Any, ...]:
        found = tuple(self.held.get(stream, [])[after:])
        self.handed += len(found)
        return found


def write(held: dict[str, list[Any]], stream: str, at: int) -> None:
    before = held.setdefault(stream, [])
    at = max(at, int(before[-1].header.at) if before else 0)  # within a stream moments never go back
    before.append(entry(stream, len(before) + 1, before[-1].leaf if before else ZEROS, at))


def listed(state: tuple[str, ...], recorded: Any) -> tuple[str, ...]:
    return (*state, recorded.leaf)


def asked(memory: Memory, read: Read, names: tuple[str, ...]) -> tuple[str, ...]:
    return memory.state(cast(Reader, read), "room", names, (), listed)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(STREAMS),
            st.integers(0, 30),
            st.sampled_from((("stock",), ("bench/a", "stock"), ("bench/b", "stock"), ("bench/", "stock"))),
        ),
        max_size=25,
    )
)
def test_a_remembered_state_is_the_fold_of_everything_in_order(steps):
    held: dict[str, list[Any]] = {}
    memory = Memory()
    for stream, at, names in steps:
        write(held, stream, at)
        full = [name for name in sorted(held) if name.startswith("bench/")] if "bench/" in names else []
        in_turn = [*full, *(name for name in names if not name.endswith("/"))]
        everything = [one for name in in_turn for one in held.get(name, [])]
        expected = tuple(one.leaf for one in sorted(everything, key=lambda one: one.header.at))
        assert asked(memory, Read(held), names) == expected


def test_a_new_preparation_does_not_read_the_stock_again():
    held: dict[str, list[Any]] = {}
    memory = Memory()
    for moment in range(50):
        write(held, "stock", moment)
    asked(memory, Read(held), ("bench/a", "stock"))  # before it has begun: the stock alone
    write(held, "bench/a", 60)
    write(held, "stock", 60)
    second = Read(held)
    assert asked(memory, second, ("bench/a", "stock"))[-2:] == ("bench/a 1", "stock 51")
    assert second.handed == 2  # the two entries that are new, of 52

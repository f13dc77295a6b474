"""The scans of one subject, folded from the subject's stream. Nothing here is the file itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any, cast

from equipoise.ledger.entries import Recorded, SourceAttached, SourceWithdrawn
from equipoise.words.canonical import Json


@dataclass(frozen=True, slots=True)
class Source:
    """One attached file: where it belongs, what it is, who attached it when (UTC), and why it was taken back."""

    source: str
    visit: str
    form: str
    repeat: int
    name: str
    kind: str
    size: int
    digest: str
    address: str
    by: str
    at: str
    withdrawn: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """Files by (visit, form, repeat, source), oldest first."""

    sources: Mapping[tuple[str, str, int, str], Source] = field(default_factory=lambda: MappingProxyType({}))

    def at(self, visit: str, form: str, repeat: int) -> tuple[Source, ...]:
        """The files of one form."""
        return tuple(one for key, one in self.sources.items() if key[:3] == (visit, form, repeat))


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the subject's stream."""
    entry, header = recorded.entry, recorded.header
    match entry:
        case SourceAttached():
            key = (entry.visit, entry.form, entry.repeat, entry.source)
            made = Source(
                entry.source, entry.visit, entry.form, entry.repeat, entry.name, entry.kind_of_file, entry.size,
                entry.digest, entry.address, header.actor, header.at,
            )  # fmt: skip
            return State(MappingProxyType({**state.sources, key: made}))
        case SourceWithdrawn():
            key = (entry.visit, entry.form, entry.repeat, entry.source)
            known = state.sources.get(key)
            if known is None:
                return state
            gone = replace(known, withdrawn=True, reason=entry.reason)
            return State(MappingProxyType({**state.sources, key: gone}))
        case _:
            return state


def state_to_json(state: State) -> Json:
    """For a disposable snapshot."""
    return [asdict(one) for one in state.sources.values()]


def state_from_json(json: Json) -> State:
    """The state that `state_to_json` wrote."""
    read = [Source(**one) for one in cast("list[dict[str, Any]]", json)]  # Any: as written above
    return State(MappingProxyType({(one.visit, one.form, one.repeat, one.source): one for one in read}))

"""What is known of capacity and consent, folded from a subject's stream.

The rule that must stay true: the latest act of each person counts, and a withdrawal ends whatever stood before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, cast

from equipoise.consent.commands import Signer
from equipoise.ledger.entries import (
    CapacityRecorded,
    CaregiverConsented,
    ConsentDocumented,
    ConsentWithdrawn,
    OptionAnswered,
    ParticipationLimited,
    Recorded,
)
from equipoise.words.canonical import Json

CapacityCode = Literal["HAS", "LACKS", "NOT_ASSESSED"]


@dataclass(frozen=True, slots=True)
class Capacity:
    """The latest assessment of capacity: what, on which day (ISO), in which entry of the stream."""

    capacity: CapacityCode
    on: str
    seq: int


@dataclass(frozen=True, slots=True)
class Act:
    """The latest signature (`given`) or refusal of one person on a version of the form."""

    version: str
    given: bool
    on: str
    seq: int
    relation: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """A part of the participation that ended: its level, by whom, on which day (ISO)."""

    level: str
    by: Signer
    on: str
    seq: int


@dataclass(frozen=True, slots=True)
class Caregiver:
    """A caregiver's own answer on keeping the diary. `caregiver`: the register's random id."""

    caregiver: str
    given: bool
    on: str
    seq: int


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Consent ended: by whom, on which day (ISO)."""

    by: Signer
    on: str
    seq: int


@dataclass(frozen=True, slots=True)
class State:
    """Capacity, the latest act of each person, the withdrawal that no later signature has answered, and the parts.

    `limits`: parts of the participation that ended; `options`: optional part -> agreed; `caregivers`: by their id.
    """

    capacity: Capacity | None = None
    participant: Act | None = None
    representative: Act | None = None
    withdrawal: Withdrawal | None = None
    limits: tuple[Limit, ...] = ()
    options: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    caregivers: tuple[Caregiver, ...] = ()

    @property
    def lacks_capacity(self) -> bool:
        """Whether capacity is recorded as lacking; anything else leaves it presumed."""
        return self.capacity is not None and self.capacity.capacity == "LACKS"


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the subject's stream."""
    entry, seq = recorded.entry, recorded.header.seq
    if isinstance(entry, CapacityRecorded):
        return replace(state, capacity=Capacity(entry.capacity, entry.on, seq))
    if isinstance(entry, ConsentDocumented):
        act = Act(entry.version, entry.given, entry.on, seq, entry.relation, entry.at)
        # What was signed before a withdrawal does not come back to life: the other person's act is gone too.
        again = State(capacity=state.capacity, caregivers=state.caregivers)
        before = state if state.withdrawal is None or not entry.given else again
        if entry.by == "PARTICIPANT":
            return replace(before, participant=act)
        return replace(before, representative=act)
    if isinstance(entry, ConsentWithdrawn):
        return replace(state, withdrawal=Withdrawal(entry.by, entry.on, seq))
    if isinstance(entry, ParticipationLimited):
        return replace(state, limits=(*state.limits, Limit(entry.level, entry.by, entry.on, seq)))
    if isinstance(entry, OptionAnswered):
        return replace(state, options=MappingProxyType({**state.options, entry.option: entry.given}))
    if isinstance(entry, CaregiverConsented):
        others = tuple(one for one in state.caregivers if one.caregiver != entry.caregiver)
        said = Caregiver(entry.caregiver, entry.given, entry.on, seq)
        return replace(state, caregivers=(*others, said))
    return state


def state_to_json(state: State) -> Json:
    """The state as canonical JSON, for a disposable snapshot."""
    capacity, withdrawal = state.capacity, state.withdrawal
    return {
        "capacity": [capacity.capacity, capacity.on, capacity.seq] if capacity else None,
        "participant": _act_to_json(state.participant),
        "representative": _act_to_json(state.representative),
        "withdrawal": [withdrawal.by, withdrawal.on, withdrawal.seq] if withdrawal else None,
        "limits": [[one.level, one.by, one.on, one.seq] for one in state.limits],
        "options": [[option, given] for option, given in state.options.items()],
        "caregivers": [[one.caregiver, one.given, one.on, one.seq] for one in state.caregivers],
    }


def _act_to_json(act: Act | None) -> Json:
    return [act.version, act.given, act.on, act.seq, act.relation, act.at] if act else None


def state_from_json(json: Json) -> State:
    """The state that `state_to_json` wrote."""
    written = cast("dict[str, Any]", json)  # Any: as written above
    capacity, withdrawal = written["capacity"], written["withdrawal"]
    return State(
        Capacity(*capacity) if capacity else None,
        _act_from_json(written["participant"]),
        _act_from_json(written["representative"]),
        Withdrawal(*withdrawal) if withdrawal else None,
        tuple(Limit(*one) for one in written["limits"]),
        MappingProxyType(dict(written["options"])),
        tuple(Caregiver(*one) for one in written["caregivers"]),
    )


def _act_from_json(json: list[Any] | None) -> Act | None:
    return Act(*json) if json else None

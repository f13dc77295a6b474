"""One person, folded from the stream `user/<actor>`: roles held, trainings, certificates."""

from __future__ import annotations

from dataclasses import dataclass, replace

from equipoise.access.commands import Certified, Grant, Trained, Who
from equipoise.ledger.entries import (
    CertificateRecorded,
    CertificateWithdrawn,
    Recorded,
    RoleGranted,
    RoleRevoked,
    TrainingRecorded,
)


@dataclass(frozen=True, slots=True)
class State:
    """Roles held now, every role ever held, the latest training in each topic, the certificates that stand."""

    now: tuple[Grant, ...] = ()
    ever: tuple[Grant, ...] = ()
    trained: tuple[Trained, ...] = ()
    certified: tuple[Certified, ...] = ()

    def who(self, actor: str, role: str) -> Who:
        """The person, acting in `role`."""
        return Who(actor, role, self.now, self.ever, self.trained, self.certified)


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry."""
    entry = recorded.entry
    if isinstance(entry, RoleGranted):
        grant = Grant(entry.role, entry.site)
        return replace(state, now=(*state.now, grant), ever=(*state.ever, grant))
    if isinstance(entry, RoleRevoked):
        gone = Grant(entry.role, entry.site)
        return replace(state, now=tuple(grant for grant in state.now if grant != gone))
    if isinstance(entry, TrainingRecorded):
        had = Trained(entry.topic, entry.version, entry.on, entry.until)
        return replace(state, trained=(*(one for one in state.trained if one.topic != entry.topic), had))
    if isinstance(entry, CertificateRecorded):
        has = Certified(entry.instrument, entry.language, entry.on, entry.until)
        return replace(state, certified=(*_others(state, entry), has))
    if isinstance(entry, CertificateWithdrawn):
        return replace(state, certified=_others(state, entry))
    return state


def _others(state: State, entry: CertificateRecorded | CertificateWithdrawn) -> tuple[Certified, ...]:
    same = (entry.instrument, entry.language)
    return tuple(one for one in state.certified if (one.instrument, one.language) != same)

"""The roles of one person, folded from the stream `user/<actor>`."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.access.commands import Grant, Who
from equipoise.ledger.entries import Recorded, RoleGranted, RoleRevoked


@dataclass(frozen=True, slots=True)
class State:
    """Roles held now, and every role ever held."""

    now: tuple[Grant, ...] = ()
    ever: tuple[Grant, ...] = ()

    def who(self, actor: str, role: str) -> Who:
        """The person, acting in `role`."""
        return Who(actor, role, self.now, self.ever)


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry."""
    entry = recorded.entry
    if isinstance(entry, RoleGranted):
        grant = Grant(entry.role, entry.site)
        return State((*state.now, grant), (*state.ever, grant))
    if isinstance(entry, RoleRevoked):
        gone = Grant(entry.role, entry.site)
        return State(tuple(grant for grant in state.now if grant != gone), state.ever)
    return state

"""Who sends from a phone: roles that no person is granted, held by a phone for as long as the ledger says it counts.

The rules that must stay true: a phone reads nothing here and gives the commands of its line alone; nobody can be
granted one of these roles.
"""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.access.commands import Grant, Who
from equipoise.access.roles import Role, label_of
from equipoise.words.text import Text

_SENDS = frozenset({"RecordDiary"})
PHONES: Mapping[str, Role] = {
    role.id: role
    for role in (
        Role("participant", Text("Participant", "受试者"), "blinded", _SENDS, frozenset()),
        Role("caregiver", Text("Caregiver", "照护者"), "blinded", _SENDS, frozenset()),
    )
}
"""Role of a phone by id."""


def phone_role(holder: str) -> str:
    """The role in which a phone of this holder acts."""
    return "participant" if holder == "PARTICIPANT" else "caregiver"


def sender_label(role: str) -> Text:
    """The name of the role that an entry was made in, by a person or from a phone."""
    phone = PHONES.get(role)
    return phone.label if phone is not None else label_of(role)


def as_phone(device: str, holder: str, site: str | None, *, enrolled: bool) -> Who:
    """A phone as access knows it: its role is held at the participant's site while it is enrolled."""
    role = phone_role(holder)
    return Who(device, role, (Grant(role, site),) if enrolled else ())

"""The gate of the final release as the first door shows it: what is met, what is missing, who signed."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may, may_read
from equipoise.access.roles import label_of
from equipoise.desk.desk import Desk
from equipoise.ledger.facts import Facts
from equipoise.oversight.commands import RecordReleaseCondition, SignRelease
from equipoise.oversight.release import CONDITIONS, SIGNING
from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class ConditionLine:
    """One condition; `may` says whether the reader's role records it. `at` is UTC, ISO."""

    id: str
    met: bool
    reference: str
    by: str
    at: str | None
    roles: Text
    may: bool


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One of the signatures asked for; `by` is empty while it is missing."""

    role: Text
    by: str
    at: str | None


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """The gate. `digest` is what the reader signs; it travels with the press of the button."""

    conditions: tuple[ConditionLine, ...]
    signatures: tuple[SignatureLine, ...]
    digest: str
    complete: bool
    may_sign: bool
    released: str | None
    root: str | None


def release_page(desk: Desk, who: Who) -> ReleaseView | None:
    """The gate; None for who may not read it."""
    if not may_read(who, "release", None):
        return None
    with desk.reading() as reader:
        trial = desk.trial(reader)
    gate, name = trial.state.gate, desk.register.staff_name
    recording = may(who, RecordReleaseCondition("DATABASE_LOCKED", met=True, reference=""), Facts()) is None
    lines = []
    for condition, roles in CONDITIONS.items():
        known = gate.conditions.get(condition)
        labels = [label_of(role) for role in sorted(roles)]
        lines.append(
            ConditionLine(
                condition,
                known is not None and known.met,
                known.reference if known is not None else "",
                name(known.by) if known is not None else "",
                known.at if known is not None else None,
                Text(
                    ", ".join(one.en for one in labels), "、".join(one.say("zh") for one in labels)
                ),
                recording and who.role in roles and gate.released is None,
            )
        )  # fmt: skip
    signed = {one.role: one for one in gate.signers()}
    signatures = tuple(
        SignatureLine(label_of(role), name(signed[role].by), signed[role].at)
        if role in signed
        else SignatureLine(label_of(role), "", None)
        for role in SIGNING
    )
    may_sign = (
        may(who, SignRelease(""), Facts()) is None
        and not gate.missing()
        and gate.released is None
        and who.role not in signed
        and who.actor not in {one.by for one in signed.values()}
    )
    return ReleaseView(
        tuple(lines),
        signatures,
        gate.digest(),
        gate.open,
        may_sign,
        gate.released.release if gate.released is not None else None,
        gate.released.root if gate.released is not None else None,
    )

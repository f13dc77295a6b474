"""Deciding on scans of paper sources.

The rules that must stay true: a file belongs to a form that the study plans; it is attached once; what was attached is
never removed, only said not to belong, with a reason. Sources: ICH E6(R3) 4.2 (source records, certified copies).
"""

from __future__ import annotations

from equipoise.capture.attachments.commands import AttachSource, WithdrawSource
from equipoise.capture.attachments.content import KINDS
from equipoise.capture.attachments.evolve import State
from equipoise.capture.parsing import clean
from equipoise.capture.placing import place_faults
from equipoise.ledger.entries import Append, SourceAttached, SourceWithdrawn
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.problem import problem

MANY = 60
"""Files that one form may bear."""
SOURCE_LENGTH = 24
"""Characters of the address by which a file is asked for."""


def decide(study: Study, state: State, facts: Facts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on the stream of one subject."""
    if not isinstance(command, AttachSource | WithdrawSource):
        raise TypeError(f"attachments do not know {type(command).__name__}")
    if not facts.subject_known:
        return Refusal((problem("capture.subject-unknown", "subject"),))
    if isinstance(command, AttachSource):
        return _attach(study, state, command)
    return _withdraw(state, command)


def _attach(study: Study, state: State, command: AttachSource) -> Decision:
    faults = place_faults(study, command.visit, command.form, command.repeat)
    if faults:
        return Refusal(faults)
    here = state.at(command.visit, command.form, command.repeat)
    known = next((one for one in here if one.digest == command.digest), None)
    if known is not None and not known.withdrawn:
        return Refusal((problem("attachments.already", "file", name=known.name),))
    if known is None and len(here) >= MANY:
        return Refusal((problem("attachments.too-many", "file", limit=MANY),))
    if command.kind not in KINDS or command.size <= 0:
        return Refusal((problem("attachments.kind", "file", kinds=", ".join(KINDS)),))
    entry = SourceAttached(
        command.visit, command.form, command.repeat, command.address[:SOURCE_LENGTH], command.kind, command.size,
        command.digest, command.address, command.name,
    )  # fmt: skip
    return (Append(f"subject/{command.subject}", entry),)


def _withdraw(state: State, command: WithdrawSource) -> Decision:
    known = state.sources.get((command.visit, command.form, command.repeat, command.source))
    if known is None:
        return Refusal((problem("attachments.unknown", "source"),))
    if known.withdrawn:
        return Refusal((problem("attachments.already-withdrawn", "source"),))
    reason = clean(command.reason)
    if not reason:
        return Refusal((problem("attachments.say-why", "reason"),))
    entry = SourceWithdrawn(command.visit, command.form, command.repeat, command.source, reason)
    return (Append(f"subject/{command.subject}", entry),)

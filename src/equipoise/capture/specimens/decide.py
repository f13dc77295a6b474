"""Deciding on tubes and aliquots of one subject.

The rules that must stay true: a true time is never refused, and what is not as planned is written down as a deviation
by itself; a kit has one tube in use at a visit; what was voided stays with its number; nothing asks what anybody gets.
Sources: domain 5.1 and 6.6; ISO 20387 (biobanking) for processing times and freeze-thaw counts.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from equipoise.capture.parsing import clean, plain
from equipoise.capture.specimens.accession import aliquot_of
from equipoise.capture.specimens.commands import (
    CollectSpecimen,
    EndAliquot,
    MakeAliquots,
    MissSpecimen,
    MoveAliquot,
    ProcessSpecimen,
    VoidSpecimen,
)
from equipoise.capture.specimens.evolve import State, Tube
from equipoise.ledger.entries import (
    AliquotEnded,
    AliquotMoved,
    AliquotsMade,
    Append,
    Entry,
    SpecimenCollected,
    SpecimenMissed,
    SpecimenProcessed,
    SpecimenVoided,
)
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.specimens import Kit
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem
from equipoise.words.truth import Truth

AHEAD = dt.timedelta(minutes=5)
"""How far a clock at the bedside may be ahead of this one."""
MANY = 99
"""Aliquots of one tube at most: their numbers have two digits."""
_VOLUME = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?")


def decide(study: Study, state: State, facts: Facts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on the stream of one subject."""
    step = STEPS.get(type(command))
    if step is None:
        raise TypeError(f"specimens do not know {type(command).__name__}")
    if not facts.subject_known:
        return Refusal((problem("capture.subject-unknown", "subject"),))
    decided = step(study, state, facts, command, occasion)
    if isinstance(decided, Problem):
        return Refusal((decided,))
    subject = getattr(command, "subject", "")
    return (Append(f"subject/{subject}", decided),)


def _kit_fault(study: Study, state: State, kit_id: str, visit: str) -> Problem | None:
    kit = study.specimens.kit(kit_id)
    if kit is None or visit not in kit.visits:
        return problem("specimens.kit-not-planned", "kit")
    if state.current(kit_id, visit) is not None:
        return problem("specimens.collected-already", "kit", kit=kit.label)
    return None


def _collect(
    study: Study, state: State, facts: Facts, command: CollectSpecimen, occasion: Occasion
) -> Entry | Problem:
    fault = _kit_fault(study, state, command.kit, command.visit)
    kit = study.specimens.kit(command.kit)
    if fault is not None or kit is None:
        return fault or problem("specimens.kit-not-planned", "kit")
    at = moment(command.at)
    if at is None:
        return problem("specimens.time-unfit", "at", given=command.at)
    if at > occasion.at + AHEAD:
        return problem("specimens.time-in-future", "at")
    if command.fasting not in ("Y", "N", "U"):
        return problem("specimens.choose", "fasting")
    found = ["NOT_FASTING"] if kit.fasting and command.fasting == "N" else []
    found += ["FASTING_UNKNOWN"] if kit.fasting and command.fasting == "U" else []
    found += [] if facts.consent_in_force is Truth.TRUE else ["NO_CONSENT"]
    return SpecimenCollected(
        facts.accession_free, command.kit, command.visit, written(at), command.fasting, tuple(found),
        clean(command.note),
    )  # fmt: skip


def _miss(
    study: Study, state: State, facts: Facts, command: MissSpecimen, occasion: Occasion
) -> Entry | Problem:
    fault = _kit_fault(study, state, command.kit, command.visit)
    if fault is not None:
        return fault
    if command.because not in ("NOT_DONE", "REFUSED", "NOT_POSSIBLE", "OTHER"):
        return problem("specimens.choose", "because")
    if state.missed.get((command.kit, command.visit)) == command.because:
        return problem("capture.nothing-changed")
    return SpecimenMissed(command.kit, command.visit, command.because, clean(command.note))


def _void(
    study: Study, state: State, facts: Facts, command: VoidSpecimen, occasion: Occasion
) -> Entry | Problem:
    tube = _usable(state, command.specimen)
    if isinstance(tube, Problem):
        return tube
    reason = clean(command.reason)
    return SpecimenVoided(tube.specimen, reason) if reason else problem("specimens.say-why", "reason")


def _process(
    study: Study, state: State, facts: Facts, command: ProcessSpecimen, occasion: Occasion
) -> Entry | Problem:
    tube = _usable(state, command.specimen)
    if isinstance(tube, Problem):
        return tube
    if command.haemolysis not in ("NONE", "SLIGHT", "MODERATE", "GROSS"):
        return problem("specimens.choose", "haemolysis")
    times: list[str] = []
    before, what = moment(tube.at), "collected"
    for name in ("spun_at", "frozen_at"):
        typed = getattr(command, name)
        at = moment(typed) if typed else None
        if typed and at is None:
            return problem("specimens.time-unfit", name, given=typed)
        if at is not None and at > occasion.at + AHEAD:
            return problem("specimens.time-in-future", name)
        if at is not None and before is not None and at < before:
            return problem(f"specimens.time-before-{what}", name)
        times.append(written(at) if at is not None else "")
        before, what = (at, "spun") if at is not None else (before, what)
    kit = study.specimens.kit(tube.kit)
    late = lateness(kit, tube, times[0], times[1]) if kit is not None else ()
    if command.haemolysis in ("MODERATE", "GROSS"):
        late = (*late, "HAEMOLYSED")
    return SpecimenProcessed(tube.specimen, times[0], times[1], command.haemolysis, late, clean(command.note))


def lateness(kit: Kit, tube: Tube, spun_at: str, frozen_at: str) -> tuple[str, ...]:
    """Which processing limits of a kit were passed, or cannot be told."""
    found: list[str] = []
    for name, at, limit in (("SPUN", spun_at, kit.spin_within), ("FROZEN", frozen_at, kit.freeze_within)):
        if limit and not at:
            found.append(f"{name}_UNKNOWN")
        elif limit and _minutes(tube.at, at) > limit:
            found.append(f"{name}_LATE")
    return tuple(found)


def _make(
    study: Study, state: State, facts: Facts, command: MakeAliquots, occasion: Occasion
) -> Entry | Problem:
    tube = _usable(state, command.specimen)
    if isinstance(tube, Problem):
        return tube
    if not 1 <= command.count <= MANY - len(tube.aliquots):
        return problem("specimens.aliquot-count", "count", most=MANY - len(tube.aliquots))
    volume = plain(command.volume)
    if _VOLUME.fullmatch(volume) is None or Decimal(volume) <= 0:
        return problem("specimens.volume-unfit", "volume", given=command.volume)
    if not _has_storage(study, command.storage):
        return problem("specimens.choose", "storage")
    first = len(tube.aliquots) + 1
    made = tuple(aliquot_of(tube.specimen, count) for count in range(first, first + command.count))
    return AliquotsMade(tube.specimen, made, volume, command.storage, clean(command.place))


def _move(
    study: Study, state: State, facts: Facts, command: MoveAliquot, occasion: Occasion
) -> Entry | Problem:
    fault = _aliquot_fault(state, command.aliquot)
    if fault is not None:
        return fault
    if not _has_storage(study, command.storage):
        return problem("specimens.choose", "storage")
    return AliquotMoved(command.aliquot, command.storage, command.thawed, clean(command.place))


def _end(
    study: Study, state: State, facts: Facts, command: EndAliquot, occasion: Occasion
) -> Entry | Problem:
    fault = _aliquot_fault(state, command.aliquot)
    if fault is not None:
        return fault
    if command.because not in ("USED", "DESTROYED", "LOST", "BROKEN"):
        return problem("specimens.choose", "because")
    return AliquotEnded(command.aliquot, command.because, clean(command.reason))


STEPS: dict[type, Callable[[Study, State, Facts, Any, Occasion], Entry | Problem]] = {  # Any: its one command
    CollectSpecimen: _collect,
    MissSpecimen: _miss,
    VoidSpecimen: _void,
    ProcessSpecimen: _process,
    MakeAliquots: _make,
    MoveAliquot: _move,
    EndAliquot: _end,
}
"""Every command on the specimens of a subject, with what decides it."""


def _usable(state: State, specimen: str) -> Tube | Problem:
    tube = state.tubes.get(specimen)
    if tube is None:
        return problem("specimens.unknown", "specimen")
    return problem("specimens.voided", "specimen") if tube.voided else tube


def _aliquot_fault(state: State, aliquot: str) -> Problem | None:
    one = state.aliquots.get(aliquot)
    if one is None:
        return problem("specimens.unknown", "aliquot")
    return problem("specimens.aliquot-ended", "aliquot") if one.ended else None


def _has_storage(study: Study, storage: str) -> bool:
    return any(one.id == storage for one in study.specimens.storages)


def moment(text: str) -> dt.datetime | None:
    """A moment with its zone, in UTC; None for anything else."""
    try:
        read = dt.datetime.fromisoformat(text)
        return read.astimezone(dt.UTC) if read.tzinfo is not None else None
    except (
        ValueError,
        OverflowError,
    ):  # the first and the last day of the calendar have no UTC in every zone
        return None


def written(at: dt.datetime) -> str:
    """A moment as entries of specimens have it: UTC, whole seconds."""
    return at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _minutes(begun: str, over: str) -> float:
    first, last = moment(begun), moment(over)
    return (last - first).total_seconds() / 60 if first is not None and last is not None else 0.0

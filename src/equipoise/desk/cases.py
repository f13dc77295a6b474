"""One subject's case: its stream folded through each room that reads it, and how a case is kept in a snapshot.

The rules that must stay true: a case is a function of the stream's entries and of nothing else; a snapshot of another
shape, or of another meaning, is never read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from equipoise.access import presence
from equipoise.capture import closed as capture_closed
from equipoise.capture import entered
from equipoise.capture import evolve as capture
from equipoise.capture import snapshot as capture_snapshot
from equipoise.capture.attachments import evolve as attachments
from equipoise.capture.imaging import evolve as imaging
from equipoise.capture.specimens import evolve as specimens
from equipoise.consent import evolve as consent
from equipoise.eligibility import evolve as eligibility
from equipoise.ledger.entries import Datum, Recorded, Reported, SeriesSeen
from equipoise.ledger.reader import Folding
from equipoise.oversight import deviations, versions
from equipoise.randomization import blind
from equipoise.supply import evolve as supply
from equipoise.supply import snapshot as supply_snapshot
from equipoise.words.canonical import Json, digest


@dataclass(frozen=True, slots=True)
class Case:
    """One subject's stream, folded through each room that reads it."""

    screening: eligibility.State = eligibility.START
    consent: consent.State = consent.START
    capture: capture.State = capture.START
    blind: blind.State = blind.START
    supply: supply.State = supply.START
    attachments: attachments.State = attachments.START
    versions: versions.SubjectVersions = versions.SUBJECT_START
    presence: presence.State = presence.START
    imaging: imaging.State = imaging.START
    specimens: specimens.State = specimens.START
    deviations: deviations.State = deviations.START
    seq: int = 0


def evolve_case(case: Case, recorded: Recorded) -> Case:
    """The case after one more entry of the subject's stream."""
    return Case(
        eligibility.evolve(case.screening, recorded),
        consent.evolve(case.consent, recorded),
        capture.evolve(case.capture, recorded),
        blind.evolve(case.blind, recorded),
        supply.evolve(case.supply, recorded),
        attachments.evolve(case.attachments, recorded),
        versions.evolve_subject(case.versions, recorded),
        presence.evolve(case.presence, recorded),
        imaging.evolve(case.imaging, recorded),
        specimens.evolve(case.specimens, recorded),
        deviations.evolve(case.deviations, recorded),
        recorded.header.seq,
    )


def _dump(case: Case) -> Json:
    return {
        "screening": eligibility.state_to_json(case.screening),
        "consent": consent.state_to_json(case.consent),
        "capture": capture_snapshot.state_to_json(case.capture),
        "blind": blind.state_to_json(case.blind),
        "supply": supply_snapshot.state_to_json(case.supply),
        "attachments": attachments.state_to_json(case.attachments),
        "moved": case.versions.moved,
        "presence": presence.state_to_json(case.presence),
        "imaging": imaging.state_to_json(case.imaging),
        "specimens": specimens.state_to_json(case.specimens),
        "deviations": deviations.state_to_json(case.deviations),
        "seq": case.seq,
    }


def _load(json: Json) -> Case:
    written = cast("Mapping[str, Any]", json)  # Any: as written above
    return Case(
        eligibility.state_from_json(written["screening"]),
        consent.state_from_json(written["consent"]),
        capture_snapshot.state_from_json(written["capture"]),
        blind.state_from_json(written["blind"]),
        supply_snapshot.state_from_json(written["supply"]),
        attachments.state_from_json(written["attachments"]),
        versions.SubjectVersions(written["moved"]),
        presence.state_from_json(written["presence"]),
        imaging.state_from_json(written["imaging"]),
        specimens.state_from_json(written["specimens"]),
        deviations.state_from_json(written["deviations"]),
        written["seq"],
    )


_KEPT: tuple[type, ...] = (
    Case,
    eligibility.State,
    eligibility.Judged,
    consent.State,
    consent.Capacity,
    consent.Act,
    consent.Withdrawal,
    consent.Limit,
    consent.Caregiver,
    capture.State,
    capture.Instance,
    capture.Omission,
    capture.Query,
    capture.Said,
    capture_closed.Closing,
    capture_closed.Signature,
    capture.VisitDate,
    capture.Miss,
    capture.Place,
    capture.Review,
    capture.Voiding,
    entered.Pair,
    entered.Typed,
    entered.Settled,
    blind.State,
    blind.Break,
    blind.Card,
    supply.State,
    supply.Request,
    supply.Bag,
    supply.Judged,
    attachments.State,
    attachments.Source,
    versions.SubjectVersions,
    presence.State,
    imaging.State,
    imaging.Order,
    imaging.Read,
    SeriesSeen,
    specimens.State,
    specimens.Tube,
    specimens.Aliquot,
    Reported,
    Datum,
    deviations.State,
    deviations.Deviation,
    deviations.Consented,
)
"""Everything that a snapshot of a case is made of."""


def shape_of(kinds: Iterable[type]) -> str:
    """A digest of the names and types of the fields of some kinds of value."""
    declared: list[Json] = [
        [kind.__name__, [[name, str(said)] for name, said in kind.__annotations__.items()]] for kind in kinds
    ]
    return digest(declared)


CASE = Folding(f"case 2 {shape_of(_KEPT)}", Case(), evolve_case, _dump, _load)
"""How a subject's stream becomes a Case. A snapshot of another shape is never read: its code differs by itself.

Raise the number whenever a room's evolve means something else for the same shape.
"""


NOBODY = Case()
"""The case where no subject is concerned."""

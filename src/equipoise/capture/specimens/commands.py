"""Commands on specimens. Moments are ISO with their zone; volumes in mL as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Haemolysis = Literal["NONE", "SLIGHT", "MODERATE", "GROSS"]
Missed = Literal["NOT_DONE", "REFUSED", "NOT_POSSIBLE", "OTHER"]
Ended = Literal["USED", "DESTROYED", "LOST", "BROKEN"]
Condition = Literal["FROZEN", "PARTLY_THAWED", "THAWED", "COOLED", "AMBIENT"]


@dataclass(frozen=True, slots=True)
class CollectSpecimen:
    """A tube was drawn for a kit at a visit."""

    subject: str
    kit: str
    visit: str
    at: str
    fasting: Literal["Y", "N", "U"]
    note: str = ""


@dataclass(frozen=True, slots=True)
class MissSpecimen:
    """Nothing was drawn for a kit at a visit."""

    subject: str
    kit: str
    visit: str
    because: Missed
    note: str = ""


@dataclass(frozen=True, slots=True)
class VoidSpecimen:
    """A tube is not to be used."""

    subject: str
    specimen: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProcessSpecimen:
    """A tube was spun and its aliquots frozen; an empty moment where it was not."""

    subject: str
    specimen: str
    spun_at: str
    frozen_at: str
    haemolysis: Haemolysis
    note: str = ""


@dataclass(frozen=True, slots=True)
class MakeAliquots:
    """Divide a tube into `count` aliquots of `volume` each."""

    subject: str
    specimen: str
    count: int
    volume: str
    storage: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class MoveAliquot:
    """An aliquot lies elsewhere now; `thawed`: it was thawed and frozen again."""

    subject: str
    aliquot: str
    storage: str
    thawed: bool
    place: str = ""


@dataclass(frozen=True, slots=True)
class EndAliquot:
    """An aliquot is no more."""

    subject: str
    aliquot: str
    because: Ended
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SendShipment:
    """Aliquots of one site leave for a laboratory. `shipment` is a random id that the page made."""

    site: str
    shipment: str
    laboratory: str
    aliquots: tuple[str, ...]
    at: str
    condition: str
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class ReceiveShipment:
    """A shipment arrived. discrepancies: lines `aliquot CODE`; unexpected: numbers that the manifest does not have."""

    site: str
    shipment: str
    at: str
    condition: Condition
    discrepancies: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ImportResults:
    """Take in a laboratory's file whole. `text`: its content; `subjects`: whose specimens its numbers are.

    corrects: values that differ from what was reported before replace it, and both stay.
    """

    laboratory: str
    text: str
    subjects: tuple[str, ...]
    corrects: bool = False

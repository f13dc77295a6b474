"""Commands on imaging. Days are ISO dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from equipoise.ledger.entries import Datum, SeriesSeen

Quality = Literal["GOOD", "ACCEPTABLE", "POOR", "UNREADABLE"]


@dataclass(frozen=True, slots=True)
class OrderImaging:
    """Ask for a procedure of the study at a visit, between two days."""

    subject: str
    procedure: str
    visit: str
    due_from: str
    due_by: str
    indication: str = ""


@dataclass(frozen=True, slots=True)
class RecordImaging:
    """The imaging took place."""

    subject: str
    order: str
    on: str
    quality: Quality
    device: str = ""


@dataclass(frozen=True, slots=True)
class CancelImaging:
    """The imaging did not and will not take place."""

    subject: str
    order: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReferenceImages:
    """The study of images that belongs to an order: typed, or as checked headers say (`digest` is not empty then)."""

    subject: str
    order: str
    study_uid: str
    series: tuple[SeriesSeen, ...]
    files: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class RefuseImages:
    """Files were looked at and not taken: what was wrong (codes) and which tags identify, never their values."""

    subject: str
    order: str
    files: int
    because: tuple[str, ...]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenReading:
    """Have the images read by two readers."""

    subject: str
    order: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class OpenAdjudication:
    """Have images read by a third reader, where two differ."""

    subject: str
    order: str
    third: str


@dataclass(frozen=True, slots=True)
class ScoreReading:
    """A reader's scores. `form` is the form that they will stand on: who knows the arm may not rate it."""

    subject: str
    read: str
    form: str
    items: Mapping[str, Datum]

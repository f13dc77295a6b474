"""Commands of capture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from equipoise.ledger.entries import Datum


@dataclass(frozen=True, slots=True)
class RecordForm:
    """Save a form: the items the person changed (one, with autosave), not the whole form.

    base: the seq of the last entry on this form instance that the page had seen (0 for none). If another save
    of the same items came between, a person decides: the save is refused as stale, nothing is lost.
    complete: mark the form complete (True), or leave its state as it is (None).
    reason: why values of a completed form change.
    copied: items whose value was taken over, and the place (`visit/repeat`) that it stands at.
    omit: the whole form was not done, for a code of MISSING; an empty text takes that back.
    asks_before_hiding: refuse a save that would empty other items because they no longer apply; a person is asked.
    """

    subject: str
    visit: str
    form: str
    repeat: int
    items: Mapping[str, Datum]
    base: int
    complete: bool | None = None
    reason: str | None = None
    asks_before_hiding: bool = False
    omit: str | None = None
    copied: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DateVisit:
    """Record the date (ISO, complete) on which a visit took place, and how it was held.

    An unscheduled visit needs `because`; a date that is corrected needs `reason`. A visit recorded as missed takes
    place after all by its date.
    """

    subject: str
    visit: str
    on: str
    repeat: int = 1
    mode: str = ""
    because: Literal["", "PLANNED", "SAFETY", "REQUEST", "CORRECTION", "OTHER"] = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MissVisit:
    """Record that a planned visit did not take place."""

    subject: str
    visit: str
    because: Literal["UNREACHABLE", "REFUSED", "UNWELL", "TRAVEL", "SITE", "OTHER"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReopenVisit:
    """Take back a date or a missed visit that was recorded by mistake."""

    subject: str
    visit: str
    repeat: int
    reason: str


@dataclass(frozen=True, slots=True)
class RaiseQuery:
    """Ask the site about an item (or, with item empty, a form)."""

    subject: str
    visit: str
    form: str
    repeat: int
    item: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerQuery:
    """Explain."""

    subject: str
    query: str
    answer: str


@dataclass(frozen=True, slots=True)
class CloseQuery:
    """Accept the explanation."""

    subject: str
    query: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class CancelQuery:
    """Take a query back: it should not have been asked."""

    subject: str
    query: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReopenQuery:
    """Ask a settled query again, or refuse an answer."""

    subject: str
    query: str
    text: str


@dataclass(frozen=True, slots=True)
class ReviewLog:
    """Say that a log was gone through at a visit (`repeat`: which of an unscheduled one). none: nothing to list."""

    subject: str
    visit: str
    form: str
    repeat: int = 1
    none: bool = False


@dataclass(frozen=True, slots=True)
class VoidRow:
    """Mark a row of a log as entered in error. `visit` is LOG, or that of a row from before there was a log."""

    subject: str
    visit: str
    form: str
    repeat: int
    reason: str


@dataclass(frozen=True, slots=True)
class RestoreRow:
    """Take a voided row back into the log."""

    subject: str
    visit: str
    form: str
    repeat: int
    reason: str


LogCommand = ReviewLog | VoidRow | RestoreRow
"""Commands on a running list beside the saves of its rows."""


@dataclass(frozen=True, slots=True)
class MoveForms:
    """Let forms that were complete under an earlier version be judged by the one that decides for the participant.

    places: visit, form and repetition of each.
    """

    subject: str
    places: tuple[tuple[str, str, int], ...]
    reason: str


@dataclass(frozen=True, slots=True)
class RaiseFindings:
    """Open queries for what checks find in data that stand already, chosen from a dry run.

    findings: visit, form, repetition and check of each. One that no longer stands, or was asked since, is left out.
    """

    subject: str
    findings: tuple[tuple[str, str, int, str], ...]


@dataclass(frozen=True, slots=True)
class AskMany:
    """Ask one question about many places of a participant, chosen from a listing.

    places: visit, form, repetition and item (or an empty text for the form) of each.
    """

    subject: str
    places: tuple[tuple[str, str, int, str], ...]
    text: str

"""Commands of a site on a diary: reading it, deciding on changes, explaining gaps, interviews; and the program's own.

Moments are UTC (ISO), days ISO, answers as `ledger.entries.Datum`. `about` is the packet of an entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from equipoise.ledger.entries import Datum

Side = Literal["PARTICIPANT", "CAREGIVER"]
Because = Literal["ADMITTED", "TRAVEL", "DEVICE", "BURDEN", "UNWELL", "FORGOT", "OTHER", "UNKNOWN"]
Outcome = Literal["NO_EVENT", "EVENT_RECORDED", "SENT_TO_CARE", "NOT_REACHED"]


@dataclass(frozen=True, slots=True)
class ReviewDiary:
    """The diary was read, up to an entry of its stream, at a contact: a visit, or between visits (empty)."""

    subject: str
    visit: str
    repeat: int
    upto: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class LinkDiaryEntry:
    """Tie an entry to a row of a log, `place` as visit/form/repeat; an empty one unties it."""

    subject: str
    about: str
    place: str


@dataclass(frozen=True, slots=True)
class HandleDiaryFlag:
    """Say what came of an entry with red flags, or of a call for help (`about`: its packet)."""

    subject: str
    about: str
    outcome: Outcome
    note: str = ""


@dataclass(frozen=True, slots=True)
class DecideDiaryChange:
    """Grant a request with the answers that count from now on, or decline it; signed, with the desk's `proof`."""

    subject: str
    request: str
    granted: bool
    changes: Mapping[str, Datum]
    reason: str
    proof: str


@dataclass(frozen=True, slots=True)
class ExplainDiaryGap:
    """Why there is no entry of a reporter for a period that is over."""

    subject: str
    form: str
    period: str
    reporter: Side
    because: Because
    note: str = ""


@dataclass(frozen=True, slots=True)
class RecordDiaryInterview:
    """Answers that a person of the site heard by reading the questions out, or copied from a paper card.

    `interview`: a fresh random id; `definition`: digest of the version whose questions were read; `asked_at`: the
    moment of the interview, or that which stands on the card.
    """

    subject: str
    interview: str
    reporter: Side
    form: str
    period: str | None
    definition: str
    asked_at: str
    on_paper: bool
    answers: Mapping[str, Datum]


@dataclass(frozen=True, slots=True)
class SetDiaryReminder:
    """At which hour, by which way and in which language somebody is reminded. An empty `gateway`: not at all.

    `contact`: the register's random id of the address; empty for the telephone that is registered with the person.
    """

    subject: str
    holder: str
    hour: str
    gateway: str
    language: str
    contact: str = ""


@dataclass(frozen=True, slots=True)
class RecordDiaryReminder:
    """A reminder went out, or did not: the program's."""

    subject: str
    form: str
    period: str
    to: str
    step: Literal["HOUR", "AGAIN", "CAREGIVER"]
    gateway: str
    delivered: bool


@dataclass(frozen=True, slots=True)
class RecordSitePage:
    """The site was told at once of red flags, or of a call for help, or that could not be done: the program's."""

    subject: str
    about: str
    gateway: str
    delivered: bool

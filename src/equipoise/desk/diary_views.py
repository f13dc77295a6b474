"""What the pages of the diary are made of. Moments are in the participant's zone, days ISO, outcomes as entries say."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.diary.compliance import Compliance
from equipoise.diary.compliance import State as PeriodState
from equipoise.diary.evolve import Side
from equipoise.ledger.entries import Datum
from equipoise.protocol.diary import DiaryForm, DiaryItem, DiaryPlan
from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class DayCell:
    """One period on the calendar. `flag`: an entry of it has red flags that nobody has dealt with."""

    form: str
    period: str
    state: PeriodState
    flag: bool
    more: int


@dataclass(frozen=True, slots=True)
class SideView:
    """One reporter's calendar: form and its cells, what they come to, and whether the site is to look."""

    side: Side
    forms: tuple[tuple[DiaryForm, tuple[DayCell, ...]], ...]
    told: Compliance
    alerts: bool
    reaches: bool
    phones: int


@dataclass(frozen=True, slots=True)
class Line:
    """One answer of an entry. `before`: the original, where a change was granted."""

    item: str
    label: Text
    question: Text
    said: Text | None
    before: Text | None
    flag: bool


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request to change an entry, and what was decided. Moments are the site's."""

    request: str
    about: str
    wish: str
    at: str
    decided: str
    granted: bool
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of a period's log: a message of the catalogue, when (participant's zone), and a word beside it."""

    key: str
    at: str
    word: str | Text = ""


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry as it is read. `packet` names it; `asked_by`: who asked the questions, for an interview;
    `told`: how the site was told at once, or why it was not. Of a card on paper: `card`, how its typing stands (ONCE,
    UNLIKE, ALIKE, SETTLED; empty for anything else), `counts`, whether this typing is the one that counts, `asks`,
    whether the reader is to type the card, and `moment`, what stands on it as a field of a form has it.
    """

    packet: str
    side: Side
    reporter: str
    form: DiaryForm
    period: str | None
    begun: str
    submitted: str
    received: str
    late: bool
    offline: bool
    clock: tuple[str, ...]
    language: str
    lines: tuple[Line, ...]
    flags: tuple[Text, ...]
    handled: tuple[str, str, str] | None
    place: str
    place_label: Text | None
    requests: tuple[RequestView, ...]
    further: bool = False
    interview: bool = False
    on_paper: bool = False
    asked_by: str = ""
    seq: int = 0
    told: tuple[Happened, ...] = ()
    card: str = ""
    counts: bool = False
    asks: bool = False
    moment: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call for help from a phone, and what came of it. `item`: which question's answer raised it, if one did."""

    packet: str
    side: Side
    at: str
    wish: str
    handled: tuple[str, str, str] | None
    item: Text | None = None


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A review: at which contact, by whom, when, and its note."""

    visit: str
    repeat: int
    by: str
    at: str
    note: str
    upto: int


@dataclass(frozen=True, slots=True)
class DiaryView:
    """The diary page of a participant. `unread`: entries after the last review; `waiting`: what asks for a person."""

    number: str
    plan: DiaryPlan
    zone: str
    begun: bool
    sides: tuple[SideView, ...]
    waiting: tuple[EntryView, ...]
    calls: tuple[Call, ...]
    unread: tuple[EntryView, ...]
    events: tuple[EntryView, ...]
    reviews: tuple[ReviewView, ...]
    last_seq: int
    visits: tuple[tuple[str, Text], ...]
    may: frozenset[str]


@dataclass(frozen=True, slots=True)
class PeriodSide:
    """A period as one side stands to it."""

    side: Side
    asked: bool
    state: PeriodState | None
    log: tuple[Happened, ...]
    entries: tuple[EntryView, ...]
    gap: tuple[str, str, str, str] | None
    may_explain: bool
    may_ask: bool


@dataclass(frozen=True, slots=True)
class PeriodView:
    """One period of one form, both sides apart."""

    number: str
    form: DiaryForm
    period: str
    opens: str
    closes: str
    zone: str
    sides: tuple[PeriodSide, ...]
    may: frozenset[str]
    rows: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class OneEntryView:
    """One entry with the rows of the log of adverse events that it can be linked to.

    items: what its reporter could be asked, with the answers that count now: what a change is granted in.
    """

    number: str
    entry: EntryView
    rows: tuple[tuple[str, Text], ...]
    items: tuple[tuple[DiaryItem, Datum], ...]
    may: frozenset[str]


@dataclass(frozen=True, slots=True)
class PhoneLine:
    """One phone or invitation. `state`: INVITED, LAPSED (not set up in time), ENROLLED or REVOKED."""

    device: str
    holder: str
    name: Text | str
    state: str
    invited_at: str
    until: str
    enrolled_at: str
    revoked_at: str
    heard_at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may keep the diary, with how they are reminded. `to`: the address, as the register has it."""

    holder: str
    name: Text | str
    hour: str
    gateway: str
    language: str
    to: str


@dataclass(frozen=True, slots=True)
class PhonesView:
    """Phones of a participant's diary, and who may be invited. `lacking`: ways that nothing goes out by here."""

    number: str
    zone: str
    phones: tuple[PhoneLine, ...]
    people: tuple[Person, ...]
    default_hour: str
    may: frozenset[str]
    lacking: frozenset[str]


@dataclass(frozen=True, slots=True)
class InterviewView:
    """The questions of a form as they are read to somebody, in order; `periods`: those that lack an entry."""

    number: str
    form: DiaryForm
    side: Side
    periods: tuple[str, ...]
    sections: tuple[tuple[Text, tuple[tuple[DiaryItem, Text], ...]], ...]
    definition: str
    zone: str
    now: str
    plan: DiaryPlan


@dataclass(frozen=True, slots=True)
class OverviewLine:
    """One participant on the list of diaries: each side's numbers, and what waits."""

    number: str
    site: str
    sides: tuple[SideView, ...]
    silent: int
    waiting: int
    heard_at: str


@dataclass(frozen=True, slots=True)
class OverviewView:
    """A page of diaries. `outages`: when the service was interrupted, since and until."""

    lines: tuple[OverviewLine, ...]
    after: str
    outages: tuple[tuple[str, str], ...]
    target: int
    alert: int
    may: frozenset[str]
    zone: str

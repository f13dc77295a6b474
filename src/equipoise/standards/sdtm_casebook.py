"""One subject's entries as SDTM needs them: what holds now, and which entry made it so.

The rules that must stay true: of every item the latest value counts, and a value removed again is gone; whatever is
taken from here carries the reference of its entry. Items marked revealing are never taken: they are not this door's.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import TypeVar
from zoneinfo import ZoneInfo

from equipoise.capture.evolve import START, State, evolve, given_by
from equipoise.ledger.entries import (
    Datum,
    Entry,
    FormSaved,
    RangeRow,
    Recorded,
    RowRestored,
    RowVoided,
    SubjectScreened,
)
from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study
from equipoise.words.clock import local

EntryKind = TypeVar("EntryKind", bound=Entry)
SECOND_DOOR = 10**9
"""Added to the sequence numbers of entries that the second door keeps of the same subject, in closed work."""


def streams_of(subject: str) -> tuple[str, str]:
    """The streams of the first door that hold one subject: the subject's own, then that of the diary."""
    return f"subject/{subject}", f"diary/{subject}"


def reference_of(stream: str, seq: int) -> str:
    """How a table names an entry: the first 12 hexadecimal digits of SHA-256(stream name), a slash, the number."""
    return f"{hashlib.sha256(stream.encode()).hexdigest()[:12]}/{seq}"


@dataclass(frozen=True, slots=True)
class Held:
    """A value with the sequence number of the entry that set it."""

    datum: Datum
    seq: int


@dataclass(frozen=True, slots=True)
class Instance:
    """One form of one visit as it stands. `values` has only items that hold a value or a missing code."""

    visit: str
    form: Form
    repeat: int
    values: Mapping[str, Held]
    derived: Mapping[str, Held] = field(default_factory=dict)


@dataclass(frozen=True)
class Casebook:
    """One subject: identifiers as SDTM writes them, the entries in order, and what they come to in capture.

    `ranges`: the reference ranges of the subject's site. `diary`: the entries of the subject's diary, in order.
    """

    study: Study
    study_id: str
    subject: str
    site: str
    screened: Recorded
    entries: tuple[Recorded, ...]
    capture: State
    ranges: tuple[RangeRow, ...] = ()
    diary: tuple[Recorded, ...] = ()

    @property
    def usubjid(self) -> str:
        """USUBJID: study, site and screening number. It never holds the stream's random id."""
        return f"{self.study_id}-{self.site}-{self.subject}"

    def reference(self, seq: int) -> str:
        """EQLEDGER: the first 12 hexadecimal digits of SHA-256(stream name), a slash, the sequence number.

        Whoever holds the ledger's archive finds the entry by it; the stream's random id stays unsaid. The name of a
        stream of the second door is hashed with `second-door/` before it.
        """
        other, own = divmod(seq, SECOND_DOOR)
        stream = self.screened.header.stream
        return reference_of(f"second-door/{stream}" if other else stream, own)

    def of_kind(self, kind: type[EntryKind]) -> Iterator[tuple[Recorded, EntryKind]]:
        """The entries of one kind whose body is at hand, in order."""
        for recorded in self.entries:
            if isinstance(recorded.entry, kind):
                yield recorded, recorded.entry

    def day(self, recorded: Recorded) -> str:
        """The calendar day (ISO) of an entry at its site."""
        moment = dt.datetime.fromisoformat(recorded.header.at)
        return moment.astimezone(ZoneInfo(recorded.header.zone or self.zone)).date().isoformat()

    @property
    def zone(self) -> str:
        """The site's zone (IANA), as the first entry bears it."""
        return self.screened.header.zone or self.study.zone_of(self.site)

    def clock(self, moment: str) -> str:
        """A moment of the ledger (ISO 8601 with its offset) on the site's clock, to the minute, as SDTM writes it."""
        return local(moment, self.zone).replace(" ", "T")

    @cached_property
    def instances(self) -> tuple[Instance, ...]:
        """Every form that holds something, in the order of visits, then forms, then repeats.

        Rows of logs come after the visits; a row entered in error is not among them. Each domain asks for them anew.
        """
        held: dict[tuple[str, str, int], dict[str, Held]] = {}
        derived: dict[tuple[str, str, int], dict[str, Held]] = {}
        for recorded, entry in self.of_kind(FormSaved):
            values = held.setdefault((entry.visit, entry.form, entry.repeat), {})
            for item, datum in given_by(entry).items():
                values[item] = Held(datum, recorded.header.seq)
            worked_out = derived.setdefault((entry.visit, entry.form, entry.repeat), {})
            worked_out |= {name: Held(datum, recorded.header.seq) for name, datum in entry.derived.items()}
        for place in self._voided():
            held.pop(place, None)
        visits = [visit.id for visit in self.study.schedule.visits]
        forms = {form.id: (place, form) for place, form in enumerate(self.study.forms)}
        found = [
            (
                # A visit that an amendment took out of the schedule keeps its data, after the planned visits.
                (visits.index(visit) if visit in visits else len(visits), visit, forms[form][0], repeat),
                Instance(
                    visit,
                    forms[form][1],
                    repeat,
                    _kept(forms[form][1], values),
                    {
                        name: one
                        for name, one in derived[visit, form, repeat].items()
                        if one.datum.value is not None
                    },
                ),
            )
            for (visit, form, repeat), values in held.items()
            if form in forms
        ]
        return tuple(instance for _, instance in sorted(found, key=lambda each: each[0]))

    def _voided(self) -> set[tuple[str, str, int]]:
        """The rows that stand as entered in error."""
        found: set[tuple[str, str, int]] = set()
        for recorded in self.entries:
            if isinstance(recorded.entry, RowVoided):
                found.add((recorded.entry.visit, recorded.entry.form, recorded.entry.repeat))
            elif isinstance(recorded.entry, RowRestored):
                found.discard((recorded.entry.visit, recorded.entry.form, recorded.entry.repeat))
        return found


def casebooks(
    study: Study,
    subjects: Iterable[Sequence[Recorded]],
    ranges: Mapping[str, tuple[RangeRow, ...]],
    *,
    rehearsal: bool,
) -> tuple[Casebook, ...]:
    """The casebooks in the order of USUBJID. A stream whose first entry was erased has no identifier: left out.

    subjects: the entries of each subject's stream, and among them those of the subject's diary.

    ranges: reference ranges by site.
    """
    study_id = study.demo_id if rehearsal else study.id
    found = []
    for stream in subjects:
        ordered = sorted(stream, key=lambda recorded: recorded.header.seq)
        diary = tuple(one for one in ordered if one.header.stream.startswith("diary/"))
        entries = [one for one in ordered if not one.header.stream.startswith("diary/")]
        screened = next((each for each in entries if isinstance(each.entry, SubjectScreened)), None)
        if screened is None or not isinstance(screened.entry, SubjectScreened):
            continue
        entry = screened.entry
        held, here = reduce(evolve, entries, START), ranges.get(entry.site, ())
        number = entry.screening_number
        found.append(
            Casebook(study, study_id, number, entry.site, screened, tuple(entries), held, here, diary)
        )
    return tuple(sorted(found, key=lambda book: (book.usubjid, book.screened.header.stream)))


def _kept(form: Form, values: Mapping[str, Held]) -> Mapping[str, Held]:
    revealing = {item.id for item in form.items if item.blinding == "revealing"}
    return {
        item: held
        for item, held in values.items()
        if item not in revealing and (held.datum.value is not None or held.datum.missing is not None)
    }

"""A subject's pages as they stood at a past moment: the same reads, over the entries up to then.

The rules that must stay true: it is worked out from the entries, never from anything kept beside them; nothing is
written from it; who may look is judged by the roles held now, and a form that is hidden now was not seen then either.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from equipoise.access.commands import Who
from equipoise.desk import casebook, form_page, screening_pages
from equipoise.desk.desk import Desk
from equipoise.desk.standing import Standing, Trial, Version
from equipoise.desk.views import ChecklistView, FormView, Outcome, SubjectView
from equipoise.ledger.entries import Recorded
from equipoise.ledger.reader import Folding, Reader
from equipoise.ledger.store import Head
from equipoise.words.problem import problem

State = TypeVar("State")
AnyVersion = TypeVar("AnyVersion", bound=Version)


class PastReader(Reader):
    """A reader that knows only what was written up to a moment. The read tables stay those of now."""

    def __init__(
        self, reader: Reader, moment: dt.datetime, known: dict[str, tuple[Recorded, ...]] | None = None
    ) -> None:
        """known: where the entries of a stream are kept once they were opened; None keeps none."""
        super().__init__(reader._reading, reader._keys)
        self._moment, self._known = moment, known

    def entries(self, stream: str, after: int = 0) -> tuple[Recorded, ...]:
        """The entries of `stream` with seq > `after`, up to the moment."""
        if self._known is None:
            return self._until(super().entries(stream, after))
        if stream not in self._known:
            self._known[stream] = self._until(super().entries(stream))
        return tuple(one for one in self._known[stream] if one.header.seq > after)

    def head(self, stream: str) -> Head:
        """The last entry of `stream` at the moment."""
        last = next(reversed(self.entries(stream)), None)
        return Head(stream, 0, "0" * 64) if last is None else Head(stream, last.header.seq, last.leaf)

    def fold(self, stream: str, folding: Folding[State]) -> State:
        """The state of `stream` at the moment, from its first entry."""
        state = folding.start
        for recorded in self.entries(stream):
            state = folding.evolve(state, recorded)
        return state

    def _until(self, entries: tuple[Recorded, ...]) -> tuple[Recorded, ...]:
        return tuple(one for one in entries if dt.datetime.fromisoformat(one.header.at) <= self._moment)


class PastDesk(Desk):
    """A desk as it stood at a moment. It reads, and writes nothing. Made by `as_of`."""

    moment: dt.datetime
    hidden: MappingProxyType[str, frozenset[str]]
    """Form -> roles that any version released until now hides it from."""
    known: dict[str, tuple[Recorded, ...]]
    """Stream -> its entries up to the moment: a page opens each stream once, and all of it stands at one moment."""

    def now(self) -> dt.datetime:
        """The moment."""
        return self.moment

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """What stood at the moment."""
        with super().reading() as reader:
            yield PastReader(reader, self.moment, self.known)

    def trial(self, reader: Reader) -> Trial:
        """What held for the trial, with everything hidden that is hidden now."""
        trial = super().trial(reader)
        return replace(self._veiled(trial), released=tuple(self._veiled(one) for one in trial.released))

    def _veiled(self, one: AnyVersion) -> AnyVersion:
        forms = one.hidden.keys() | self.hidden.keys()
        veiled = {
            form: one.hidden.get(form, frozenset()) | self.hidden.get(form, frozenset()) for form in forms
        }
        return replace(one, hidden=MappingProxyType(veiled))

    def submit_and_stand(
        self, who: Who, command: object, *, key: str, client_at: str | None = None
    ) -> tuple[Outcome, Standing | None]:
        """Nothing is written from the past."""
        return Outcome(accepted=False, problems=(problem("audit.past-is-read"),)), None

    def subject(self, who: Who, number: str) -> SubjectView | None:
        """The casebook as it stood; None for a subject who was not there yet."""
        view = self._there(who, number, lambda: casebook.subject_page(self, who, number))
        if view is None:
            return None
        randomized_on = view.randomized_on if view.randomization_number is not None else None
        return replace(view, may=frozenset(), tasks=(), randomized_on=randomized_on)

    def form(self, who: Who, number: str, visit: str, form: str, repeat: int = 1) -> FormView | None:
        """A form as it stood, which nobody changes."""
        view = self._there(who, number, lambda: form_page.form_page(self, who, number, visit, form, repeat))
        return replace(view, editable=False) if view is not None else None

    def checklist(self, who: Who, number: str) -> ChecklistView | None:
        """The eligibility page as it stood."""
        view = self._there(who, number, lambda: screening_pages.checklist(self, who, number))
        return replace(view, may=frozenset()) if view is not None else None

    def _there(self, who: Who, number: str, page: Callable[[], State | None]) -> State | None:
        subject = self.subject_id(number)
        with self.reading() as reader:
            if subject is None or reader.head(f"subject/{subject}").seq == 0:
                return None
        return page()


def as_of(desk: Desk, moment: dt.datetime) -> PastDesk:
    """The desk as it stood at a moment (aware), on the same open store; a moment to come is now."""
    with desk.reading() as reader:
        released = desk.trial(reader).released
    hidden: dict[str, frozenset[str]] = {}
    for one in released:
        for form, roles in one.hidden.items():
            hidden[form] = hidden.get(form, frozenset()) | roles
    past = object.__new__(PastDesk)  # opens nothing: ledger and register are the open desk's own
    past.__dict__.update(desk.__dict__)
    past._trial, past._memory = None, desk._memory.emptied()
    past.second_door = None
    past.known = {}
    past.moment, past.hidden = min(moment, desk.now()), MappingProxyType(hidden)
    return past

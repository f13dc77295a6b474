"""The queue of signatures of an investigator, and the casebook of one participant to be signed whole.

The rules that must stay true: the queue is of the sites where the reader may sign, a page at a time by key; a form is
shown whole, with what changed since it was signed before; the digest that travels with it is of what is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may, may_read
from equipoise.capture.closing.commands import SignForms
from equipoise.capture.closing.signing import casebook_places, signature_state
from equipoise.capture.evolve import Place
from equipoise.desk.closing_tables import CLOSINGS, count_closings
from equipoise.desk.closing_views import ShownForm, shown_view, signature_view, values_at
from equipoise.desk.desk import Desk
from equipoise.desk.queues import page_of, sites_of, to_sign
from equipoise.desk.standing import Standing
from equipoise.desk.views import SignatureView, SignedView
from equipoise.ledger.facts import Facts
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Cell
from equipoise.words.text import Text

PAGE = 20
"""Forms on a page of the queue."""


@dataclass(frozen=True, slots=True)
class SigningView:
    """One page of the queue. `after` is the key of the next page, or empty."""

    forms: tuple[ShownForm, ...]
    total: int
    broken: int
    after: str
    may_sign: bool


@dataclass(frozen=True, slots=True)
class CasebookView:
    """Everything recorded of one participant, to be signed whole; `unfinished` are forms that are not complete."""

    number: str
    forms: tuple[ShownForm, ...]
    states: Mapping[tuple[str, str, int], str]
    unfinished: tuple[tuple[Text, Text], ...]
    signature: SignatureView | None
    may_sign: bool


def signing_page(desk: Desk, who: Who, after: str = "") -> SigningView | None:
    """A page of the queue; None for who may not read it."""
    if not may_read(who, "signatures", None):
        return None
    with desk.reading() as reader:
        trial = desk.trial(reader)
        where, key = to_sign(trial, reader, who), _key(after)
        rows = page_of(reader, [where], key, PAGE + 1)
        forms = []
        for row in rows[:PAGE]:
            now = desk.standing_light(reader, str(row["subject"]))
            place = Place(str(row["visit"]), str(row["form"]), int(row["repeat"] or 0))
            forms.append(_shown(desk, reader, now, place))
        last = rows[PAGE - 1] if len(rows) > PAGE else None
        return SigningView(
            tuple(forms),
            count_closings(reader.rows, where),
            count_closings(reader.rows, to_sign(trial, reader, who, ("BROKEN",))),
            "~".join(str(last[name]) for name in ("number", *CLOSINGS.key)) if last is not None else "",
            _may(who, sites_of(reader, who, "signatures")),
        )


def _key(text: str) -> tuple[Cell, ...]:
    parts = text.split("~")
    if len(parts) != 1 + len(CLOSINGS.key) or not parts[-1].isdigit() or not parts[-1].isascii():
        return ()
    return (*parts[:-1], int(parts[-1]))


def _may(who: Who, sites: Collection[str]) -> bool:
    facts = Facts(subject_site=next(iter(sites), None))
    return bool(sites) and may(who, SignForms("", (), "FORM", ""), facts) is None


def _shown(desk: Desk, reader: Reader, now: Standing, place: Place) -> ShownForm:
    state, number = now.case.capture, now.case.screening.number or ""
    known = state.closing.signed.get(place)
    if known is None:
        return shown_view(now.trial.record, state, number, place, None, None)
    zone = now.site.zone
    before = signature_view(desk.register.staff_name(known.by), known, zone)
    then = values_at(reader.entries(f"subject/{now.case.screening.subject}"), place, known.seq)
    return shown_view(now.trial.record, state, number, place, before, then)


def signed_views(desk: Desk, reader: Reader, now: Standing, place: Place) -> tuple[SignedView, ...]:
    """The signatures that cover a form: its own, with what changed where it is broken, and that of the casebook."""
    closing, zone = now.case.capture.closing, now.site.zone
    found: list[SignedView] = []
    if place in closing.signed:
        own = _shown(desk, reader, now, place)
        changed = [(row.label, row.was, row.value) for row in own.rows if row.changed and not row.revealing]
        if own.before is not None:
            found.append(SignedView(own.before, tuple(changed) if own.before.broken else ()))
    whole = closing.casebook
    if whole is not None:
        found.append(SignedView(signature_view(desk.register.staff_name(whole.by), whole, zone)))
    return tuple(found)


def casebook_signing(desk: Desk, who: Who, number: str) -> CasebookView | None:
    """A casebook to be signed whole; None for who may not read it, or may not see all of it."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "signatures", number)
        if subject is None:
            return None
        now = desk.standing_light(reader, subject)
        state, study = now.case.capture, now.trial.record
        places = casebook_places(state)
        if any(place.form in now.trial.hidden_from(who.role) for place in places):
            return None
        order = {visit.id: position for position, visit in enumerate(study.schedule.visits)}
        places = tuple(
            sorted(places, key=lambda place: (order.get(place.visit, 0), place.form, place.repeat))
        )
        forms = tuple(_shown(desk, reader, now, place) for place in places)
    whole = state.closing.casebook
    zone = now.site.zone
    return CasebookView(
        number,
        forms,
        {place: signature_state(state, place) for place in places},
        tuple((one.visit, one.form) for one in forms if not state.form(Place(*one.place)).complete),
        signature_view(desk.register.staff_name(whole.by), whole, zone) if whole is not None else None,
        may(who, SignForms(subject, (), "CASEBOOK", ""), now.facts) is None and bool(forms),
    )

"""Scans of paper sources: attaching one, what is attached to a form, and handing one out.

The rules that must stay true: a file is seen by whoever sees its form and by nobody else; it is judged before any byte
of it is kept, and lies on disk before its entry stands; a file that is refused leaves nothing behind.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may
from equipoise.capture.attachments.commands import AttachSource, WithdrawSource
from equipoise.capture.attachments.content import KINDS, faults, kind_of, plain_name
from equipoise.capture.attachments.decide import decide
from equipoise.capture.attachments.evolve import Source
from equipoise.capture.closing.change import change_faults
from equipoise.capture.evolve import Place
from equipoise.desk.desk import Desk
from equipoise.desk.form_page import form_page
from equipoise.desk.scanner import scanned
from equipoise.desk.standing import Standing
from equipoise.desk.views import Outcome
from equipoise.ledger.facts import Occasion, Refusal
from equipoise.ledger.files import Kept, keep_file, read_file
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class SourceView:
    """One attached file: when (UTC) and by whom; whether it was taken back, and why."""

    source: str
    name: str
    kind: str
    size: int
    digest: str
    by: str
    at: str
    withdrawn: bool
    reason: str


@dataclass(frozen=True, slots=True)
class SourcesView:
    """The files of one form, newest first."""

    number: str
    site: str
    visit: str
    visit_label: Text
    form: str
    form_label: Text
    repeat: int
    sources: tuple[SourceView, ...]
    may_attach: bool
    largest_mb: int
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it is handed out."""

    name: str
    media: str
    data: bytes


def sources_page(desk: Desk, who: Who, number: str, place: Place) -> SourcesView | None:
    """What is attached to a form; None where the reader may not see the form."""
    form = form_page(desk, who, number, *place)
    found = _standing(desk, who, number)
    if form is None or found is None:
        return None
    subject, now = found
    rules = now.trial.study.attachments
    there = now.case.attachments.at(*place)
    asked = WithdrawSource(subject, *place, "", "")
    open_ = form.editable or (form.twice is not None and form.twice.open)
    return SourcesView(
        number, now.facts.subject_site or "", place.visit, form.visit_label, place.form, form.form_label, place.repeat,
        tuple(_view(desk, one) for one in reversed(there)),
        open_ and may(who, asked, now.facts) is None, rules.largest_mb, rules.kinds,
    )  # fmt: skip


def attach(desk: Desk, who: Who, number: str, place: Place, name: str, data: bytes, *, key: str) -> Outcome:
    """Judge a file, keep it, and attach it to a form."""
    found = _standing(desk, who, number)
    if found is None:
        return Outcome(accepted=False, problems=(problem("pages.not-found"),))
    subject, now = found
    command = AttachSource(subject, *place, plain_name(name), kind_of(data) or "", len(data), "", "")
    refused = may(who, command, now.facts)
    rules = now.trial.study.attachments
    against = (
        (refused,)
        if refused is not None
        else faults(name, data, largest_mb=rules.largest_mb, kinds=rules.kinds)
    )
    if not against and (said := scanned(data)) is not None:
        against = (said,)
    if not against:
        against = _refused(now, dataclasses.replace(command, digest=hashlib.sha256(data).hexdigest()), who)
    if against:
        return Outcome(accepted=False, problems=against)
    kept = keep_file(desk.ledger, f"subject/{subject}", data)
    if isinstance(kept, Problem):
        return Outcome(accepted=False, problems=(kept,))
    attached = AttachSource(subject, *place, command.name, command.kind, kept.size, kept.digest, kept.address)
    return desk.submit(who, attached, key=key)


def source_file(desk: Desk, who: Who, number: str, place: Place, source: str) -> SourceFile | Problem | None:
    """A file to be handed out; None where there is none for this reader; a Problem where it cannot be opened."""
    if form_page(desk, who, number, *place) is None:
        return None
    found = _standing(desk, who, number)
    if found is None:
        return None
    subject, now = found
    one = now.case.attachments.sources.get((*place, source))
    if one is None:
        return None
    data = read_file(desk.ledger, f"subject/{subject}", Kept(one.digest, one.address, one.size))
    return data if isinstance(data, Problem) else SourceFile(one.name, KINDS[one.kind], data)


def _refused(now: Standing, command: AttachSource, who: Who) -> tuple[Problem, ...]:
    """What the room will have against the command, asked before the file is kept."""
    occasion = Occasion(now.now, now.site.zone, by=who.actor, role=who.role)
    said = decide(now.trial.study, now.case.attachments, now.facts, command, occasion)
    closed = change_faults(now.trial.study, now.case.capture, now.facts, command)
    return (*closed, *(said.problems if isinstance(said, Refusal) else ()))


def _standing(desk: Desk, who: Who, number: str) -> tuple[str, Standing] | None:
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "casebook", number)
        return None if subject is None else (subject, desk.standing_light(reader, subject))


def _view(desk: Desk, one: Source) -> SourceView:
    name = desk.register.staff_name(one.by) or one.by
    return SourceView(
        one.source, one.name, one.kind, one.size, one.digest, name, one.at, one.withdrawn, one.reason
    )

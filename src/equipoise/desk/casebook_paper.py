"""A participant's casebook on paper: what its reader may read on the pages, and not a word more.

The rule that must stay true: every form, value, query, signature and change in it comes from the same reads that make
the pages (`subject_page`, `form_page`, the history), so that whatever a role does not see there is not here either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.roles import label_of
from equipoise.capture.closed import Signature, Spot
from equipoise.capture.evolve import MANUAL, Place
from equipoise.capture.history import Change, changes, signed_before
from equipoise.desk.casebook import history_row, subject_page
from equipoise.desk.closing_views import signature_view
from equipoise.desk.consent_page import consent_page
from equipoise.desk.covering import covered
from equipoise.desk.desk import Desk
from equipoise.desk.deviation_pages import subject_deviations
from equipoise.desk.form_page import form_page
from equipoise.desk.standing import Standing
from equipoise.desk.views import FormView, ItemView, QueryView, SignatureView, SubjectView
from equipoise.documents.casebook import (
    Answer,
    Asked,
    Casebook,
    Changed,
    FormPage,
    VisitPages,
    casebook_pdf,
    language_of_paper,
)
from equipoise.documents.typeset import issue_of
from equipoise.ledger.entries import ConsentDocumented, ConsentWithdrawn, Datum
from equipoise.protocol.forms import LOG
from equipoise.words.clock import local
from equipoise.words.problem import catalogue, say
from equipoise.words.text import Language, Text


@dataclass(frozen=True, slots=True)
class _Copy:
    """What every part of one copy needs."""

    desk: Desk
    who: Who
    number: str
    now: Standing
    language: Language
    trail: Mapping[Place, list[Change]]
    """The changes by place; empty where the reader may not read history, or no trail was asked for."""
    before: Mapping[Spot, list[Signature]]
    """The signatures by place that a later one took the place of; empty as above."""

    def words(self, key: str, **arguments: str) -> str:
        return say(key, self.language, arguments)

    def say(self, text: Text | None) -> str:
        return "" if text is None else text.say(self.language)


def casebook_paper(
    desk: Desk, who: Who, number: str, language: Language, *, trail: bool = True
) -> bytes | None:
    """The casebook as PDF; None where the reader may not open it. `trail`: with the audit trail of every form."""
    view = subject_page(desk, who, number)
    if view is None:
        return None
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "casebook", number)
        if subject is None:
            return None
        now = desk.standing_light(reader, subject)
        found: dict[Place, list[Change]] = defaultdict(list)
        before: Mapping[Spot, list[Signature]] = {}
        if trail and desk.may_read(reader, who, "history", number) is not None:
            entries = reader.entries(f"subject/{subject}")
            for place, change in changes(entries):
                found[place].append(change)
            before = signed_before(entries)
        head = reader.head(f"subject/{subject}")
    copy = _Copy(desk, who, number, now, language_of_paper(language), found, before)
    study = now.trial.study
    rehearsal = desk.purpose == "rehearsal"
    issue = issue_of(study, now.today, rehearsal=rehearsal)
    book = Casebook(
        number,
        _lead(copy),
        _facts(copy, view),
        _schedule(copy, view),
        tuple(_visits(copy, view)),
        _end(copy, head.seq, head.leaf),
        tuple(_deviations(copy)),
    )
    return casebook_pdf(book, issue, copy.language)


def _lead(copy: _Copy) -> str:
    return copy.words(
        "documents.book-lead",
        name=copy.desk.register.staff_name(copy.who.actor),
        role=copy.say(label_of(copy.who.role)),
        at=f"{local(copy.now.now.isoformat(), copy.now.site.zone)} {copy.now.site.zone}",
    )


def _facts(copy: _Copy, view: SubjectView) -> tuple[tuple[str, str], ...]:
    status = view.status.lower().replace("_", "-")
    study = copy.now.trial.study
    found = [
        ("documents.book-study", copy.say(study.official_title or study.title)),
        ("documents.book-protocol", issue_of(study, None, rehearsal=copy.desk.purpose == "rehearsal").study),
        ("documents.book-sponsor", copy.say(study.sponsor)),
        ("documents.book-site", f"{view.site} {copy.say(view.site_name)}"),
        ("documents.book-status", copy.words(f"web.status-{status}") if status else ""),
        ("documents.book-number", f"{view.randomization_number or '–'}  {view.randomized_on or ''}"),
        ("documents.book-version", study.version),
    ]
    found += [("web.consent", line) for line in _consents(copy)]
    return tuple((copy.words(key), value.strip()) for key, value in found if value.strip())


def _consents(copy: _Copy) -> Iterator[str]:
    """What was signed, refused or withdrawn, as the page of consents lists it; no name of who signed."""
    view = consent_page(copy.desk, copy.who, copy.number)
    for line in view.lines if view is not None else ():
        if line.kind not in {ConsentDocumented.__name__, ConsentWithdrawn.__name__}:
            continue
        act = "withdrawn" if line.kind == ConsentWithdrawn.__name__ else "signed" if line.given else "refused"
        signer = "representative" if line.by == "LEGAL_REPRESENTATIVE" else "participant"
        said = [
            f"{line.on} {line.time}".strip(),
            copy.words(f"consents.line-{act}") + (f" {line.what}" if act != "withdrawn" else ""),
            copy.words(f"web.signer-{signer}") if line.by else "",
        ]
        yield " · ".join(filter(None, said))


def _schedule(copy: _Copy, view: SubjectView) -> tuple[tuple[str, str, str, str], ...]:
    return tuple(
        (
            copy.say(column.label) + (f" {column.repeat}" if column.repeat > 1 else ""),
            " – ".join(column.window) if column.window else "",
            column.dated or "",
            copy.words(f"visits.state-{column.state.lower().replace('_', '-')}"),
        )
        for column in view.columns
    )


def _visits(copy: _Copy, view: SubjectView) -> Iterator[VisitPages]:
    """Every visit at which something the reader sees was recorded, in the order of the matrix; then the lists."""
    places = sorted(copy.now.case.capture.forms, key=lambda place: place.repeat)
    order = {form.id: position for position, form in enumerate(copy.now.trial.record.forms)}
    places.sort(key=lambda place: order.get(place.form, len(order)))
    for column in {column.id: column for column in view.columns}.values():
        repeats = sorted({place.repeat for place in places if place.visit == column.id})
        visit = copy.now.trial.record.visit(column.id)
        if visit is not None and visit.unscheduled:
            for repeat in repeats:
                dated = copy.now.case.capture.dates.get((column.id, repeat))
                yield from _visit(
                    copy,
                    f"{copy.say(column.label)} {repeat}",
                    dated.on if dated is not None else "",
                    [place for place in places if (place.visit, place.repeat) == (column.id, repeat)],
                )
        else:
            here = [place for place in places if place.visit == column.id]
            yield from _visit(copy, copy.say(column.label), column.dated or "", here)
    lists = [place for place in places if place.visit == LOG]
    yield from _visit(copy, copy.words("documents.book-logs"), None, lists)


def _visit(copy: _Copy, label: str, date: str | None, places: list[Place]) -> Iterator[VisitPages]:
    pages = [page for place in places if (page := _form(copy, place)) is not None]
    if pages:
        yield VisitPages(label, date, pages)


def _form(copy: _Copy, place: Place) -> FormPage | None:
    view = form_page(copy.desk, copy.who, copy.number, *place)
    if view is None:
        return None
    asked = [*view.queries, *(query for item in view.items for query in item.queries)]
    repeated = place.repeat > 1 or place.visit == LOG
    label = copy.say(view.form_label)
    return FormPage(
        copy.words("documents.book-repeat", form=label, n=str(place.repeat)) if repeated else label,
        view.form,
        copy.words(f"web.state-{view.state.replace('_', '-')}"),
        tuple(_answer(copy, item, place) for item in view.items if item.visible or item.changed),
        remarks=(copy.words("logs.voided-because", reason=view.voided),) if view.voided else (),
        totals=tuple(_totals(copy, view)),
        queries=tuple(_query(copy, view, query) for query in {one.id: one for one in asked}.values()),
        signatures=tuple(_signatures(copy, place)),
        trail=tuple(_trail(copy, view, place)),
    )


def _answer(copy: _Copy, item: ItemView, place: Place) -> Answer:
    value = copy.words("documents.book-kept-apart") if item.revealing else _value(copy, item)
    times = sum(change.item == item.id for change in copy.trail.get(place, ()))
    return Answer(item.number, copy.say(item.label), value, copy.say(item.section), changed=times > 1)


def _value(copy: _Copy, item: ItemView) -> str:
    """The value in words: chosen options by code and label, others with their unit."""
    datum: Datum = item.value
    option = next(
        (
            one
            for one in (*item.options, *item.missing)
            if one.code in (datum.value, datum.missing) and one.missing == (datum.missing is not None)
        ),
        None,
    )
    if option is not None:
        code = f"{option.code} " if option.missing or option.code.isdigit() else ""
        return f"{code}{copy.say(option.label)}" + (f" ({datum.why})" if datum.why else "")
    return copy.say(item.shown)


def _totals(copy: _Copy, view: FormView) -> Iterator[tuple[str, str]]:
    for each in view.derived:
        bounds = f"{each.bounds[0]} – {each.bounds[1]}" if each.bounds is not None else ""
        value = each.value if each.value is not None else bounds
        if value:
            yield copy.say(each.label), f"{value} / {each.maximum}" if each.maximum else value


def _query(copy: _Copy, view: FormView, query: QueryView) -> Asked:
    labels = {item.id: copy.say(item.label) for item in view.items}
    known = copy.now.case.capture.queries[query.id]
    zone = copy.now.site.zone
    name = copy.desk.register.staff_name
    by = name(known.raised_by) if known.rule == MANUAL else copy.words("closing.a-check")
    said = [f"{local(known.raised_at, zone)} {by}: {copy.say(query.message)}"]
    for one in known.thread:
        act = copy.words(f"closing.said-{one.act.lower()}")
        said.append(f"{local(one.at, zone)} {name(one.by)}, {act}{': ' if one.text else ''}{one.text}")
    return Asked(labels.get(query.item, ""), copy.words(f"closing.query-is-{query.state.lower()}"), said)


def _signatures(copy: _Copy, place: Place) -> Iterator[str]:
    spot = (place.visit, place.form, place.repeat)
    now = copy.now.case.capture.closing.signed.get(spot)
    for one in (*copy.before.get(spot, ()), *([now] if now is not None else [])):
        name = copy.desk.register.staff_name(one.by)
        yield _signature(copy, signature_view(name, one, copy.now.site.zone))


def _signature(copy: _Copy, view: SignatureView) -> str:
    words = copy.words(
        "documents.book-signed",
        meaning=copy.words(view.meaning).rstrip(".。"),
        name=view.by,
        role=copy.say(view.role),
        at=view.at,
        shown=view.shown[:16],
    )
    return copy.words("documents.book-broken", signature=words) if view.broken else words


def _trail(copy: _Copy, view: FormView, place: Place) -> Iterator[Changed]:
    form = copy.now.trial.record.form(place.form)
    visible = {item.id for item in view.items if not item.revealing}
    if form is None:
        return
    behind = bool(covered(copy.now, copy.who.role, place))
    order = {item.id: position for position, item in enumerate(view.items)}
    made = [change for change in copy.trail.get(place, ()) if change.item in visible]
    for change in sorted(made, key=lambda each: (each.header.seq, order[each.item])):
        row = history_row(copy.desk, copy.now, form, change, behind=behind)
        yield Changed(
            copy.say(row.label),
            copy.say(row.old),
            copy.say(row.new),
            f"{row.who}, {copy.say(label_of(row.role))}",
            row.at_site[:19],
            _reason(copy, row.reason),
        )


def _reason(copy: _Copy, reason: str) -> str:
    """A reason in words: one that is offered on the page, or what somebody wrote."""
    key = f"web.reason-{reason.lower().replace(' ', '-')}"
    return copy.words(key) if key in catalogue() else reason


def _deviations(copy: _Copy) -> Iterator[tuple[str, str, str, str]]:
    """The participant's deviations as the reader's page lists them."""
    log = subject_deviations(copy.desk, copy.who, copy.number)
    for one in log.lines if log is not None else ():
        what = [copy.say(one.label), copy.say(one.matter), one.text]
        visit = f"{copy.say(one.visit_label)}{f' {one.repeat}' if one.repeat > 1 else ''}"
        outside = "before" if one.days < 0 else "after"
        when = [
            visit,
            one.on,
            copy.words(f"deviations.days-{outside}", n=str(abs(one.days))) if one.days else "",
        ]
        severity = copy.words(f"deviations.severity-{one.severity.lower()}") if one.severity else ""
        classed = [severity or copy.words("deviations.not-classed-yet")]
        classed += [copy.words("deviations.important")] if one.important else []
        state = copy.words(f"deviations.state-{one.state.lower()}")
        said = [one.explanation, one.action, one.note, one.closing, state]
        mark = "；" if copy.language == "zh" else "; "
        whole = [mark.join(filter(None, each)) for each in (what, when, classed, said)]
        yield whole[0], whole[1], whole[2], whole[3]


def _end(copy: _Copy, count: int, leaf: str) -> tuple[str, ...]:
    hidden = copy.now.trial.hidden_from(copy.who.role)
    names = [copy.say(form.label) for form in copy.now.trial.record.forms if form.id in hidden]
    found = [copy.words("documents.book-second-door")]
    if names:
        found.append(copy.words("documents.book-hidden", forms="; ".join(names)))
    found.append(copy.words("documents.book-ledger", count=str(count), leaf=leaf))
    return tuple(found)

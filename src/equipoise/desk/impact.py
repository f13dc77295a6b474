"""What a version would touch, before it counts anywhere: participants, forms, values, checks, visits, consent.

The rules that must stay true: nothing is written; what is listed as a finding is what a batch opens afterwards, by the
same code on the same data; a form that its reader never sees is not counted for that reader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from equipoise.capture.batch import findings_due
from equipoise.capture.consequences import Now
from equipoise.capture.evolve import Place
from equipoise.capture.moving import kept_version
from equipoise.capture.parsing import parse
from equipoise.capture.placing import place_faults
from equipoise.capture.progress import form_now
from equipoise.capture.questions import named, questions
from equipoise.desk.desk import Desk
from equipoise.desk.followers import SUBJECTS
from equipoise.desk.log_page import LOG_LABEL
from equipoise.desk.remembered import Remembered
from equipoise.desk.standing import Standing
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Row
from equipoise.protocol.diff import Change, diff_studies
from equipoise.protocol.digest import study_digest
from equipoise.protocol.study import Study
from equipoise.protocol.touched import Touched, touched
from equipoise.words.canonical import Json
from equipoise.words.dates import PartialDate
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text
from equipoise.words.truth import Truth

KINDS = (
    "form_gone", "item_gone", "value_unfit", "answers_lacking", "signed_stays", "check_fires", "visit_moves",
    "consent_anew",
)  # fmt: skip
"""What may happen to something that was recorded, in the order of the report."""


def kind_key(kind: str) -> str:
    """The message that names a kind."""
    return f"amendments.kind-{kind.replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that the version touches. `place`: visit, form, repetition, item or check, as far as it has them."""

    kind: str
    site: str
    number: str
    place: tuple[str, ...]
    says: Text


@dataclass(frozen=True, slots=True)
class Impact:
    """`participants`: site -> how many there are; `hits` by site, participant and kind."""

    version: str
    changes: tuple[Change, ...]
    participants: Mapping[str, int]
    hits: tuple[Hit, ...]

    def counts(self, site: str) -> Mapping[str, int]:
        """How often each kind comes up at a site."""
        return Counter(hit.kind for hit in self.hits if hit.site == site)

    def touched_participants(self, site: str) -> int:
        """How many participants of a site the version touches."""
        return len({hit.number for hit in self.hits if hit.site == site})

    def as_json(self) -> Json:
        """For a machine."""
        return {
            "version": self.version,
            "changes": [change.as_json() for change in self.changes],
            "sites": {
                site: {
                    "participants": count,
                    "touched": self.touched_participants(site),
                    **{kind: self.counts(site).get(kind, 0) for kind in KINDS},
                }
                for site, count in self.participants.items()
            },
            "hits": [
                {
                    "kind": hit.kind,
                    "site": hit.site,
                    "participant": hit.number,
                    "place": list(hit.place),
                    "says": hit.says.en,
                }
                for hit in self.hits
            ],
        }


_HITS: Remembered[tuple[Hit, ...]] = Remembered()


def impact(
    desk: Desk,
    reader: Reader,
    after: Study,
    *,
    sites: Collection[str] | None = None,
    hidden: Collection[str] = (),
) -> Impact:
    """What `after` would touch if it counted everywhere today; of some sites, without forms the reader never sees."""
    before = desk.trial(reader).study
    found: list[Hit] = []
    participants: dict[str, int] = {}
    changes: dict[str, Touched] = {}

    def hits_of(now: Standing, row: Row) -> tuple[Hit, ...]:
        if now.facts.status == "SCREEN_FAILURE":
            return ()
        change = changes.get(now.trial.digest) or touched(now.trial.study, after)
        changes[now.trial.digest] = change
        every = (
            *_of_forms(now, after, change),
            *_of_visits(now, after, change),
            *_of_consent(now, after, change),
        )
        return tuple(
            Hit(kind, str(row["site"]), str(row["number"]), place, says) for kind, place, says in every
        )

    rows = reader.rows.find(SUBJECTS, {} if sites is None else {"site": list(sites)}, order=("number",))
    for row, hits in _HITS.of(desk, reader, rows, hits_of, study_digest(after)):
        participants[str(row["site"])] = participants.get(str(row["site"]), 0) + 1
        found += [hit for hit in hits if len(hit.place) < 2 or hit.place[1] not in hidden]
    order = {kind: position for position, kind in enumerate(KINDS)}
    found.sort(key=lambda hit: (hit.site, hit.number, order[hit.kind]))
    released = next((one.study for one in desk.trial(reader).released[-2:-1]), before)
    return Impact(
        after.version,
        diff_studies(released if before.version == after.version else before, after),
        dict(sorted(participants.items())),
        tuple(found),
    )


_Found = tuple[str, tuple[str, ...], Text]


def _of_forms(now: Standing, after: Study, change: Touched) -> Iterator[_Found]:
    state, day = now.case.capture, PartialDate.of(now.today)
    signed = state.closing.signed_places()
    for place, instance in state.forms.items():
        form, where = after.form(place.form), (place.visit, place.form, str(place.repeat))
        if place_faults(after, *place) or form is None:
            if instance.values:
                yield "form_gone", where, _both("amendments.hit-form-gone", now, place)
            continue
        yield from _of_values(now, after, change, place)
        if kept_version(state, place) and instance.complete:
            after_it = form_now(after, state, *place, Now.of(day, now.facts))
            if after_it.lacking and change.items.get(place.form):
                kind = "signed_stays" if place in signed else "answers_lacking"
                says = _both(
                    f"amendments.hit-{kind.replace('_', '-')}",
                    now,
                    place,
                    items=named(form, after_it.lacking),
                )
                yield kind, where, says
    for place, finding in findings_due(after, state, now.facts, day, change.checks):
        yield "check_fires", (place.visit, place.form, str(place.repeat), finding.rule), finding.message


def _of_values(now: Standing, after: Study, change: Touched, place: Place) -> Iterator[_Found]:
    form, instance = after.form(place.form), now.case.capture.form(place)
    differing = change.items.get(place.form, frozenset())
    asked = {each.id: each for each in questions(form)} if form is not None else {}
    for item in sorted(instance.values.keys() & differing):
        where, datum = (place.visit, place.form, str(place.repeat), item), instance.values[item]
        if item not in asked:
            known = named(now.trial.record.form(place.form), [item])
            yield "item_gone", where, _both("amendments.hit-item-gone", now, place, item=known)
            continue
        read = parse(after, asked[item], datum, now.today)
        if isinstance(read, Problem):
            yield "value_unfit", where, Text(read.say("en"), read.say("zh"))


def _of_visits(now: Standing, after: Study, change: Touched) -> Iterator[_Found]:
    for visit, _ in sorted(now.case.capture.dates):
        if visit in change.visits:
            yield "visit_moves", (visit,), _both("amendments.hit-visit-moves", now, Place(visit, "", 1))


def _of_consent(now: Standing, after: Study, change: Touched) -> Iterator[_Found]:
    if change.consents and now.facts.consent_in_force is Truth.TRUE:
        says = problem("amendments.hit-consent-anew", version=change.consents[-1])
        yield "consent_anew", (), Text(says.say("en"), says.say("zh"))


def _both(key: str, now: Standing, place: Place, **more: Text) -> Text:
    """A message on a place, in both languages."""
    record = now.trial.record
    form, visit = record.form(place.form), record.visit(place.visit)
    where = {
        "form": form.label if form is not None else Text(place.form),
        "visit": visit.label if visit is not None else LOG_LABEL,
    }
    said = problem(key, "", **where, **more)
    return Text(said.say("en"), said.say("zh"))

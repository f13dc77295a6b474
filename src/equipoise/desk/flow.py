"""The flow of participants (CONSORT 2025) and enrolment against its plan, live and blinded: no number is by arm.

The rules that must stay true: every participant stands in exactly one box of each row, so that the boxes of a row add
up to the box above (a test holds this); numbers are of the sites that the reader may open; a participant's part is
computed from their own stream and kept while its head stands still. Source of the boxes: CONSORT 2025, figure 1.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.desk.desk import Desk
from equipoise.desk.followers import SITES, SUBJECTS
from equipoise.desk.queues import sites_of
from equipoise.desk.remembered import Remembered
from equipoise.desk.standing import Standing, day_at
from equipoise.ledger.entries import SiteActivated
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Row
from equipoise.oversight.forecast import Forecast, Plan, forecast
from equipoise.protocol.study import Study
from equipoise.words.problem import say
from equipoise.words.text import Text

SCREENED, FAILED, RANDOMIZED = "SCREENING", "SCREEN_FAILURE", "RANDOMIZED"


@dataclass(frozen=True, slots=True)
class Part:
    """Where one participant stands. `excluded`: criteria not met, `declined` or `other`; `doses`: planned doses given.

    `ended`: a code of the study's disposition list, empty where no form tells it yet, None while it goes on.
    `seen`: visits that took place.
    """

    site: str
    status: str
    excluded: str | None = None
    criteria: tuple[str, ...] = ()
    randomized_on: dt.date | None = None
    doses: int = 0
    partly: bool = False
    ended: str | None = None
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Line:
    """A count with its words: of the study (`label`) or of the program (`key`)."""

    count: int
    label: Text | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class SeenAt:
    """One visit of the endpoints: how many were seen, are still expected, were missed, or had left before."""

    label: Text
    seen: int
    awaited: int
    not_seen: int
    ended: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class FlowView:
    """The flow. `excluded` holds the criteria too, which may be several for one participant."""

    assessed: int
    in_screening: int
    excluded: tuple[Line, ...]
    criteria: tuple[Line, ...]
    randomized: int
    infused: tuple[Line, ...]
    visits: tuple[SeenAt, ...]
    sites: Sequence[str]


@dataclass(frozen=True, slots=True)
class EnrolmentView:
    """Enrolment: by day (cumulative), by site, the plan and the forecast; None where the study plans none."""

    randomized: int
    days: tuple[tuple[dt.date, int], ...]
    by_site: tuple[tuple[str, Text, int], ...]
    plan: Plan | None
    forecast: Forecast | None
    today: dt.date


_PARTS: Remembered[Part] = Remembered()


def flow_page(desk: Desk, who: Who) -> FlowView | None:
    """The flow of participants at the sites that `who` may open; None for who reads none."""
    if not may_read(who, "enrolment", None):
        return None
    with desk.reading() as reader:
        sites = sites_of(reader, who, "enrolment")
        study = desk.trial(reader).study
        return flow(study, parts(desk, reader, sites), tuple(sites))


def enrolment_page(desk: Desk, who: Who) -> EnrolmentView | None:
    """Enrolment at the sites that `who` may open; plan and forecast are of the whole trial and shown with all sites."""
    if not may_read(who, "enrolment", None):
        return None
    with desk.reading() as reader:
        sites = sites_of(reader, who, "enrolment")
        study, every = desk.trial(reader).study, parts(desk, reader, sites)
        known = reader.rows.find(SITES, order=("site",))
        opened = _opened(reader, sites)
    names = {str(row["site"]): Text(str(row["en"]), str(row["zh"] or row["en"])) for row in known}
    zone = next(iter(sites.values()), "UTC")
    today = desk.now().astimezone(ZoneInfo(zone)).date()
    days = sorted(part.randomized_on for part in every if part.randomized_on is not None)
    counts = Counter(part.site for part in every if part.randomized_on is not None)
    design = study.design
    plan = None
    if (
        len(sites) == len(names)
        and opened is not None
        and design.recruitment is not None
        and design.target is not None
    ):
        plan = Plan(design.target, design.recruitment.months, opened)
    return EnrolmentView(
        len(days),
        tuple((day, sum(each <= day for each in days)) for day in sorted(set(days))),
        tuple((site, names[site], counts[site]) for site in sites),
        plan,
        forecast(plan, len(days), today) if plan is not None else None,
        today,
    )


def parts(desk: Desk, reader: Reader, sites: Iterable[str]) -> list[Part]:
    """Every participant of the sites."""

    def make(now: Standing, row: Row) -> Part:
        moment = row["randomized_at"]
        return part_of(now, day_at(str(moment), now.site.zone) if moment else None)

    rows = reader.rows.find(SUBJECTS, {"site": list(sites)})
    return [part for _, part in _PARTS.of(desk, reader, rows, make)]


def part_of(now: Standing, randomized_on: dt.date | None) -> Part:
    """The participant's part in the flow. How participation ended is said by capture, that it did by the facts."""
    study, case, told = now.trial.record, now.case, now.facts.participation_ended
    screening, doses = case.screening, [case.supply.of_dose(dose.id) for dose in study.supply.doses]
    given = [any(one.started_at for one in requests) for requests in doses]
    partly = any(one.outcome == "STOPPED" for requests in doses for one in requests)
    excluded = None
    if screening.status == FAILED:
        acts = (case.consent.participant, case.consent.representative)
        declined = case.consent.withdrawal is not None or any(
            act is not None and not act.given for act in acts
        )
        excluded = "criteria" if screening.failed_criteria else "declined" if declined else "other"
    return Part(
        screening.site or "",
        screening.status or SCREENED,
        excluded,
        screening.failed_criteria,
        randomized_on,
        sum(given),
        partly,
        told[0] if told is not None else "" if now.facts.left else None,
        frozenset(visit for visit, _ in case.capture.dates),
    )


def flow(study: Study, every: Sequence[Part], sites: Sequence[str]) -> FlowView:
    """The boxes, from the parts."""
    randomized = [part for part in every if part.status == RANDOMIZED]
    reasons = Counter(part.excluded for part in every if part.excluded is not None)
    criteria = Counter(each for part in every for each in part.criteria)
    labels = {criterion.id: criterion.text for criterion in study.criteria}
    planned = len(study.supply.doses)
    infused = Counter(_infused(part, planned) for part in randomized)
    return FlowView(
        assessed=len(every),
        in_screening=sum(part.status not in {FAILED, RANDOMIZED} for part in every),
        excluded=tuple(
            Line(reasons[each], key=f"web.flow-{each}") for each in ("criteria", "declined", "other")
        ),
        criteria=tuple(
            Line(count, Text(f"{each} {labels[each].en}", f"{each} {labels[each].say('zh')}"))
            for each, count in sorted(criteria.items())
            if each in labels
        ),
        randomized=len(randomized),
        infused=tuple(
            Line(infused[each], key=f"web.flow-{each}") for each in ("all", "some", "interrupted", "none")
        )
        if planned
        else (),
        visits=tuple(_seen_at(study, visit, randomized) for visit in visits_of_endpoints(study)),
        sites=sites,
    )


def _infused(part: Part, planned: int) -> str:
    if part.doses == 0:
        return "none"
    if part.partly:
        return "interrupted"
    return "all" if part.doses >= planned else "some"


def visits_of_endpoints(study: Study) -> tuple[str, ...]:
    """The visits at which an endpoint is measured, in the order of the schedule."""
    asked = {endpoint.visit for endpoint in study.endpoints}
    return tuple(visit.id for visit in study.schedule.visits if visit.id in asked)


def _seen_at(study: Study, visit_id: str, randomized: Sequence[Part]) -> SeenAt:
    """Of everybody randomized: seen at the visit, gone before it (by how), gone on without it, or still awaited."""
    visit = study.visit(visit_id)
    later = _later_visits(study, visit_id)
    seen = [part for part in randomized if visit_id in part.seen]
    others = [part for part in randomized if visit_id not in part.seen]
    ended = Counter(part.ended for part in others if part.ended not in {None, "COMPLETED"})
    passed = sum(
        part.ended == "COMPLETED" or (part.ended is None and bool(part.seen & later)) for part in others
    )
    return SeenAt(
        visit.label if visit is not None else Text(visit_id),
        len(seen),
        len(others) - passed - sum(ended.values()),
        passed,
        tuple(Line(count, _decoded(study, code or "")) for code, count in sorted(ended.items(), key=str)),
    )


def _later_visits(study: Study, visit_id: str) -> frozenset[str]:
    planned = [visit.id for visit in study.schedule.visits if visit.day is not None]
    return frozenset(planned[planned.index(visit_id) + 1 :]) if visit_id in planned else frozenset()


def _decoded(study: Study, code: str) -> Text:
    """A way in which participation ended, in words; for one that no form told yet, that it ended."""
    end = study.schedule.end
    form = study.form(end.form) if end is not None else None
    item = form.item(end.how) if form is not None and end is not None else None
    known = study.codelist(item.codelist or "") if item is not None else None
    terms = known.terms if known is not None else ()
    otherwise = Text(code) if code else Text(say("web.flow-ended", "en"), say("web.flow-ended", "zh"))
    return next((term.decode for term in terms if term.code == code), otherwise)


def _opened(reader: Reader, sites: Mapping[str, str]) -> dt.date | None:
    """The day on which the first of the sites was opened for enrolment, on its own clock."""
    days = [
        day_at(one.header.at, zone)
        for site, zone in sites.items()
        for one in reader.entries(f"site/{site}")
        if isinstance(one.entry, SiteActivated)
    ]
    return min(days, default=None)

"""Which visits are due: across the subjects of a reader's sites, the late ones first, by the end of their windows.

The rules that must stay true: the states are those of `protocol.windows`, so the list says of every visit what the
subject's own pages say (a test holds this); it reads the rows of visits that may be due, found by index, so that it
takes as long as what is due and not as the study, and opens no stream; a rater is told only of visits at which there is
something to rate. Source: ux.md 1.1.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.access.roles import ROLES
from equipoise.desk.desk import Desk
from equipoise.desk.ended import ended_by_form
from equipoise.desk.followers import SITES
from equipoise.desk.standing import Trial, Version
from equipoise.desk.views import DueVisit
from equipoise.desk.visit_tables import COURSES, OPEN_VISITS
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Row
from equipoise.oversight import versions
from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study, Visit
from equipoise.protocol.windows import REMOTE, VisitRecord, VisitState, day_one, plan_visit, state_of

COMING_DAYS = 14
"""How many days ahead of its window a visit is listed as coming."""
_AT_ONCE = 500
_ORDER: tuple[VisitState, ...] = ("OVERDUE", "DUE", "NOT_DUE")


@dataclass(frozen=True, slots=True)
class DueView:
    """What is due. `overdue` and `due` count everything, `lines` are the first of them; `sites` can be chosen from."""

    lines: tuple[DueVisit, ...]
    overdue: int
    due: int
    coming: int
    sites: tuple[str, ...]
    site: str


def due_visits(desk: Desk, who: Who, *, site: str = "", limit: int = 200) -> DueView | None:
    """Visits that are overdue, due, or due soon, at the reader's sites or at one of them."""
    if not may_read(who, "casebook", None):
        return None
    with desk.reading() as reader:
        return due_now(desk, reader, who, site=site, limit=limit)


def due_now(desk: Desk, reader: Reader, who: Who, *, site: str = "", limit: int = 200) -> DueView:
    """As `due_visits`, at the reader's moment."""
    rows = reader.rows.find(SITES, order=("site",))
    zones = {
        str(row["site"]): str(row["zone"]) for row in rows if may_read(who, "casebook", str(row["site"]))
    }
    chosen = [site] if site in zones else list(zones)
    found = sorted(_Listing(desk, reader, who, zones).at(chosen), key=lambda one: one[0])
    counts = Counter(place for (place, *_), _ in found)
    return DueView(
        tuple(_line(*one) for _, one in found[:limit]),
        counts[0],
        counts[1],
        counts[2],
        tuple(zones),
        site if site in zones else "",
    )


_Found = tuple[tuple[int, str, str, str], tuple[Row, Visit, VisitState, dt.date | None, dt.date]]
"""Where a visit stands in the list (state, end of its window, number, visit), and what its line is made of."""


class _Listing:
    """The list at one moment, for one reader."""

    def __init__(self, desk: Desk, reader: Reader, who: Who, zones: Mapping[str, str]) -> None:
        self._reader, self._zones, self._now = reader, zones, desk.now()
        self._trial: Trial = desk.trial(reader)
        self._places = {site: desk.site(reader, site) for site in zones}
        role = ROLES.get(who.role)
        self._rates = role is not None and role.id == "rater"
        self._asked: dict[str, tuple[Visit, ...]] = {}
        self._stands: dict[tuple[int, dt.date | None, dt.date], tuple[VisitState, str]] = {}

    def at(self, sites: list[str]) -> Iterator[_Found]:
        """The visits of every subject of some sites."""
        for site in sites:
            open_ = self._open(site)
            names = sorted(open_)
            for begin in range(0, len(names), _AT_ONCE):
                some = names[begin : begin + _AT_ONCE]
                ended = ended_by_form(self._reader, self._trial, some)
                for row in self._reader.rows.find(COURSES, {"subject": some}):
                    if row["subject"] not in ended:
                        yield from self._of(row, open_[str(row["subject"])])

    def _open(self, site: str) -> Mapping[str, Collection[str]]:
        """Subject -> its open visits that may be due by one version or another."""
        found: dict[str, set[str]] = {}
        today = self._now.astimezone(ZoneInfo(self._zones[site])).date()
        for visit, (first, before_day_one) in self._bounds.items():
            latest = (today + dt.timedelta(days=COMING_DAYS + 2 - first)).isoformat()
            after: tuple[str, str, str] = ("" if before_day_one else "0", "", "")
            while rows := self._reader.rows.find(
                OPEN_VISITS, {"site": site, "visit": visit}, order=("since",), after=after, limit=_AT_ONCE
            ):
                for row in rows:
                    if str(row["since"]) <= latest:
                        found.setdefault(str(row["subject"]), set()).add(visit)
                last = rows[-1]
                after = (str(last["since"]), str(last["subject"]), visit)
                if after[0] > latest:
                    break
        return found

    @cached_property
    def _bounds(self) -> Mapping[str, tuple[int, bool]]:
        """Visit -> the earliest day of its window in any version, and whether it may be due before day 1."""
        found: dict[str, tuple[int, bool]] = {}
        for version in self._trial.released or (self._trial,):
            for visit in version.study.schedule.visits:
                if visit.day is not None:
                    first, before = found.get(visit.id, (visit.day, False))
                    first = min(first, visit.window[0] if visit.window else visit.day)
                    found[visit.id] = first, before or visit.day < 0
        return found

    def _of(self, row: Row, open_: Collection[str]) -> Iterator[_Found]:
        site = str(row["site"])
        zone = ZoneInfo(self._zones[site])
        today, version = self._now.astimezone(zone).date(), self._version(row, site, zone)
        held, study = set(str(row["held"]).split()), version.study
        if held and any(visit.ends and visit.id in held for visit in study.schedule.visits):
            return
        anchor = day_one(study, _day(row["infused_at"], zone), _day(row["randomized_at"], zone))
        for visit in self._visits(version):
            stopped = bool(row["limited"]) and visit.mode not in REMOTE
            if visit.id not in open_ or stopped:
                continue
            state, last = self._stand(visit, anchor, today)
            if state in _ORDER:
                order = (_ORDER.index(state), last, str(row["number"]), visit.id)
                yield order, (row, visit, state, anchor, today)

    def _stand(self, visit: Visit, anchor: dt.date | None, today: dt.date) -> tuple[VisitState, str]:
        """The state of an open visit (waiting where it is far ahead) and the end of its window, once for each day 1."""
        key = (id(visit), anchor, today)
        if key not in self._stands:
            plan = plan_visit(visit, anchor)
            last, far = plan.last or plan.day, _far(visit, anchor, today)
            state = "WAITING" if far else state_of(visit, anchor, VisitRecord(), today, ended=False)
            self._stands[key] = state, last.isoformat() if last is not None else "9999"
        return self._stands[key]

    def _version(self, row: Row, site: str, zone: ZoneInfo) -> Version:
        if len(self._trial.released) < 2:
            return self._trial
        digest = versions.deciding(
            tuple(one.digest for one in self._trial.released),
            self._places[site].versions,
            self._now.astimezone(zone).date(),
            screened_on=_day(row["screened_at"], zone),
            moved=str(row["version"]) if row["version"] else None,
        )
        return self._trial.at(digest)

    def _visits(self, version: Version) -> tuple[Visit, ...]:
        """The visits that have a day; for a rater, those at which something is rated."""
        known = self._asked.get(version.digest)
        if known is None:
            study: Study = version.study
            known = tuple(
                visit
                for visit in study.schedule.visits
                if visit.day is not None
                and (not self._rates or any(_scale(version, form) for form in study.forms_at(visit.id)))
            )
            self._asked[version.digest] = known
        return known


def _scale(version: Version, form: Form) -> bool:
    """Whether a form is a scale that only somebody who does not know the arm may score."""
    return form.instrument is not None and form.id in version.rated


def _day(moment: object, zone: ZoneInfo) -> dt.date | None:
    return None if moment is None else dt.datetime.fromisoformat(str(moment)).astimezone(zone).date()


def _far(visit: Visit, anchor: dt.date | None, today: dt.date) -> bool:
    """Whether the visit is so far ahead that it is not listed; cheap, because most visits of most subjects are."""
    if anchor is None:
        return (visit.day or 0) > 0
    return (visit.window[0] if visit.window else visit.day or 0) - 1 > (today - anchor).days + COMING_DAYS


def _line(row: Row, visit: Visit, state: VisitState, anchor: dt.date | None, today: dt.date) -> DueVisit:
    plan = plan_visit(visit, anchor)
    last = plan.last or plan.day
    first = plan.first or plan.day
    return DueVisit(
        number=str(row["number"]),
        site=str(row["site"]),
        visit=visit.id,
        label=visit.label,
        mode=visit.mode,
        state=state,
        first=first.isoformat() if first is not None else "",
        last=last.isoformat() if last is not None else "",
        left=(last - today).days if last is not None else None,
    )

"""Today: what each role is asked for, three numbers of its own, and the visits that are due.

The rules that must stay true: a role's three numbers stand in one table; whatever is counted or asked is of the sites
and forms that the reader may see, so a rater is told nothing of doses, deviations or codes; nothing asked and nothing
due is a state that can be reached. Source: ux.md 1.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.access.roles import ROLES
from equipoise.capture.imaging.decide import QUALITIES, UNREADABLE
from equipoise.capture.specimens.results import tests_of
from equipoise.desk.closing_tables import count_closings
from equipoise.desk.desk import Desk
from equipoise.desk.deviation_pages import READS as DEVIATIONS_READ
from equipoise.desk.deviation_tables import DEVIATIONS
from equipoise.desk.due_visits import DueView, due_now
from equipoise.desk.followers import BREAKS, GRANTS, IN_SCREENING, QUERIES, SITES, SUBJECTS
from equipoise.desk.image_tables import IMAGES, READS
from equipoise.desk.specimen_tables import SPECIMENS
from equipoise.desk.standing import Trial
from equipoise.desk.views import Figure, Task
from equipoise.desk.words import task
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Condition
from equipoise.oversight.release import CONDITIONS, SIGNING

SITE_ROLES = frozenset({"coordinator", "investigator", "rater"})
"""Roles whose Today begins with the visits of their site."""
LISTED = 20
"""How many visits, and how many tasks of one kind, Today lists."""
RESULTS_DAYS = 14
"""After how many days a result is missed; a bound of ours, past what a central laboratory takes for routine tests."""
LOOKED_AT = 200
"""How many deviations Today looks at for those tasks, the oldest first."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the figures are counted from: one moment of the store, for one reader."""

    desk: Desk
    reader: Reader
    who: Who
    trial: Trial
    due: DueView | None

    def sites(self, what: str) -> list[str]:
        """The sites of which the reader may read `what`."""
        every = (str(row["site"]) for row in self.reader.rows.find(SITES, order=("site",)))
        return [site for site in every if may_read(self.who, what, site)]

    def forms(self) -> dict[str, Condition]:
        """A condition that leaves out the forms that the reader never sees."""
        hidden = self.trial.ever_hidden_from(self.who.role)
        shown = [form.id for form in self.trial.record.forms if form.id not in hidden]
        return {"form": shown} if hidden else {}


def _overdue(now: Moment) -> Figure:
    return Figure("today.visits-overdue", now.due.overdue if now.due else 0, path="/visits")


def _due(now: Moment) -> Figure:
    return Figure("today.visits-due", now.due.due if now.due else 0, path="/visits")


def _queries(now: Moment, state: str) -> int:
    where: dict[str, Condition] = {"state": state, "site": now.sites("queries"), **now.forms()}
    return now.reader.rows.count(QUERIES, where)


def _open_queries(now: Moment) -> Figure:
    return Figure("today.queries-open", _queries(now, "OPEN"), path="/queries")


def _answered(now: Moment) -> Figure:
    return Figure("today.queries-answered", _queries(now, "ANSWERED"), path="/queries")


def _unfinished(now: Moment) -> Figure:
    where: dict[str, Condition] = {"complete": 0, "site": now.sites("casebook"), **now.forms()}
    return Figure("today.forms-unfinished", count_closings(now.reader.rows, where))


def _to_sign(now: Moment) -> Figure:
    where: dict[str, Condition] = {"complete": 1, "signed": ["", "BROKEN"], "site": now.sites("signatures")}
    return Figure("today.forms-to-sign", count_closings(now.reader.rows, where))


def _deviations(now: Moment, where: Mapping[str, Condition]) -> int:
    asked: dict[str, Condition] = {"site": now.sites(DEVIATIONS_READ), **where}
    return now.reader.rows.count(DEVIATIONS, asked)


def _unexplained(now: Moment) -> Figure:
    count = _deviations(now, {"state": "OPEN", "explained": 0})
    return Figure("today.deviations-unexplained", count, path="/deviations?state=OPEN")


def _unclassed(now: Moment) -> Figure:
    count = _deviations(now, {"state": ["OPEN", "CLOSED"], "severity": ""})
    return Figure("today.deviations-unclassed", count, path="/deviations?severity=NONE")


def _important(now: Moment) -> Figure:
    count = _deviations(now, {"state": ["OPEN", "CLOSED"], "important": 1})
    return Figure("today.deviations-important", count, path="/deviations?important=yes")


def _screening(now: Moment) -> Figure:
    where: dict[str, Condition] = {"status": IN_SCREENING, "site": now.sites("today")}
    return Figure("web.in-screening", now.reader.rows.count(SUBJECTS, where))


def _randomized(now: Moment) -> Figure:
    return Figure("web.randomized", now.trial.allocation.randomized_count, now.trial.allocating.design.cap)


def _breaks(now: Moment) -> Figure:
    where: dict[str, Condition] = {"site": now.sites("code_breaks"), "drill": 0}
    rows = now.reader.rows.find(BREAKS, where)
    return Figure("today.code-breaks", len(rows))


def _unreviewed(now: Moment) -> Figure:
    where: dict[str, Condition] = {"site": now.sites("code_breaks"), "drill": 0}
    rows = now.reader.rows.find(BREAKS, where)
    return Figure("today.code-breaks-unreviewed", sum(row["reviewed_at"] is None for row in rows))


def _conditions(now: Moment) -> Figure:
    missing = len(now.trial.state.gate.missing())
    return Figure("today.conditions-met", len(CONDITIONS) - missing, len(CONDITIONS), "/release")


def _sites_open(now: Moment) -> Figure:
    rows = now.reader.rows.find(SITES)
    return Figure(
        "today.sites-open", sum(now.desk.site(now.reader, str(row["site"])).active for row in rows), len(rows)
    )


def _people(now: Moment) -> Figure:
    held = now.reader.rows.find(GRANTS, {"held": 1})
    return Figure("today.people", len({str(row["user"]) for row in held}))


def _troubles(now: Moment) -> Figure:
    door = now.desk.second_door
    return Figure("today.troubles", len(door.troubles) if door is not None else 0)


FIGURES: Mapping[str, tuple[Callable[[Moment], Figure], ...]] = {
    "coordinator": (_overdue, _due, _open_queries),
    "investigator": (_to_sign, _overdue, _unexplained),
    "rater": (_overdue, _due, _open_queries),
    "monitor": (_answered, _unclassed, _overdue),
    "data_manager": (_answered, _unclassed, _unfinished),
    "statistician": (_randomized, _unclassed, _conditions),
    "sponsor": (_screening, _randomized, _important),
    "safety_desk": (_unreviewed, _breaks, _randomized),
    "administrator": (_sites_open, _people, _troubles),
    "inspector": (_randomized, _important, _breaks),
}
"""Role -> its three numbers."""


def moment(desk: Desk, reader: Reader, who: Who, trial: Trial) -> Moment:
    """What the figures of a reader are counted from."""
    sees = may_read(who, "casebook", None)
    return Moment(desk, reader, who, trial, due_now(desk, reader, who, limit=LISTED) if sees else None)


def figures(now: Moment) -> tuple[Figure, ...]:
    """The three numbers of the reader's role."""
    return tuple(make(now) for make in FIGURES.get(now.who.role, (_screening, _randomized, _open_queries)))


def role_tasks(now: Moment) -> tuple[Task, ...]:
    """What the role is asked for beside what its other tasks say: deviations, answered queries, the release, sites."""
    role = ROLES.get(now.who.role)
    commands = role.commands if role is not None else frozenset[str]()
    found: list[Task] = []
    if "ExplainDeviation" in commands:
        found += islice(_of_deviations(now, "deviation_explain", {"state": "OPEN", "explained": 0}), LISTED)
    if "ClassDeviation" in commands:
        where: dict[str, Condition] = {"state": ["OPEN", "CLOSED"], "severity": ""}
        found += islice(_of_deviations(now, "deviation_class", where), LISTED)
    if "CloseQuery" in commands and (waiting := _queries(now, "ANSWERED")):
        found.append(task("queries_answered", "", n=str(waiting)))
    if may_read(now.who, "results", None):
        for kind, images in _of_images(now):
            found += islice(_by_number(now, kind, "imaging", images), LISTED)
        found += islice(_of_results(now), LISTED)
    return (*found, *_of_release(now, commands), *_of_sites(now, commands))


def _of_images(now: Moment) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Kind of task -> subject -> how many: images to be given to two readers, or to a third, and reads under way."""
    rows, read = now.reader.rows, [one.id for one in now.trial.record.imaging.procedures if one.read]
    legible = [quality for quality in QUALITIES if quality != UNREADABLE]
    to_give: dict[str, Condition] = {"state": "REFERENCED", "procedure": read, "quality": legible}
    yield "images_to_give", Counter(str(row["subject"]) for row in rows.find(IMAGES, to_give))
    yield "images_differ", Counter(str(row["subject"]) for row in rows.find(IMAGES, {"state": "DIFFERS"}))
    yield "reads_waiting", Counter(str(row["subject"]) for row in rows.find(READS, {"state": "OPEN"}))


def _of_results(now: Moment) -> Iterator[Task]:
    """One task for each participant of whose tubes no result came; not for kits whose results this door never has."""
    study = now.trial.record
    kits = [kit.id for kit in study.specimens.kits if any(tests_of(study, kit, revealing=False))]
    where: dict[str, Condition] = {"state": "COLLECTED", "kit": kits, "site": now.sites("specimens")}
    rows = now.reader.rows.find(SPECIMENS, where, order=("at",), limit=LOOKED_AT)
    last = now.desk.now() - dt.timedelta(days=RESULTS_DAYS)
    late = Counter(str(row["subject"]) for row in rows if dt.datetime.fromisoformat(str(row["at"])) < last)
    yield from _by_number(now, "results_missing", "specimens", late)


def _by_number(now: Moment, kind: str, what: str, counts: Mapping[str, int]) -> Iterator[Task]:
    for subject, count in counts.items():
        row = now.reader.rows.get(SUBJECTS, (subject,))
        if row is not None and may_read(now.who, what, str(row["site"])):
            yield task(kind, str(row["number"]), n=str(count))


def _of_deviations(now: Moment, kind: str, where: Mapping[str, Condition]) -> Iterator[Task]:
    """One task for each participant, with how many there are."""
    asked: dict[str, Condition] = {"site": now.sites(DEVIATIONS_READ), **where}
    first = now.reader.rows.find(DEVIATIONS, asked, order=("raised_at",), limit=LOOKED_AT)
    for subject, number in {str(row["subject"]): str(row["number"]) for row in first}.items():
        count = now.reader.rows.count(DEVIATIONS, {**asked, "subject": subject})
        yield task(kind, number, n=str(count))


def _of_release(now: Moment, commands: frozenset[str]) -> Iterator[Task]:
    gate, role = now.trial.state.gate, now.who.role
    signing = "SignRelease" in commands and role in SIGNING and gate.released is None and not gate.missing()
    if signing and role not in {one.role for one in gate.signers()}:
        yield task("release_sign", "")


def _of_sites(now: Moment, commands: frozenset[str]) -> Iterator[Task]:
    if "ActivateSite" not in commands:
        return
    for row in now.reader.rows.find(SITES, order=("site",)):
        site = now.desk.site(now.reader, str(row["site"]))
        if not site.active:
            kind = "site_to_open" if site.approved_on is not None else "site_to_approve"
            yield task(kind, "", site=str(row["site"]))

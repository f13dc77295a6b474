"""Doses as the first door shows them: the infusion page of a participant, and what is due at the reader's sites.

The rules that must stay true: nothing here knows what is in a bag, and every bag has the same words; who rates sees
none of it; a site sees totals of bags and never a kind; what a page shows is what a decision would be made on now.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.access.roles import ROLES
from equipoise.desk.desk import Desk
from equipoise.desk.dosing import gates
from equipoise.desk.followers import BAGS, DOSES, DOSINGS, GRANTS
from equipoise.desk.screening_pages import allowed
from equipoise.desk.standing import Standing
from equipoise.desk.supply_tasks import DUE_AT_MOST, READS, numbers_of, sites_of_doses
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Cell, Condition
from equipoise.protocol.study import Dose, Study
from equipoise.supply.commands import (
    DecideDosing,
    HoldDosing,
    JudgeDosing,
    RequestPreparation,
    StartInfusion,
)
from equipoise.supply.decide import condition_label, condition_of
from equipoise.supply.evolve import DONE, FINAL, Bag, Request
from equipoise.supply.gate import At, Gate, decided, dose_of
from equipoise.supply.times import minutes_left
from equipoise.words.text import Text

OPEN_STAGES = ("REQUESTED", "HELD", "RELEASED", "CHECKED", "RUNNING", "PAUSED")


@dataclass(frozen=True, slots=True)
class ConditionView:
    """One condition of the gate now: T, F or U, why it is not T, and whether a decision accepted or could accept it."""

    id: str
    label: Text
    result: str
    why: Text
    accepted: bool
    decidable: bool


@dataclass(frozen=True, slots=True)
class GateView:
    """The gate at one of its two times. `written`: the decision that stands in the ledger, when (UTC), by whom."""

    at: str
    conditions: tuple[ConditionView, ...]
    decision: str
    written: str
    written_at: str
    written_by: str
    form: str


@dataclass(frozen=True, slots=True)
class BagView:
    """A masked bag. `left`: whole minutes until its use-by, None once it is not to be given any more."""

    bag: str
    use_by: str
    left: int | None
    checked_by: str
    second: str
    rejected: str
    returned: str
    recalled: bool
    to_return: bool


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request for a dose and where it stands. Moments are UTC, ISO."""

    request: str
    stage: str
    at: str
    weight: str
    requested_at: str
    gates: tuple[GateView, ...]
    held: tuple[Text, ...]
    held_because: str
    decision: str
    decided_by: str
    decided_because: str
    bags: tuple[BagView, ...]
    bag: str
    started_at: str
    given: str
    minutes: int | None
    pauses: tuple[tuple[str, str], ...]
    ended_at: str
    outcome: str
    share: str
    wrong: tuple[str, ...]
    mismatches: int


@dataclass(frozen=True, slots=True)
class DoseView:
    """One planned dose: its requests, the newest last, and what may be done now."""

    id: str
    label: Text
    visit: str
    visit_label: Text
    over: bool
    can_ask: bool
    preview: GateView | None
    requests: tuple[RequestView, ...]


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the site who may check a bag as second person."""

    actor: str
    name: str


@dataclass(frozen=True, slots=True)
class InfusionView:
    """The infusion page of a subject."""

    number: str
    randomization_number: str | None
    site: str
    zone: str
    now: str
    status: str
    doses: tuple[DoseView, ...]
    colleagues: tuple[Colleague, ...]
    may: frozenset[str]


@dataclass(frozen=True, slots=True)
class DueLine:
    """One open dose of a site; `left`: minutes until the bag's use-by, or None."""

    number: str
    site: str
    dose: Text
    stage: str
    at: str
    zone: str
    left: int | None


@dataclass(frozen=True, slots=True)
class DueView:
    """What is due at the reader's sites, and totals of bags by what became of them, whatever was in them."""

    lines: tuple[DueLine, ...]
    waiting: tuple[tuple[str, Text], ...]
    totals: Mapping[str, int]


def infusion_page(desk: Desk, who: Who, number: str) -> InfusionView | None:
    """The infusion page of a subject; None where the study gives nothing, or the reader may not see it."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, READS, number)
        if subject is None:
            return None
        now = desk.standing(reader, subject)
        if not _doses(now):
            return None
        recalled = frozenset(str(row["bag"]) for row in reader.rows.find(BAGS, {"recalled": 1}))
        doses = tuple(_dose(desk, reader, now, subject, dose, recalled) for dose in _doses(now))
        colleagues = _colleagues(desk, reader, who, now.facts.subject_site)
    commands = (
        RequestPreparation(subject, "", "", ""), JudgeDosing(subject, "", "RELEASE"), HoldDosing(subject, "", ""),
        DecideDosing(subject, "", "GIVE", ""), StartInfusion(subject, "", "", ""),
    )  # fmt: skip
    return InfusionView(
        number=number,
        randomization_number=now.facts.randomization_number,
        site=now.facts.subject_site or "",
        zone=now.site.zone,
        now=now.now.isoformat(),
        status=now.facts.status or "",
        doses=doses,
        colleagues=colleagues,
        may=allowed(who, now, *commands),
    )


def _doses(now: Standing) -> tuple[Dose, ...]:
    """The doses of the version that decides, and those that were asked for under an earlier one."""
    planned = now.trial.study.supply.doses
    ids = {dose.id for dose in planned}
    asked = [
        (one, dose_of(now.trial.at(one.version).study, one.infusion))
        for one in now.case.supply.requests.values()
    ]
    older = {dose.id: dose for _, dose in asked if dose is not None and dose.id not in ids}
    return (*planned, *older.values())


def _dose(
    desk: Desk, reader: Reader, now: Standing, subject: str, dose: Dose, recalled: frozenset[str]
) -> DoseView:
    study, known = now.trial.study, now.case.supply.of_dose(dose.id)
    visit = study.visit(dose.visit)
    over = any(one.stage in DONE for one in known)
    open_one = any(one.stage not in FINAL for one in known)
    order = [each.id for each in study.supply.doses]
    earlier = order[: order.index(dose.id)] if dose.id in order else []
    first = all(any(one.stage in DONE for one in now.case.supply.of_dose(each)) for each in earlier)
    can_ask = dose.id in order and now.facts.status == "RANDOMIZED" and first and not over and not open_one
    preview = gates(reader, now, subject, dose.id, "")["RELEASE"] if can_ask else None
    return DoseView(
        id=dose.id,
        label=dose.label,
        visit=dose.visit,
        visit_label=visit.label if visit is not None else Text(dose.visit),
        over=over,
        can_ask=can_ask,
        preview=None if preview is None else _gate(desk, study, dose, "RELEASE", preview, None),
        requests=tuple(_request(desk, reader, now, subject, dose, one, recalled) for one in known),
    )


def _request(
    desk: Desk,
    reader: Reader,
    now: Standing,
    subject: str,
    dose: Dose,
    one: Request,
    recalled: frozenset[str],
) -> RequestView:
    now = replace(now, trial=now.trial.at(one.version))
    study = now.trial.study
    before = one.stage in {"REQUESTED", "HELD", "RELEASED", "CHECKED"}
    judged = gates(reader, now, subject, dose.id, one.at) if before else {}
    times: tuple[At, ...] = ("RELEASE", "BEDSIDE") if one.bag else ("RELEASE",)
    return RequestView(
        request=one.request,
        stage=one.stage,
        at=one.at,
        weight=one.weight,
        requested_at=one.requested_at,
        gates=tuple(_gate(desk, study, dose, at, judged[at], one) for at in times if at in judged),
        held=tuple(condition_label(study, name) for name in one.held) if one.stage == "HELD" else (),
        held_because=one.held_because,
        decision=one.decision,
        decided_by=desk.register.staff_name(one.decided_by) if one.decided_by else "",
        decided_because=one.decided_because,
        bags=tuple(_bag(desk, one, bag, now.now, recalled) for bag in one.bags),
        bag=one.bag,
        started_at=one.started_at,
        given=one.given,
        minutes=_minutes(one, now.now),
        pauses=one.pauses,
        ended_at=one.ended_at,
        outcome=one.outcome,
        share=one.share,
        wrong=one.wrong,
        mismatches=one.mismatches,
    )


def _gate(desk: Desk, study: Study, dose: Dose, at: At, gate: Gate, one: Request | None) -> GateView:
    letters = {name: truth.value for name, truth in gate.results.items()}
    accepted = one.accepted if one is not None else ()
    written = None if one is None else one.release if at == "RELEASE" else one.bedside
    return GateView(
        at=at,
        conditions=tuple(
            ConditionView(
                name,
                condition_label(study, name),
                letter,
                Text(gate.reasons.get(name, ""), gate.reasons_zh.get(name)),
                name in accepted,
                (found := condition_of(study, name)) is not None and found.decidable,
            )
            for name, letter in letters.items()
        ),
        decision=decided(letters, accepted),
        written=written.decision if written is not None else "",
        written_at=written.on if written is not None else "",
        written_by=desk.register.staff_name(written.by) if written is not None else "",
        form=_form_of(study, dose, at),
    )


def _form_of(study: Study, dose: Dose, at: At) -> str:
    """The form at the dose's visit that answers most of the gate's questions at that time, for a link."""
    asked = {form.id for form in study.forms_at(dose.visit)}
    only = [one for one in study.supply.gate if one.at == (at,)]
    rules = " ".join(one.rule for one in only)
    forms = Counter(
        each.origin.form for each in study.inputs if each.origin.form in asked and each.name in rules
    )
    return str(forms.most_common(1)[0][0]) if forms else ""


def _bag(desk: Desk, one: Request, bag: Bag, now: dt.datetime, recalled: frozenset[str]) -> BagView:
    waiting = bag.bag == one.bag and one.stage in {"HELD", "RELEASED", "CHECKED", "RUNNING", "PAUSED"}
    name = desk.register.staff_name
    return BagView(
        bag=bag.bag,
        use_by=bag.use_by,
        left=minutes_left(bag.use_by, now) if waiting else None,
        checked_by=name(bag.checked_by) if bag.checked_by else "",
        second=name(bag.second) if bag.second else "",
        rejected=bag.rejected,
        returned=bag.returned,
        recalled=bag.bag in recalled,
        to_return=not bag.returned and (bool(bag.rejected) or one.stage in FINAL),
    )


def _minutes(one: Request, now: dt.datetime) -> int | None:
    """Whole minutes that an infusion ran, pauses taken off; None before it began."""
    if not one.started_at:
        return None
    until = dt.datetime.fromisoformat(one.ended_at) if one.ended_at else now
    total = until - dt.datetime.fromisoformat(one.started_at)
    for begun, over in one.pauses:
        end = dt.datetime.fromisoformat(over) if over else until
        total -= end - dt.datetime.fromisoformat(begun)
    return max(int(total.total_seconds() // 60), 0)


def _colleagues(desk: Desk, reader: Reader, who: Who, site: str | None) -> tuple[Colleague, ...]:
    """Everybody else of the site who may check a bag, by name."""
    found = {
        str(row["user"])
        for row in reader.rows.find(GRANTS, {"held": 1})
        if row["site"] in {site, ""} and "CheckBag" in ROLES[str(row["role"])].commands
    } - {who.actor}
    return tuple(
        sorted(
            (Colleague(actor, desk.register.staff_name(actor)) for actor in found), key=lambda one: one.name
        )
    )


def due_page(desk: Desk, who: Who) -> DueView | None:
    """What is due at the reader's sites; None for a reader who sees nothing of doses, or a study that gives none."""
    if not may_read(who, READS, None):
        return None
    with desk.reading() as reader:
        now = desk.now()
        if not any(one.study.supply.doses for one in desk.trial(reader).released):
            return None
        sites = sites_of_doses(reader, who)
        released = desk.trial(reader).released
        labels = {dose.id: dose.label for one in released for dose in one.study.supply.doses}
        rows = reader.rows.find(DOSES, {"site": list(sites), "stage": list(OPEN_STAGES)}, limit=DUE_AT_MOST)
        numbers = numbers_of(reader, rows)
        bags = reader.rows.find(BAGS, {"bag": [str(row["bag"]) for row in rows if row["bag"]]})
        until = {str(row["bag"]): str(row["use_by"] or "") for row in bags}
        lines = [
            DueLine(
                number=numbers.get(str(row["subject"]), ""),
                site=str(row["site"]),
                dose=labels.get(str(row["infusion"]), Text(str(row["infusion"]))),
                stage=str(row["stage"]),
                at=str(row["at"]),
                zone=sites[str(row["site"])],
                left=minutes_left(until.get(str(row["bag"]), ""), now) if row["bag"] else None,
            )
            for row in rows
        ]
        return DueView(
            lines=tuple(sorted(lines, key=lambda line: (line.at, line.number))),
            waiting=_waiting(desk, reader, sites, len(labels)),
            totals=_totals(reader, sites),
        )


def _waiting(
    desk: Desk, reader: Reader, sites: Mapping[str, str], planned: int
) -> tuple[tuple[str, Text], ...]:
    """Randomized participants and the next dose that nobody asked for yet, by the version that decides for each.

    planned: the doses of all versions. They are looked at by number, a page at a time, until the list is full.
    """
    where: dict[str, Condition] = {"under_way": 0, "site": list(sites), "doses_over": list(range(planned))}
    found: list[tuple[str, Text]] = []
    after: tuple[Cell, ...] = ()
    while len(found) < DUE_AT_MOST:
        rows = reader.rows.find(DOSINGS, where, order=("number",), after=after, limit=DUE_AT_MOST)
        over: dict[str, set[str]] = {str(row["subject"]): set() for row in rows}
        for row in reader.rows.find(DOSES, {"subject": list(over), "stage": list(DONE)}):
            over[str(row["subject"])].add(str(row["infusion"]))
        for row in rows:
            subject = str(row["subject"])
            doses = desk.trial_of(reader, subject).study.supply.doses
            left = next((dose for dose in doses if dose.id not in over[subject]), None)
            if left is not None:
                found.append((str(row["number"]), left.label))
        if len(rows) < DUE_AT_MOST:
            break
        after = (rows[-1]["number"], rows[-1]["subject"])
    return tuple(found[:DUE_AT_MOST])


def _totals(reader: Reader, sites: Mapping[str, str]) -> Mapping[str, int]:
    here: dict[str, Condition] = {"site": list(sites)}
    states = ("RELEASED", "GIVEN", "REJECTED", "RETURNED")
    return {state: reader.rows.count(BAGS, {**here, "state": state}) for state in states}

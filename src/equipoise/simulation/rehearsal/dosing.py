"""Doses at the ward of a rehearsal: the request, the bag, the bedside, the infusion, and the empty bag back.

The rules that must stay true: every step is the ward's own command; the bag is prepared behind the second door by the
people there and comes over the channel; what was in it is told to nature alone, which is the case's `arm`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from equipoise.ledger.entries import Datum
from equipoise.protocol.rules import names_in
from equipoise.protocol.study import Dose, Study
from equipoise.simulation.rehearsal.case import Case, Filled
from equipoise.simulation.rehearsal.stage import Deed, Stage
from equipoise.supply.commands import (
    CheckBag,
    DecideDosing,
    EndInfusion,
    InterruptInfusion,
    JudgeDosing,
    RejectBag,
    RequestPreparation,
    ResumeInfusion,
    ReturnBag,
    StartInfusion,
)
from equipoise.supply.evolve import Request

AHEAD, BENCH, BEDSIDE = 90, 45, 100
"""Minutes from the request to the planned start, to the bench, and to the bedside."""
INFUSED, PAUSE = 40, 8
"""Minutes that an infusion takes, and that it stands still where it is interrupted."""
WHOLE = 100
"""The share (%) of a dose that was given to its end."""
POSTPONED = 3
"""How often a dose is asked for again on the next day."""


def dose_forms(study: Study) -> tuple[frozenset[str], frozenset[str]]:
    """The forms that the gate reads, and those of the same activities, which are filled in after an infusion."""
    named = frozenset(name for gate in study.supply.gate for name in names_in(gate.rule))
    read = {one.origin.form for one in study.inputs if one.origin.form and one.name in named}
    doses = {dose.visit for dose in study.supply.doses}
    together = {
        form
        for activity in study.schedule.activities
        if set(activity.visits) <= doses and read & set(activity.forms)
        for form in activity.forms
    }
    return frozenset(read & together), frozenset(together - read)


def settled(stage: Stage, filled: Filled) -> Filled:
    """A check before a dose of which nothing is left unknown: what could not be told is looked at until it can be."""
    form = stage.study.form(filled.form)
    truths = {item.id for item in form.items if item.type == "truth"} if form is not None else frozenset()
    items = {
        item: Datum("N") if said.missing and item in truths else said for item, said in filled.items.items()
    }
    return Filled(filled.form, filled.repeat, items)


@dataclass
class _Dose:
    case: Case
    dose: Dose
    before: Deed
    then: Deed
    after: Deed
    tries: int = 0
    request: str = ""
    arm: str = ""
    lost: int = 0
    over: bool = False
    left: bool = False
    """Whether the course went on after it."""


class Ward:
    """Gives doses for one stage. `back`: bags that the pharmacy is to take back at the next occasion."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._back: list[tuple[str, str, str, str]] = []

    def give(self, case: Case, dose: Dose, before: Deed, after: Deed, then: Deed) -> None:
        """Give a planned dose, in steps over the day. before: the checks are recorded; after: what follows is."""
        if not case.person.dosed(dose.id):
            self._stage.tally.counts["doses missed"] += 1
            then()
            return
        one = _Dose(case, dose, before, then, after)
        self._step(one, lambda: self._ask(one))

    def _ask(self, one: _Dose) -> None:
        stage, case = self._stage, one.case
        nurse, today = stage.person("coordinator", case.site), stage.day(case.site)
        one.before()
        at = self._said(stage.clock.at + dt.timedelta(minutes=AHEAD))
        weight = case.person.weight(case.moment(today))
        outcome = stage.give(nurse, RequestPreparation(case.subject, one.dose.id, at, weight))
        if not outcome.accepted:
            one.tries += 1
            if one.tries > POSTPONED:
                stage.stop(f"RequestPreparation of {case.number}", outcome.problems)
                self._go_on(one)
                return
            stage.tally.counts["doses postponed"] += 1
            self._plan(stage.clock.at + dt.timedelta(days=1), lambda: self._ask(one), one)
            return
        one.request = self._request(case).request
        self._judge(one, "RELEASE")
        if self._omitted(one):
            return
        stage.exchange()
        self._take_back()
        self._plan(stage.clock.at + dt.timedelta(minutes=BENCH), lambda: self._prepare(one), one)

    def _judge(self, one: _Dose, place: Literal["RELEASE", "BEDSIDE"]) -> None:
        """The gate; what it holds the investigator decides to give."""
        stage, case = self._stage, one.case
        nurse = stage.person("coordinator", case.site)
        stage.give(nurse, JudgeDosing(case.subject, one.request, place))
        if self._request(case).stage == "HELD":
            doctor = stage.person("investigator", case.site)
            stage.tally.counts["doses held"] += 1
            given = stage.give(doctor, DecideDosing(case.subject, one.request, "GIVE", "seen and judged fit"))
            if not given.accepted:
                stage.must(
                    doctor, DecideDosing(case.subject, one.request, "OMIT", given.problems[0].say("en"))
                )
                one.over = True
            elif place == "BEDSIDE":  # what was held is judged anew before anything is hung
                stage.give(nurse, JudgeDosing(case.subject, one.request, place))

    def _omitted(self, one: _Dose) -> bool:
        """Whether the investigator decided that the dose is not given; the course goes on."""
        if one.over:
            self._stage.tally.counts["doses omitted"] += 1
            self._go_on(one)
        return one.over

    def _prepare(self, one: _Dose) -> None:
        stage = self._stage
        came = stage.door.ask("prepare", stage.clock(), request=one.request)
        one.arm = str(came["arm"])
        one.lost += int(came["lost"])
        stage.tally.minutes["pharmacist"] += stage.staff.minutes.get("prepare", 0) * (1 + int(came["lost"]))
        ready = dt.datetime.fromisoformat(str(came["at"]))
        due = max(ready + dt.timedelta(minutes=2), stage.clock.at + dt.timedelta(minutes=BEDSIDE - BENCH))
        self._plan(due, lambda: self._bedside(one), one)

    def _bedside(self, one: _Dose) -> None:
        stage, case = self._stage, one.case
        nurse, doctor = stage.person("coordinator", case.site), stage.person("investigator", case.site)
        stage.exchange()
        bag = self._request(case).bag
        if not bag:
            stage.stop(f"the bag of {case.number} did not come", ())
            self._go_on(one)
            return
        stage.tally.counts["bags"] += 1
        key = (case.index, one.dose.id, self._request(case).bag)
        if one.lost < 2 and stage.chance.happens(
            stage.staff.rates.bag_rejected, "rejected", *key[:2], one.lost
        ):
            one.lost += 2  # nobody lets two fall
            stage.must(nurse, RejectBag(case.subject, one.request, bag, "SPILLED"))
            stage.tally.counts["bags rejected"] += 1
            stage.exchange()
            self._prepare(one)
            return
        self._judge(one, "BEDSIDE")
        if self._omitted(one):
            stage.must(nurse, ReturnBag(case.subject, one.request, bag, str(stage.study.supply.volume or 0)))
            return
        second = stage.actors[doctor.id]
        stage.must(nurse, CheckBag(case.subject, one.request, bag, case.number, second))
        stage.must(nurse, StartInfusion(case.subject, one.request, bag, self._said(stage.clock.at)))
        case.arm = case.arm or one.arm
        case.doses.append(stage.day(case.site))
        share = case.person.share(one.dose.visit, case.moment(stage.day(case.site)))
        if share < WHOLE:
            self._plan(stage.clock.at + dt.timedelta(minutes=10), lambda: self._pause(one), one)
        self._plan(stage.clock.at + dt.timedelta(minutes=INFUSED), lambda: self._end(one, bag, share), one)

    def _pause(self, one: _Dose) -> None:
        stage, case = self._stage, one.case
        nurse, at = stage.person("coordinator", case.site), stage.clock.at
        stage.tally.counts["infusions interrupted"] += 1
        stage.must(nurse, InterruptInfusion(case.subject, one.request, self._said(at), "line blocked"))
        self._plan(
            at + dt.timedelta(minutes=PAUSE),
            lambda: stage.must(nurse, ResumeInfusion(case.subject, one.request, self._said(stage.clock.at))),
            one,
        )  # fmt: skip

    def _end(self, one: _Dose, bag: str, share: int) -> None:
        stage, case = self._stage, one.case
        nurse, whole = stage.person("coordinator", case.site), share >= WHOLE
        ended, reason = self._said(stage.clock.at), "" if whole else "did not feel well"
        outcome = "COMPLETE" if whole else "STOPPED"
        stage.must(nurse, EndInfusion(case.subject, one.request, ended, outcome, str(share), reason))  # type: ignore[arg-type]
        left = str(round(float(stage.study.supply.volume or 0) * (100 - share) / 100))
        stage.must(nurse, ReturnBag(case.subject, one.request, bag, left))
        self._back.append((one.request, case.site, bag, left))
        stage.tally.counts["doses given"] += 1
        one.after()
        self._go_on(one)

    def _take_back(self) -> None:
        """The pharmacy takes in the bags that came back, once the second door has heard of them."""
        for request, site, bag, left in self._back:
            self._stage.door.ask(
                "take_back", self._stage.clock.at, request=request, site=site, bag=bag, remaining=left
            )
        self._back.clear()

    def settle(self) -> None:
        """Let the second door hear of the last bags, and take them back."""
        self._stage.exchange()
        self._take_back()

    # --- small things ------------------------------------------------------------------------------------------

    def _request(self, case: Case) -> Request:
        return list(self._stage.case(case.subject).supply.requests.values())[-1]

    def _plan(self, at: dt.datetime, deed: Callable[[], object], one: _Dose) -> None:
        self._stage.agenda.plan(at, lambda: self._step(one, deed))

    def _step(self, one: _Dose, deed: Callable[[], object]) -> None:
        """One step of a dose; where it is passed over, the course goes on without what was left of it."""
        done = False
        with self._stage.forgiving(f"{one.dose.id} of {one.case.number}"):
            deed()
            done = True
        if not done:
            self._go_on(one)

    @staticmethod
    def _go_on(one: _Dose) -> None:
        """What comes after a dose, once."""
        if not one.left:
            one.left = True
            one.then()

    @staticmethod
    def _said(at: dt.datetime) -> str:
        return at.isoformat(timespec="seconds").replace("+00:00", "Z")

"""A ward to try doses on: the rooms' own decide and evolve, a clock to set, and facts that a test may change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from equipoise.ledger.entries import Entry, Header, Recorded
from equipoise.ledger.facts import Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.supply.commands import (
    CheckBag,
    EndInfusion,
    JudgeDosing,
    RecordBagRelease,
    RequestPreparation,
    StartInfusion,
)
from equipoise.supply.decide import decide
from equipoise.supply.evolve import START, Request, State, evolve

SUBJECT, NUMBER = "s1", "01001"
NOON = dt.datetime(2026, 6, 1, 4, tzinfo=dt.UTC)  # noon in Shanghai
STUDY = Study.model_validate(
    {
        "notation": 1, "id": "s", "version": "1", "dated": "2026", "title": "t",
        "schedule": {
            "epochs": [{"id": "E", "label": "e"}],
            "visits": [{"id": name, "label": name, "epoch": "E"} for name in ("V1", "V2")],
            "activities": [{"id": "a", "label": "a", "forms": ["CHK"], "visits": ["V1", "V2"]}],
        },
        "forms": [{"id": "CHK", "label": "c", "items": [
            {"id": "WARM", "label": "w", "type": "truth"},
            {"id": "ILL", "label": "i", "type": "truth"},
        ]}],
        "inputs": [
            {"name": "warm", "label": "Fever", "type": "truth", "origin": {"form": "CHK", "item": "WARM"}},
            {"name": "ill", "label": "Infection", "type": "truth", "origin": {"form": "CHK", "item": "ILL"}},
        ],
        "supply": {
            "use_within": 120, "volume": "100", "sentinel_first": 3, "sentinel_hours": 24,
            "doses": [{"id": "D1", "label": "First", "visit": "V1"}, {"id": "D2", "label": "Second", "visit": "V2"}],
            "gate": [
                {"id": "cool", "label": "No fever", "rule": "not warm", "decidable": True},
                {"id": "well", "label": "No infection", "rule": "not ill"},
            ],
        },
    }
)  # fmt: skip
GO = {"cool": "T", "well": "T", "sentinel": "T"}


def facts(**changes: Any) -> Facts:
    """A randomized participant whose gate lets every dose go."""
    plain = Facts(
        subject_known=True,
        subject_site="01",
        screening_number=NUMBER,
        status="RANDOMIZED",
        gate={"RELEASE": GO, "BEDSIDE": GO},
        second_may_check=True,
    )
    return replace(plain, **changes)


def gate(**letters: str) -> Mapping[str, Mapping[str, str]]:
    """The gate at both times, with some conditions other than T."""
    return {at: {**GO, **letters} for at in ("RELEASE", "BEDSIDE")}


def recorded(seq: int, entry: Entry, at: dt.datetime, actor: str) -> Recorded:
    stream = f"subject/{SUBJECT}"
    moment = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    header = Header(
        1, "s", stream, seq, "0" * 64, entry.kind, "d", actor, "coordinator", moment, None, None, "k", 0, "c", (),
    )  # fmt: skip
    return Recorded(header, "0" * 64, entry)


@dataclass
class Ward:
    """One participant. `do` gives the entries or the rules that refused."""

    at: dt.datetime = NOON
    state: State = START
    log: list[Recorded] = field(default_factory=list)

    def wait(self, minutes: float) -> None:
        self.at += dt.timedelta(minutes=minutes)

    def clock(self, minutes: float = 0) -> str:
        """Now, or some minutes from now, as people's clocks say it."""
        return (self.at + dt.timedelta(minutes=minutes)).isoformat()

    def do(self, command: object, known: Facts | None = None, by: str = "nurse") -> tuple[str, ...]:
        """Decide and fold; the kinds written, or the rules that refused."""
        occasion = Occasion(self.at, "Asia/Shanghai", by=by, role="coordinator")
        decision = decide(STUDY, self.state, known or facts(), command, occasion)
        if isinstance(decision, Refusal):
            assert decision.problems
            for said in decision.problems:
                assert "{" not in said.say("en") + said.say("zh"), said
            return tuple(one.rule.removeprefix("supply.") for one in decision.problems)
        self.at += dt.timedelta(seconds=1)
        for append in decision:
            assert append.stream == f"subject/{SUBJECT}"
            one = recorded(len(self.log) + 1, append.entry, self.at, by)
            self.log.append(one)
            self.state = evolve(self.state, one)
        return tuple(append.entry.kind for append in decision)

    @property
    def last(self) -> Request:
        """The newest request."""
        return list(self.state.requests.values())[-1]

    def ask(self, infusion: str = "D1", known: Facts | None = None) -> str:
        done = self.do(RequestPreparation(SUBJECT, infusion, self.clock(60), "70.5"), known)
        assert done[0] == "PreparationRequested", done
        return self.last.request

    def bag(self, number: str = "4711", minutes: float = 110) -> None:
        done = self.do(
            RecordBagRelease(SUBJECT, self.last.request, number, self.clock(minutes), 1, "00"), by="system"
        )
        assert done == ("BagReleased",), done

    def scan(self, bag: str | None = None, subject: str = NUMBER, second: str = "doctor") -> CheckBag:
        return CheckBag(SUBJECT, self.last.request, self.last.bag if bag is None else bag, subject, second)

    def start(self, bag: str | None = None, minutes: float = 0) -> StartInfusion:
        return StartInfusion(SUBJECT, self.last.request, bag or self.last.bag, self.clock(minutes))

    def to_the_bedside(self, infusion: str = "D1", bag: str = "4711") -> None:
        """Asked, released, judged at the bedside and scanned."""
        self.ask(infusion)
        self.bag(bag)
        assert self.do(JudgeDosing(SUBJECT, self.last.request, "BEDSIDE")) == ("DosingJudged",)
        assert self.do(self.scan()) == ("BagChecked",)

    def whole(self, infusion: str = "D1", bag: str = "4711") -> None:
        """One dose from request to end."""
        self.to_the_bedside(infusion, bag)
        assert self.do(self.start()) == ("InfusionStarted",)
        self.wait(45)
        done = self.do(EndInfusion(SUBJECT, self.last.request, self.clock(), "COMPLETE", "100"))
        assert done == ("InfusionEnded",)

"""A rehearsal store to tell stories on: made once through the desk, copied for each test that writes.

The clock stands at one chosen day, so that the stories do not change with the calendar.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from equipoise.access.commands import Who
from equipoise.capture.closing.commands import SignForms
from equipoise.capture.closing.shown import shown_digest
from equipoise.capture.commands import RecordForm
from equipoise.capture.evolve import Place, State
from equipoise.consent.commands import RecordCapacity, RecordConsent
from equipoise.desk.clock import SetClock
from equipoise.desk.desk import _judged as judged
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from equipoise.desk.identities import IdentityInput
from equipoise.desk.routes import ROUTES
from equipoise.desk.setup import add_person, create_store, fill_log, give, open_site
from equipoise.desk.views import Outcome
from equipoise.eligibility.commands import ConfirmEligibility
from equipoise.ledger.entries import Datum, PublicSlot, SignedPlace
from equipoise.ledger.facts import Refusal
from equipoise.protocol.load import load_study
from equipoise.protocol.strata import strata
from equipoise.protocol.study import Study
from equipoise.randomization.commands import PublishAllocation, Randomize
from equipoise.randomization.tree import list_root
from equipoise.words.problem import Problem

ROOT = Path(__file__).resolve().parents[2]
TODAY = dt.datetime(2026, 6, 1, 2, tzinfo=dt.UTC)  # 10 o'clock in Shanghai
ONSET = "2026-04-20"  # 42 days before
STAFF = {
    "crc": ("coordinator", "01"),
    "pi": ("investigator", "01"),
    "rater": ("rater", "01"),
    "cra": ("monitor", None),
    "crc2": ("coordinator", "02"),
    "pi2": ("investigator", "02"),
    "crc3": ("coordinator", "03"),
    "spo": ("sponsor", None),
    "dm": ("data_manager", None),
    "stat": ("statistician", None),
}
NIHSS = dict(
    zip(
        ["1a", "1b", "1c", "2", "3", "4", "5a", "5b", "6a", "6b", "7", "8", "9", "10", "11"],
        "000002030200110",
        strict=True,
    )
)
"""Official total 9; the right arm 3 and the right leg 2 meet the motor criterion."""


@dataclass
class Story:
    """A desk with its people, and the steps that stories share."""

    desk: FrontDesk
    clock: SetClock
    folder: Path
    steps: list[str] = field(default_factory=list)

    def who(self, actor: str) -> Who:
        who = self.desk.who(actor, STAFF[actor][0])
        assert who is not None, f"{actor} holds no role"
        return who

    def submit(self, actor: str, command: object, key: str | None = None) -> Outcome:
        self.steps.append("")
        return self.desk.submit(self.who(actor), command, key=key or f"story {len(self.steps)}")

    def would(self, actor: str, command: object) -> bool:
        """Whether the desk would take a command now; nothing is written."""
        who, route = self.who(actor), ROUTES[type(command)]
        with self.desk.reading() as reader:
            now = self.desk.standing_light(reader, command.subject)  # type: ignore[attr-defined]
            return not isinstance(judged(reader, route, who, now, command), Refusal)

    def done(self, actor: str, command: object) -> Outcome:
        outcome = self.submit(actor, command)
        assert outcome.accepted, [problem.say() for problem in outcome.problems]
        return outcome

    def refused(self, actor: str, command: object) -> set[str]:
        outcome = self.submit(actor, command)
        assert not outcome.accepted
        return {problem.rule for problem in outcome.problems}

    def screen(
        self, name: str = "张三", born: str = "1962-03-07", actor: str = "crc", site: str = "01"
    ) -> str:
        self.steps.append("")
        screened = self.desk.screen(
            self.who(actor), site, IdentityInput(name, born, "00000000000"), key=f"screen {len(self.steps)}"
        )
        assert screened.number is not None, [problem.say() for problem in screened.outcome.problems]
        return screened.number

    def subject(self, number: str) -> str:
        found = self.desk.subject_id(number)
        assert found is not None
        return found

    def record(
        self,
        actor: str,
        number: str,
        form: str,
        items: dict[str, str | Datum],
        visit: str = "V1",
        *,
        complete: bool | None = None,
        reason: str | None = None,
        base: int | None = None,
    ) -> Outcome:
        subject = self.subject(number)
        seen = self.desk.form_seq(subject, visit, form, 1) if base is None else base
        data = {name: value if isinstance(value, Datum) else Datum(value) for name, value in items.items()}
        return self.submit(actor, RecordForm(subject, visit, form, 1, data, seen, complete, reason))

    def captured(self, number: str) -> State:
        """What is captured of a participant."""
        with self.desk.reading() as reader:
            return self.desk.standing_light(reader, self.subject(number)).case.capture

    def sign(
        self, actor: str, number: str, places: Sequence[Place], meaning: Literal["FORM", "CASEBOOK"] = "FORM"
    ) -> Outcome:
        """Sign forms as they are shown now, with a proof of identity just given."""
        state, study = self.captured(number), self.desk.study
        shown = tuple(SignedPlace(*place, shown_digest(study, state, place)) for place in places)
        proof = self.desk.proofs.give(actor, "DEMO")
        return self.done(actor, SignForms(self.subject(number), shown, meaning, proof))

    def consent(self, number: str, actor: str = "crc") -> None:
        subject = self.subject(number)
        day = self.clock.at.date().isoformat()
        self.done(actor, RecordCapacity(subject, "HAS", day))
        self.done(actor, RecordConsent(subject, "1.0", "PARTICIPANT", given=True, on=day))

    def assess(
        self, number: str, actor: str = "crc", *, onset: str = ONSET, nihss: dict[str, str] | None = None
    ) -> None:
        """Everything that the criteria ask for, with a person who meets them."""
        day = self.clock.at.date().isoformat()
        no = dict.fromkeys(
            [
                "EPILEPSY",
                "DEMENTIA",
                "PARKINSN",
                "DEPRSEV",
                "OTHNEURO",
                "ICHCUR",
                "ICHHIST",
                "SEVCV",
                "SEVPULM",
            ],
            "N",
        )
        forms: dict[str, dict[str, str]] = {
            "DM": {"BRTHDAT": "1962-03-07", "SEX": "M"},
            "STROKE": {"ONSETDAT": onset, "STRKTYPE": "ISCHEMIC", "CIRCUL": "ANTERIOR"},
            "PSMRS": {"PSMRS": "0"},
            "EXCHK": no,
            "NIHSS": {"NIHSSDAT": day, **(nihss or NIHSS)},
        }
        for form, items in forms.items():
            outcome = self.record(actor, number, form, dict(items))
            assert outcome.accepted, [problem.say() for problem in outcome.problems]

    def eligible(self, name: str = "张三", actor: str = "crc", site: str = "01", pi: str = "pi") -> str:
        number = self.screen(name, actor=actor, site=site)
        self.consent(number, actor)
        self.assess(number, actor)
        self.done(pi, ConfirmEligibility(self.subject(number)))
        return number

    def randomize(self, number: str, actor: str = "crc") -> Outcome:
        return self.submit(actor, Randomize(self.subject(number)))


def first_study() -> Study:
    study = load_study(ROOT / "studies" / "nct07197606")
    assert isinstance(study, Study), [problem.say() for problem in study]
    return study


def public_list(study: Study, length: int | None = None) -> PublishAllocation:
    """A public list of numbers and commitments that opens nothing: commitments to random bytes."""
    count = iter(range(1000, 9999))
    slots = {
        name: tuple(
            PublicSlot(f"R-{next(count)}", os.urandom(32).hex())
            for _ in range(length or study.design.cap or 1)
        )
        for name in strata(study)
    }
    return PublishAllocation("test", list_root(slots), slots)


def make_store(folder: Path, study: Study, list_length: int | None = None) -> None:
    desk = create_store(folder, study, "rehearsal", clock=SetClock(TODAY))
    assert not isinstance(desk, tuple), [problem.say() for problem in desk]
    problems = [*open_site(desk, "01", "EC-1", "2026-01-01"), *open_site(desk, "02", "EC-2", "2026-01-01")]
    for actor, (role, site) in STAFF.items():
        problems += add_person(desk, actor, actor.upper(), role, site)
    problems += fill_log(desk)
    problems += give(desk, public_list(study, list_length))
    desk.close()
    assert problems == []


_MADE: dict[Path, Path] = {}


@pytest.fixture(scope="session")
def made_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once in a process, for copying: fifty files take this fixture over, and each has a session's of its own."""
    base = tmp_path_factory.getbasetemp()
    if base not in _MADE:
        folder = tmp_path_factory.mktemp("store") / "store"
        make_store(folder, first_study())
        _MADE[base] = folder
    return _MADE[base]


@pytest.fixture
def story(made_store: Path, tmp_path: Path) -> Iterator[Story]:
    folder = tmp_path / "store"
    shutil.copytree(made_store, folder)
    clock = SetClock(TODAY)
    desk = open_desk(folder, kind=FrontDesk, clock=clock)
    assert not isinstance(desk, Problem), desk.say()
    yield Story(desk, clock, folder)
    desk.close()

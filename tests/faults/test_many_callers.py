"""Thirty-two callers ask for a hundred slots each, and a fifth of the askings is broken off: nobody notices.

The decision is the room's own, on a store on disk; the facts (consent, eligibility) are given, because 3200 people
going through screening would measure screening. Through the whole desk the same is done in
tests/rooms/desk/test_acting.py with fewer.
Source: the issue, capability 4 (unique, contiguous, in grant order); DESIGN 5 (one serial transaction).
"""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict

from equipoise.desk.standing import Memory
from equipoise.ledger.commit import Act, Committed, commit
from equipoise.ledger.entries import PublicSlot, SlotTaken, SubjectRandomized
from equipoise.ledger.facts import Facts, Occasion, Refusal
from equipoise.ledger.opening import Ledger
from equipoise.ledger.verify import verify_path
from equipoise.protocol.load import load_study
from equipoise.protocol.strata import strata
from equipoise.protocol.study import Study
from equipoise.randomization import decide as randomization
from equipoise.randomization import evolve as allocation
from equipoise.randomization.commands import Randomize
from equipoise.words.canonical import digest
from equipoise.words.truth import Truth
from rooms.ledger.ledger_world import NOON, fresh, must
from rooms.randomization.made_list import made_slots, publication

CALLERS, EACH, ABORTED = 32, 100, 0.2


class BrokenOff(Exception):
    """The caller's process, or its line, went away in the middle."""


def _ledger(tmp_path, study: Study, length: int) -> tuple[Ledger, dict[str, tuple[PublicSlot, ...]]]:
    ledger = fresh(tmp_path / "store")
    slots = made_slots(study, length)
    published = randomization.decide(
        study.model_copy(update={"design": study.design.model_copy(update={"cap": length})}),
        allocation.START, Facts(rehearsal=True), publication(study, slots), Occasion(NOON, "UTC"),
    )  # fmt: skip
    assert not isinstance(published, Refusal), published
    must(ledger, "publish", *published)
    return ledger, slots


class Asking:
    """One store, and what came of every asking: granted subject -> (number, seq in the stream of the list)."""

    def __init__(self, ledger: Ledger, study: Study) -> None:
        self.ledger, self.study = ledger, study
        self.codes, self.memory = strata(study), Memory()
        self.granted: dict[str, tuple[str, int]] = {}
        self.broken: Counter[str] = Counter()

    def randomize(self, subject: str, stratum: str, *, breaks: bool = False) -> Committed | Refusal:
        facts = Facts(
            subject_known=True, subject_site="01", status="ELIGIBLE", verdict="ELIGIBLE", confirmed=True,
            consent_in_force=Truth.TRUE, enrolment_open=True, site_known=True, site_approved=True, site_active=True,
            list_published=True, stratum=stratum,
        )  # fmt: skip

        def decide(reader):
            state = self.memory.state(reader, "allocation", allocation.START, allocation.evolve)
            decision = randomization.decide(
                self.study, state, facts, Randomize(subject), Occasion(NOON, "UTC")
            )
            if breaks:
                raise BrokenOff
            return decision

        act = Act(
            "MADE-UP-1", "d" * 64, "crc", "coordinator", NOON, None, None, f"r {subject}", digest(subject)
        )
        return commit(self.ledger, act, ["allocation", f"subject/{subject}"], decide)

    def call(self, caller: int, start: threading.Barrier) -> None:
        """What one caller does: a hundred participants, some askings broken off, some answers lost."""
        chance = random.Random(caller)
        start.wait()
        for count in range(EACH):
            subject, stratum = f"c{caller}n{count}", self.codes[chance.randrange(len(self.codes))]
            while chance.random() < ABORTED:
                try:
                    self.randomize(subject, stratum, breaks=True)
                except BrokenOff:
                    self.broken[subject] += 1
            done = self.randomize(subject, stratum)
            assert isinstance(done, Committed), done
            if chance.random() < ABORTED:  # the answer was lost: the same is asked again
                again = self.randomize(subject, stratum)
                assert isinstance(again, Committed)
                assert (again.replayed, again.recorded) == (True, done.recorded)
            taken = next(one for one in done.recorded if isinstance(one.entry, SlotTaken))
            self.granted[subject] = (taken.entry.number, taken.header.seq)


def test_slots_are_unique_contiguous_and_in_the_order_in_which_they_were_granted(tmp_path, root) -> None:
    loaded = load_study(root / "studies" / "nct07197606")
    assert isinstance(loaded, Study)
    study = loaded.model_copy(update={"design": loaded.design.model_copy(update={"cap": None})})
    ledger, slots = _ledger(tmp_path, study, CALLERS * EACH)
    asking, start = Asking(ledger, study), threading.Barrier(CALLERS)
    threads = [threading.Thread(target=asking.call, args=(caller, start)) for caller in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # A fifth of the askings: n that end well come with n / (1 - 0.2) * 0.2 that are broken off, on the average.
    assert sum(asking.broken.values()) > CALLERS * EACH * 0.2
    with ledger.reading() as reader:
        taken = [one for one in reader.entries("allocation") if isinstance(one.entry, SlotTaken)]
        own = {one.entry.subject: _own(reader, one.entry.subject) for one in taken}
    assert [one.header.seq for one in taken] == list(
        range(2, 2 + CALLERS * EACH)
    )  # no gap: 1 is the list itself
    by_stratum: dict[str, list[str]] = defaultdict(list)
    for one in taken:
        by_stratum[one.entry.stratum].append(one.entry.number)
    for stratum, numbers in by_stratum.items():
        assert numbers == [
            slot.number for slot in slots[stratum][: len(numbers)]
        ]  # contiguous, in the list's order
    assert {one.entry.subject: (one.entry.number, one.header.seq) for one in taken} == asking.granted
    assert own == {subject: [number] for subject, (number, _) in asking.granted.items()}
    ledger.close()
    verdict = verify_path(tmp_path / "store")
    assert verdict.ok, verdict.lines()


def _own(reader, subject: str) -> list[str]:
    """The numbers that a subject's own stream says."""
    entries = [one.entry for one in reader.entries(f"subject/{subject}")]
    return [entry.number for entry in entries if isinstance(entry, SubjectRandomized)]

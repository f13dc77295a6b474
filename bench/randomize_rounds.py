"""Randomizing: the room's decision on the list and on a participant, both on disk before the answer.

Facts (consent, eligibility) are given, because going through screening would measure screening. The list is one of as
many slots as could be asked for; every caller asks for participants of its own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path

from bench.ledger_rounds import act, open_for_bench
from bench.rounds import Action, run_round
from bench.table import Row, row_of
from equipoise.desk.standing import Memory
from equipoise.ledger.commit import Committed, commit
from equipoise.ledger.entries import AllocationPublished, Append, PublicSlot
from equipoise.ledger.facts import Decision, Facts, Occasion
from equipoise.ledger.opening import Ledger
from equipoise.ledger.reader import Reader
from equipoise.protocol.study import Study
from equipoise.randomization import decide as randomization
from equipoise.randomization import evolve as allocation
from equipoise.randomization.commands import Randomize
from equipoise.words.truth import Truth

SLOTS = 20_000
CALLERS = (1, 8, 32)
STRATUM = "ALL"
_STUDY = Study.model_validate(
    {"notation": 1, "id": "bench", "version": "1", "dated": "2026", "title": "Bench"}
)
_FACTS = Facts(
    subject_known=True, subject_site="01", status="ELIGIBLE", verdict="ELIGIBLE", confirmed=True,
    consent_in_force=Truth.TRUE, enrolment_open=True, site_known=True, site_approved=True, site_active=True,
    list_published=True, stratum=STRATUM,
)  # fmt: skip


def _published(slots: int) -> AllocationPublished:
    listed = tuple(
        PublicSlot(f"R{place:06d}", hashlib.sha256(str(place).encode()).hexdigest()) for place in range(slots)
    )
    return AllocationPublished("bench", "0" * 64, {STRATUM: listed})


def caller(ledger: Ledger, memory: Memory, name: str) -> Action:
    """What one caller does again and again: the next slot for the next participant."""
    numbers = itertools.count()

    def once() -> None:
        subject = f"{name}n{next(numbers)}"
        occasion = Occasion(dt.datetime.now(dt.UTC), "UTC")

        def decide(reader: Reader) -> Decision:
            state = memory.state(reader, "allocation", allocation.START, allocation.evolve)
            return randomization.decide(_STUDY, state, _FACTS, Randomize(subject), occasion)

        done = commit(ledger, act(f"randomize {subject}"), ["allocation", f"subject/{subject}"], decide)
        if not isinstance(done, Committed):
            raise RuntimeError(done.problems[0].say())

    return once


def randomize_rows(folder: Path, *, seconds: float, slots: int = SLOTS) -> Iterator[Row]:
    """Randomizations per second and their latencies at 1, 8 and 32 callers."""
    ledger = open_for_bench(folder)
    try:
        made = commit(
            ledger, act("publish"), ["allocation"], lambda _: (Append("allocation", _published(slots)),)
        )
        if not isinstance(made, Committed):
            raise RuntimeError(made.problems[0].say())
        memory = Memory()
        for callers in CALLERS:
            result = run_round(
                lambda worker, callers=callers: caller(ledger, memory, f"c{callers}w{worker}"),
                workers=callers, seconds=seconds, actions_max=slots // (len(CALLERS) * callers),
            )  # fmt: skip
            yield row_of(
                "randomize, on disk", f"{callers} caller{'s' if callers > 1 else ''}", "slots", result
            )
    finally:
        ledger.close()

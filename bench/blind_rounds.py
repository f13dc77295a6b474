"""Behind the second door: sealing and opening slots, cards, documents, and values that could tell the arm.

Slots and cards are made and opened in memory, one by one, as a ceremony and a code break do. A value is saved by the
room's decision on the subject's stream, under a wrapped key file, on disk before the answer.
"""

from __future__ import annotations

import datetime as dt
import itertools
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.ledger_rounds import act
from bench.rounds import Action, Round, run_round
from bench.table import Row, row_of
from equipoise.documents.card import EmergencyCard, cards_pdf
from equipoise.documents.code_break import BreakReport, code_break_pdf
from equipoise.documents.label import BagLabel, labels_pdf
from equipoise.documents.typeset import Issue
from equipoise.ledger.commit import Committed, commit
from equipoise.ledger.entries import Datum
from equipoise.ledger.facts import Decision, Occasion
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.reader import Reader
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.randomization.sealing import (
    NONCE_BYTES,
    SlotContent,
    SlotName,
    commitment,
    new_key,
    public_key,
    seal,
    unseal,
)
from equipoise.vault import values
from equipoise.vault.cards import make_card
from equipoise.vault.facts import VaultFacts
from equipoise.vault.folding import Memory
from equipoise.vault.open_card import open_card, read_text
from equipoise.words.problem import Problem
from equipoise.words.text import Text

STUDY = Path(__file__).resolve().parent.parent / "studies" / "nct07197606"
CARDS = 4
ARMS = (Text("One arm", "甲组"), Text("Another arm", "乙组"))
_ISSUE = Issue("DEMO-0001", dt.date(2026, 8, 14), rehearsal=True)
_FACTS = VaultFacts(subject_site="01")


def blind_rows(folder: Path, *, seconds: float) -> Iterator[Row]:
    """Every row about the second door; `seconds` is the time of one round."""
    yield from _slot_rows(seconds)
    yield from _document_rows(seconds)
    yield from _value_rows(folder, seconds)


def _alone(once: Action, seconds: float) -> Round:
    return run_round(lambda _: once, workers=1, seconds=seconds)


def _slot_rows(seconds: float) -> Iterator[Row]:
    key, name = new_key(secrets.token_bytes), SlotName("bench", "ALL", 1)
    content, recipient = SlotContent(1, secrets.token_bytes(NONCE_BYTES)), public_key(key)
    committed, sealed = commitment(name, content), seal(name, content, recipient, secrets.token_bytes)
    yield row_of(
        "seal a slot", "for one person", "slots",
        _alone(lambda: _forget(seal(name, content, recipient, secrets.token_bytes)), seconds),
    )  # fmt: skip
    yield row_of(
        "open a slot", "commitment compared", "slots",
        _alone(lambda: _forget(unseal(name, sealed, key, committed)), seconds),
    )  # fmt: skip
    card = make_card("DEMO-0001", "R00001", 1, content.nonce, ARMS, secrets.token_bytes)
    yield row_of(
        "make an emergency card", "scrypt at 16 MB", "cards", _alone(lambda: _forget(_card(content)), seconds)
    )
    yield row_of(
        "open an emergency card", "text and code", "cards",
        _alone(lambda: _forget(open_card(read_text(card.text), card.code)), seconds),
    )  # fmt: skip


def _card(content: SlotContent) -> EmergencyCard:
    return make_card("DEMO-0001", "R00001", content.arm, content.nonce, ARMS, secrets.token_bytes)


def _forget(value: object) -> None:
    if isinstance(value, Problem):
        raise RuntimeError(value.say())


def _document_rows(seconds: float) -> Iterator[Row]:
    cards = [_card(SlotContent(1, secrets.token_bytes(NONCE_BYTES))) for _ in range(CARDS)]
    label = BagLabel("482139", "2026-08-14 13:45 +08:00", "01001")
    report = BreakReport("01001", "R00001", "01", "A", ())
    made: tuple[tuple[str, Callable[[], bytes]], ...] = (
        ("label of a bag", lambda: labels_pdf([label], _ISSUE)),
        ("report, one page", lambda: code_break_pdf(report, _ISSUE)),
        (f"{CARDS} emergency cards", lambda: cards_pdf(cards, ARMS, _ISSUE)),
    )
    for name, make in made:
        make()  # the first document of a process looks for fonts
        yield row_of("set a document", name, "files", _alone(lambda make=make: _forget(make()), seconds))


def _value_rows(folder: Path, seconds: float) -> Iterator[Row]:
    study = load_study(STUDY)
    ledger = open_ledger(folder, write=True, create=True, wrap=secrets.token_bytes(32))
    if not isinstance(study, Study) or isinstance(ledger, Problem):
        raise RuntimeError("the study or the ledger of the bench cannot be opened")
    try:
        for writers in (1, 8):
            result = run_round(
                lambda worker, writers=writers: saver(ledger, study, f"w{writers}x{worker}"),
                workers=writers,
                seconds=seconds,
            )
            with_whom = f"{writers} writers" if writers > 1 else "1 writer"
            yield row_of("save revealing values, on disk", with_whom, "saves", result)
    finally:
        ledger.close()


def saver(ledger: Ledger, study: Study, name: str) -> Action:
    """What one laboratory desk does again and again: three values of one participant's immunology form."""
    visit = next(
        visit.id for visit in study.schedule.visits if study.form("IMMUN") in study.forms_at(visit.id)
    )
    numbers, memory, seen = itertools.count(), Memory(), itertools.count()

    def once() -> None:
        number = next(numbers)
        given = {
            item: Datum(f"{30 + (number + place) % 40}.5") for place, item in enumerate(("CD3", "CD4", "CD8"))
        }
        command = values.RecordValues(name, visit, "IMMUN", 1, given, 10**9)
        occasion = Occasion(dt.datetime.now(dt.UTC), "Asia/Shanghai", (f"{name}{next(seen)}",))
        (stream,) = values.streams(command)

        def decide(reader: Reader) -> Decision:
            state = memory.state(reader, "values", (stream,), values.START, values.evolve)
            return values.decide(study, state, _FACTS, command, occasion)

        done = commit(ledger, act(f"{name} {number}"), (stream,), decide)
        if not isinstance(done, Committed):
            raise RuntimeError(done.problems[0].say())

    return once

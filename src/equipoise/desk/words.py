"""Captured values as people read them, the answers offered, and tasks in words."""

from __future__ import annotations

from equipoise.capture.evolve import is_empty
from equipoise.capture.quantified import decoded
from equipoise.capture.questions import Question
from equipoise.desk.views import Option, Task
from equipoise.ledger.entries import Datum
from equipoise.protocol.study import Study
from equipoise.words.codelists import MISSING
from equipoise.words.kept import Kept
from equipoise.words.problem import problem
from equipoise.words.text import Text

YES_NO = (Option("Y", Text("Yes", "是"), "y"), Option("N", Text("No", "否"), "n"))


def options(study: Study, asked: Question) -> tuple[Option, ...]:
    """The answers that can be chosen, each with its key; none for an item that is typed."""
    return _OFFERED(study)(asked)


def _offered(study: Study) -> Kept[Question, tuple[Option, ...]]:
    return Kept(lambda asked: _options(study, asked), _QUESTIONS_AT_MOST)


_STUDIES_AT_MOST, _QUESTIONS_AT_MOST = 64, 20000
_OFFERED = Kept(_offered, _STUDIES_AT_MOST)


def _options(study: Study, asked: Question) -> tuple[Option, ...]:
    if asked.scored is not None:
        digits = all(option.score < 10 for option in asked.scored.options)
        return tuple(
            Option(str(option.score), option.label, str(option.score if digits else position))
            for position, option in enumerate(asked.scored.options)
        )
    item = asked.own
    if item is None or item.type not in {"code", "truth"}:
        return ()
    if item.type == "truth":
        return YES_NO
    codelist = study.codelist(item.codelist or "")
    terms = codelist.terms if codelist is not None else ()
    return tuple(
        Option(term.code, term.decode, str(position) if position < 10 else "")
        for position, term in enumerate(terms, start=1)
    )


def missing_options(asked: Question) -> tuple[Option, ...]:
    """The codes offered instead of a value."""
    return tuple(
        Option(code, MISSING[code], "u" if code == "UN" else "", missing=True)
        for code in asked.missing
        if code in MISSING
    )


def shown(study: Study, asked: Question | None, datum: Datum) -> Text | None:
    """A datum in words: the score with its label, the decoded code, the reason there is none; None when empty."""
    if is_empty(datum):
        return None
    if datum.missing is not None:
        decode = decoded(datum.missing)
        why = f" ({datum.why})" if datum.why else ""
        return Text(f"{datum.missing} {decode.en}{why}", f"{datum.missing} {decode.say('zh')}{why}")
    value = datum.value or ""
    chosen = (
        next((one for one in options(study, asked) if one.code == value), None) if asked is not None else None
    )
    if chosen is None:
        unit = f" {asked.own.unit}" if asked is not None and asked.own is not None and asked.own.unit else ""
        if datum.entered and datum.unit:
            return Text(f"{datum.entered} {datum.unit} (= {value}{unit})")
        return Text(value + unit)
    if asked is not None and asked.scored is not None:
        return Text(f"{value} {chosen.label.en}", f"{value} {chosen.label.say('zh')}")
    return chosen.label


def task(kind: str, number: str, place: tuple[str, ...] = (), since: str = "", **words: str | Text) -> Task:
    """A task for the subject with this screening number; `words` are put into the message of its kind."""
    key = f"desk.task-{kind.replace('_', '-')}"
    return Task(kind, key, problem(key, "", number=number, **words).arguments, number, place, since)

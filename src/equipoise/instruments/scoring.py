"""Scoring: from answers to totals, and what is certain of a total while an answer is lacking.

The rules that must stay true: a total is given only when no item is missing; an untestable item adds what its
scale says (NIHSS: 0) and is named beside the total; `bounds` holds every value that the total could have had if
all items had been scored, so the official value lies in it and each further answer can only narrow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from equipoise.instruments.scales import Answer, Scale, ScaleItem, Total
from equipoise.words.codelists import MISSING
from equipoise.words.interval import Interval
from equipoise.words.kept import Kept
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class TotalScore:
    """A total as far as it is known.

    official: the value by the scale's own rule; None while an item is missing, or untestable where the scale
    gives no total then. bounds: all values it could have. untestable, missing: item ids, in the scale's order.
    closed: items that were not counted because their gate is closed.
    """

    total: Total
    official: Decimal | None
    bounds: Interval
    untestable: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Known:
    """One item's part in a total: the lowest and highest it may be, and what counts officially (None: nothing)."""

    low: int
    high: int
    counts: int | None
    state: str  # scored, untestable, missing, closed


@dataclass(frozen=True, slots=True)
class Assessment:
    """What answers say: item id -> the scores it may have; test code -> total or derived value."""

    bounds: Mapping[str, Interval]
    totals: Mapping[str, TotalScore]


def item_bounds(item: ScaleItem, answer: Answer | None) -> Interval:
    """The scores that an item may truly have: its score, or all of its range when it has none.

    Raises ValueError for an answer that the item does not allow: check it first with `answer_problem`.
    """
    known = _known(item, answer)
    return Interval(Decimal(known.low), Decimal(known.high))


def score(scale: Scale, answers: Mapping[str, Answer]) -> Mapping[str, TotalScore]:
    """Every total of the scale by test code, from answers by item id.

    Ids that are no items of the scale are not looked at: an answer under a wrong name leaves its item missing
    and thereby the total open. Raises ValueError for an answer that its item does not allow.
    """
    return _read(scale, answers).totals


def assess(scale: Scale, answers: Mapping[str, Answer]) -> Assessment:
    """Everything that answers say: the bounds of each item, every total and every derived value.

    Raises ValueError as `score` does.
    """
    return _read(scale, answers).assessment


def derive(scale: Scale, answers: Mapping[str, Answer]) -> Mapping[str, TotalScore]:
    """Every derived value of the scale (NIHSS motor, paretic arm, leg; MMSE domains), as `score` gives totals."""
    totals = _read(scale, answers).assessment.totals
    return {total.testcd: totals[total.testcd] for total in scale.derived}


def graded(scale: Scale, item_id: str, quantity: Decimal) -> int | None:
    """The score of an item that is read off a measured quantity (FMA speed: seconds slower than the other side).

    None where the scale has no such rule for the item. A negative quantity (faster) counts like 0.
    """
    measure = next((measure for measure in scale.measures if measure.item == item_id), None)
    if measure is None:
        return None
    return next((level for level, below in measure.levels if below is None or quantity < below), None)


def answer_problem(item: ScaleItem, answer: Answer, *, explained: bool) -> Problem | None:
    """Why an answer cannot be recorded for an item, or None. `explained`: a reason stands beside the code."""
    if isinstance(answer, bool) or (isinstance(answer, int) and not item.allows(answer)):
        allowed = ", ".join(str(value) for value in item.scores)
        return problem("instruments.score-not-allowed", item.id, score=answer, allowed=allowed)
    if isinstance(answer, int):
        return None
    if answer not in MISSING:
        return problem("instruments.code-unknown", item.id, code=answer)
    if answer == "UN" and item.untestable is None:
        return problem("instruments.untestable-not-offered", item.id)
    needs_words = item.untestable is not None and item.untestable.explain and answer == item.untestable.code
    if needs_words and not explained:
        return problem("instruments.untestable-unexplained", item.id)
    return None


def read_answer(value: str | None, missing: str | None) -> Answer | None:
    """The answer in a captured value: its text as a whole number, or its missing code; None where both are empty.

    Raises ValueError when the text is not a whole number: such a value was never allowed to be recorded.
    """
    if missing:
        return missing
    return None if value is None or value == "" else int(value)


def unanswered(scale: Scale, answers: Mapping[str, Answer]) -> tuple[str, ...]:
    """Ids of items that still need an answer: no score and no code, not optional, not behind a closed gate."""
    return _read(scale, answers).unanswered


def unmet_expectations(scale: Scale, answers: Mapping[str, Answer]) -> tuple[str, ...]:
    """Ids of the scale's expectations that the answers contradict; unanswered items contradict nothing."""
    return tuple(
        expectation.id
        for expectation in scale.expectations
        if all(answers.get(item) in scores for item, scores in expectation.given.items())
        and any(
            isinstance(answers.get(item), int) and answers[item] not in scores
            for item, scores in expectation.expected.items()
        )
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one set of answers says, worked out once: one save of a form asks for it many times."""

    assessment: Assessment
    totals: Mapping[str, TotalScore]
    unanswered: tuple[str, ...]


class _Handle:
    """A scale by its identity: its own fields have no hash, and it is the same object for as long as it is used."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale


_SCALES_AT_MOST = 500
_HANDLES = Kept(_Handle, _SCALES_AT_MOST)


def _read(scale: Scale, answers: Mapping[str, Answer]) -> _Reading:
    handle = _HANDLES(scale)
    # The kind of each answer is part of the key: True equals 1, and is no score.
    return _worked_out(handle, tuple((type(given), given) for given in map(answers.get, _ids(handle))))


@lru_cache(maxsize=_SCALES_AT_MOST)
def _ids(handle: _Handle) -> tuple[str, ...]:
    return tuple(item.id for item in handle.scale.items)


@lru_cache(maxsize=2048)
def _worked_out(handle: _Handle, given: tuple[tuple[type, Answer | None], ...]) -> _Reading:
    scale = handle.scale
    answers = {
        item.id: answer for item, (_, answer) in zip(scale.items, given, strict=True) if answer is not None
    }
    parts = _parts(scale, answers)
    own = {item.id: _known(item, answers.get(item.id)) for item in scale.items} if scale.gates else parts
    every = {total.testcd: _total(total, parts) for total in (*scale.totals, *scale.derived)}
    return _Reading(
        Assessment(
            {item: Interval(Decimal(known.low), Decimal(known.high)) for item, known in own.items()}, every
        ),
        {total.testcd: every[total.testcd] for total in scale.totals},
        tuple(
            item.id
            for item in scale.items
            if item.id not in answers and not item.optional and parts[item.id].state != "closed"
        ),
    )


def _parts(scale: Scale, answers: Mapping[str, Answer]) -> dict[str, _Known]:
    parts = {item.id: _known(item, answers.get(item.id)) for item in scale.items}
    tops = {item.id: item.maximum for item in scale.items}
    for gate in scale.gates:
        if any(parts[item].high < tops[item] for item in gate.opened_by):
            parts[gate.item] = _Known(0, 0, 0, "closed")
        elif any(parts[item].low < tops[item] for item in gate.opened_by):
            behind = parts[gate.item]
            parts[gate.item] = _Known(0, behind.high, behind.counts, behind.state)
    return parts


def _known(item: ScaleItem, answer: Answer | None) -> _Known:
    if answer is not None and answer_problem(item, answer, explained=True) is not None:
        raise ValueError(f"{item.testcd}: {answer!r} is not an answer of this item")
    if isinstance(answer, int):
        return _Known(answer, answer, answer, "scored")
    if answer is not None and item.untestable is not None and answer == item.untestable.code:
        return _Known(item.minimum, item.maximum, item.untestable.counts, "untestable")
    return _Known(item.minimum, item.maximum, None, "missing")


def _total(total: Total, parts: Mapping[str, _Known]) -> TotalScore:
    mine = [(item, parts[item]) for item in total.items]
    counted = [part.counts for _, part in mine if part.counts is not None]
    known = len(counted) == len(mine)
    return TotalScore(
        total=total,
        official=Decimal(_combine(total, counted)) if known else None,
        bounds=Interval(
            Decimal(_combine(total, (part.low for _, part in mine))),
            Decimal(_combine(total, (part.high for _, part in mine))),
        ),
        untestable=tuple(item for item, part in mine if part.state == "untestable"),
        missing=tuple(item for item, part in mine if part.state == "missing"),
        closed=tuple(item for item, part in mine if part.state == "closed"),
    )


def _combine(total: Total, values: Iterable[int]) -> int:
    return sum(values) if total.rule == "sum" else max(values)

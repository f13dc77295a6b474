"""Answers on a scale as a value of the expression language.

The rules that must stay true: `total` is the scale's official total and unknown while an item is missing; `range`
holds every total that is possible; a missing or untestable item is the interval of its scores and says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from equipoise.instruments import Answer, Scale, TotalScore, assess, limited, scale
from equipoise.protocol.expressions import InstrumentValue, Number, Reason
from equipoise.protocol.expressions.values import REASON_OF_MISSING, Reasons
from equipoise.protocol.forms import Form
from equipoise.words.interval import ANYTHING


def scale_of(form: Form) -> Scale | None:
    """The scale on a form, limited to the parts that the form asks for; None where the form has none."""
    return _limited(form.instrument, form.parts) if form.instrument else None


@cache
def _limited(instrument: str, parts: tuple[str, ...]) -> Scale | None:
    found = scale(instrument)
    return limited(found, parts) if found is not None else None


def instrument_value(used: Scale, answers: Mapping[str, Answer], name: str) -> InstrumentValue:
    """What the answers say. `name` is the name in the scope: reasons point at `name["item"]`.

    `parts` has every total and derived value of the scale by its test code.
    Raises ValueError for an answer that its item does not allow.
    """
    why = {item.id: _reason(name, item.id, answers.get(item.id)) for item in used.items}
    found = assess(used, answers)
    totals = found.totals
    main = totals[used.main_total.testcd]
    bounds = main.bounds
    return InstrumentValue(
        total=_official(main, why),
        range=Number(bounds, None, () if bounds.known else _because(main, why)),
        items={item.id: Number(found.bounds[item.id], None, why[item.id]) for item in used.items},
        parts={testcd: _official(total, why) for testcd, total in totals.items()},
    )


def _official(found: TotalScore, why: Mapping[str, Reasons]) -> Number:
    if found.official is not None:
        return Number.of(found.official)
    return Number(ANYTHING, None, _because(found, why))


def _because(found: TotalScore, why: Mapping[str, Reasons]) -> Reasons:
    return tuple(reason for item in (*found.missing, *found.untestable) for reason in why[item])


def _reason(name: str, item: str, answer: Answer | None) -> Reasons:
    if isinstance(answer, int):
        return ()
    kind = "missing" if answer is None else REASON_OF_MISSING.get(answer, "missing")
    return (Reason(kind, f'{name}["{item}"]'),)

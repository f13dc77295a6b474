"""Values of screening cases: from JSON to what the rules work on, by the type that the study declares.

The rule that must stay true: a value that cannot be (a wrong type, a code outside its list, a score that no item
has, a number beyond what its form item allows) is named with its case; it is never rounded, guessed or dropped.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from equipoise.instruments import Answer, Scale, ScaleItem, answer_problem, scale
from equipoise.protocol.assessments import instrument_value
from equipoise.protocol.expressions import Code, DateValue, Logical, Number, Reason, Value
from equipoise.protocol.study import Input, Study
from equipoise.words.codelists import MISSING
from equipoise.words.dates import parse_date
from equipoise.words.problem import Problem, problem, say
from equipoise.words.text import Text
from equipoise.words.truth import Truth

LETTERS: Mapping[str, Truth] = {"T": Truth.TRUE, "F": Truth.FALSE, "U": Truth.UNKNOWN}
_MISSING = (Reason("missing"),)
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?")
"""More digits than any measurement has, and fewer than an arithmetic of 34 digits would round."""
_OPEN_SCALE = {"example": '{"1": 0, "2": null}'}


def case_value(
    study: Study, label: str, word: str, declared: Input, value: object
) -> Value | tuple[Problem, ...]:
    """The value of one input of a case, or what is wrong with it. `word` is the name as the case gives it."""
    match declared.type:
        case "date":
            return _date(label, word, value)
        case "number":
            return _number(study, label, word, declared, value)
        case "truth":
            truth = case_truth(value)
            if truth is None:
                return (wrong(label, word, value, "eligibility.want-truth"),)
            return Logical(truth, _MISSING if truth is Truth.UNKNOWN else ())
        case "code":
            return _code(study, label, word, declared, value)
        case "instrument":
            used = scale(declared.instrument or "")
            if used is None:
                return (wrong(label, word, value, "eligibility.want-scores", _OPEN_SCALE),)
            return _assessment(label, word, declared, used, value)


def case_truth(value: object) -> Truth | None:
    """T, F, U, true, false or null as a truth; None for anything else."""
    if value is None or isinstance(value, bool):
        return Truth.of(value)
    return LETTERS.get(value) if isinstance(value, str) else None


def wrong(
    label: str, word: str, value: object, wanted: str, arguments: Mapping[str, str] | None = None
) -> Problem:
    """That `value` cannot stand under `word`; `wanted` is the message that says what can."""
    return problem(
        "eligibility.case-value-wrong", f"{label}: {word}", case=label, name=word, given=written(value),
        wanted=_wanted(wanted, arguments),
    )  # fmt: skip


def _wanted(key: str, arguments: Mapping[str, str] | None) -> Text:
    return Text(say(key, "en", arguments), say(key, "zh", arguments))


def written(value: object) -> str:
    """A JSON value as its file has it, cut where it is long."""
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)[:80]


def _date(label: str, word: str, value: object) -> Value | tuple[Problem, ...]:
    if value is None:
        return DateValue(None, _MISSING)
    date = parse_date(value) if isinstance(value, str) else None
    return DateValue(date) if date is not None else (wrong(label, word, value, "eligibility.want-date"),)


def _number(
    study: Study, label: str, word: str, declared: Input, value: object
) -> Value | tuple[Problem, ...]:
    form = study.form(declared.origin.form or "")
    item = form.item(declared.origin.item or "") if form is not None else None
    unit = item.unit if item is not None else None
    if value is None:
        return Number.unknown(*_MISSING, unit=unit)
    found = _decimal(value)
    low, high = (item.minimum, item.maximum) if item is not None else (None, None)
    if found is not None and item is not None and item.type == "integer" and not _whole(found):
        return (wrong(label, word, value, "eligibility.want-integer"),)
    if found is not None and (low is None or low <= found) and (high is None or found <= high):
        return Number.of(found, unit)
    if low is None or high is None:
        return (wrong(label, word, value, "eligibility.want-any-number"),)
    return (wrong(label, word, value, "eligibility.want-number", {"low": str(low), "high": str(high)}),)


def _whole(found: Decimal) -> bool:
    """Whether a number has no fraction; asked of the digits, for 1e999999999 as an integer would fill the memory."""
    return found == found.to_integral_value()


def _decimal(value: object) -> Decimal | None:
    """An integer, a decimal, a float as its shortest text, or the text of one, full width too; never a truth."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    text = unicodedata.normalize("NFKC", str(value)).strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _code(study: Study, label: str, word: str, declared: Input, value: object) -> Value | tuple[Problem, ...]:
    if value is None:
        return Code(None, _MISSING)
    codelist = study.codelist(declared.codelist or "")
    codes = [term.code for term in codelist.terms] if codelist is not None else None
    if isinstance(value, str) and (codes is None or value in codes):
        return Code(value)
    if codes is None:
        return (wrong(label, word, value, "eligibility.want-text"),)
    return (wrong(label, word, value, "eligibility.want-code", {"codes": ", ".join(codes)}),)


def _assessment(
    label: str, word: str, declared: Input, used: Scale, value: object
) -> Value | tuple[Problem, ...]:
    if value is None:
        return instrument_value(used, {}, declared.name)
    if not isinstance(value, dict):
        example = json.dumps({used.items[0].id: used.items[0].minimum})
        return (wrong(label, word, value, "eligibility.want-scores", {"example": example}),)
    answers: dict[str, Answer] = {}
    problems: list[Problem] = []
    for name, answer in value.items():
        item = used.item(str(name))
        if item is None:
            known = ", ".join(each.id for each in used.items)
            problems.append(
                problem(
                    "eligibility.case-item-unknown",
                    f"{label}: {word}",
                    case=label,
                    name=word,
                    item=name,
                    known=known,
                )
            )
        elif isinstance(answer, int | str) and answer_problem(item, answer, explained=True) is None:
            answers[item.id] = answer
        elif answer is not None:
            problems.append(_answer_wrong(label, word, item, answer))
    return tuple(problems) or instrument_value(used, answers, declared.name)


def _answer_wrong(label: str, word: str, item: ScaleItem, answer: object) -> Problem:
    offered = [code for code in MISSING if code != "UN"] + (["UN"] if item.untestable is not None else [])
    allowed = ", ".join([*(str(score) for score in item.scores), *offered])
    return problem(
        "eligibility.case-answer-wrong", f"{label}: {word}", case=label, name=word, item=item.id,
        given=written(answer), wanted=_wanted("eligibility.want-score", {"allowed": allowed}),
    )  # fmt: skip

"""The sheet of a form as the page and its script know it: rows for the template, strips for the script.

The rules that must stay true: a strip never carries an input, only notes, totals and state; a refusal says,
item by item, what is wrong and, for a stale page, what stands recorded now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.template.loader import get_template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from equipoise.capture.quantified import in_field, shown_limit
from equipoise.desk.explaining import ExplainView
from equipoise.desk.views import DerivedView, FormView, ItemView, Option, Outcome
from equipoise.documents.unit_writing import shown_unit
from equipoise.ledger.entries import Datum
from equipoise.web.entry import Given, fields, posted_fields, spoken_date
from equipoise.words.problem import Problem, problem, say
from equipoise.words.text import Language, Text


@dataclass(frozen=True, slots=True)
class Save:
    """One message of the page's script. `wish` is answer, close or raise; empty for a save of items."""

    key: str
    base: int
    items: Mapping[str, Datum]
    complete: bool
    reason: str | None
    client_at: str | None
    wish: str = ""
    target: str = ""
    text: str = ""
    hide: bool = False
    copied: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def read(sent: Any) -> Save:  # Any: JSON from outside
        """From JSON. Raises KeyError, TypeError, ValueError or AttributeError for what is none of ours."""
        items = {str(name): _datum(given) for name, given in sent.get("items", {}).items()}
        wish = str(sent.get("do", ""))
        if wish not in ("", "answer", "close", "raise") or not 8 <= len(str(sent["key"])) <= 64:
            raise ValueError("not a save of ours")
        return Save(
            key=str(sent["key"]),
            base=int(sent["base"]),
            items=items,
            complete=sent.get("complete") is True,
            reason=str(sent["reason"]) if sent.get("reason") else None,
            client_at=str(sent["client_at"])[:40] if sent.get("client_at") else None,
            wish=wish,
            target=str(sent.get("target", "")),
            text=str(sent.get("text", "")),
            hide=sent.get("hide") is True,
            copied={str(name): str(place) for name, place in sent.get("copied", {}).items()},
        )


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the sheet: their language, what they may do with queries, and whose form it is."""

    language: Language
    answers: bool
    closes: bool
    number: str = ""
    enters: bool = False
    here: str = ""
    """The form as an address names it: visit, form, repetition, joined by slashes."""
    refused: Mapping[str, ExplainView] = field(default_factory=dict)
    """Why checks refused the save that is answered, by the check."""


@dataclass(frozen=True, slots=True)
class Row:
    """One item for the template: the view, what its inputs hold, and what stands under it."""

    item: ItemView
    head: Text | None
    typed: str
    missing: str
    why: str
    units: tuple[
        tuple[str, str, bool], ...
    ]  # for each other unit: its code, its writing, and whether it is chosen
    choices: SafeString
    rest_choices: SafeString
    missing_chosen: bool
    notes: str
    wrong: bool
    unit: str


def rows(
    view: FormView, reader: Reader, shown: Iterable[Problem] = (), posted: Mapping[str, str] | None = None
) -> list[Row]:
    """The form's items. With `posted`, the inputs hold what was typed and not yet recorded."""
    by_item: dict[str, list[Problem]] = {}
    for one in shown:
        by_item.setdefault(one.where, []).append(one)
    made: list[Row] = []
    off = not view.editable
    section: Text | None = None
    for item in view.items:
        typed, missing, why, unit = _held(item, posted)
        wrong = by_item.get(item.id, [])
        offered = (*item.options, *(option for option in item.missing if option.key))
        rest = tuple(option for option in item.missing if not option.key)
        made.append(
            Row(
                item=item,
                head=item.section if item.section != section else None,
                typed=typed,
                missing=missing,
                why=why,
                units=tuple((code, shown_unit(code, reader.language), code == unit) for code in item.units),
                choices=choices(item, offered, reader.language, typed, off=off),
                rest_choices=choices(item, rest, reader.language, typed, off=off),
                missing_chosen=any(typed == f"!{option.code}" for option in rest),
                notes=notes(item, reader, wrong),
                wrong=bool(wrong),
                unit=shown_unit(item.unit, reader.language),
            )
        )
        section = item.section
    return made


def choices(
    item: ItemView, offered: tuple[Option, ...], language: Language, typed: str, *, off: bool
) -> SafeString:
    """The buttons of a choice, the one that holds checked; made of pieces, because a page has hundreds of them."""
    pieces = _pieces(item.id, offered, language, off)
    return SafeString(
        "".join(f"{before}{' checked' if value == typed else ''}{after}" for value, before, after in pieces)
    )


@lru_cache(maxsize=8192)
def _pieces(
    item: str,
    offered: tuple[Option, ...],
    language: Language,
    off: bool,  # noqa: FBT001  # part of the cache's key
) -> tuple[tuple[str, str, str], ...]:
    """For each option: its input's value, and the HTML before and after the mark that it is checked."""
    return tuple(_piece(item, option, language, off=off) for option in offered)


def _piece(item: str, option: Option, language: Language, *, off: bool) -> tuple[str, str, str]:
    value = f"!{option.code}" if option.missing else option.code
    shown = option.key.upper() if option.key else option.code if option.missing else ""
    label = option.label.say(language)
    before = format_html(
        '<label class="option{}"><input type="radio" name="v.{}"{} value="{}"{}',
        " missing" if option.missing else "",
        item,
        SafeString(" disabled") if off else "",
        value,
        format_html(' data-key="{}"', option.key) if option.key else "",
    )
    mark = format_html("<b>{}</b> ", shown) if shown else ""
    return (
        value,
        before,
        format_html("><span>{}{}</span></label>", mark, "" if label == option.key else label),
    )


def _held(item: ItemView, posted: Mapping[str, str] | None) -> Given:
    given = posted_fields(item, posted) if posted is not None else None
    return given or fields(item, item.value)


def notes(item: ItemView, reader: Reader, wrong: Iterable[Problem] = ()) -> str:
    """What stands under an item: problems, what was understood of a partial date, open queries; HTML, may be empty."""
    queries = [query for query in item.queries if query.state in {"OPEN", "ANSWERED"}]
    understood = None
    if item.control == "date" and item.value.value and item.value.value.count("-") < 2:
        understood = spoken_date(item.value.value)
    said, unit = shown_limit(item.value), shown_unit(item.unit, reader.language)
    if said is not None:
        side = "entry.above-limit" if said.startswith(">") else "entry.below-limit"
        understood = problem(side, value=said[1:], unit=unit)
    elif item.value.unit and item.value.value:
        understood = problem("entry.in-own-unit", value=item.value.value, unit=unit)
    problems = [(one, why(one, reader)) for one in wrong]
    told = item.range or item.event or item.offer or item.copied
    if not (queries or understood or problems or told):
        return ""
    context = {
        "problems": problems,
        "understood": understood,
        "queries": queries,
        "item": item,
        "may_enter": reader.enters,
        "range": item.range,
        "event": item.event,
        "here": reader.here,
        "language": reader.language,
        "may_answer": reader.answers,
        "may_close": reader.closes,
        "number": reader.number,
    }
    return str(_NOTES().render(context)).strip()


def why(one: Problem, reader: Reader) -> str:
    """The rule of a check that refused, part by part, with what it saw; HTML, empty for any other problem."""
    view = reader.refused.get(one.arguments.get("check", ""))
    if view is None:
        return ""
    return str(
        get_template("web/explain_part.html").render(
            part_context(view, refused=True, language=reader.language)
        )
    )


def part_context(view: ExplainView, **more: Any) -> dict[str, Any]:
    """What the part that explains a rule is written from."""
    return {
        "view": view,
        "hidden": [one for one in view.data if one.state != "shown"],
        "parts": [(part, 1 + min(part.depth, 8)) for part in view.parts],
        **more,
    }


def totals(view: FormView, language: Language) -> SafeString:
    """The totals panel; HTML, made of pieces, because every save is answered with it."""
    lines = [_total(derived, language, first=not place) for place, derived in enumerate(view.derived)]
    return SafeString("\n".join(lines))


def _total(derived: DerivedView, language: Language, *, first: bool) -> str:
    low, high = derived.bounds if derived.bounds else (derived.value, derived.value)
    own, beside, drawn = f' data-derived="{escape(derived.id)}"', "", ""
    if derived.maximum:
        own = ""
        beside = f' <small class="muted">{_say("web.of-maximum", language, n=derived.maximum)}</small>'
        drawn = _drawn(low, high, derived.maximum) if first and low and high else ""
    return (
        f'<div class="total{"" if first else " lesser"}">'
        f'<p class="muted">{escape(derived.label.say(language))}</p>\n'
        f'<p class="figure"><span{own}>{"—" if low is None else escape(low)}</span>{beside}</p>'
        f"{drawn}{_open(derived, low, high, language)}</div>"
    )


def _drawn(low: str, high: str, maximum: str) -> str:
    """The total on its scale, and what it could still become."""
    percent = 100 / float(maximum) if float(maximum) > 0 else 0.0
    share, span = percent * max(0.0, float(low)), percent * (float(high) - float(low))
    return (
        '<div class="scale" aria-hidden="true"><svg preserveAspectRatio="none" viewBox="0 0 100 1">'
        f'<rect width="{share:.1f}" height="1"/>'
        f'<rect x="{share:.1f}" width="{span:.1f}" height="1" opacity=".35"/></svg></div>'
    )


def _open(derived: DerivedView, low: str | None, high: str | None, language: Language) -> str:
    """What is missing or could not be tested, and where the total lies then."""
    count, one, some, lies = len(derived.missing), "web.one-missing", "web.some-missing", "web.total-lies"
    if not count:
        count, one, some = len(derived.untestable), "web.one-untestable", "web.some-untestable"
        lies = "web.total-truly-lies"
    if not count:
        return ""
    said = _say(one if count == 1 else some, language, n=str(count))
    if low != high:
        said += f" {_say(lies, language, low=low or '', high=high or '')}"
    return f'<p class="small">{said}</p>'


def _say(key: str, language: Language, **arguments: str) -> str:
    return escape(say(key, language, arguments))


def strip(view: FormView, outcome: Outcome, reader: Reader) -> dict[str, Any]:
    """What the script is told after an accepted save."""
    return {
        "accepted": True,
        "base": view.base,
        "at": outcome.at,
        "seq": outcome.seq,
        "replayed": outcome.replayed,
        **_standing(view, reader),
    }


def refusal(
    shown: Iterable[Problem], view: FormView, reader: Reader, theirs: Mapping[str, list[str]]
) -> dict[str, Any]:
    """What the script is told after a refused save: what is wrong where, what stands recorded now, and whose it is."""
    return {
        "accepted": False,
        "base": view.base,
        "theirs": dict(theirs),
        "problems": [
            {"where": one.where, "rule": one.rule, "says": one.say(reader.language), "why": why(one, reader)}
            for one in shown
        ],
        **_standing(view, reader),
    }


def _standing(view: FormView, reader: Reader) -> dict[str, Any]:
    """State, counts, totals, notes, and what is recorded: the base covers every item, so the page must see them all."""
    language = reader.language
    return {
        "state": view.state,
        "state_says": say(f"web.state-{view.state.replace('_', '-')}", language),
        "reason_needed": view.reason_needed,
        "left": len(view.missing_items),
        "left_says": left(view, language),
        "totals": totals(view, language),
        "values": {
            item.id: [*in_field(item.value), item.value.unit or ""]
            for item in view.items
            if (item.value.value or item.value.missing) and not item.revealing
        },
        "notes": {item.id: html for item in view.items if (html := notes(item, reader))},
        "hidden": [item.id for item in view.items if not item.visible],
        "changed": [item.id for item in view.items if item.changed],
    }


def left(view: FormView, language: Language) -> str:
    """How many items are left, in words."""
    number = len(view.missing_items)
    key = {0: "web.none-left", 1: "web.one-left"}.get(number, "web.some-left")
    return say(key, language, {"n": str(number)})


def _datum(given: Any) -> Datum:  # Any: JSON from outside
    value, missing, why, unit = (str(given.get(name, "")) for name in ("value", "missing", "why", "unit"))
    told = why.strip() or None if missing else None
    return Datum(value or None, missing or None, told, unit=unit or None if value else None)


def _NOTES() -> Any:  # noqa: N802  # Any: Django's template; asked late because settings come first
    return get_template("web/notes.html")

"""Two people changed one item: both values, who recorded the other one and when, and which is to stay.

The rule that must stay true: a page without script asks as the script does; no value is overwritten by somebody who was
not shown it, and none that was typed is dropped without that person saying so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from equipoise.capture.quantified import in_field
from equipoise.desk.views import FormView, HistoryRow, ItemView
from equipoise.ledger.entries import Datum
from equipoise.web import entry
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class Conflict:
    """One item: what the person typed, what somebody else recorded, and whose that is."""

    item: str
    label: Text
    mine: Text
    theirs: Text
    who: str
    at: str


def conflicts(
    view: FormView, shown: Iterable[Problem], posted: Mapping[str, str], history: Sequence[HistoryRow]
) -> list[Conflict]:
    """The conflicts that some problems tell of; `history` is that of the form, newest first."""
    stale = [one.where for one in shown if one.rule in (entry.STALE, "entry.conflict-choose")]
    items = {item.id: item for item in view.items}
    found = []
    for name in stale:
        given = entry.posted_fields(items[name], posted) if name in items else None
        last = next((row for row in history if row.item == name), None)
        if given is None or last is None:
            continue
        item = items[name]
        mine = spoken(item, entry.datum(item, given))
        found.append(Conflict(name, item.label, mine, spoken(item, item.value), last.who, last.at_site))
    return found


def undecided(view: FormView, posted: Mapping[str, str]) -> tuple[Problem, ...]:
    """The items that the page asked about and nobody decided."""
    asked = posted.get("conflicts", "").split()
    return tuple(
        problem("entry.conflict-choose", item.id, item=item.label)
        for item in view.items
        if item.id in asked and posted.get(f"keep.{item.id}") not in ("mine", "theirs")
    )


def kept(changed: Mapping[str, Datum], posted: Mapping[str, str]) -> dict[str, Datum]:
    """The changes without the items for which the recorded value is to stay."""
    return {name: datum for name, datum in changed.items() if posted.get(f"keep.{name}") != "theirs"}


def who_recorded(shown: Iterable[Problem], history: Sequence[HistoryRow]) -> dict[str, list[str]]:
    """Item -> who changed it last and when, for the stale items among some problems."""
    stale = {one.where for one in shown if one.rule == entry.STALE}
    return {row.item: [row.who, row.at_site] for row in reversed(history) if row.item in stale}


def spoken(item: ItemView, datum: Datum) -> Text:
    """A datum as people read it: the answer's words, the value, or the code."""
    held, missing = in_field(datum)
    code = missing or held
    label = next((one.label for one in (*item.options, *item.missing) if one.code == code), None)
    return label if label is not None else Text(code or "–")

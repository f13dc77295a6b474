"""From the fields of a form to a `Datum`.

The rule that must stay true: the web reads nothing into what was typed. It tells a value from a missing code and
hands both on as typed; what they mean, and whether they are allowed, is capture's to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from equipoise.capture.quantified import in_field
from equipoise.desk.views import ItemView
from equipoise.ledger.entries import Datum
from equipoise.words.problem import Problem, problem

Given = tuple[str, str, str, str]
"""What the fields of an item hold: value, missing code, why, and the unit where it is not the item's own."""
STALE = "capture.stale"
MISSING_MARK = "!"
"""In a choice, the field of a missing code holds the code after this mark: `!ND`."""


def datum(item: ItemView, given: Given) -> Datum:
    """The datum of one item, as typed. Empty fields are an emptied item."""
    typed, missing, why, unit = given
    if item.control == "choice" and typed.startswith(MISSING_MARK):
        typed, missing = "", typed.removeprefix(MISSING_MARK)
    told = why.strip() or None if missing else None
    return Datum(typed or None, missing or None, told, unit=unit or None if typed else None)


def fields(item: ItemView, recorded: Datum) -> Given:
    """What the fields of an item hold for a recorded datum: the inverse of `datum`."""
    why = recorded.why or ""
    if item.control == "choice" and recorded.missing:
        return f"{MISSING_MARK}{recorded.missing}", "", why, ""
    return *in_field(recorded), why, recorded.unit or ""


def posted_fields(item: ItemView, posted: Mapping[str, str]) -> Given | None:
    """The fields of an item in a form sent without script; None where the form does not bring them."""
    if item.revealing or not (f"v.{item.id}" in posted or f"m.{item.id}" in posted):
        return None
    value, missing, why, unit = (posted.get(f"{field}.{item.id}", "") for field in "vmwu")
    return value, missing, why, unit


def changes(items: tuple[ItemView, ...], posted: Mapping[str, str]) -> dict[str, Datum]:
    """What a form sent without script changes: items whose fields hold something else than what is recorded."""
    found: dict[str, Datum] = {}
    for item in items:
        given = posted_fields(item, posted)
        if given is None:
            continue
        now = datum(item, given)
        if now != datum(item, fields(item, item.value)):
            found[item.id] = now
    return found


def base_of(posted: Mapping[str, str], name: str = "base") -> int:
    """Up to where its page had read a form; 0 where it does not say: then all that is recorded counts as unseen."""
    text = posted.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


def base_after(refused: Iterable[Problem], seen: int, now: int) -> int:
    """Up to where the page of a refused save has read: no further than before, unless it asks about what came since.

    Its fields hold what was typed over what was read then. Were it to say that it had read what others recorded since,
    saving again would write over that unseen.
    """
    return now if any(one.rule == STALE for one in refused) else min(seen, now)


def not_asked(items: tuple[ItemView, ...], posted: Mapping[str, str]) -> str:
    """What a form brings for items that are not on the page: it was opened under another version of the definition."""
    known = {item.id for item in items}
    strange = {name[2:]: value for name, value in posted.items() if name[:2] == "v." and value.strip()}
    return ", ".join(f"{name} = {value}" for name, value in strange.items() if name not in known)


def spoken_date(iso: str) -> Problem:
    """What was understood of a date, as a message: which parts are known."""
    key = {0: "web.date-year-only", 1: "web.date-no-day"}.get(iso.count("-"), "web.date-complete")
    return problem(key, date=iso)

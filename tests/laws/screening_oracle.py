"""A second screening of the first study, written from the reference notes alone (domain.md 4, domain.json instruments).

It knows nothing of the program: plain values in, letters out. True, False and None stand for T, F and U. It is asked
only what the notes answer; `Contradiction` where a case says both a criterion and its opposite.
"""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Any

NAMES = {
    "I01": ("birth", "consent", "age"),
    "I02": ("onset", "ref"),
    "I03": ("stroke_type", "circulation", "qualifying_anterior"),
    **dict.fromkeys(("I04", "I05", "I06"), ("nihss",)),
    "I07": ("participant_signed", "capacity_lacking", "lr_signed"),
    "E01": ("epilepsy", "dementia", "parkinson", "severe_depression", "other_neuro_psych"),
    "E02": ("ich_current", "ich_history"),
    "E03": ("prestroke_mrs",),
    "E04": ("severe_cv",),
    "E05": ("severe_pulm",),
}
MOST = dict.fromkeys(("1b", "1c", "2", "7", "8", "10", "11"), 2) | dict.fromkeys(("1a", "3", "4", "9"), 3)
MOST |= dict.fromkeys(("5a", "5b", "6a", "6b"), 4)
LETTER = {True: "T", False: "F", None: "U"}


class Contradiction(Exception):
    """A criterion is stated and its inputs say the opposite."""


def both(*truths: bool | None) -> bool | None:
    """Strong Kleene AND: the minimum."""
    return False if False in truths else None if None in truths else True


def either(*truths: bool | None) -> bool | None:
    """Strong Kleene OR: the maximum."""
    return True if True in truths else None if None in truths else False


def within(span: tuple[float, float] | None, low: int, high: int) -> bool | None:
    """Whether an interval lies inside (True) or outside (False) of `low` to `high`, both included."""
    if span is None or (span[0] < low <= span[1]) or (span[0] <= high < span[1]):
        return None
    return low <= span[0] and span[1] <= high


def day_span(text: str | None) -> tuple[dt.date, dt.date] | None:
    """First and last day that a date of full or reduced precision may be."""
    if text is None:
        return None
    parts = [int(part) for part in text.split("-")]
    year, first, last = parts[0], (parts[1:2] or [1])[0], (parts[1:2] or [12])[0]
    if len(parts) == 3:
        return dt.date(*parts), dt.date(*parts)
    return dt.date(year, first, 1), dt.date(year, last, calendar.monthrange(year, last)[1])


def days(given: dict[str, Any]) -> tuple[int, int] | None:
    """Days from onset to the reference date."""
    onset, ref = day_span(given.get("onset")), day_span(given.get("ref"))
    if onset is None or ref is None:
        return None
    return (ref[0] - onset[1]).days, (ref[1] - onset[0]).days


def age(given: dict[str, Any]) -> tuple[float, float] | None:
    """Completed years on the day of consent, and as stated; None where the two contradict each other."""

    def years(born: dt.date, on: dt.date) -> int:
        return on.year - born.year - ((on.month, on.day) < (born.month, born.day))

    born, on = day_span(given.get("birth")), day_span(given.get("consent"))
    low, high = (
        (years(born[1], on[0]), years(born[0], on[1])) if born and on else (float("-inf"), float("inf"))
    )
    stated = given.get("age")
    if stated is None:
        return low, high
    return (stated, stated) if low <= stated <= high else None


def nihss(given: dict[str, Any]) -> tuple[dict[str, Any], tuple[int, int], int | None]:
    """Items by name, the range of the total (domain.md 3 and 4), and the official total (UN is 0; none if one lacks)."""
    items = {item: (given.get("nihss") or {}).get(item) for item in MOST}
    known = [score for score in items.values() if isinstance(score, int)]
    spare = sum(MOST[item] for item, score in items.items() if not isinstance(score, int))
    whole = all(isinstance(score, int) or score == "UN" for score in items.values())
    return items, (sum(known), sum(known) + spare), sum(known) if whole else None


def truth(value: Any) -> bool | None:
    return {"T": True, "F": False, True: True, False: False}.get(value) if value != "U" else None


def criteria(given: dict[str, Any]) -> dict[str, bool | None]:
    """I01 to E05 from what was given."""
    yes = {name: truth(given.get(name)) for names in NAMES.values() for name in names if name != "nihss"}
    items, total, _ = nihss(given)
    kind, place, grade = given.get("stroke_type"), given.get("circulation"), given.get("prestroke_mrs")
    limbs = [
        None if not isinstance(items[item], int) else items[item] >= 2 for item in ("5a", "5b", "6a", "6b")
    ]
    lacking = yes["capacity_lacking"]
    anterior = (
        yes["qualifying_anterior"] if place == "BOTH" else None if place is None else place == "ANTERIOR"
    )
    return {
        "I01": within(age(given), 18, 70),
        "I02": within(days(given), 14, 90),
        "I03": both(None if kind is None else kind == "ISCHEMIC", anterior),
        "I04": within(total, 6, 20),
        "I05": either(*limbs),
        "I06": items["1a"] < 2 if isinstance(items["1a"], int) else None,
        # a signature counts unless capacity is recorded as lacking; a representative's only when it is
        "I07": either(both(yes["participant_signed"], lacking is not True), both(lacking, yes["lr_signed"])),
        "E01": either(*(yes[name] for name in NAMES["E01"])),
        "E02": either(*(yes[name] for name in NAMES["E02"])),
        "E03": None if grade is None else grade > 1,
        "E04": yes["severe_cv"],
        "E05": yes["severe_pulm"],
    }


def stratum(given: dict[str, Any]) -> str | None:
    """Official total 6-12 or 13-20, and 14-45 or 46-90 days: a code, or None unless both are certain."""
    _, _, total = nihss(given)
    group = (
        None if total is None else "N6-12" if 6 <= total <= 12 else "N13-20" if 13 <= total <= 20 else None
    )
    early, late = within(days(given), 14, 45), within(days(given), 46, 90)
    span = "D14-45" if early else "D46-90" if late else None
    return f"{group}/{span}" if group and span else None


def screen(given: dict[str, Any]) -> dict[str, Any]:
    """The verdict on one case, as DESIGN 9 lays it out (without the case's name)."""
    found = criteria(given)
    for name in found:
        if name in given:
            stated = truth(given[name])
            if None not in (stated, found[name]) and stated is not found[name]:
                raise Contradiction(name)
            found[name] = stated
    incl = both(*(value for name, value in found.items() if name[0] == "I"))
    excl = either(*(value for name, value in found.items() if name[0] == "E"))
    shown = {name: value for name, value in found.items() if name in given or set(NAMES[name]) & set(given)}
    verdict: dict[str, Any] = {
        "results": {name: LETTER[value] for name, value in {**shown, "INCL": incl, "EXCL": excl}.items()},
        "decision": "ELIGIBLE"
        if incl and excl is False
        else "INELIGIBLE"
        if incl is False or excl
        else "NOT_EVALUABLE",
    }
    if "nihss" in given:
        verdict["total"] = list(nihss(given)[1])
    if {"nihss", "onset", "ref"} & set(given):
        verdict["stratum"] = stratum(given)
    return verdict

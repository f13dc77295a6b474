"""What must hold of the first study's rules whatever is known of a person."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.eligibility.screen import screen_cases
from equipoise.instruments import scale
from equipoise.protocol.study import Study

NIHSS = scale("NIHSS")
assert NIHSS is not None
TRUTH = st.sampled_from(["T", "F", "U"])
DAY = st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31)).map(dt.date.isoformat)
BIRTH = st.dates(dt.date(1950, 1, 1), dt.date(2012, 12, 31)).map(dt.date.isoformat)


def shortened(days: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Dates of which the day, or day and month, may be unknown."""
    return st.tuples(days, st.sampled_from([10, 7, 4])).map(lambda pair: pair[0][: pair[1]])


SCORES = st.fixed_dictionaries(
    {
        item.id: st.sampled_from([*item.scores, None, *(["UN"] if item.untestable else [])])
        for item in NIHSS.items
    }
)
TRUTHS = [
    "participant_signed", "lr_signed", "epilepsy", "dementia", "parkinson", "severe_depression", "other_neuro_psych", "ich_current",
    "ich_history", "severe_cv", "severe_pulm", "qualifying_anterior",
]  # fmt: skip
PERSON = st.fixed_dictionaries(
    {"capacity_lacking": TRUTH},
    optional={
        "birth": shortened(BIRTH),
        "consent": shortened(DAY),
        "age": st.integers(15, 75),
        "onset": shortened(DAY),
        "ref": DAY,
        "stroke_type": st.sampled_from(["ISCHEMIC", "HEMORRHAGIC"]),
        "circulation": st.sampled_from(["ANTERIOR", "POSTERIOR", "BOTH"]),
        "nihss": SCORES,
        "prestroke_mrs": st.integers(0, 5),
        **dict.fromkeys(TRUTHS, TRUTH),
    },
)


def judged(study: Study, *people: dict[str, Any]) -> list[dict[str, Any]]:
    """One verdict for each person."""
    found = screen_cases(
        study, [{"case": str(place), "input": person} for place, person in enumerate(people)]
    )
    assert isinstance(found, list), found
    return found


@settings(max_examples=60)
@given(person=PERSON)
def test_knowing_less_never_turns_a_yes_into_a_no(first: Study, person: dict[str, Any]) -> None:
    # capacity is left in: it is presumed, so that not knowing it is itself an answer (criterion I07)
    names = [name for name in person if name != "capacity_lacking"]
    whole, *less = judged(
        first, person, *({key: person[key] for key in person if key != name} for name in names)
    )
    for name, verdict in zip(names, less, strict=True):
        for criterion, answer in verdict["results"].items():
            before = whole["results"].get(criterion, answer)
            assert {before, answer} != {"T", "F"}, (name, criterion)


@settings(max_examples=60)
@given(person=PERSON)
def test_the_decision_follows_from_the_criteria(first: Study, person: dict[str, Any]) -> None:
    [verdict] = judged(first, person)
    results, order = verdict["results"], "FUT"
    included = [results.get(f"I0{n}", "U") for n in range(1, 8)]
    excluded = [results.get(f"E0{n}", "U") for n in range(1, 6)]
    # strong Kleene logic: AND is the minimum, OR the maximum of F < U < T
    assert results["INCL"] == min(included, key=order.index)
    assert results["EXCL"] == max(excluded, key=order.index)
    wanted = {("T", "F"): "ELIGIBLE"}.get((results["INCL"], results["EXCL"]), "NOT_EVALUABLE")
    if results["INCL"] == "F" or results["EXCL"] == "T":
        wanted = "INELIGIBLE"
    assert verdict["decision"] == wanted


@settings(max_examples=60)
@given(scores=SCORES)
def test_the_total_is_the_interval_of_what_is_possible(first: Study, scores: dict[str, Any]) -> None:
    assert NIHSS is not None
    [verdict] = judged(first, {"nihss": scores})
    low = sum(score for score in scores.values() if isinstance(score, int))
    room = sum(item.maximum for item in NIHSS.items if not isinstance(scores[item.id], int))
    assert verdict["total"] == [low, low + room]
    criterion = verdict["results"]["I04"]
    inside = [6 <= total <= 20 for total in range(low, low + room + 1)]
    assert criterion == ("T" if all(inside) else "U" if any(inside) else "F")


def _scored(total: int) -> dict[str, int]:
    """Scores with this total, 6 to 20, awake and with a weak right arm."""
    assert NIHSS is not None
    left = total - 2
    scores = {item.id: 0 for item in NIHSS.items} | {"5b": 2}
    for item in reversed(NIHSS.items):
        if item.id not in {"1a", "5b"}:
            scores[item.id] = min(left, item.maximum)
            left -= scores[item.id]
    assert left == 0
    return scores


def test_whoever_is_inside_the_criteria_is_in_exactly_one_stratum(first: Study) -> None:
    onset = dt.date(2026, 3, 1)
    grid = [(total, day) for total in range(6, 21) for day in range(14, 91)]
    people = [
        {"nihss": _scored(total), "onset": onset.isoformat(), "ref": (onset + dt.timedelta(day)).isoformat()}
        for total, day in grid
    ]
    for (total, day), verdict in zip(grid, judged(first, *people), strict=True):
        assert {verdict["results"][name] for name in ("I02", "I04", "I05", "I06")} == {"T"}
        # the plan of the house: NIHSS 6-12 / 13-20, day 14-45 / 46-90
        severity, time = "N6-12" if total <= 12 else "N13-20", "D14-45" if day <= 45 else "D46-90"
        assert verdict["stratum"] == f"{severity}/{time}"

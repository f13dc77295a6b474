"""The dosing gate judged: three-valued, per dose and place, and the spacing of the first participants.

Source of the numbers: at least 24 hours between the first 3 treated participants (notes on interim rules, 7.4).
"""

from __future__ import annotations

import datetime as dt
from itertools import product

import pytest
from dosing_world import STUDY
from hypothesis import given
from hypothesis import strategies as st

from equipoise.protocol.expressions import Logical, Reason
from equipoise.protocol.study import GateCondition
from equipoise.supply.gate import Spacing, decided, earliest_start, for_dose, judge, standing
from equipoise.words.truth import Truth

NOW = dt.datetime(2026, 6, 1, 4, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
FREE = Spacing((), infused=False, moment=NOW, zone="Asia/Shanghai")


def spacing(*hours_ago: float, infused: bool = False) -> Spacing:
    return Spacing(tuple(sorted(NOW - HOUR * hours for hours in hours_ago)), infused, NOW, "Asia/Shanghai")


def truth(letter: str) -> Logical:
    return Logical(Truth(letter), (Reason("missing", "warm"),) if letter == "U" else ())


OPPOSITE = {"T": "F", "F": "T", "U": "U"}


@pytest.mark.parametrize(("warm", "ill"), list(product("TFU", repeat=2)))
def test_the_gate_is_three_valued(warm: str, ill: str) -> None:
    """Kleene: not warm, not ill; GO only when both are T, HOLD as soon as one is F."""
    found = judge(STUDY, "D1", "RELEASE", {"warm": truth(warm), "ill": truth(ill)}, FREE)
    letters = {name: each.value for name, each in found.results.items()}
    assert letters == {"cool": OPPOSITE[warm], "well": OPPOSITE[ill], "sentinel": "T"}
    wanted = "GO" if (warm, ill) == ("F", "F") else "HOLD" if "T" in (warm, ill) else "NOT_EVALUABLE"
    assert decided(letters, ()) == wanted
    assert set(found.reasons) == {name for name, letter in letters.items() if letter != "T"}
    assert set(found.reasons_zh) == set(found.reasons)
    assert all(found.reasons.values())


def test_an_answer_that_nobody_gave_is_unknown() -> None:
    found = judge(STUDY, "D1", "BEDSIDE", {}, FREE)
    assert {found.results["cool"], found.results["well"]} == {Truth.UNKNOWN}


LETTERS = st.dictionaries(st.sampled_from("abcde"), st.sampled_from("TFU"))


@given(LETTERS, st.sets(st.sampled_from("abcde")))
def test_go_means_that_nothing_stands_against_it(letters: dict[str, str], accepted: set[str]) -> None:
    against = standing(letters, accepted)
    assert (decided(letters, accepted) == "GO") == (not against)
    assert all(letters[name] != "T" and name not in accepted for name in against)


@pytest.mark.parametrize(
    ("began", "infused", "free"),
    [
        ((), False, True),  # nobody before
        ((23,), False, False),  # the second, an hour too early
        ((24,), False, True),  # the second, exactly 24 hours later
        ((50, 23), False, False),  # the third waits for the second
        ((50, 25), False, True),
        ((99, 70, 1), False, True),  # the fourth is not one of the first three
        ((1,), True, True),  # a second dose is not spaced
    ],
)
def test_the_first_three_are_a_day_apart(began: tuple[float, ...], *, infused: bool, free: bool) -> None:
    found = judge(STUDY, "D1", "BEDSIDE", {}, spacing(*began, infused=infused))
    assert found.results["sentinel"] is Truth.of(free)
    assert ("sentinel" in found.reasons) is not free


def test_it_says_the_earliest_hour_in_the_time_of_the_site() -> None:
    found = judge(STUDY, "D1", "BEDSIDE", {}, spacing(23))
    # 23 hours before 12:00 in Shanghai is 13:00 the day before; 24 hours later is 13:00 today
    assert "2026-06-01 13:00" in found.reasons["sentinel"]
    assert "2026-06-01 13:00" in found.reasons_zh["sentinel"]
    assert earliest_start(STUDY, spacing(23)) == NOW + HOUR


def test_a_study_without_sentinels_has_no_such_condition() -> None:
    supply = STUDY.supply.model_copy(update={"sentinel_first": 0, "sentinel_hours": 0})
    free = STUDY.model_copy(update={"supply": supply})
    assert "sentinel" not in judge(free, "D1", "BEDSIDE", {}, spacing(1)).results


def test_conditions_may_be_of_one_dose_or_of_one_place() -> None:
    conditions = [
        {"id": "first", "label": "f", "rule": "not warm", "doses": ["D1"]},
        {"id": "there", "label": "t", "rule": "not ill", "at": ["BEDSIDE"]},
    ]
    gate = tuple(GateCondition.model_validate(each) for each in conditions)
    supply = STUDY.supply.model_copy(update={"gate": gate, "sentinel_first": 0, "sentinel_hours": 0})
    study = STUDY.model_copy(update={"supply": supply})
    held = {
        (dose, at): set(judge(study, dose, at, {}, FREE).results)
        for dose in ("D1", "D2")
        for at in ("RELEASE", "BEDSIDE")
    }
    assert held == {
        ("D1", "RELEASE"): {"first"},
        ("D1", "BEDSIDE"): {"first", "there"},
        ("D2", "RELEASE"): set(),
        ("D2", "BEDSIDE"): {"there"},
    }


def test_what_the_dose_s_own_visit_asks_is_read_there() -> None:
    for dose, visit in zip(STUDY.supply.doses, ("V1", "V2"), strict=True):
        assert {each.origin.visit for each in for_dose(STUDY, dose).inputs} == {visit}
    assert {each.origin.visit for each in STUDY.inputs} == {None}

"""The program's screening of the first study against a second one, written apart from it (screening_oracle).

Both are first held to the collected vectors and to answers worked out by hand; then hypothesis draws cases around every
boundary, with unknowns, partial dates, untestable and missing items, and both must give the same verdict.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from equipoise.eligibility.screen import screen_cases
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from laws import screening_oracle as oracle

REF = dt.date(2026, 6, 15)


@pytest.fixture(scope="module")
def first(root: Any) -> Study:
    found = load_study(root / "studies" / "nct07197606")
    assert isinstance(found, Study)
    return found


def program(study: Study, case: dict[str, Any]) -> dict[str, Any]:
    found = screen_cases(study, [{"case": "x", "input": case}])
    assert isinstance(found, list), [problem.say() for problem in found]
    [verdict] = found
    assert verdict.pop("case") == "x"
    return verdict


# ---------------------------------------------------------------- cases

letters = st.sampled_from(["T", "F", "F", "U", True, False, None])


def around(centre: dt.date, offsets: list[int]) -> st.SearchStrategy[str | None]:
    """Dates at and beside given distances before a day, of full or reduced precision, or unknown."""
    day = st.tuples(st.sampled_from(offsets), st.integers(-1, 1)).map(
        lambda far: (centre - dt.timedelta(days=far[0] + far[1])).isoformat()
    )
    return st.one_of(day, day, day, day.map(lambda text: text[:7]), day.map(lambda text: text[:4]), st.none())


def birthdays() -> st.SearchStrategy[str | None]:
    """Around the 18th and the 71st birthday on the day of consent, and leap days."""
    day = st.tuples(st.sampled_from([18, 19, 70, 71]), st.integers(-1, 1)).map(
        lambda far: (dt.date(REF.year - far[0], REF.month, REF.day) + dt.timedelta(days=far[1])).isoformat()
    )
    return st.one_of(
        day, day, day.map(lambda t: t[:7]), day.map(lambda t: t[:4]), st.just("2008-02-29"), st.none()
    )


@st.composite
def assessments(draw: st.DrawFn) -> dict[str, Any] | None:
    """Scores whose sum often lies at an end of 6 to 20 or of 12 to 13; some untestable, missing or left out."""
    items: dict[str, Any] = dict.fromkeys(oracle.MOST, 0)
    wanted = draw(st.sampled_from([0, 5, 6, 7, 11, 12, 13, 14, 19, 20, 21, 42]))
    for item in draw(st.permutations(sorted(items))):
        items[item] = min(oracle.MOST[item], wanted, draw(st.integers(0, oracle.MOST[item])) or wanted)
        wanted -= items[item]
    for item in draw(st.lists(st.sampled_from(sorted(items)), max_size=3)):
        untestable = ["UN", "UN"] if item in {"5a", "5b", "6a", "6b", "7", "10"} else []
        items[item] = draw(st.sampled_from([*untestable, None, "ND", "UK", "left out"]))
    return draw(st.sampled_from([None, {}] + [{k: v for k, v in items.items() if v != "left out"}] * 8))


CASES = st.fixed_dictionaries(
    {},
    optional={
        "birth": birthdays(),
        "consent": around(REF, [0, 0, 365]),
        "age": st.sampled_from([None, 17, 18, 70, 71]),
        "onset": around(REF, [0, 13, 14, 45, 46, 90, 91, 365]),
        "ref": around(REF, [0, 0, 0, 14]),
        "stroke_type": st.sampled_from(["ISCHEMIC", "ISCHEMIC", "ISCHEMIC", "HEMORRHAGIC", "TIA", None]),
        "circulation": st.sampled_from(["ANTERIOR", "ANTERIOR", "POSTERIOR", "BOTH", None]),
        "nihss": assessments(),
        "prestroke_mrs": st.sampled_from([0, 1, 2, 5, None, "1", " 2 "]),
        **{
            name: letters
            for criterion, names in oracle.NAMES.items()
            for name in names
            if criterion in {"I07", "E01", "E02", "E04", "E05"} or name == "qualifying_anterior"
        },
    },
)
NOBODY_S = {
    "epilepsy",
    "dementia",
    "parkinson",
    "severe_depression",
    "other_neuro_psych",
    "ich_current",
    "ich_history",
}
NOBODY_S |= {"severe_cv", "severe_pulm"}
FIT: dict[str, Any] = {  # everything known, everything fits: I01 to I07 true, E01 to E05 false by domain.md 4
    "birth": "1966-05-10", "consent": "2026-06-10", "onset": "2026-05-01", "ref": "2026-06-15",
    "stroke_type": "ISCHEMIC", "circulation": "ANTERIOR", "participant_signed": "T", "prestroke_mrs": 0,
    **dict.fromkeys(NOBODY_S, "F"),
}  # fmt: skip
NEARLY = st.fixed_dictionaries(
    {"nihss": assessments(), "onset": around(REF, [14, 45, 46, 90]), "ref": st.just(REF.isoformat())},
    optional={"birth": birthdays(), "consent": st.just(REF.isoformat())},
).map(lambda changed: {**FIT, **changed})
"""People who fit but for the scale, the days and the age: what a random case hardly ever is."""
STATED = st.dictionaries(st.sampled_from(sorted(oracle.NAMES)), letters, max_size=2)


def plainly(case: dict[str, Any]) -> dict[str, Any]:
    """A grade written as text is the same grade."""
    grade = case.get("prestroke_mrs")
    return {**case, "prestroke_mrs": int(grade)} if isinstance(grade, str) else case


@settings(max_examples=600)
@given(CASES | NEARLY)
def test_both_screenings_agree(first: Study, case: dict[str, Any]) -> None:
    assert program(first, case) == oracle.screen(plainly(case))


@given(CASES, STATED)
def test_both_agree_where_criteria_are_stated(
    first: Study, case: dict[str, Any], stated: dict[str, Any]
) -> None:
    both = {**case, **stated}
    try:
        expected = oracle.screen(plainly(both))
    except oracle.Contradiction:
        found = screen_cases(first, [{"case": "x", "input": both}])
        assert isinstance(found, tuple)
        assert {problem.rule for problem in found} == {"eligibility.case-contradicted"}
    else:
        assert program(first, both) == expected


@settings(max_examples=300)
@given(assessments(), around(REF, [0, 14, 45, 46, 90]), around(REF, [0]))
def test_a_stratum_is_given_exactly_when_it_is_certain(
    first: Study, scores: dict[str, Any] | None, onset: str | None, ref: str | None
) -> None:
    """By brute force, without intervals: every day the two dates may be, and the total if no item lacks."""
    days_of = [oracle.day_span(text) for text in (onset, ref)]
    assume(all(span is not None for span in days_of))
    codes = set()
    total = oracle.nihss({"nihss": scores})[2]
    group = next(
        (code for code, low, high in (("N6-12", 6, 12), ("N13-20", 13, 20)) if total in range(low, high + 1)),
        None,
    )
    first_onset, last_onset = days_of[0]
    first_ref, last_ref = days_of[1]
    for far in range((first_ref - last_onset).days, (last_ref - first_onset).days + 1):
        span = next(
            (code for code, low, high in (("D14-45", 14, 45), ("D46-90", 46, 90)) if low <= far <= high), None
        )
        codes.add(f"{group}/{span}" if group and span else None)
    expected = codes.pop() if len(codes) == 1 else None
    case = {**FIT, "nihss": scores, "onset": onset, "ref": ref}
    assert program(first, case)["stratum"] == expected


# ---------------------------------------------------------------- answers worked out by hand

ALL_ZERO: dict[str, Any] = dict.fromkeys(oracle.MOST, 0)
ARM: dict[str, Any] = {**ALL_ZERO, "5b": 4, "6b": 3}  # 7 points
BY_HAND: list[tuple[dict[str, Any], dict[str, Any]]] = [
    # dates: 2026-05-01 to 2026-06-15 are 45 days (30 in May after the first, 15 in June)
    ({"onset": "2026-05-01", "ref": "2026-06-15"}, {"I02": "T", "stratum": None}),
    ({**FIT, "nihss": ARM}, {"INCL": "T", "EXCL": "F", "decision": "ELIGIBLE", "stratum": "N6-12/D14-45", "total": [7, 7]}),
    ({**FIT, "nihss": ARM, "onset": "2026-04-30"}, {"stratum": "N6-12/D46-90"}),
    ({**FIT, "nihss": ARM, "onset": "2026-05"}, {"I02": "T", "stratum": "N6-12/D14-45"}),  # 15 to 45 days
    ({**FIT, "nihss": ARM, "onset": "2026-04"}, {"I02": "T", "stratum": "N6-12/D46-90"}),  # 46 to 75 days
    ({**FIT, "nihss": ARM, "onset": "2026-05", "ref": "2026-06-16"}, {"I02": "T", "stratum": None}),  # 16 to 46
    ({**FIT, "nihss": ARM, "onset": "2026"}, {"I02": "U", "decision": "NOT_EVALUABLE", "stratum": None}),
    ({**FIT, "nihss": ARM, "onset": "2026-06-02"}, {"I02": "F", "decision": "INELIGIBLE", "stratum": None}),  # 13 days
    ({**FIT, "nihss": ARM, "onset": "2026-03-17"}, {"I02": "T", "stratum": "N6-12/D46-90"}),  # 90 days
    ({**FIT, "nihss": ARM, "onset": "2026-03-16"}, {"I02": "F", "stratum": None}),  # 91 days
    ({**FIT, "nihss": ARM, "onset": "2026-06-16"}, {"I02": "F", "decision": "INELIGIBLE"}),  # after the reference
    ({**FIT, "nihss": ARM, "onset": None}, {"I02": "U", "decision": "NOT_EVALUABLE", "stratum": None}),
    # the scale
    ({**FIT, "nihss": {**ARM, "5b": "UN"}}, {"total": [3, 7], "I04": "U", "stratum": None, "decision": "NOT_EVALUABLE"}),
    ({**FIT, "nihss": {**ARM, "5a": "UN"}}, {"total": [7, 11], "I04": "T", "stratum": "N6-12/D14-45"}),
    ({**FIT, "nihss": {**ARM, "7": "UN", "10": "UN"}}, {"total": [7, 11], "stratum": "N6-12/D14-45"}),
    ({**FIT, "nihss": {**ARM, "9": None}}, {"total": [7, 10], "I04": "T", "decision": "ELIGIBLE", "stratum": None}),
    ({**FIT, "nihss": {**ARM, "9": "ND"}}, {"total": [7, 10], "decision": "ELIGIBLE", "stratum": None}),
    ({**FIT, "nihss": {**ARM, "1b": 2, "2": 1, "3": 2}}, {"total": [12, 12], "stratum": "N6-12/D14-45"}),
    ({**FIT, "nihss": {**ARM, "1b": 2, "2": 2, "3": 2}}, {"total": [13, 13], "stratum": "N13-20/D14-45"}),
    ({**FIT, "nihss": {**ARM, "1b": 2, "2": 1, "3": 2, "6a": "UN"}}, {"total": [12, 16], "stratum": "N6-12/D14-45"}),
    ({**FIT, "nihss": {**ARM, "3": 3, "9": 3, "4": 3, "8": 2, "1c": 2}}, {"total": [20, 20], "I04": "T", "stratum": "N13-20/D14-45"}),
    ({**FIT, "nihss": {**ARM, "3": 3, "9": 3, "4": 3, "8": 2, "1c": 2, "11": 1}}, {"total": [21, 21], "I04": "F", "stratum": None}),
    ({**FIT, "nihss": {**ALL_ZERO, "3": 3, "9": 3, "5a": 1, "6b": 1}}, {"total": [8, 8], "I05": "F", "decision": "INELIGIBLE"}),
    ({**FIT, "nihss": {**ALL_ZERO, "3": 3, "9": 3, "5a": 1, "6b": "UN"}}, {"total": [7, 11], "I05": "U"}),
    ({**FIT, "nihss": {**ALL_ZERO, "3": 3, "9": 3, "5a": 2, "6b": "UN"}}, {"total": [8, 12], "I05": "T"}),
    ({**FIT, "nihss": {**ARM, "1a": 2}}, {"I06": "F", "decision": "INELIGIBLE", "total": [9, 9]}),
    ({**FIT, "nihss": {**ARM, "1a": None}}, {"I06": "U", "total": [7, 10], "decision": "NOT_EVALUABLE"}),
    ({"nihss": None}, {"total": [0, 42], "I04": "U", "I05": "U", "I06": "U", "stratum": None}),
    ({"nihss": {}}, {"total": [0, 42], "I04": "U", "stratum": None}),
    # age on the day of consent, 2026-06-10
    ({**FIT, "birth": "2008-06-10"}, {"I01": "T"}),
    ({**FIT, "birth": "2008-06-11"}, {"I01": "F"}),
    ({**FIT, "birth": "2008-06"}, {"I01": "U"}),
    ({**FIT, "birth": "2008-05"}, {"I01": "T"}),
    ({**FIT, "birth": "2008"}, {"I01": "U"}),
    ({**FIT, "birth": "2007"}, {"I01": "T"}),
    ({**FIT, "birth": "1955-06-11"}, {"I01": "T"}),
    ({**FIT, "birth": "1955-06-10"}, {"I01": "F"}),
    ({**FIT, "birth": "1955", "age": 70}, {"I01": "T"}),  # 70 or 71, and 70 is stated
    ({**FIT, "birth": "1955", "age": 71}, {"I01": "F"}),
    ({**FIT, "age": 61}, {"I01": "U"}),  # 60 by the dates: the two contradict each other
    ({**FIT, "birth": None, "age": 60}, {"I01": "T"}),
    ({"birth": "2008-02-29", "consent": "2026-02-28"}, {"I01": "F"}),
    ({"birth": "2008-02-29", "consent": "2026-03-01"}, {"I01": "T"}),
    # the diagnosis
    ({**FIT, "circulation": "BOTH", "qualifying_anterior": "T"}, {"I03": "T"}),
    ({**FIT, "circulation": "BOTH", "qualifying_anterior": "F"}, {"I03": "F"}),
    ({**FIT, "circulation": "BOTH"}, {"I03": "U"}),
    ({**FIT, "circulation": None, "stroke_type": "TIA"}, {"I03": "F"}),
    ({**FIT, "circulation": "POSTERIOR", "stroke_type": None}, {"I03": "F"}),
    # consent
    ({"participant_signed": "T"}, {"I07": "T"}),
    ({"participant_signed": "T", "capacity_lacking": "T"}, {"I07": "U"}),  # the representative may have signed
    ({"participant_signed": "T", "capacity_lacking": "T", "lr_signed": "F"}, {"I07": "F"}),
    ({"participant_signed": "F", "capacity_lacking": "U", "lr_signed": "T"}, {"I07": "U"}),
    ({"participant_signed": "F", "capacity_lacking": "U", "lr_signed": "F"}, {"I07": "F"}),
    ({"participant_signed": "U", "capacity_lacking": "T", "lr_signed": "T"}, {"I07": "T"}),
    # exclusions
    ({"E01": "T", "E04": "U"}, {"EXCL": "T", "decision": "INELIGIBLE"}),
    ({"epilepsy": "T"}, {"E01": "T", "EXCL": "T", "decision": "INELIGIBLE"}),
    ({"epilepsy": "F"}, {"E01": "U", "EXCL": "U"}),
    ({**FIT, "severe_pulm": "U", "nihss": ARM}, {"EXCL": "U", "decision": "NOT_EVALUABLE", "stratum": "N6-12/D14-45"}),
    ({**FIT, "ich_history": True, "nihss": ARM}, {"E02": "T", "decision": "INELIGIBLE", "stratum": "N6-12/D14-45"}),
    ({**FIT, "prestroke_mrs": 1, "nihss": ARM}, {"E03": "F", "decision": "ELIGIBLE"}),
    ({**FIT, "prestroke_mrs": 2, "nihss": ARM}, {"E03": "T", "decision": "INELIGIBLE"}),
    ({**FIT, "prestroke_mrs": None, "nihss": ARM}, {"E03": "U", "decision": "NOT_EVALUABLE"}),
    ({}, {"INCL": "U", "EXCL": "U", "decision": "NOT_EVALUABLE"}),
]  # fmt: skip


def flat(verdict: dict[str, Any]) -> dict[str, Any]:
    return {**verdict["results"], **{key: value for key, value in verdict.items() if key != "results"}}


@pytest.mark.parametrize("place", range(len(BY_HAND)))
def test_answers_worked_out_by_hand(first: Study, place: int) -> None:
    case, expected = BY_HAND[place]
    for verdict in (program(first, case), oracle.screen(case)):
        assert {key: flat(verdict).get(key, "absent") for key in expected} == expected


def test_both_answer_the_collected_vectors(first: Study, domain: dict[str, Any]) -> None:
    vectors = domain["eligibility"]["boundary_vectors"]
    assert len(vectors) == 26  # domain.md 4.1
    for vector in vectors:
        expected = {key: value for key, value in vector["expect"].items() if key != "query"}
        found = program(first, vector["input"])
        assert found == oracle.screen(vector["input"]), vector["case"]
        assert {key: flat(found).get(key, "absent") for key in expected} == expected, vector["case"]

"""Judging criteria, strata and cases. Kleene tables by hand; the boundary vectors are those of domain.json."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from equipoise.eligibility.judgement import decided, failing, judge, undetermined
from equipoise.eligibility.screen import screen_cases
from equipoise.instruments import scales
from equipoise.protocol.assessments import instrument_value
from equipoise.protocol.expressions import Code, DateValue, Logical, Number
from equipoise.protocol.load import load_study
from equipoise.protocol.strata import strata, stratum
from equipoise.protocol.study import Study
from equipoise.words.dates import PartialDate, parse_date
from equipoise.words.interval import Interval
from equipoise.words.problem import Problem
from equipoise.words.truth import Truth
from rooms.capture.conduct_study import CRITERIA, FACTORS, made_study

STUDY = made_study()
NIHSS = scales()["NIHSS"]
ITEMS = [item.id for item in NIHSS.items]


def nihss(*answers):
    given = dict(zip(ITEMS, answers, strict=True))
    return instrument_value(
        NIHSS, {name: answer for name, answer in given.items() if answer is not None}, "nihss"
    )


EIGHT = (0, 0, 0, 0, 0, 2, 0, 3, 0, 2, 0, 1, 0, 0, 0)
GOOD = {
    "onset": DateValue(parse_date("2026-07-15")),  # 30 days before
    "today": DateValue(PartialDate(2026, 8, 14)),
    "nihss": nihss(*EIGHT),
    "bleeding": Logical(Truth.FALSE),
    "rankin": Number.of(1),
    "participant_signed": Logical(Truth.TRUE),
}


def test_eligible_when_every_criterion_is_in_favour():
    judgement = judge(STUDY, GOOD)
    assert judgement.letters == {
        "I01": "T", "I02": "T", "I03": "T", "E01": "F", "E02": "F", "INCL": "T", "EXCL": "F",
    }  # fmt: skip
    assert judgement.decision == "ELIGIBLE"
    assert judgement.reasons() == {}
    assert judgement.total == Interval.point(8)


DECISIONS = [  # DESIGN 6 and domain.md 4: eligible iff INCL = T and EXCL = F; ineligible iff INCL = F or EXCL = T
    ("T", "F", "ELIGIBLE"), ("T", "U", "NOT_EVALUABLE"), ("T", "T", "INELIGIBLE"),
    ("U", "F", "NOT_EVALUABLE"), ("U", "U", "NOT_EVALUABLE"), ("U", "T", "INELIGIBLE"),
    ("F", "F", "INELIGIBLE"), ("F", "U", "INELIGIBLE"), ("F", "T", "INELIGIBLE"),
]  # fmt: skip


@pytest.mark.parametrize(("included", "excluded", "decision"), DECISIONS)
def test_the_decision_follows_from_the_summaries(included, excluded, decision):
    assert decided(Truth(included), Truth(excluded)) == decision


def test_what_stands_against_a_person_is_named_with_its_values():
    judgement = judge(
        STUDY, {**GOOD, "onset": DateValue(parse_date("2026-08-01")), "bleeding": Logical(Truth.TRUE)}
    )
    assert judgement.decision == "INELIGIBLE"
    assert failing(STUDY, judgement.letters) == ("I01", "E01")
    assert judgement.why("I01") == "Onset = 2026-08-01; Today = 2026-08-14"
    assert judgement.why("I01", "zh") == "发病日期 = 2026-08-01；今天 = 2026-08-14"
    assert judgement.why("I02") == ""


def test_what_is_open_is_named_with_its_reason():
    judgement = judge(STUDY, {**GOOD, "onset": DateValue(PartialDate(2026, 8)), "rankin": Number.unknown()})
    assert undetermined(STUDY, judgement.letters) == ("E02",)  # August: 13 days at most, so I01 is not met
    assert judgement.results["I01"] is Truth.FALSE
    judgement = judge(STUDY, {**GOOD, "onset": DateValue(PartialDate(2026, 7))})  # 14 to 44 days
    assert judgement.results["I01"] is Truth.TRUE
    judgement = judge(STUDY, {**GOOD, "onset": DateValue(PartialDate(2026))})
    assert judgement.results["I01"] is Truth.UNKNOWN
    assert judgement.why("I01").startswith("Onset: ")
    assert judgement.decision == "NOT_EVALUABLE"


def test_a_criterion_without_an_expression_is_open_and_one_that_is_off_is_left_out():
    awaiting = made_study(criteria=[*CRITERIA, {"id": "I09", "category": "inclusion", "text": "To come"}])
    judgement = judge(awaiting, GOOD)
    assert judgement.results["I09"] is Truth.UNKNOWN
    assert judgement.reasons()["I09"]
    assert "E03" not in judgement.results
    assert judgement.decision == "NOT_EVALUABLE"


def test_one_exclusion_counts_whatever_is_open():
    judgement = judge(STUDY, {"bleeding": Logical(Truth.TRUE)})
    assert (judgement.results["INCL"], judgement.decision) == (Truth.UNKNOWN, "INELIGIBLE")


# --- strata --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "onset", "code"),
    [
        (EIGHT, "2026-07-15", "L/E"),
        ((0, 0, 0, 0, 0, 2, 0, 3, 0, 2, 0, 1, 3, 2, 0), "2026-07-15", "H/E"),  # total 13
        (EIGHT, "2026-06-30", "L/E"),  # day 45
        (EIGHT, "2026-06-29", "L/D"),  # day 46
        (EIGHT, "2026-07", "L/E"),  # 14 to 44 days: whichever day it was
        (EIGHT, "2026-06", None),  # 45 to 74 days
        (EIGHT, "2026-08-13", None),  # no level holds: day 1
        ((*EIGHT[:13], "UN", 0), "2026-07-15", "L/E"),  # UN counts 0 in the official total
        (
            (*EIGHT[:14], None),
            "2026-07-15",
            None,
        ),  # missing: no official total, though 8 to 10 is all in one level
    ],
)
def test_a_stratum_is_certain_or_has_no_code(answers, onset, code):
    result = stratum(STUDY, {**GOOD, "nihss": nihss(*answers), "onset": DateValue(parse_date(onset))})
    assert result.code == code
    assert bool(result.reasons) == (code is None)


def test_an_undetermined_factor_says_why_though_every_criterion_is_met():
    inputs = {**GOOD, "nihss": nihss(*EIGHT[:14], None)}
    assert judge(STUDY, inputs).decision == "ELIGIBLE"
    result = stratum(STUDY, inputs)
    assert set(result.reasons) == {"severity"}
    assert "NIHSS 11" in result.reasons["severity"].en
    assert "NIHSS 11" in result.reasons["severity"].say("zh")


def test_levels_that_overlap_determine_nothing():
    overlapping = [{**FACTORS[0], "levels": [
        {"code": "A", "label": "a", "rule": "nihss.total in 6..12"}, {"code": "B", "label": "b", "rule": "nihss.total > 7"},
    ]}]  # fmt: skip
    study = made_study(
        randomization={"method": "complete", "ratio": {"A": 1, "B": 1}, "factors": overlapping}
    )
    assert stratum(study, GOOD).code is None


def test_a_level_that_holds_is_not_enough_while_another_is_open():
    unsure = [{**FACTORS[0], "levels": [
        {"code": "A", "label": "a", "rule": "nihss.total > 0"}, {"code": "B", "label": "b", "rule": "bleeding"},
    ]}]  # fmt: skip
    study = made_study(randomization={"method": "complete", "ratio": {"A": 1, "B": 1}, "factors": unsure})
    assert stratum(study, GOOD).code == "A"
    result = stratum(study, {name: value for name, value in GOOD.items() if name != "bleeding"})
    assert result.code is None
    assert result.reasons["severity"].en.startswith("Bleeding: ")


def test_without_factors_everybody_is_in_one_stratum():
    study = made_study(randomization={"method": "complete", "ratio": {"A": 1, "B": 1}})
    assert stratum(study, {}).code == "all"
    assert strata(study) == ("all",)
    assert strata(STUDY) == ("L/E", "L/D", "H/E", "H/D")


# --- cases from a file ---------------------------------------------------------------------------------------------


def screened(given, study=STUDY):
    verdicts = screen_cases(study, [{"case": "one", "input": given, "expect": {"anything": True}}])
    assert isinstance(verdicts, list), [problem.say() for problem in verdicts]
    return verdicts[0]


def test_a_case_may_use_aliases_and_reports_only_what_was_asked():
    assert screened({"stroke_day": "2026-07-15", "ref": "2026-08-14"}) == {
        "case": "one", "results": {"I01": "T", "INCL": "U", "EXCL": "U"}, "decision": "NOT_EVALUABLE", "stratum": None,
    }  # fmt: skip


def test_null_is_unknown_and_reported_a_name_not_given_is_not():
    assert screened({"bleeding": None})["results"] == {"E01": "U", "INCL": "U", "EXCL": "U"}
    assert screened({})["results"] == {"INCL": "U", "EXCL": "U"}
    assert screened({})["decision"] == "NOT_EVALUABLE"


def test_a_criterion_may_be_given_directly():
    verdict = screened({"E01": "T", "E02": "U", "I01": "F"})
    assert verdict["results"] == {"I01": "F", "E01": "T", "E02": "U", "INCL": "F", "EXCL": "T"}
    assert "stratum" not in verdict
    assert "total" not in verdict


def test_the_total_is_an_interval_and_the_stratum_needs_everything():
    scores = dict(zip(ITEMS, EIGHT, strict=True))
    given = {"nihss": {**scores, "5a": "UN"}, "onset": "2026-07-15", "today": "2026-08-14"}
    verdict = screened(given)
    assert (verdict["total"], verdict["stratum"]) == ([8, 12], "L/E")  # item 5a has 0 to 4
    assert screened({"nihss": None})["total"] == [0, 42]
    assert screened({**given, "nihss": {**scores, "11": None}})["stratum"] is None


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"nobody": 1}, "eligibility.case-name-unknown"),
        ({"onsett": "2026-01-01"}, "eligibility.case-name-like"),
        ({"E03": "T"}, "eligibility.case-name-like"),  # switched off: as good as not there
        ({"onset": "2026-01-01", "stroke_day": "2026-01-01"}, "eligibility.case-name-twice"),
        ({"onset": "01/02/2026"}, "eligibility.case-value-wrong"),
        ({"onset": 20260101}, "eligibility.case-value-wrong"),
        ({"rankin": "two"}, "eligibility.case-value-wrong"),
        ({"rankin": True}, "eligibility.case-value-wrong"),
        ({"rankin": [1]}, "eligibility.case-value-wrong"),
        ({"sbp_v1": 301}, "eligibility.case-value-wrong"),  # beyond what its form item allows
        ({"sbp_v1": 120.5}, "eligibility.case-value-wrong"),  # a whole number on its form
        ({"sbp_v1": float("nan")}, "eligibility.case-value-wrong"),
        ({"bleeding": "maybe"}, "eligibility.case-value-wrong"),
        ({"bleeding": 1}, "eligibility.case-value-wrong"),
        ({"E01": []}, "eligibility.case-value-wrong"),
        ({"nihss": 8}, "eligibility.case-value-wrong"),
        ({"nihss": {"1z": 0}}, "eligibility.case-item-unknown"),
        ({"nihss": {"1a": 4}}, "eligibility.case-answer-wrong"),
        ({"nihss": {"1a": "UN"}}, "eligibility.case-answer-wrong"),
        ({"nihss": {"1a": True}}, "eligibility.case-answer-wrong"),
        ({"nihss": {"1a": 1.5}}, "eligibility.case-answer-wrong"),
    ],
)
def test_a_fault_names_the_case_and_the_name_and_nothing_is_judged(given, rule):
    faults = screen_cases(STUDY, [{"case": "fine", "input": {}}, {"case": "bad one", "input": given}])
    assert [fault.rule for fault in faults if isinstance(fault, Problem)] == [rule]
    (name,) = list(given)[-1:]
    assert faults[0].where == f"bad one: {name}"
    for language in ("en", "zh"):
        assert "bad one" in faults[0].say(language)
        assert "{" not in faults[0].say(language).replace('{"', "")


@pytest.mark.parametrize("cases", [None, {}, "[]", 3])
def test_a_file_that_is_no_list_is_refused(cases):
    (fault,) = screen_cases(STUDY, cases)
    assert fault.rule == "eligibility.cases-not-a-list"


@pytest.mark.parametrize("case", [None, [], {"case": "x"}, {"case": "x", "input": []}])
def test_a_case_that_is_no_object_is_refused(case):
    (fault,) = screen_cases(STUDY, [case])
    assert fault.rule == "eligibility.case-not-an-object"


def test_numbers_may_come_as_any_json_number_or_text():
    for written in (2, "2", Decimal(2), 2.0):
        assert screened({"rankin": written})["results"]["E02"] == "T"


def test_codes_are_those_of_the_list():
    study = made_study(
        inputs=[{"name": "sex", "label": "Sex", "type": "code", "codelist": "SEX"}],
        criteria=[{"id": "I01", "category": "inclusion", "text": "women", "rule": 'sex == "F"'}],
        randomization=None,
        eligibility={},
    )
    assert screened({"sex": "F"}, study)["decision"] == "ELIGIBLE"
    assert screened({"sex": None}, study)["decision"] == "NOT_EVALUABLE"
    (fault,) = screen_cases(study, [{"input": {"sex": "f"}}])
    assert "F, M" in fault.say()
    assert judge(study, {"sex": Code("M")}).why("I01") == "Sex = M"


# --- the first study's boundary cases --------------------------------------------------------------------------------


def test_the_boundary_vectors_of_the_first_study(domain, root):
    vectors = domain["eligibility"]["boundary_vectors"]
    study = load_study(root / "studies" / "nct07197606")
    assert isinstance(study, Study), study
    verdicts = screen_cases(study, json.loads(json.dumps(vectors)))
    assert isinstance(verdicts, list), verdicts
    assert len(verdicts) == 26  # domain.md 4.1
    for vector, verdict in zip(vectors, verdicts, strict=True):
        results = verdict["results"]
        assert isinstance(results, dict)
        said = {**results, "total": verdict.get("total"), "decision": verdict["decision"]}
        expected = {name: value for name, value in vector["expect"].items() if name != "query"}
        assert {name: said.get(name) for name in expected} == expected, vector["case"]

"""The five scales against a table written by hand from the published instruments, and their scoring by example.

Sources of the table: NIHSS, items and scores of LOINC panel 70182-1; mRS, CDISC codelist C111348; Fugl-Meyer,
domains and 226 as on the RehabMeasures page, section maxima as in the published forms; Barthel, Mahoney and
Barthel 1965; MMSE, Folstein 1975 (points per domain) and CDISC codelist C100142 (codes).
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from equipoise.instruments import (
    Answer,
    Scale,
    answer_problem,
    counting,
    graded,
    limited,
    read_answer,
    scale,
    scales,
    score,
    unanswered,
    unmet_expectations,
    worded,
)
from equipoise.instruments.scoring import derive
from equipoise.words.text import Text

# scale: (items, {total: (items in it, maximum)})
PUBLISHED: dict[str, tuple[int, dict[str, tuple[int, int]]]] = {
    "NIHSS": (15, {"NIH0116": (15, 42)}),
    "MRS": (1, {"MRS0101": (1, 6)}),
    "BI": (10, {"BI0111": (10, 100)}),
    "MMSE": (35, {"MMS104": (5, 5), "MMS112": (30, 30)}),
    "FMA": (
        113,
        {
            "FMAUEA": (18, 36),
            "FMAUEB": (5, 10),
            "FMAUEC": (7, 14),
            "FMAUED": (3, 6),
            "FMAUETOT": (33, 66),
            "FMALETOT": (17, 34),
            "FMAMOTOT": (50, 100),
            "FMASETOT": (12, 24),
            "FMABATOT": (7, 14),
            "FMAROTOT": (22, 44),
            "FMAPNTOT": (22, 44),
            "FMATOT": (113, 226),
        },
    ),
}
# NIHSS item: (highest score, may be untestable, LOINC), from LOINC panel 70182-1.
NIHSS = {
    "1a": (3, False, "70184-7"),
    "1b": (2, False, "70185-4"),
    "1c": (2, False, "70186-2"),
    "2": (2, False, "70187-0"),
    "3": (3, False, "70188-8"),
    "4": (3, False, "70189-6"),
    "5a": (4, True, "70190-4"),
    "5b": (4, True, "70967-5"),
    "6a": (4, True, "70191-2"),
    "6b": (4, True, "70968-3"),
    "7": (2, True, "70192-0"),
    "8": (2, False, "70193-8"),
    "9": (3, False, "70194-6"),
    "10": (2, True, "70195-3"),
    "11": (2, False, "70196-1"),
}
# Barthel item: allowed scores (Mahoney and Barthel 1965) and LOINC code.
BARTHEL = {
    "Feeding": ((0, 5, 10), "83184-2"),
    "Transfer Bed/Chair": ((0, 5, 10, 15), "83185-9"),
    "Grooming": ((0, 5), "96767-9"),
    "Toilet Use": ((0, 5, 10), "83183-4"),
    "Bathing": ((0, 5), "83181-8"),
    "Mobility on Level": ((0, 5, 10, 15), "83186-7"),
    "Stairs": ((0, 5, 10), "96758-8"),
    "Dressing": ((0, 5, 10), "83182-6"),
    "Bowels": ((0, 5, 10), "96759-6"),
    "Bladder": ((0, 5, 10), "96760-4"),
}
MMSE_POINTS = {
    "101": 5,
    "102": 5,
    "103": 3,
    "104A": 5,
    "104B": 5,
    "105": 3,
    "106": 2,
    "107": 1,
    "108": 3,
    "109": 1,
    "110": 1,
    "111": 1,
}


def of(name: str) -> Scale:
    found = scale(name)
    assert found is not None
    return found


def highest(whole: Scale) -> dict[str, Answer]:
    return {item.id: item.maximum for item in whole.items}


def test_five_scales_ship_and_no_other_name_is_known() -> None:
    assert set(scales()) == set(PUBLISHED)
    assert scale("nihss") is None


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_numbers_of_items_and_maxima_are_the_published_ones(name: str) -> None:
    whole = of(name)
    items, totals = PUBLISHED[name]
    assert len(whole.items) == items
    assert {total.testcd: (len(total.items), total.maximum) for total in whole.totals} == totals
    official = score(whole, highest(whole))
    assert {testcd: found.official for testcd, found in official.items()} == {
        testcd: Decimal(maximum) for testcd, (_, maximum) in totals.items()
    }


def test_nihss_items_scores_and_untestable_codes() -> None:
    found = {item.id: (item.maximum, item.untestable is not None, item.loinc) for item in of("NIHSS").items}
    assert found == NIHSS
    assert list(found) == list(NIHSS)  # the order of examination is part of the scale
    assert all(item.scores == tuple(range(item.maximum + 1)) for item in of("NIHSS").items)


def test_barthel_items_scores_and_codes() -> None:
    found = {item.test.removeprefix("BI-"): (item.scores, item.loinc) for item in of("BI").items}
    assert found == BARTHEL


def test_fma_reflexes_are_0_or_2_and_every_other_item_0_1_2() -> None:
    reflexes = {item.id for item in of("FMA").items if item.scores == (0, 2)}
    assert reflexes == {"UE01", "UE02", "LE01", "LE02"}
    assert all(item.scores == (0, 1, 2) for item in of("FMA").items if item.id not in reflexes)


def test_mmse_has_the_points_of_each_domain_and_no_wording() -> None:
    mmse = of("MMSE")
    points: Counter[str] = Counter()
    for item in mmse.items:
        code = item.testcd.removeprefix("MMS")
        points[code[:4] if code.startswith("104") else code[:3]] += item.maximum
    assert points == MMSE_POINTS
    assert mmse.licence.wording == "neutral"
    assert {option.label.en for item in mmse.items for option in item.options} == {"0 points", "1 point"}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_what_goes_into_a_dataset_fits_sdtm(name: str) -> None:
    whole = of(name)
    coded = [(item.testcd, item.test) for item in whole.items]
    coded += [(total.testcd, total.test) for total in whole.totals]
    coded += [(code.testcd, code.test) for code in whole.unscored]
    assert all(len(testcd) <= 8 and len(test) <= 40 for testcd, test in coded)
    names = dict(coded)
    assert len(set(names.values())) == len(names)
    assert whole.sdtm_domain in {"RS", "FT", "QS"}


def test_nihss_untestable_adds_nothing_and_is_named() -> None:
    # 5a and 10 untestable, all else at its maximum: 42 - 4 - 2.
    nihss = of("NIHSS")
    found = score(nihss, {**highest(nihss), "5a": "UN", "10": "UN"})["NIH0116"]
    assert found.official == Decimal(36)
    assert (found.bounds.low, found.bounds.high) == (Decimal(36), Decimal(42))
    assert found.untestable == ("5a", "10")
    assert found.missing == ()


def test_nihss_missing_is_not_untestable() -> None:
    # Without item 9 (0 to 3): no total, between 42 - 3 and 42.
    nihss = of("NIHSS")
    answers = highest(nihss)
    del answers["9"]
    for given in (answers, {**answers, "9": "ND"}):
        found = score(nihss, given)["NIH0116"]
        assert found.official is None
        assert (found.bounds.low, found.bounds.high) == (Decimal(39), Decimal(42))
        assert found.missing == ("9",)


def test_nihss_derived_values() -> None:
    nihss = of("NIHSS")
    answers: dict[str, Answer] = {
        **{item.id: 0 for item in nihss.items},
        "5a": 3,
        "5b": 1,
        "6a": 2,
        "6b": "UN",
    }
    found = derive(nihss, answers)
    assert found["motor"].official == Decimal(6)  # 3 + 1 + 2 + UN counted 0
    assert found["motor"].total.maximum == 16  # four limbs of 0 to 4
    assert found["paretic_arm"].official == Decimal(3)
    assert found["paretic_leg"].official == Decimal(2)
    assert (found["paretic_leg"].bounds.low, found["paretic_leg"].bounds.high) == (Decimal(2), Decimal(4))


def test_fma_normal_reflexes_count_only_when_the_section_before_is_full() -> None:
    fma = of("FMA")
    full = highest(fma)
    short = {**full, "UE15": 1}
    assert score(fma, short)["FMAUEA"].official == Decimal(36 - 1 - 2)
    assert score(fma, short)["FMAUEA"].closed == ("UE18",)
    assert "UE18" not in unanswered(fma, {item: answer for item, answer in short.items() if item != "UE18"})
    assert score(fma, {**full, "LE13": 0})["FMALETOT"].official == Decimal(34 - 2 - 2)


@pytest.mark.parametrize(
    ("seconds", "points"),
    # Public form: 0 at 6 s or more, 1 from 2 to 5.9 s, 2 under 2 s.
    [("-1", 2), ("0", 2), ("1.9", 2), ("2", 1), ("5", 1), ("5.9", 1), ("6", 0), ("60", 0)],
)
def test_fma_speed_is_read_off_the_seconds(seconds: str, points: int) -> None:
    assert graded(of("FMA"), "UE33", Decimal(seconds)) == points
    assert graded(of("FMA"), "LE17", Decimal(seconds)) == points
    assert graded(of("FMA"), "UE01", Decimal(seconds)) is None


def test_mmse_counts_one_alternative_and_keeps_the_other_apart() -> None:
    mmse = of("MMSE")
    answers: dict[str, Answer] = {**highest(mmse), **{f"MMS104B{letter}": 0 for letter in "ABCDE"}}
    assert score(mmse, answers)["MMS112"].official == Decimal(30)
    assert score(counting(mmse, "attention", "spelling"), answers)["MMS112"].official == Decimal(25)
    without = {item: answer for item, answer in answers.items() if not item.startswith("MMS104B")}
    assert unanswered(mmse, without) == ()
    assert len(unanswered(counting(mmse, "attention", "spelling"), without)) == 5
    with pytest.raises(KeyError):
        counting(mmse, "attention", "both")


def test_mmse_untestable_leaves_the_total_open() -> None:
    mmse = of("MMSE")
    found = score(mmse, {**highest(mmse), "MMS110": "UN"})
    assert found["MMS112"].official is None
    assert (found["MMS112"].bounds.low, found["MMS112"].bounds.high) == (Decimal(29), Decimal(30))
    assert found["MMS104"].official == Decimal(5)


def test_licensed_wording_takes_the_place_of_neutral_labels() -> None:
    text = Text("the sponsor's licensed words", "申办方的授权文本")
    assert worded(of("MMSE"), {"MMS107": text}).item("MMS107").label == text
    assert of("MMSE").item("MMS107").label != text
    with pytest.raises(KeyError):
        worded(of("MMSE"), {"MMS999": text})


def test_a_visit_may_ask_for_part_of_a_scale() -> None:
    upper = limited(of("FMA"), ["FMAUETOT"])
    assert len(upper.items) == 33
    assert upper.main_total.testcd == "FMAUETOT"
    assert {total.testcd for total in upper.totals} == {"FMAUEA", "FMAUEB", "FMAUEC", "FMAUED", "FMAUETOT"}
    motor = limited(of("FMA"), ["FMAUETOT", "FMALETOT"])
    assert (len(motor.items), motor.main_total.testcd) == (50, "FMAMOTOT")
    assert [gate.item for gate in motor.gates] == ["UE18", "LE14"]
    assert len(limited(of("MMSE"), ["MMS104"]).items) == 10
    assert limited(of("NIHSS"), []) is of("NIHSS")
    with pytest.raises(KeyError):
        limited(of("FMA"), ["FMANOT"])


def test_impossible_answers_are_refused_by_name() -> None:
    nihss = of("NIHSS")
    arm, gaze = nihss.item("5a"), nihss.item("2")
    assert arm is not None
    assert gaze is not None
    assert answer_problem(arm, 4, explained=False) is None
    assert answer_problem(arm, "UN", explained=True) is None
    assert answer_problem(gaze, "ND", explained=False) is None
    rules = {
        answer_problem(arm, 5, explained=False).rule: "5 is beyond 0 to 4",
        answer_problem(arm, "UN", explained=False).rule: "UN without words",
        answer_problem(gaze, "UN", explained=True).rule: "no UN on gaze",
        answer_problem(gaze, "99", explained=True).rule: "99 is another form's code",
    }
    assert set(rules) == {
        "instruments.score-not-allowed",
        "instruments.untestable-unexplained",
        "instruments.untestable-not-offered",
        "instruments.code-unknown",
    }
    with pytest.raises(ValueError, match="NIH0107"):
        score(nihss, {"5a": 5})
    with pytest.raises(ValueError, match="BI0101"):
        score(of("BI"), {"1": 7})


def test_captured_text_becomes_an_answer() -> None:
    assert read_answer("3", None) == 3
    assert read_answer(None, "UN") == "UN"
    assert read_answer(None, None) is None
    assert read_answer("", None) is None


def test_coma_asks_about_items_that_do_not_fit() -> None:
    # Scores that the NIHSS booklet prescribes in coma: 1a 3, 1b 2, 1c 2, limbs 4, 7 0, 8 2, 9 3, 10 2, 11 2.
    nihss = of("NIHSS")
    coma: dict[str, Answer] = {
        "1a": 3,
        "1b": 2,
        "1c": 2,
        "5a": 4,
        "5b": 4,
        "6a": 4,
        "6b": 4,
        "7": 0,
        "8": 2,
        "9": 3,
        "10": 2,
        "11": 2,
    }
    assert unmet_expectations(nihss, coma) == ()
    assert unmet_expectations(nihss, {**coma, "8": 1}) == ("coma",)
    assert unmet_expectations(nihss, {"1a": 3, "5a": "UN"}) == ()
    assert unmet_expectations(nihss, {"9": 3, "1b": 0}) == ("mute",)
    assert unmet_expectations(nihss, {"5a": 4, "6a": 4, "7": 1}) == ("ataxia-left",)

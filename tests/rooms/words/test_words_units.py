"""Units convert exactly and back; ids keep their form."""

from __future__ import annotations

import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.words.codelists import MISSING
from equipoise.words.ids import random_id
from equipoise.words.text import Text
from equipoise.words.units import UNITS, convert

PAIRS = [
    (unit, target)
    for unit in UNITS
    for target in UNITS
    if unit != target and UNITS[unit].dimension == UNITS[target].dimension
]


@pytest.mark.parametrize(
    ("value", "unit", "target", "found"),
    [
        # Source: UCUM definitions; the boiling and freezing points of water; 1 lb = 0.45359237 kg, 1 in = 2.54 cm (1959)
        ("212", "[degF]", "Cel", "100"),
        ("32", "[degF]", "Cel", "0"),
        ("-40", "Cel", "[degF]", "-40"),
        ("98.6", "[degF]", "Cel", "37"),
        ("1", "[lb_av]", "kg", "0.453592"),  # to six places
        ("100", "[lb_av]", "kg", "45.359237"),
        ("70", "[in_i]", "cm", "177.8"),
        ("1500", "g", "kg", "1.5"),
        ("70", "kg", "g", "70000"),
        # UCUM: m[Hg] = 133.3220 kPa, so 16 kPa = 16/0.133322 mm[Hg]
        ("16", "kPa", "mm[Hg]", "120.010201"),
        ("310.15", "K", "Cel", "37"),
        ("1", "ukat/L", "U/L", "60"),  # 1 U = 1 umol/min
        ("450", "/uL", "10*9/L", "0.45"),
        ("42", "%", "L/L", "0.42"),
        ("140", "g/L", "g/dL", "14"),
        ("5", "Cel", "Cel", "5"),
    ],
)
def test_known_conversions(value, unit, target, found):
    assert convert(Decimal(value), unit, target) == Decimal(found)


@pytest.mark.parametrize(
    ("analyte", "unit", "target", "factor", "digits"),
    [
        # Source: AMA Manual of Style, 11th ed. (2020), table 17.5-1, conventional to SI, as many digits as it prints
        ("glucose", "mg/dL", "mmol/L", "0.0555", 4),
        ("creatinine", "mg/dL", "umol/L", "88.4", 1),
        ("bilirubin", "mg/dL", "umol/L", "17.104", 3),
        ("cholesterol", "mg/dL", "mmol/L", "0.0259", 4),
        ("triglycerides", "mg/dL", "mmol/L", "0.0113", 4),
        ("urate", "mg/dL", "umol/L", "59.485", 3),
        ("urea-nitrogen", "mg/dL", "mmol/L", "0.357", 3),
        ("calcium", "mg/dL", "mmol/L", "0.25", 2),
    ],
)
def test_grams_and_moles_meet_through_the_molar_mass(analyte, unit, target, factor, digits):
    assert convert(Decimal(1), unit, target, digits=digits, analyte=analyte) == Decimal(factor)
    assert convert(Decimal(1), unit, target) is None


def test_beyond_34_digits_there_is_no_number():
    with pytest.raises(decimal.InvalidOperation):
        convert(Decimal(10**40), "kg", "g")


def test_no_rule_no_number():
    assert convert(Decimal(1), "kg", "cm") is None
    assert convert(Decimal(1), "kg", "") is None


@given(st.sampled_from(PAIRS), st.decimals(-10000, 10000, places=2))
def test_there_and_back(pair, value):
    unit, target = pair
    there = convert(value, unit, target, digits=18)
    assert there is not None
    back = convert(there, target, unit, digits=6)
    assert back is not None
    assert back == value


@given(st.sampled_from(PAIRS), st.decimals(-10000, 10000, places=2), st.decimals(0, 100, places=2))
def test_a_conversion_keeps_the_order(pair, value, more):
    low, high = convert(value, *pair), convert(value + more, *pair)
    assert low is not None
    assert high is not None
    assert low <= high


def test_every_reason_for_a_missing_value_has_both_languages():
    # Source: codes printed on Chinese case report forms (ND, UK, NA), refusal, and the NIHSS's own UN
    assert set(MISSING) == {"ND", "UK", "NA", "RF", "UN"}
    assert all(text.zh for text in MISSING.values())


@given(st.integers(1, 40), st.randoms(use_true_random=False))
def test_a_random_id_has_its_length_and_no_look_alikes(length, source):
    made = random_id(source.randbytes, length)
    assert len(made) == length
    assert set(made) <= set("23456789abcdefghjkmnpqrstuvwxyz")


def test_random_ids_use_their_whole_alphabet_evenly():
    # every byte below 248 = 8 * 31 maps to one of 31 letters, eight bytes to each
    made = random_id(lambda n: bytes(range(256))[:n] if n <= 256 else b"", 248)
    assert {made.count(letter) for letter in set(made)} == {8}


def test_a_text_falls_back_to_english():
    assert Text("Yes").say("zh") == "Yes"
    assert Text("Yes", "是").say("zh") == "是"
    assert Text("Yes", "是").as_mapping() == {"en": "Yes", "zh": "是"}
    assert Text("Yes").as_mapping() == {"en": "Yes"}

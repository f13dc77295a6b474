"""Units convert exactly and back; ids keep their form."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.words.codelists import MISSING
from equipoise.words.ids import random_id
from equipoise.words.text import Text
from equipoise.words.units import CONVERSIONS, convert


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
        ("16", "kPa", "mm[Hg]", "120.00992"),  # 1 kPa = 7.50062 mmHg
        ("140", "g/L", "g/dL", "14"),
        ("5", "Cel", "Cel", "5"),
    ],
)
def test_known_conversions(value, unit, target, found):
    assert convert(Decimal(value), unit, target) == Decimal(found)


def test_no_rule_no_number():
    assert convert(Decimal(1), "kg", "cm") is None
    assert convert(Decimal(1), "kg", "") is None


@given(st.sampled_from(sorted(CONVERSIONS)), st.decimals(-10000, 10000, places=2))
def test_there_and_back(pair, value):
    unit, target = pair
    there = convert(value, unit, target, digits=12)
    assert there is not None
    back = convert(there, target, unit, digits=6)
    assert back is not None
    assert abs(back - value) <= Decimal("0.000001")


@given(
    st.sampled_from(sorted(CONVERSIONS)), st.decimals(-10000, 10000, places=2), st.decimals(0, 100, places=2)
)
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

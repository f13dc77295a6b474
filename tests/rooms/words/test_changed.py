"""A record with some fields changed is what `dataclasses.replace` makes of it, for the record that it is used on."""

from __future__ import annotations

import dataclasses

import pytest

from equipoise.ledger.facts import Facts
from equipoise.words.changed import changed

CHANGES = {"number_taken": True, "screening_number": "01007", "doses_given": {}, "randomized_count": 3}


def test_it_says_what_replace_says():
    before = Facts(list_root="aa", subject_known=True)
    after = changed(before, **CHANGES)
    assert after == dataclasses.replace(before, **CHANGES)
    assert after != before
    assert before == Facts(list_root="aa", subject_known=True)  # the other stands as it stood


def test_it_is_frozen_as_the_other_is():
    after = changed(Facts(), number_taken=True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        after.number_taken = False
    assert after.number_taken


def test_a_name_that_is_no_field_is_an_error():
    with pytest.raises(TypeError, match="colour"):
        changed(Facts(), colour="green")
    assert changed(Facts()) == Facts()

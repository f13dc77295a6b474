"""A problem is a key and its arguments; its words stand in one catalogue, complete in both languages."""

from __future__ import annotations

import re

import pytest

from equipoise.words.problem import Problem, catalogue, problem, say
from equipoise.words.text import LANGUAGES, Text


def test_every_message_has_both_languages_and_the_same_arguments():
    slots = re.compile(r"\{(\w+)\}")
    assert catalogue()
    for key, text in catalogue().items():
        assert text.en.strip(), key
        assert text.zh, key
        assert set(slots.findall(text.en)) == set(slots.findall(text.zh)), key


def test_arguments_are_put_in():
    found = problem("protocol.value-too-small", "design.cap", found=0, limit=1)
    assert found == Problem("protocol.value-too-small", "design.cap", {"found": "0", "limit": "1"})
    assert found.say() == "0 is too small: at least 1. Correct it."
    assert found.say("zh") == "0 过小，至少应为 1。请更正。"


def test_an_argument_may_have_two_languages():
    found = problem("protocol.study-reference", name=Text("form", "表单"), kind="forms")
    assert "form" in found.say("en")
    assert "表单" in found.say("zh")


def test_an_argument_that_looks_like_a_slot_stays_as_it_is():
    assert "{limit}" in problem("protocol.value-too-small", found="{limit}", limit=1).say()


def test_an_argument_that_is_not_given_is_seen():
    assert "{limit}" in say("protocol.value-too-small", "en", {"found": "0"})


def test_an_unknown_key_is_shown_and_not_raised():
    for language in LANGUAGES:
        assert say("nowhere.nothing", language) == "nowhere.nothing"


def test_problems_can_be_collected():
    one, same, other = problem("a.b", "x", n=1), problem("a.b", "x", n=1), problem("a.b", "x", n=2)
    assert {one, same, other} == {one, other}


@pytest.mark.parametrize("language", LANGUAGES)
def test_messages_do_not_shout_and_do_not_blame(language):
    # the tone of the house: calm, and never "invalid" or "illegal" to a person at work
    harsh = re.compile(r"!|！|\binvalid\b|\billegal\b|非法", re.IGNORECASE)
    assert not [
        key for key, text in catalogue().items() if harsh.search(text.say(language).replace("!=", ""))
    ]

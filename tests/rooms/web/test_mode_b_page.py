"""The randomize page says where the promise of a method is weaker than that of a fixed list, and only there."""

from __future__ import annotations

import dataclasses

import pytest
from samples import NUMBER

WORDS = "weaker promise"  # words/messages/randomization.yaml, randomization.mode-b-weaker


@pytest.mark.parametrize("weaker", [True, False])
def test_the_page_says_that_minimization_promises_less(desk, coordinator, monkeypatch, weaker):
    kept = desk.randomization

    def view(*arguments):
        return dataclasses.replace(kept(*arguments), weaker=weaker)

    monkeypatch.setattr(desk, "randomization", view)
    assert (WORDS in coordinator.get(f"/subjects/{NUMBER}/randomize").text) is weaker

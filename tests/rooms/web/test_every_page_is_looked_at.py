"""Every page of both doors is in the set of pages that the browser's tests look at, or is left out with a reason.

Source: the issue's bar "0 axe violations on every page".
"""

from __future__ import annotations

import importlib

import pytest

from blind.operations import methods, routes
from browser.addresses import ELSEWHERE, FIRST, SECOND, not_looked_at

DOORS = {"first": ("equipoise.web.urls", FIRST), "second": ("equipoise.vault.web.urls", SECOND)}


def pages_of(door: str) -> list[str]:
    """The routes of a door that answer GET."""
    module = importlib.import_module(DOORS[door][0])
    return [route for route, view in routes(module.urlpatterns) if "GET" in methods(view)]


@pytest.mark.parametrize("door", DOORS)
def test_every_page_of_a_door_is_looked_at_or_says_why_not(pages, door):
    left_out = {one for one in ELSEWHERE if one.startswith(f"{door} ")}
    assert not_looked_at(door, pages_of(door), DOORS[door][1]) == left_out


def test_a_page_that_nobody_looks_at_is_found():
    routes = ["subjects", "subjects/new", "subjects/<str:number>", "lots/<int:lot>/label"]
    seen = {"subjects": ("coordinator", "subjects"), "one": ("coordinator", "subjects/01001?asof=x")}
    assert not_looked_at("a", routes, seen) == {"a subjects/new", "a lots/<int:lot>/label"}

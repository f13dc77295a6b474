"""The user guide: every picture it names is there, every picture is named, in both languages alike, and they are small."""

from __future__ import annotations

import re

import pytest
from house_files import ROOT, text, under

PICTURE = re.compile(r"!\[[^\]]+\]\((img/guide/[^)]+)\)")
AT_MOST = 2_000_000
"""Bytes of all pictures: what a clone of the repository carries for them."""


@pytest.mark.parametrize(("page", "language"), [("docs/guide.md", "en"), ("docs/guide.zh.md", "zh")])
def test_the_guide_shows_every_picture_of_its_language_in_order(page, language):
    shown = [f"docs/{path}" for path in PICTURE.findall(text(page))]
    there = [path for path in under("docs/img/guide", ".png") if path.endswith(f".{language}.png")]
    assert shown == there
    assert there


def test_every_picture_of_the_guide_is_in_both_languages_and_all_are_small():
    pictures = under("docs/img/guide", ".png")
    names = {
        language: {path.split(".")[0] for path in pictures if path.endswith(f".{language}.png")}
        for language in ("en", "zh")
    }
    assert names["en"] == names["zh"]
    assert len(pictures) == 2 * len(names["en"])
    assert sum((ROOT / path).stat().st_size for path in pictures) <= AT_MOST


def test_the_pictures_are_those_that_the_stories_take():
    taken = set(
        re.findall(r'picture\(\w+, "(\d\d-[a-z0-9-]+)"', "".join(map(text, under("tests/browser", ".py"))))
    )
    assert taken == {path.rsplit("/", 1)[1].split(".")[0] for path in under("docs/img/guide", ".png")}


@pytest.mark.parametrize("page", ["docs/guide.md", "docs/guide.zh.md"])
def test_links_of_the_guide_lead_somewhere(page):
    links = re.findall(r"(?<!!)\[[^\]]+\]\(([^)]+)\)", text(page))
    assert links
    assert all((ROOT / "docs" / link).exists() for link in links)

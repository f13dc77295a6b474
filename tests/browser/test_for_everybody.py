"""Every page of the first door, in both languages, light and dark: no axe violation, no console message, no leftover
English, nothing sideways at 320 px, nothing cut off with text of twice its size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from addresses import FIRST
from filled import fill
from looking import Told, axe_faults, size_faults
from playwright.sync_api import Browser, Page
from served import VIEW, WAIT, Served, enter

pytestmark = pytest.mark.browser

DEMO = Path(__file__).resolve().parents[2] / "studies" / "nct07197606" / "demo.yaml"
STAFF = frozenset(
    re.findall(r"[A-Za-z]+", " ".join(re.findall(r"name: \{en: ([^,]+),", DEMO.read_text("utf-8"))))
)
"""The made-up staff's names, which are written in Latin letters beside the Chinese ones."""
LATIN = re.compile(r"[A-Za-z][A-Za-z'-]*[A-Za-z]")
ALLOWED = frozenset(Path(__file__).with_name("latin.txt").read_text("utf-8").split())
"""What stays Latin in Chinese hospital use: names of scales and of tests, codes, units, keys, names of zones."""


@pytest.fixture(scope="module")
def everything(rehearsal_store, tmp_path_factory) -> Iterator[tuple[Served, dict[str, str]]]:
    """A server on a store in which every page has something to show, and what stands in addresses."""
    folder = tmp_path_factory.mktemp("everything") / "store"
    names = fill(rehearsal_store, folder)
    server = Served(folder)
    yield server, names
    server.kill()


@pytest.fixture(scope="module")
def windows(browser: Browser, everything) -> Iterator[Windows]:
    """Signed-in windows, opened when they are asked for."""
    made = Windows(browser, everything[0])
    yield made
    made.close()


class Windows:
    """A signed-in window for each language and role."""

    def __init__(self, browser: Browser, server: Served) -> None:
        self.browser, self.server = browser, server
        self.made: dict[tuple[str, str], Told] = {}

    def __call__(self, language: str, role: str = "coordinator") -> Told:
        if (language, role) not in self.made:
            locale = {"en": "en-GB", "zh": "zh-CN"}[language]
            context = self.browser.new_context(viewport=VIEW, locale=locale)
            context.set_default_timeout(WAIT)
            self.made[language, role] = Told(context.new_page())
            enter(self.made[language, role].page, self.server.address, role)
        return self.made[language, role]

    def close(self) -> None:
        for told in self.made.values():
            told.page.context.close()


def english_left(page: Page) -> list[str]:
    """English words on a Chinese page that are no names of people and none that stay Latin."""
    people = STAFF | set(
        LATIN.findall(
            " ".join(
                page.locator(".person-name strong, .card-foot .muted, .changes .small").all_inner_texts()
            )
        )
    )
    return [
        f"English: {word}"
        for text in page.evaluate(TEXTS)
        for word in LATIN.findall(text)
        if word not in ALLOWED and word not in people and not re.fullmatch(r"[A-Z]{1,2}\d*", word)
    ]


@pytest.mark.parametrize("name", FIRST)
def test_a_page_is_for_everybody(windows, everything, name):
    server, names = everything
    role, address = FIRST[name]
    faults = []
    for language in ("en", "zh"):
        told = windows(language, role)
        found = told.open(
            server.address + address.format_map(names), status=404 if name == "not found" else 200
        )
        found += axe_faults(told.page)
        if told.page.locator("h1").count() != 1:
            found.append("not one heading")
        if told.page.locator("html").get_attribute("lang") != {"en": "en", "zh": "zh-Hans"}[language]:
            found.append("says another language")
        if language == "zh" and name != "public page":
            found += english_left(told.page)
        found += size_faults(told.page)
        faults += [f"{language}: {one}" for one in found]
    assert not faults, "\n".join(faults)


TEXTS = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    const element = node.nodeType === 1 ? node : node.parentElement;
    if (element.closest('[lang=en], script, template, code, .mono')) continue;
    if (node.nodeType === 3) found.push(node.textContent);
    else for (const name of ['aria-label', 'title', 'placeholder', 'alt']) {
      const said = node.getAttribute(name) ?? '';
      if (!/[0-9a-f]{64}/.test(said)) found.push(said);  // the place of an entry in the ledger is no sentence
    }
  }
  return found;
}"""


WORDS = "<!doctype html><html lang=en><title>t</title><style>{style}</style><main><h1>{word}</h1></main>"


def test_a_pair_of_colours_is_looked_at_wherever_it_is_new(browser):
    """What passed once hides no other: not in the light, not in the dark alone, not on another ground, not when large."""
    page = browser.new_page()
    sound = "h1 {font-size: 16px; font-weight: 400; color: #0a0a0a; background: #fdfdfd}"
    dark = "@media (prefers-color-scheme: dark) {h1 {color: #444; background: #333}}"
    faint = sound.replace("#0a0a0a", "#bbb")  # 1.9 : 1 on white; WCAG 1.4.3 asks for 4.5 : 1
    between = sound.replace("#0a0a0a", "#888")  # 3.5 : 1: enough for large letters alone
    large = between.replace("16px", "30px")
    ground = sound.replace("#fdfdfd", "#333")
    fainter = sound.replace("#0a0a0a", "#bcbcbc")
    hidden = fainter + "main {display: none}"
    unseen = fainter.replace("#bcbcbc", "#bdbdbd")
    faded = unseen + "main {visibility: hidden}"
    for style, fault in ((sound, None), (sound, None), (faint, "light"), (sound + dark, "dark"), (ground, "light"),
                         (large, None), (between, "light"), (hidden, None), (fainter, "light"), (faded, None),
                         (unseen, "light"), (sound, None)):  # fmt: skip
        page.set_content(WORDS.format(style=style, word="Word"))
        found = [one for one in axe_faults(page) if "color-contrast" in one]
        assert bool(found) == (fault is not None), (style, found)
        assert not found or found[0].startswith(str(fault))
    page.close()


def test_the_matrix_scrolls_in_its_own_box_and_keeps_its_first_column(windows, everything):
    told = windows("en")
    page = told.page
    page.set_viewport_size({"width": 320, "height": 640})
    assert told.open(everything[0].address + FIRST["casebook"][1]) == []
    box = page.locator(".matrix-box")
    assert box.evaluate("(box) => box.scrollWidth > box.clientWidth")
    box.evaluate("(box) => { box.scrollLeft = 400; }")
    head = page.locator(".matrix tbody th").first.bounding_box()
    assert head["x"] >= box.bounding_box()["x"] - 1
    page.set_viewport_size(VIEW)


def test_every_cell_says_its_form_visit_and_state_and_has_the_size_of_a_target(windows, everything):
    told = windows("en")
    page = told.page
    assert told.open(everything[0].address + FIRST["casebook"][1]) == []
    for cell in page.locator("#matrix a.cell").all()[:20]:
        label = cell.get_attribute("aria-label")
        assert re.fullmatch(r".+, V\d+ .+: .+", label), label
        box = cell.bounding_box()
        assert (round(box["width"]), round(box["height"])) == (32, 28)  # ux.md 1.16

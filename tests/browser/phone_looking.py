"""What is wrong with a screen of the phone for eyes and thumbs."""

from __future__ import annotations

from looking import AXE, NARROWEST
from playwright.sync_api import Page

SMALLEST = 60  # px; the Chinese rule for elders, reference/ux.md 3.3
TARGETS = """() => [...document.querySelectorAll("button, a[href], input")].filter((one) => one.offsetParent !== null)
  .map((one) => { const box = one.getBoundingClientRect(); return [one.innerText.trim() || one.id, box.width, box.height]; })"""
BROKEN = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.getElementById("app"), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    for (const word of walk.currentNode.data.matchAll(/[A-Za-z]+/g)) {
      const range = document.createRange();
      range.setStart(walk.currentNode, word.index);
      range.setEnd(walk.currentNode, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((one) => Math.round(one.top))).size > 1) found.push(word[0]);
    }
  }
  return found;
}"""
"""Words of letters that stand on two lines: hard to read for whom reading is hard."""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def faults_of(page: Page) -> list[str]:
    """What is wrong with the screen for eyes and thumbs: axe in light and dark, small targets, anything sideways."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        run = "axe.run(document, {resultTypes: ['violations']}).then((all) => all.violations)"
        found += [f"{scheme} {one['id']} {one['nodes'][0]['target']}" for one in page.evaluate(run)]
    page.emulate_media(color_scheme="light")
    found += [
        f"small: {name} {width} x {height}"
        for name, width, height in page.evaluate(TARGETS)
        if min(width, height) < SMALLEST
    ]
    page.set_viewport_size(NARROWEST)
    found += ["sideways at 320 px"] if page.evaluate(SIDEWAYS) > 0 else []
    found += [f"broken at 320 px: {word}" for word in page.evaluate(BROKEN)]
    page.set_viewport_size({"width": 380, "height": 740})
    return found

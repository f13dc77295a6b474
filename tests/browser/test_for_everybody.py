"""Every page, in both languages, light and dark: no axe violation, no console message, no leftover English, 320 px."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from served import VIEW, WAIT, Served, enter

pytestmark = pytest.mark.browser

DEMO = Path(__file__).resolve().parents[2] / "studies" / "nct07197606" / "demo.yaml"
PAGES = {
    "chooser": "",
    "sign-in": "login",
    "public page": "trial",
    "today": "today",
    "subjects": "subjects",
    "new participant": "subjects/new",
    "casebook": "subjects/01001",
    "casebook in screening": "subjects/01004",
    "consent": "subjects/01004/consent",
    "eligibility": "subjects/01004/eligibility",
    "randomize": "subjects/01004/randomize",
    "randomized": "subjects/01001/randomize",
    "scale": "subjects/01004/forms/V2/NIHSS",
    "complete scale": "subjects/01001/forms/V1/NIHSS",
    "plain form": "subjects/01004/forms/V1/STROKE",
    "unfinished form": "subjects/01001/forms/V2/BI",
    "kept items": "subjects/01001/forms/V2/PREP",
    "history": "subjects/01001/forms/V1/NIHSS/history",
    "queries": "queries",
    "doses due": "due",
    "visits": "subjects/01001/visits",
    "visits due": "visits",
    "deviations": "subjects/01001/deviations",
    "log of deviations": "deviations",
    "visit": "subjects/01001/visits/V6",
    "infusion": "subjects/01001/infusion",
    "running list": "subjects/01001/logs/CM",
    "row of a list": "subjects/01001/forms/LOG/CM/1",
    "adverse event": "subjects/01001/forms/LOG/AE/1",
    "laboratory": "subjects/01001/forms/V3/LBHEM",
    "reference ranges": "sites/01/ranges",
    "serial vital signs": "subjects/01001/grids/V2/INFVS",
    "participants by visits": "subjects/matrix",
    "enrolment": "enrolment",
    "double entry": "subjects/01001/double/V4/BGP/1",
    "double entries": "double",
    "forms on paper": "papers",
    "not found": "subjects/99999",
}
"""Numbers are those that the demonstration gives: site 01, in the order in which its people were screened."""
OF_ROLES = {
    "today of a monitor": ("monitor", "today"),
    "today of an investigator": ("investigator", "today"),
    "today of a data manager": ("data_manager", "today"),
    "today of a sponsor": ("sponsor", "today"),
    "today of an inspector": ("inspector", "today"),
    "casebook of a rater": ("rater", "subjects/01001"),
    "scale of a rater": ("rater", "subjects/01004/forms/V1/NIHSS"),
    "inbox of a monitor": ("monitor", "queries"),
    "amendments": ("data_manager", "amendments"),
    "listing": ("data_manager", "listing"),
    "audit trail": ("inspector", "audit"),
    "staff": ("investigator", "staff/01"),
    "access map": ("inspector", "access"),
    "scans": ("coordinator", "subjects/01001/sources/V1/DM/1"),
    "specimens": ("coordinator", "subjects/01001/specimens"),
    "shipments": ("coordinator", "shipments"),
    "the past": ("monitor", "subjects/01001?asof=2026-11-10T12:00"),
}
"""Pages that another role works at, or that came later: the role and the address."""
PAGES_OF = {**{name: ("coordinator", address) for name, address in PAGES.items()}, **OF_ROLES}

STAFF = frozenset(
    re.findall(r"[A-Za-z]+", " ".join(re.findall(r"name: \{en: ([^,]+),", DEMO.read_text("utf-8"))))
)
"""The made-up staff's names, which are written in Latin letters beside the Chinese ones."""
LATIN = re.compile(r"[A-Za-z][A-Za-z'-]*[A-Za-z]")
ALLOWED = {
    *[
        "NIHSS",
        "mRS",
        "MRS",
        "FMA",
        "MMSE",
        "MRI",
        "CT",
        "ECG",
        "DEMO",
        "UTC",
        "LOC",
        "UN",
        "ND",
        "UK",
        "NA",
        "RF",
        "ID",
        "GCP",
        "TOAST",
        "TICI",
        "mTICI",
        "DVT",
        "AUG",
    ],
    *[
        "Ctrl",
        "Enter",
        "Esc",
        "Space",
        "Fugl-Meyer",
        "Fugl",
        "Meyer",
        "Barthel",
        "Rankin",
        "English",
        "kg",
        "cm",
        "mm",
        "mmHg",
        "mL",
        "Asia",
        "Shanghai",
        "Cookie",
    ],
    *[
        "IVT",
        "EVT",
        "HbA",
        "PT",
        "INR",
        "APTT",
        "CRP",
        "BDNF",
        "VEGF",
        "NfL",
        "IL",
        "TNF",
        "DWI",
        "FLAIR",
        "ICH",
        "Parkinson",
        "ng",
        "pg",
        "IU",
        "HBsAg",
        "CTCAE",
        "NCS",
        "HLA",
        "dL",
        "CSV",
        "UTF",
        "mg",
        "HIV",
        "HCV",
    ],
    *["PDF", "SDTM", "CONSORT", "UNS", "LOG", "PNG", "JPEG", "TIFF", "QTcF", "CEA", "AFP", "PSA", "EDTA"],
}
"""What stays Latin in Chinese hospital use: names of scales and of tests, codes, units, keys, names of zones."""


@pytest.fixture(scope="module")
def windows(browser: Browser, shared_server: Served) -> Iterator[Windows]:
    """Signed-in windows, opened when they are asked for."""
    made = Windows(browser, shared_server)
    yield made
    made.close()


class Windows:
    """A signed-in window for each language, colour scheme and role."""

    def __init__(self, browser: Browser, server: Served) -> None:
        self.browser, self.server = browser, server
        self.made: dict[tuple[str, str, str], Page] = {}

    def __call__(self, language: str, scheme: str = "light", role: str = "coordinator") -> Page:
        if (language, scheme, role) not in self.made:
            locale = {"en": "en-GB", "zh": "zh-CN"}[language]
            context = self.browser.new_context(viewport=VIEW, locale=locale, color_scheme=scheme)
            context.set_default_timeout(WAIT)
            self.made[language, scheme, role] = context.new_page()
            enter(self.made[language, scheme, role], self.server.address, role)
        return self.made[language, scheme, role]

    def close(self) -> None:
        for page in self.made.values():
            page.context.close()


def visit(page: Page, server: Served, name: str) -> list[str]:
    """Open a page; what the console said."""
    said: list[str] = []
    listen = lambda message: said.append(message.text)  # noqa: E731
    page.on("console", listen)
    page.on("pageerror", lambda error: said.append(str(error)))
    answer = page.goto(server.address + PAGES_OF[name][1])
    assert answer.status == (404 if name == "not found" else 200), "another page would be looked at"
    page.remove_listener("console", listen)
    return [text for text in said if not (name == "not found" and "404" in text)]


@pytest.mark.parametrize("name", PAGES_OF)
def test_no_page_has_an_accessibility_fault_or_a_console_message(windows, shared_server, name):
    for language, scheme in itertools.product(("en", "zh"), ("light", "dark")):
        page = windows(language, scheme, PAGES_OF[name][0])
        said = visit(page, shared_server, name)
        assert said == [], f"{language} {scheme}"
        if name != "not found":
            assert page.locator("h1").count() == 1, f"{language} {scheme}"
        # Colours are all that differs in the dark; the structure was looked at in the light.
        found = Axe().run(page, options=None if scheme == "light" else {"runOnly": ["color-contrast"]})
        assert found.violations_count == 0, f"{language} {scheme}\n{found.generate_report()}"


@pytest.mark.parametrize("name", [name for name in PAGES_OF if name != "public page"])
def test_chinese_pages_hold_no_english(windows, shared_server, name):
    page = windows("zh", role=PAGES_OF[name][0])
    visit(page, shared_server, name)
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    people = STAFF | set(
        LATIN.findall(
            " ".join(
                page.locator(".person-name strong, .card-foot .muted, .changes .small").all_inner_texts()
            )
        )
    )
    left = [
        word
        for text in page.evaluate(TEXTS)
        for word in LATIN.findall(text)
        if word not in ALLOWED and word not in people and not re.fullmatch(r"[A-Z]{1,2}\d*", word)
    ]
    assert left == [], left


TEXTS = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    const element = node.nodeType === 1 ? node : node.parentElement;
    if (element.closest('[lang=en], script, template, code, .mono')) continue;
    if (node.nodeType === 3) found.push(node.textContent);
    else for (const name of ['aria-label', 'title', 'placeholder', 'alt']) found.push(node.getAttribute(name) ?? '');
  }
  return found;
}"""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_page_scrolls_sideways_on_a_small_screen(windows, shared_server, language):
    wide = []
    for name, (role, _) in PAGES_OF.items():
        page = windows(language, role=role)
        page.set_viewport_size({"width": 320, "height": 640})
        visit(page, shared_server, name)
        room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        if room[0] > room[1]:
            wide.append((name, room))
        page.set_viewport_size(VIEW)
    assert wide == []


def test_the_matrix_scrolls_in_its_own_box_and_keeps_its_first_column(windows, shared_server):
    page = windows("en")
    page.set_viewport_size({"width": 320, "height": 640})
    visit(page, shared_server, "casebook")
    box = page.locator(".matrix-box")
    assert box.evaluate("(box) => box.scrollWidth > box.clientWidth")
    box.evaluate("(box) => { box.scrollLeft = 400; }")
    head = page.locator(".matrix tbody th").first.bounding_box()
    assert head["x"] >= box.bounding_box()["x"] - 1
    page.set_viewport_size(VIEW)


def test_every_cell_says_its_form_visit_and_state_and_has_the_size_of_a_target(windows, shared_server):
    page = windows("en")
    visit(page, shared_server, "casebook")
    for cell in page.locator("#matrix a.cell").all()[:20]:
        label = cell.get_attribute("aria-label")
        assert re.fullmatch(r".+, V\d+ .+: .+", label), label
        box = cell.bounding_box()
        assert (round(box["width"]), round(box["height"])) == (32, 28)  # ux.md 1.16

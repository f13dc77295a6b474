"""The text of a trial page, as saved from the ClinicalTrials.Veeva site, split into its sections.

A heading is a line that is one of the page's known headings, after a blank line where the page has any. Sections
may come in any order or be missing. The rule that must stay true: a line that the file cuts off is never read as
a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from equipoise.standards.registry_report import Findings
from equipoise.standards.registry_vocabulary import (
    DISTINCTIVE,
    FREE_TEXT,
    FURNITURE,
    HEADINGS,
    ORDER,
    PAGE_UNRECOGNISED,
    PEOPLE,
)

_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\f\v\x85\u2028\u2029]")
_NOTHING = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_GROUPS = re.compile(r"[\d,]+ participants? in \d+ (?:patient |participant )?(?:groups?|cohorts?)\b.*", re.I)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file: its number from 1, its text without surrounding space, and how far it was indented."""

    number: int
    text: str
    indent: int = 0


@dataclass(slots=True)
class Section:
    """A section: its key, its heading as it stands, the heading's line, and the lines below it, blank ones too."""

    key: str
    heading: str
    line: int
    lines: list[Line] = field(default_factory=list)

    def filled(self) -> list[Line]:
        """The lines that hold something."""
        return [line for line in self.lines if line.text]

    def blocks(self) -> list[list[Line]]:
        """The runs of filled lines between blank ones."""
        found: list[list[Line]] = [[]]
        for line in self.lines:
            if line.text:
                found[-1].append(line)
            elif found[-1]:
                found.append([])
        return [block for block in found if block]


@dataclass(frozen=True, slots=True)
class Page:
    """A page taken apart. `head` is what stands before the first heading.

    `double_spaced`: a blank line follows every line, so that blank lines separate nothing.
    """

    head: Section
    sections: tuple[Section, ...]
    double_spaced: bool

    @property
    def keys(self) -> frozenset[str]:
        """The sections that are there."""
        return frozenset(section.key for section in self.sections)

    @property
    def closed(self) -> bool:
        """Whether the page's closing line is there, which says that nothing is cut off."""
        return "provenance" in self.keys

    @property
    def recognised(self) -> bool:
        """Whether this is a trial page at all: two known headings, one of which no other text would have."""
        return len(self.keys) >= 2 and bool(self.keys & DISTINCTIVE)


def page_lines(text: str) -> list[Line]:
    """The lines of a text, whatever ends them, with odd spaces and invisible signs put right."""
    found = []
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        clean = _NOTHING.sub("", _SPACES.sub(" ", raw)).expandtabs(4).rstrip()
        found.append(Line(number, clean.strip(), len(clean) - len(clean.lstrip())))
    return found


def split_page(text: str, findings: Findings) -> Page:
    """Take a page apart; what is cut off or stands twice goes to `findings`."""
    lines = page_lines(text)
    has_blanks = any(not line.text for line in lines[:-1])
    filled = [line for line in lines if line.text]
    numbers = [line.number for line in filled]
    double = len(numbers) > 3 and all(later - earlier > 1 for earlier, later in pairwise(numbers))
    page = _sections(lines, double_spaced=double, has_blanks=has_blanks)
    if not page.recognised or page.closed:
        return page
    whole = text.endswith(("\n", "\r"))
    if filled and not whole:
        findings.notice("cut-line", filled[-1].number, text=filled[-1].text)
        page = _sections(lines[: filled[-1].number - 1], double_spaced=double, has_blanks=has_blanks)
    last = page.sections[-1].heading if page.sections else ""
    findings.notice("ends-early", numbers[-1] if numbers else 1, section=last)
    return page


def _sections(lines: Sequence[Line], *, double_spaced: bool, has_blanks: bool) -> Page:
    head = Section("head", "", 1)
    found = [head]
    for line, key in _headings(lines, has_blanks=has_blanks):
        if key is None:
            found[-1].lines.append(line)
        else:
            found.append(Section(key, line.text, line.number))
            if key == "groups":
                found[-1].lines.append(line)
    return Page(head, tuple(found[1:]), double_spaced)


def _headings(lines: Sequence[Line], *, has_blanks: bool) -> Iterator[tuple[Line, str | None]]:
    """Each line with the section it opens, or None."""
    candidates = {
        index: key for index in range(len(lines)) if (key := _opens(lines, index, has_blanks=has_blanks))
    }
    last = {key: index for index, key in candidates.items()}
    current, seen = "head", {"head"}
    for index, line in enumerate(lines):
        key = candidates.get(index)
        if key is not None and current in FREE_TEXT and _is_prose(key, index, last, seen):
            key = None
        current = key or current
        seen.add(current)
        yield line, key


def _is_prose(key: str, index: int, last: Mapping[str, int], seen: set[str]) -> bool:
    """Whether what looks like a heading is a paragraph of the free text it stands in.

    It is where the same heading comes again later. Where the page is cut off that cannot be seen; then it is one only
    where nothing that a page shows before it is still to come, and criteria only after what a page asks of people.
    """
    if last[key] != index:
        return True
    if "provenance" in last:
        return False
    before = ORDER[: ORDER.index(key)] if key in ORDER else ()
    overtaken = any(last.get(other, -1) > index for other in before)
    return overtaken or (key in ("inclusion", "exclusion", "criteria") and not seen & PEOPLE)


def _opens(lines: Sequence[Line], index: int, *, has_blanks: bool) -> str | None:
    line = lines[index]
    key = HEADINGS.get(" ".join(line.text.lower().split()))
    if key is None:
        return "groups" if _GROUPS.fullmatch(line.text) else None
    if not has_blanks:
        return key
    return key if index == 0 or not lines[index - 1].text else None


def is_furniture(text: str) -> bool:
    """Whether a line is about the site and not about the trial."""
    return " ".join(text.lower().split()) in FURNITURE


def code_of(label: str, table: Mapping[str, str | bool]) -> str | bool | None:
    """The code of a label, whatever its capitals and spacing; None where the table does not hold it."""
    wanted = " ".join(label.lower().split())
    return next((code for known, code in table.items() if known.lower() == wanted), None)


def keep_lines(lines: Sequence[Line], findings: Findings) -> None:
    """Keep lines that no reader understands, each with its number, and report them; furniture is passed over."""
    for line in lines:
        if not is_furniture(line.text):
            place = sum(1 for kept in findings.fields if kept.path.startswith(PAGE_UNRECOGNISED))
            findings.add(f"{PAGE_UNRECOGNISED}[{place}]", line.text, line.number)
            findings.notice("line", line.number, text=line.text)

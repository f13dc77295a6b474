"""Eligibility criteria taken apart: one record for each point, in the words of the record.

Sources write them as bulleted, numbered or plain paragraphs, under headings of many wordings, with sub-points and
with headings for parts of the trial. A point keeps its sub-points and continuation lines; a heading that names a
group is kept as a note of the points below it. The rule that must stay true: whether a point includes or excludes
is taken from a heading that says so and is never guessed; what stands under none is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from equipoise.standards.registry_page import Line

Category = Literal["inclusion", "exclusion"]

_BULLET = re.compile(
    r"(?P<sign>[•◦▪▫●○■□◆◇►▸‣⁃∙·*–—-]|[①-⑳]|[(（]?\d{1,3}(?:\.\d{1,3})*[.)）、．]|\(?(?:[A-Za-z]|[ivxIVX]{2,5})[.)])"
    r"(?:\s+|$|(?<=[）、．]))(?P<text>.*)"  # full-width signs hold their own space
)
_SYMBOL = re.compile(r"[•◦▪▫●○■□◆◇►▸‣⁃∙·*–—-]")
_FIRST, _LESSER = frozenset("•●"), frozenset("◦○▪▫")
"""Signs of points, and of sub-points below them where the indents of a page are lost."""
_LETTERED = re.compile(r"\(?[A-Za-z]{1,5}[.)]")
_MARKS = "*_#- \t"
_KIND = re.compile(r"\b(?:(?P<no>non?[- ])?(?P<kind>inclusion|exclusion)s?)\b", re.I)
_HEADING = re.compile(
    r"(?P<before>(?:[^\s:.;]+ +){0,8}?)(?P<kind>(?:non?[- ])?(?:inclusion|exclusion)s?)"
    r"(?P<noun>\s+(?:crit\w+|cristi\w+))?(?P<after>[^:.;]{0,80}?)\s*(?:(?P<colon>[:：]+)\s*(?P<rest>.*))?\.?",
    re.I,
)
_LEAD_IN = re.compile(
    r"(?!.*\bnot be\b).*\b(?:eligible for (?P<eligible>inclusion)|(?:be|were|are) (?P<verb>included|excluded))\b.*:",
    re.I,
)
_CONNECTOR = re.compile(r"(?:and|or|and/or|plus)[:,.]?", re.I)


@dataclass(slots=True)
class Point:
    """One criterion: its words, the line they begin on, and the headings it stands under that name no category."""

    category: Category
    line: int
    parts: list[str] = field(default_factory=list)
    under: str | None = None

    @property
    def text(self) -> str:
        """The words, sub-points and further lines each on a line of their own."""
        return "\n".join(self.parts)


@dataclass(slots=True)
class Criteria:
    """The points in order, and the lines under no heading that says whether they include or exclude."""

    points: list[Point] = field(default_factory=list)
    unplaced: list[Line] = field(default_factory=list)
    headings: int = 0

    def of(self, category: Category) -> list[Point]:
        """The points of one category."""
        return [point for point in self.points if point.category == category]


def read_criteria(lines: Sequence[Line]) -> Criteria:
    """Take the lines of a criteria text apart; any text gives an answer."""
    return _Reading(lines).read()


@dataclass(slots=True)
class _Reading:
    lines: Sequence[Line]
    found: Criteria = field(default_factory=Criteria)
    category: Category | None = None
    under: str | None = None
    base: int | None = None  # indent of the points of the list being read
    sign: str = ""  # of the last point
    steps: list[int] = field(default_factory=list)  # indents of the sub-points above, in the point being read
    after_blank: bool = True

    def read(self) -> Criteria:
        for index, line in enumerate(self.lines):
            if line.text:
                self._line(line, index)
            self.after_blank = not line.text
        self.found.points = [point for point in self.found.points if point.text.strip()]
        return self.found

    def _line(self, line: Line, index: int) -> None:
        heading = _category_heading(line.text, open_list=self.category is not None)
        bullet = _BULLET.fullmatch(line.text)
        if heading is not None:
            self.category, self.base = heading.category, None
            self.under = line.text if heading.qualified else None
            self.found.headings += 1
            if heading.rest:
                self._point(line, heading.rest)
        elif bullet is None:
            self._plain(line, index)
        elif self.base is not None and self._current() and self._below(line, bullet["sign"]):
            sign = "•" if _SYMBOL.fullmatch(bullet["sign"]) else bullet["sign"]
            self._part(self._level(line), f"{sign} {bullet['text']}".rstrip())
        else:
            self.base = line.indent if self.base is None else min(self.base, line.indent)
            self.sign = bullet["sign"]
            self._point(line, line.text if _LETTERED.fullmatch(bullet["sign"]) else bullet["text"])

    def _below(self, line: Line, sign: str) -> bool:
        """Whether a bulleted line is a sub-point: indented, or with a lesser sign on the indent of its point."""
        return line.indent > (self.base or 0) + 1 or (sign in _LESSER and self.sign in _FIRST)

    def _plain(self, line: Line, index: int) -> None:
        lead_in = _lead_in(line.text)
        if lead_in is not None:
            self.under = self.under if lead_in == self.category else None
            self.category, self.base = lead_in, None
        elif self.category is None:
            self._point(line, line.text)
        elif self._current() and self._continues(line):
            self._part(1, line.text)
        elif line.text.endswith(":") and self._list_follows(index):
            self.under, self.base = line.text, None
        else:
            self._point(line, line.text)

    def _continues(self, line: Line) -> bool:
        """A line goes on with the point above it when it is indented, follows it directly, or only joins two points."""
        if _CONNECTOR.fullmatch(line.text):
            return True
        if self.base is None:
            return False  # plain paragraphs: each is a point of its own
        return line.indent > self.base or not self.after_blank

    def _list_follows(self, index: int) -> bool:
        following = next((line for line in self.lines[index + 1 :] if line.text), None)
        return following is not None and _BULLET.fullmatch(following.text) is not None

    def _current(self) -> bool:
        points = self.found.points
        return bool(points) and self.category is not None and points[-1].category == self.category

    def _level(self, line: Line) -> int:
        """How deep a sub-point lies under its point, whatever the width of the indents."""
        while self.steps and self.steps[-1] >= line.indent:
            self.steps.pop()
        self.steps.append(line.indent)
        return len(self.steps)

    def _part(self, level: int, text: str) -> None:
        point = self.found.points[-1]
        if point.parts == [""]:
            point.parts = [text]
        else:
            point.parts.append("  " * min(level, 6) + text)

    def _point(self, line: Line, text: str) -> None:
        if self.category is None:
            self.found.unplaced.append(line)
        else:
            self.found.points.append(Point(self.category, line.number, [text], self.under))
            self.steps = []


@dataclass(frozen=True, slots=True)
class _Heading:
    category: Category | None
    qualified: bool = False  # it says more than the category: for whom, which part
    rest: str = ""  # words after its colon


def _category_heading(text: str, *, open_list: bool) -> _Heading | None:
    """What a line says as a heading of a category, or None where it is none.

    A heading of both categories has none; inside a list it must end with a colon, so that no point is taken for one.
    """
    bullet = _BULLET.fullmatch(text)
    bare = (bullet["text"] if bullet else text).strip(_MARKS)
    kinds = {_category(hit["kind"], negated=bool(hit["no"])) for hit in _KIND.finditer(bare)}
    if not kinds or len(bare.split(":")[0]) > 120:
        return None
    if len(kinds) == 2 or None in kinds:
        short = len(bare.split()) <= 8 and (bare.endswith(":") or not open_list)
        return _Heading(None) if short and not bullet and "crit" in bare.lower() else None
    hit = _HEADING.fullmatch(bare)
    if hit is None or not (_bulleted_heading(hit) if bullet else _plain_heading(hit, bare)):
        return None
    qualified = bool(hit["before"].strip() or hit["after"].strip(" -–—("))
    return _Heading(kinds.pop(), qualified, (hit["rest"] or "").strip(_MARKS))


def _plain_heading(hit: re.Match[str], bare: str) -> bool:
    alone = not (hit["before"] or hit["after"].strip())
    if hit["rest"]:
        return bool(hit["colon"]) and (alone or bool(hit["noun"] and len(hit["before"].split()) <= 3))
    if hit["colon"] or alone:
        return True
    titled = hit["noun"] is not None and hit["noun"].strip()[:1].isupper()
    return titled and not bare.endswith((".", ";", ",")) and len(bare.split()) <= 12


def _bulleted_heading(hit: re.Match[str]) -> bool:
    """A point may mention criteria; it is a heading only where it is little else and ends with its colon."""
    return bool(hit["noun"] and hit["colon"] and not hit["rest"] and len(hit["before"].split()) <= 3)


def _category(kind: str, *, negated: bool) -> Category | None:
    if kind.lower().startswith("inclusion"):
        return "exclusion" if negated else "inclusion"
    return None if negated else "exclusion"


def _lead_in(text: str) -> Category | None:
    hit = _LEAD_IN.fullmatch(text)
    if hit is None:
        return None
    return "exclusion" if (hit["verb"] or "").lower() == "excluded" else "inclusion"

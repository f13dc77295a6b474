"""The block of patient groups on a trial page: `86 participants in 2 patient groups`, then each group.

A group is its name, its type where the study has types, `Description:` with text, `Treatment:` with treatments; only
the name is sure to be there. The rule that must stay true: a name is taken only where the lines around it leave no
other reading, and the number of groups read is held against the number the page states.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from equipoise.standards import registry_vocabulary as words
from equipoise.standards.registry_page import Line, Page, Section, code_of, is_furniture, keep_lines
from equipoise.standards.registry_report import Findings

_HEADER = re.compile(r"[\d,]+ participants? in (\d{1,4}) .*", re.I)
_PARTS = {"description:": "description", "treatment:": "treatments", "treatments:": "treatments"}


@dataclass(slots=True)
class _Group:
    label: Line
    kind: Line | None = None
    description: list[Line] = field(default_factory=list)
    treatments: list[Line] = field(default_factory=list)


def read_arms(section: Section, page: Page, findings: Findings) -> None:
    """Read the groups of `section`, whose first line is the statement of how many there are."""
    header, rest, after = _block(section, double_spaced=page.double_spaced)
    findings.add(words.PAGE_GROUPS, header.text, header.number)
    stated = _HEADER.match(header.text)
    groups, stray = _likeliest(rest, int(stated[1]) if stated else None, whole=page.closed)
    keep_lines([*stray, *after], findings)
    for place, group in enumerate(groups):
        _add(place, group, findings)
    if stated and int(stated[1]) != len(groups):
        findings.notice("arms-count", header.number, stated=stated[1], read=len(groups))


def _block(section: Section, *, double_spaced: bool) -> tuple[Line, list[Line], list[Line]]:
    """The header, the lines of the groups, and what comes after them: whole paragraphs in which no group is named."""
    blocks = [[line for line in block if not is_furniture(line.text)] for block in section.blocks()]
    marked = [i for i, block in enumerate(blocks) if any(_is_mark(line.text) for line in block)]
    end = marked[-1] + 1 if marked and not double_spaced else len(blocks)
    lines = [line for block in blocks[:end] for line in block]
    return lines[0], lines[1:], [line for block in blocks[end:] for line in block]


def _is_mark(text: str) -> bool:
    return text.lower() in _PARTS or _is_type(text)


def _likeliest(lines: list[Line], stated: int | None, *, whole: bool) -> tuple[list[_Group], list[Line]]:
    """The reading that gives as many groups as the page states; the plainest one where none does.

    A line that reads like a type may be one, or a name (`Experimental Group`), or part of a description. Read in turn:
    every group with its type; the same, but a type only where a part of the group follows it; no group with a type;
    nothing but names. A page that is cut off states groups that are not there, so it is read plainly.
    """
    begins = _typed(lines)
    plainest = _groups(lines, begins)
    readings = [plainest]
    if whole:
        others = [_groups(lines, _followed(lines, begins)), _groups(lines, frozenset())]
        shows_types = len(lines) > 1 and _is_type(lines[1].text)
        readings = [plainest, *others] if shows_types else [others[1], plainest, others[0]]
    if whole or not begins:
        readings.append(([_Group(line) for line in lines], []))
    return next((found for found in readings if len(found[0]) == stated), plainest)


def _typed(lines: list[Line]) -> frozenset[int]:
    """Where groups begin that show a type, by place in `lines`.

    Where lines that read like types stand together they are names and types in turn, and the last is a type: an even
    number of them are whole groups, an odd number begins with the type of the line above.
    """
    found: set[int] = set()
    place = 0
    while place < len(lines):
        end = place
        while end < len(lines) and _is_type(lines[end].text):
            end += 1
        named_above = (end - place) % 2 == 1 and place > 0 and lines[place - 1].text.lower() not in _PARTS
        first = place - 1 if named_above else place + (end - place) % 2
        found.update(range(first, end - 1, 2))
        place = end + 1
    return frozenset(found)


def _followed(lines: list[Line], begins: frozenset[int]) -> frozenset[int]:
    """Those of `begins` whose type is followed by a part of the group, by the next group, or by nothing."""
    kept: set[int] = set()
    for place in sorted(begins, reverse=True):
        after = place + 2
        if after >= len(lines) or lines[after].text.lower() in _PARTS or after in kept:
            kept.add(place)
    return frozenset(kept)


def _groups(lines: list[Line], typed: frozenset[int]) -> tuple[list[_Group], list[Line]]:
    """The groups, of which those at `typed` show a type on their second line; and the lines of none."""
    groups: list[_Group] = []
    stray: list[Line] = []
    part = "start"
    for place, line in enumerate(lines):
        following = lines[place + 1].text if place + 1 < len(lines) else ""
        if place in typed:
            groups.append(_Group(line))
            part = "named"
        elif place - 1 in typed:
            groups[-1].kind = line
        elif line.text.lower() in _PARTS and groups:
            part = _PARTS[line.text.lower()]
        elif _begins(line, part, following):
            groups.append(_Group(line))
            part = "named"
        elif part == "named" and groups[-1].kind is None and _may_be_type(line.text):
            groups[-1].kind = line
        elif part == "description":
            groups[-1].description.append(line)
        elif part == "treatments" and ": " in line.text:
            groups[-1].treatments.append(line)
        else:
            stray.append(line)
    return groups, stray


def _begins(line: Line, part: str, following: str) -> bool:
    """Whether `line` is the name of a group without a type, given the part it would otherwise belong to."""
    if part == "start":
        return True
    if part == "description":
        return following.lower() == "description:"
    names_part = following.lower() in _PARTS
    if part == "treatments":
        return names_part or (": " not in line.text and _may_be_type(following))
    return names_part and not _may_be_type(line.text)


def _may_be_type(text: str) -> bool:
    return text.lower().endswith(" group")


def _is_type(text: str) -> bool:
    return code_of(text, words.ARM_LABELS) is not None


def _add(place: int, group: _Group, findings: Findings) -> None:
    path = f"{words.ARMS}[{place}]"
    findings.add(f"{path}.label", group.label.text, group.label.number)
    if group.kind:
        code = code_of(group.kind.text, words.ARM_LABELS)
        if code is None:
            findings.add(
                f"{path}.type",
                group.kind.text,
                group.kind.number,
                "label of the page; no code is known for it",
            )
            findings.notice(
                "unknown-label", group.kind.number, section=group.label.text, text=group.kind.text
            )
        else:
            findings.add(f"{path}.type", code, group.kind.number, f"shown as: {group.kind.text}")
    if group.description:
        text = "\n".join(line.text for line in group.description)
        findings.add(f"{path}.description", text, group.description[0].number)
    if group.treatments:
        names = [line.text for line in group.treatments]
        findings.add(f"{path}.interventionNames", names, group.treatments[0].number)

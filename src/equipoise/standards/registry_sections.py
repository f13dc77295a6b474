"""What each section of a trial page says, as fields under the registry's own paths.

The page shows labels; where a label can only mean one code the code is the value and the label stands beside it.
The rule that must stay true: no value that is not on the page; what cannot be read is kept as text and reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from equipoise.standards import registry_vocabulary as words
from equipoise.standards.registry_arms import read_arms
from equipoise.standards.registry_page import Line, Page, Section, code_of, is_furniture, keep_lines
from equipoise.standards.registry_report import Findings, Understood

_NCT = re.compile(r"NCT\d{8}")
_ENROLMENT = re.compile(
    r"([\d,]{1,12})(?: (estimated|anticipated|actual))? (?:patients?|participants?|subjects?)", re.I
)
_UNIT = r"(year|month|week|day|hour|minute)s?"
_AGES = re.compile(
    rf"(?:(?P<low>\d+)(?: {_UNIT})? to (?P<high>\d+) {_UNIT}(?: old)?"
    rf"|(?P<from>\d+)(?:\+ {_UNIT}(?: old)?| {_UNIT} and older)"
    rf"|up to (?P<upto>\d+) {_UNIT}(?: old)?|(?P<all>all(?: ages)?))",
    re.I,
)
_NUMBER = re.compile(r"\d[\d,]{0,11}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(
    r"(?:(?:phone|tel|telephone|mobile)\s*[:：.]?\s*)?(\+?[\d(][\d\s().+/-]{5,}(?:\s*(?:ext|x)\.?\s*\d+)?)",
    re.I,
)
_LABELLED_MAIL = re.compile(r"(?:e-?mail|mail)\s*[:：]?\s*(\S+@\S+)", re.I)
_COPYRIGHT = re.compile(r"©.*\b(20\d\d)\b.*")
_BLIND = re.compile(r"(.+?)\s*\(([^()]+)\)")

_ONE_OF: Mapping[str, tuple[str, Mapping[str, str | bool]]] = {
    "study-type": (words.STUDY_TYPE, words.STUDY_TYPE_LABELS),
    "sex": (words.SEX, words.SEX_LABELS),
    "volunteers": (words.VOLUNTEERS, words.VOLUNTEER_LABELS),
    "purpose": (words.PURPOSE, words.PURPOSE_LABELS),
    "allocation": (words.ALLOCATION, words.ALLOCATION_LABELS),
    "model": (words.MODEL, words.MODEL_LABELS),
    "observational-model": (words.OBSERVATIONAL_MODEL, words.OBSERVATIONAL_LABELS),
    "time-perspective": (words.TIME_PERSPECTIVE, words.PERSPECTIVE_LABELS),
}
CRITERIA_SECTIONS = frozenset({"inclusion", "exclusion", "criteria"})
"""Read together, by the caller: the registry keeps all criteria in one text."""


def read_sections(page: Page, findings: Findings) -> None:
    """Read the head and every section into `findings`."""
    _head(page.head, findings)
    seen: set[str] = set()
    for section in page.sections:
        before = len(findings.fields)
        if section.key in seen and section.key not in CRITERIA_SECTIONS:
            findings.notice("section-twice", section.line, section=section.heading)
            keep_lines(section.filled(), findings)
        elif section.key in _ONE_OF:
            _one_of(section, page, findings)
        elif section.key not in CRITERIA_SECTIONS:
            _READERS[section.key](section, page, findings)
        seen.add(section.key)
        if section.key not in CRITERIA_SECTIONS:
            findings.understood.append(
                Understood(section.heading, section.line, len(findings.fields) - before)
            )
        holds = section.key not in words.CONTAINERS and section.key != "provenance"
        if holds and not section.filled():
            findings.notice("section-empty", section.line, section=section.heading)


def _first_block(section: Section, page: Page, findings: Findings) -> list[Line]:
    """The values of a list: the lines up to the next blank one. What follows it is kept as not understood."""
    filled = [line for line in section.filled() if not is_furniture(line.text)]
    blocks = section.blocks()
    if page.double_spaced or len(blocks) < 2:
        return filled
    first = [line for line in blocks[0] if not is_furniture(line.text)]
    keep_lines([line for block in blocks[1:] for line in block], findings)
    return first


def _head(head: Section, findings: Findings) -> None:
    """The title, then the sponsor: after a badge, or alone, as where the page shows a logo that a text cannot hold."""
    lines = head.filled()
    rest = [line for line in lines if not is_furniture(line.text)]
    badge = next((i for i in range(1, len(rest) - 1) if _is_badge(rest[i].text, rest[i + 1].text)), None)
    titled = bool(rest) and (len(rest) < len(lines) or badge is not None)
    if titled:
        findings.add(words.BRIEF_TITLE, rest[0].text, rest[0].number)
        rest = rest[1:]
    if badge is not None:
        _sponsor(rest[badge], findings)
        rest = rest[: badge - 1] + rest[badge + 1 :]
    elif titled and len(rest) == 1:
        _sponsor(rest[0], findings)
        findings.notice("sponsor-by-place", rest[0].number, text=rest[0].text)
        rest = []
    keep_lines(rest, findings)


def _sponsor(line: Line, findings: Findings) -> None:
    findings.add(words.SPONSOR, line.text, line.number, "as shown on the page, which may shorten the name")


def _is_badge(badge: str, name: str) -> bool:
    """The first letter of the sponsor's name, or what stands for its logo."""
    letter = len(badge) == 1 and name[:1].upper() == badge.upper()
    return letter or badge.lower() == f"{name.lower()} logo"


def _one_of(section: Section, page: Page, findings: Findings) -> None:
    path, table = _ONE_OF[section.key]
    lines = _first_block(section, page, findings)
    if not lines:
        return
    _labelled(path, lines[0], table, findings, section)
    keep_lines(lines[1:], findings)


def _labelled(
    path: str, line: Line, table: Mapping[str, str | bool], findings: Findings, section: Section
) -> None:
    code = code_of(line.text, table)
    if code is None:
        findings.add(path, line.text, line.number, "label of the page; no code is known for it")
        findings.notice("unknown-label", line.number, section=section.heading, text=line.text)
    else:
        findings.add(path, code, line.number, f"shown as: {line.text}")


def _status(section: Section, page: Page, findings: Findings) -> None:
    phases: list[tuple[str, Line]] = []
    rest = []
    status = False
    for line in _first_block(section, page, findings):
        phase = next(
            (codes for known, codes in words.PHASE_LABELS.items() if known.lower() == line.text.lower()), None
        )
        code = code_of(line.text, words.STATUS_LABELS)
        if phase is not None:
            phases += [(code, line) for code in phase]
        elif code is not None and not status:
            status = True
            findings.add(words.STATUS, code, line.number, f"shown as: {line.text}")
        else:
            rest.append(line)
    if phases:
        shown = ", ".join(dict.fromkeys(line.text for _, line in phases))
        findings.add(
            words.PHASES, sorted({code for code, _ in phases}), phases[0][1].number, f"shown as: {shown}"
        )
    for line in rest:
        findings.notice("unknown-label", line.number, section=section.heading, text=line.text)
        place = sum(1 for field in findings.fields if field.path.startswith("page.statusAndPhase"))
        findings.add(
            f"page.statusAndPhase[{place}]",
            line.text,
            line.number,
            "label of the page; no code is known for it",
        )


def _conditions(section: Section, page: Page, findings: Findings) -> None:
    lines = _first_block(section, page, findings)
    if lines:
        findings.add(words.CONDITIONS, [line.text for line in lines], lines[0].number)


def _treatments(section: Section, page: Page, findings: Findings) -> None:
    for place, line in enumerate(_first_block(section, page, findings)):
        kind, _, name = line.text.partition(": ")
        code = code_of(kind, words.INTERVENTION_LABELS) if name else None
        path = f"{words.INTERVENTIONS}[{place}]"
        if code is None:
            findings.add(f"{path}.name", line.text, line.number)
            findings.notice("unknown-label", line.number, section=section.heading, text=line.text)
        else:
            findings.add(f"{path}.type", code, line.number, f"shown as: {kind}")
            findings.add(f"{path}.name", name.strip(), line.number)


def _funder(section: Section, page: Page, findings: Findings) -> None:
    lines = _first_block(section, page, findings)
    if not lines:
        return
    findings.add(words.PAGE_FUNDERS, [line.text for line in lines], lines[0].number)
    if len(lines) == 1:
        _labelled(words.SPONSOR_CLASS, lines[0], words.FUNDER_LABELS, findings, section)
    else:
        findings.notice("several-funders", lines[0].number, text=", ".join(line.text for line in lines))


def _identifiers(section: Section, page: Page, findings: Findings) -> None:
    numbers: list[Line] = []
    others: list[Line] = []
    for line in _first_block(section, page, findings):
        if _NCT.fullmatch(line.text):
            numbers.append(line)
        elif line.text.upper().startswith("NCT"):
            keep_lines([line], findings)
        else:
            others.append(line)
    if numbers:
        findings.add(words.NCT_ID, numbers[0].text, numbers[0].number)
    if numbers[1:]:
        findings.add(words.NCT_ALIASES, [line.text for line in numbers[1:]], numbers[1].number)
    if others:
        findings.add(words.ORG_ID, others[0].text, others[0].number)
    for place, line in enumerate(others[1:]):
        findings.add(
            f"{words.SECONDARY_IDS}[{place}].id", line.text, line.number, "taken as secondary by its place"
        )
        findings.notice("by-place", line.number, text=line.text)


def _free_text(path: str) -> Callable[[Section, Page, Findings], None]:
    def read(section: Section, page: Page, findings: Findings) -> None:
        lines = section.filled()
        if lines:
            joint = "\n\n" if page.double_spaced else "\n"
            blocks = [lines] if page.double_spaced else section.blocks()
            text = "\n\n".join(joint.join(line.text for line in block) for block in blocks)
            findings.add(path, text, lines[0].number)

    return read


def _enrolment(section: Section, page: Page, findings: Findings) -> None:
    lines = _first_block(section, page, findings)
    hit = _ENROLMENT.fullmatch(lines[0].text) if lines else None
    if hit is None or not hit[1].strip(","):
        keep_lines(lines, findings)
        return
    findings.add(
        words.ENROLMENT_COUNT, int(hit[1].replace(",", "")), lines[0].number, f"shown as: {lines[0].text}"
    )
    if hit[2]:
        kind = "ACTUAL" if hit[2].lower() == "actual" else "ESTIMATED"
        findings.add(words.ENROLMENT_TYPE, kind, lines[0].number, f"shown as: {lines[0].text}")
    keep_lines(lines[1:], findings)


def _ages(section: Section, page: Page, findings: Findings) -> None:
    lines = _first_block(section, page, findings)
    if not lines:
        return
    hit = _AGES.fullmatch(lines[0].text)
    number, shown = lines[0].number, f"shown as: {lines[0].text}"
    if hit is None:
        findings.add(
            words.PAGE_AGES, lines[0].text, number, "label of the page; no limits could be read from it"
        )
        findings.notice("unknown-label", number, section=section.heading, text=lines[0].text)
    elif hit["all"]:
        findings.add(words.PAGE_AGES, lines[0].text, number, "the page names no limit")
    elif hit["low"]:
        findings.add(words.MINIMUM_AGE, _age(hit["low"], hit[2] or hit[4]), number, shown)
        findings.add(words.MAXIMUM_AGE, _age(hit["high"], hit[4]), number, shown)
    elif hit["from"]:
        findings.add(words.MINIMUM_AGE, _age(hit["from"], hit[6] or hit[7]), number, shown)
    else:
        findings.add(words.MAXIMUM_AGE, _age(hit["upto"], hit[9]), number, shown)
    keep_lines(lines[1:], findings)


def _age(number: str, unit: str) -> str:
    return f"{int(number)} {unit.capitalize()}{'' if int(number) == 1 else 's'}"


def _masking(section: Section, page: Page, findings: Findings) -> None:
    lines = _first_block(section, page, findings)
    if not lines:
        return
    hit = _BLIND.fullmatch(lines[0].text)
    whole = code_of(lines[0].text, words.MASKING_LABELS)
    roles = [code_of(role.strip(), words.ROLE_LABELS) for role in re.split("[,;]", hit[2])] if hit else []
    if hit and whole is None and roles and None not in roles and code_of(hit[1], words.MASKING_LABELS):
        shown = f"shown as: {lines[0].text}"
        findings.add(words.MASKING, code_of(hit[1], words.MASKING_LABELS), lines[0].number, shown)
        findings.add(words.WHO_MASKED, roles, lines[0].number, shown)
    else:
        _labelled(words.MASKING, lines[0], words.MASKING_LABELS, findings, section)
    keep_lines(lines[1:], findings)


def _locations(section: Section, _page: Page, findings: Findings) -> None:
    lines = [line for line in section.filled() if not is_furniture(line.text)]
    if lines and _NUMBER.fullmatch(lines[0].text):
        findings.add(words.LOCATION_COUNT, int(lines[0].text.replace(",", "")), lines[0].number)
        lines = lines[1:]
    for place, line in enumerate(lines):
        findings.add(f"{words.PAGE_LOCATIONS}[{place}]", line.text, line.number)
    if lines:
        findings.notice("locations-as-text", lines[0].number, count=len(lines))


def _contact(section: Section, _page: Page, findings: Findings) -> None:
    place = -1
    given: set[str] = set()
    for line in section.filled():
        if is_furniture(line.text):
            continue
        for part in re.split(r"\s*[;|]\s*", line.text):
            kind, value = _contact_part(part)
            if not value:
                continue
            if kind == "name" or place < 0 or kind in given:
                place += 1
                given = set()
            given.add(kind)
            path = f"{words.CONTACTS}[{place}]"
            findings.add(f"{path}.{kind}", value, line.number)
            if len(given) == 1:
                findings.add(f"{path}.role", "CONTACT", line.number, f"from the heading: {section.heading}")


def _contact_part(part: str) -> tuple[str, str]:
    mail = _LABELLED_MAIL.fullmatch(part) or _MAIL.fullmatch(part)
    if mail:
        return "email", mail[1] if mail.re is _LABELLED_MAIL else mail[0]
    phone = _PHONE.fullmatch(part)
    return ("phone", phone[1].strip()) if phone else ("name", part.strip())


def _provenance(section: Section, _page: Page, findings: Findings) -> None:
    findings.add(words.PAGE_SOURCE, section.heading, section.line)
    for line in section.filled():
        if _COPYRIGHT.fullmatch(line.text):
            findings.add(words.PAGE_COPYRIGHT, line.text, line.number)
        else:
            keep_lines([line], findings)


def _container(section: Section, _page: Page, findings: Findings) -> None:
    keep_lines(section.filled(), findings)


_READERS: Mapping[str, Callable[[Section, Page, Findings], None]] = {
    "status": _status,
    "conditions": _conditions,
    "treatments": _treatments,
    "funder": _funder,
    "identifiers": _identifiers,
    "details": _container,
    "design": _container,
    "summary": _free_text(words.SUMMARY),
    "description": _free_text(words.DESCRIPTION),
    "enrolment": _enrolment,
    "ages": _ages,
    "masking": _masking,
    "groups": read_arms,
    "locations": _locations,
    "contact": _contact,
    "provenance": _provenance,
}

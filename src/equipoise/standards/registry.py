"""Reading a public registry record, or a saved trial page, into a study skeleton.

Understands a ClinicalTrials.gov API v2 record (JSON) and the text of a trial page of the ClinicalTrials.Veeva site.
Pure: bytes in, values out. The rule that must stay true: every field is kept with the line it stands on, nothing is
invented, and any file at all gives either an import with its report or problems that say what the file is.
"""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from equipoise.protocol.study import RegistryField, Study
from equipoise.standards import registry_vocabulary as words
from equipoise.standards.registry_criteria import Criteria, read_criteria
from equipoise.standards.registry_fields import json_fields, judge_shapes
from equipoise.standards.registry_json import Break, JsonText, Node, read_json
from equipoise.standards.registry_page import Line, Page, page_lines, split_page
from equipoise.standards.registry_record import Record, readable
from equipoise.standards.registry_report import Findings, ImportReport, Understood
from equipoise.standards.registry_room import set_aside, too_much
from equipoise.standards.registry_sections import CRITERIA_SECTIONS, read_sections
from equipoise.standards.registry_skeleton import Skeleton, build, skeleton
from equipoise.standards.registry_yaml import skeleton_files
from equipoise.words.problem import Problem, problem

LARGEST = 32 * 1024 * 1024
"""Bytes of a file that is still read; the longest record of the registry known to us has about 6 MB."""
_SIGNATURES = (
    (b"%PDF", "pdf"),
    (b"PK\x03\x04", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"\xd0\xcf\x11\xe0", "archive"),
    (b"{\\rtf", "not-text"),
)
_HTML = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)


@dataclass(frozen=True, slots=True)
class Imported:
    """An import: the study skeleton as a valid study, and the report. `notation` is what the files will hold,
    `aside` what of the record the definition has no room for."""

    study: Study
    report: ImportReport
    notation: Skeleton
    aside: tuple[RegistryField, ...] = ()


def import_registry(data: bytes, name: str) -> Imported | tuple[Problem, ...]:
    """Read the file `name` with the content `data`. Problems where it holds nothing usable; never raises."""
    text = _decoded(data, name)
    if isinstance(text, Problem):
        return (text,)
    source = f"{name}, SHA-256 {hashlib.sha256(data).hexdigest()}"
    findings = Findings(name)
    read = read_json(text) if text.lstrip()[:1] in ("{", "[") else None
    if read is not None and _holds(read):
        return _from_json(read, source, findings)
    found = _from_page(text, source, findings)
    if read is not None and read.broken and isinstance(found, tuple):
        return (_broken(read.broken, name),)
    return found


def write_skeleton(imported: Imported, folder: Path) -> tuple[Problem, ...]:
    """Write the skeleton's files into `folder`, which is made where it is not there; the same import, the same bytes.

    Nothing is overwritten, and half a skeleton is not left behind. Returns a problem where the folder already holds a
    study or cannot be written.
    """
    if (folder / "study.yaml").exists():
        return (problem("registry.would-overwrite", str(folder / "study.yaml")),)
    files = skeleton_files(imported.notation, imported.report, imported.aside)
    is_new = not folder.exists()
    begun: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            with (folder / name).open("xb") as file:
                begun.append(folder / name)
                file.write(content)
    except OSError as fault:
        with contextlib.suppress(OSError):
            for path in begun:
                path.unlink()
            if is_new:
                folder.rmdir()
        return (problem("registry.cannot-write", str(folder), reason=fault.strerror or fault),)
    return ()


def _decoded(data: bytes, name: str) -> str | Problem:
    if len(data) > LARGEST:
        return problem("registry.too-large", name, largest=LARGEST // 1024**2)
    kind = next((kind for start, kind in _SIGNATURES if data.startswith(start)), None)
    if kind:
        return problem(f"registry.{kind}", name)
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    decoder = codecs.getincrementaldecoder("utf-16" if wide else "utf-8")("strict")
    try:
        text = decoder.decode(data)  # not final: a file cut inside a character loses that character only
    except UnicodeDecodeError:
        return problem("registry.not-text", name)
    text = unicodedata.normalize("NFC", text.removeprefix("\ufeff"))
    if not text.strip():
        return problem("registry.empty", name)
    if "\x00" in text:
        return problem("registry.not-text", name)
    return problem("registry.html", name) if _HTML.match(text) else text


def _holds(read: JsonText) -> bool:
    """Whether a text is JSON at all: whole, or broken after something; a bracket alone begins many a text."""
    return read.broken is None or bool(read.root and (read.root.members or read.root.items))


def _broken(found: Break, name: str) -> Problem:
    return problem("registry.json-broken", f"{name}:{found.line}", line=found.line, reason=found.reason)


def _from_json(read: JsonText, source: str, findings: Findings) -> Imported | tuple[Problem, ...]:
    root, prefix = _study_node(read.root)
    refusal = _refusal(root, read.root, read.rest, findings.name)
    if root is None or refusal:
        broken = _broken(read.broken, findings.name) if read.broken else None
        nothing = problem("registry.not-a-study", findings.name, keys="—")
        return tuple(found for found in (broken, refusal) if found) or (nothing,)
    json_fields(read.root or root, prefix, findings)
    if read.broken:
        findings.notice("json-cut", read.broken.line, reason=read.broken.reason)
    elif read.rest.strip():
        findings.notice("after-end", read.rest_line, text=read.rest.strip())
    aside = set_aside(findings)
    record = Record(findings.fields)
    judge_shapes(record, findings)
    text_line = record.line(words.CRITERIA) or 1
    lines = page_lines(readable(record.text(words.CRITERIA) or ""))
    criteria = read_criteria([Line(text_line, line.text, line.indent) for line in lines])
    return _imported("json", record, criteria, source, findings, aside)


def _study_node(root: Node | None) -> tuple[Node | None, str]:
    """The study object of a file and the path it stands at: the file itself, or the only one of a list of studies."""
    if root is None:
        return None, ""
    if root.member("protocolSection") is not None:
        return root, ""
    studies = root.member("studies")
    if studies is not None and studies.items is not None and len(studies.items) == 1:
        only = studies.items[0]
        return (only if only.member("protocolSection") is not None else None), "studies[0]."
    return None, ""


def _refusal(study: Node | None, root: Node | None, rest: str, name: str) -> Problem | None:
    if root is not None and root.items is not None:
        return problem("registry.several-studies", name, count=len(root.items))
    several = root.member("studies") if root else None
    if several is not None and several.items is not None and len(several.items) != 1:
        return problem("registry.several-studies", name, count=len(several.items))
    if study is not None:
        following = read_json(rest).root if rest.lstrip()[:1] == "{" else None
        more = following is not None and following.member("protocolSection") is not None
        return problem("registry.several-studies", name, count="2+") if more else None
    keys = ", ".join(key for key, _ in (root.members or ())[:8]) if root else ""
    return problem("registry.not-a-study", name, keys=keys or "—")


def _from_page(text: str, source: str, findings: Findings) -> Imported | tuple[Problem, ...]:
    page = split_page(text, findings)
    if not page.recognised:
        return (problem("registry.not-recognised", findings.name),)
    read_sections(page, findings)
    criteria = _page_criteria(page, findings)
    record = Record(findings.fields)
    return _imported("page", record, criteria, source, findings)


def _page_criteria(page: Page, findings: Findings) -> Criteria:
    """The criteria sections together, as the registry keeps them in one text; headings included."""
    lines: list[Line] = []
    sections = [section for section in page.sections if section.key in CRITERIA_SECTIONS]
    for section in sections:
        lines += [Line(section.line, section.heading), *section.lines, Line(section.line, "")]
    if any(line.text for line in lines):
        whole = "\n".join(" " * line.indent + line.text if line.text else "" for line in lines).strip("\n")
        findings.add(words.CRITERIA, whole, lines[0].number)
    criteria = read_criteria(lines)
    for section in sections:
        held = {line.number for line in section.lines}
        count = sum(1 for point in criteria.points if point.line in held)
        findings.understood.append(Understood(section.heading, section.line, count))
    findings.fields.sort(key=lambda field: field.line or 0)
    findings.understood.sort(key=lambda found: found.line)
    return criteria


def _imported(
    form: Literal["json", "page"],
    record: Record,
    criteria: Criteria,
    source: str,
    findings: Findings,
    aside: tuple[RegistryField, ...] = (),
) -> Imported | tuple[Problem, ...]:
    if not any(record.has(path) for paths in words.FACTS.values() for path in paths):
        return (problem("registry.nothing-read", findings.name), *findings.notices)
    for line in criteria.unplaced:
        findings.notice("criteria-no-heading", line.number, text=line.text)
    notation = skeleton(record, criteria, findings, source=source)
    excess = too_much(record.fields, notation, findings.name)
    if excess:
        return (excess,)
    counts = len(criteria.of("inclusion")), len(criteria.of("exclusion"))
    report = ImportReport(
        name=findings.name,
        form=form,
        identifier=record.text(words.NCT_ID),
        understood=tuple(findings.understood),
        not_understood=tuple(sorted(findings.notices, key=lambda told: int(told.arguments["line"]))),
        missing=_missing(record, counts),
        criteria=counts,
        fields=len(findings.fields) + len(aside),
    )
    return Imported(build(notation), report, notation, aside)


def _missing(record: Record, counts: tuple[int, int]) -> tuple[str, ...]:
    absent = [key for key, paths in words.FACTS.items() if not any(record.has(path) for path in paths)]
    if "criteria" not in absent:
        absent += [kind for kind, count in zip(("inclusion", "exclusion"), counts, strict=True) if not count]
    return tuple(absent)

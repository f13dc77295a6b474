"""What an import found: fields with their lines, what was not understood, what is missing; as values and as words.

The rule that must stay true: every line of the source is either behind a field, or a known piece of furniture, or
named here. The words are in the message catalogue, in English and Chinese.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from equipoise.protocol.study import RegistryField
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem, say
from equipoise.words.text import Language

RECORD = "record"
"""Id, among the sources of an imported study, of the file it was read from."""
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Understood:
    """A section of the source, as the source calls it, the line it begins on, and how many values it gave."""

    section: str
    line: int
    values: int


@dataclass(slots=True)
class Findings:
    """The collecting side of an import of the file `name`."""

    name: str
    fields: list[RegistryField] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)
    understood: list[Understood] = field(default_factory=list)

    def add(self, path: str, value: object, line: int, note: str | None = None) -> None:
        """Keep a value as published at `path`; `note` holds the label of the page beside its code."""
        self.fields.append(RegistryField(path=path, value=value, source=RECORD, line=line, note=note))

    def notice(self, rule: str, line: int, **arguments: object) -> None:
        """Report what was not, or not wholly, understood on a line."""
        told = {name: _shown(str(value)) for name, value in arguments.items()}
        self.notices.append(problem(f"registry.{rule}", f"{self.name}:{line}", line=line, **told))


def _shown(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What was understood (section, line, number of values), what was not, and which facts the source does not give.

    `missing` holds keys of FACTS, and `inclusion` or `exclusion` where a criteria text gives none of them.
    `criteria` counts the separate records of inclusion and of exclusion.
    """

    name: str
    form: Literal["json", "page"]
    identifier: str | None
    understood: tuple[Understood, ...]
    not_understood: tuple[Problem, ...]
    missing: tuple[str, ...]
    criteria: tuple[int, int]
    fields: int

    def lines(self, language: Language = "en") -> tuple[str, ...]:
        """The report as lines of text for a terminal or a page."""
        told = [f"{problem.where}  {problem.say(language)}" for problem in self.not_understood]
        absent = [say(f"registry.fact.{key}", language) for key in self.missing]
        sections = [
            _say("registry.report.section", language, section=u.section, line=u.line, values=u.values)
            for u in self.understood
        ]
        inclusion, exclusion = self.criteria
        return (
            _say(
                f"registry.report.form-{self.form}",
                language,
                name=self.name,
                number=self.identifier or "—",
                fields=self.fields,
            ),
            _say("registry.report.criteria", language, inclusion=inclusion, exclusion=exclusion),
            *_part("registry.report.understood", "registry.report.understood-none", sections, language),
            *_part("registry.report.not-understood", "registry.report.not-understood-none", told, language),
            *_part("registry.report.missing", "registry.report.missing-none", absent, language),
        )

    def as_json(self) -> Json:
        """The report as one JSON value; texts of problems in English."""
        return {
            "file": self.name,
            "form": self.form,
            "identifier": self.identifier,
            "fields": self.fields,
            "criteria": {"inclusion": self.criteria[0], "exclusion": self.criteria[1]},
            "understood": [
                {"section": u.section, "line": u.line, "values": u.values} for u in self.understood
            ],
            "not_understood": [
                {"where": p.where, "rule": p.rule, "says": p.say(), "arguments": dict(p.arguments)}
                for p in self.not_understood
            ],
            "missing": list(self.missing),
        }


def _part(key: str, none: str, entries: list[str], language: Language) -> list[str]:
    if not entries:
        return [_say(none, language)]
    return [_say(key, language, count=len(entries)), *(f"  {entry}" for entry in entries)]


def _say(key: str, language: Language, **arguments: object) -> str:
    return say(key, language, {name: str(value) for name, value in arguments.items()})

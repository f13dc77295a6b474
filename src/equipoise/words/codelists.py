"""Codelists: closed sets of codes with what people read, and the reasons a value may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class Term:
    """One code: what is stored (`code`), what people read, and the NCI concept where CDISC publishes one."""

    code: str
    decode: Text
    concept: str | None = None


@dataclass(frozen=True, slots=True)
class Codelist:
    """A closed, ordered set of terms. Source: CDISC Controlled Terminology where `concept` is given."""

    id: str
    terms: tuple[Term, ...]
    concept: str | None = None

    def term(self, code: str) -> Term | None:
        """The term of `code`, or None where the list does not hold it."""
        return next((term for term in self.terms if term.code == code), None)


MISSING: Mapping[str, Text] = {
    "ND": Text("Not done", "未做"),
    "UK": Text("Unknown", "不详"),
    "NA": Text("Not applicable", "不适用"),
    "RF": Text("Refused", "拒绝"),
    "UN": Text("Untestable", "无法评估"),
}
"""Reasons an item has no value. Chinese case report forms print ND, UK and NA; UN is the NIHSS's own code
and is offered only where an instrument allows it."""

"""Text in the languages of a study.

A `Text` is what a person reads: a label, a question, a message. English is always there, because the
definition is reviewed in it; Chinese is there wherever a study declares the language (a check says so, and
names what is missing). Text copied from a public record stays in the language it was published in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Text:
    """One text in English and, where given, in Simplified Chinese."""

    en: str
    zh: str | None = None

    def say(self, language: Language = "en") -> str:
        """The text in `language`, or in English where that language is not given."""
        return self.zh if language == "zh" and self.zh is not None else self.en

    def as_mapping(self) -> Mapping[str, str]:
        """`{"en": …, "zh": …}` without the languages that are not given; for canonical bytes."""
        return {"en": self.en} if self.zh is None else {"en": self.en, "zh": self.zh}

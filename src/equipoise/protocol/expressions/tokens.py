"""From the characters of an expression to its tokens.

The rule that must stay true: every character is accounted for; what is not understood is named with its column.
Spellings of neighbouring languages (`&&`, `=`, `AND`, `null`) are recognised only to say how it is written here.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from equipoise.protocol.expressions.nodes import MAX_DIGITS, MAX_SOURCE
from equipoise.words.dates import PartialDate
from equipoise.words.problem import Problem, problem

KEYWORDS = frozenset({"and", "or", "not", "in", "true", "false"})

Kind = Literal["number", "date", "text", "unit", "name", "keyword", "sign", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `text` is its spelling, or the content of a quoted one; `column` counts from 1."""

    kind: Kind
    text: str
    column: int
    number: Decimal | None = None
    date: PartialDate | None = None


_FOREIGN = {
    "&&": "and",
    "||": "or",
    "!": "not",
    "=": "==",
    "<>": "!=",
    "===": "==",
    "=<": "<=",
    "=>": ">=",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "（": "(",
    "）": ")",
    "，": ",",
    "“": '"',
    "”": '"',
}
_PATTERN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?![0-9A-Za-z_]))
    |(?P<date>@[0-9]{4}(?:-[0-9]{2}){0,2}(?![0-9A-Za-z_]|-[0-9]))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |`(?P<quoted>[A-Za-z][A-Za-z0-9_-]{0,63})`
    |"(?P<double>(?:[^"\\\x00-\x1f\x7f]|\\["\\])*)"
    |'(?P<single>(?:[^'\\\x00-\x1f\x7f]|\\['\\])*)'
    |(?P<foreign>&&|\|\||===|=<|=>|<>|=(?!=)|!(?!=)|[≤≥≠（），“”])
    |(?P<sign>==|!=|<=|>=|\.\.|[-+*/<>()\[\],?:.])""",
    re.VERBOSE,
)


def tokens(source: str) -> tuple[Token, ...] | Problem:
    """The tokens of `source` with an end token, or what could not be read and where."""
    text = unicodedata.normalize("NFC", source)
    if len(text) > MAX_SOURCE:
        return problem("protocol.expression-too-long", length=len(text), limit=MAX_SOURCE)
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            return _unreadable(text, position)
        if match.lastgroup != "space":
            token = _token(match, found[-1] if found else None)
            if isinstance(token, Problem):
                return token
            found.append(token)
        position = match.end()
    if not found:
        return problem("protocol.expression-empty")
    return (*found, Token("end", "", len(text) + 1))


def _token(match: re.Match[str], before: Token | None) -> Token | Problem:
    column, kind = match.start() + 1, match.lastgroup
    text = match[kind] if kind else ""
    if kind == "number":
        if len(text.replace(".", "")) > MAX_DIGITS:
            return problem("protocol.expression-number-long", column=column, limit=MAX_DIGITS)
        return Token("number", text, column, number=Decimal(text))
    if kind == "date":
        try:
            date = PartialDate(*(int(part) for part in text[1:].split("-")))
        except ValueError:
            return problem("protocol.expression-date", column=column, found=text)
        return Token("date", text, column, date=date)
    if kind == "name":
        return _word(text, column)
    if kind == "quoted":
        return Token("name", text, column)
    if kind == "double" or kind == "single":
        content = re.sub(r"\\(.)", r"\1", text)
        after_number = kind == "single" and before is not None and before.kind == "number"
        return Token("unit" if after_number else "text", content, column)
    if kind == "foreign":
        return problem("protocol.expression-spelling", column=column, found=text, write=_FOREIGN[text])
    return Token("sign", text, column)


def _word(text: str, column: int) -> Token | Problem:
    if text in KEYWORDS:
        return Token("keyword", text, column)
    if text.lower() in KEYWORDS:
        return problem("protocol.expression-spelling", column=column, found=text, write=text.lower())
    if text in {"null", "None", "NULL"}:
        return problem("protocol.expression-null", column=column, found=text)
    return Token("name", text, column)


def _unreadable(text: str, position: int) -> Problem:
    column, character = position + 1, text[position]
    if character in "\"'`":
        return problem("protocol.expression-quote", column=column, quote=character)
    if character == "@":
        found = re.match(r"\S*", text[position:])
        return problem("protocol.expression-date", column=column, found=found[0] if found else "@")
    if character.isascii() and character.isdigit():
        word = re.match(r"[0-9A-Za-z_.]*", text[position:])
        return problem("protocol.expression-number", column=column, found=word[0] if word else character)
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    return problem("protocol.expression-character", column=column, found=shown)

"""Setting values as PDF: the one place that knows Typst.

The rules that must stay true: the same values give the same bytes, in another process and on another day; a document
holds no time, path, name or machine but what its values give it (title, the fixed author, the given day); its values
arrive as data and are never read as markup; nothing is fetched. Written as PDF/A-2a (ISO 19005-2, to be archived) and
PDF/UA-1 (ISO 14289-1, to be read aloud). Where no font with Chinese characters is found, the English stands alone and
each Chinese character left is shown as a box, and the foot of every page says so.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import typst

from equipoise.protocol.study import Study
from equipoise.words.canonical import Json
from equipoise.words.problem import say
from equipoise.words.text import Language, Text

AUTHOR = "Equipoise"
"""Author of every document, whoever had it printed."""
TEMPLATES = Path(__file__).parent / "templates"
LATIN = "Libertinus Serif"
"""Comes with Typst; used where no Chinese font is there."""
CHINESE = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Sans SC",
    "Noto Serif CJK SC",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Microsoft YaHei",
)
"""Families with Simplified Chinese, the first that is found is used."""
FONTS = "EQUIPOISE_FONTS"
"""Environment variable: a folder with further fonts."""
UNDATED = dt.date(2000, 1, 1)
"""The day written into a document that is given none (the format asks for one)."""
_BOX = "□"
_LACKING = re.compile(r'the text `"(.*?)"` could not be displayed', re.S)
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
_TRIES = 64


@dataclass(frozen=True, slots=True)
class Issue:
    """What stands on every document: the study's public name, the day of issue, whether it is a rehearsal."""

    study: str
    on: dt.date | None = None
    rehearsal: bool = False


def issue_of(study: Study, on: dt.date | None, *, rehearsal: bool) -> Issue:
    """What stands on a study's documents of a day; a rehearsal never bears the registry's number."""
    return Issue(study.demo_id if rehearsal else study.acronym or study.id, on, rehearsal=rehearsal)


def chinese_font() -> str | None:
    """The family that Chinese is set in on this machine, or None."""
    families = set(_fonts(os.environ.get(FONTS, "")).families())
    return next((family for family in CHINESE if family in families), None)


@cache
def _fonts(folder: str) -> typst.Fonts:
    """Every font of the machine and of `folder`; looked up once, because that takes a tenth of a second."""
    return typst.Fonts(include_system_fonts=True, font_paths=[folder] if folder else [])


def both(key: str, **arguments: str) -> Text:
    """A message of this room in both languages."""
    return Text(say(key, "en", arguments), say(key, "zh", arguments))


def said(key: str, language: Language, **arguments: str) -> str:
    """A message of this room in one language, for a document that is printed in one."""
    return say(key, language, arguments)


def words_in(keys: Iterable[str], language: Language) -> Mapping[str, object]:
    """As `words`, for a document in one language; `rehearsal` is a text of one line, as `words` has it."""
    plain = {key.split(".")[1].split("-", 1)[1]: said(key, language) for key in keys}
    return {name: Text(text) if name == "rehearsal" else text for name, text in plain.items()}


def words(keys: Iterable[str]) -> Mapping[str, Text]:
    """Messages by the last part of their key: `documents.card-code` as `code` is asked for by `documents.card-`."""
    return {key.split(".")[1].split("-", 1)[1]: both(key) for key in keys}


def pdf(template: str, title: Text, issue: Issue, values: Mapping[str, object]) -> bytes:
    """A document: `values` hold texts (str or Text), numbers, truths, and lists and mappings of them.

    Raises typst.TypstError for a template that does not fit its values: a fault of the program.
    """
    chinese = chinese_font()
    day = issue.on or UNDATED
    data = {
        **values,
        "title": title.en,
        "study": issue.study,
        "issued": issue.on.isoformat() if issue.on is not None else "",
        "rehearsal": issue.rehearsal,
        "fonts": [*([chinese] if chinese else []), LATIN],
        "note": None if chinese else both("documents.house-no-font"),
    }
    moment = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
    return _set(template, json.dumps(_plain(data, chinese=chinese is not None), ensure_ascii=False), moment)


def _set(template: str, data: str, moment: dt.datetime) -> bytes:
    """Set a document. A character that no font has becomes a box: a document for the archive may not lack its glyph."""
    for _ in range(_TRIES):
        try:
            return _compiled(template, data, moment)
        except typst.TypstError as fault:
            said = "".join(_LACKING.findall(f"{fault.message} {fault.diagnostic}"))
            lacking = {
                one for one in _ESCAPED.sub(lambda code: chr(int(code[1], 16)), said) if not one.isascii()
            }
            if not lacking:
                raise
            data = "".join(_BOX if one in lacking else one for one in data)
    return _compiled(template, "".join(one if one.isascii() else _BOX for one in data), moment)


def _compiled(template: str, data: str, moment: dt.datetime) -> bytes:
    return typst.compile(
        str(TEMPLATES / f"{template}.typ"),
        root=str(TEMPLATES),
        font_paths=_fonts(os.environ.get(FONTS, "")),
        sys_inputs={"data": data},
        pdf_standards=["a-2a", "ua-1"],
        timestamp=moment,
    )


def _plain(value: object, *, chinese: bool) -> Json:
    """As JSON; a Text is a list of its languages, one or two of them."""
    match value:
        case Text():
            both_there = chinese and value.zh is not None and value.zh != value.en
            lines = [value.en, value.zh] if both_there else [value.en]
            return [_shown(line or "", chinese=chinese) for line in lines]
        case str():
            return _shown(value, chinese=chinese)
        case bool() | int() | None:
            return value
        case Mapping():
            return {str(name): _plain(inner, chinese=chinese) for name, inner in value.items()}
        case list() | tuple():
            return [_plain(inner, chinese=chinese) for inner in value]
        case _:
            raise TypeError(f"a document does not print {type(value).__name__}")


def _shown(text: str, *, chinese: bool) -> str:
    """The text as the font can set it: without control characters, and boxes for what it lacks."""
    clean = "".join(one for one in text if one == "\n" or unicodedata.category(one) not in {"Cc", "Cs"})
    return clean if chinese else "".join(one if ord(one) < 0x2E80 else _BOX for one in clean)

"""Statements of one record that do not agree: found by comparing, kept side by side, never settled.

Looked for: the blind in a title against the registered masking; several centres in a title against one location;
the enrolment against the sum on the page; the groups stated against the groups listed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from equipoise.standards import registry_vocabulary as words
from equipoise.standards.registry_record import Record
from equipoise.standards.registry_report import RECORD
from equipoise.words.problem import say

_BLIND = re.compile(
    r"\b(single|double|triple|quadruple|open)[- ]*(?:blind(?:ed)?|mask(?:ed)?|label(?:led)?)\b", re.I
)
_CENTRES = re.compile(r"\bmulti-?\s?(?:cent(?:er|re|ric)|site)\b", re.I)
_GROUPS = re.compile(r"([\d,]{1,12}) participants? in (\d{1,4})\b", re.I)


def contradictions(record: Record) -> list[dict[str, Any]]:  # Any: a part of a definition in its notation
    """The contradictions of a record as the notation writes them."""
    return [
        {
            "id": key,
            "about": {
                "en": say(f"registry.contradiction.{key}", "en"),
                "zh": say(f"registry.contradiction.{key}", "zh"),
            },
            "statements": [{"text": text, "source": RECORD} for text in statements],
        }
        for key, statements in _found(record)
    ]


def _found(record: Record) -> Iterator[tuple[str, tuple[str, str]]]:
    title = " ".join(record.text(path) or "" for path in (words.BRIEF_TITLE, words.OFFICIAL_TITLE))
    masking = record.text(words.MASKING)
    blinds = {"NONE" if hit[1].lower() == "open" else hit[1].upper() for hit in _BLIND.finditer(title)}
    if masking and blinds and blinds != {masking}:
        yield "masking", (masking, _title_with(record, _BLIND))
    places = record.count(words.LOCATION_COUNT)
    if _CENTRES.search(title) and (places == 1 or len(record.objects(words.LOCATIONS)) == 1):
        yield "centres", ("1", _title_with(record, _CENTRES))
    groups = record.text(words.PAGE_GROUPS) or ""
    stated = _GROUPS.match(groups)
    count = record.count(words.ENROLMENT_COUNT)
    if stated and count is not None and stated[1].replace(",", "") != str(count):
        yield "enrolment", (str(count), groups)
    if stated and int(stated[2]) != len(record.objects(words.ARMS)):
        labels = [str(arm.get("label")) for arm in record.objects(words.ARMS)]
        yield "groups", (groups, "; ".join(labels) or "—")


def _title_with(record: Record, wanted: re.Pattern[str]) -> str:
    texts = [record.text(path) or "" for path in (words.OFFICIAL_TITLE, words.BRIEF_TITLE)]
    return next(text for text in texts if wanted.search(text))

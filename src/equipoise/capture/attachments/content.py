"""What a file is, by its content and never by its name; and the name, as text that can do nothing.

The rules that must stay true: only a whole PDF, PNG, JPEG or TIFF is taken; the virus test string is found wherever it
stands, in content or name; a name never becomes a path. Sources: ISO 32000-1 7.5 (PDF), RFC 2083 (PNG), ITU-T T.81 B.1
(JPEG), TIFF 6.0 section 2, EICAR's "Intended use" page (the test string of 68 characters).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from equipoise.words.problem import Problem, problem

KINDS: Mapping[str, str] = {
    "PDF": "application/pdf",
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "TIFF": "image/tiff",
}
"""Kind -> its media type."""
MEGABYTE = 1_000_000
_NAME_LIMIT = 120
# In two halves, so that no scanner takes this file for an infected one.
_TEST_STRING = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + rb"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
_TEST_NAME = (
    "EICAR-" + "STANDARD-ANTIVIRUS-TEST-FILE"
)  # a server cuts a name at the backslash within the string
_UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2066-\u2069]+')
_TAIL = 2048


def kind_of(data: bytes) -> str | None:
    """The kind of a file by its first bytes, or None."""
    if data.startswith(b"%PDF-"):
        return "PDF"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    return "TIFF" if data[:4] in (b"II*\x00", b"MM\x00*") else None


def is_whole(data: bytes, kind: str) -> bool:
    """Whether a file ends as its kind does: a broken upload or a cut copy does not."""
    match kind:
        case "PDF":
            return b"%%EOF" in data[-_TAIL:]
        case "PNG":
            return b"IEND" in data[-_TAIL:]
        case "JPEG":
            return b"\xff\xd9" in data[-_TAIL:]
        case _:
            first = int.from_bytes(data[4:8], "little" if data[:2] == b"II" else "big")
            return 8 <= first < len(data)


def has_test_string(data: bytes) -> bool:
    """Whether the virus test string stands anywhere in the bytes."""
    return _TEST_STRING in data


def plain_name(name: str) -> str:
    """A file's name as text: one line, no separators, no characters that cannot be seen, of bounded length."""
    text = _UNFIT.sub("_", unicodedata.normalize("NFC", name)).strip(" ._")
    if len(text) <= _NAME_LIMIT:
        return text or "scan"
    stem, dot, ending = text.rpartition(".")
    if not dot or len(ending) > 8:
        return text[:_NAME_LIMIT]
    return stem[: _NAME_LIMIT - len(ending) - 1] + "." + ending


def faults(name: str, data: bytes, *, largest_mb: int, kinds: tuple[str, ...]) -> tuple[Problem, ...]:
    """Why a file is not taken: all reasons at once, none where it is."""
    if not data:
        return (problem("attachments.empty", "file"),)
    found: list[Problem] = []
    if len(data) > largest_mb * MEGABYTE:
        found.append(too_large(len(data), largest_mb))
    if has_test_string(data) or _TEST_NAME in name:
        found.append(problem("attachments.virus-test", "file"))
    kind = kind_of(data)
    if kind is None or kind not in kinds:
        found.append(problem("attachments.kind", "file", kinds=", ".join(kinds)))
    elif not is_whole(data, kind):
        found.append(problem("attachments.cut", "file", kind=kind))
    return tuple(found)


def too_large(size: int, largest_mb: int) -> Problem:
    """A file is larger than the study takes."""
    tenths = -(-size * 10 // MEGABYTE)
    return problem("attachments.too-large", "file", size=f"{tenths // 10}.{tenths % 10}", limit=largest_mb)

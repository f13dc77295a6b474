"""The files of the phone page, as they go over the line.

The rules that must stay true: they come from this folder and nowhere else; the same files are the same for everybody,
whoever asks and whichever arm; the service worker bears the digest of all of them, so that a phone holds files of one
version only; every file goes out packed, so that the whole page stays under 60 KB.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from equipoise.words.problem import catalogue

PAGE = Path(__file__).parent / "page"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mp3": "audio/mpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
FIRST, WORKER, WORDS = "index.html", "sw.js", "shell.json"
RECORDINGS = "diary-recordings"
"""Folder beside a store: `<language>/<item>.mp3`, questions read out by a person."""
_RECORDING = re.compile(r"recordings/(zh|en)/([A-Z][A-Z0-9]{0,7})\.mp3")


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as it is sent: its bytes plain and packed, its type, and a tag that changes with its bytes."""

    plain: bytes
    packed: bytes
    kind: str
    tag: str


@cache
def shell(store: Path) -> Mapping[str, Sent]:
    """Every file by its name under `/diary/`, the first one under "". Read once in a process."""
    own = {path.name: path.read_bytes() for path in sorted(PAGE.iterdir())}
    own[WORDS] = _words(store)
    version = hashlib.sha256(b"".join(name.encode() + own[name] for name in sorted(own))).hexdigest()[:16]
    addresses = [
        "/diary/",
        *(
            f"/diary/{name}"
            for name in own
            if name not in {FIRST, WORKER, "icon.png", "manifest.webmanifest"}
        ),
    ]
    worker = own[WORKER].decode().replace("{version}", version).replace("{files}", " ".join(addresses))
    own[WORKER] = worker.encode()
    return {"" if name == FIRST else name: _sent(name, data) for name, data in own.items()}


def recording(store: Path, name: str) -> bytes | None:
    """A recording by its address under `/diary/`, or None."""
    found = _RECORDING.fullmatch(name)
    path = store / RECORDINGS / found[1] / f"{found[2]}.mp3" if found else None
    return path.read_bytes() if path is not None and path.is_file() else None


def packed(data: bytes) -> bytes:
    """The same bytes give the same packed bytes, today and tomorrow."""
    return gzip.compress(data, 9, mtime=0)


def _words(store: Path) -> bytes:
    """What the page says, in both languages, and which questions were read out, each with the digest of its bytes."""
    said = {
        key: {"en": text.en, "zh": text.zh} for key, text in catalogue().items() if key.startswith("phone.")
    }
    held = {
        f"{path.parent.name}/{path.stem}": hashlib.sha256(path.read_bytes()).hexdigest()[:8]
        for path in sorted((store / RECORDINGS).glob("*/*.mp3"))
        if _RECORDING.fullmatch(f"recordings/{path.parent.name}/{path.name}")
    }
    return json.dumps({"words": said, "recordings": held}, ensure_ascii=False, separators=(",", ":")).encode()


def _sent(name: str, data: bytes) -> Sent:
    return Sent(data, packed(data), TYPES[Path(name).suffix], hashlib.sha256(data).hexdigest()[:20])

"""How uploaded files arrive: in memory, up to a limit, and never on disk, where a scan would lie in clear.

The rule that must stay true: what is larger than the limit is not kept in part; the rest of the request is still read,
so that its sender gets a page that says so.
"""

from __future__ import annotations

from io import BytesIO

from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

LIMIT = 66_000_000
"""Bytes of one request's files together; a study's own limit is lower (protocol.attachments)."""


class InMemory(FileUploadHandler):
    """Keeps files in memory while all of the request are within `LIMIT`; a larger one arrives empty, with its size."""

    chunk_size = 1 << 16

    def __init__(self, request: object = None) -> None:
        super().__init__(request)  # type: ignore[arg-type]  # Django's own, which its stubs name more narrowly
        self._held = 0
        self._parts: list[bytes] = []

    def new_file(self, *given: object, **named: object) -> None:
        """A file begins."""
        super().new_file(*given, **named)  # type: ignore[arg-type]  # handed on as it came
        self._parts = []

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a piece, or let everything go that is too much."""
        self._held += len(raw_data)
        if self._held <= LIMIT:
            self._parts.append(raw_data)
        else:
            self._parts.clear()

    def file_complete(self, file_size: int) -> UploadedFile[bytes]:
        """The file as the view finds it."""
        data = b"".join(self._parts)
        return InMemoryUploadedFile(
            BytesIO(data), self.field_name, self.file_name or "", self.content_type, file_size, self.charset
        )


def content_of(file: UploadedFile[bytes]) -> bytes | int:
    """The bytes of an uploaded file; its size where it was too large to be taken in."""
    data = file.read()
    size = int(file.size or 0)
    return size if len(data) < size else data

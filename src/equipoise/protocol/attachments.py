"""Which scans of paper sources a study takes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from equipoise.protocol.elements import Element


class Attachments(Element):
    """Size in millions of bytes of one file, and the kinds that are taken, by content."""

    largest_mb: int = Field(default=40, ge=1, le=64)
    kinds: tuple[Literal["PDF", "PNG", "JPEG", "TIFF"], ...] = ("PDF", "PNG", "JPEG", "TIFF")

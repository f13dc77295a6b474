"""The pages of problems, as views of the first door name them; see pages.problems, which both doors share."""

from __future__ import annotations

from equipoise.pages.problems import (
    Shown,
    missing,
    not_found,
    page,
    refused_request,
    server_error,
    stale_page,
    status,
    status_of,
)

__all__ = [
    "Shown",
    "missing",
    "not_found",
    "page",
    "refused_request",
    "server_error",
    "stale_page",
    "status",
    "status_of",
]
